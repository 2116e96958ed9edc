//! What hubs say to each other over a link, besides what a client and a hub do.
//!
//! To the hub above, the hub below is one client. It hears each object once for all that are below
//! it, and says for whom it speaks.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Request, StateIs, Target, Verdict,
    codec::{bounded, bounded_text},
};
use crate::{
    limits,
    object::{
        Carried, Codec, Cursor, Epoch, HubId, InterfaceId, Kind, Name, ObjectId, Op, Seq, SessionId,
    },
};

/// Another frame, from or to a session below the link. The payload is that frame, from its type on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// The session.
    pub session: SessionId,
}

impl Via {
    #[expect(clippy::unused_self, reason = "it is the payload that is looked at")]
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        (!payload.is_empty()).then_some(()).ok_or("nothing of or for the session")
    }
}

/// Wraps a whole frame, which has its length prefix, for a session below a link.
pub(crate) fn via(session: SessionId, frame: &[u8]) -> Bytes {
    super::encode_with(&Via { session }, &frame[LENGTH_BYTES..])
}

/// Why an object cannot be carried at another.
pub(crate) fn carried_below_home(carried: ObjectId, object: ObjectId) -> String {
    format!(
        "object {carried} has its home at a hub below the home of object {object}: who is above cannot \
         have it. Create it without a home of its own"
    )
}

/// Bytes of a frame's length, in front of it.
const LENGTH_BYTES: usize = 4;

/// May this connection be a link? Until it is granted it is a client's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Numbers what the hub below has claimed over this connection.
    pub number: u32,
    /// How many hubs there are below the one that would be linked, one below the other, at most.
    pub below: u8,
    /// The hub that would be linked, and those above it that the question has passed.
    #[serde(deserialize_with = "bounded::<_, _, { limits::LINK_DEPTH_MAX }>")]
    pub path: Vec<HubId>,
}

impl Claim {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        (!self.path.is_empty()).then_some(()).ok_or("a claim of nobody")
    }
}

/// This connection is a link from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The number of the claim.
    pub number: u32,
}

/// This connection is no link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barred {
    /// The number of the claim.
    pub number: u32,
    /// Why.
    pub why: Bar,
}

/// Why a hub cannot be linked below another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Bar {
    /// The hub is above itself then.
    #[error("it would be below itself: {}", along(path))]
    Loop {
        /// From the hub that asked up to where it was found.
        #[serde(deserialize_with = "bounded::<_, _, { limits::LINK_DEPTH_MAX }>")]
        path: Vec<HubId>,
    },
    /// A hub on the way up is about to be linked itself, or its link is cut.
    #[error("a hub on the way up has no link at the moment")]
    Busy,
    /// There are as many hubs on the way up as there may be.
    #[error("the chain of {} hubs is as long as it may be", limits::LINK_DEPTH_MAX)]
    Depth,
    /// The admission of the hub above said no.
    #[error("its admission refused: {reason}")]
    Denied {
        /// Why.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
}

fn along(path: &[HubId]) -> String {
    path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> ")
}

/// The sessions below the link, all of them: what is known of others is of ones that have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Below {
    /// Some of them.
    #[serde(deserialize_with = "bounded::<_, _, { limits::BELOW_SESSIONS_MAX }>")]
    pub sessions: Vec<SessionId>,
    /// Whether more follow in another frame.
    pub more: bool,
}

/// A session below the link has ended for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// The session.
    pub session: SessionId,
}

/// An object is about to be made: who asks for it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserve {
    /// The object.
    pub object: ObjectId,
}

/// An object is made, or will not be: nobody waits for it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The object.
    pub object: ObjectId,
}

/// A session's Create is carried out, but for its being a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The number of the request.
    pub request: Request,
    /// The object; with `or_join` perhaps not the one asked for.
    pub object: ObjectId,
    /// Its history, if it was made for the session.
    pub epoch: Option<Epoch>,
}

/// Be the leaf of an object for all that are below the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub target: Target,
    /// The interface that it is to have, if that matters.
    pub interface: Option<InterfaceId>,
    /// What is there already. `None`: the state and the whole tail are wanted.
    pub cursor: Option<Cursor>,
}

/// The hub below is a leaf. Batches from `start.next()` follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
    /// What it is called.
    pub name: Option<Name>,
    /// Its interface.
    pub interface: InterfaceId,
    /// How its payloads are written.
    pub codec: Codec,
    /// Whether its leaves are told who else is one.
    pub presence: bool,
    /// Where the stream begins.
    pub start: Cursor,
    /// The object's last seq at this moment.
    pub last: Seq,
    /// Where the state at `start` is, if it is given.
    pub state: StateIs,
    /// Whether what was there already is to be done away with: it is of another history, or what
    /// follows it is not kept.
    pub anew: bool,
    /// Who owned the object at `start`, if somebody did.
    pub owner: Option<SessionId>,
    /// The objects that the state carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Fetched {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        self.state.check(payload, &self.carried)?;
        super::answer::check_start(self.start, self.last)
    }
}

/// A session below the link is at an object: as a leaf, or only to speak there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enroll {
    /// The number of the request.
    pub request: Request,
    /// The object, of which the hub below is a leaf.
    pub object: ObjectId,
    /// The session.
    pub session: SessionId,
    /// Whether it is a leaf.
    pub leaf: bool,
    /// The kinds of asks that the leaf's class answers.
    #[serde(deserialize_with = "bounded::<_, _, { limits::ASKS_MAX }>")]
    pub answers: Vec<Kind>,
    /// What its client is called among the members of objects.
    #[serde(deserialize_with = "bounded_text::<_, { limits::MEMBER_NAME_BYTES_MAX }>")]
    pub name: String,
    /// What the members of objects are told of its client.
    #[serde(deserialize_with = "bounded::<_, _, { limits::MEMBER_INFO_BYTES_MAX }>")]
    pub info: Vec<u8>,
}

/// The session is at the object. What became of its earlier ops stands in the batches that follow,
/// or in the Outcome frames that do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
    /// The op that the object's home awaits from the session.
    pub next_op: Op,
}

impl Enrolled {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        super::answer::check_op(self.next_op)
    }
}

/// A session below the link is not at an object any more in one of the ways in which it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw {
    /// The object.
    pub object: ObjectId,
    /// The session.
    pub session: SessionId,
    /// Whether as a leaf.
    pub leaf: bool,
}

/// A session below the link has lost its connection; it enrolls when it is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// The object.
    pub object: ObjectId,
    /// The session.
    pub session: SessionId,
}

/// A shout that was refused on its way up: its op is used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// The object.
    pub object: ObjectId,
    /// The session that shouted.
    pub session: SessionId,
    /// Its op.
    pub op: Op,
    /// What was wrong with it.
    pub why: Unpassed,
}

/// Why a shout goes no further up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unpassed {
    /// It was refused.
    Refused {
        /// Why.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
    /// It carries an object whose home is below.
    CarriedBelowHome {
        /// What it carries.
        carried: ObjectId,
    },
}

impl From<Unpassed> for Verdict {
    fn from(unfit: Unpassed) -> Self {
        match unfit {
            Unpassed::Refused { reason } => Self::Refused { reason },
            Unpassed::CarriedBelowHome { carried } => Self::CarriedBelowHome { carried },
        }
    }
}

impl Spent {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        super::answer::check_op(self.op)
    }
}

/// The way to the object's home is cut: shouts and asks wait until a [`Rejoin`](super::Rejoin)
/// comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalled {
    /// The object.
    pub object: ObjectId,
}
