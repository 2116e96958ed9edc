//! Who is at an object, as its leaf was told, and what it is told next: one after the other, each in
//! a method of its own.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::Context;

use crate::object::{Leaf, Listed, Member, Members, SessionId};

/// The members and the owner as a leaf was last told of them, for whoever asks on any thread.
#[derive(Debug, Default)]
pub(crate) struct Latest {
    members: Mutex<Members>,
    owner: Mutex<Option<SessionId>>,
}

impl Latest {
    pub(crate) fn get(&self) -> Members {
        lock(&self.members).clone()
    }

    pub(crate) fn owner(&self) -> Option<SessionId> {
        *lock(&self.owner)
    }

    pub(crate) fn set_owner(&self, owner: Option<SessionId>) {
        *lock(&self.owner) = owner;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under either lock can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a leaf is told of its object's members.
#[derive(Debug)]
pub(super) struct News {
    latest: Arc<Latest>,
    /// Whom the leaf was told of; kept while there are too many to be listed.
    known: Arc<Listed>,
    due: VecDeque<(How, Arc<Member>)>,
}

/// How a member has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Joined,
    Away,
    Back,
    Parted,
}

impl News {
    pub(super) fn new(latest: Arc<Latest>) -> Self {
        Self { latest, known: Arc::default(), due: VecDeque::new() }
    }

    /// Who owns the object, as the leaf is told.
    pub(super) fn set_owner(&self, owner: Option<SessionId>) {
        self.latest.set_owner(owner);
    }

    /// These are the members now. What the leaf is to be told of them is due.
    pub(super) fn take(&mut self, members: Members) {
        if let Some(listed) = &members.listed {
            self.due = changes(&self.known, listed);
            self.known = listed.clone();
        }
        *lock(&self.latest.members) = members;
    }

    /// Tells the leaf what is due first. `false`: nothing is.
    pub(super) fn tell<A: Leaf>(&mut self, leaf: &mut A, ctx: &mut Context<A>) -> bool {
        let Some((how, member)) = self.due.pop_front() else { return false };
        match how {
            How::Joined => leaf.joined(&member, ctx),
            How::Away => leaf.away(&member, ctx),
            How::Back => leaf.back(&member, ctx),
            How::Parted => leaf.parted(&member, ctx),
        }
        true
    }
}

/// What has to be told of those who are here: who has parted first, then who was here and has
/// changed, then who has joined.
fn changes(before: &Listed, now: &Listed) -> VecDeque<(How, Arc<Member>)> {
    let (mut parted, mut changed, mut joined) = (VecDeque::new(), Vec::new(), Vec::new());
    for (session, was) in before {
        match now.get(session).filter(|is| is.since_ms == was.since_ms) {
            None => parted.push_back((How::Parted, was.clone())),
            Some(is) if is.away && !was.away => changed.push((How::Away, is.clone())),
            Some(is) if was.away && !is.away => changed.push((How::Back, is.clone())),
            Some(_) => {}
        }
    }
    for (session, is) in now {
        if before.get(session).is_none_or(|was| was.since_ms != is.since_ms) {
            joined.push((How::Joined, is.clone()));
            joined.extend(is.away.then(|| (How::Away, is.clone())));
        }
    }
    parted.extend(changed.into_iter().chain(joined));
    parted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::SessionId;

    fn member(session: u8, since_ms: u64, away: bool) -> Member {
        let member = Member::for_test(SessionId([session; 16]), "");
        Member { since_ms, away, ..member }
    }

    fn listed(members: impl IntoIterator<Item = Member>) -> Listed {
        members.into_iter().map(|member| (member.session, Arc::new(member))).collect()
    }

    fn told(before: &Listed, now: &Listed) -> Vec<(How, u8, u64)> {
        let changes = changes(before, now).into_iter();
        changes.map(|(how, member)| (how, member.session.0[0], member.since_ms)).collect()
    }

    #[test]
    fn those_who_part_come_first_and_those_who_join_last() {
        let before = listed([
            member(3, 1, false),
            member(4, 1, false),
            member(5, 1, true),
            member(6, 1, true),
        ]);
        let now = listed([
            member(1, 2, false),
            member(2, 2, true),
            member(4, 1, true),
            member(5, 1, false),
            member(6, 1, true),
        ]);
        let expected = [
            (How::Parted, 3, 1),
            (How::Away, 4, 1),
            (How::Back, 5, 1),
            (How::Joined, 1, 2),
            (How::Joined, 2, 2),
            (How::Away, 2, 2),
        ];
        assert_eq!(told(&before, &now), expected);
        assert!(told(&now, &now).is_empty());
    }

    #[test]
    fn who_came_anew_has_parted_and_joined() {
        let (before, now) = (listed([member(1, 1, false)]), listed([member(1, 2, false)]));
        assert_eq!(told(&before, &now), [(How::Parted, 1, 1), (How::Joined, 1, 2)]);
    }

    #[test]
    fn whom_the_leaf_knows_it_keeps_while_there_are_too_many_to_be_listed() {
        let mut news = News::new(Arc::default());
        let listed = |members: Listed| Members {
            count: members.len() as u32,
            listed: Some(Arc::new(members)),
            ..Members::default()
        };
        news.take(listed(listed_of(1..=2)));
        assert_eq!(news.due.len(), 2);
        news.due.clear();
        news.take(Members { count: 1_001, ..Members::default() });
        assert!(news.due.is_empty() && !news.latest.get().is_listed());
        assert_eq!(news.latest.get().count(), 1_001);
        news.take(listed(listed_of(2..=3)));
        let due: Vec<_> = news.due.iter().map(|(how, it)| (*how, it.session.0[0])).collect();
        assert_eq!(due, [(How::Parted, 1), (How::Joined, 3)]);
    }

    fn listed_of(sessions: std::ops::RangeInclusive<u8>) -> Listed {
        listed(sessions.map(|session| member(session, 1, false)))
    }
}
