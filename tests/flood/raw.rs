//! A client that is nothing but a socket: it says what it likes, and reads when it likes.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use actix_multiplex::{
    Codec, InterfaceId, Kind, ObjectId, Op, SessionId,
    wire::{
        Batch, Create, Frame, Header, Hello, Join, Target, Unwatch, VERSION_MAX, VERSION_MIN,
        encode, encode_shout, encode_with,
    },
};
use bytes::{Bytes, BytesMut};

use crate::Growth;

/// Time within which an answer comes, on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Time after which a write that found no room is given up: the hub does not read.
const STUCK: Duration = Duration::from_secs(1);

/// A connection to a hub.
pub(crate) struct Raw {
    stream: TcpStream,
    read: BytesMut,
    requests: u32,
    pub(crate) session: SessionId,
}

impl Raw {
    /// Connects, and is welcomed.
    pub(crate) fn connect(address: &str) -> Self {
        let address = address.strip_prefix("tcp://").expect("the hub listens on TCP");
        let stream = TcpStream::connect(address).expect("the hub listens");
        stream.set_nodelay(true).expect("it is a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("it is a socket");
        let session = SessionId([0; 16]);
        let mut raw = Self { stream, read: BytesMut::new(), requests: 0, session };
        raw.say(&hello());
        match raw.frame() {
            Frame::Welcome(welcome) => raw.session = welcome.session,
            other => panic!("no Welcome but {other:?}"),
        }
        raw
    }

    /// Makes an object, on another arbiter of two than this session is on, and is its first leaf.
    pub(crate) fn create(&mut self) -> ObjectId {
        let mut object = ObjectId(self.session.0);
        object.0[0] ^= 1;
        self.make(object, None);
        object
    }

    /// Makes an object with or without state.
    pub(crate) fn make(&mut self, object: ObjectId, state: Option<&[u8]>) {
        let request = self.request();
        let create = Create {
            request,
            object,
            name: None,
            or_join: false,
            here: false,
            interface: interface(),
            codec: Codec::POSTCARD,
            state: state.is_some().into(),
            presence: false,
            handover: false,
            asks: Vec::new(),
            answers: Vec::new(),
            carried: Vec::new(),
        };
        self.write(&encode_with(&create, state.unwrap_or_default()));
        self.joined();
    }

    /// Is a leaf of an object.
    pub(crate) fn join(&mut self, object: ObjectId) {
        let (request, target) = (self.request(), Target::Object(object));
        self.say(&Join {
            request,
            target,
            interface: interface(),
            cursor: None,
            answers: Vec::new(),
        });
        self.joined();
    }

    fn joined(&mut self) {
        let frame = self.frame();
        assert!(matches!(frame, Frame::Joined(..)), "no Joined but {frame:?}");
    }

    /// Waits until the hub's session has taken everything that was sent before.
    pub(crate) fn ping(&mut self, before: &[u8]) {
        let request = self.request();
        let unwatch = encode(&Unwatch { request, list: 0 });
        self.write(&[before, &unwatch].concat());
        let frame = self.frame();
        assert!(matches!(frame, Frame::Done(_)), "no Done but {frame:?}");
    }

    pub(crate) fn say<H: Header>(&mut self, header: &H) {
        self.write(&encode(header));
    }

    /// Writes all of it, however long it takes.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.set_write_timeout(Some(PATIENCE)).expect("it is a socket");
        self.stream.write_all(bytes).expect("the hub reads");
    }

    /// Writes until the hub has read nothing for a while, and says how much was written. Takes
    /// no memory.
    pub(crate) fn push(&mut self, bytes: &[u8], growth: &mut Growth) -> usize {
        self.stream.set_write_timeout(Some(STUCK)).expect("it is a socket");
        let mut written = 0;
        while written < bytes.len() {
            let end = bytes.len().min(written + 16 * 1024);
            match self.stream.write(&bytes[written..end]) {
                Ok(some) => written += some,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock) => break,
                Err(error) => panic!("the connection broke: {error}"),
            }
            growth.sample();
        }
        growth.sample();
        written
    }

    /// The next frame; heartbeats are passed over.
    pub(crate) fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.whole_frame() {
                match Frame::decode(&frame).expect("the hub sends frames") {
                    Frame::Heartbeat => continue,
                    frame => return frame,
                }
            }
            let mut buffer = [0; 16 * 1024];
            let count = self.stream.read(&mut buffer).expect("the hub answers in time");
            assert!(count > 0, "the hub ended the connection");
            self.read.extend_from_slice(&buffer[..count]);
        }
    }

    /// The next shouts heard.
    pub(crate) fn batch(&mut self) -> Batch {
        match self.frame() {
            Frame::Batch(batch) => batch,
            other => panic!("no Batch but {other:?}"),
        }
    }

    /// Hears all shouts with the seqs `from..=to`, which are this session's ops from `op` on, in
    /// their order.
    pub(crate) fn hears(&mut self, from: u64, to: u64, mut op: u64) {
        let mut seq = from;
        while seq <= to {
            for shout in self.batch().shouts() {
                assert_eq!((shout.seq.0, shout.op), (seq, Op(op)));
                (seq, op) = (seq + 1, op + 1);
            }
        }
        assert_eq!(seq, to + 1, "more was heard than was said");
        // Nothing is left over, and nothing is kept for later.
        self.read = BytesMut::new();
    }

    pub(crate) fn end(self) {
        let _gone = self.stream.shutdown(Shutdown::Both);
    }

    fn whole_frame(&mut self) -> Option<Bytes> {
        let prefix: [u8; 4] = *self.read.first_chunk()?;
        let bytes = 4 + u32::from_le_bytes(prefix) as usize;
        (self.read.len() >= bytes).then(|| self.read.split_to(bytes).freeze().slice(4..))
    }

    fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }
}

/// Frames of shouts with the ops from `first` on, one behind the other.
pub(crate) fn shouts(object: ObjectId, first: u64, count: u64, payload: &[u8]) -> Vec<u8> {
    let frames =
        (first..first + count).map(|op| encode_shout(object, Op(op), Kind(1), Vec::new(), payload));
    frames.fold(Vec::new(), |mut all, frame| {
        all.extend_from_slice(&frame);
        all
    })
}

pub(crate) fn hello() -> Hello {
    Hello {
        magic: Hello::MAGIC,
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        agent: "raw".to_owned(),
        credentials: Vec::new(),
        resume: None,
        name: String::new(),
        info: Vec::new(),
        extras: Vec::new(),
    }
}

pub(crate) fn interface() -> InterfaceId {
    InterfaceId { tag: "flood".parse().expect("is a tag"), version: 1 }
}
