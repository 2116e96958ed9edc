//! G8 under load: eight clients shout at an object whose authority panics, at one whose repeater
//! does, and at one that is left in peace.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_multiplex::{
    Authority, Denied, Gone, Handle, Judged, Kind, ObjectId, interface,
    testing::{Recorder, Sim, Trouble, Witness, run, transcript::Event},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::{logs::logged, number};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Beat(u64);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Swing(u64);

interface! {
    /// A drum.
    Drum = "sim.drum" v1 { state none; 1 => Beat, volatile 2 => Swing }
}

type Drums = Handle<Recorder<Drum>>;

/// What an authority has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    judged: u64,
    denied: u64,
    panicked: u64,
}

/// Panics at 1 % of what it judges, and denies 4 %.
fn erratic(seed: u64, tally: &Arc<Mutex<Tally>>) -> impl Authority + use<> {
    let (mut random, tally) = (StdRng::seed_from_u64(seed ^ 0xd2), tally.clone());
    move |shout: &Judged<'_>| {
        assert!(shout.read::<Drum, Beat>()?.is_some());
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.judged += 1;
        match random.random_range(0..100) {
            0 => {
                tally.panicked += 1;
                panic!("the authority is told to")
            }
            1..5 => {
                tally.denied += 1;
                Err(Denied::because("out of time"))
            }
            _ => Ok(()),
        }
    }
}

/// Eight clients, each with a leaf of every drum.
struct Band<'a> {
    sim: &'a Sim,
    players: Vec<(Witness, [Drums; 3])>,
    random: StdRng,
    beats: u64,
}

const NAMES: [&str; 3] = ["judged", "haunted", "quiet"];
const PLAYERS: u64 = 8;
/// Shouts of a round at each drum.
const SHOUTS: usize = 80;

impl<'a> Band<'a> {
    async fn gather(sim: &'a Sim) -> Self {
        let mut players = Vec::new();
        for player in 0..PLAYERS {
            let witness = sim.witness(&format!("player-{player}")).await;
            let mut drums = Vec::new();
            for name in NAMES {
                drums.push(witness.open::<Drum>(name, ()).await.expect("is there, or is made"));
            }
            let drums = drums.try_into().expect("one for each name");
            players.push((witness, drums));
        }
        let random = StdRng::seed_from_u64(sim.seed() ^ 0xba2d);
        Self { sim, players, random, beats: 0 }
    }

    fn object(&self, drum: usize) -> ObjectId {
        self.players[0].1[drum].object()
    }

    /// Everybody shouts ten times at each drum. At this shout the repeater of the haunted one panics.
    async fn round(&mut self, poison_at: Option<usize>) {
        for shout in 0..SHOUTS {
            if Some(shout) == poison_at {
                self.poison().await;
            }
            self.beats += 1;
            let (witness, drums) = &self.players[shout % self.players.len()];
            for drum in drums {
                witness.shout(drum, Beat(self.beats));
            }
        }
    }

    /// The next shout that reaches the haunted drum makes its repeater panic.
    async fn poison(&self) {
        let poison = Trouble::Shout { kind: Kind(1), times: 1 };
        assert!(self.sim.hub().sabotage(self.object(1), poison).await);
    }

    /// What was lost of what was shouted at a drum: why, and how often.
    fn lost(&self, drum: usize) -> BTreeMap<String, u64> {
        let (object, mut lost) = (self.object(drum).to_string(), BTreeMap::new());
        for event in self.sim.transcript().events() {
            if let Event::Lost { object: of, why, .. } = event
                && of == object
            {
                *lost.entry(why.to_owned()).or_default() += 1;
            }
        }
        lost
    }

    /// How often what was shouted at a drum was heard, and receipted.
    fn heard(&self, drum: usize) -> (u64, u64) {
        let (label, mut heard, mut receipts) = (self.object(drum).to_string(), 0, 0);
        for event in self.sim.transcript().events() {
            match event {
                Event::Heard { object, .. } if object == label => heard += 1,
                Event::Receipted { object, .. } if object == label => receipts += 1,
                _ => {}
            }
        }
        (heard, receipts)
    }
}

/// Plays a hundred rounds. Tells what the authority has done, and how often the repeater panicked.
async fn play(sim: &Sim) -> (Tally, usize) {
    let mut band = Band::gather(sim).await;
    let tally = Arc::new(Mutex::new(Tally::default()));
    assert!(sim.hub().set_authority(band.object(0), erratic(sim.seed(), &tally)).await);
    let mut panics = 0;
    for _ in 0..100 {
        let at = band.random.random_range(0..1_000);
        let poison_at = (at < SHOUTS).then_some(at);
        band.round(poison_at).await;
        panics += usize::from(poison_at.is_some());
        // A sixth panic within ten seconds would be the end of it.
        sleep(Duration::from_millis(if poison_at.is_some() { 2_100 } else { 100 })).await;
    }
    sim.settle().await;
    let tally = *tally.lock().unwrap_or_else(PoisonError::into_inner);
    let Tally { judged, denied, panicked } = tally;
    assert_eq!(judged, band.beats, "each shout is judged once");
    let lost = denied + panicked;
    assert_eq!(band.lost(0).values().sum::<u64>(), lost, "{:?}", band.lost(0));
    assert_eq!(band.heard(0), ((band.beats - lost) * PLAYERS, band.beats - lost));
    for drum in [1, 2] {
        assert_eq!(band.lost(drum), BTreeMap::new());
        assert_eq!(band.heard(drum), (band.beats * PLAYERS, band.beats));
    }
    let summary = sim.transcript().check_complete().unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!((summary.resyncs, summary.unknown), (0, 0));
    assert!(band.players.iter().flat_map(|(_, drums)| drums).all(|drum| drum.gone().is_none()));
    (tally, panics)
}

