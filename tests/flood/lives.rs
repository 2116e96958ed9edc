//! What a hub holds of objects that are no more.
//!
//! Under paused time, on one thread: an hour of it takes no time.

use std::sync::Arc;

use actix_multiplex::{
    Carried, Codec, Hub, Kind, ObjectId, Op, Seq,
    limits::{CARRIED_MAX, HEARTBEAT_INTERVAL, LINGER, SWEEP_INTERVAL, TOMBSTONES_MAX},
    transport::{Connector, Duplex},
    wire::{Attach, Create, Frame, Header, Part, Refusal, ShoutFrame, StateIs, Target, encode},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::{Mutex, mpsc},
    task::{LocalSet, spawn_local},
    time::sleep,
};

use crate::{
    live,
    raw::{hello, interface},
};

/// Objects of one round.
const OBJECTS: usize = 5_000;
/// One in so many lists the next such one, in a ring.
const CYCLES: usize = 10;
/// Rounds until the ids that are remembered have their bound, and the tables their size.
const FIRST: usize = TOMBSTONES_MAX.div_ceil(OBJECTS) + 2;
/// Rounds that are measured.
const ROUNDS: usize = 100_000 / OBJECTS;
/// Bytes that the heap may grow by: less than three an object, so far less than an id. A hash table
/// doubles, once, in whichever round its random hashes fall badly: one of 1,024 places of 80 bytes
/// has been seen to.
const TABLES: usize = 256 * 1024;

/// 100,000 objects are made, carried and dropped, a tenth of them in cycles.
pub(crate) fn come_and_go() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let hub = Hub::builder().seed(1).start().expect("starts here");
        let (mut maker, mut voice) = (Client::new(&hub).await, Client::new(&hub).await);
        let mut number = 0;
        for _ in 0..FIRST {
            round(&mut maker, &mut voice, &mut number).await;
        }
        let base = live();
        let mut peak = 0;
        for _ in 0..ROUNDS {
            peak = peak.max(round(&mut maker, &mut voice, &mut number).await);
        }
        let (end, made) = (live(), ROUNDS * OBJECTS);
        eprintln!(
            "lives: {made} objects came and went; the heap was {base} bytes, at most {peak}, and \
             is {end}"
        );
        assert!(peak > base + OBJECTS * 1024, "the objects were never there: {peak}");
        assert!(end <= base + TABLES, "grew by {} for {made} objects", end - base);
        hub.stop().await;
    });
}

/// Objects are made and parted from, carried by one of them, and found by somebody who only
/// shouts; then nobody needs them. Returns the bytes of the heap when all were there.
async fn round(maker: &mut Client, voice: &mut Client, number: &mut u64) -> usize {
    let objects: Vec<_> = (0..OBJECTS).map(|_| next(number)).collect();
    let carrier = next(number);
    maker.create(carrier).await;
    for (n, object) in objects.iter().enumerate() {
        maker.create(*object).await;
        if n % CYCLES == 0 {
            maker.say(&shout(*object, 1, &[objects[(n + CYCLES) % OBJECTS]])).await;
        }
        maker.say(&Part { request: 2, object: *object }).await;
    }
    for (op, some) in objects.chunks(CARRIED_MAX).enumerate() {
        maker.say(&shout(carrier, op as u64 + 1, some)).await;
    }
    voice.attach(carrier).await;
    voice.say(&shout(carrier, 1, &[])).await;
    sleep(2 * LINGER).await;
    // The carrier is joined, and keeps what it lists.
    voice.expects(objects[0], true).await;
    let all = live();
    maker.say(&Part { request: 2, object: carrier }).await;
    sleep(LINGER + 2 * SWEEP_INTERVAL).await;
    voice.expects(objects[OBJECTS / 2], false).await;
    all
}

/// A connection that gives signs of life by itself, and passes on what lets it in or does not.
struct Client {
    writer: Arc<Mutex<Writer>>,
    verdicts: mpsc::UnboundedReceiver<Frame>,
}

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

impl Client {
    async fn new(hub: &Hub) -> Self {
        let Duplex { reader, writer, .. } = hub.local().connect().await.expect("the hub listens");
        let writer = Arc::new(Mutex::new(writer));
        let (heard, verdicts) = mpsc::unbounded_channel();
        let mut client = Self { writer, verdicts };
        spawn_local(listen(reader, heard));
        client.say(&hello()).await;
        assert!(matches!(client.verdict().await, Frame::Welcome(_)));
        spawn_local(beat(client.writer.clone()));
        client
    }

    async fn say<H: Header>(&mut self, header: &H) {
        let frame = encode(header);
        self.writer.lock().await.write_all(&frame).await.expect("the hub reads");
    }

    async fn verdict(&mut self) -> Frame {
        self.verdicts.recv().await.expect("the hub answers")
    }

    /// Makes an object without state, and is its first leaf.
    async fn create(&mut self, object: ObjectId) {
        self.say(&Create {
            request: 1,
            object,
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
        })
        .await;
        assert!(matches!(self.verdict().await, Frame::Joined(..)));
    }

    async fn attach(&mut self, object: ObjectId) {
        let target = Target::Object(object);
        self.say(&Attach { request: 1, target, interface: interface() }).await;
        assert!(matches!(self.verdict().await, Frame::Attached(_)));
    }

    /// Looks whether an object is there, by attaching to it.
    async fn expects(&mut self, object: ObjectId, is_there: bool) {
        let target = Target::Object(object);
        self.say(&Attach { request: 1, target, interface: interface() }).await;
        match self.verdict().await {
            Frame::Attached(_) => assert!(is_there, "{object} is there"),
            Frame::Refused(refused) => {
                assert!(!is_there && refused.refusal == Refusal::Gone, "{}", refused.refusal);
            }
            other => panic!("no verdict: {other:?}"),
        }
    }
}

async fn listen(
    mut reader: Box<dyn AsyncRead + Send + Unpin>,
    heard: mpsc::UnboundedSender<Frame>,
) {
    while let Ok(length) = reader.read_u32_le().await {
        let mut frame = vec![0; length as usize];
        reader.read_exact(&mut frame).await.expect("a whole frame");
        let frame = Frame::decode(&frame.into()).expect("the hub sends frames");
        let is_verdict = matches!(
            frame,
            Frame::Welcome(_) | Frame::Joined(..) | Frame::Attached(_) | Frame::Refused(_)
        );
        if is_verdict && heard.send(frame).is_err() {
            return;
        }
    }
}

async fn beat(writer: Arc<Mutex<Writer>>) {
    loop {
        sleep(HEARTBEAT_INTERVAL).await;
        if writer.lock().await.write_all(Frame::HEARTBEAT).await.is_err() {
            return;
        }
    }
}

/// An id that was not there yet.
fn next(number: &mut u64) -> ObjectId {
    *number += 1;
    let mut object = ObjectId([0; 16]);
    // Spread, as random ones are.
    object.0[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    object
}

fn shout(object: ObjectId, op: u64, carried: &[ObjectId]) -> ShoutFrame {
    let tag = interface().tag;
    let carried = carried.iter().map(|&object| Carried { object, tag: tag.clone(), seq: Seq(0) });
    let (op, kind, carried) = (Op(op), Kind(1), carried.collect());
    ShoutFrame { object, op, kind, handled_within_ms: None, origin: None, carried }
}
