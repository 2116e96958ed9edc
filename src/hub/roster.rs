//! Who is at an object: its leaves' sessions, and those that only shout.
//!
//! A value: what a session is reached by is a parameter. A session whose connection has ended is
//! here all the same, and hears nothing until it joins again.

use super::{
    admission::Rights,
    by_session::{BySession, OfSession},
};
use crate::object::SessionId;

/// The sessions at an object, in the order in which they came as far as nobody left.
#[derive(Debug)]
pub(crate) struct Roster<C> {
    members: BySession<Member<C>>,
    /// How many of them are leaves.
    leaves: usize,
}

/// A session at an object.
#[derive(Debug)]
pub(crate) struct Member<C> {
    pub(crate) session: SessionId,
    /// What it is reached by.
    pub(crate) contact: C,
    /// What it may shout.
    pub(crate) rights: Rights,
    /// Whether it is a leaf.
    pub(crate) joined: bool,
    /// How it is sent what is shouted.
    pub(crate) hears: Hearing,
    /// Whether it shouts without being a leaf.
    pub(crate) attached: bool,
    /// Whether it is a hub below: a leaf, and no member.
    pub(crate) is_link: bool,
    /// The link that it is below. It hears what that does, and nothing by itself.
    pub(crate) through: Option<SessionId>,
}

/// How a session is sent what is shouted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearing {
    /// Not at all: it is no leaf, or away.
    Nothing,
    /// As it comes.
    Pushed,
    /// Later, from where it is: it cannot take it as it comes.
    Pulled,
}

/// In which way a session is at an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// As a leaf.
    Joined,
    /// As one that only shouts.
    Attached,
}

impl<C> Roster<C> {
    /// Lets a session in, or lets it be here in one more way. The last rights count.
    pub(crate) fn enter(&mut self, session: SessionId, contact: C, rights: Rights, way: Way) {
        let before = self.members.get(session);
        let [joined, attached] = before.map_or([false; 2], |it| [it.joined, it.attached]);
        let hears = match way {
            Way::Joined => Hearing::Pushed,
            Way::Attached => before.map_or(Hearing::Nothing, |it| it.hears),
        };
        let (is_link, through) = (false, None);
        let mut member =
            Member { session, contact, rights, joined, hears, attached, is_link, through };
        *member.flag(way) = true;
        self.leaves += usize::from(member.joined && !joined);
        self.members.insert(member);
    }

    /// A leaf is a hub below.
    pub(crate) fn set_link(&mut self, session: SessionId) {
        if let Some(member) = self.members.get_mut(session) {
            member.is_link = true;
        }
    }

    /// A session is below a link.
    pub(crate) fn set_through(&mut self, session: SessionId, link: SessionId) {
        if let Some(member) = self.members.get_mut(session) {
            member.through = Some(link);
            member.hears = Hearing::Nothing;
        }
    }

    /// The sessions below a link.
    pub(crate) fn below(&self, link: SessionId) -> Vec<SessionId> {
        let is_link = self.members.get(link).is_some_and(|member| member.is_link);
        let all = self.members.all().iter().filter(|_| is_link);
        all.filter(|member| member.through == Some(link)).map(|member| member.session).collect()
    }

    /// How a session comes to hear what is shouted.
    #[inline]
    pub(crate) fn hears(&self, session: SessionId) -> Hearing {
        self.members.get(session).map_or(Hearing::Nothing, |member| self.hears_as(member))
    }

    /// How a member comes to hear what is shouted.
    #[inline]
    pub(crate) fn hears_as(&self, member: &Member<C>) -> Hearing {
        member.through.map_or(member.hears, |link| self.hears(link))
    }

    /// Takes one way of being here from a session; without any it is gone.
    pub(crate) fn leave(&mut self, session: SessionId, way: Way) {
        let Some(member) = self.members.get_mut(session) else { return };
        let was_leaf = member.joined;
        *member.flag(way) = false;
        if !member.joined {
            member.hears = Hearing::Nothing;
        }
        let (is_leaf, is_here) = (member.joined, member.joined || member.attached);
        self.leaves -= usize::from(was_leaf && !is_leaf);
        if !is_here {
            self.remove(session);
        }
    }

    /// Takes a session out.
    pub(crate) fn remove(&mut self, session: SessionId) {
        let removed = self.members.remove(session);
        self.leaves -= usize::from(removed.is_some_and(|member| member.joined));
    }

    /// A session hears no more until it joins again.
    pub(crate) fn set_away(&mut self, session: SessionId) {
        if let Some(member) = self.members.get_mut(session) {
            member.hears = Hearing::Nothing;
        }
    }

    /// A leaf is behind. `false`: it was not one that is pushed to.
    pub(crate) fn set_pulled(&mut self, session: SessionId) -> bool {
        self.change_hearing(session, Hearing::Pushed, Hearing::Pulled)
    }

    /// A leaf that was behind is so no more.
    pub(crate) fn set_pushed(&mut self, session: SessionId) {
        self.change_hearing(session, Hearing::Pulled, Hearing::Pushed);
    }

