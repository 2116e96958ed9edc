//! Why a connection is no more, and who ended it.

use std::fmt;

use crate::wire::{self, CloseCode, Fault, FrameError, Goodbye};

/// Why a connection is no more.
///
/// ```
/// use actix_multiplex::{Closed, Closer};
/// let closed = Closed::transport("connection reset by peer");
/// assert_eq!(closed.to_string(), "connection lost: connection reset by peer");
/// assert_eq!(closed.by, Closer::Transport);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// Who ended it.
    pub by: Closer,
    /// Why, for programs.
    pub code: CloseCode,
    /// Who was at fault, as the closing side sees it.
    pub fault: Fault,
    /// Why, for people.
    pub reason: String,
}

/// Who ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closer {
    /// This side.
    Local,
    /// The other side, with a Goodbye.
    Remote,
    /// Neither: bytes stopped coming or going.
    Transport,
}

impl Closed {
    /// This side ends it.
    pub fn local(code: CloseCode, fault: Fault, reason: impl fmt::Display) -> Self {
        Self { by: Closer::Local, code, fault, reason: wire::reason(&reason.to_string()) }
    }

    /// This side ends it, and nobody is at fault.
    pub fn done(reason: &str) -> Self {
        Self::local(CloseCode::Done, Fault::Nobody, reason)
    }

    /// The other side broke the protocol.
    pub fn protocol(reason: impl fmt::Display) -> Self {
        Self::local(CloseCode::Protocol, Fault::Receiver, reason)
    }

    /// The bytes of the connection ended.
    pub fn transport(reason: impl fmt::Display) -> Self {
        let (by, fault) = (Closer::Transport, Fault::Nobody);
        Self { by, code: CloseCode::Done, fault, reason: wire::reason(&reason.to_string()) }
    }

    /// The other side said goodbye.
    pub fn remote(goodbye: Goodbye) -> Self {
        let Goodbye { code, fault, reason } = goodbye;
        Self { by: Closer::Remote, code, fault, reason }
    }

    /// What the other side is told, if this side ended it.
    pub(super) fn goodbye(&self) -> Option<Goodbye> {
        (self.by == Closer::Local).then(|| Goodbye {
            code: self.code,
            fault: self.fault,
            reason: self.reason.clone(),
        })
    }
}

impl From<FrameError> for Closed {
    fn from(error: FrameError) -> Self {
        Self::local(CloseCode::BadFrame, Fault::Receiver, error)
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = &self.reason;
        let blamed = match (self.by, self.fault) {
            (Closer::Local, Fault::Receiver) | (Closer::Remote, Fault::Sender) => {
                ", the other side's fault"
            }
            (Closer::Local, Fault::Sender) | (Closer::Remote, Fault::Receiver) => {
                ", this side's fault"
            }
            _ => "",
        };
        match self.by {
            Closer::Local => write!(f, "connection closed here: {reason}{blamed}"),
            Closer::Remote => write!(f, "connection closed by the other side: {reason}{blamed}"),
            Closer::Transport => write!(f, "connection lost: {reason}"),
        }
    }
}

impl std::error::Error for Closed {}
