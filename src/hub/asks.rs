//! Asks at one object that have no answer, and who may own it next.
//!
//! Values: no actor, no clock, no await. What is asked is kept until it is answered or its deadline
//! has passed, so that it can be passed on once more when the owner's connection is made anew. A
//! retry is known by its number.

use bytes::Bytes;

use crate::{
    limits::{OBJECT_ASKS_BYTES_MAX, OBJECT_ASKS_MAX, SESSION_ASKS_MAX},
    object::{Carried, Kind, SessionId},
    wire::AskNumber,
};

/// An ask without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) session: SessionId,
    pub(crate) ask: AskNumber,
    pub(crate) due_ms: u64,
    pub(crate) kind: Kind,
    pub(crate) carried: Vec<Carried>,
    pub(crate) payload: Bytes,
}

/// What becomes of an ask that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    New,
    /// It came before.
    Again,
    /// Too many, or too much, waits for answers.
    TooMany,
}

/// Asks without an answer, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    open: Vec<Open>,
    bytes: usize,
}

impl Open {
    fn bytes(&self) -> usize {
        self.payload.len() + Carried::bytes_of(&self.carried)
    }

    fn is(&self, session: SessionId, ask: AskNumber) -> bool {
        (self.session, self.ask) == (session, ask)
    }
}

impl Asks {
    /// Keeps an ask, if there is room for it.
    pub(crate) fn take(&mut self, new: Open) -> Taken {
        if let Some(open) = self.open.iter_mut().find(|open| open.is(new.session, new.ask)) {
            open.due_ms = new.due_ms;
            return Taken::Again;
        }
        let of_session = self.open.iter().filter(|open| open.session == new.session).count();
        let bytes = self.bytes + new.bytes();
        if of_session == SESSION_ASKS_MAX
            || self.open.len() == OBJECT_ASKS_MAX
            || bytes > OBJECT_ASKS_BYTES_MAX
        {
            return Taken::TooMany;
        }
        self.bytes = bytes;
        self.open.push(new);
        Taken::New
    }

    /// An ask is answered. `false`: it is not open.
    pub(crate) fn settle(&mut self, session: SessionId, ask: AskNumber) -> bool {
        let count = self.open.len();
        self.retain(|open| !open.is(session, ask));
        self.open.len() < count
    }

    /// A session waits for nothing any more.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.retain(|open| open.session != session);
    }

    /// Nobody waits any more for those that were due by now.
    pub(crate) fn expire(&mut self, now_ms: u64) {
        self.retain(|open| open.due_ms > now_ms);
    }

    /// When the first is due.
    pub(crate) fn next_due_ms(&self) -> Option<u64> {
        self.open.iter().map(|open| open.due_ms).min()
    }

    /// All of them, in order.
    pub(crate) fn all(&self) -> &[Open] {
        &self.open
    }

    /// All of them: none is open any more.
    pub(crate) fn end(&mut self) -> Vec<Open> {
        self.bytes = 0;
        std::mem::take(&mut self.open)
    }

    fn retain(&mut self, is_kept: impl Fn(&Open) -> bool) {
        self.open.retain(is_kept);
        self.bytes = self.open.iter().map(Open::bytes).sum();
    }
}

/// Who may own an object next.
#[derive(Debug)]
pub(crate) struct Heirs {
    /// Whether anybody does.
    pub(crate) handover: bool,
    /// What an owner has to answer.
    pub(crate) asks: Vec<Kind>,
    /// Leaves that do, in the order in which they joined.
    able: Vec<SessionId>,
    /// Whether the owner is a leaf no more, and nobody was told.
    has_left: bool,
}

impl Heirs {
    pub(crate) fn new(handover: bool, asks: Vec<Kind>) -> Self {
        Self { handover, asks, able: Vec::new(), has_left: false }
    }

    /// A session is a leaf, of a class that answers these; or one again.
    pub(crate) fn join(&mut self, session: SessionId, answers: &[Kind], owner: SessionId) {
        self.has_left &= session != owner;
        let is_able = self.asks.iter().all(|ask| answers.contains(ask));
        let is_known = self.able.contains(&session);
        match (is_able && self.handover, is_known) {
            (true, false) => self.able.push(session),
            (false, true) => self.able.retain(|able| *able != session),
            _ => {}
        }
    }

    /// A session is a leaf no more.
    pub(crate) fn leave(&mut self, session: SessionId, owner: SessionId) {
        self.able.retain(|able| *able != session);
        self.has_left |= session == owner;
    }

    /// Who owns the object, if that is not who did.
    pub(crate) fn due(&self, owner: SessionId) -> Option<SessionId> {
        let next = self.able.first().copied().unwrap_or(SessionId::OF_HUB);
        let is_vacant = self.has_left || owner == SessionId::OF_HUB;
        Some(next).filter(|next| is_vacant && *next != owner)
    }

