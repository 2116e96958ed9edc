//! Random trees of hubs in random trouble: one order everywhere, exactly once.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix_multiplex::{
    Handle, Hub, Member, interface,
    testing::{self, Chain, Recorder, Trouble, Witness, transcript::Summary},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use tokio::{
    task::spawn_local,
    time::{Instant, sleep},
};

/// A frog says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Croak(u64);

interface! {
    /// A frog that nobody remembers.
    Frog = "pond.frog" v1 {
        state none;
        presence;
        1 => Croak,
    }
}

interface! {
    /// A frog with a state.
    Toad = "pond.toad" v1 {
        state u64;
        1 => Croak,
    }
}

/// When all have heard all after all is mended, in virtual time.
const CAUGHT_UP: Duration = Duration::from_secs(5);

/// Fewer than an object may have before it fails, whichever they strike.
const PANICS_MAX: u32 = 5;

/// What a storm has come to.
#[derive(Debug, Default)]
struct Storms {
    hubs: usize,
    cuts: u64,
    restarts: u64,
    panics: u32,
    /// Whether any leaf did.
    parted: bool,
    shouts: usize,
    deliveries: usize,
    /// The longest that it took to catch up, in virtual time.
    slowest: Duration,
}

#[test]
fn g11_trees_of_hubs_in_trouble_have_one_order_and_lose_and_double_nothing() {
    if std::env::var("RUST_LOG").is_ok() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .without_time()
            .init();
    }
    let seeds = number("SEEDS").unwrap_or(500);
    let first = number("SEED").unwrap_or(0);
    let mut all = Storms::default();
    for seed in first..first + seeds {
        let storm = testing::chain(seed, 2 + (seed % 6) as usize, async |chain| {
            storm(chain, &mut StdRng::seed_from_u64(seed)).await
        });
        all.hubs += storm.hubs;
        all.cuts += storm.cuts;
        all.restarts += storm.restarts;
        all.panics += storm.panics;
        all.shouts += storm.shouts;
        all.deliveries += storm.deliveries;
        all.slowest = all.slowest.max(storm.slowest);
    }
    eprintln!("{seeds} trees: {all:?}");
}

async fn storm(chain: &Chain, random: &mut StdRng) -> Storms {
    let hubs = chain.hubs();
    for hub in 1..hubs {
        let above = random.random_range(0..hub);
        let linked = chain.link(hub, above).await;
        assert!(linked.is_ok(), "hub {hub} below {above}: {linked:?}");
    }
    let mut storms = Storms { hubs, ..Storms::default() };
    let frogs = Frogs::default();
    let (mut croaks, mut late, mut panics) = (0, 0, 0);
    for at in 0..hubs {
        let witness = chain.at(at).witness(&format!("frog {at}")).await;
        frogs.join(witness, random.random_range(0..2_000));
    }
    for _ in 0..random.random_range(20..60) {
        sleep(Duration::from_millis(random.random_range(0..150))).await;
        match random.random_range(0..26) {
            0..14 => {
                for _ in 0..random.random_range(1..6) {
                    frogs.croak(random, &mut croaks);
                }
            }
            14..17 => {
                storms.cuts += 1;
                chain.cut(random.random_range(0..hubs));
            }
            17 => chain.hold(random.random_range(0..hubs)),
            18 => chain.mend(random.random_range(0..hubs)),
            19..21 => {
                let at = random.random_range(0..hubs);
                chain.at(at).network().cut(&format!("frog {at}"));
            }
            21 => {
                storms.parted = true;
                frogs.part(random);
            }
            22..24 => {
                late += 1;
                let at = random.random_range(0..hubs);
                let witness = chain.at(at).witness(&format!("late {late}")).await;
                frogs.join(witness, 0);
            }
            24 if panics < PANICS_MAX => {
                panics += 1;
                let hub = chain.at(random.random_range(0..hubs)).hub();
                frogs.strike(&hub, random);
            }
            _ => {
                storms.restarts += 1;
                chain.restart(random.random_range(0..hubs));
            }
        }
    }
    (0..hubs).for_each(|hub| chain.mend(hub));
    for _ in 0..3 {
        frogs.croak(random, &mut croaks);
    }
    let calm = Instant::now();
    let summary = finish(chain, &frogs, croaks).await;
    storms.panics = panics;
    storms.slowest = calm.elapsed();
    assert!(storms.slowest <= CAUGHT_UP, "it took {:?}", storms.slowest);
    // Whose leaf parts while its way is cut is told that its shout was not sent, or perhaps not heard.
    let untold = if storms.parted { (0, 0) } else { (summary.lost, summary.unknown) };
    assert_eq!((untold, summary.resyncs), ((0, 0), 0), "{summary:?}");
    assert_eq!(chain.forgotten(), None);
    storms.shouts = summary.shouts;
    storms.deliveries = summary.deliveries;
    storms
}

