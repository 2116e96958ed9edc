//! Every frame: its number, its direction, its decoder.

use bytes::{BufMut, Bytes};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Absent, Ask, Asked, Attach, Attached, Barred, Batch, Below, Changed, Claim, Create, Destroy,
    Detach, Done, Ended, Enroll, Enrolled, Fetch, Fetched, FrameError, Goodbye, Granted, Handled,
    Heard, Hello, Join, Joined, List, Listed, Made, Members, MembersChanged, NameObject, Outcome,
    Over, Part, Pin, Pull, Pulled, Refused, Rejoin, Release, Replied, Reply, Reserve, Resynced,
    ShoutFrame, Snapshot, SnapshotWanted, Spent, Stalled, StatePiece, Unwatch, Via, Volatile,
    VolatileHeard, Welcome, Withdraw, codec::written_bytes, shout::PlainShout,
};

macro_rules! frames {
    (
        plain {
            $($plain_number:literal => $plain:ident($plain_type:ty) $(if $plain_check:path)?,)*
        }
        payload {
            $($loaded_number:literal => $loaded:ident($loaded_type:ty) $(if $loaded_check:path)?,)*
        }
    ) => {
        /// The numbers of the frames, never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each is named for the header it has")]
        pub enum FrameType {
            Heartbeat = 4,
            Batch = 38,
            $($plain = $plain_number,)*
            $($loaded = $loaded_number,)*
        }

        /// A frame as received.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "each is named for the header it has")]
        pub enum Frame {
            /// Nothing but a sign of life.
            Heartbeat,
            /// Shouts in their order, the same bytes for every leaf.
            Batch(Batch),
            $($plain($plain_type),)*
            $($loaded($loaded_type, Bytes),)*
        }

        impl Frame {
            /// Reads one frame: `bytes` begin with the frame type, the length prefix is gone.
            ///
            /// # Errors
            /// [`FrameError`] when the bytes are no frame.
            pub fn decode(bytes: &Bytes) -> Result<Self, FrameError> {
                let number = *bytes.first().ok_or(FrameError::Empty)?;
                if let Some(shout) = PlainShout::read(bytes) {
                    return Ok(Self::Shout(shout.into(), bytes.slice(shout.payload_at..)));
                }
                match number {
                    4 => empty(bytes).map(|()| Self::Heartbeat),
                    38 => Batch::decode(&bytes.slice(1..)).map(Self::Batch),
                    $($plain_number => plain(bytes).map(Self::$plain),)*
                    $($loaded_number => {
                        let (header, payload) = loaded(bytes)?;
                        Ok(Self::$loaded(header, payload))
                    })*
                    other => Err(FrameError::UnknownType(other)),
                }
            }

            /// The frame's type.
            pub fn frame_type(&self) -> FrameType {
                match self {
                    Self::Heartbeat => FrameType::Heartbeat,
                    Self::Batch(_) => FrameType::Batch,
                    $(Self::$plain(_) => FrameType::$plain,)*
                    $(Self::$loaded(..) => FrameType::$loaded,)*
                }
            }

            /// Writes the frame with its length prefix: the bytes that it was decoded from.
            ///
            /// # Panics
            /// As [`encode`](fn@encode), for a frame that was made and not decoded.
            pub fn encode(&self) -> Bytes {
                match self {
                    Self::Heartbeat => Bytes::from_static(Self::HEARTBEAT),
                    Self::Batch(batch) => batch.encode(),
                    $(Self::$plain(header) => encode(header),)*
                    $(Self::$loaded(header, payload) => encode_with(header, payload),)*
                }
            }
        }

        $(impl Header for $plain_type {
            const TYPE: FrameType = FrameType::$plain;

            $(fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
                $plain_check(self, payload)
            })?
        })*
        $(impl Header for $loaded_type {
            const TYPE: FrameType = FrameType::$loaded;

            $(fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
                $loaded_check(self, payload)
            })?
        })*
    };
}

