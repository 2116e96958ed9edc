//! Sequences of frames into a session of a real hub, beside a client that keeps to all rules.
//!
//! Everything runs on this thread, under one seed and a paused clock. The input is a story in
//! [`Step`]s. Whatever it says, the hub sends well-formed frames, Amy is served all along, and
//! everything comes to an end. A panic ends the process also where the library would catch it.
//!
//! # Input
//!
//! One byte: even, and the connection says a `Hello` before all else. Then steps, each led by a
//! byte modulo 5:
//!
//! | led by | then | what is done |
//! |---|---|---|
//! | 0 | how long, in 100 ms: one byte | nothing, for so long |
//! | 1 | how many bytes: one byte; the bytes | they are sent as they are |
//! | 2 | how many bytes: two, the lower first; the bytes | they are sent as a frame |
//! | 3 | how many: one byte | that many shouts at kermit are sent, with ops that count on |
//! | 4 | which: one byte; where and what: two bytes | a frame of `tests/vectors` is sent with that byte changed, or as it is when where is 0 |
//!
//! Kermit has the id that the vectors use, so they fit the story, those of new frame types too.

#![no_main]

use std::{fs, sync::LazyLock, time::Duration};

use actix_multiplex::{
    Codec, Gone, Handle, Interface, Kind, ObjectId, Op, interface,
    testing::{self, Recorder, Sim, Witness, transcript::Event},
    transport::{Connector, Duplex},
    wire::{self, Create, Frame, Hello, StateIs, VERSION_MAX, VERSION_MIN},
};
use bytes::{Buf, Bytes};
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    task::{JoinHandle, spawn_local},
    time::{sleep, timeout},
};

fuzz_target!(|input: &[u8]| {
    testing::run(1, async |sim| {
        timeout(PATIENCE, story(sim, input)).await.expect("everything comes to an end");
    });
});

async fn story(sim: &Sim, input: &[u8]) {
    let mut amy = Amy::beside_kermit(sim).await;
    let mut stranger = Stranger::dial(sim).await;
    let mut rest = input;
    if rest.try_get_u8().unwrap_or_default().is_multiple_of(2) {
        stranger.greet(sim).await;
    }
    while let Some(step) = Step::take(&mut rest) {
        stranger.carry_out(step).await;
        amy.shout();
    }
    drop(stranger.writer);
    sim.settle().await;
    stranger.listening.await.expect("the hub's frames are well formed, and come to an end");
    amy.shout();
    sim.settle().await;
    amy.was_served(sim);
    sim.hub().stop().await;
}

/// What the input says.
enum Step {
    Pause(Duration),
    Bytes(Bytes),
    Frame(Bytes),
    Shouts(u8),
}

impl Step {
    /// The first step of `rest`, which goes on behind it; a length beyond the end means all.
    fn take(rest: &mut &[u8]) -> Option<Self> {
        let lead = rest.try_get_u8().ok()?;
        Some(match lead % 5 {
            0 => Self::Pause(PAUSE_UNIT * rest.try_get_u8().ok()?.into()),
            1 => Self::Bytes(take(rest, rest.first().copied()?.into(), 1)),
            2 => Self::Frame(take(rest, u16::from_le_bytes(*rest.first_chunk()?).into(), 2)),
            3 => Self::Shouts(rest.try_get_u8().ok()?),
            _ => Self::Frame(changed_vector(rest)?),
        })
    }
}

fn take(rest: &mut &[u8], bytes: usize, prefix_bytes: usize) -> Bytes {
    rest.advance(prefix_bytes);
    rest.copy_to_bytes(bytes.min(rest.len()))
}

fn changed_vector(rest: &mut &[u8]) -> Option<Bytes> {
    static VECTORS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(vectors);
    let [which, place, byte] = *rest.first_chunk()?;
    rest.advance(3);
    let mut frame = VECTORS[usize::from(which) % VECTORS.len()].clone();
    // The first byte stays: that would be a vector of another type, or none.
    if let Some(old) = frame.get_mut(usize::from(place)).filter(|_| place > 0) {
        *old = byte;
    }
    Some(frame.into())
}

