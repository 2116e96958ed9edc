//! Volatile messages: up from who says one, and down to whoever has room.

use serde::{Deserialize, Serialize};

use crate::{
    limits::{KIND_MAX, VOLATILE_BYTES_MAX},
    object::{Kind, ObjectId, Seq, SessionId},
};

/// Say the payload to the other leaves of an object, if they have room. There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volatile {
    /// The object; the session has joined it or attached to it.
    pub object: ObjectId,
    /// The number of the message in the interface.
    pub kind: Kind,
}

impl Volatile {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        check(self.kind, payload)
    }
}

/// A volatile message of another session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolatileHeard {
    /// The object.
    pub object: ObjectId,
    /// Who said it.
    pub session: SessionId,
    /// The last seq given before it was passed on.
    pub last: Seq,
    /// The number of the message in the interface.
    pub kind: Kind,
}

impl VolatileHeard {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        check(self.kind, payload)
    }
}

fn check(kind: Kind, payload: &[u8]) -> Result<(), &'static str> {
    if kind.0 > KIND_MAX {
        return Err("kinds from 65280 on are the hubs'");
    }
    if payload.len() > VOLATILE_BYTES_MAX {
        return Err("a volatile message has at most 1024 bytes");
    }
    Ok(())
}
