//! G4: leaves that join late, at any time, while others shout far more than a tail holds, lines are
//! held and cut, and the repeater and leaves panic. Every leaf's sum is that of every other.

use std::{collections::BTreeMap, ops::AddAssign, time::Duration};

use actix_multiplex::{
    Client, Handle, Local, Shout,
    testing::{Sim, Trouble, run as simulate},
};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tokio::time::sleep;

use super::number;
use crate::ledger::{Add, Book, Clerk, Poke, Seen, Sum, Tell, Telling};

/// One thing that happens. Numbers name clients.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A client comes and joins.
    Come(usize),
    /// It shouts so many shouts of this many bytes.
    Shout(usize, u32, usize),
    /// It parts, and joins again.
    PartAndJoin(usize),
    /// Its line is cut for good.
    Cut(usize),
    Hold(usize),
    Mend(usize),
    Panic(Trouble),
    /// Its leaf panics.
    Poke(usize),
    Sleep(u64),
}

/// What was seen, to show that something was.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    heard: u64,
    compared: u64,
    told: u64,
    restored_from_newer: u64,
    resynced: u64,
    panics: u64,
    pokes: u64,
    cuts: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.heard += more.heard;
        self.compared += more.compared;
        self.told += more.told;
        self.restored_from_newer += more.restored_from_newer;
        self.resynced += more.resynced;
        self.panics += more.panics;
        self.pokes += more.pokes;
        self.cuts += more.cuts;
    }
}

struct Stage<'a> {
    sim: &'a Sim,
    book: Book,
    cast: BTreeMap<usize, Role>,
    said: u64,
    counts: Counts,
}

struct Role {
    client: Client,
    leaf: Option<Handle<Clerk>>,
    /// Lines that are held answer no requests.
    is_held: bool,
}

fn steps(random: &mut StdRng) -> Vec<Step> {
    let mut steps = vec![Step::Come(0), Step::Come(1)];
    let mut clients = 2;
    for _ in 0..random.random_range(40..80) {
        // The first two stay, so that the object has leaves.
        let (anybody, other) = (random.random_range(0..clients), random.random_range(1..clients));
        steps.push(match random.random_range(0..100) {
            0..50 => {
                Step::Shout(anybody, random.random_range(1..12), random.random_range(0..60_000))
            }
            50..62 => {
                clients += 1;
                Step::Come(clients - 1)
            }
            62..70 => Step::PartAndJoin(anybody),
            70..73 if other > 1 => Step::Cut(other),
            70..76 => Step::Hold(other),
            76..84 => Step::Mend(other),
            84..90 => Step::Panic(trouble(random)),
            90..94 => Step::Poke(anybody),
            _ => Step::Sleep(random.random_range(0..100)),
        });
    }
    steps
}

fn trouble(random: &mut StdRng) -> Trouble {
    let all = [Trouble::Handler, Trouble::Notify, Trouble::Future, Trouble::Timer];
    *all.choose(random).expect("there are some")
}

fn run(seed: u64) -> Counts {
    let steps = steps(&mut StdRng::seed_from_u64(seed ^ 0x1a7e));
    simulate(seed, async |sim| {
        let (book, cast) = (Book::default(), BTreeMap::new());
        let mut stage = Stage { sim, book, cast, said: 0, counts: Counts::default() };
        for step in &steps {
            stage.take(*step).await;
        }
        stage.end().await;
        stage.counts
    })
}

