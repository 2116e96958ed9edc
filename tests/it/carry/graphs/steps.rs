//! A schedule's steps, drawn up front by its seed.

use actix_multiplex::{Kind, testing::Trouble};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::nodes::{How, Sort};

/// Any number; what it picks is known when its step is taken.
pub(super) type Pick = usize;

/// One thing that happens. The first number of each names a client.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It makes an object that nobody else knows of, whose state carries these.
    Create(usize, Sort, Vec<Source>),
    /// It makes two such objects, whose states carry each other.
    Circle(usize),
    /// It makes some whose states carry each other in a chain, and says the first.
    Chain(usize, Pick),
    /// It makes one, takes a reference, and drops it.
    Stranger(usize),
    /// It shouts.
    Shout {
        client: usize,
        at: Pick,
        how: How,
        what: Vec<Source>,
        pass: Option<usize>,
    },
    /// It and the one behind it open the object of that name.
    Open(usize, usize),
    /// It joins the object of that name.
    Join(usize, usize),
    /// It learns what it did not know yet.
    Learn(usize),
    /// It binds a reference that it has heard.
    Bind(usize, Pick),
    /// It lets go of a leaf.
    Drop(usize, Pick),
    /// It ends an object that it has a leaf of.
    Destroy(usize, Pick),
    /// It changes a leaf alone.
    Drag(usize, Pick),
    /// Its line is delayed by up to so much.
    Delay(usize, u64),
    Tear(usize),
    /// Its line is held for so long.
    Hold(usize, u64),
    Mend(usize),
    Cut(usize),
    /// The repeater of an object that it has a leaf of panics.
    Panic(usize, Pick, Trouble),
    Sleep(u64),
}

/// Where a reference comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// From a handle.
    Held(Pick),
    /// From what was heard, or otherwise come by.
    Known(Pick),
    JustHeard,
}

/// What a seed makes of a schedule.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) clients: usize,
    /// What a client does not know at first.
    pub(super) unknown: Vec<Option<Sort>>,
    pub(super) steps: Vec<Step>,
}

/// Names that are opened and joined.
pub(super) const NAMES: usize = 3;

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ 0x9a9e);
        let clients = random.random_range(3..=5);
        let unknown = (0..clients).map(|client| ignorance(client, &mut random)).collect();
        // Everybody meets somewhere, before anything is passed.
        let mut steps: Vec<_> = (0..NAMES).map(|name| Step::Open(name % clients, name)).collect();
        steps.extend((0..clients).map(|client| Step::Join(client, client % NAMES)));
        steps.push(Step::Sleep(500));
        for _ in 0..random.random_range(30..70) {
            let client = random.random_range(0..clients);
            steps.push(step(client, clients, &mut random));
        }
        Self { clients, unknown, steps }
    }
}

fn ignorance(client: usize, random: &mut StdRng) -> Option<Sort> {
    match random.random_range(0..8) {
        _ if client == 0 => None,
        0 | 1 => Some(Sort::Napkin),
        2..=4 => Some(Sort::Blot),
        _ => None,
    }
}

fn step(client: usize, clients: usize, random: &mut StdRng) -> Step {
    let pick = random.random_range(0..1_000);
    match random.random_range(0..1_000) {
        0..110 => Step::Create(client, sort(random), sources(random)),
        110..140 => Step::Circle(client),
        140..150 => Step::Chain(client, pick),
        150..165 => Step::Stranger(client),
        165..540 => shout(client, clients, random),
        540..560 => Step::Open(client, pick),
        560..600 => Step::Join(client, pick),
        600..640 => Step::Learn(client),
        640..660 => Step::Bind(client, pick),
        660..720 => Step::Drop(client, pick),
        720..740 => Step::Drag(client, pick),
        740..765 => Step::Delay(client, random.random_range(1..40)),
        765..780 => Step::Tear(client),
        780..795 => Step::Hold(client, random.random_range(50..7_000)),
        795..825 => Step::Mend(client),
        825..828 => Step::Cut(client),
        828..850 => Step::Panic(client, pick, trouble(random)),
        850..870 => Step::Destroy(client, pick),
        870..985 => Step::Sleep(random.random_range(0..300)),
        _ => Step::Sleep(random.random_range(1_000..6_000)),
    }
}

fn shout(client: usize, clients: usize, random: &mut StdRng) -> Step {
    let how = *[How::Say, How::Say, How::Say, How::Muse, How::Put].choose(random).expect("some");
    let pass = random.random_bool(0.2).then(|| random.random_range(0..clients));
    Step::Shout { client, at: random.random_range(0..1_000), how, what: sources(random), pass }
}

fn sort(random: &mut StdRng) -> Sort {
    if random.random() { Sort::Napkin } else { Sort::Blot }
}

/// 0 to 4 of them.
fn sources(random: &mut StdRng) -> Vec<Source> {
    let sources = (0..random.random_range(0..=4)).map(|_| match random.random_range(0..6) {
        0..4 => Source::Held(random.random_range(0..1_000)),
        4 => Source::Known(random.random_range(0..1_000)),
        _ => Source::JustHeard,
    });
    sources.collect()
}

fn trouble(random: &mut StdRng) -> Trouble {
    let poison = Trouble::Shout { kind: Kind(1), times: 1 };
    let all = [Trouble::Handler, Trouble::Notify, Trouble::Future, Trouble::Timer, poison];
    *all.choose(random).expect("there are some")
}
