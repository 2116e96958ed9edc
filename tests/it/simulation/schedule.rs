//! One schedule: steps made up front by a seed, carried out, and what came of it.

use std::{collections::BTreeMap, ops::AddAssign, time::Duration};

use actix_multiplex::{
    Handle, Hub, Kind, Voice, interface,
    testing::{Recorder, Sim, Stress, Trouble, Witness, run_with, transcript::Transcript},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// Something to say; the number makes it unlike any other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Say(u64, String);

/// What a napkin begins with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lines(Vec<String>);

interface! {
    /// An object whose latecomers start at now.
    pub(crate) Frog = "sim.frog" v1 {
        state none;
        1 => Say,
    }
}

/// Something to draw.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Draw(u64);

interface! {
    /// An object whose latecomers are given all.
    pub(crate) Napkin = "sim.napkin" v1 {
        state Lines;
        1 => Draw,
    }
}

/// One thing that happens. Numbers name witnesses.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A client comes, and joins both objects.
    Come(usize),
    /// It shouts so often at both.
    Shout(usize, u32),
    /// It shouts at the frog through a voice that it has besides.
    Voice(usize),
    /// It parts from the frog, and joins it again.
    PartAndJoin(usize),
    Cut(usize),
    Hold(usize),
    Delay(usize, u64),
    Tear(usize),
    Mend(usize),
    Sleep(u64),
    /// The frog's, or the napkin's, repeater panics.
    Panic(bool, Trouble),
}

/// How often the rarer things happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) late_joins: u64,
    pub(crate) parts: u64,
    pub(crate) panics: u64,
    pub(crate) bursts: u64,
    pub(crate) voices: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.late_joins += more.late_joins;
        self.parts += more.parts;
        self.panics += more.panics;
        self.bursts += more.bursts;
        self.voices += more.voices;
    }
}

/// What came of a schedule.
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) steps: Vec<Step>,
    pub(crate) transcript: Transcript,
    pub(crate) stress: Stress,
    pub(crate) counts: Counts,
}

/// Carries out the schedule of a seed.
pub(crate) fn run(seed: u64) -> Outcome {
    let steps = steps(seed);
    // Nobody is away for so long that another session begins.
    run_with(seed, Hub::builder().grace(Duration::from_mins(10)), async |sim| {
        let mut stage = Stage { sim, cast: BTreeMap::new(), said: 0, counts: Counts::default() };
        for step in &steps {
            stage.take(step).await;
        }
        stage.end().await;
        Outcome {
            seed,
            steps: steps.clone(),
            transcript: sim.transcript(),
            stress: sim.network().stress(),
            counts: stage.counts,
        }
    })
}

fn steps(seed: u64) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed ^ 0x5eed);
    let mut steps = vec![Step::Come(0), Step::Come(1)];
    let mut clients = 2;
    for _ in 0..random.random_range(20..60) {
        let client = random.random_range(0..clients);
        steps.push(match random.random_range(0..100) {
            0..40 => Step::Shout(client, random.random_range(1..6)),
            40..42 => Step::Shout(client, random.random_range(500..1_500)),
            42..48 => Step::Voice(client),
            48..54 if clients < 6 => {
                clients += 1;
                Step::Come(clients - 1)
            }
            48..58 => Step::PartAndJoin(client),
            58..62 => Step::Cut(client),
            62..67 => Step::Hold(client),
            67..72 => Step::Delay(client, random.random_range(1..200)),
            72..75 => Step::Tear(client),
            75..83 => Step::Mend(client),
            83..87 => Step::Panic(random.random(), trouble(&mut random)),
            _ => Step::Sleep(random.random_range(0..3_000)),
        });
    }
    steps
}

fn trouble(random: &mut StdRng) -> Trouble {
    let poison = Trouble::Shout { kind: Kind(1), times: 1 };
    let all = [Trouble::Handler, Trouble::Notify, Trouble::Future, Trouble::Timer, poison];
    *all.choose(random).expect("there are some")
}

/// The schedule as it is carried out.
struct Stage<'a> {
    sim: &'a Sim,
    cast: BTreeMap<usize, Role>,
    said: u64,
    counts: Counts,
}