frames! {
    plain {
        1 => Hello(Hello) if Hello::check,
        2 => Welcome(Welcome) if Welcome::check,
        3 => Goodbye(Goodbye),
        17 => Join(Join),
        18 => Part(Part),
        19 => Attach(Attach),
        20 => Detach(Detach),
        21 => NameObject(NameObject),
        22 => List(List),
        23 => Unwatch(Unwatch),
        25 => Pin(Pin),
        26 => Destroy(Destroy),
        28 => Pull(Pull),
        30 => Heard(Heard) if Heard::check,
        33 => Attached(Attached) if Attached::check,
        34 => Done(Done),
        35 => Refused(Refused),
        36 => Listed(Listed),
        37 => Changed(Changed),
        39 => Outcome(Outcome) if Outcome::check,
        40 => Rejoin(Rejoin),
        41 => Ended(Ended),
        42 => SnapshotWanted(SnapshotWanted),
        45 => Handled(Handled) if Handled::check,
        47 => Members(Members) if Members::check,
        48 => MembersChanged(MembersChanged) if MembersChanged::check,
        49 => Pulled(Pulled),
        55 => Claim(Claim) if Claim::check,
        56 => Granted(Granted),
        57 => Barred(Barred),
        58 => Below(Below),
        59 => Over(Over),
        60 => Reserve(Reserve),
        61 => Release(Release),
        62 => Made(Made),
        63 => Fetch(Fetch),
        65 => Enroll(Enroll),
        66 => Enrolled(Enrolled) if Enrolled::check,
        67 => Withdraw(Withdraw),
        68 => Absent(Absent),
        69 => Spent(Spent) if Spent::check,
        70 => Stalled(Stalled),
    }
    payload {
        5 => StatePiece(StatePiece) if StatePiece::check,
        16 => Create(Create) if Create::check,
        24 => Shout(ShoutFrame) if ShoutFrame::check,
        27 => Snapshot(Snapshot) if Snapshot::check,
        29 => Volatile(Volatile) if Volatile::check,
        32 => Joined(Joined) if Joined::check,
        43 => Resynced(Resynced) if Resynced::check,
        44 => VolatileHeard(VolatileHeard) if VolatileHeard::check,
        50 => Ask(Ask) if Ask::check,
        51 => Asked(Asked) if Asked::check,
        52 => Reply(Reply) if Reply::check,
        53 => Replied(Replied) if Replied::check,
        54 => Via(Via) if Via::check,
        64 => Fetched(Fetched) if Fetched::check,
    }
}

/// The header of a frame type.
pub trait Header: Serialize + DeserializeOwned {
    /// The frame type it is the header of.
    const TYPE: FrameType;

    /// Whether it says what can be, with `payload` behind it.
    ///
    /// # Errors
    /// What is wrong, for [`FrameError::Nonsense`].
    fn check(&self, _payload: &[u8]) -> Result<(), &'static str> {
        Ok(())
    }
}

/// Writes a frame without payload, with its length prefix.
///
/// # Panics
/// When `header` is larger than a frame, which no header of this module is that keeps to its
/// bounds.
pub fn encode<H: Header>(header: &H) -> Bytes {
    encode_with(header, &[])
}

/// Writes a frame with its payload and length prefix.
///
/// # Panics
/// As [`encode`]; the caller has checked the payload.
pub fn encode_with<H: Header>(header: &H, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(64 + payload.len());
    frame.put_u32_le(0);
    frame.put_u8(H::TYPE as u8);
    let mut frame = postcard::to_extend(header, frame).expect("headers are plain data");
    frame.put_slice(payload);
    close(frame)
}

impl Frame {
    /// A heartbeat, with its length prefix.
    pub const HEARTBEAT: &'static [u8] = &[1, 0, 0, 0, FrameType::Heartbeat as u8];
}

/// Writes the length prefix that was left open at the beginning of `frame`.
pub(super) fn close(mut frame: Vec<u8>) -> Bytes {
    let length = frame.len() - 4;
    assert!(length <= crate::limits::FRAME_BYTES_MAX, "a frame of {length} bytes was made");
    frame[..4].copy_from_slice(&(length as u32).to_le_bytes());
    frame.into()
}

fn empty(bytes: &Bytes) -> Result<(), FrameError> {
    match bytes.len() - 1 {
        0 => Ok(()),
        left => Err(FrameError::LeftOver { frame: FrameType::Heartbeat, left }),
    }
}

fn plain<H: Header>(bytes: &Bytes) -> Result<H, FrameError> {
    let (header, payload_at) = header::<H>(bytes)?;
    match bytes.len() - payload_at {
        0 => sane(header, &[]),
        left => Err(FrameError::LeftOver { frame: H::TYPE, left }),
    }
}