/// Waits until everybody has heard everything.
async fn finish(chain: &Chain, frogs: &Frogs, croaks: u64) -> Summary {
    let begun = Instant::now();
    loop {
        sleep(Duration::from_millis(100)).await;
        let transcript = chain.transcript();
        let judged = transcript.check_complete();
        match judged {
            Ok(summary)
                if frogs.all_joined()
                    && frogs.all_know_all()
                    && (summary.receipts + summary.lost + summary.unknown) as u64 == croaks =>
            {
                return summary;
            }
            Err(violations) if begun.elapsed() > Duration::from_mins(1) => {
                panic!("{violations}\n{transcript}")
            }
            Ok(summary) if begun.elapsed() > Duration::from_mins(1) => {
                panic!(
                    "not all was heard, of {croaks}, {} wait, {:?}: {summary:?}\n{transcript}",
                    frogs.0.borrow().awaited,
                    frogs.accounts()
                )
            }
            _ => {}
        }
    }
}

/// The frogs of all clients.
#[derive(Clone, Default)]
struct Frogs(Rc<RefCell<Pond>>);

#[derive(Default)]
struct Pond {
    awaited: usize,
    frogs: Vec<(Witness, Handle<Recorder<Frog>>)>,
    toads: Vec<(Witness, Handle<Recorder<Toad>>)>,
}

impl Frogs {
    /// A client has frogs, some time from now.
    fn join(&self, witness: Witness, after_ms: u64) {
        let frogs = self.clone();
        self.0.borrow_mut().awaited += 1;
        spawn_local(async move {
            sleep(Duration::from_millis(after_ms)).await;
            let frog = witness.open::<Frog>("kermit", ()).await.expect("is there, or made");
            frogs.0.borrow_mut().frogs.push((witness.clone(), frog));
            let toad = witness.open::<Toad>("rowlf", 0).await.expect("is there, or made");
            let mut pond = frogs.0.borrow_mut();
            pond.toads.push((witness, toad));
            pond.awaited -= 1;
        });
    }

    fn croak(&self, random: &mut StdRng, croaks: &mut u64) {
        let pond = self.0.borrow();
        if random.random_bool(0.5) && !pond.frogs.is_empty() {
            *croaks += 1;
            let (witness, frog) = &pond.frogs[random.random_range(0..pond.frogs.len())];
            witness.shout(frog, Croak(*croaks));
        } else if !pond.toads.is_empty() {
            *croaks += 1;
            let (witness, toad) = &pond.toads[random.random_range(0..pond.toads.len())];
            witness.shout(toad, Croak(*croaks));
        }
    }

    /// A leaf parts, and comes back.
    fn part(&self, random: &mut StdRng) {
        let mut pond = self.0.borrow_mut();
        if pond.frogs.is_empty() {
            return;
        }
        let place = random.random_range(0..pond.frogs.len());
        let (witness, frog) = pond.frogs.swap_remove(place);
        pond.awaited += 1;
        let (frogs, wait) = (self.clone(), random.random_range(0..300));
        spawn_local(async move {
            drop(frog);
            sleep(Duration::from_millis(wait)).await;
            let frog = witness.open::<Frog>("kermit", ()).await.expect("is there, or made");
            let mut pond = frogs.0.borrow_mut();
            pond.frogs.push((witness, frog));
            pond.awaited -= 1;
        });
    }

    /// A repeater of a hub panics, at the home or a copy, if there is one.
    fn strike(&self, hub: &Hub, random: &mut StdRng) {
        let pond = self.0.borrow();
        let frogs = pond.frogs.first().map(|(_, frog)| frog.object());
        let toads = pond.toads.first().map(|(_, toad)| toad.object());
        let Some(object) = (if random.random_bool(0.5) { frogs } else { toads }) else { return };
        let trouble = match random.random_range(0..3) {
            0 => Trouble::Handler,
            1 => Trouble::Flush,
            _ => Trouble::Entry,
        };
        let hub = hub.clone();
        spawn_local(async move { hub.sabotage(object, trouble).await });
    }

    fn all_joined(&self) -> bool {
        self.0.borrow().awaited == 0
    }

    /// Who is there by the account of each.
    fn accounts(&self) -> Vec<(String, Vec<String>)> {
        let pond = self.0.borrow();
        let accounts = pond.frogs.iter().map(|(witness, frog)| {
            let told = frog.members();
            let away = |it: &Member| if it.is_away() { " is away" } else { "" };
            let told = told.iter().map(|it| format!("{}{}", it.session(), away(it)));
            (format!("{} {}", witness.name(), witness.client().session()), told.collect())
        });
        accounts.collect()
    }

    /// Whether all know the same members, and that all are here.
    fn all_know_all(&self) -> bool {
        let pond = self.0.borrow();
        let count = pond.frogs.len();
        pond.frogs.iter().all(|(_, frog)| {
            let members = frog.members();
            members.count() == count && members.iter().all(|member| !member.is_away())
        })
    }
}

pub(crate) fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("is a number"))
}
