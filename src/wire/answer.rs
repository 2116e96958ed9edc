//! What a hub tells a client, batches apart.

use serde::{Deserialize, Serialize};

use super::{Request, StateIs, codec::bounded, codec::bounded_text};
use crate::{
    limits,
    object::{Carried, Cursor, Epoch, InterfaceId, Name, ObjectId, Op, Resync, Seq, SessionId},
};

/// The session is a leaf. Batches from `start.next()` follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The number of the request.
    pub request: Request,
    /// The object; for a Create with `or_join` perhaps not the one asked for.
    pub object: ObjectId,
    /// What it is called.
    pub name: Option<Name>,
    /// Where the leaf's hearing begins: the first shout that follows is the next one.
    pub start: Cursor,
    /// The object's last seq at this moment: what is heard up to it is the past.
    pub last: Seq,
    /// Where the state at `start` is, which is to be restored before anything is heard.
    pub state: StateIs,
    /// What was missed for good, for a session that had a cursor.
    pub resync: Option<Resync>,
    /// The op that the object's home awaits from this session. What became of earlier ones
    /// stands in the batches that follow, or in the Outcome frames that do.
    pub next_op: Op,
    /// Who owned the object at `start`, if somebody did. Changes after it are told in the order.
    pub owner: Option<SessionId>,
    /// Whether the way to the object's home is cut: this is what was known before, `next_op` says
    /// nothing, and shouts wait until a [`Rejoin`] comes.
    pub stale: bool,
    /// The objects that the state carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Joined {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        self.state.check(payload, &self.carried)?;
        check_start(self.start, self.last)?;
        check_op(self.next_op)
    }
}

/// The session can shout at the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// The number of the request.
    pub request: Request,
    /// The object.
    pub object: ObjectId,
    /// Its history.
    pub epoch: Epoch,
    /// The op that the object's home awaits from this session. What became of earlier ones
    /// stands in the batches that follow, or in the Outcome frames that do.
    pub next_op: Op,
}

impl Attached {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        check_op(self.next_op)
    }
}

/// A request was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The number of the request.
    pub request: Request,
}

/// A request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The number of the request.
    pub request: Request,
    /// Why.
    pub refusal: Refusal,
}

/// Why a request was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The directory has no such name, or the hub no such object.
    #[error("there is no such object")]
    Unknown,
    /// The object is of another interface, or of another version of it.
    #[error("the object is a {there}, not a {wanted}")]
    Interface {
        /// What the request named.
        wanted: InterfaceId,
        /// What the object is.
        there: InterfaceId,
    },
    /// The name belongs to another object.
    #[error("the name `{0}` is taken")]
    NameTaken(Name),
    /// The object has a name already.
    #[error("the object is named `{0}` already")]
    HasName(Name),
    /// An object of that id exists, or existed.
    #[error("the object {0} exists already")]
    Exists(ObjectId),
    /// The hub's admission said no.
    #[error("the hub's admission refused: {0}")]
    Denied(#[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")] String),
    /// The hub's admission did not decide in time.
    #[error("the hub's admission did not decide within {ms} ms")]
    Late {
        /// The time it had, in milliseconds.
        ms: u32,
    },
    /// A limit of the hub is reached.
    #[error("the hub's limit of {max} {what} is reached")]
    Limit {
        /// What there would be too many of.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        what: String,
        /// The limit.
        max: u32,
    },
    /// The object has failed: its repeater panicked too often.
    #[error("the object has failed: {0}")]
    Failed(#[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")] String),
    /// The session is no leaf of the object and has not attached to it.
    #[error("the session has not joined the object")]
    NotJoined,
    /// The hub is stopping.
    #[error("the hub is stopping")]
    Stopping,
    /// There was such an object, and it is no more: destroyed, or dropped when nobody needed it.
    #[error("the object is no more")]
    Gone,
    /// The state carries an object whose home is below: those above cannot have it.
    #[error("{}", super::carried_below_home(*carried, *object))]
    CarriedBelowHome {
        /// What is carried.
        carried: ObjectId,
        /// Where.
        object: ObjectId,
    },
}

/// What became of shouts, told to sessions that do not hear them, and of those not sequenced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The object.
    pub object: ObjectId,
    /// The first op it is about.
    pub op: Op,
    /// What became of it.
    pub verdict: Verdict,
}

