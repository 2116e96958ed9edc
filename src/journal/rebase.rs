//! An object's history begun anew, where some of the old one is lost or may be: another epoch, and
//! seqs and ops that count from 1.
//!
//! In comes what is kept of an object, whole or not; out comes what can be gone on with, and what
//! had to be left out. Nothing of it can be taken for the old history: who shouted is named by an id
//! that no session has.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Change, Entry, Kept, Marks, State};
use crate::{
    object::{Carried, Epoch, Kind, ObjectId, Op, Seq, SessionId},
    wire::{Batch, BatchBuilder, OwnerChanged, batch_in},
};

/// What is gone on with, and what is left out of it, in words.
#[derive(Debug)]
pub(crate) struct Rebased {
    pub(crate) kept: Kept,
    pub(crate) left_out: Vec<String>,
}

/// Shouts that are given places anew.
struct Tail {
    batch: BatchBuilder,
    /// The op that each has next.
    ops: BTreeMap<SessionId, Op>,
    epoch: Epoch,
    entries: Vec<Entry>,
}

impl Kept {
    /// Its state as one before the first shout, and behind it the shouts that follow that state
    /// without a gap. Its entries have numbers behind all that it had: those can be cut.
    ///
    /// # Errors
    /// Why it cannot be gone on with: its definition is lost, or its state.
    pub(crate) fn rebase(&self, epoch: Epoch) -> Result<Rebased, &'static str> {
        let mut definition = self.definition.clone().ok_or("its definition is lost")?;
        if definition.stateful && self.state.is_none() {
            return Err("its state is lost");
        }
        definition.epoch = epoch;
        let state = self.state.as_ref().filter(|_| definition.stateful);
        let mut tail = Tail::new(self.object, epoch);
        let lost = self.follow(&mut tail, state);
        let state = state.map(|state| State {
            seq: Seq(0),
            carried: anew(&state.carried),
            bytes: state.bytes.clone(),
        });
        // Nobody's session owns it, until one joins that may.
        let owner = (!definition.asks.is_empty()).then_some(SessionId::OF_HUB);
        let marks = Marks { first: self.behind, next: self.behind, owner, ..Marks::default() };
        let (entries, number) = (tail.entries, self.number);
        let behind = self.behind + entries.len() as u64;
        let definition = Some(definition);
        let new = Self::new(self.object);
        let kept = Self { definition, state, marks, entries, number, behind, ..new };
        Ok(Rebased { kept, left_out: self.damage.iter().cloned().chain(lost).collect() })
    }

    /// The changes that make it what it is, in a journal that has none of it or an older one.
    pub(crate) fn changes(self) -> impl Iterator<Item = Change> {
        let Self { object, definition, state, marks, entries, .. } = self;
        let first = marks.first;
        let definition = definition.map(Box::new);
        let defined = definition.map(|definition| Change::Defined { object, definition });
        let state = state.map(|state| Change::State { object, state });
        let entries = entries.into_iter().zip(first..);
        let entries = entries.map(move |(entry, number)| Change::Entry { object, number, entry });
        defined.into_iter().chain(state).chain([Change::Cut { object, marks }]).chain(entries)
    }

    /// Gives a tail the shouts behind the state, up to the first gap; what is left out.
    fn follow(&self, tail: &mut Tail, state: Option<&State>) -> Option<String> {
        let mut next = state.map(|state| state.seq.next());
        for entry in &self.entries {
            let Entry::Chunk { first, last, frame } = entry else { continue };
            let awaited = next.unwrap_or(*first);
            if *last < awaited {
                continue;
            }
            let batch =
                batch_in(frame).filter(|batch| self.has(batch) && fits(batch, *first, *last));
            let added = batch.filter(|_| *first <= awaited);
            if !added.is_some_and(|batch| tail.add(&batch, awaited)) {
                next = Some(awaited);
                break;
            }
            next = Some(last.next());
        }
        let (next, last) = (next?, self.last());
        (next <= last).then(|| format!("the shouts {next} to {last} are left out"))
    }
}

impl Kept {
    /// Whether a batch is of this object, and of the history that it has.
    fn has(&self, batch: &Batch) -> bool {
        let epoch = self.definition.as_ref().map(|definition| definition.epoch);
        batch.object == self.object && Some(batch.epoch) == epoch
    }
}

impl Tail {
    fn new(object: ObjectId, epoch: Epoch) -> Self {
        let batch = BatchBuilder::new(object, epoch, Seq(1));
        Self { batch, ops: BTreeMap::new(), epoch, entries: Vec::new() }
    }

    /// Adds the shouts of a batch from one on. `false`, and nothing is added: one of them is larger
    /// than any can be.
    fn add(&mut self, batch: &Batch, from: Seq) -> bool {
        let shouts = || batch.shouts().filter(|shout| shout.seq >= from);
        let room = BatchBuilder::new(batch.object, self.epoch, Seq(1));
        if !shouts().all(|shout| room.has_room(shout.payload.len(), &shout.carried)) {
            return false;
        }
        for shout in shouts() {
            let carried = anew(&shout.carried);
            if !self.batch.has_room(shout.payload.len(), &carried) {
                self.seal(batch.hub_time_ms);
            }
            let session = heir(batch.sessions[shout.session].0, self.epoch);
            // The ops of what a hub says are its seqs.
            let seq = self.batch.next_seq();
            let op = match session {
                SessionId::OF_HUB => &mut Op(seq.0),
                session => self.ops.entry(session).or_insert(Op(1)),
            };
            let payload = retold(session, shout.kind, shout.payload, self.epoch);
            // Nobody waits any more for what leaves would say of it, so it does not ask them.
            self.batch.push(session, *op, shout.kind, &carried, &payload);
            *op = op.next();
        }
        self.seal(batch.hub_time_ms);
        true
    }

    fn seal(&mut self, hub_time_ms: u64) {
        let end = self.batch.next_seq();
        let first = Seq(end.0 - u64::from(self.batch.count()));
        let frame = self.batch.seal(hub_time_ms);
        self.entries.push(Entry::Chunk { first, last: Seq(end.0 - 1), frame });
    }
}

/// Who takes a session's place in another epoch: always the same, and nobody's session. What the hub
/// says stays the hub's.
fn heir(session: SessionId, epoch: Epoch) -> SessionId {
    if session == SessionId::OF_HUB {
        return session;
    }
    let hash = Sha256::new_with_prefix(b"multiplex: whose shouts these were")
        .chain_update(session.0)
        .chain_update(epoch.0)
        .finalize();
    SessionId(std::array::from_fn(|at| hash[at]))
}

/// What a hub has said of owners, of those who take their places.
fn retold(session: SessionId, kind: Kind, payload: Bytes, epoch: Epoch) -> Bytes {
    let changed = OwnerChanged::read(kind, &payload).filter(|_| session == SessionId::OF_HUB);
    let Some(OwnerChanged { from, to }) = changed else { return payload };
    OwnerChanged { from: heir(from, epoch), to: heir(to, epoch) }.encode().into()
}

/// What was heard of a carried object is said by a seq of a history that may be no more.
fn anew(carried: &[Carried]) -> Vec<Carried> {
    carried.iter().map(|each| Carried { seq: Seq(0), ..each.clone() }).collect()
}

/// Whether a batch is what its entry says.
fn fits(batch: &Batch, first: Seq, last: Seq) -> bool {
    (batch.first_seq, batch.last_seq()) == (first, last)
}
