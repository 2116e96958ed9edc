//! Every frame: its number, its direction, its decoder.

use bytes::{BufMut, Bytes};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Attach, Attached, Batch, Changed, Create, Detach, Done, Ended, FrameError, Goodbye, Hello,
    Join, Joined, List, Listed, NameObject, Outcome, Part, Refused, Rejoin, ShoutFrame, Unwatch,
    Welcome,
};

macro_rules! frames {
    (
        plain { $($plain_number:literal => $plain:ident($plain_type:ty),)* }
        payload { $($loaded_number:literal => $loaded:ident($loaded_type:ty),)* }
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
                match number {
                    4 => empty(bytes).map(|()| Self::Heartbeat),
                    38 => Batch::decode(&bytes.slice(1..)).map(Self::Batch),
                    $($plain_number => plain(FrameType::$plain, bytes).map(Self::$plain),)*
                    $($loaded_number => {
                        let (header, payload) = loaded(FrameType::$loaded, bytes)?;
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
        }

        $(impl Header for $plain_type { const TYPE: FrameType = FrameType::$plain; })*
        $(impl Header for $loaded_type { const TYPE: FrameType = FrameType::$loaded; })*
    };
}

frames! {
    plain {
        1 => Hello(Hello),
        2 => Welcome(Welcome),
        3 => Goodbye(Goodbye),
        17 => Join(Join),
        18 => Part(Part),
        19 => Attach(Attach),
        20 => Detach(Detach),
        21 => NameObject(NameObject),
        22 => List(List),
        23 => Unwatch(Unwatch),
        33 => Attached(Attached),
        34 => Done(Done),
        35 => Refused(Refused),
        36 => Listed(Listed),
        37 => Changed(Changed),
        39 => Outcome(Outcome),
        40 => Rejoin(Rejoin),
        41 => Ended(Ended),
    }
    payload {
        16 => Create(Create),
        24 => Shout(ShoutFrame),
        32 => Joined(Joined),
    }
}

/// The header of a frame type.
pub trait Header: Serialize + DeserializeOwned {
    /// The frame type it is the header of.
    const TYPE: FrameType;
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

fn plain<H: DeserializeOwned>(frame: FrameType, bytes: &Bytes) -> Result<H, FrameError> {
    let (header, payload) = loaded(frame, bytes)?;
    match payload.len() {
        0 => Ok(header),
        left => Err(FrameError::LeftOver { frame, left }),
    }
}

fn loaded<H: DeserializeOwned>(frame: FrameType, bytes: &Bytes) -> Result<(H, Bytes), FrameError> {
    let (header, payload) = postcard::take_from_bytes(&bytes[1..])
        .map_err(|_| FrameError::Header { frame, bytes: bytes.len() })?;
    let payload = bytes.slice(bytes.len() - payload.len()..);
    Ok((header, payload))
}