/// `SEED=7`, or `LOAD_SEEDS` of them instead of the gate's 3.
fn seeds() -> std::ops::Range<u64> {
    number("SEED").map_or(0..number("LOAD_SEEDS").unwrap_or(3), |seed| seed..seed + 1)
}

#[test]
fn g8_under_load_an_authority_that_panics_and_a_repeater_that_does_lose_nothing_else() {
    let seeds = seeds();
    let mut seen = (0, 0, 0);
    for seed in seeds.clone() {
        let ((tally, panics), lines) = logged(|| run(seed, play));
        let of = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
        assert_eq!(of("an authority panicked object="), tally.panicked as usize, "SEED={seed}");
        assert_eq!(of("a repeater panicked object="), panics, "SEED={seed}");
        assert_eq!(lines.len(), tally.panicked as usize + panics, "SEED={seed}: {lines:#?}");
        let is_named = |line: &String| line.contains(" session") && line.contains(" op");
        assert!(lines.iter().all(is_named), "SEED={seed}: {lines:#?}");
        println!("SEED={seed}: {tally:?}, the repeater panicked {panics} times");
        seen = (seen.0 + tally.denied, seen.1 + tally.panicked, seen.2 + panics);
    }
    assert!(seeds.end - seeds.start == 1 || (seen.0 > 0 && seen.1 > 0 && seen.2 > 0), "{seen:?}");
}

/// Has the repeater of the haunted drum panic until it is given up, and shouts on.
async fn play_to_the_end(sim: &Sim) {
    let mut band = Band::gather(sim).await;
    for round in 0..20 {
        let is_there = band.players[0].1[1].gone().is_none();
        assert_eq!(is_there, round < 6, "the sixth panic is one too many");
        let poison_at = band.random.random_range(0..SHOUTS);
        band.round(is_there.then_some(poison_at)).await;
        sleep(Duration::from_millis(100)).await;
    }
    sim.settle().await;
    for (_, [_, haunted, quiet]) in &band.players {
        let Some(Gone::Ended(reason)) = haunted.gone() else { panic!("{:?}", haunted.gone()) };
        assert!(reason.to_string().contains("sabotaged at message 1, at op "), "{reason}");
        assert!(!haunted.addr().connected(), "a leaf of what has ended goes on");
        assert_eq!(quiet.gone(), None);
    }
    let newcomer = sim.witness("newcomer").await;
    let error = newcomer.open::<Drum>("haunted", ()).await.expect_err("it has failed");
    assert!(error.to_string().contains("sabotaged at message 1"), "{error}");
    for drum in [0, 2] {
        assert_eq!(band.lost(drum), BTreeMap::new());
        assert_eq!(band.heard(drum), (band.beats * PLAYERS, band.beats));
    }
    let (heard, receipts) = band.heard(1);
    assert!(heard > 0 && receipts > 0, "nothing was heard before the end");
    sim.transcript().check_complete().unwrap_or_else(|broken| panic!("{broken}"));
}

#[test]
fn g8_under_load_an_object_past_its_restarts_fails_visibly_and_the_others_go_on() {
    for seed in seeds() {
        let ((), lines) = logged(|| run(seed, play_to_the_end));
        let panics = lines.iter().filter(|line| line.starts_with("a repeater panicked"));
        assert_eq!(panics.count(), 6, "SEED={seed}: {lines:#?}");
        let failed = lines.iter().filter(|line| line.starts_with("an object has failed"));
        assert_eq!(failed.count(), 1, "SEED={seed}: {lines:#?}");
    }
}

#[test]
fn a_repeaters_panic_is_logged_once_with_the_object_and_the_op_in_hand() {
    let ((object, session), lines) = logged(|| {
        run(1, async |sim| {
            let mut band = Band::gather(sim).await;
            band.round(None).await;
            sim.settle().await;
            band.poison().await;
            let (witness, [_, haunted, _]) = &band.players[3];
            witness.shout(haunted, Beat(99));
            sim.settle().await;
            assert!(sim.hub().sabotage(band.object(1), Trouble::Handler).await);
            sim.settle().await;
            (band.object(1), witness.client().session())
        })
    });
    let of = format!("a repeater panicked object={object} reason=\"sabotaged ");
    let at = format!("at message 1, at op 11 of session {session}\"");
    assert_eq!(lines, [format!("{of}{at}"), format!("{of}in a handler\"")]);
}

#[test]
fn volatile_messages_are_not_judged() {
    run(1, async |sim| {
        let band = Band::gather(sim).await;
        let tally = Arc::new(Mutex::new(Tally::default()));
        assert!(sim.hub().set_authority(band.object(0), erratic(1, &tally)).await);
        for (_, [judged, ..]) in &band.players {
            assert!(judged.send_volatile(Swing(1)).is_ok());
        }
        sim.settle().await;
        assert_eq!(*tally.lock().unwrap(), Tally::default());
    });
}
