//! Newer states for the object: whom the repeater asks, when, and whose answer it hears.
//!
//! While the tail is at least half full, one leaf is asked after the other until a state has come
//! that cuts it: who told the last one first, then those that were not asked yet. A leaf that may
//! shout nothing is never asked: what it says would be the state of every latecomer. Who answers
//! late, unasked or with a state that does not fit changes nothing and is not at fault.

use std::collections::BTreeSet;

use actix::{Context, Handler, Message};
use bytes::Bytes;

use super::Repeater;
use crate::{
    connection::Held,
    hub::{contact::Contact, roster::Member},
    limits::{SNAPSHOT_EIGHTHS, TURN_SHOUTS},
    object::{Carried, Cursor, SessionId},
    wire::SnapshotWanted,
};

/// A session tells the object's state.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TakeSnapshot {
    pub(crate) session: SessionId,
    /// What the state contains.
    pub(crate) at: Cursor,
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
        eighths: usize,
    ) -> Option<SessionId> {
        if eighths < SNAPSHOT_EIGHTHS {
            return None;
        }
        let is_due =
            self.asked.is_empty() || eighths > self.at_eighths || self.refused >= TURN_SHOUTS;
        // While shouts are refused nobody waits for an answer that may never come.
        if !is_due && self.refused == 0 {
            return None;
        }
        let next = match self.unasked(able.clone()) {
            None if is_due => {
                self.asked.clear();
                self.unasked(able)?
            }
            next => next?,
        };
        self.asked.insert(next);
        self.at_eighths = eighths;
        self.refused = 0;
        Some(next)
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

    fn unasked(&self, mut able: impl Iterator<Item = SessionId> + Clone) -> Option<SessionId> {
        let mut others = able.clone().filter(|session| !self.asked.contains(session));
        let teller = self.teller.filter(|teller| !self.asked.contains(teller));
        teller.filter(|teller| able.any(|session| session == *teller)).or_else(|| others.next())
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
        let Some(eighths) = self.history.filled_eighths() else { return };
        let able = self.roster.members().iter().filter(|member| can_tell(member));
        let asking = self.asking.get_or_insert_default();
        let next = asking.next(able.map(|member| member.session), eighths);
        if let Some(member) = next.and_then(|session| self.roster.get(session)) {
            tracing::debug!(object = %self.object, session = %member.session, "a state is wanted");
            member.contact.queue.tell(&SnapshotWanted { object: self.object });
        }
    }
}

impl Handler<TakeSnapshot> for Repeater {
    type Result = ();

    fn handle(&mut self, telling: TakeSnapshot, ctx: &mut Context<Self>) {
        let TakeSnapshot { session, at, state, carried, held } = telling;
        let object = self.object;
        self.took(1, held.bytes(), ctx);
        drop(held);
        let asking = self.asking.as_mut().filter(|asking| asking.awaits(session));
        let Some(asking) = asking.filter(|_| self.ended.is_none()) else {
            return tracing::debug!(%object, %session, "a state that nobody waits for is dropped");
        };
        match self.history.take_snapshot(at, state, carried) {
            Ok(()) => {
                asking.taken(session);
                self.weigh();
                self.tell_of_lists();
            }
            Err(why) => tracing::debug!(%object, %session, %why, "a state is dropped"),
        }
    }
}

/// Whether what a session tells may become the state of latecomers.
fn can_tell(member: &Member<Contact>) -> bool {
    member.hears && member.rights.may_shout_something()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALEC: SessionId = SessionId([1; 16]);
    const AMY: SessionId = SessionId([2; 16]);
    const ANGUS: SessionId = SessionId([3; 16]);

    fn next(asking: &mut Asking, eighths: usize) -> Option<SessionId> {
        asking.next([ALEC, AMY, ANGUS].into_iter(), eighths)
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
        let left = [AMY, ANGUS].into_iter();
        assert_eq!(asking.next(left.clone(), 4), Some(AMY));
        assert_eq!(asking.next(left, 5), Some(ANGUS));
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
        assert_eq!(asking.next([ALEC, AMY].into_iter(), 4), Some(ALEC));
    }

    #[test]
    fn nobody_is_asked_where_nobody_may_tell() {
        let mut asking = Asking::default();
        asking.refused_one();
        assert_eq!(asking.next(std::iter::empty(), 8), None);
        assert_eq!(next(&mut asking, 8), Some(ALEC));
    }
}
