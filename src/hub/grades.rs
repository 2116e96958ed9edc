//! Which leaves are still to handle the shouts that asked for it.
//!
//! A value: no actor, no clock. In come shouts with the leaves that there were, and what leaves say;
//! out comes what their shouters are told. Whoever parts is missing.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    limits::{GRADE_LEAVES_MAX, GRADE_MISSING_MAX, GRADES_MAX, SESSION_GRADES_MAX},
    object::{ObjectId, Op, Seq, SessionId},
    wire::Handled,
};

/// The shouts of one object that wait for those who are to handle them.
#[derive(Debug, Default)]
pub(crate) struct Grades {
    open: VecDeque<Grade>,
    /// Those that wait no longer, and were not told.
    closed: Vec<Grade>,
    /// Leaves that all open ones wait for.
    awaited: usize,
}

/// A shout that asked who has handled it.
#[derive(Debug)]
struct Grade {
    shouter: SessionId,
    op: Op,
    seq: Seq,
    due_ms: u64,
    of: usize,
    /// Who is still to handle it.
    awaited: BTreeSet<SessionId>,
    /// Who has parted and has not.
    parted: Vec<SessionId>,
}

impl Grades {
    /// A shout that asks has its place, among these leaves. Past the limits it is closed at once.
    pub(crate) fn open(
        &mut self,
        (shouter, op, seq): (SessionId, Op, Seq),
        leaves: BTreeSet<SessionId>,
        due_ms: u64,
    ) {
        let of_session = self.open.iter().filter(|grade| grade.shouter == shouter).count();
        let has_room = self.open.len() < GRADES_MAX
            && of_session < SESSION_GRADES_MAX
            && self.awaited + leaves.len() <= GRADE_LEAVES_MAX;
        let (of, awaited, parted) = (leaves.len(), leaves, Vec::new());
        let grade = Grade { shouter, op, seq, due_ms, of, awaited, parted };
        if has_room && of > 0 {
            self.awaited += of;
            self.open.push_back(grade);
        } else {
            self.closed.push(grade);
        }
    }

    /// A leaf is done with everything up to `seq`. Says how many shouts that may be about.
    pub(crate) fn heard(&mut self, leaf: SessionId, seq: Seq) -> usize {
        let behind = self.open.partition_point(|grade| grade.seq <= seq);
        for grade in self.open.range_mut(..behind) {
            self.awaited -= usize::from(grade.awaited.remove(&leaf));
        }
        self.close_if(|grade| grade.awaited.is_empty());
        behind
    }

    /// A session is no leaf any more.
    pub(crate) fn parted(&mut self, leaf: SessionId) {
        for grade in &mut self.open {
            if grade.awaited.remove(&leaf) {
                self.awaited -= 1;
                grade.parted.push(leaf);
            }
        }
        self.close_if(|grade| grade.awaited.is_empty());
    }

    /// A session has gone for good: it is told nothing.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.open.retain(|grade| grade.shouter != session);
        self.awaited = self.open.iter().map(|grade| grade.awaited.len()).sum();
        self.parted(session);
    }

    /// The time has come to this.
    pub(crate) fn expire(&mut self, now_ms: u64) {
        self.close_if(|grade| grade.due_ms <= now_ms);
    }

    /// Nobody says anything any more.
    pub(crate) fn close(&mut self) {
        self.close_if(|_| true);
    }

    /// When the first of them is due.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.open.iter().map(|grade| grade.due_ms).min()
    }

    /// What is to be told, and to whom.
    pub(crate) fn told(&mut self, object: ObjectId) -> Vec<(SessionId, Handled)> {
        let closed = std::mem::take(&mut self.closed).into_iter();
        closed.map(|grade| (grade.shouter, grade.told(object))).collect()
    }

    fn close_if(&mut self, is_over: impl Fn(&Grade) -> bool) {
        if self.open.iter().any(&is_over) {
            let (over, open) = std::mem::take(&mut self.open).into_iter().partition(is_over);
            self.open = open;
            self.awaited = self.open.iter().map(|grade| grade.awaited.len()).sum();
            self.closed.extend::<VecDeque<_>>(over);
        }
    }
}

