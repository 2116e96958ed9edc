//! Who is at an object, as its leaves are told: whole to those that join, and to the others what a
//! turn has changed.
//!
//! A value, for objects that ask for presence. In come sessions that join, lose their connection,
//! come back and part; at the end of a turn out go frames, the same bytes for all that are told the
//! same. What came and went within the turn is never told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    admission::Identity,
    fanout::Sink,
    roster::{Hearing, Roster},
};
use crate::{
    connection::{Class, Unsent},
    limits::{MEMBERS_BYTES_MAX, MEMBERS_LISTED_AGAIN, MEMBERS_LISTED_MAX},
    object::{ObjectId, Seq, SessionId},
    wire::{self, Member, MemberChange, MembersChanged, encode},
};

/// The members of one object.
#[derive(Debug)]
pub(crate) struct Members {
    object: ObjectId,
    there: BTreeMap<SessionId, Presence>,
    version: u64,
    /// What those that this turn has touched were before it.
    before: BTreeMap<SessionId, Option<Presence>>,
    /// Who has joined in this turn, and is told all.
    fresh: BTreeSet<SessionId>,
    /// Whether they are listed; not, while there are too many.
    listed: bool,
    /// Whether the end of the turn was asked for.
    is_asked: bool,
    /// What the home tells, for a copy.
    home: Home,
}

/// Members by the home's account, beside those that it lists.
#[derive(Debug, Default)]
struct Home {
    /// Whether it is elsewhere, and has not told yet.
    is_awaited: bool,
    /// How many there are, when they are not listed.
    count: Option<usize>,
    /// Whether that is news.
    is_news: bool,
    /// Those of an account that is not whole.
    coming: Vec<Member>,
}

/// A session at an object.
#[derive(Clone, Debug)]
struct Presence {
    client: Arc<Identity>,
    since_ms: u64,
    away: bool,
}

impl Members {
    pub(crate) fn new(object: ObjectId) -> Self {
        Self {
            object,
            there: BTreeMap::new(),
            version: 0,
            before: BTreeMap::new(),
            fresh: BTreeSet::new(),
            listed: true,
            is_asked: false,
            home: Home::default(),
        }
    }

    /// A session has joined, also once more: it is here, and is told all.
    pub(crate) fn join(&mut self, session: SessionId, client: Arc<Identity>, now_ms: u64) {
        self.touch(session);
        let new = Presence { client, since_ms: now_ms, away: false };
        self.there.entry(session).or_insert(new).away = false;
        self.fresh.insert(session);
    }

    /// A session has lost its connection, and may come back: then it joins.
    pub(crate) fn away(&mut self, session: SessionId) {
        self.touch(session);
        self.fresh.remove(&session);
        if let Some(presence) = self.there.get_mut(&session) {
            presence.away = true;
        }
    }

    /// A session is a leaf no more, if it was one.
    pub(crate) fn part(&mut self, session: SessionId) {
        self.touch(session);
        self.fresh.remove(&session);
        self.there.remove(&session);
    }

    /// Everybody has to join again, and has not parted until it does not.
    pub(crate) fn begin_anew(&mut self) {
        self.version += u64::from(!self.before.is_empty());
        self.before.clear();
        self.fresh.clear();
        self.home.coming.clear();
        self.is_asked = false;
    }

    /// Whether there is something to tell.
    pub(crate) fn has_news(&self) -> bool {
        !self.home.is_awaited && (!self.before.is_empty() || self.home.is_news)
    }

    /// Whether the end of the turn is to be asked for: it is only once.
    pub(crate) fn needs_end(&mut self) -> bool {
        self.has_news() && !std::mem::replace(&mut self.is_asked, true)
    }

    /// A session that is here is told all: it was told nothing for a while.
    pub(crate) fn tell_all(&mut self, session: SessionId) {
        self.touch(session);
        self.fresh.insert(session);
    }

    /// Who is there another hub will say.
    pub(crate) fn await_home(&mut self) {
        self.home.is_awaited = true;
    }

