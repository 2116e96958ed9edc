//! Newer states for the object: whom the repeater asks, when, and whose answer it hears.
//!
//! While the tail is at least half full, one leaf is asked after the other until a state has come
//! that cuts it: who told the last one first, then those that were not asked yet, and those that lag
//! last; one that is behind is not asked before it has caught up. Who is asked has the lease, and it is the next one's turn when he says that he cannot, goes,
//! takes too long, or when the tail has grown by another eighth. A leaf that may shout nothing is
//! never asked: what it says would be the state of every latecomer. Who answers late, unasked or
//! with a state that does not fit changes nothing and is not at fault.

use std::{collections::BTreeSet, time::Duration};

use actix::{Context, Handler, Message};
use bytes::Bytes;

use super::Repeater;
use crate::{
    connection::Held,
    hub::{
        contact::Contact,
        roster::{Hearing, Member},
    },
    limits::{SNAPSHOT_EIGHTHS, SNAPSHOT_LAG_BYTES, SNAPSHOT_LEASE, TURN_SHOUTS},
    object::{Carried, Cursor, SessionId},
    wire::SnapshotWanted,
};

/// A session tells the object's state.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TakeSnapshot {
    pub(crate) session: SessionId,
    /// What the state contains. `None`: it cannot tell.
    pub(crate) at: Option<Cursor>,
    pub(crate) state: Bytes,
    pub(crate) carried: Vec<Carried>,
    /// Its bytes count against the session's inward bound until it is taken.
    pub(crate) held: Held,
}

/// Who was asked for a newer state, and when it is the next one's turn.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// Who was asked since the last state was taken, and may answer.
    asked: BTreeSet<SessionId>,
    /// How full the tail was when the last of them was.
    at_eighths: usize,
    /// When that was.
    at_ms: u64,
    /// Whether he has said that he cannot.
    is_vacant: bool,
    /// Whether there was nobody else to ask then.
    is_stuck: bool,
    /// Shouts refused since then, because the tail is full.
    refused: usize,
    /// Who told the last state.
    teller: Option<SessionId>,
}

impl Asking {
    /// Whom to ask now, of these, with the tail this full.
    fn next(
        &mut self,
        able: impl Iterator<Item = SessionId> + Clone,
        lags: impl Fn(SessionId) -> bool,
        eighths: usize,
        now_ms: u64,
    ) -> Option<SessionId> {
        if eighths < SNAPSHOT_EIGHTHS {
            return None;
        }
        let held = Duration::from_millis(now_ms.saturating_sub(self.at_ms));
        let is_due = self.asked.is_empty()
            || eighths > self.at_eighths
            || held >= SNAPSHOT_LEASE
            || self.refused >= TURN_SHOUTS;
        // While shouts are refused nobody waits for an answer that may never come.
        let is_vacant = std::mem::take(&mut self.is_vacant);
        if !is_due && !is_vacant && self.refused == 0 {
            return None;
        }
        let mut next = self.unasked(able.clone(), &lags);
        if next.is_none() && is_due {
            self.asked.clear();
            next = self.unasked(able, &lags);
        }
        self.is_stuck = next.is_none();
        let next = next?;
        self.asked.insert(next);
        (self.at_eighths, self.at_ms, self.refused) = (eighths, now_ms, 0);
        Some(next)
    }

    /// A session cannot tell: if it was asked, it is the next one's turn.
    fn cannot(&mut self, session: SessionId) {
        self.is_vacant |= self.asked.contains(&session);
    }

    /// A session is able from now on: it may be asked where all others cannot.
    pub(super) fn has_come(&mut self) {
        self.is_vacant |= self.is_stuck;
    }

    /// A shout was refused because the tail is full.
    pub(super) fn refused_one(&mut self) {
        self.refused += 1;
    }

    /// A session is no leaf any more; if it was asked, it is the next one's turn.
    pub(super) fn forget(&mut self, session: SessionId) {
        if self.asked.remove(&session) {
            self.at_eighths = 0;
        }
    }

    /// Whether the session may answer. Who answered with a state that did not fit is not asked
    /// once more before the others.
    fn awaits(&self, session: SessionId) -> bool {
        self.asked.contains(&session)
    }

    /// A state has been taken: who else was asked need not answer.
    fn taken(&mut self, teller: SessionId) {
        *self = Self { teller: Some(teller), ..Self::default() };
    }