impl Grade {
    fn told(self, object: ObjectId) -> Handled {
        let Self { op, seq, of, awaited, parted, .. } = self;
        let all = awaited.len() + parted.len();
        let missing: Vec<_> = parted.into_iter().chain(awaited).take(GRADE_MISSING_MAX).collect();
        let (by, more) = ((of - all) as u32, (all - missing.len()) as u32);
        Handled { object, op, seq, by, of: of as u32, missing, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: ObjectId = ObjectId([0; 16]);
    const ALEC: SessionId = SessionId([1; 16]);
    const AMY: SessionId = SessionId([2; 16]);
    const ANGUS: SessionId = SessionId([3; 16]);

    fn three() -> BTreeSet<SessionId> {
        [ALEC, AMY, ANGUS].into()
    }

    fn crowd(count: u64) -> BTreeSet<SessionId> {
        (0..count).map(|n| SessionId((u128::from(n) << 64).to_be_bytes())).collect()
    }

    /// Seq, by, of, missing and more of what is told.
    fn told(grades: &mut Grades) -> Vec<(u64, u32, u32, Vec<SessionId>, u32)> {
        let told = grades.told(OBJECT).into_iter();
        told.map(|(_, it)| (it.seq.0, it.by, it.of, it.missing, it.more)).collect()
    }

    #[test]
    fn a_shout_is_told_of_when_all_have_handled_it_and_what_is_said_counts_for_those_before_it() {
        let mut grades = Grades::default();
        grades.open((ALEC, Op(1), Seq(4)), three(), 10);
        grades.open((ALEC, Op(2), Seq(6)), [ALEC, AMY].into(), 10);
        grades.heard(ANGUS, Seq(9));
        grades.heard(AMY, Seq(5));
        assert_eq!(told(&mut grades), []);
        grades.heard(ALEC, Seq(6));
        assert_eq!(told(&mut grades), [(4, 3, 3, vec![], 0)]);
        grades.heard(AMY, Seq(6));
        assert_eq!(told(&mut grades), [(6, 2, 2, vec![], 0)]);
        assert_eq!((grades.next_due_ms(), grades.awaited), (None, 0));
    }

    #[test]
    fn who_parts_is_missing_and_so_is_who_has_said_nothing_when_it_is_due() {
        let mut grades = Grades::default();
        grades.open((ALEC, Op(1), Seq(1)), three(), 10);
        grades.open((ALEC, Op(2), Seq(2)), three(), 5);
        assert_eq!(grades.next_due_ms(), Some(5));
        grades.parted(ANGUS);
        grades.heard(AMY, Seq(1));
        grades.expire(4);
        assert_eq!(told(&mut grades), []);
        grades.expire(5);
        assert_eq!(told(&mut grades), [(2, 0, 3, vec![ANGUS, ALEC, AMY], 0)]);
        grades.heard(ALEC, Seq(1));
        assert_eq!(told(&mut grades), [(1, 2, 3, vec![ANGUS], 0)]);
    }

    #[test]
    fn a_shouter_that_has_gone_is_told_nothing_and_takes_no_room() {
        let mut grades = Grades::default();
        grades.open((ALEC, Op(1), Seq(1)), three(), 10);
        grades.open((AMY, Op(1), Seq(2)), three(), 10);
        grades.forget(ALEC);
        assert_eq!((grades.open.len(), grades.awaited), (1, 2));
        grades.close();
        assert_eq!(told(&mut grades), [(2, 0, 3, vec![ALEC, AMY, ANGUS], 0)]);
    }

    #[test]
    fn past_each_limit_what_is_known_is_told_at_once() {
        let mut grades = Grades::default();
        for n in 0..=SESSION_GRADES_MAX as u64 {
            grades.open((ALEC, Op(n + 1), Seq(n + 1)), three(), 10);
        }
        assert_eq!(told(&mut grades), [(65, 0, 3, vec![ALEC, AMY, ANGUS], 0)]);
        let others = crowd(GRADES_MAX as u64);
        for (session, seq) in others.into_iter().zip(66..) {
            grades.open((session, Op(1), Seq(seq)), three(), 10);
        }
        assert_eq!((grades.open.len(), told(&mut grades).len()), (GRADES_MAX, SESSION_GRADES_MAX));

        let mut grades = Grades::default();
        grades.open((ALEC, Op(1), Seq(1)), crowd(GRADE_LEAVES_MAX as u64), 10);
        assert_eq!(told(&mut grades), []);
        grades.open((AMY, Op(1), Seq(2)), [AMY].into(), 10);
        assert_eq!(told(&mut grades), [(2, 0, 1, vec![AMY], 0)]);
        grades.close();
        let (_, by, of, missing, more) = told(&mut grades).remove(0);
        assert_eq!((by, of, missing.len(), more), (0, 65_536, 64, 65_536 - 64));
    }

    #[test]
    fn a_shout_that_nobody_hears_is_told_of_at_once() {
        let mut grades = Grades::default();
        grades.open((ALEC, Op(1), Seq(1)), BTreeSet::new(), 10);
        assert_eq!(told(&mut grades), [(1, 0, 0, vec![], 0)]);
    }
}
