//! Our own wire.

use std::{io::Write, net::TcpStream, ops::Range};

use actix_multiplex::{
    Codec, InterfaceId, Kind, Name, ObjectId, Op,
    wire::{
        Create, Frame, Hello, Join, Split, Target, VERSION_MAX, VERSION_MIN, Verdict, encode,
        encode_shout, encode_with, split,
    },
};
use bytes::Bytes;

use super::{super::super::Wrong, ENTER_AT_ONCE, Speech, read_until};

/// One client in raw frames.
#[derive(Debug)]
pub(super) struct Multiplex {
    /// The first connection makes the objects.
    is_first: bool,
    /// The op of the next shout at each object.
    next_ops: Vec<Op>,
}

impl Multiplex {
    pub(super) fn new(place: usize) -> Self {
        Self { is_first: place == 0, next_ops: Vec::new() }
    }

    fn enter_some(&self, objects: Range<usize>) -> Vec<u8> {
        let frame = |number| {
            let (request, object) = (number as u32 + 1, object(number));
            if !self.is_first {
                return join(request, object);
            }
            // The first has a name, by which other processes find it.
            let name = (number == 0).then(|| NAME.parse().expect("is a name"));
            create(request, object, name, None)
        };
        objects.flat_map(frame).collect()
    }
}

impl Speech for Multiplex {
    fn enter(&mut self, stream: &mut TcpStream, objects: usize) -> Result<(), Wrong> {
        greet(stream)?;
        for first in (0..objects).step_by(ENTER_AT_ONCE) {
            let some = first..objects.min(first + ENTER_AT_ONCE);
            stream.write_all(&self.enter_some(some.clone()))?;
            joined(stream, some.len())?;
        }
        self.next_ops = vec![Op(1); objects];
        Ok(())
    }

    fn shout(&mut self, number: usize, payload: &[u8], out: &mut Vec<u8>) {
        let op = &mut self.next_ops[number];
        out.extend_from_slice(&encode_shout(object(number), *op, Kind(1), Vec::new(), payload));
        *op = op.next();
    }

    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong> {
        frames(input, |frame| match frame {
            Frame::Batch(batch) => {
                batch.shouts().for_each(|shouted| heard(&shouted.payload));
                Ok(())
            }
            Frame::Outcome(outcome) if !matches!(outcome.verdict, Verdict::Sequenced { .. }) => {
                Err(format!("a shout became {:?}", outcome.verdict).into())
            }
            frame => fine(&frame),
        })
    }

    fn alive(&self) -> &'static [u8] {
        Frame::HEARTBEAT
    }
}

/// Says hello.
pub(in super::super::super) fn greet(stream: &mut TcpStream) -> Result<(), Wrong> {
    let hello = Hello {
        magic: Hello::MAGIC,
        version_min: VERSION_MIN,
        version_max: VERSION_MAX,
        agent: "multiplex bench".to_owned(),
        credentials: Vec::new(),
        resume: None,
        name: String::new(),
        info: Vec::new(),
        extras: Vec::new(),
    };
    stream.write_all(&encode(&hello))?;
    answers(stream, |frame| matches!(frame, Frame::Welcome(_)), 1)
}

/// Reads until so many joins are answered.
pub(in super::super::super) fn joined(stream: &mut TcpStream, count: usize) -> Result<(), Wrong> {
    answers(stream, |frame| matches!(frame, Frame::Joined(..)), count)
}

/// Makes an object, and a leaf of it.
pub(in super::super::super) fn create(
    request: u32,
    object: ObjectId,
    name: Option<Name>,
    state: Option<&[u8]>,
) -> Bytes {
    let create = Create {
        request,
        object,
        name,
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
    encode_with(&create, state.unwrap_or_default())
}

/// Becomes a leaf of an object.
pub(in super::super::super) fn join(request: u32, object: ObjectId) -> Bytes {
    let target = Target::Object(object);
    encode(&Join { request, target, interface: interface(), cursor: None, answers: Vec::new() })
}

/// The object with this number.
pub(in super::super::super) fn object(number: usize) -> ObjectId {
    ObjectId((number as u128 + 1).to_be_bytes())
}

/// Reads the whole frames of `input`, and tells how many bytes they took.
pub(in super::super::super) fn frames(
    input: &[u8],
    mut each: impl FnMut(Frame) -> Result<(), Wrong>,
) -> Result<usize, Wrong> {
    let Split::Whole(bytes) = split(input)? else { return Ok(0) };
    let mut rest = Bytes::copy_from_slice(&input[..bytes]);
    while let Some(length) = rest.first_chunk() {
        let mut frame = rest.split_to(4 + u32::from_le_bytes(*length) as usize);
        each(Frame::decode(&frame.split_off(4))?)?;
    }
    Ok(bytes)
}

/// What a hub says that nobody has asked for, unless it ends things.
pub(in super::super::super) fn fine(frame: &Frame) -> Result<(), Wrong> {
    match frame {
        Frame::Goodbye(goodbye) => Err(format!("it said goodbye: {goodbye:?}").into()),
        Frame::Refused(refused) => Err(format!("it refused: {:?}", refused.refusal).into()),
        Frame::Ended(ended) => Err(format!("the object ended: {:?}", ended.reason).into()),
        _ => Ok(()),
    }
}

/// What the first object is called.
pub(in super::super::super) const NAME: &str = "bench";

fn interface() -> InterfaceId {
    InterfaceId { tag: "bench.stroke".parse().expect("is a tag"), version: 1 }
}

fn answers(
    stream: &mut TcpStream,
    is_one: impl Fn(&Frame) -> bool,
    count: usize,
) -> Result<(), Wrong> {
    read_until(stream, |said| {
        let mut seen = 0;
        let read = frames(said, |frame| {
            seen += usize::from(is_one(&frame));
            fine(&frame)
        });
        match read {
            Err(error) => Some(Err(error)),
            Ok(bytes) => (seen == count && bytes == said.len()).then_some(Ok(())),
        }
    })?
}
