//! What of a history belongs in a journal: what was decided since this was last asked for, and the
//! cuts that follow the tail's.
//!
//! Entries are numbered as they are decided. The journal's tail may be longer than the one here: it
//! is cut when that is worth writing all marks once more.

use std::collections::VecDeque;

use super::{Chunk, History, Mark, Run, Snapshot};
use crate::{
    journal::{self, Change, Entry, MarkOf, Marks},
    limits::{CUT_RUN_BYTES, REFUSAL_BYTES, REFUSED_MAX},
    object::{ObjectId, Op, SessionId},
};

/// What is to be kept, and is not known to be.
#[derive(Debug)]
pub(super) struct Keeping {
    entries: Vec<Entry>,
    /// The number of the next entry.
    next: u64,
    /// The numbers of the tail's chunks.
    chunks: VecDeque<u64>,
    /// Bytes that the journal has and the tail has not.
    dropped: usize,
    /// How many runs the journal's marks have.
    marks: usize,
    /// Whether the state is newer than the journal's.
    has_state: bool,
}

impl Keeping {
    /// Of a history whose entries so far the journal has: the chunks of its tail under these
    /// numbers, `next` behind all of them, and so many refusals.
    pub(super) fn behind(chunks: VecDeque<u64>, next: u64, refusals: usize) -> Self {
        let dropped = refusals * REFUSAL_BYTES;
        Self { entries: Vec::new(), next, chunks, dropped, marks: 0, has_state: false }
    }

    pub(super) fn seal(&mut self, chunk: &Chunk) {
        let Chunk { first, last, frame, .. } = chunk.clone();
        self.chunks.push_back(self.next);
        self.add(Entry::Chunk { first, last, frame });
    }

    pub(super) fn refuse(&mut self, session: SessionId, op: Op) {
        #[cfg(feature = "testing")]
        if crate::hub::faults::Fault::RefusalsNotKept.is_armed() {
            return;
        }
        if let Some(Entry::Refused { session: before, op: first, count }) = self.entries.last_mut()
            && *before == session
            && first.plus((*count).into()) == op
            && *count < REFUSED_MAX
        {
            *count += 1;
            return;
        }
        // Refusals alone are worth a cut too, in the end.
        self.dropped += REFUSAL_BYTES;
        self.add(Entry::Refused { session, op, count: 1 });
    }

    pub(super) fn drop_oldest(&mut self, bytes: usize) {
        self.chunks.pop_front();
        self.dropped += bytes;
    }

    pub(super) fn take_snapshot(&mut self) {
        self.has_state = true;
    }

    fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
        self.next += 1;
    }

    fn is_cut_due(&self) -> bool {
        self.has_state || self.dropped > cut_bytes().max(self.marks * CUT_RUN_BYTES)
    }
}

impl History {
    /// Its changes are for a journal from here on, in which it is as it is now.
    pub(crate) fn keep(&mut self) {
        debug_assert!(self.tail.is_empty(), "its past is in no journal");
        self.keeping = Some(Box::new(Keeping::behind(VecDeque::new(), 0, 0)));
    }

    /// The state that it has, for a journal.
    pub(crate) fn state(&self) -> Option<journal::State> {
        self.snapshot.as_deref().map(journal::State::from)
    }

    /// What is not known to be in the journal. Nothing is open. The same is said until it is
    /// [kept](Self::kept_all), and may be written more than once.
    pub(crate) fn unkept(&self, object: ObjectId) -> Vec<Change> {
        let Some(keeping) = &self.keeping else { return Vec::new() };
        let first = keeping.next - keeping.entries.len() as u64;
        let numbered = keeping.entries.iter().cloned().zip(first..);
        let entry = |(entry, number)| Change::Entry { object, number, entry };
        let mut changes: Vec<_> = numbered.map(entry).collect();
        if let Some(state) = self.state().filter(|_| keeping.has_state) {
            changes.push(Change::State { object, state });
        }
        if keeping.is_cut_due() {
            changes.push(Change::Cut { object, marks: self.marks_for(keeping) });
        }
        changes
    }

    /// All that was [unkept](Self::unkept) is on its way into the journal, in one piece.
    pub(crate) fn kept_all(&mut self) {
        let Some(keeping) = &mut self.keeping else { return };
        keeping.entries.clear();
        if keeping.is_cut_due() {
            keeping.marks = self.marks.all().iter().map(Mark::runs).sum();
            keeping.dropped = 0;
            #[cfg(feature = "testing")]
            crate::hub::faults::count(|tally| tally.cuts_of_journals += 1);
        }
        keeping.has_state = false;
    }

    fn marks_for(&self, keeping: &Keeping) -> Marks {
        debug_assert_eq!(self.open.count(), 0, "marks are of what is in chunks");
        Marks {
            first: keeping.chunks.front().copied().unwrap_or(keeping.next),
            next: keeping.next,
            last: self.last(),
            marks: self.marks.all().iter().map(MarkOf::from).collect(),
            owner: self.ownership.as_ref().map(|_| self.owner()),
        }
    }
}

impl From<&Mark> for MarkOf {
    fn from(mark: &Mark) -> Self {
        let run = |Run { seq, count, .. }| (count, seq);
        Self { session: mark.session, next: mark.next, runs: mark.outcomes().map(run).collect() }
    }
}

impl From<&Snapshot> for journal::State {
    fn from(snapshot: &Snapshot) -> Self {
        let Snapshot { seq, state, carried } = snapshot.clone();
        Self { seq, carried, bytes: state }
    }
}

impl From<journal::State> for Snapshot {
    fn from(state: journal::State) -> Self {
        let journal::State { seq, carried, bytes } = state;
        Self { seq, state: bytes, carried }
    }
}

/// The bound, which simulations make smaller.
#[cfg(feature = "testing")]
fn cut_bytes() -> usize {
    crate::hub::faults::cut_bytes()
}

#[cfg(not(feature = "testing"))]
fn cut_bytes() -> usize {
    crate::limits::CUT_BYTES
}

#[cfg(test)]
mod tests;
