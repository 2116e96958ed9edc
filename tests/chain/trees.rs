//! Random trees of hubs in random trouble: one order everywhere, exactly once.

use std::{cell::RefCell, rc::Rc, time::Duration};

use actix_multiplex::{
    Handle, interface,
    testing::{self, Chain, Recorder, Witness, transcript::Summary},
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

/// What a storm has come to.
#[derive(Debug, Default)]
struct Storms {
    hubs: usize,
    cuts: u64,
    restarts: u64,
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
    let seeds = number("SEEDS").unwrap_or(100);
    let first = number("SEED").unwrap_or(0);
    let mut all = Storms::default();
    for seed in first..first + seeds {
        let storm = testing::chain(seed, 2 + (seed % 6) as usize, async |chain| {
            storm(chain, &mut StdRng::seed_from_u64(seed)).await
        });
        all.hubs += storm.hubs;
        all.cuts += storm.cuts;
        all.restarts += storm.restarts;
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
    let mut croaks = 0;
    for at in 0..hubs {
        let witness = chain.at(at).witness(&format!("frog {at}")).await;
        frogs.join(witness, random.random_range(0..2_000));
    }
    for _ in 0..random.random_range(20..60) {
        sleep(Duration::from_millis(random.random_range(0..150))).await;
        match random.random_range(0..20) {
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
    storms.slowest = calm.elapsed();
    assert!(storms.slowest <= CAUGHT_UP, "it took {:?}", storms.slowest);
    assert_eq!((summary.lost, summary.unknown, summary.resyncs), (0, 0, 0), "{summary:?}");
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
            Ok(summary) if frogs.all_joined() && frogs.all_heard(chain, &summary, croaks) => {
                return summary;
            }
            Err(violations) if begun.elapsed() > Duration::from_secs(60) => {
                panic!("{violations}\n{transcript}")
            }
            Ok(summary) if begun.elapsed() > Duration::from_secs(60) => {
                panic!(
                    "not all was heard, of {croaks}, {} wait: {summary:?}\n{transcript}",
                    frogs.0.borrow().awaited
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

    fn all_joined(&self) -> bool {
        self.0.borrow().awaited == 0
    }

    /// Whether every shout has its receipt.
    fn all_heard(&self, chain: &Chain, summary: &Summary, croaks: u64) -> bool {
        let _ = chain;
        summary.receipts as u64 + summary.lost as u64 + summary.unknown as u64 == croaks
    }
}

pub(crate) fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().expect("is a number"))
}
