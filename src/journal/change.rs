//! What changes on a hub that is to be kept, and the records that each change makes.
//!
//! | record | made when | body |
//! |---|---|---|
//! | hub | the journal is new | format, hub id |
//! | session | it begins, or goes on | hashes of its keys, with the tries |
//! | ended | an object ends | its id |
//! | definition | an object is made, named or pinned | epoch, interface, codec, owner, name, manner |
//! | state | an object is made with one, or takes a newer one | seq, carried, the state |
//! | marks | entries are cut | who is at which op, with the outcomes |
//! | above | the hub is linked, and whenever that is tried | the hub above, the link's session and key |
//! | below | a session below a link comes | the link's session |
//! | entry | a turn ends | a chunk; or ops refused |
//!
//! The marks of a session that is in no session record are of no consequence: it has ended.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Edit,
    record::{Key, seal},
};
use crate::{
    limits::REFUSED_MAX,
    object::{Carried, Codec, Epoch, HubId, InterfaceId, Kind, Name, ObjectId, Op, Seq, SessionId},
    wire::Resume,
};

/// One thing that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The journal is new, and is this hub's.
    Begun(HubId),
    Session {
        session: SessionId,
        keys: ResumeKeys,
    },
    SessionEnded(SessionId),
    /// An object is made, or its definition is another one.
    Defined {
        object: ObjectId,
        definition: Box<Definition>,
    },
    /// An object is no more; `place` counts those.
    Ended {
        object: ObjectId,
        place: u64,
    },
    /// Whatever was said of an object that is no more goes.
    Cleared(ObjectId),
    /// An object has a state; what it contains is cut by another change.
    State {
        object: ObjectId,
        state: State,
    },
    Entry {
        object: ObjectId,
        number: u64,
        entry: Entry,
    },
    /// All entries before `marks.first` go. What they said of shouters is in the marks.
    Cut {
        object: ObjectId,
        marks: Marks,
    },
    /// The hub is below this one, with which its session is gone on so.
    Linked {
        hub: HubId,
        resume: Resume,
    },
    /// It is below none.
    Unlinked,
    /// A session is below a link.
    Below {
        session: SessionId,
        link: SessionId,
    },
    /// A session below a link has ended.
    BelowEnded(SessionId),
    /// Of the ended objects those before this place are forgotten.
    Unremembered {
        before: u64,
    },
}

/// What an object is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of what it is")]
pub(crate) struct Definition {
    pub(crate) epoch: Epoch,
    pub(crate) interface: InterfaceId,
    /// How payloads and states are written.
    pub(crate) codec: Codec,
    /// Who made it.
    pub(crate) owner: SessionId,
    pub(crate) name: Option<Name>,
    pub(crate) pinned: bool,
    pub(crate) presence: bool,
    /// Whether it has a state.
    pub(crate) stateful: bool,
    /// Whether another leaf owns it when the owner is none any more.
    ///
    /// With the asks behind the rest, where there are some: older records end before it.
    #[serde(skip)]
    pub(crate) handover: bool,
    /// Its asks.
    #[serde(skip)]
    pub(crate) asks: Vec<Kind>,
}

/// A state, and the last seq that it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) seq: Seq,
    pub(crate) carried: Vec<Carried>,
    pub(crate) bytes: Bytes,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Shouts that have their place, as the frame that leaves hear.
    Chunk { first: Seq, last: Seq, frame: Bytes },
    /// Ops that are used up without a place.
    Refused { session: SessionId, op: Op, count: u32 },
}

/// Who is at which op, as of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the marks are what it is about")]
pub(crate) struct Marks {
    /// The first entry that is kept.
    pub(crate) first: u64,
    /// The first entry that says something which is not in these.
    pub(crate) next: u64,
    /// The last shout that has its place.
    pub(crate) last: Seq,
    pub(crate) marks: Vec<MarkOf>,
    /// Who owns the object, if it has asks. The cut entries may have said so. It is behind the rest.
    #[serde(skip)]
    pub(crate) owner: Option<SessionId>,
}

/// Where a session's shouts have got to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MarkOf {
    pub(crate) session: SessionId,
    /// The op that is awaited.
    pub(crate) next: Op,
    /// The latest before it: runs of how many, and the seq of the first of each, 0 for ones refused.
    pub(crate) runs: Vec<(u32, Seq)>,
}

/// What a session is gone on with: hashes of its keys, with the latest try of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResumeKeys {
    pub(crate) fresh: Held,
    pub(crate) used: Option<Held>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) hash: [u8; 32],
    pub(crate) attempt: u32,
}

/// The head of a state record; the state follows.
#[derive(Serialize, Deserialize)]
struct StateHead {
    seq: Seq,
    carried: Vec<Carried>,
}

/// The head of an entry; a chunk's frame follows.
#[derive(Serialize, Deserialize)]
enum EntryHead {
    Chunk { first: Seq, last: Seq },
    Refused { session: SessionId, op: Op, count: u32 },
}

/// The record of the journal itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) format: u16,
    pub(super) hub: HubId,
}

