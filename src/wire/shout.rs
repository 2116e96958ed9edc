//! A shout on its way up.

use bytes::{Buf, BufMut, Bytes};
use serde::{Deserialize, Serialize};

use super::{
    FrameType,
    codec::{bounded, put_varint, take_varint},
};
use crate::{
    limits::{self, KIND_MAX},
    object::{Carried, EncodeError, Encoded, Kind, ObjectId, Op, SessionId, encode_behind},
};

/// Say the payload to every leaf of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShoutFrame {
    /// The object.
    pub object: ObjectId,
    /// The session's count of shouts at it.
    pub op: Op,
    /// The number of the message in the interface.
    pub kind: Kind,
    /// Whether it is to be told who has handled it, and by when, in milliseconds from its place on.
    ///
    /// # Wire
    /// A byte of flags: bit 0 says that the deadline follows. The other bits are 0.
    pub handled_within_ms: Option<u32>,
    /// The session that shouted; only on a link between hubs.
    pub origin: Option<SessionId>,
    /// The objects that the payload carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl ShoutFrame {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        match self {
            Self { op: Op(0), .. } => Err("ops count from 1"),
            Self { kind, .. } if kind.0 > KIND_MAX => Err("kinds from 65280 on are the hubs'"),
            _ => Ok(()),
        }
    }
}

/// A shout that has no op yet: its payload, behind room for what stands in front of it in its
/// frame, so that it is written once.
#[derive(Debug)]
pub(crate) struct Draft {
    bytes: Vec<u8>,
    /// The objects that the payload carries.
    pub(crate) carried: Vec<Carried>,
    /// Whether it asks who has handled it, and by when.
    pub(crate) handled_within_ms: Option<u32>,
}

/// What stands in front of a payload that carries nothing, at most: length, type, object, op, kind,
/// and that there are no flags, no origin and nothing carried.
const FRONT_BYTES_MAX: usize = 4 + 1 + 16 + 10 + 3 + 3;
/// A deadline, at most.
const DEADLINE_BYTES_MAX: usize = 5;

impl Draft {
    /// Writes a message.
    pub(crate) fn new<M: Serialize>(message: &M) -> Result<Self, EncodeError> {
        let Encoded { payload, carried } =
            encode_behind(FRONT_BYTES_MAX, message, limits::SHOUT_BYTES_MAX)?;
        Ok(Self { bytes: payload, carried, handled_within_ms: None })
    }

    /// Bytes of the frame, at most: what the window counts.
    pub(crate) fn frame_bytes(&self) -> usize {
        // The byte for nothing carried is in both.
        let deadline = if self.handled_within_ms.is_some() { DEADLINE_BYTES_MAX } else { 0 };
        self.bytes.len() - 1 + Carried::bytes_of(&self.carried) + deadline
    }

    /// The whole frame, without origin.
    pub(crate) fn frame(self, object: ObjectId, op: Op, kind: Kind) -> Bytes {
        let Self { mut bytes, carried, handled_within_ms } = self;
        if !carried.is_empty() || handled_within_ms.is_some() {
            let shout = ShoutFrame { object, op, kind, handled_within_ms, origin: None, carried };
            return super::encode_with(&shout, &bytes[FRONT_BYTES_MAX..]);
        }
        let mut front = [0; FRONT_BYTES_MAX];
        let mut unwritten = &mut front[4..];
        put_plain(&mut unwritten, object, op, kind);
        let begin = unwritten.len();
        let length = (bytes.len() - begin - 4) as u32;
        front[..4].copy_from_slice(&length.to_le_bytes());
        bytes[begin..FRONT_BYTES_MAX].copy_from_slice(&front[..FRONT_BYTES_MAX - begin]);
        let mut frame = Bytes::from(bytes);
        frame.advance(begin);
        frame
    }
}

/// A whole Shout frame without origin: what [`super::encode_with`] writes, in a third of the time
/// if nothing is carried.
pub fn encode_shout(
    object: ObjectId,
    op: Op,
    kind: Kind,
    carried: Vec<Carried>,
    payload: &[u8],
) -> Bytes {
    if !carried.is_empty() {
        let handled_within_ms = None;
        let shout = ShoutFrame { object, op, kind, handled_within_ms, origin: None, carried };
        return super::encode_with(&shout, payload);
    }
    let mut frame = Vec::with_capacity(FRONT_BYTES_MAX + payload.len());
    frame.put_u32_le(0);
    put_plain(&mut frame, object, op, kind);
    frame.put_slice(payload);
    super::frame::close(frame)
}

/// Writes what stands between the length and a payload that carries nothing.
fn put_plain(frame: &mut impl BufMut, object: ObjectId, op: Op, kind: Kind) {
    frame.put_u8(FrameType::Shout as u8);
    frame.put_slice(&object.0);
    put_varint(frame, op.0);
    put_varint(frame, kind.0.into());
    frame.put_slice(&[0, 0, 0]);
}

/// Writes a shout of a session below a link behind what is there: its whole frame.
pub(crate) fn put_below(frames: &mut Vec<u8>, shout: &ShoutFrame, payload: &[u8]) {
    let begin = frames.len();
    frames.put_u32_le(0);
    frames.put_u8(FrameType::Shout as u8);
    *frames = postcard::to_extend(shout, std::mem::take(frames)).expect("headers are plain data");
    frames.put_slice(payload);
    let length = (frames.len() - begin - 4) as u32;
    frames[begin..begin + 4].copy_from_slice(&length.to_le_bytes());
}