    /// Takes over who is there by the home's account, whole or a piece of it. Beyond the home's bound
    /// only their number is known.
    pub(crate) fn take(&mut self, told: &wire::Members) {
        self.count_by(told.listed, told.count);
        self.home.coming.extend(told.members.iter().cloned());
        if !told.last {
            return;
        }
        self.home.is_awaited = false;
        let all = std::mem::take(&mut self.home.coming);
        let all: BTreeMap<_, _> = all.into_iter().map(|member| (member.session, member)).collect();
        let gone = self.there.keys().filter(|session| !all.contains_key(session));
        for session in gone.copied().collect::<Vec<_>>() {
            self.take_out(session);
        }
        for member in all.into_values() {
            self.put(member);
        }
    }

    /// Takes over what has changed by the home's account.
    pub(crate) fn follow(&mut self, told: &MembersChanged) {
        self.count_by(told.listed, told.count);
        for change in told.changes.iter().cloned() {
            match change {
                MemberChange::Came(member) => self.put(member),
                MemberChange::Away { session } => self.set_away(session, true),
                MemberChange::Back { session } => self.set_away(session, false),
                MemberChange::Parted { session } => self.take_out(session),
            }
        }
    }

    fn count_by(&mut self, listed: bool, count: u32) {
        self.home.count = (!listed).then_some(count as usize);
        self.home.is_news = !listed;
    }

    /// It may be at the copy all the same, and is told who is there.
    fn take_out(&mut self, session: SessionId) {
        self.touch(session);
        self.there.remove(&session);
    }

    fn put(&mut self, member: Member) {
        let Member { session, name, info, since_ms, away } = member;
        self.touch(session);
        let client = Arc::new(Identity { name, info, ..Identity::default() });
        self.there.insert(session, Presence { client, since_ms, away });
    }

    fn set_away(&mut self, session: SessionId, away: bool) {
        self.touch(session);
        if let Some(presence) = self.there.get_mut(&session) {
            presence.away = away;
        }
    }

    /// Tells all leaves what they are to know, behind the shout `after`. Returns the sessions that
    /// were not told all of it.
    pub(crate) fn tell<C: Sink>(
        &mut self,
        after: Seq,
        class: Class,
        roster: &Roster<C>,
    ) -> Vec<(SessionId, Unsent)> {
        self.is_asked = false;
        let was_listed = self.listed;
        self.listed = self.home.count.is_none() && self.there.len() <= self.listed_max();
        let changed = self.changed(was_listed, after);
        let fresh = std::mem::take(&mut self.fresh);
        // A hub below may be told that there is nobody.
        self.version = self.version.max(1);
        let is_told_all = |session| self.listed && !was_listed || fresh.contains(&session);
        let leaves = roster.members().iter().filter(|member| member.hears == Hearing::Pushed);
        let mut whole = None;
        let mut unsent = Vec::new();
        for leaf in leaves {
            let frames = if is_told_all(leaf.session) {
                whole.get_or_insert_with(|| self.whole(after))
            } else {
                &changed
            };
            let mut frames = frames.iter();
            if let Err(why) = frames.try_for_each(|frame| leaf.contact.hear(class, frame.clone())) {
                unsent.push((leaf.session, why));
            }
        }
        unsent
    }

    fn touch(&mut self, session: SessionId) {
        let there = self.there.get(&session);
        self.before.entry(session).or_insert_with(|| there.cloned());
    }

    /// How many are listed. Once there were too many, it takes fewer to list them again.
    fn listed_max(&self) -> usize {
        if self.listed { MEMBERS_LISTED_MAX } else { MEMBERS_LISTED_AGAIN }
    }