    fn unasked(
        &self,
        able: impl Iterator<Item = SessionId> + Clone,
        lags: &impl Fn(SessionId) -> bool,
    ) -> Option<SessionId> {
        let mut others = able.filter(|session| !self.asked.contains(session));
        let teller = others.clone().find(|session| Some(*session) == self.teller);
        let present = teller.into_iter().chain(others.clone());
        present.into_iter().find(|session| !lags(*session)).or_else(|| others.next())
    }
}

impl Repeater {
    /// A session is no leaf any more: no state is awaited from it.
    pub(super) fn unask(&mut self, session: SessionId) {
        if let Some(asking) = &mut self.asking {
            asking.forget(session);
        }
    }

    /// Asks a leaf for a newer state if one is wanted.
    pub(super) fn ask_for_a_snapshot(&mut self) {
        let eighths = self.history.filled_eighths();
        let is_wanted = self.above.as_ref().is_some_and(|above| above.is_state_wanted);
        let eighths =
            eighths.map(|eighths| if is_wanted { eighths.max(SNAPSHOT_EIGHTHS) } else { eighths });
        let Some(eighths) = eighths.filter(|eighths| *eighths >= SNAPSHOT_EIGHTHS) else { return };
        let roster = &self.roster;
        let able = roster.members().iter().filter(|member| can_tell(member));
        let lags = |session| roster.get(session).is_some_and(lags);
        let now_ms = self.clock.now_ms();
        let asking = self.asking.get_or_insert_default();
        let next = asking.next(able.map(|member| member.session), lags, eighths, now_ms);
        if let Some(member) = next.and_then(|session| roster.get(session)) {
            let (object, session) = (self.object, member.session);
            tracing::debug!(%object, %session, eighths, "a state is wanted");
            member.contact.queue.tell(&SnapshotWanted { object });
        } else if is_wanted && self.asking.as_ref().is_some_and(|asking| asking.is_stuck) {
            self.tell_no_state_above();
        }
    }
}

impl Handler<TakeSnapshot> for Repeater {
    type Result = ();

    fn handle(&mut self, telling: TakeSnapshot, ctx: &mut Context<Self>) {
        let TakeSnapshot { session, at, state, carried, held } = telling;
        let object = self.object;
        self.took(1, held.bytes(), ctx);
        let asking = self.asking.as_mut().filter(|asking| asking.awaits(session));
        let Some(asking) = asking.filter(|_| self.ended.is_none()) else {
            return tracing::debug!(%object, %session, "a state that nobody waits for is dropped");
        };
        let Some(at) = at else {
            tracing::debug!(%object, %session, "a leaf cannot tell its state");
            asking.cannot(session);
            return self.ask_for_a_snapshot();
        };
        match self.history.take_snapshot(at, state, carried) {
            Ok(()) => {
                tracing::debug!(%object, %session, at = %at.seq, "a state is taken");
                asking.taken(session);
                self.weigh();
                self.tell_of_lists();
                self.keep_state(held);
                self.tell_state_above();
                // It may have waited for room.
                self.settle_owner();
            }
            Err(why) => tracing::debug!(%object, %session, %why, "a state is dropped"),
        }
    }
}

/// Whether much is queued for a leaf.
fn lags(member: &Member<Contact>) -> bool {
    member.contact.queue.bytes() > SNAPSHOT_LAG_BYTES
}