/// A shout that asks for no more than its place, and carries nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlainShout {
    pub(crate) object: ObjectId,
    pub(crate) op: Op,
    pub(crate) kind: Kind,
    /// The session that shouted, on a link.
    pub(crate) origin: Option<SessionId>,
    /// Where in the frame the payload begins, which ends with it.
    pub(crate) payload_at: usize,
}

impl PlainShout {
    /// Reads a frame without its length prefix. `None` for anything but a plain shout, right or
    /// wrong: that is read in the general way, which also says what is wrong.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[FrameType::Shout as u8])?;
        let (object, rest) = rest.split_first_chunk::<16>()?;
        let (op, rest) = take_varint(rest)?;
        let (kind, rest) = take_varint(rest)?;
        let (origin, payload) = match rest {
            [0, 0, 0, payload @ ..] => (None, payload),
            rest => below(rest)?,
        };
        if op == 0 || kind > KIND_MAX.into() {
            return None;
        }
        let payload_at = bytes.len() - payload.len();
        let (object, op, kind) = (ObjectId(*object), Op(op), Kind(kind as u16));
        Some(Self { object, op, kind, origin, payload_at })
    }
}

/// Reads what stands behind the kind of a plain shout of a session below a link, and the payload.
#[cold]
fn below(rest: &[u8]) -> Option<(Option<SessionId>, &[u8])> {
    let rest = rest.strip_prefix(&[0, 1])?;
    let (origin, rest) = rest.split_first_chunk::<16>()?;
    Some((Some(SessionId(*origin)), rest.strip_prefix(&[0])?))
}

impl From<PlainShout> for ShoutFrame {
    fn from(plain: PlainShout) -> Self {
        let PlainShout { object, op, kind, origin, .. } = plain;
        Self { object, op, kind, handled_within_ms: None, origin, carried: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, encode_with};

    fn general(op: u64, kind: u16, payload: &[u8]) -> Bytes {
        let (handled_within_ms, origin, carried) = (None, None, Vec::new());
        let (object, op, kind) = (ObjectId([7; 16]), Op(op), Kind(kind));
        let shout = ShoutFrame { object, op, kind, handled_within_ms, origin, carried };
        encode_with(&shout, payload)
    }

    #[test]
    fn the_short_way_to_write_and_read_a_shout_agrees_with_the_general_one() {
        for (op, kind) in [(1, 0), (127, 127), (128, 128), (1 << 40, KIND_MAX), (u64::MAX, 300)] {
            let frame = encode_shout(ObjectId([7; 16]), Op(op), Kind(kind), Vec::new(), b"croak");
            assert_eq!(frame, general(op, kind, b"croak"));
            let shout = PlainShout::read(&frame[4..]).expect("is plain");
            let read = Frame::Shout(shout.into(), frame.slice(4 + shout.payload_at..));
            assert_eq!(Frame::decode(&frame.slice(4..)), Ok(read));
        }
    }

    #[test]
    fn a_draft_becomes_the_frame_that_the_general_way_writes() {
        for (op, kind) in [(1, 0), (128, 300), (u64::MAX, KIND_MAX)] {
            for text in ["", "croak", &"long ".repeat(1_000)] {
                let draft = Draft::new(&text).expect("is small");
                let most = draft.frame_bytes();
                let payload = postcard::to_stdvec(text).expect("is plain");
                let frame = draft.frame(ObjectId([7; 16]), Op(op), Kind(kind));
                assert_eq!(frame, general(op, kind, &payload));
                assert!(frame.len() <= most, "{} of {most}", frame.len());
            }
        }
    }

    #[test]
    fn a_draft_that_asks_who_handled_it_is_no_plain_shout_and_stays_within_what_it_counts() {
        for ms in [0, 1, u32::MAX] {
            let mut draft = Draft::new(&"croak").expect("is small");
            draft.handled_within_ms = Some(ms);
            let most = draft.frame_bytes();
            let frame = draft.frame(ObjectId([7; 16]), Op(u64::MAX), Kind(KIND_MAX));
            assert!(frame.len() <= most, "{} of {most}", frame.len());
            assert_eq!(PlainShout::read(&frame[4..]), None);
            let read = Frame::decode(&frame.slice(4..)).expect("is a frame");
            assert!(matches!(read, Frame::Shout(shout, _) if shout.handled_within_ms == Some(ms)));
        }
    }

    #[test]
    fn what_is_not_plain_or_not_right_is_left_to_the_general_way() {
        let plain = general(1, 1, b"").slice(4..);
        assert!(PlainShout::read(&plain).is_some());
        for end in 0..plain.len() {
            assert!(PlainShout::read(&plain[..end]).is_none(), "cut at {end}");
        }
        for (at, byte) in [(0, 16), (17, 0), (19, 1), (20, 1), (21, 1)] {
            let mut other = plain.to_vec();
            other[at] = byte;
            assert!(PlainShout::read(&other).is_none(), "byte {at} is {byte}");
        }
        let long = [&plain[..17], &[0x81, 0], &plain[18..]].concat();
        assert!(PlainShout::read(&long).is_none(), "a varint that is not the shortest");
        assert!(PlainShout::read(&general(1, KIND_MAX, b"")[4..]).is_some());
        assert!(PlainShout::read(&general(1, KIND_MAX + 1, b"")[4..]).is_none());
    }
}
