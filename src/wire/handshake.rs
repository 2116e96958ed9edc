//! The first words of a connection, and the last.

use serde::{Deserialize, Serialize};

use super::codec::{bounded, bounded_text};
use crate::{
    limits,
    object::{HubId, SessionId},
};

/// The oldest version of the wire that this library speaks.
pub const VERSION_MIN: u16 = 1;
/// The newest version of the wire that this library speaks.
pub const VERSION_MAX: u16 = 1;

/// The client's first frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// `MPLX`: tells a client that dialled the wrong port from one that speaks another version.
    pub magic: [u8; 4],
    /// The oldest version that the client speaks.
    pub version_min: u16,
    /// The newest version that the client speaks.
    pub version_max: u16,
    /// What the client calls itself, for logs; at most 64 bytes.
    #[serde(deserialize_with = "bounded_text::<_, { limits::AGENT_BYTES_MAX }>")]
    pub agent: String,
    /// Opaque to the library, judged by the hub's admission; at most 4,096 bytes.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CREDENTIALS_BYTES_MAX }>")]
    pub credentials: Vec<u8>,
    /// The session to go on with.
    pub resume: Option<Resume>,
    /// What the client is called among the members of objects; at most 64 bytes.
    #[serde(deserialize_with = "bounded_text::<_, { limits::MEMBER_NAME_BYTES_MAX }>")]
    pub name: String,
    /// What the members of objects are told of the client; at most 1,024 bytes.
    #[serde(deserialize_with = "bounded::<_, _, { limits::MEMBER_INFO_BYTES_MAX }>")]
    pub info: Vec<u8>,
    /// Fields of later versions; unknown ones are ignored.
    #[serde(deserialize_with = "bounded::<_, _, { limits::EXTRAS_MAX }>")]
    pub extras: Vec<Extra>,
}

impl Hello {
    /// What a Hello begins with.
    pub const MAGIC: [u8; 4] = *b"MPLX";

    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        match self.magic {
            Self::MAGIC => Ok(()),
            _ => Err("it does not begin with `MPLX`"),
        }
    }
}

/// A session to go on with, and the proof that it is one's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The session.
    pub session: SessionId,
    /// The key of its last Welcome.
    pub key: [u8; 16],
    /// Counts the connections that the client has tried with this key, from 1: a Hello that was
    /// late on its way is told from the one that came after it.
    pub attempt: u32,
}

/// A field that a later version added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// Its number, never reused.
    pub number: u16,
    /// Its value; at most 1,024 bytes.
    #[serde(deserialize_with = "bounded::<_, _, { limits::EXTRA_BYTES_MAX }>")]
    pub value: Vec<u8>,
}

/// The hub's answer to a Hello that it takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version spoken from here on.
    pub version: u16,
    /// The hub.
    pub hub: HubId,
    /// The client's session.
    pub session: SessionId,
    /// The key that resumes it.
    pub key: [u8; 16],
    /// Whether it is the session that the Hello asked to go on with.
    pub resumed: bool,
    /// What the hub holds the client to.
    pub limits: Limits,
    /// Fields of later versions; unknown ones are ignored.
    #[serde(deserialize_with = "bounded::<_, _, { limits::EXTRAS_MAX }>")]
    pub extras: Vec<Extra>,
}

impl Welcome {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        match self.limits {
            Limits { heartbeat_ms: 0, .. } => Err("heartbeats without a pause"),
            limits if limits.silence_ms <= limits.heartbeat_ms => {
                Err("silence is held for death before a heartbeat is due")
            }
            _ => Ok(()),
        }
    }
}

