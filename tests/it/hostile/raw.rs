//! A client that says and hears frames, and knows nothing else.

use std::{sync::Arc, time::Duration};

use actix_multiplex::{
    Carried, Codec, Hub, InterfaceId, Kind, ObjectId, Op, Seq, SessionId,
    limits::HEARTBEAT_INTERVAL,
    transport::{Connector, Duplex},
    wire::{
        Attach, Batch, Create, Destroy, EndReason, Frame, Goodbye, Header, Hello, Join, List,
        Outcome, Part, Pin, Refusal, Request, Resume, ShoutFrame, StateIs, Target, VERSION_MAX,
        VERSION_MIN, Verdict, encode, encode_with,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::Mutex,
    task::{JoinHandle, spawn_local},
    time::{sleep, timeout},
};

/// Longer than anything that the hub decides on takes.
const PATIENCE: Duration = Duration::from_mins(2);

/// It gives signs of life by itself, from its Welcome on.
pub(super) struct Raw {
    reader: Box<dyn AsyncRead + Send + Unpin>,
    writer: Arc<Mutex<Writer>>,
    pub(super) session: SessionId,
    /// What its session is gone on with.
    pub(super) key: [u8; 16],
    heart: Option<JoinHandle<()>>,
}

type Writer = Box<dyn AsyncWrite + Send + Unpin>;

impl Drop for Raw {
    fn drop(&mut self) {
        self.hush();
    }
}

impl Raw {
    pub(super) async fn dial(hub: &Hub) -> Self {
        let Duplex { reader, writer, .. } = hub.local().connect().await.expect("the hub listens");
        let writer = Arc::new(Mutex::new(writer));
        Self { reader, writer, session: SessionId([0; 16]), key: [0; 16], heart: None }
    }

    pub(super) async fn welcomed(hub: &Hub, agent: &str) -> Self {
        let mut raw = Self::dial(hub).await;
        raw.greet(&hello(agent)).await;
        raw
    }

    /// Goes on with a session over another connection. Says whether the hub let it.
    pub(super) async fn back(hub: &Hub, resume: Resume) -> (Self, bool) {
        let mut raw = Self::dial(hub).await;
        let resumed = raw.greet(&Hello { resume: Some(resume), ..hello("marvin") }).await;
        (raw, resumed)
    }

    /// What it would go on with.
    pub(super) fn resume(&self, attempt: u32) -> Resume {
        Resume { session: self.session, key: self.key, attempt }
    }

    /// Says hello, and is welcomed. Says whether it goes on with a session.
    async fn greet(&mut self, hello: &Hello) -> bool {
        self.say(hello).await;
        let Frame::Welcome(welcome) = self.hear().await else { panic!("not welcome") };
        (self.session, self.key) = (welcome.session, welcome.key);
        self.heart = Some(spawn_local(beat(self.writer.clone())));
        welcome.resumed
    }

    /// Gives no signs of life any more.
    pub(super) fn hush(&mut self) {
        if let Some(heart) = self.heart.take() {
            heart.abort();
        }
    }

    pub(super) async fn say<F: Said>(&mut self, frame: &F) {
        self.say_bytes(&frame.bytes()).await;
    }

    pub(super) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.writer.lock().await.write_all(bytes).await.expect("the hub reads");
    }

    /// The next frame that is no heartbeat.
    pub(super) async fn hear(&mut self) -> Frame {
        let hearing = async {
            loop {
                match self.next().await {
                    Some(Frame::Heartbeat) => {}
                    Some(frame) => return frame,
                    None => panic!("the stream has ended"),
                }
            }
        };
        timeout(PATIENCE, hearing).await.expect("is told something")
    }

    /// The last frame, which is a Goodbye.
    pub(super) async fn goodbye(&mut self) -> Goodbye {
        let hearing = async {
            loop {
                match self.next().await {
                    Some(Frame::Goodbye(goodbye)) => return goodbye,
                    Some(_) => {}
                    None => panic!("the stream has ended without a Goodbye"),
                }
            }
        };
        let goodbye = timeout(PATIENCE, hearing).await.expect("is told goodbye");
        assert!(self.next().await.is_none(), "a Goodbye is the last word");
        goodbye
    }

    /// The stream ends, without a Goodbye.
    pub(super) async fn ended(&mut self) {
        while let Some(frame) = self.next().await {
            assert!(!matches!(frame, Frame::Goodbye(_)), "{frame:?}");
        }
    }

    /// The request is refused, for this reason.
    pub(super) async fn refused(&mut self, request: Request) -> Refusal {
        match self.hear().await {
            Frame::Refused(refused) if refused.request == request => refused.refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(super) async fn done(&mut self, request: Request) {
        match self.hear().await {
            Frame::Done(done) => assert_eq!(done.request, request),
            other => panic!("not done: {other:?}"),
        }
    }

    /// What became of this op.
    pub(super) async fn outcome(&mut self, object: ObjectId, op: u64) -> Verdict {
        match self.hear().await {
            Frame::Outcome(Outcome { object: of, op: at, verdict }) => {
                assert_eq!((of, at), (object, Op(op)));
                verdict
            }
            other => panic!("no outcome: {other:?}"),
        }
    }

    pub(super) async fn batch(&mut self) -> Batch {
        match self.hear().await {
            Frame::Batch(batch) => batch,
            other => panic!("no batch: {other:?}"),
        }
    }

    /// It is a leaf, or can shout.
    pub(super) async fn let_in(&mut self) {
        let frame = self.hear().await;
        assert!(matches!(frame, Frame::Joined(..) | Frame::Attached(_)), "not let in: {frame:?}");
    }

    /// The object is no more, for this reason.
    pub(super) async fn told_end(&mut self, object: ObjectId) -> EndReason {
        match self.hear().await {
            Frame::Ended(ended) if ended.object == object => ended.reason,
            other => panic!("has not ended: {other:?}"),
        }
    }

    /// The objects that have a name, which are kept no longer by being listed.
    pub(super) async fn named(&mut self) -> Vec<ObjectId> {
        self.say(&List { request: 99, prefix: String::new(), watch: false }).await;
        let mut objects = Vec::new();
        loop {
            let Frame::Listed(listed) = self.hear().await else { panic!("not listed") };
            objects.extend(listed.entries.into_iter().map(|entry| entry.object));
            if listed.last {
                return objects;
            }
        }
    }

    async fn next(&mut self) -> Option<Frame> {
        let reader = &mut self.reader;
        let length = reader.read_u32_le().await.ok()?;
        let mut frame = vec![0; length as usize];
        reader.read_exact(&mut frame).await.expect("a whole frame");
        Some(Frame::decode(&frame.into()).expect("the hub sends frames"))
    }

    /// Ends the stream upward.
    pub(super) async fn hang_up(&mut self) {
        self.hush();
        let mut writer = self.writer.lock().await;
        writer.shutdown().await.expect("ends");
        *writer = Box::new(tokio::io::sink());
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

/// A frame to be said: a header alone, or with a payload.
pub(super) trait Said {
    fn bytes(&self) -> Vec<u8>;
}

impl<H: Header> Said for H {
    fn bytes(&self) -> Vec<u8> {
        encode(self).to_vec()
    }
}

/// Several frames in one write.
pub(super) fn together(frames: &[&dyn Said]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.bytes()).collect()
}

pub(super) fn with_payload<H: Header>(header: &H, payload: &[u8]) -> Vec<u8> {
    encode_with(header, payload).to_vec()
}

/// The ops of a batch of one session.
pub(super) fn batch_ops(batch: &Batch) -> Vec<u64> {
    assert_eq!(batch.sessions.len(), 1);
    batch.shouts().map(|shouted| shouted.op.0).collect()
}

pub(super) fn hello(agent: &str) -> Hello {
    Hello {
        magic: Hello::MAGIC,
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        agent: agent.to_owned(),
        credentials: Vec::new(),
        resume: None,
        name: String::new(),
        info: Vec::new(),
        extras: Vec::new(),
    }
}

pub(super) fn interface() -> InterfaceId {
    InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 }
}

/// Request 1: make an object without state.
pub(super) fn create(object: ObjectId, name: Option<&str>) -> Create {
    Create {
        request: 1,
        object,
        name: name.map(super::name),
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

pub(super) fn by_name(text: &str) -> Target {
    Target::Name(super::name(text))
}

pub(super) fn join(request: Request, target: Target) -> Join {
    Join { request, target, interface: interface(), cursor: None, answers: Vec::new() }
}

pub(super) fn attach(request: Request, target: Target) -> Attach {
    Attach { request, target, interface: interface() }
}

pub(super) fn part(request: Request, object: ObjectId) -> Part {
    Part { request, object }
}

/// A shout of message 1, without a payload.
pub(super) fn shout(object: ObjectId, op: u64) -> ShoutFrame {
    let (op, kind) = (Op(op), Kind(1));
    let (handled_within_ms, origin, carried) = (None, None, Vec::new());
    ShoutFrame { object, op, kind, handled_within_ms, origin, carried }
}

/// The same, but it carries these objects.
pub(super) fn carrying(object: ObjectId, op: u64, objects: &[ObjectId]) -> ShoutFrame {
    ShoutFrame { carried: carried(objects), ..shout(object, op) }
}

pub(super) fn carried(objects: &[ObjectId]) -> Vec<Carried> {
    let tag = interface().tag;
    objects.iter().map(|&object| Carried { object, tag: tag.clone(), seq: Seq(0) }).collect()
}

pub(super) fn pin(request: Request, object: ObjectId, pinned: bool) -> Pin {
    Pin { request, object, pinned }
}

pub(super) fn destroy(request: Request, object: ObjectId) -> Destroy {
    Destroy { request, object }
}
