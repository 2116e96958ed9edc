//! What is kept comes back, by either journal; and what is not whole is named.

mod damage;
#[cfg(feature = "redb")]
mod disk;
mod dump;
mod groups;
mod rebase;
mod records;
mod replay;

use bytes::Bytes;

use super::{
    Change, Contents, Definition, Edit, Entry, Held, Journal, JournalError, Kept, MarkOf, Marks,
    Memory, ResumeKeys, State,
};
use crate::object::{Carried, Codec, Epoch, HubId, InterfaceId, ObjectId, Op, Seq, SessionId};

const HUB: HubId = HubId([0xb0; 16]);
const ALEC: SessionId = SessionId([0xa1; 16]);
const KERMIT: ObjectId = ObjectId([0x0f; 16]);
const BLOT: ObjectId = ObjectId([0xb1; 16]);

fn begun() -> Change {
    Change::Begun(HUB)
}

fn session(session: SessionId) -> Change {
    let fresh = Held { hash: [7; 32], attempt: 3 };
    Change::Session { session, keys: ResumeKeys { fresh, used: None } }
}

fn definition(stateful: bool) -> Definition {
    Definition {
        epoch: Epoch([0xe0; 8]),
        interface: InterfaceId { tag: "pond.frog".parse().expect("is a tag"), version: 1 },
        codec: Codec::POSTCARD,
        owner: ALEC,
        name: Some("kermit".parse().expect("is a name")),
        pinned: true,
        presence: false,
        stateful,
        handover: false,
        asks: Vec::new(),
    }
}

fn defined(object: ObjectId, stateful: bool) -> Change {
    Change::Defined { object, definition: Box::new(definition(stateful)) }
}

fn state(object: ObjectId, seq: u64, bytes: &'static [u8]) -> Change {
    let tag = "pond.blot".parse().expect("is a tag");
    let carried = vec![Carried { object: BLOT, tag, seq: Seq(2) }];
    let state = State { seq: Seq(seq), carried, bytes: Bytes::from_static(bytes) };
    Change::State { object, state }
}

/// Not a frame: nothing that is kept is looked into.
fn chunk(object: ObjectId, number: u64, first: u64, last: u64) -> Change {
    let frame = Bytes::from(format!("shouts {first} to {last}"));
    let entry = Entry::Chunk { first: Seq(first), last: Seq(last), frame };
    Change::Entry { object, number, entry }
}

fn refused(object: ObjectId, number: u64) -> Change {
    let entry = Entry::Refused { session: ALEC, op: Op(9), count: 2 };
    Change::Entry { object, number, entry }
}

fn marks(first: u64, last: u64) -> Marks {
    let runs = vec![(4, Seq(1)), (2, Seq(0))];
    let marks = vec![MarkOf { session: ALEC, next: Op(7), runs }];
    Marks { first, next: first, last: Seq(last), marks, owner: None }
}

fn cut(object: ObjectId, first: u64, last: u64) -> Change {
    Change::Cut { object, marks: marks(first, last) }
}

/// A change of every kind that makes a record, and what they leave behind.
fn every_kind() -> Vec<Change> {
    vec![
        begun(),
        session(ALEC),
        Change::Ended { object: ObjectId([0xee; 16]), place: 1 },
        defined(KERMIT, true),
        state(KERMIT, 2, b"green"),
        cut(KERMIT, 1, 2),
        chunk(KERMIT, 1, 3, 5),
        refused(KERMIT, 2),
    ]
}

/// As commits, of one change each.
fn committed(journal: &mut dyn Journal, changes: &[Change], after: u64) {
    for (change, number) in changes.iter().zip(after + 1..) {
        let mut edits = Vec::new();
        change.edits(number, &mut edits);
        journal.commit(&edits).expect("commits");
    }
}

fn read(journal: &mut dyn Journal) -> Contents {
    Contents::read(journal, |_| {}).expect("can be read")
}

/// What a new journal in memory holds after these.
fn after(changes: &[Change]) -> Contents {
    let mut journal = Memory::default();
    committed(&mut journal, changes, 0);
    read(&mut journal)
}

/// Every record.
fn records(journal: &mut dyn Journal) -> Vec<(Vec<u8>, Bytes)> {
    let mut records = Vec::new();
    let each = &mut |key: &[u8], value: &[u8]| {
        records.push((key.to_vec(), Bytes::copy_from_slice(value)));
    };
    journal.read(each).expect("can be read");
    records
}
