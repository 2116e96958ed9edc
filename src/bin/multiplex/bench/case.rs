//! The cases: what is done, how many leaves, how large, how much at a time, and to whom.

use super::{
    durable,
    job::{Reading, Work},
    peer::Peer,
};

/// Something to measure.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// What a delivery is here, if not a shout heard by a leaf.
    pub(super) what: &'static str,
    pub(super) leaves: usize,
    pub(super) bytes: usize,
    pub(super) work: Work,
    pub(super) peers: Vec<Peer>,
    pub(super) measure_ms: u64,
    /// Whether it is one of the few of a quick look.
    pub(super) is_quick: bool,
}

/// All cases, for the peers that are present.
pub(super) fn all(present: &[Peer]) -> Vec<Case> {
    let mut cases = floods(present);
    cases.extend(paces(present));
    cases.extend(others(present));
    cases.extend(chains());
    cases.extend(durable::cases(&|leaves| case(leaves, vec![Peer::Multiplex])));
    cases
}

/// Those of a quick look, each for half as long.
pub(super) fn quick(present: &[Peer]) -> Vec<Case> {
    let mut cases = all(present);
    cases.retain(|case| case.is_quick);
    for case in &mut cases {
        case.measure_ms /= 2;
    }
    cases
}

/// One shouter with its window always full.
fn floods(present: &[Peer]) -> Vec<Case> {
    let flood = |leaves: usize, window, bytes, is_quick| {
        let mut peers = present.to_vec();
        if window == 1024 {
            peers.push(Peer::MultiplexOnTwo);
        }
        Case {
            name: format!("{bytes}B-N{leaves}-W{window}"),
            is_quick,
            bytes,
            work: Work::Flood { window, shouters: 1, objects: 1 },
            ..case(leaves, peers)
        }
    };
    vec![
        flood(1, 1024, 64, true),
        flood(10, 1024, 64, false),
        flood(100, 1024, 64, true),
        flood(1000, 128, 64, false),
        flood(100, 16, 64, true),
        flood(100, 1, 64, false),
        flood(100, 256, 1024, false),
    ]
}

/// So many shouts a second, for their latency; for peers that can keep up.
fn paces(present: &[Peer]) -> Vec<Case> {
    let keeps_up = |peer: &Peer, per_s| *peer != Peer::Twisted || per_s <= TWISTED_PER_S_MAX;
    let pace = |per_s, measure_ms, is_quick| Case {
        name: format!("latency-{per_s}-per-s"),
        work: Work::Paced { per_s },
        measure_ms,
        is_quick,
        ..case(100, present.iter().copied().filter(|peer| keeps_up(peer, per_s)).collect())
    };
    vec![pace(200, 2_500, false), pace(25_000, 1_500, true)]
}

/// Through no link and more of them, for what a hop costs.
fn chains() -> Vec<Case> {
    let peers = [1, 2, 3].map(Peer::MultiplexBelow);
    let peers = || [&[Peer::Multiplex][..], &peers].concat();
    let flood = Work::Flood { window: 1024, shouters: 1, objects: 1 };
    let pace = |per_s| Case {
        name: format!("chain-latency-{per_s}-per-s"),
        work: Work::Paced { per_s },
        measure_ms: 2_500,
        ..case(100, peers())
    };
    vec![
        Case { name: "chain-N100-W1024".into(), work: flood, ..case(100, peers()) },
        Case { name: "chain-N1-W1024".into(), work: flood, ..case(1, peers()) },
        pace(200),
        pace(5_000),
    ]
}

fn others(present: &[Peer]) -> Vec<Case> {
    let only = |peers: &[Peer]| {
        present.iter().copied().filter(|peer| peers.contains(peer)).collect::<Vec<_>>()
    };
    let servers = [Peer::Multiplex, Peer::Nats, Peer::Redis, Peer::Mosquitto];
    let objects = Work::Flood { window: 1024, shouters: 1, objects: 100_000 };
    let shouters = Work::Flood { window: 1024, shouters: 100, objects: 1 };
    vec![
        Case { name: "idle-leaves".into(), work: Work::Idle, ..case(2_000, only(&servers)) },
        Case {
            name: "100000-objects".into(),
            work: objects,
            // Long enough for what is kept of the past to reach its bound first.
            measure_ms: 3_000,
            ..case(1, only(&servers))
        },
        Case { name: "100-shouters".into(), work: shouters, ..case(100, only(&servers)) },
        Case {
            name: "joins-1KiB-state".into(),
            what: "a join and a part",
            bytes: 1_024,
            work: Work::Joins,
            ..case(64, only(&[Peer::Multiplex]))
        },
        Case {
            name: "slow-leaf".into(),
            bytes: 16_384,
            work: Work::Slow { per_s: 100, reading: Reading::All },
            measure_ms: 5_000,
            ..case(200, only(&[Peer::Multiplex]))
        },
        Case {
            name: "typed-leaf".into(),
            what: "a message heard, in the client",
            work: Work::Bursts { shouts: 1024 },
            ..case(1, only(&[Peer::Multiplex]))
        },
    ]
}

fn case(leaves: usize, peers: Vec<Peer>) -> Case {
    Case {
        name: String::new(),
        what: "a shout heard by a leaf",
        leaves,
        bytes: 64,
        work: Work::Idle,
        peers,
        measure_ms: 1_000,
        is_quick: false,
    }
}

/// Shouts a second at 100 leaves that Twisted's hub can pass on; more would pile up there.
const TWISTED_PER_S_MAX: u32 = 200;
