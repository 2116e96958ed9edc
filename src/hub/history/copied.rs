//! The history of an object whose home is elsewhere: it takes in what has its place.

use bytes::Bytes;

use super::{Chunk, History, Run, Snapshot};
use crate::{
    object::{Cursor, ObjectId, Op, Seq, SessionId},
    wire::{Batch, BatchBuilder, batch_in},
};

impl History {
    /// One that begins behind `start`, with the state there if it has one.
    pub(crate) fn copied(
        object: ObjectId,
        start: Cursor,
        state: Option<Snapshot>,
        owner: SessionId,
    ) -> Self {
        let mut history = Self::new(object, start.epoch, None);
        history.snapshot = state.map(Box::new);
        history.open = BatchBuilder::new(object, start.epoch, start.seq.next());
        history.own(owner);
        history
    }

    /// Takes in a batch that follows what is here. What of it is here already is taken out, unless it
    /// is what the history begins with. Returns the frame that is kept.
    pub(crate) fn append(&mut self, object: ObjectId, frame: &Bytes, batch: &Batch) -> Bytes {
        let is_known = batch.first_seq <= self.last() && !self.tail.is_empty();
        if is_known && let Some((frame, rest)) = rest_of(batch, self.last()) {
            return self.append(object, &frame, &rest);
        }
        let (first, last) = (batch.first_seq, batch.last_seq());
        self.restore_owners(batch);
        self.tail_bytes += frame.len();
        self.tail.push_back(Chunk { first, last, frame: frame.clone(), carried: None });
        self.open = BatchBuilder::new(object, self.epoch, last.next());
        self.drop_oldest_while(Self::is_over);
        frame.clone()
    }

    /// Whether the tail is over its bound, and is needed.
    pub(crate) fn is_overfull(&self) -> bool {
        self.is_full()
    }

    /// The state that the tail follows.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_deref()
    }

    /// What a copy of it is given that has nothing: with a state that, else the whole tail.
    pub(crate) fn whole(&self) -> Option<Cursor> {
        let oldest = self.tail.front().map_or(self.last().next(), |chunk| chunk.first);
        let before = Cursor { epoch: self.epoch, seq: Seq(oldest.0 - 1) };
        self.snapshot.is_none().then_some(before)
    }

    /// The ops of a session that have their places behind `after`, out of the tail.
    pub(crate) fn runs_behind(&self, session: SessionId, after: Seq) -> Vec<Run> {
        let behind = self.tail.partition_point(|chunk| chunk.last <= after);
        let batches = self.tail.range(behind..).filter_map(|chunk| batch_in(&chunk.frame));
        let mut runs: Vec<Run> = Vec::new();
        for batch in batches {
            let Some(index) = batch.sessions.iter().position(|(it, _)| *it == session) else {
                continue;
            };
            for (op, seq) in batch.ops_of(index).filter(|(_, seq)| *seq > after) {
                add(&mut runs, op, seq);
            }
        }
        runs
    }
}

fn add(runs: &mut Vec<Run>, op: Op, seq: Seq) {
    match runs.last_mut() {
        Some(run) if run.continues_with(op, seq) => run.count += 1,
        _ => runs.push(Run { op, seq, count: 1 }),
    }
}

/// What of a batch has its place behind `after`, as a batch of its own.
fn rest_of(batch: &Batch, after: Seq) -> Option<(Bytes, Batch)> {
    let mut rest = BatchBuilder::new(batch.object, batch.epoch, after.next());
    for shout in batch.shouts().filter(|shout| shout.seq > after) {
        let (session, _) = batch.sessions[shout.session];
        let crate::wire::Shouted { op, kind, asks, carried, payload, .. } = shout;
        rest.push_asking(session, op, kind, &carried, &payload, asks);
    }
    let frame = rest.seal(batch.hub_time_ms);
    Some((frame.clone(), batch_in(&frame)?))
}