/// Whether what a session tells may become the state of latecomers. One that is behind is asked when
/// it has caught up.
fn can_tell(member: &Member<Contact>) -> bool {
    member.hears == Hearing::Pushed && member.rights.may_shout_something()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALEC: SessionId = SessionId([1; 16]);
    const AMY: SessionId = SessionId([2; 16]);
    const ANGUS: SessionId = SessionId([3; 16]);

    fn next(asking: &mut Asking, eighths: usize) -> Option<SessionId> {
        next_of(asking, [ALEC, AMY, ANGUS], eighths, 0)
    }

    fn next_of<const N: usize>(
        asking: &mut Asking,
        able: [SessionId; N],
        eighths: usize,
        now_ms: u64,
    ) -> Option<SessionId> {
        asking.next(able.into_iter(), |_| false, eighths, now_ms)
    }

    #[test]
    fn who_cannot_is_passed_over_at_once_and_not_asked_again_before_the_next_eighth() {
        let mut asking = Asking::default();
        assert_eq!(next(&mut asking, 4), Some(ALEC));
        asking.cannot(AMY);
        assert_eq!(next(&mut asking, 4), None);
        for (unable, then) in [(ALEC, Some(AMY)), (AMY, Some(ANGUS)), (ANGUS, None), (ALEC, None)] {
            asking.cannot(unable);
            assert_eq!(next(&mut asking, 4), then);
        }
        assert_eq!(next(&mut asking, 5), Some(ALEC));
    }

    #[test]
    fn who_comes_when_all_others_cannot_is_asked_at_once() {
        let mut asking = Asking::default();
        assert_eq!(next_of(&mut asking, [ALEC], 4, 0), Some(ALEC));
        asking.cannot(ALEC);
        assert_eq!(next_of(&mut asking, [ALEC], 4, 0), None);
        asking.has_come();
        assert_eq!(next_of(&mut asking, [ALEC, AMY], 4, 0), Some(AMY));
        asking.has_come();
        assert_eq!(next_of(&mut asking, [ALEC, AMY], 4, 0), None);
    }

    #[test]
    fn who_takes_too_long_loses_the_lease_to_the_next_one() {
        let mut asking = Asking::default();
        let lease = SNAPSHOT_LEASE.as_millis() as u64;
        let asked = [0, 1, lease - 1, lease, 2 * lease - 1, 2 * lease, 3 * lease];
        let asked = asked.map(|ms| next_of(&mut asking, [ALEC, AMY], 4, ms));
        assert_eq!(asked, [Some(ALEC), None, None, Some(AMY), None, Some(ALEC), Some(AMY)]);
        // Who is late may answer all the same.
        assert!(asking.awaits(AMY) && asking.awaits(ALEC));
    }

    #[test]
    fn who_lags_is_asked_when_nobody_else_is_left() {
        let mut asking = Asking::default();
        asking.taken(ALEC);
        let mut asked = Vec::new();
        for eighths in 4..8 {
            let able = [ALEC, AMY, ANGUS].into_iter();
            asked.extend(asking.next(able, |session| session != ANGUS, eighths, 0));
        }
        assert_eq!(asked, [ANGUS, ALEC, AMY, ANGUS]);
    }

    #[test]
    fn nobody_is_asked_below_half_and_one_more_at_each_eighth() {
        let mut asking = Asking::default();
        let eighths = [0, 3, 4, 4, 5, 5, 6, 7, 7];
        let asked = eighths.map(|eighths| next(&mut asking, eighths));
        let (alec, amy, angus) = (Some(ALEC), Some(AMY), Some(ANGUS));
        // When all were asked it begins anew.
        assert_eq!(asked, [None, None, alec, None, amy, None, angus, alec, None]);
    }

    #[test]
    fn while_shouts_are_refused_each_is_asked_at_once_and_again_only_after_many() {
        let mut asking = Asking::default();
        let mut asked = Vec::new();
        for _ in 0..=2 * TURN_SHOUTS {
            asked.extend(next(&mut asking, 8));
            asking.refused_one();
        }
        assert_eq!(asked[..4], [ALEC, AMY, ANGUS, ALEC]);
        assert_eq!(asked.len(), 6);
    }

    #[test]
    fn when_who_was_asked_has_gone_it_is_the_next_ones_turn_and_others_change_nothing() {
        let mut asking = Asking::default();
        assert_eq!(next(&mut asking, 4), Some(ALEC));
        asking.forget(ANGUS);
        assert_eq!(next(&mut asking, 4), None);
        asking.forget(ALEC);
        assert!(!asking.awaits(ALEC));
        assert_eq!(next_of(&mut asking, [AMY, ANGUS], 4, 0), Some(AMY));
        assert_eq!(next_of(&mut asking, [AMY, ANGUS], 5, 0), Some(ANGUS));
        asking.forget(AMY);
        assert_eq!(next(&mut asking, 5), Some(ALEC));
    }

    #[test]
    fn who_told_the_last_state_is_asked_first_as_long_as_he_is_here() {
        let mut asking = Asking::default();
        asking.taken(ANGUS);
        assert!(!asking.awaits(ANGUS));
        assert_eq!(next(&mut asking, 4), Some(ANGUS));
        assert!(asking.awaits(ANGUS));
        assert_eq!(next(&mut asking, 5), Some(ALEC));
        asking.taken(ANGUS);
        assert_eq!(next_of(&mut asking, [ALEC, AMY], 4, 0), Some(ALEC));
    }

    #[test]
    fn nobody_is_asked_where_nobody_may_tell() {
        let mut asking = Asking::default();
        asking.refused_one();
        assert_eq!(next_of(&mut asking, [], 8, 0), None);
        assert_eq!(next(&mut asking, 8), Some(ALEC));
    }
}