struct Role {
    witness: Witness,
    frog: Option<Handle<Recorder<Frog>>>,
    napkin: Handle<Recorder<Napkin>>,
    voice: Option<Voice<Frog>>,
    /// Lines that are cut or held answer no requests.
    is_reachable: bool,
}

impl Stage<'_> {
    async fn take(&mut self, step: &Step) {
        let network = self.sim.network();
        match *step {
            Step::Come(client) => self.come(client).await,
            Step::Shout(client, count) => self.shout(client, count),
            Step::Voice(client) => self.voice(client).await,
            Step::PartAndJoin(client) => self.part_and_join(client).await,
            Step::Cut(client) => network.cut(&self.unreachable(client)),
            Step::Hold(client) => network.hold(&self.unreachable(client)),
            Step::Delay(client, ms) => network.delay(&name(client), Duration::from_millis(ms)),
            Step::Tear(client) => network.tear(&name(client)),
            Step::Mend(client) => network.mend(&name(client)),
            Step::Sleep(ms) => sleep(Duration::from_millis(ms)).await,
            Step::Panic(frog, trouble) => self.panic(frog, trouble).await,
        }
    }

    async fn come(&mut self, client: usize) {
        self.counts.late_joins += u64::from(self.said > 0);
        let witness = self.sim.witness(&name(client)).await;
        let frog = witness.open::<Frog>("frog", ()).await.expect("opens");
        let napkin = witness.open::<Napkin>("napkin", Lines(vec![])).await.expect("opens");
        let role = Role { witness, frog: Some(frog), napkin, voice: None, is_reachable: true };
        self.cast.insert(client, role);
    }

    fn shout(&mut self, client: usize, count: u32) {
        let role = &self.cast[&client];
        self.counts.bursts += u64::from(count > 100);
        for _ in 0..count {
            self.said += 1;
            if let Some(frog) = &role.frog {
                role.witness.shout(frog, Say(self.said, "x".repeat((self.said % 50) as usize)));
            }
            role.witness.shout(&role.napkin, Draw(self.said));
        }
    }

    async fn voice(&mut self, client: usize) {
        let Some(role) = self.cast.get_mut(&client).filter(|role| role.is_reachable) else {
            return;
        };
        if role.voice.is_none() {
            role.voice = role.witness.client().voice::<Frog>("frog").await.ok();
        }
        if let Some(voice) = &role.voice {
            self.said += 1;
            self.counts.voices += 1;
            role.witness.shout_by(voice, Say(self.said, String::new()));
        }
    }

    async fn part_and_join(&mut self, client: usize) {
        let Some(role) = self.cast.get_mut(&client).filter(|role| role.is_reachable) else {
            return;
        };
        self.counts.parts += 1;
        role.frog = None;
        role.frog = role.witness.join::<Frog>("frog").await.ok();
    }

    async fn panic(&mut self, frog: bool, trouble: Trouble) {
        let role = &self.cast[&0];
        let frog = role.frog.as_ref().filter(|_| frog).map(Handle::object);
        let object = frog.unwrap_or(role.napkin.object());
        self.counts.panics += u64::from(self.sim.hub().sabotage(object, trouble).await);
        // Six panics in ten seconds end an object, which is another story.
        sleep(Duration::from_secs(3)).await;
    }

    /// From now on nothing is awaited of this client.
    fn unreachable(&mut self, client: usize) -> String {
        if let Some(role) = self.cast.get_mut(&client) {
            role.is_reachable = false;
        }
        name(client)
    }

    async fn end(&mut self) {
        for client in self.cast.keys() {
            self.sim.network().mend(&name(*client));
        }
        self.sim.settle().await;
        // Who was cut off comes back within some tries, and what that brings takes another round.
        sleep(Duration::from_mins(1)).await;
        self.sim.settle().await;
        for (client, role) in self.cast.iter().filter(|(_, role)| role.is_reachable) {
            let gone = role.napkin.gone();
            assert_eq!(gone, None, "client {client} lost its connection without a cause");
        }
    }
}

fn name(client: usize) -> String {
    format!("client-{client}")
}
