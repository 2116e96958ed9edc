//! Shouts that were not, or perhaps not, heard.

use std::{any::type_name, fmt, time::Duration};

use super::Unreplied;
use crate::{
    connection::Closed,
    limits::SHOUT_BYTES_MAX,
    object::{DecodeError, EncodeError, ObjectId},
    wire::{Answer, EndReason, Refusal, carried_below_home},
};

/// A shout that has no receipt. Every variant gives the message back.
///
/// ```
/// use actix_multiplex::{Gone, ShoutError};
/// let error = ShoutError::Gone("croak", Gone::Parted);
/// assert_eq!(error.to_string(), "not sent: the leaf has parted");
/// assert_eq!(error.into_inner(), "croak");
/// ```
#[non_exhaustive]
pub enum ShoutError<M> {
    /// It was not sent: as much is under way as the window allows. Wait, or use `send`, which
    /// does.
    Full(M),
    /// It was not sent: it cannot be written. Make it smaller.
    Encode(M, EncodeError),
    /// It was not sent: the object is out of reach for good through this handle or voice.
    Gone(M, Gone),
    /// It was sent and refused: nobody hears it.
    Refused(M, String),
    /// It was refused: it carries an object whose home is a hub below that of the object that it was
    /// shouted at, where those above cannot have it. Create that one without a
    /// [home](crate::Creating::home) of its own.
    CarriedBelowHome {
        /// The message.
        message: M,
        /// What it carries.
        carried: ObjectId,
        /// What it was shouted at.
        object: ObjectId,
    },
    /// It waits, and has for [`STALL_DEADLINE`](crate::limits::STALL_DEADLINE) at most: a link between
    /// hubs on the way to the object's home is cut. It is heard when the way is open again, once; do not
    /// send it again. Only who uses `try_send` waits until then, and is told what became of it.
    Stalled(M),
    /// It was sent, and the session ended before its outcome was known: it may have been heard by
    /// all, or by none.
    Unknown(M, Gone),
}

/// Why an object is out of reach through a handle or voice.
///
/// ```
/// use actix_multiplex::Gone;
/// assert_eq!(Gone::Parted.to_string(), "the leaf has parted");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Gone {
    /// The leaf stopped, or its last handle was dropped.
    #[error("the leaf has parted")]
    Parted,
    /// The leaf panicked. What [`Handle::gone`](crate::Handle::gone) tells is for good: it panicked
    /// too often, or cannot be restored any more. A local message that was with it, or on its way,
    /// is lost either way.
    #[error("the leaf panicked: {0}")]
    Panicked(String),
    /// The hub did not take the object when it was published, or let the client back to it.
    #[error(transparent)]
    Refused(Refusal),
    /// The object is no more.
    #[error("the object has ended: {0}")]
    Ended(EndReason),
    /// The hub was restarted, and knows nothing of what was before. The leaf lives on alone;
    /// [`open`](crate::Client::open) makes a new object of that name from its state.
    #[error("the hub was restarted")]
    HubRestarted,
    /// The object's home knows nothing of what the session had shouted before: the link to it was cut
    /// for too long.
    #[error("the object's home has forgotten the session")]
    Forgotten,
    /// The client's connection is no more, and will not come back.
    #[error(transparent)]
    Closed(Closed),
}

/// An ask without an answer.
///
/// ```
/// use actix_multiplex::{AskError, Gone};
/// assert_eq!(AskError::Gone(Gone::Parted).to_string(), "not asked: the leaf has parted");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Neither this leaf's class nor the owner's answers the message.
    #[error("the owner of {object} does not answer `{message}`")]
    NoHandler {
        /// The object.
        object: ObjectId,
        /// The message's type.
        message: &'static str,
    },
    /// The object has no owner, or another one owned it before there was an answer. The one before
    /// may have seen the ask.
    #[error("{0} has no owner, or another one than was asked")]
    OwnerGone(ObjectId),
    /// The deadline has passed. The owner may answer all the same, and nobody hears it.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The owner or its hub has too much to answer, or this client too much to send or to read just
    /// now: ask again later. Where it is this client, the owner may have seen it.
    #[error("the owner of {0} has too much to answer just now")]
    Busy(ObjectId),
    /// The leaf that was asked panicked over it, or stopped before it had answered.
    #[error("the leaf that was asked failed: {0}")]
    Panicked(String),
    /// The answer does not fit into a frame.
    #[error("answer of {bytes} bytes exceeds the limit of {max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// It was not asked: it cannot be written.
    #[error("not asked: {0}")]
    Encode(EncodeError),
    /// The answer came, and is none: the owner's type for it is another.
    #[error("the answer cannot be read: {0}")]
    Decode(DecodeError),
    /// The owner could not read the ask, or not write its answer.
    #[error("the owner cannot answer: {0}")]
    Unable(String),
    /// The hub does not let this client ask.
    #[error("refused: {0}")]
    Refused(String),
    /// It was not asked: the object is out of reach for good through this handle or voice.
    #[error("not asked: {0}")]
    Gone(Gone),
    /// It was asked, and the session ended before there was an answer.
    #[error("perhaps answered, perhaps not: {0}")]
    Unknown(Gone),
}

