//! A client with one leaf, at a hub that is played here.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix::prelude::*;
use actix_multiplex::{
    Client, Cursor, Epoch, Handle, Heard, HubId, Leaf, Op, Seq, SessionId, Shout, Voice, interface,
    wire::{Frame, Joined, Limits, StateIs, Welcome, encode},
};
use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group};

use crate::{
    bounds::{self, at_most},
    line::Line,
    place::Place,
    wire::{BURST, Croak, OBJECT, SHOUT_BYTES, SHOUTS, batches},
};

interface! {
    /// A frog.
    Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
    }
}

/// Counts what it hears.
struct Counter(Arc<AtomicU64>);

impl Actor for Counter {
    type Context = Context<Self>;
}

impl Supervised for Counter {}

impl Leaf for Counter {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for Counter {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Context<Self>) {
        self.0.fetch_add(u64::from(croak.pitch > 0), Ordering::Relaxed);
    }
}

/// A client that has heard nothing.
struct Amy {
    place: Place,
    line: Line,
    _client: Client,
    kermit: Handle<Counter>,
    heard: Arc<AtomicU64>,
    batches: Vec<Bytes>,
    croaks: Vec<Croak>,
}

impl Amy {
    fn new() -> Self {
        let (place, line) = (Place::new(), Line::default());
        let far = line.clone();
        let connecting = place.begin(Client::builder().seed(1).connect(far));
        assert!(matches!(line.hear(), Frame::Hello(_)));
        line.say(encode(&welcome()));
        let client = place.run(connecting).expect("no panic").expect("is welcome");
        let heard = Arc::new(AtomicU64::new(0));
        let count = heard.clone();
        client.implement(move |_: Voice<Frog>| Counter(count.clone()));
        let kermit = let_in(&place, &line, &client);
        line.count();
        let croaks = (0..BURST).map(Croak::new).collect();
        Self { place, line, _client: client, kermit, heard, batches: batches(), croaks }
    }
}

fn let_in(place: &Place, line: &Line, client: &Client) -> Handle<Counter> {
    let client = client.clone();
    let joining = place.begin(async move { client.join::<Counter>("kermit").await });
    let Frame::Join(join) = line.hear() else { panic!("no Join came") };
    line.say(encode(&Joined {
        request: join.request,
        object: OBJECT,
        name: None,
        start: Cursor { epoch: Epoch([2; 8]), seq: Seq(0) },
        last: Seq(0),
        state: StateIs::Absent,
        resync: None,
        next_op: Op(1),
        owner: None,
        stale: false,
        carried: Vec::new(),
    }));
    place.run(joining).expect("no panic").expect("is let in")
}

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        hub: HubId([5; 16]),
        session: SessionId([6; 16]),
        key: [7; 16],
        resumed: false,
        limits: Limits::default(),
        extras: Vec::new(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a teardown is given what was made")]
fn check_heard(amy: Amy) {
    assert_eq!(amy.heard.load(Ordering::Relaxed), SHOUTS);
}

#[expect(clippy::needless_pass_by_value, reason = "a teardown is given what was made")]
fn check_said(amy: Amy) {
    assert!(amy.line.counted() >= BURST as usize * SHOUT_BYTES);
}

#[library_benchmark(setup = Amy::new, teardown = check_heard)]
#[bench::shouts(config = at_most(bounds::DISPATCH, SHOUTS))]
fn dispatch(mut amy: Amy) -> Amy {
    for batch in amy.batches.drain(..) {
        amy.line.say(batch);
        amy.place.settle();
    }
    amy
}

#[library_benchmark(setup = Amy::new, teardown = check_said)]
#[bench::shouts(config = at_most(bounds::SHOUT, BURST))]
fn shout(mut amy: Amy) -> Amy {
    for croak in amy.croaks.drain(..) {
        drop(amy.kermit.try_send(Shout(croak)).expect("has room"));
    }
    amy.place.settle();
    amy
}

library_benchmark_group!(name = clients, benchmarks = [dispatch, shout]);
