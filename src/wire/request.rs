//! What a client asks of a hub. Every request has a number and is answered once.

use serde::{Deserialize, Serialize};

use super::{StateIs, codec::bounded};
use crate::{
    limits,
    object::{Carried, Codec, Cursor, InterfaceId, Kind, Name, ObjectId},
};

/// Numbers a session's requests, so that answers find them.
pub type Request = u32;

/// Make an object, and be its first leaf.
///
/// Shouts at the object may follow at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of what it is")]
pub struct Create {
    /// The number of the request.
    pub request: Request,
    /// The object's id, made by the client.
    pub object: ObjectId,
    /// What to call it in the directory.
    pub name: Option<Name>,
    /// Join the object of that name if there is one, instead of being refused.
    pub or_join: bool,
    /// Whether its home is this hub, also if that is below another.
    pub here: bool,
    /// Its interface.
    pub interface: InterfaceId,
    /// How its payloads are written.
    pub codec: Codec,
    /// Where its state is; absent for `state none`.
    pub state: StateIs,
    /// Whether its leaves are told who else is one.
    pub presence: bool,
    /// Whether another leaf owns it when the owner is no leaf any more.
    pub handover: bool,
    /// The kinds of its asks: who owns it next answers all of these.
    #[serde(deserialize_with = "bounded::<_, _, { limits::ASKS_MAX }>")]
    pub asks: Vec<Kind>,
    /// The kinds of asks that the leaf's class answers.
    #[serde(deserialize_with = "bounded::<_, _, { limits::ASKS_MAX }>")]
    pub answers: Vec<Kind>,
    /// The objects that the state carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Create {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        self.state.check(payload, &self.carried)
    }
}

/// Which object a request means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Target {
    /// The one of this name.
    Name(Name),
    /// The one with this id.
    Object(ObjectId),
}

/// Be a leaf of an object: hear its shouts from the state, or from the cursor, on.
///
/// A session that is a leaf of it already is given what follows the cursor once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub target: Target,
    /// The interface that the leaf implements.
    pub interface: InterfaceId,
    /// What the leaf has heard already.
    pub cursor: Option<Cursor>,
    /// The kinds of asks that the leaf's class answers.
    #[serde(deserialize_with = "bounded::<_, _, { limits::ASKS_MAX }>")]
    pub answers: Vec<Kind>,
}

/// Be a leaf no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
}

/// Shout at an object without being a leaf of it: name and rights are settled once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attach {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub target: Target,
    /// The interface that the shouts are of.
    pub interface: InterfaceId,
}

/// Shout at it no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detach {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
}

/// Call an object something in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameObject {
    /// The number of the request.
    pub request: Request,
    /// The object; the session has joined it.
    pub object: ObjectId,
    /// What to call it.
    pub name: Name,
}

/// The names that begin with a prefix, and from then on their changes if asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// The number of the request.
    pub request: Request,
    /// What the names begin with; empty for all. At most 128 bytes.
    #[serde(deserialize_with = "super::codec::bounded_text::<_, { limits::NAME_BYTES_MAX }>")]
    pub prefix: String,
    /// Whether changes are to follow, under the same number, until an [`Unwatch`].
    pub watch: bool,
}

/// No more changes for a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwatch {
    /// The number of the request.
    pub request: Request,
    /// The number of the [`List`].
    pub list: Request,
}

/// Keep an object though nobody is its leaf and nothing lists it; or no longer. Answered by
/// [`Done`](super::Done).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
    /// Whether it is to be kept so.
    pub pinned: bool,
}

/// End an object for everybody. Answered by [`Done`](super::Done), behind its last shout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroy {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
}

/// A newer state of an object, which the hub wanted, or that there will be none. There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The object.
    pub object: ObjectId,
    /// What the state contains: everything up to here. `None`: this leaf cannot tell its state.
    pub at: Option<Cursor>,
    /// Where the state is.
    pub state: StateIs,
    /// The objects that the state carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Snapshot {
    /// This leaf cannot tell its state.
    pub fn unable(object: ObjectId) -> Self {
        Self { object, at: None, state: StateIs::Absent, carried: Vec::new() }
    }

    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        if self.at.is_some() != self.state.is_present() {
            return Err("a state and what it contains come together");
        }
        self.state.check(payload, &self.carried)
    }
}

/// How a leaf that cannot keep up is given its shouts: not any more, or so much of what follows a
/// cursor. It is no request; the latter is followed by a [`Pulled`](super::Pulled).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// The object.
    pub object: ObjectId,
    /// What the leaf has heard, when it has room again. `None`: it has none.
    pub cursor: Option<Cursor>,
}
