//! A whole hub, from the bytes that one session says to those that every leaf is sent.

use actix_multiplex::{
    Codec, Hub, InterfaceId,
    wire::{
        Attach, Create, Header, Hello, Join, Part, StateIs, Target, VERSION_MAX, VERSION_MIN,
        encode,
    },
};
use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group};
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::{
    bounds::{self, at_most},
    line::{Line, Lines},
    place::Place,
    wire::{BURST, OBJECT, SHOUT_BYTES, SHOUTS, shouts},
};

/// Shouts in a benchmark that says few at a time.
const FEW: u64 = 64;

/// A hub with its clients, and what is going to be shouted.
struct Pond {
    place: Place,
    _hub: Hub,
    door: UnboundedSender<Line>,
    shouter: Line,
    leaves: Vec<Line>,
    bursts: Vec<Bytes>,
    count: u64,
}

impl Pond {
    /// A hub with an object, whose only leaf will shout `count` times, in bursts of `burst`, and a
    /// large one before that: what grows with use has grown.
    fn new(count: u64, burst: u64) -> Self {
        let place = Place::new();
        let (door, lines) = mpsc::unbounded_channel();
        let hub = place.run(async { Hub::builder().seed(1).start().expect("starts here") });
        place.run(async { hub.serve(Box::new(Lines(lines))) });
        let bursts = (0..count).step_by(burst as usize);
        let bursts = bursts.map(|from| shouts(BURST + from + 1, burst)).collect();
        let shouter = Line::default();
        let mut pond = Self { place, _hub: hub, door, shouter, leaves: Vec::new(), bursts, count };
        pond.shouter = pond.enter(&create());
        pond.leaves.push(pond.shouter.clone());
        pond
    }

    /// The first of `leaves` shouts.
    fn of_leaves(leaves: usize, count: u64, burst: u64) -> Self {
        let mut pond = Self::new(count, burst);
        pond.leaves.extend((1..leaves).map(|_| pond.enter(&join())).collect::<Vec<_>>());
        pond.ready()
    }

    /// Somebody shouts who does not hear, and nobody else does.
    fn of_nobody() -> Self {
        let mut pond = Self::new(SHOUTS, BURST);
        let (target, interface) = (Target::Object(OBJECT), interface());
        pond.say(&pond.shouter, &Attach { request: 2, target, interface });
        pond.say(&pond.shouter, &Part { request: 3, object: OBJECT });
        pond.leaves.clear();
        pond.ready()
    }

    /// A client that is welcomed, and asks this.
    fn enter<H: Header>(&self, request: &H) -> Line {
        let line = Line::default();
        self.door.send(line.clone()).expect("the hub listens");
        self.say(&line, &hello());
        self.say(&line, request);
        line
    }

    fn say<H: Header>(&self, line: &Line, frame: &H) {
        line.say(encode(frame));
        self.place.settle();
    }

    fn ready(self) -> Self {
        self.shouter.say(shouts(1, BURST));
        self.place.settle();
        self.shouter.count();
        self.leaves.iter().for_each(Line::count);
        self
    }

    fn shout(&mut self) {
        for burst in self.bursts.drain(..) {
            self.shouter.say(burst);
            self.place.settle();
        }
    }
}

/// Every leaf has been sent every shout, and who only shouts its receipts.
#[expect(clippy::needless_pass_by_value, reason = "a teardown is given what was made")]
fn check(pond: Pond) {
    let least = pond.count as usize * SHOUT_BYTES;
    for leaf in &pond.leaves {
        assert!(leaf.counted() >= least, "a leaf was sent {} bytes", leaf.counted());
        assert_eq!(leaf.counted(), pond.leaves[0].counted());
    }
    assert!(pond.shouter.counted() > 0);
}

#[library_benchmark(setup = Pond::of_nobody, teardown = check)]
#[bench::nobody(config = at_most(bounds::SEQUENCE, SHOUTS))]
fn sequence(mut pond: Pond) -> Pond {
    pond.shout();
    pond
}

#[library_benchmark(setup = Pond::of_leaves, teardown = check)]
#[bench::echo(args = (1, SHOUTS, BURST), config = at_most(bounds::ECHO, SHOUTS))]
#[bench::turn(args = (1, FEW, 1), config = at_most(bounds::TURN, FEW))]
#[bench::turn_of_101(args = (101, FEW, 1), config = at_most(bounds::TURN_OF_101, FEW))]
#[bench::sixteenth_of_101(
    args = (101, SHOUTS, 16),
    config = at_most(bounds::SIXTEENTH_OF_101, SHOUTS)
)]
fn deliver(mut pond: Pond) -> Pond {
    pond.shout();
    pond
}

library_benchmark_group!(name = deliveries, benchmarks = [sequence, deliver]);

fn hello() -> Hello {
    Hello {
        magic: Hello::MAGIC,
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        agent: "pond".to_owned(),
        credentials: Vec::new(),
        resume: None,
        name: String::new(),
        info: Vec::new(),
        extras: Vec::new(),
    }
}

fn interface() -> InterfaceId {
    InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 }
}

fn create() -> Create {
    Create {
        request: 1,
        object: OBJECT,
        name: None,
        or_join: false,
        here: false,
        interface: interface(),
        codec: Codec::POSTCARD,
        state: StateIs::Absent,
        presence: false,
        handover: false,
        asks: Vec::new(),
        answers: Vec::new(),
        carried: Vec::new(),
    }
}

fn join() -> Join {
    let (target, interface) = (Target::Object(OBJECT), interface());
    Join { request: 1, target, interface, cursor: None, answers: Vec::new() }
}