/// The vectors without their length prefixes, by name; long ones only make stories slow.
fn vectors() -> Vec<Vec<u8>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors");
    let files = fs::read_dir(directory).expect("the vectors are there");
    let mut paths: Vec<_> = files.map(|file| file.expect("can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "hex"));
    paths.sort();
    let frames =
        paths.iter().map(|path| hex(&fs::read_to_string(path).expect("is text"))[4..].to_vec());
    frames.filter(|frame| frame.len() <= 1024).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|char| char.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// The connection that the input speaks through.
struct Stranger {
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    listening: JoinHandle<()>,
    next_op: Op,
}

impl Stranger {
    async fn dial(sim: &Sim) -> Self {
        let Duplex { reader, writer, .. } = sim.hub().local().connect().await.expect("it listens");
        Self { writer, listening: spawn_local(listen(reader)), next_op: Op(1) }
    }

    /// Says hello, and is welcomed.
    async fn greet(&mut self, sim: &Sim) {
        self.send(&hello()).await;
        sim.settle().await;
    }

    async fn carry_out(&mut self, step: Step) {
        match step {
            Step::Pause(pause) => sleep(pause).await,
            Step::Bytes(bytes) => self.send(&bytes).await,
            Step::Frame(bytes) => {
                let length = u32::try_from(bytes.len()).expect("comes from two bytes");
                self.send(&[&length.to_le_bytes(), &bytes[..]].concat()).await;
            }
            Step::Shouts(count) => {
                for _ in 0..count {
                    let shout = wire::encode_shout(KERMIT, self.next_op, Kind(1), Vec::new(), &[1]);
                    self.next_op = self.next_op.next();
                    self.send(&shout).await;
                }
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        // A hub that has hung up takes nothing any more, which is its right.
        let _ = self.writer.write_all(bytes).await;
    }
}

/// Reads to the end of the stream.
async fn listen(mut reader: Box<dyn AsyncRead + Send + Unpin>) {
    while let Ok(length) = reader.read_u32_le().await {
        let mut frame = vec![0; length as usize];
        reader.read_exact(&mut frame).await.expect("a whole frame");
        Frame::decode(&frame.into()).expect("a frame");
    }
}

fn hello() -> Bytes {
    wire::encode(&Hello {
        magic: Hello::MAGIC,
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        agent: "stranger".to_owned(),
        credentials: Vec::new(),
        resume: None,
        name: String::new(),
        info: Vec::new(),
        extras: Vec::new(),
    })
}

/// Keeps to all rules. She shouts at kermit, whom strangers know, and at an object of her own.
struct Amy {
    witness: Witness,
    objects: [Handle<Recorder<Frog>>; 2],
    shouts: usize,
}

impl Amy {
    async fn beside_kermit(sim: &Sim) -> Self {
        let mut maker = Stranger::dial(sim).await;
        maker.greet(sim).await;
        maker.send(&wire::encode(&kermit())).await;
        sim.settle().await;
        let witness = sim.witness("amy").await;
        let kermit = witness.join::<Frog>("kermit").await.expect("is there");
        let own = witness.create::<Frog>(None, ()).await.expect("is made");
        Self { witness, objects: [kermit, own], shouts: 0 }
    }

    fn shout(&mut self) {
        self.shouts += 1;
        for object in &self.objects {
            self.witness.shout(object, Croak(self.shouts));
        }
    }

    /// Strangers may have the right to end kermit. Nobody but her knows her own object.
    fn was_served(&self, sim: &Sim) {
        let [kermit, own] = &self.objects;
        if !matches!(kermit.gone(), Some(Gone::Ended(_))) {
            self.was_served_at(kermit, sim);
        }
        self.was_served_at(own, sim);
    }

    /// She was given a receipt for everything that she shouted, and heard it.
    fn was_served_at(&self, object: &Handle<Recorder<Frog>>, sim: &Sim) {
        assert_eq!(object.gone(), None);
        let (id, transcript) = (object.object().to_string(), sim.transcript());
        let here = || transcript.events().filter(|event| *event.object() == id);
        let heard = here().filter(|event| matches!(event, Event::Heard { voice: "amy", .. }));
        let receipted = here().filter(|event| matches!(event, Event::Receipted { .. }));
        assert_eq!((heard.count(), receipted.count()), (self.shouts, self.shouts), "{id}");
    }
}

fn kermit() -> Create {
    Create {
        request: 1,
        object: KERMIT,
        name: Some("kermit".parse().expect("a name")),
        or_join: false,
        here: false,
        interface: Frog::id(),
        codec: Codec::POSTCARD,
        state: StateIs::Absent,
        presence: false,
        handover: true,
        asks: vec![Kind(2)],
        answers: Vec::new(),
        carried: Vec::new(),
    }
}

/// What is croaked, by its number.
#[derive(Debug, Serialize, Deserialize)]
pub struct Croak(pub usize);

interface! {
    /// The interface of the vectors.
    pub Frog = "pond.frog" v1 { state none; 1 => Croak }
}

/// The object of the vectors.
const KERMIT: ObjectId = ObjectId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

/// The longest pause, 25.5 s, is longer than silence may be.
const PAUSE_UNIT: Duration = Duration::from_millis(100);

/// By the paused clock: the input's pauses are far below it.
const PATIENCE: Duration = Duration::from_hours(24 * 365);