    /// The frames that tell what has changed in the turn. Each is a version of its own.
    fn changed(&mut self, was_listed: bool, after: Seq) -> Vec<Bytes> {
        let before = std::mem::take(&mut self.before);
        let mut count = before.values().flatten().count() + self.there.len();
        count -= before.keys().filter(|session| self.there.contains_key(session)).count();
        let changes =
            before.iter().filter_map(|(session, was)| self.change(*session, was.as_ref()));
        let mut changes: Vec<_> = changes.collect();
        // So that no version between has more members than are listed.
        changes.sort_by_key(|change| !matches!(change, MemberChange::Parted { .. }));
        let is_news = std::mem::take(&mut self.home.is_news);
        if changes.is_empty() && !is_news {
            return Vec::new();
        }
        if !self.listed {
            return vec![self.frame(after, self.count(), Vec::new())];
        }
        if !was_listed {
            // All are told all, as a version of its own.
            self.version += 1;
            return Vec::new();
        }
        let frames = pieces(changes, bytes_of_change).into_iter().map(|changes| {
            for change in &changes {
                match change {
                    MemberChange::Came(it) => count += usize::from(before[&it.session].is_none()),
                    MemberChange::Parted { .. } => count -= 1,
                    _ => {}
                }
            }
            self.frame(after, count, changes)
        });
        frames.collect()
    }

    fn count(&self) -> usize {
        self.home.count.unwrap_or(self.there.len())
    }

    fn frame(&mut self, after: Seq, count: usize, changes: Vec<MemberChange>) -> Bytes {
        self.version += 1;
        let Self { object, version, listed, .. } = *self;
        encode(&MembersChanged { object, version, after, count: count as u32, listed, changes })
    }

    /// What a session is now, against what it was.
    fn change(&self, session: SessionId, was: Option<&Presence>) -> Option<MemberChange> {
        match (was, self.there.get(&session)) {
            (None, None) => None,
            (Some(_), None) => Some(MemberChange::Parted { session }),
            (Some(was), Some(now)) if was.since_ms == now.since_ms => match (was.away, now.away) {
                (false, true) => Some(MemberChange::Away { session }),
                (true, false) => Some(MemberChange::Back { session }),
                _ => None,
            },
            (_, Some(now)) => Some(MemberChange::Came(now.member(session))),
        }
    }

    /// The frames that tell who is here.
    fn whole(&self, after: Seq) -> Vec<Bytes> {
        let all = self.there.iter().map(|(session, presence)| presence.member(*session));
        let all = all.take(if self.listed { usize::MAX } else { 0 });
        let mut pieces = pieces(all, bytes_of);
        if pieces.is_empty() {
            pieces.push(Vec::new());
        }
        let Self { object, version, listed, .. } = *self;
        let (count, pieces_count) = (self.count() as u32, pieces.len());
        let frames = pieces.into_iter().enumerate().map(|(at, members)| {
            let last = at + 1 == pieces_count;
            encode(&wire::Members { object, version, after, count, listed, members, last })
        });
        frames.collect()
    }
}

impl Presence {
    fn member(&self, session: SessionId) -> Member {
        let Identity { name, info, .. } = &*self.client;
        let (name, info) = (name.clone(), info.clone());
        Member { session, name, info, since_ms: self.since_ms, away: self.away }
    }
}

/// Parts of a list that each fit a frame.
fn pieces<T>(items: impl IntoIterator<Item = T>, bytes_of: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut pieces: Vec<Vec<T>> = Vec::new();
    let mut left = 0;
    for item in items {
        let bytes = bytes_of(&item);
        match pieces.last_mut() {
            Some(piece) if bytes <= left => piece.push(item),
            _ => {
                left = MEMBERS_BYTES_MAX;
                pieces.push(vec![item]);
            }
        }
        left -= bytes;
    }
    pieces
}

/// Bytes that a change takes at most.
fn bytes_of_change(change: &MemberChange) -> usize {
    match change {
        MemberChange::Came(member) => 1 + bytes_of(member),
        _ => 1 + SESSION_BYTES,
    }
}

/// Bytes that a member takes at most: with the lengths of its name and info, since when it is here,
/// and whether it is away.
fn bytes_of(member: &Member) -> usize {
    SESSION_BYTES + 1 + member.name.len() + 2 + member.info.len() + 10 + 1
}

const SESSION_BYTES: usize = size_of::<SessionId>();

#[cfg(test)]
mod tests;
