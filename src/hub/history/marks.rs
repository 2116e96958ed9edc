//! Who is at which op, and what became of those before it: values.

use std::{cmp::Ordering, collections::VecDeque};

use super::Decision;
use crate::{
    hub::by_session::OfSession,
    limits::WINDOW_SHOUTS,
    object::{Op, Seq, SessionId},
};

/// Where a session's shouts have got to.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) session: SessionId,
    pub(super) next: Op,
    /// Whether the session was told that `next` is awaited.
    gap_told: bool,
    /// What became of those before it, as far as is kept. Most of the time that is one run.
    latest: Option<Run>,
    earlier: VecDeque<Run>,
}

/// Consecutive ops with consecutive seqs, or refused ones (seq 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) op: Op,
    pub(crate) seq: Seq,
    pub(crate) count: u32,
}

impl OfSession for Mark {
    fn session(&self) -> SessionId {
        self.session
    }
}

impl Mark {
    pub(super) fn new(session: SessionId) -> Self {
        let (latest, earlier) = (None, VecDeque::new());
        Self { session, next: Op(1), gap_told: false, latest, earlier }
    }

    pub(super) fn settle(&mut self, seq: Seq) {
        let op = self.next;
        self.next = op.next();
        self.gap_told = false;
        match &mut self.latest {
            Some(run) if run.continues_with(op, seq) => run.count += 1,
            latest => self.earlier.extend(latest.replace(Run { op, seq, count: 1 })),
        }
        let oldest = self.oldest();
        while self.earlier.front().is_some_and(|run| run.end() <= oldest.0) {
            self.earlier.pop_front();
        }
    }

    pub(super) fn runs(&self) -> usize {
        self.earlier.len() + usize::from(self.latest.is_some())
    }

    /// What becomes of an op that is not the next one.
    pub(super) fn out_of_turn(&mut self, op: Op) -> Option<Decision> {
        #[cfg(feature = "testing")]
        if crate::hub::faults::lets_pass(op.cmp(&self.next)) {
            return None;
        }
        match op.cmp(&self.next) {
            Ordering::Less => Some(self.outcome_of(op)),
            Ordering::Equal => None,
            Ordering::Greater => Some(self.gap()),
        }
    }

    /// Said once: what is under way behind the gap need not be answered one by one.
    fn gap(&mut self) -> Decision {
        if std::mem::replace(&mut self.gap_told, true) {
            return Decision::GapAgain;
        }
        Decision::Gap(self.next)
    }

    fn outcome_of(&self, op: Op) -> Decision {
        let at = self.earlier.partition_point(|run| run.end() <= op.0);
        let run = self.earlier.get(at).or(self.latest.as_ref());
        match run.filter(|run| run.op <= op).and_then(|run| run.seq_of(op)) {
            Some(seq) => Decision::Duplicate(seq),
            None => Decision::RefusedBefore,
        }
    }

    /// The oldest op that may be asked about: a client has no more under way than a window, so it
    /// knows what became of those before.
    fn oldest(&self) -> Op {
        Op(self.next.0.saturating_sub(WINDOW_SHOUTS as u64))
    }

    /// A run may begin long before the window does.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = Run> + '_ {
        self.earlier.iter().chain(&self.latest).map(|run| run.since(self.oldest()))
    }
}

impl Run {
    pub(super) fn continues_with(&self, op: Op, seq: Seq) -> bool {
        let next = if self.seq == Seq(0) { Seq(0) } else { self.seq.plus(self.count.into()) };
        self.op.plus(self.count.into()) == op && next == seq && self.count < u32::MAX
    }

    /// What of it is not before `oldest`, which its last is not.
    fn since(self, oldest: Op) -> Self {
        let before = oldest.0.saturating_sub(self.op.0);
        let seq = self.seq_of(self.op.plus(before)).unwrap_or(Seq(0));
        Self { op: self.op.plus(before), seq, count: self.count - before as u32 }
    }

    /// What of it has its place behind `after`, if anything has.
    pub(crate) fn behind(self, after: Seq) -> Option<Self> {
        let last = self.seq.plus(u64::from(self.count) - 1);
        let passed = after.next().0.saturating_sub(self.seq.0);
        (self.seq != Seq(0) && last > after).then(|| self.since(self.op.plus(passed)))
    }

    /// The op behind its last.
    fn end(&self) -> u64 {
        self.op.0 + u64::from(self.count)
    }

    fn seq_of(&self, op: Op) -> Option<Seq> {
        (self.seq != Seq(0)).then(|| self.seq.plus(op.0 - self.op.0))
    }
}