    fn change_hearing(&mut self, session: SessionId, from: Hearing, to: Hearing) -> bool {
        let member = self.members.get_mut(session).filter(|member| member.hears == from);
        member.map(|member| member.hears = to).is_some()
    }

    /// A session that is here.
    pub(crate) fn get(&self, session: SessionId) -> Option<&Member<C>> {
        self.members.get(session)
    }

    /// All sessions here.
    pub(crate) fn members(&self) -> &[Member<C>] {
        self.members.all()
    }

    /// Whether there is a leaf, also one that is away.
    pub(crate) fn has_leaves(&self) -> bool {
        self.leaves > 0
    }

    /// How many leaves there are.
    pub(crate) fn leaves(&self) -> usize {
        self.leaves
    }
}

impl<C> Default for Roster<C> {
    fn default() -> Self {
        Self { members: BySession::default(), leaves: 0 }
    }
}

impl<C> OfSession for Member<C> {
    fn session(&self) -> SessionId {
        self.session
    }
}

impl<C> Member<C> {
    fn flag(&mut self, way: Way) -> &mut bool {
        match way {
            Way::Joined => &mut self.joined,
            Way::Attached => &mut self.attached,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALEC: SessionId = SessionId([1; 16]);
    const AMY: SessionId = SessionId([2; 16]);
    const ANGUS: SessionId = SessionId([3; 16]);

    fn roster() -> Roster<&'static str> {
        let mut roster = Roster::default();
        for (session, name) in [(ALEC, "alec"), (AMY, "amy"), (ANGUS, "angus")] {
            roster.enter(session, name, Rights::ALL, Way::Joined);
        }
        roster
    }

    fn names(roster: &Roster<&'static str>) -> Vec<&'static str> {
        roster.members().iter().map(|member| member.contact).collect()
    }

    #[test]
    fn whoever_leaves_is_gone_and_the_others_are_found() {
        let mut roster = roster();
        roster.leave(ALEC, Way::Joined);
        assert_eq!(names(&roster), ["angus", "amy"]);
        assert!(roster.get(ALEC).is_none());
        assert_eq!(roster.get(ANGUS).map(|member| member.contact), Some("angus"));
        roster.remove(AMY);
        roster.remove(AMY);
        assert_eq!(names(&roster), ["angus"]);
    }

    #[test]
    fn there_are_leaves_until_the_last_has_left_and_who_only_shouts_is_none() {
        let mut roster = roster();
        roster.enter(ALEC, "alec again", Rights::ALL, Way::Joined);
        roster.enter(ALEC, "alec shouts", Rights::ALL, Way::Attached);
        roster.leave(ALEC, Way::Joined);
        roster.leave(ALEC, Way::Joined);
        roster.remove(AMY);
        assert!(roster.has_leaves());
        roster.remove(ANGUS);
        assert!(!roster.has_leaves());
        roster.leave(ALEC, Way::Attached);
        roster.enter(ALEC, "alec", Rights::ALL, Way::Joined);
        assert!(roster.has_leaves());
    }

    #[test]
    fn who_is_away_stays_a_leaf_and_hears_only_when_it_has_joined_again() {
        use Hearing::{Nothing, Pushed};
        let mut roster = roster();
        let hears = |roster: &Roster<_>| roster.get(AMY).map(|amy| (amy.joined, amy.hears));
        assert_eq!(hears(&roster), Some((true, Pushed)));
        roster.set_away(AMY);
        assert_eq!((hears(&roster), roster.leaves()), (Some((true, Nothing)), 3));
        roster.enter(AMY, "amy shouts over another line", Rights::ALL, Way::Attached);
        assert_eq!(hears(&roster), Some((true, Nothing)));
        roster.enter(AMY, "amy over another line", Rights::ALL, Way::Joined);
        assert_eq!((hears(&roster), roster.leaves()), (Some((true, Pushed)), 3));
        roster.leave(AMY, Way::Joined);
        assert_eq!((hears(&roster), roster.leaves()), (Some((false, Nothing)), 2));
    }

    #[test]
    fn who_is_behind_is_pulled_until_it_has_caught_up_or_gone() {
        let mut roster = roster();
        let hears = |roster: &Roster<_>| roster.get(AMY).map(|amy| amy.hears);
        assert!(roster.set_pulled(AMY) && !roster.set_pulled(AMY));
        assert_eq!(hears(&roster), Some(Hearing::Pulled));
        roster.set_pushed(AMY);
        assert_eq!(hears(&roster), Some(Hearing::Pushed));
        roster.set_pulled(AMY);
        roster.set_away(AMY);
        roster.set_pushed(AMY);
        assert_eq!(hears(&roster), Some(Hearing::Nothing));
        assert!(!roster.set_pulled(AMY));
    }

    #[test]
    fn who_is_here_in_two_ways_stays_until_both_have_ended() {
        let mut roster = roster();
        roster.enter(AMY, "amy again", Rights::NONE, Way::Attached);
        roster.leave(AMY, Way::Joined);
        let amy = roster.get(AMY).expect("is attached");
        assert!(!amy.joined && amy.attached && amy.contact == "amy again");
        roster.leave(AMY, Way::Attached);
        assert!(roster.get(AMY).is_none());
    }
}