impl Outcome {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        check_op(self.op)?;
        match self.verdict {
            Verdict::Sequenced { seq: Seq(0), .. } => Err("seqs count from 1"),
            Verdict::Sequenced { count: 0, .. } => Err("a run without ops"),
            Verdict::Sequenced { seq, count } => {
                let ends = [self.op.0, seq.0].map(|first| first.checked_add(count.into()));
                ends.iter().all(Option::is_some).then_some(()).ok_or("the run overflows")
            }
            Verdict::Refused { .. } | Verdict::Gap | Verdict::CarriedBelowHome { .. } => Ok(()),
        }
    }
}

/// What became of a shout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Verdict {
    /// `count` ops from this one on have the seqs from `seq` on.
    Sequenced {
        /// The seq of the first.
        seq: Seq,
        /// How many ops.
        count: u32,
    },
    /// This op was refused, and is used up.
    Refused {
        /// Why.
        #[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")]
        reason: String,
    },
    /// Nothing was used up: the home awaits this op. Send again from it on.
    Gap,
    /// This op was refused, and is used up: it carries an object whose home is below.
    CarriedBelowHome {
        /// What it carries.
        carried: ObjectId,
    },
}

/// The object's repeater was made anew: join (with the cursor) or attach once more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejoin {
    /// The object.
    pub object: ObjectId,
}

/// The object is no more, here or anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The object.
    pub object: ObjectId,
    /// Why.
    pub reason: EndReason,
}

/// Why an object is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum EndReason {
    /// Its repeater panicked too often.
    #[error("its repeater failed: {0}")]
    Failed(#[serde(deserialize_with = "bounded_text::<_, { limits::REASON_BYTES_MAX }>")] String),
    /// A leaf destroyed it: its last shout has been heard.
    #[error("it was destroyed")]
    Destroyed,
    /// It had no leaf and no pin, and nothing that is kept listed it.
    #[error("nobody needed it any more")]
    Dropped,
}

/// A newer state of the object is wanted, so that its tail can be cut. A leaf that can make one
/// answers with a [`Snapshot`](super::Snapshot), and one that cannot with an empty one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotWanted {
    /// The object.
    pub object: ObjectId,
}

/// The leaf has missed shouts for good. Batches from `start.next()` follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resynced {
    /// The object.
    pub object: ObjectId,
    /// Where the leaf's hearing goes on: the first shout that follows is the next one.
    pub start: Cursor,
    /// The object's last seq at this moment: what is heard up to it is the past.
    pub last: Seq,
    /// Where the state at `start` is, which is to be restored before anything is heard.
    pub state: StateIs,
    /// What was missed.
    pub resync: Resync,
    /// Who owned the object at `start`, if somebody did. Changes after it are told in the order.
    pub owner: Option<SessionId>,
    /// The objects that the state carries.
    #[serde(deserialize_with = "bounded::<_, _, { limits::CARRIED_MAX }>")]
    pub carried: Vec<Carried>,
}

impl Resynced {
    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        self.state.check(payload, &self.carried)?;
        check_start(self.start, self.last)
    }
}

/// What was given to a leaf that has asked with a [`Pull`](super::Pull) ends here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulled {
    /// The object.
    pub object: ObjectId,
    /// The last shout that was given, or that the leaf had heard.
    pub last: Seq,
    /// Whether that is all there is. Then what is shouted from now on follows without being asked for.
    pub current: bool,
}

/// Names of the directory, in order. A listing that does not fit one frame comes in several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The number of the request.
    pub request: Request,
    /// The names.
    #[serde(deserialize_with = "bounded::<_, _, { limits::FRAME_BYTES_MAX / 20 }>")]
    pub entries: Vec<Entry>,
    /// Whether this is the end of the listing.
    pub last: bool,
}

/// A named object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is called.
    pub name: Name,
    /// Which it is.
    pub object: ObjectId,
    /// What it is.
    pub interface: InterfaceId,
}

/// A change in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The number of the listing that it changes.
    pub request: Request,
    /// The change.
    pub change: Change,
}

/// How the directory changed.
///
/// ```
/// use actix_multiplex::Change;
/// let gone = Change::Removed("kermit".parse()?);
/// assert!(matches!(gone, Change::Removed(name) if name.as_str() == "kermit"));
/// # Ok::<(), actix_multiplex::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Change {
    /// A name came.
    Added(Entry),
    /// A name went.
    Removed(Name),
}

pub(super) fn check_start(start: Cursor, last: Seq) -> Result<(), &'static str> {
    (start.seq <= last).then_some(()).ok_or("the start is after the last seq")
}

pub(super) fn check_op(op: Op) -> Result<(), &'static str> {
    (op != Op(0)).then_some(()).ok_or("ops count from 1")
}
