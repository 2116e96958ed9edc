//! Who is at an object, as the hub tells: put together out of its frames, and on to the leaf.
//!
//! What is known here is always the newest. A leaf that lags is told once it has room, of all that
//! has changed meanwhile together.

use std::sync::Arc;

use super::{
    Driver,
    entry::{Leaf, Pace},
};
use crate::{
    connection::Closed,
    limits::MEMBERS_LISTED_MAX,
    object::{Listed, Member, Members, ObjectId, SessionId},
    wire::{self, MemberChange, MembersChanged},
};

/// What the hub has told of an object's members.
#[derive(Debug, Default)]
pub(super) struct Told {
    now: Members,
    /// A list that comes in several frames, and its version: the rest of it may never come.
    coming: Listed,
    coming_version: u64,
    /// Whether the leaf is still to be told.
    is_news: bool,
}

impl Driver {
    pub(super) fn members(&mut self, members: wire::Members) -> Result<(), Closed> {
        self.of_members(members.object, |told, me| told.replace(members, me))
    }

    pub(super) fn members_changed(&mut self, changed: MembersChanged) -> Result<(), Closed> {
        self.of_members(changed.object, |told, me| told.change(changed, me))
    }

    /// Takes in a frame about the members of an object, unless its leaf has just gone.
    fn of_members(
        &mut self,
        object: ObjectId,
        take: impl FnOnce(&mut Told, SessionId) -> Result<(), String>,
    ) -> Result<(), Closed> {
        let leaf = self.entries.get_mut(&object).and_then(|entry| entry.leaf.as_mut());
        let Some(leaf) = leaf else { return Ok(()) };
        take(leaf.members.get_or_insert_default(), self.session)
            .map_err(|why| Closed::protocol(format!("the members of {object}: {why}")))?;
        leaf.tell_members();
        Ok(())
    }
}

impl Leaf {
    /// Tells the leaf of its object's members, if there is news, and room.
    pub(super) fn tell_members(&mut self) {
        let is_current = self.pace == Pace::Pushed;
        let Some(told) = self.members.as_mut().filter(|told| told.is_news && is_current) else {
            return;
        };
        told.is_news = !self.delivery.members(&told.now);
    }
}

impl Told {
    /// All that was told before is out of date.
    fn replace(&mut self, members: wire::Members, me: SessionId) -> Result<(), String> {
        let wire::Members { version, after, count, listed, members, last, .. } = members;
        if std::mem::replace(&mut self.coming_version, version) != version {
            self.coming.clear();
        }
        self.coming.extend(members.into_iter().map(|member| entry(member, me)));
        let there = self.coming.len();
        check_bound(there)?;
        if !last {
            return Ok(());
        }
        let coming = std::mem::take(&mut self.coming);
        check_count(listed.then_some(there), count)?;
        self.now = Members { version, after, count, listed: listed.then(|| Arc::new(coming)) };
        self.is_news = true;
        Ok(())
    }

    fn change(&mut self, changed: MembersChanged, me: SessionId) -> Result<(), String> {
        let MembersChanged { version, after, count, listed, changes, .. } = changed;
        let now = &mut self.now;
        let next = now.version.saturating_add(1);
        if next == 1 || version != next {
            return Err(format!("version {version} came where {next} was to come"));
        }
        if listed {
            let there = now.listed.as_mut().map(Arc::make_mut);
            let there = there.ok_or("they change, and nobody said who they are")?;
            changes.into_iter().try_for_each(|each| change(there, each, me))?;
            check_bound(there.len())?;
            check_count(Some(there.len()), count)?;
        } else {
            now.listed = None;
        }
        (now.version, now.after, now.count) = (version, after, count);
        self.is_news = true;
        Ok(())
    }
}

fn check_bound(listed: usize) -> Result<(), String> {
    if listed > MEMBERS_LISTED_MAX {
        return Err(format!("{listed} are listed, more than {MEMBERS_LISTED_MAX}"));
    }
    Ok(())
}

fn check_count(listed: Option<usize>, count: u32) -> Result<(), String> {
    match listed {
        Some(listed) if listed != count as usize => Err(format!("{listed} are listed of {count}")),
        _ => Ok(()),
    }
}

fn change(there: &mut Listed, change: MemberChange, me: SessionId) -> Result<(), String> {
    match change {
        MemberChange::Came(member) => {
            let (session, member) = entry(member, me);
            there.insert(session, member);
            Ok(())
        }
        MemberChange::Away { session } => set_away(there, session, true),
        MemberChange::Back { session } => set_away(there, session, false),
        MemberChange::Parted { session } => {
            there.remove(&session).map(drop).ok_or_else(|| stranger(session))
        }
    }
}

fn set_away(there: &mut Listed, session: SessionId, away: bool) -> Result<(), String> {
    let member = there.get_mut(&session).ok_or_else(|| stranger(session))?;
    Arc::make_mut(member).away = away;
    Ok(())
}

fn stranger(session: SessionId) -> String {
    format!("{session} is none, and changes")
}

fn entry(member: wire::Member, me: SessionId) -> (SessionId, Arc<Member>) {
    let wire::Member { session, name, info, since_ms, away } = member;
    let member = Member { session, name, info, since_ms, away, me: session == me };
    (session, Arc::new(member))
}
