//! A shout on its way up.

use bytes::{BufMut, Bytes};
use serde::{Deserialize, Serialize};

use super::{
    FrameType,
    codec::{bounded, put_varint, take_varint},
};
use crate::{
    limits::{self, KIND_MAX},
    object::{Carried, Kind, ObjectId, Op, SessionId},
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
    /// Must be 0 in version 1.
    pub flags: u8,
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
            Self { flags: 1.., .. } => Err("flags are 0 in version 1"),
            Self { kind, .. } if kind.0 > KIND_MAX => Err("kinds from 65280 on are the hubs'"),
            _ => Ok(()),
        }
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
        let shout = ShoutFrame { object, op, kind, flags: 0, origin: None, carried };
        return super::encode_with(&shout, payload);
    }
    let mut frame = Vec::with_capacity(40 + payload.len());
    frame.put_u32_le(0);
    frame.put_u8(FrameType::Shout as u8);
    frame.put_slice(&object.0);
    put_varint(&mut frame, op.0);
    put_varint(&mut frame, kind.0.into());
    frame.put_slice(&[0, 0, 0]);
    frame.put_slice(payload);
    super::frame::close(frame)
}

/// Reads what [`encode_shout`] writes: the header, and where the payload begins. `None` for
/// anything else, right or wrong: that is read in the general way, which also says what is wrong.
pub(super) fn read_shout(bytes: &[u8]) -> Option<(ShoutFrame, usize)> {
    let rest = bytes.strip_prefix(&[FrameType::Shout as u8])?;
    let (object, rest) = rest.split_first_chunk::<16>()?;
    let (op, rest) = take_varint(rest)?;
    let (kind, rest) = take_varint(rest)?;
    let payload = rest.strip_prefix(&[0, 0, 0])?;
    let kind = u16::try_from(kind).ok()?;
    let (flags, origin, carried) = (0, None, Vec::new());
    let shout = ShoutFrame {
        object: ObjectId(*object),
        op: Op(op),
        kind: Kind(kind),
        flags,
        origin,
        carried,
    };
    shout.check(payload).ok()?;
    Some((shout, bytes.len() - payload.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Frame, encode_with};

    fn general(op: u64, kind: u16, payload: &[u8]) -> Bytes {
        let (flags, origin, carried) = (0, None, Vec::new());
        let (object, op, kind) = (ObjectId([7; 16]), Op(op), Kind(kind));
        let shout = ShoutFrame { object, op, kind, flags, origin, carried };
        encode_with(&shout, payload)
    }

    #[test]
    fn the_short_way_to_write_and_read_a_shout_agrees_with_the_general_one() {
        for (op, kind) in [(1, 0), (127, 127), (128, 128), (1 << 40, KIND_MAX), (u64::MAX, 300)] {
            let frame = encode_shout(ObjectId([7; 16]), Op(op), Kind(kind), Vec::new(), b"croak");
            assert_eq!(frame, general(op, kind, b"croak"));
            let (shout, payload_at) = read_shout(&frame[4..]).expect("is plain");
            let read = Frame::Shout(shout, frame.slice(4 + payload_at..));
            assert_eq!(Frame::decode(&frame.slice(4..)), Ok(read));
        }
    }

    #[test]
    fn what_is_not_plain_or_not_right_is_left_to_the_general_way() {
        let plain = general(1, 1, b"").slice(4..);
        assert!(read_shout(&plain).is_some());
        for end in 0..plain.len() {
            assert!(read_shout(&plain[..end]).is_none(), "cut at {end}");
        }
        for (at, byte) in [(0, 16), (17, 0), (19, 1), (20, 1), (21, 1)] {
            let mut other = plain.to_vec();
            other[at] = byte;
            assert!(read_shout(&other).is_none(), "byte {at} is {byte}");
        }
        let long = [&plain[..17], &[0x81, 0], &plain[18..]].concat();
        assert!(read_shout(&long).is_none(), "a varint that is not the shortest");
        assert!(read_shout(&general(1, KIND_MAX, b"")[4..]).is_some());
        assert!(read_shout(&general(1, KIND_MAX + 1, b"")[4..]).is_none());
    }
}