impl Change {
    /// The edits that make it, under a number higher than those before.
    pub(crate) fn edits(&self, number: u64, edits: &mut Vec<Edit>) {
        let mut put = |key: Key, head: &[u8], rest: &[u8]| {
            let key = key.encode();
            let value = seal(&key, number, &[head, rest]);
            edits.push(Edit::Put { key, value });
        };
        match self {
            Self::Begun(hub) => {
                put(Key::Hub, &plain(&Header { format: FORMAT, hub: *hub }), &[]);
            }
            Self::Session { session, keys } => put(Key::Session(*session), &plain(keys), &[]),
            Self::SessionEnded(session) => edits.push(remove(Key::Session(*session))),
            Self::Defined { object, definition } => {
                put(Key::Definition(*object), &plain(definition), &definition.behind());
            }
            Self::Ended { object, place } => {
                put(Key::Ended(*place), &plain(object), &[]);
                clear(*object, edits);
            }
            Self::Cleared(object) => clear(*object, edits),
            Self::State { object, state } => {
                let head = StateHead { seq: state.seq, carried: state.carried.clone() };
                put(Key::State(*object), &plain(&head), &state.bytes);
            }
            Self::Entry { object, number, entry } => {
                let (head, rest) = entry.encode();
                put(Key::Entry(*object, *number), &head, rest);
            }
            Self::Cut { object, marks } => {
                let owner = marks.owner.map_or_else(Vec::new, |owner| plain(&owner));
                put(Key::Marks(*object), &plain(marks), &owner);
                edits.push(range(Key::Entry(*object, 0), Key::Entry(*object, marks.first)));
            }
            Self::Linked { hub, resume } => put(Key::Above, &plain(&(hub, resume)), &[]),
            Self::Unlinked => edits.push(remove(Key::Above)),
            Self::Below { session, link } => put(Key::Below(*session), &plain(link), &[]),
            Self::BelowEnded(session) => edits.push(remove(Key::Below(*session))),
            Self::Unremembered { before } => {
                edits.push(range(Key::Ended(0), Key::Ended(*before)));
            }
        }
    }
}

impl Key {
    fn all_of(object: ObjectId) -> impl Iterator<Item = Self> {
        [Self::Definition(object), Self::State(object), Self::Marks(object)].into_iter()
    }
}

impl Definition {
    /// What stands behind the rest: nothing without asks.
    fn behind(&self) -> Vec<u8> {
        if self.asks.is_empty() { Vec::new() } else { plain(&(self.handover, &self.asks)) }
    }

    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let (definition, behind) = postcard::take_from_bytes::<Self>(body).ok()?;
        if behind.is_empty() {
            return Some(definition);
        }
        let (handover, asks) = postcard::from_bytes(behind).ok()?;
        Some(Self { handover, asks, ..definition })
    }
}

impl Marks {
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let (marks, behind) = postcard::take_from_bytes::<Self>(body).ok()?;
        let owner = (!behind.is_empty()).then(|| postcard::from_bytes(behind)).transpose().ok()?;
        Some(Self { owner, ..marks })
    }
}

impl State {
    pub(super) fn decode(body: &Bytes) -> Option<Self> {
        let (StateHead { seq, carried }, rest) = postcard::take_from_bytes(body).ok()?;
        Some(Self { seq, carried, bytes: body.slice_ref(rest) })
    }
}

impl Entry {
    fn encode(&self) -> (Vec<u8>, &[u8]) {
        let (head, rest): (_, &[u8]) = match self {
            Self::Chunk { first, last, frame } => {
                (EntryHead::Chunk { first: *first, last: *last }, frame)
            }
            Self::Refused { session, op, count } => {
                (EntryHead::Refused { session: *session, op: *op, count: *count }, &[])
            }
        };
        (plain(&head), rest)
    }

    pub(super) fn decode(body: &Bytes) -> Option<Self> {
        let (head, rest) = postcard::take_from_bytes(body).ok()?;
        Some(match head {
            EntryHead::Chunk { first, last } => {
                Self::Chunk { first, last, frame: body.slice_ref(rest) }
            }
            EntryHead::Refused { count, .. } if count > REFUSED_MAX => return None,
            EntryHead::Refused { session, op, count } => Self::Refused { session, op, count },
        })
    }
}

fn clear(object: ObjectId, edits: &mut Vec<Edit>) {
    edits.extend(Key::all_of(object).map(remove));
    edits.push(range(Key::Entry(object, 0), Key::Entry(object, u64::MAX)));
}

fn remove(key: Key) -> Edit {
    let from = key.encode();
    // The next key there can be.
    let to = [from.as_slice(), &[0]].concat();
    Edit::Remove { from, to }
}

fn range(from: Key, to: Key) -> Edit {
    Edit::Remove { from: from.encode(), to: to.encode() }
}

fn plain<T: Serialize>(what: &T) -> Vec<u8> {
    postcard::to_stdvec(what).expect("plain data can be written")
}

/// The format that is written. Older ones are read.
pub(super) const FORMAT: u16 = 1;
