//! What the bytes of a frame in an object's stream tell without being decoded: whose it is, and
//! where a batch begins.

use crate::{
    object::{ObjectId, Seq},
    wire::{FrameType, codec::take_varint},
};

/// The object in whose stream a frame stands: a batch, a volatile message, or what is told of members. The frame is whole, with its length prefix.
pub(crate) fn object_of(frame: &[u8]) -> Option<ObjectId> {
    let (number, rest) = frame.get(4..)?.split_first()?;
    let is_streamed = STREAMED.iter().any(|each| *each as u8 == *number);
    rest.first_chunk().filter(|_| is_streamed).map(|id| ObjectId(*id))
}

/// The first seq of a batch; `None` for any other frame.
pub(crate) fn first_seq_of(frame: &[u8]) -> Option<Seq> {
    let rest = frame.get(4..)?.strip_prefix(&[FrameType::Batch as u8])?;
    take_varint(rest.get(OBJECT_AND_EPOCH..)?).map(|(seq, _)| Seq(seq))
}

/// What comes in an object's stream.
const STREAMED: [FrameType; 4] =
    [FrameType::Batch, FrameType::VolatileHeard, FrameType::Members, FrameType::MembersChanged];

/// Bytes before the first seq.
const OBJECT_AND_EPOCH: usize = 16 + 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        object::{Epoch, Kind, Op, SessionId},
        wire::{BatchBuilder, Done, Frame, Members, encode},
    };

    const OBJECT: ObjectId = ObjectId([7; 16]);

    #[test]
    fn the_object_and_the_first_seq_of_a_batch_stand_in_its_bytes() {
        let mut builder = BatchBuilder::new(OBJECT, Epoch([1; 8]), Seq(300));
        builder.push(SessionId([2; 16]), Op(1), Kind(1), &[], b"croak");
        let frame = builder.seal(1);
        assert_eq!((object_of(&frame), first_seq_of(&frame)), (Some(OBJECT), Some(Seq(300))));
        assert_eq!((object_of(&frame[..20]), first_seq_of(&frame[..20])), (None, None));
    }

    #[test]
    fn what_is_told_of_members_has_an_object_and_no_seq() {
        let (version, after, members) = (1, Seq(3), Vec::new());
        let members =
            Members { object: OBJECT, version, after, count: 0, listed: true, members, last: true };
        let frame = encode(&members);
        assert_eq!((object_of(&frame), first_seq_of(&frame)), (Some(OBJECT), None));
    }

    #[test]
    fn no_other_frame_has_either() {
        for frame in [Frame::HEARTBEAT, &encode(&Done { request: 7 }), &[0; 40], &[]] {
            assert_eq!((object_of(frame), first_seq_of(frame)), (None, None));
        }
    }
}
