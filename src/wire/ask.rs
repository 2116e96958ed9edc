//! Asks: up from who asks, down to the object's owner, and the answer back.

use serde::{Deserialize, Serialize};

use super::codec::{bounded, bounded_text};
use crate::{
    limits::{self, KIND_MAX},
    object::{Carried, Kind, ObjectId, Seq, SessionId},
};

/// Numbers a session's asks, from 1, so that answers find them and none is answered twice.
pub type AskNumber = u64;

/// Ask the owner of an object. Answered by a [`Replied`], unless the deadline passes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The object; the session has joined it or attached to it.
    pub object: ObjectId,
    /// The number of the ask. Sent again, it has the same one.
    pub ask: AskNumber,
    /// The number of the message in the interface.
    pub kind: Kind,
    /// How long the asker waits still, in milliseconds.
    pub within_ms: u32,
    /// The objects that the payload carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Ask {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        check(self.ask, self.kind)
    }
}

/// Somebody asks the owner of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The object, of which the session is a leaf.
    pub object: ObjectId,
    /// Who asks.
    pub session: SessionId,
    /// The number of the ask among the asker's.
    pub ask: AskNumber,
    /// The last seq given before it was passed on: the leaf has heard that when it answers.
    pub last: Seq,
    /// The number of the message in the interface.
    pub kind: Kind,
    /// How long the asker waits still, in milliseconds.
    pub within_ms: u32,
    /// The objects that the payload carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Asked {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        check(self.ask, self.kind)
    }
}

/// The owner's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The object.
    pub object: ObjectId,
    /// Who has asked.
    pub session: SessionId,
    /// The number of the ask among the asker's.
    pub ask: AskNumber,
    /// What came of it.
    pub answer: Answer,
    /// The objects that the payload carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Reply {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        if matches!(self.answer, Answer::OwnerGone | Answer::Refused { .. }) {
            return Err("only a hub says so");
        }
        check_answer(self.ask, &self.answer, &self.carried, payload)
    }
}

/// What came of an ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    /// The object.
    pub object: ObjectId,
    /// The number of the ask.
    pub ask: AskNumber,
    /// What came of it.
    pub answer: Answer,
    /// The objects that the payload carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Replied {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        check_answer(self.ask, &self.answer, &self.carried, payload)
    }
}

/// What came of an ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Answer {
    /// The payload is the answer.
    Given,
    /// The owner's class does not answer this message.
    NoHandler,
    /// The object has no owner, or had another one before this was answered.
    OwnerGone,
    /// The owner, or its hub, has too much to answer just now.
    Busy,
    /// The owner panicked over it.
    Panicked {
        /// With what words.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
    /// The answer is larger than a frame has room for.
    TooLarge {
        /// Its size.
        bytes: u32,
    },
    /// The owner cannot read the ask.
    Unreadable {
        /// Why.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
    /// The answer cannot be written.
    Unwritable {
        /// Why.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
    /// The session may not ask this, or is not here.
    Refused {
        /// Why.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
}

/// Another session owns an object: what a hub says in the object's order, under
/// [`Kind::OWNER_CHANGED`].
///
/// # Wire
/// The payload of a shout: two ids, of 16 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChanged {
    /// Who owned it before. [`SessionId::OF_HUB`]: nobody.
    pub from: SessionId,
    /// Who owns it from here on. [`SessionId::OF_HUB`]: nobody.
    pub to: SessionId,
}

impl OwnerChanged {
    /// The payload that says so.
    pub(crate) fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("two ids are plain data, of 32 bytes")
    }

    /// What a shout of this kind says, if it is such a word.
    pub(crate) fn read(kind: Kind, payload: &[u8]) -> Option<Self> {
        let is_it = kind == Kind::OWNER_CHANGED;
        is_it.then(|| postcard::from_bytes(payload).ok()).flatten()
    }
}

fn check(ask: AskNumber, kind: Kind) -> Result<(), &'static str> {
    match (ask, kind) {
        (0, _) => Err("asks count from 1"),
        (_, kind) if kind.0 > KIND_MAX => Err("kinds from 65280 on are the hubs'"),
        _ => Ok(()),
    }
}

fn check_answer(
    ask: AskNumber,
    answer: &Answer,
    carried: &[Carried],
    payload: &[u8],
) -> Result<(), &'static str> {
    let is_empty = carried.is_empty() && payload.is_empty();
    match answer {
        _ if ask == 0 => Err("asks count from 1"),
        Answer::Given => Ok(()),
        _ if !is_empty => Err("no answer, and it has a payload"),
        _ => Ok(()),
    }
}
