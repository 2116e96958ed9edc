//! Newer states: how far the tail has filled, and what a newer state does away with.
//!
//! In comes a state of which a leaf says what it contains. It takes the place of the one before if
//! it is of this history, newer, and of shouts that leaves can have heard; then the chunks that it
//! contains go. What a state says is not looked at.

use bytes::Bytes;

use super::{CatchUp, History, Snapshot, ids};
use crate::{
    limits::TAIL_BYTES_MAX,
    object::{Carried, Cursor, Epoch, Op, Resync, Seq, SessionId},
};

/// A state that takes no other's place, and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("the object has no state")]
    Stateless,
    #[error("it is of another history, {0}")]
    Epoch(Epoch),
    #[error("it is of {at}, and the state there is of {present}")]
    NotNewer { at: Seq, present: Seq },
    #[error("it is of {at}, and {last} is the last that was heard")]
    Unheard { at: Seq, last: Seq },
}

impl History {
    /// Whether a shout would be given its place: it is the next one, and there is room.
    pub(crate) fn would_take(&self, session: SessionId, op: Op) -> bool {
        let next = self.marks.get(session).map_or(Op(1), |mark| mark.next);
        op == next && !self.is_full()
    }

    /// How many eighths of its bound the tail fills, if it waits for a newer state to be cut.
    pub(crate) fn filled_eighths(&self) -> Option<usize> {
        self.snapshot.as_ref()?;
        let of_bytes = self.tail_bytes * 8 / TAIL_BYTES_MAX;
        let of_shouts = self.kept() as usize * 8 / super::tail_shouts_max();
        Some(of_bytes.max(of_shouts))
    }

    /// Takes a newer state, and drops the chunks that are wholly contained in it.
    ///
    /// Everything that can fail comes before the first change.
    ///
    /// # Errors
    /// [`Unfit`]: nothing has changed.
    pub(crate) fn take_snapshot(
        &mut self,
        at: Cursor,
        state: Bytes,
        carried: Vec<Carried>,
    ) -> Result<(), Unfit> {
        self.check_fit(at)?;
        let contained = self.tail.partition_point(|chunk| chunk.last <= at.seq);
        self.news().change.state = Some(ids(&carried).unwrap_or_default());
        for _ in 0..contained {
            self.drop_oldest();
        }
        self.snapshot = Some(Box::new(Snapshot { seq: at.seq, state, carried }));
        if let Some(keeping) = &mut self.keeping {
            keeping.take_snapshot();
        }
        #[cfg(feature = "testing")]
        crate::hub::faults::count(|tally| tally.snapshots += 1);
        Ok(())
    }

    /// What follows a state that a leaf has been given, and the state; only that if the tail has gone
    /// on without it.
    pub(crate) fn catch_up_behind(
        &self,
        snapshot: Snapshot,
        resync: Option<Resync>,
        bytes: usize,
    ) -> CatchUp {
        let start = snapshot.seq;
        let follow = self.catch_up_from(Some(Cursor { epoch: self.epoch, seq: start }), bytes);
        let is_cut = follow.resync.is_some();
        let follow = if is_cut { CatchUp::nothing(start) } else { follow };
        CatchUp { start, restore: Some(snapshot), is_ahead: true, resync, ..follow }
    }

    /// Whether the tail follows the state without a gap.
    pub(super) fn follows_its_snapshot(&self) -> bool {
        let oldest = self.tail.front().map_or(self.sealed().next(), |chunk| chunk.first);
        self.snapshot
            .as_ref()
            .is_none_or(|present| oldest <= present.seq.next() && present.seq <= self.sealed())
    }

    fn check_fit(&self, at: Cursor) -> Result<(), Unfit> {
        let present = self.snapshot.as_ref().ok_or(Unfit::Stateless)?.seq;
        if at.epoch != self.epoch {
            return Err(Unfit::Epoch(at.epoch));
        }
        if at.seq <= present {
            return Err(Unfit::NotNewer { at: at.seq, present });
        }
        let last = self.sealed();
        if at.seq > last {
            return Err(Unfit::Unheard { at: at.seq, last });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
