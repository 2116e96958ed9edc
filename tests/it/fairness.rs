//! Nobody is starved: how much of others' work stands between a shout and its being heard, counted
//! in shouts, bytes and frames, never by a clock.
//!
//! Everything runs on one thread, the worst that a hub's neighbours can share, and is written down
//! in the order in which the hub wrote it.

mod busy;
mod first;
mod recorder;

use std::time::Duration;

use actix_multiplex::{
    Codec, Hub, InterfaceId, Kind, ObjectId, Op,
    wire::{Attach, Batch, Create, Frame, Hello, Join, List, Part, Target, encode, encode_shout},
};
use tokio::task::{LocalSet, yield_now};

use self::recorder::{Book, Line, Lines};

const KERMIT: ObjectId = ObjectId([1; 16]);
const ROWLF: ObjectId = ObjectId([2; 16]);
/// Turns after which a shout that has not been heard never will be.
const PATIENCE: usize = 5_000;

/// A hub whose every write is recorded.
struct Pond {
    _hub: Hub,
    lines: Lines,
}

impl Pond {
    fn new() -> Self {
        let hub = Hub::builder().seed(1).start().expect("starts here");
        let (lines, listener) = recorder::lines();
        hub.serve(Box::new(listener));
        Self { _hub: hub, lines }
    }

    /// One that the hub has welcomed, on a line of its own.
    async fn client(&mut self) -> Client {
        let mut client = Client { line: self.lines.open(), ops: 0, requests: 0 };
        client.line.say(&hello()).await;
        settle().await;
        client
    }

    /// One that has made an object, and is a leaf of it.
    async fn maker(&mut self, object: ObjectId, stateful: bool) -> Client {
        let mut maker = self.client().await;
        maker.create(object, None, stateful).await;
        settle().await;
        maker
    }

    /// That many clients, welcomed.
    async fn clients(&mut self, count: usize) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(self.client().await);
        }
        clients
    }

    /// That many clients that can shout at an object, and hear nothing.
    async fn voices(&mut self, object: ObjectId, count: usize) -> Vec<Client> {
        let mut voices = self.clients(count).await;
        for voice in &mut voices {
            voice.attach(object).await;
        }
        settle().await;
        voices
    }

    fn book(&self) -> &Book {
        self.lines.book()
    }
}

/// A client in frames, at one object.
struct Client {
    line: Line,
    /// How often it has shouted.
    ops: u64,
    /// How often it has asked for something.
    requests: u32,
}

impl Client {
    fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    async fn create(&mut self, object: ObjectId, name: Option<String>, stateful: bool) {
        let create = Create {
            request: self.request(),
            object,
            name: name.map(|name| name.parse().expect("a name")),
            or_join: false,
            here: false,
            interface: interface(),
            codec: Codec::POSTCARD,
            state: stateful.into(),
            presence: false,
            handover: false,
            asks: Vec::new(),
            answers: Vec::new(),
            carried: Vec::new(),
        };
        self.line.say(&encode(&create)).await;
    }

    async fn join(&mut self, object: ObjectId) {
        let (request, target) = (self.request(), Target::Object(object));
        let (interface, cursor, answers) = (interface(), None, Vec::new());
        self.line.say(&encode(&Join { request, target, interface, cursor, answers })).await;
    }

    async fn attach(&mut self, object: ObjectId) {
        let (request, target) = (self.request(), Target::Object(object));
        self.line.say(&encode(&Attach { request, target, interface: interface() })).await;
    }

    /// Asks that often for all names.
    async fn list(&mut self, times: usize) {
        let mut lists = Vec::new();
        for _ in 0..times {
            let (request, prefix) = (self.request(), String::new());
            lists.extend_from_slice(&encode(&List { request, prefix, watch: false }));
        }
        self.line.say(&lists).await;
    }

    /// Asks that often to part from an object that it is no leaf of.
    async fn part(&mut self, times: usize) {
        let mut parts = Vec::new();
        for _ in 0..times {
            let request = self.request();
            parts.extend_from_slice(&encode(&Part { request, object: KERMIT }));
        }
        self.line.say(&parts).await;
    }

    /// So many shouts in one write.
    async fn shout(&mut self, object: ObjectId, count: u64, payload: usize) {
        let ops = self.ops + 1..=self.ops + count;
        self.ops += count;
        let shouts: Vec<u8> = ops.flat_map(|op| shout(object, op, payload)).collect();
        self.line.say(&shouts).await;
    }

    /// How many shouts at an object it was told of among these frames.
    fn count(&self, frames: &[(usize, Frame)], object: ObjectId) -> usize {
        batches(frames, self.line.number, object).map(|batch| batch.shouts().count()).sum()
    }

    /// Shouts at kermit, with nothing to say. Returns how many shouts of others have their place
    /// between the last one that was written to it before and its own.
    async fn shouts_ahead(&mut self, book: &Book) -> usize {
        let said = book.len();
        self.shout(KERMIT, 1, 0).await;
        for _ in 0..PATIENCE {
            let frames = book.since(said);
            let heard: Vec<_> =
                batches(&frames, self.line.number, KERMIT).flat_map(Batch::shouts).collect();
            if let Some(at) = heard.iter().position(|shouted| shouted.payload.is_empty()) {
                return at;
            }
            yield_now().await;
        }
        panic!("it is not heard");
    }

    /// Croaks at an object of its own that often, each time when it has heard the one before.
    /// Returns what the hub wrote to others from each croak until it was heard.
    async fn croak(&mut self, times: usize, book: &Book) -> Vec<Vec<(usize, Frame)>> {
        let mut waits = Vec::new();
        for _ in 0..times {
            let said = book.len();
            self.shout(ROWLF, 1, 0).await;
            let heard = book.next_batch(said, ROWLF).await;
            waits.push(book.frames(said..heard));
        }
        waits
    }
}

/// Runs one case under paused time, on one thread.
fn in_pond(case: impl AsyncFnOnce(&mut Pond)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let mut pond = Pond::new();
        case(&mut pond).await;
    });
}

/// Everything that is under way comes to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn hello() -> Vec<u8> {
    let hello = Hello {
        magic: Hello::MAGIC,
        version_min: 1,
        version_max: 1,
        agent: String::new(),
        credentials: Vec::new(),
        resume: None,
        name: String::new(),
        info: Vec::new(),
        extras: Vec::new(),
    };
    encode(&hello).to_vec()
}

fn interface() -> InterfaceId {
    InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 }
}

fn shout(object: ObjectId, op: u64, payload: usize) -> Vec<u8> {
    encode_shout(object, Op(op), Kind(1), Vec::new(), &vec![0; payload]).to_vec()
}

/// The batches of an object among these frames that were written on this line.
fn batches(
    frames: &[(usize, Frame)],
    line: usize,
    object: ObjectId,
) -> impl Iterator<Item = &Batch> {
    frames.iter().filter_map(move |(on, frame)| match frame {
        Frame::Batch(batch) if *on == line && batch.object == object => Some(batch),
        _ => None,
    })
}