impl Stage<'_> {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Come(client) => self.come(client).await,
            Step::Shout(client, count, bytes) => self.shout(client, count, bytes),
            Step::PartAndJoin(client) => self.part_and_join(client).await,
            Step::Cut(client) => self.cut(client),
            Step::Hold(client) => self.hold(client, true),
            Step::Mend(client) => self.hold(client, false),
            Step::Panic(trouble) => self.panic(trouble).await,
            Step::Poke(client) => self.poke(client),
            Step::Sleep(ms) => sleep(Duration::from_millis(ms)).await,
        }
    }

    async fn come(&mut self, number: usize) {
        let client = self.sim.witness(&name(number)).await.client().clone();
        // Every third one cannot tell.
        let telling = if number % 3 == 2 { Telling::CannotTell } else { Telling::Tells };
        Clerk::at(&client, &name(number), telling, &self.book);
        let leaf = open(&client).await;
        self.cast.insert(number, Role { client, leaf, is_held: false });
    }

    fn shout(&mut self, number: usize, count: u32, bytes: usize) {
        let Some(leaf) = self.cast.get(&number).and_then(|role| role.leaf.as_ref()) else { return };
        for _ in 0..count {
            self.said += 1;
            // One that finds no room is said by nobody.
            let _said = leaf.try_send(Shout(Add { n: self.said, text: "x".repeat(bytes) }));
        }
    }

    async fn part_and_join(&mut self, number: usize) {
        let Some(role) = self.cast.get_mut(&number).filter(|role| !role.is_held) else { return };
        role.leaf = None;
        role.leaf = open(&role.client).await;
    }

    fn cut(&mut self, number: usize) {
        if self.cast.remove(&number).is_some() {
            self.sim.network().cut(&name(number));
            self.counts.cuts += 1;
        }
    }

    fn hold(&mut self, number: usize, is_held: bool) {
        let Some(role) = self.cast.get_mut(&number) else { return };
        role.is_held = is_held;
        let network = self.sim.network();
        if is_held { network.hold(&name(number)) } else { network.mend(&name(number)) }
    }

    async fn panic(&mut self, trouble: Trouble) {
        let object = self.cast.values().find_map(|role| Some(role.leaf.as_ref()?.object()));
        let Some(object) = object else { return };
        self.counts.panics += u64::from(self.sim.hub().sabotage(object, trouble).await);
        // Six panics in ten seconds end an object, which is another story.
        sleep(Duration::from_secs(3)).await;
    }

    fn poke(&mut self, number: usize) {
        let Some(leaf) = self.cast.get(&number).and_then(|role| role.leaf.as_ref()) else { return };
        leaf.addr().do_send(Local(Poke));
        self.counts.pokes += 1;
    }

    async fn end(&mut self) {
        for number in self.cast.keys() {
            self.sim.network().mend(&name(*number));
        }
        // Those whose line was held for too long come back.
        sleep(Duration::from_mins(1)).await;
        self.sim.settle().await;
        let mut sums = Vec::new();
        for (number, role) in &self.cast {
            if let Some(leaf) = role.leaf.as_ref().filter(|leaf| leaf.gone().is_none()) {
                let sum = leaf.send(Local(Tell)).await;
                sums.push((*number, sum.expect("the leaf lives")));
            }
        }
        let (_, first) = sums[0];
        assert!(sums.iter().all(|(_, sum)| *sum == first), "{sums:?}");
        let Seen { asked, restored, resynced } = self.book.seen();
        self.counts.heard += first.count;
        self.counts.compared += sums.len() as u64 - 1;
        self.counts.told += asked.len() as u64;
        let newer = restored.iter().filter(|(_, from)| *from > 0);
        self.counts.restored_from_newer += newer.count() as u64;
        self.counts.resynced += resynced;
    }
}

/// A request that a panic crosses is refused, and may be made again.
async fn open(client: &Client) -> Option<Handle<Clerk>> {
    for _ in 0..5 {
        if let Ok(leaf) = client.open::<Clerk>("ledger", Sum::default()).await {
            return Some(leaf);
        }
    }
    None
}

fn name(number: usize) -> String {
    format!("client-{number}")
}

#[test]
fn g4_who_joins_late_is_where_all_others_are_whatever_happens_meanwhile() {
    if let Some(seed) = number("SEED") {
        println!("{:#?}", run(seed));
        return;
    }
    let mut totals = Counts::default();
    for seed in 0..number("LATE_SEEDS").unwrap_or(60) {
        totals += run(seed);
    }
    println!("{totals:#?}");
    let Counts { heard, compared, told, restored_from_newer, resynced, panics, pokes, cuts } =
        totals;
    let seen = [heard, compared, told, restored_from_newer, resynced, panics, pokes, cuts];
    assert!(seen.iter().all(|count| *count > 0), "the suite is vacuous: {totals:?}");
}
