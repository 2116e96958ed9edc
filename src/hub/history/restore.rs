//! A history out of a journal.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Chunk, History, Keeping, Mark,
    news::{distinct, ids},
};
use crate::{
    journal::{Entry, Kept, MarkOf, Marks},
    object::{ObjectId, Op, Seq, SessionId},
    wire::{self, Batch},
};

/// Ops of each session with their seqs, 0 for ones refused, in the order of the ops.
type Ops = BTreeMap<SessionId, BTreeMap<Op, Seq>>;

/// What is kept does not make a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsound {
    #[error("{0}")]
    Damaged(String),
    #[error("entry {0} is no chunk of this object")]
    Chunk(u64),
    #[error("op {op} of session {session} does not follow those before it", op = op.0)]
    Op { session: SessionId, op: Op },
    #[error("its entries and its state do not follow each other")]
    Gap,
}

impl History {
    /// The history that a journal has of an object, and the sessions that have shouted there. Of
    /// sessions that are not `known` nothing is remembered: they have ended.
    ///
    /// # Errors
    /// [`Unsound`]: what is kept is not whole.
    pub(crate) fn restored(
        object: ObjectId,
        kept: &Kept,
        known: impl Fn(SessionId) -> bool,
    ) -> Result<Self, Unsound> {
        if let Some(damage) = kept.damage() {
            return Err(Unsound::Damaged(damage.to_owned()));
        }
        let Kept { definition, state, marks, entries, .. } = kept;
        let missing = || Unsound::Damaged("its definition is missing".to_owned());
        let definition = definition.as_ref().ok_or_else(missing)?;
        let epoch = definition.epoch;
        let mut history = Self::new(object, epoch, None);
        if !definition.asks.is_empty() {
            // Whoever it was handed to in an entry that was cut is in the marks.
            history.own(marks.owner.unwrap_or(definition.owner));
        }
        history.restore_state(state.clone());
        let Marks { first, next, last, marks, .. } = marks.clone();
        let end = first + entries.len() as u64;
        let (mut ops, mut numbers) = (Ops::new(), Vec::new());
        for (entry, number) in entries.iter().cloned().zip(first..) {
            let counted = if number >= next { &mut ops } else { &mut Ops::new() };
            match entry {
                Entry::Refused { session, op, count } => refuse(counted, session, op, count),
                Entry::Chunk { first, last, frame } => {
                    let batch = wire::batch_in(&frame).filter(|batch| {
                        let said = (batch.object, batch.epoch, batch.first_seq, batch.last_seq());
                        said == (object, epoch, first, last)
                    });
                    let batch = batch.ok_or(Unsound::Chunk(number))?;
                    numbers.push(number);
                    history.restore_owners(&batch);
                    history.restore_chunk(chunk_of(&batch, frame, counted));
                }
            }
        }
        let state = history.snapshot.as_ref().map(|snapshot| snapshot.seq);
        let chunk = history.tail.back().map(|chunk| chunk.last);
        let last = state.into_iter().chain(chunk).fold(last, Ord::max);
        history.open = wire::BatchBuilder::new(object, epoch, last.next());
        for mark in marks.into_iter().filter(|mark| known(mark.session)) {
            history.marks.insert(mark.into());
        }
        for (session, ops) in ops.into_iter().filter(|(session, _)| known(*session)) {
            history.replay(session, ops)?;
        }
        let refusals = kept.entries.len() - numbers.len();
        let keeping = Keeping::behind(numbers.into(), end.max(next), refusals);
        history.keeping = Some(Box::new(keeping));
        history.drop_oldest_while(Self::is_over);
        if history.is_sound() { Ok(history) } else { Err(Unsound::Gap) }
    }

    fn restore_state(&mut self, state: Option<crate::journal::State>) {
        let Some(state) = state else { return };
        self.news().change.state = ids(&state.carried);
        self.snapshot = Some(Box::new(state.into()));
    }

    fn restore_chunk(&mut self, chunk: Chunk) {
        self.tail_bytes += chunk.frame.len();
        if let Some(carried) = chunk.carried.clone() {
            self.news().change.added.push(carried);
        }
        self.tail.push_back(chunk);
    }

    fn replay(&mut self, session: SessionId, ops: BTreeMap<Op, Seq>) -> Result<(), Unsound> {
        let mark = self.marks.get_or_insert_with(session, || Mark::new(session));
        for (op, seq) in ops {
            if op != mark.next {
                return Err(Unsound::Op { session, op });
            }
            mark.settle(seq);
        }
        Ok(())
    }
}

impl From<MarkOf> for Mark {
    fn from(of: MarkOf) -> Self {
        let mut mark = Self::new(of.session);
        let count: u64 = of.runs.iter().map(|(count, _)| u64::from(*count)).sum();
        mark.next = Op(of.next.0.saturating_sub(count).max(1));
        for (count, seq) in of.runs {
            (0..count.into())
                .for_each(|n| mark.settle(if seq == Seq(0) { seq } else { seq.plus(n) }));
        }
        mark
    }
}

fn refuse(ops: &mut Ops, session: SessionId, op: Op, count: u32) {
    let refused = (0..count.into()).map(|n| (op.plus(n), Seq(0)));
    ops.entry(session).or_default().extend(refused);
}

/// The chunk that a batch is; its ops are added to those of their sessions.
fn chunk_of(batch: &Batch, frame: Bytes, ops: &mut Ops) -> Chunk {
    let mut carried = Vec::new();
    for shout in batch.shouts() {
        let session = batch.sessions[shout.session].0;
        if session != SessionId::OF_HUB {
            ops.entry(session).or_default().insert(shout.op, shout.seq);
        }
        carried.extend(shout.carried.iter().map(|each| each.object));
    }
    let (first, last) = (batch.first_seq, batch.last_seq());
    Chunk { first, last, frame, carried: distinct(carried) }
}