    /// Everybody is told who does.
    pub(crate) fn is_settled(&mut self) {
        self.has_left = false;
    }

    /// Whether the owner is a leaf no more.
    pub(crate) fn has_left(&self) -> bool {
        self.has_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: SessionId = SessionId::OF_HUB;

    fn session(n: u8) -> SessionId {
        SessionId([n; 16])
    }

    fn open(session: SessionId, ask: AskNumber, bytes: usize) -> Open {
        let payload = vec![0; bytes].into();
        Open { session, ask, due_ms: 1_000 + ask, kind: Kind(1), carried: Vec::new(), payload }
    }

    #[test]
    fn a_retry_is_known_and_waits_as_long_as_it_says_now() {
        let mut asks = Asks::default();
        assert_eq!(asks.take(open(session(1), 1, 0)), Taken::New);
        let again = Open { due_ms: 9_000, ..open(session(1), 1, 0) };
        assert_eq!(asks.take(again), Taken::Again);
        assert_eq!((asks.all().len(), asks.next_due_ms()), (1, Some(9_000)));
        assert_eq!(asks.take(open(session(2), 1, 0)), Taken::New, "numbers are of a session");
    }

    #[test]
    fn too_many_of_a_session_or_in_all_are_not_taken_and_room_comes_back() {
        let mut asks = Asks::default();
        for (n, ask) in (1..=4).flat_map(|n| (1..=SESSION_ASKS_MAX as u64).map(move |ask| (n, ask)))
        {
            assert_eq!(asks.take(open(session(n), ask, 0)), Taken::New);
        }
        assert_eq!(asks.take(open(session(5), 1, 0)), Taken::TooMany, "256 in all");
        assert!(asks.settle(session(1), 7) && !asks.settle(session(1), 7));
        assert_eq!(asks.take(open(session(2), 99, 0)), Taken::TooMany, "64 of a session");
        assert_eq!(asks.take(open(session(5), 1, 0)), Taken::New);
        asks.forget(session(2));
        assert_eq!(asks.all().len(), 192);
    }

    #[test]
    fn too_many_bytes_are_not_taken_and_room_comes_back() {
        let mut asks = Asks::default();
        let count = (OBJECT_ASKS_BYTES_MAX / 60_001) as u64;
        for ask in 1..=count {
            assert_eq!(asks.take(open(session(1), ask, 60_000)), Taken::New);
        }
        assert_eq!(asks.take(open(session(2), 1, 60_000)), Taken::TooMany);
        assert!(asks.settle(session(1), 3));
        assert_eq!(asks.take(open(session(2), 1, 60_000)), Taken::New);
        assert_eq!(asks.end().len() as u64, count);
        assert_eq!((asks.bytes, asks.next_due_ms()), (0, None));
    }

    #[test]
    fn what_is_due_goes_and_the_others_stay_in_order() {
        let mut asks = Asks::default();
        for ask in [3, 1, 2] {
            asks.take(open(session(1), ask, 0));
        }
        assert_eq!(asks.next_due_ms(), Some(1_001));
        asks.expire(1_001);
        let left: Vec<_> = asks.all().iter().map(|open| open.ask).collect();
        assert_eq!(left, [3, 2]);
    }

    #[test]
    fn the_leaf_that_joined_first_of_those_that_answer_all_comes_next() {
        let (all, one) = ([Kind(1), Kind(2), Kind(3)], [Kind(1)]);
        let mut heirs = Heirs::new(true, vec![Kind(1), Kind(2)]);
        heirs.join(session(1), &all, session(1));
        heirs.join(session(2), &one, session(1));
        heirs.join(session(3), &all, session(1));
        heirs.join(session(4), &all, session(1));
        heirs.join(session(3), &all, session(1));
        assert_eq!(heirs.due(session(1)), None);
        heirs.leave(session(1), session(1));
        assert_eq!(heirs.due(session(1)), Some(session(3)));
        heirs.is_settled();
        assert_eq!(heirs.due(session(3)), None);
        heirs.leave(session(4), session(3));
        heirs.leave(session(3), session(3));
        assert_eq!(heirs.due(session(3)), Some(NOBODY));
        heirs.is_settled();
        assert_eq!(heirs.due(NOBODY), None);
        heirs.join(session(2), &all, NOBODY);
        assert_eq!(heirs.due(NOBODY), Some(session(2)), "it has another class now");
    }

    #[test]
    fn without_handover_nobody_comes_next_and_an_owner_that_is_back_in_time_stays() {
        let mut heirs = Heirs::new(false, vec![Kind(1)]);
        heirs.join(session(1), &[Kind(1)], session(1));
        heirs.join(session(2), &[Kind(1)], session(1));
        heirs.leave(session(1), session(1));
        assert_eq!(heirs.due(session(1)), Some(NOBODY));
        heirs.join(session(1), &[], session(1));
        assert_eq!(heirs.due(session(1)), None);
    }
}