impl AskError {
    /// Why `M` had no answer of an object.
    pub(crate) fn new<M>(object: ObjectId, within: Duration, why: Unreplied) -> Self {
        let answer = match why {
            Unreplied::Late => return Self::Late(within),
            Unreplied::Gone(gone) => return Self::Gone(gone),
            Unreplied::Unknown(gone) => return Self::Unknown(gone),
            Unreplied::Answer(answer) => answer,
        };
        match answer {
            Answer::OwnerGone => Self::OwnerGone(object),
            Answer::Busy => Self::Busy(object),
            Answer::Panicked { reason } => Self::Panicked(reason),
            Answer::TooLarge { bytes } => {
                Self::TooLarge { bytes: bytes as usize, max: SHOUT_BYTES_MAX }
            }
            Answer::Unreadable { reason } | Answer::Unwritable { reason } => Self::Unable(reason),
            Answer::Refused { reason } => Self::Refused(reason),
            Answer::Given | Answer::NoHandler => {
                Self::NoHandler { object, message: type_name::<M>() }
            }
        }
    }
}

impl From<Closed> for Gone {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

/// Why a shout has no receipt, apart from the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Full,
    Encode(EncodeError),
    Gone(Gone),
    Refused(String),
    CarriedBelowHome { carried: ObjectId, object: ObjectId },
    Stalled,
    Unknown(Gone),
}

impl Failure {
    pub(crate) fn with<M>(self, message: M) -> ShoutError<M> {
        match self {
            Self::Full => ShoutError::Full(message),
            Self::Encode(error) => ShoutError::Encode(message, error),
            Self::Gone(gone) => ShoutError::Gone(message, gone),
            Self::Refused(why) => ShoutError::Refused(message, why),
            Self::CarriedBelowHome { carried, object } => {
                ShoutError::CarriedBelowHome { message, carried, object }
            }
            Self::Stalled => ShoutError::Stalled(message),
            Self::Unknown(gone) => ShoutError::Unknown(message, gone),
        }
    }
}

impl<M> ShoutError<M> {
    /// The message.
    pub fn into_inner(self) -> M {
        match self {
            Self::Full(message)
            | Self::Encode(message, _)
            | Self::Gone(message, _)
            | Self::Refused(message, _)
            | Self::CarriedBelowHome { message, .. }
            | Self::Stalled(message)
            | Self::Unknown(message, _) => message,
        }
    }
}

impl<M> fmt::Display for ShoutError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("not sent: the window is full; wait for receipts"),
            Self::Encode(_, error) => write!(f, "not sent: {error}"),
            Self::Gone(_, gone) => write!(f, "not sent: {gone}"),
            Self::Refused(_, why) => write!(f, "refused: {why}"),
            Self::CarriedBelowHome { carried, object, .. } => {
                write!(f, "refused: {}", carried_below_home(*carried, *object))
            }
            Self::Stalled(_) => f.write_str(
                "not heard yet: a link to the object's home is cut; it is heard when that is back, so do \
                 not send it again",
            ),
            Self::Unknown(_, gone) => write!(f, "perhaps heard, perhaps not: {gone}"),
        }
    }
}

impl<M> fmt::Debug for ShoutError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShoutError({self})")
    }
}

impl<M> std::error::Error for ShoutError<M> {}