fn loaded<H: Header>(bytes: &Bytes) -> Result<(H, Bytes), FrameError> {
    let (header, payload_at) = header::<H>(bytes)?;
    let payload = bytes.slice(payload_at..);
    Ok((sane(header, &payload)?, payload))
}

/// Reads a header, and tells where it ends. Only its shortest form is taken, so that every value
/// is written in one way.
fn header<H: Header>(bytes: &Bytes) -> Result<(H, usize), FrameError> {
    let malformed = || FrameError::Header { frame: H::TYPE, bytes: bytes.len() };
    let (header, payload) = postcard::take_from_bytes(&bytes[1..]).map_err(|_| malformed())?;
    let payload_at = bytes.len() - payload.len();
    if written_bytes(&header) != payload_at - 1 {
        return Err(malformed());
    }
    Ok((header, payload_at))
}

fn sane<H: Header>(header: H, payload: &[u8]) -> Result<H, FrameError> {
    let nonsense = |what| FrameError::Nonsense { frame: H::TYPE, what };
    header.check(payload).map_err(nonsense)?;
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::STATE_PIECE_BYTES,
        object::{Carried, Cursor, Epoch, Kind, ObjectId, Op, Seq, SessionId},
        wire::StateIs,
    };

    const OBJECT: ObjectId = ObjectId([1; 16]);

    fn nonsense(frame: FrameType, what: &'static str) -> Result<Frame, FrameError> {
        Err(FrameError::Nonsense { frame, what })
    }

    #[test]
    fn a_number_with_more_bytes_than_it_needs_is_malformed() {
        let malformed = |frame, bytes| Err(FrameError::Header { frame, bytes });
        let decode = |bytes: &'static [u8]| Frame::decode(&Bytes::from_static(bytes));
        assert!(decode(&[34, 1]).is_ok());
        assert_eq!(decode(&[34, 0x81, 0]), malformed(FrameType::Done, 3));
        assert_eq!(decode(&[36, 1, 0x80, 0, 1]), malformed(FrameType::Listed, 5));
    }

    #[test]
    fn a_shout_with_reserved_or_impossible_numbers_is_nonsense() {
        let shout = ShoutFrame {
            object: OBJECT,
            op: Op(1),
            kind: Kind(65_279),
            handled_within_ms: None,
            origin: None,
            carried: Vec::new(),
        };
        let decode = |shout: &ShoutFrame| Frame::decode(&encode(shout).slice(4..));
        assert!(decode(&shout).is_ok());
        for (wrong, what) in [
            (ShoutFrame { op: Op(0), ..shout.clone() }, "ops count from 1"),
            (ShoutFrame { kind: Kind(65_280), ..shout }, "kinds from 65280 on are the hubs'"),
        ] {
            assert_eq!(decode(&wrong), nonsense(FrameType::Shout, what));
        }
    }

    #[test]
    fn the_largest_state_in_one_piece_fits_a_joined_frame_beside_all_else_at_its_largest() {
        let tag: crate::object::Tag = "t".repeat(64).parse().expect("ok");
        let seq = Seq(u64::MAX - 1);
        let carried = vec![Carried { object: OBJECT, tag, seq }; 64];
        let state = vec![0; STATE_PIECE_BYTES - Carried::bytes_of(&carried)];
        let joined = Joined {
            request: u32::MAX,
            object: OBJECT,
            name: Some("n".repeat(128).parse().expect("ok")),
            start: Cursor { epoch: Epoch([9; 8]), seq },
            last: seq,
            state: StateIs::Payload,
            resync: None,
            next_op: Op(u64::MAX),
            owner: Some(SessionId([8; 16])),
            stale: true,
            carried,
        };
        let frame = encode_with(&joined, &state);
        assert_eq!(
            Frame::decode(&frame.slice(4..)),
            Ok(Frame::Joined(joined.clone(), state.into()))
        );

        let stateless = Joined { state: StateIs::Absent, ..joined };
        let refused = Frame::decode(&encode(&stateless).slice(4..));
        assert_eq!(refused, nonsense(FrameType::Joined, "no state, and it carries objects"));
    }
}