/// What both sides of a connection keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of a frame after its length prefix.
    pub frame_bytes_max: u32,
    /// Shouts under way at one object.
    pub window_shouts: u32,
    /// Bytes of shouts (their frames) under way at one object.
    pub window_bytes: u32,
    /// Bytes of shouts (their frames) under way in all.
    pub window_total_bytes: u32,
    /// Silence after which each side sends a heartbeat, in milliseconds.
    pub heartbeat_ms: u32,
    /// Silence after which each side holds the other for dead, in milliseconds.
    pub silence_ms: u32,
    /// How long a session outlives its connection, in milliseconds; 0: not at all.
    pub grace_ms: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: limits::FRAME_BYTES_MAX as u32,
            window_shouts: limits::WINDOW_SHOUTS as u32,
            window_bytes: limits::WINDOW_BYTES as u32,
            window_total_bytes: limits::WINDOW_TOTAL_BYTES as u32,
            heartbeat_ms: limits::HEARTBEAT_INTERVAL.as_millis() as u32,
            silence_ms: limits::SILENCE_MAX.as_millis() as u32,
            grace_ms: 0,
        }
    }
}

/// The last frame of a connection, from the side that closes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goodbye {
    /// Why, for programs.
    pub code: CloseCode,
    /// Who was at fault.
    pub fault: Fault,
    /// Why, for people; at most 1,024 bytes.
    #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
    pub reason: String,
}

/// Who was at fault, as the sender of a Goodbye sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody: all went as it should.
    Nobody,
    /// The side that says goodbye.
    Sender,
    /// The side that is told goodbye.
    Receiver,
}

macro_rules! close_codes {
    ($($(#[$meta:meta])* $number:literal => $name:ident,)*) => {
        /// Why a connection was closed. The numbers are the wire's and are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "u16", into = "u16")]
        #[non_exhaustive]
        pub enum CloseCode {
            $($(#[$meta])* $name,)*
            /// A code of a later version.
            Other(u16),
        }

        impl From<u16> for CloseCode {
            fn from(number: u16) -> Self {
                match number {
                    $($number => Self::$name,)*
                    other => Self::Other(other),
                }
            }
        }

        impl From<CloseCode> for u16 {
            fn from(code: CloseCode) -> Self {
                match code {
                    $(CloseCode::$name => $number,)*
                    CloseCode::Other(other) => other,
                }
            }
        }
    };
}

close_codes! {
    /// The side has nothing more to say.
    1 => Done,
    /// The hub stops.
    2 => ShuttingDown,
    /// No version of the wire is spoken by both.
    3 => Version,
    /// The hub's admission refused the client.
    4 => Refused,
    /// More was queued for the side than the bound allows.
    5 => TooSlow,
    /// The side was not heard of for too long.
    6 => Silent,
    /// Bytes that are no frame.
    7 => BadFrame,
    /// A frame that may not come here, or not now.
    8 => Protocol,
    /// More shouts under way than the window allows.
    9 => Window,
    /// The session goes on over another connection.
    10 => Superseded,
    /// A defect in the side that says goodbye.
    11 => Internal,
    /// The hub has as many sessions as it may.
    12 => Full,
    /// The first frame did not come in time.
    13 => HandshakeTimeout,
}

/// Two ranges of versions that do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no common version of the wire: here {} to {}, there {theirs_min} to {theirs_max}; \
     update the older side",
    VERSION_MIN,
    VERSION_MAX
)]
pub struct NoVersion {
    /// The oldest version of the other side.
    pub theirs_min: u16,
    /// The newest version of the other side.
    pub theirs_max: u16,
}

/// The newest version that both sides speak.
///
/// # Errors
/// [`NoVersion`] when there is none.
pub fn negotiate(theirs_min: u16, theirs_max: u16) -> Result<u16, NoVersion> {
    let newest = VERSION_MAX.min(theirs_max);
    if newest < VERSION_MIN.max(theirs_min) {
        return Err(NoVersion { theirs_min, theirs_max });
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_common_version_is_taken_and_ranges_that_do_not_meet_are_refused() {
        assert_eq!(negotiate(1, 1), Ok(1));
        assert_eq!(negotiate(0, 9), Ok(1));
        assert_eq!(negotiate(2, 3), Err(NoVersion { theirs_min: 2, theirs_max: 3 }));
        assert_eq!(negotiate(0, 0), Err(NoVersion { theirs_min: 0, theirs_max: 0 }));
        assert_eq!(negotiate(3, 1), Err(NoVersion { theirs_min: 3, theirs_max: 1 }));
    }
}
