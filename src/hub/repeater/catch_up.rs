//! Leaves that are behind: those that join, and those that cannot take the shouts as they come. Each
//! has a cursor, and is given what follows it.
//!
//! Who has caught up is pushed to. Who is slow is pulled: its connection's queue tells when there is
//! room, and it is given a little more out of the tail, or the state if the tail has gone on without
//! it. A client whose leaf has no room says so, and asks itself for what follows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix::{AsyncContext, Context, Handler, Message};
use tokio::time::Instant;

use super::{
    Entry, Repeater,
    ahead::{Later, Sent},
};
use crate::{
    connection::{Held, Pull as Pulling, Unsent},
    hub::{
        admission::{Identity, Rights},
        contact::{Contact, Pending},
        history::CatchUp,
        roster::Way,
    },
    limits::{JOIN_BYTES, PULL_BYTES, RESYNC_INTERVAL},
    object::{Codec, Cursor, InterfaceId, Kind, Name, Op, Resync, ResyncReason, Seq, SessionId},
    wire::{Fetched, Joined, Pulled, Resynced},
};

/// A session becomes a leaf, or one again with its cursor.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Join {
    pub(crate) pending: Pending,
    pub(crate) contact: Contact,
    pub(crate) client: Arc<Identity>,
    pub(crate) rights: Rights,
    pub(crate) name: Option<Name>,
    pub(crate) cursor: Option<Cursor>,
    /// The asks that the leaf's class answers.
    pub(crate) answers: Vec<Kind>,
    /// What a hub below is told of the object.
    pub(crate) link: Option<Linked>,
    /// At a copy, the op that the home awaits of the session, and whether that is a guess.
    pub(crate) known: Option<(Op, bool)>,
}

/// What a hub below is told of an object, of which it is a leaf.
#[derive(Debug)]
pub(crate) struct Linked {
    pub(crate) interface: InterfaceId,
    pub(crate) codec: Codec,
    /// Whether it has nothing of the object.
    pub(crate) anew: bool,
}

/// A session's connection has room for what its leaf was not sent.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Feed(pub(crate) SessionId);

/// A client's leaf has no room, or has room again for what follows a cursor.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Pull {
    pub(crate) session: SessionId,
    pub(crate) cursor: Option<Cursor>,
    /// Its bytes count against the session's inward bound until it is handled.
    pub(crate) held: Held,
}

/// When leaves were last told that they have missed shouts.
#[derive(Debug, Default)]
pub(super) struct Resyncs(BTreeMap<SessionId, Instant>);

impl Resyncs {
    /// How long a leaf has to wait until it may be told so again.
    fn rest_of(&self, session: SessionId, now: Instant) -> Option<Duration> {
        let due = *self.0.get(&session)? + RESYNC_INTERVAL;
        Some(due.saturating_duration_since(now)).filter(|rest| !rest.is_zero())
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        self.0.remove(&session);
    }

    fn add(&mut self, session: SessionId, now: Instant) {
        self.0.retain(|_, at| *at + RESYNC_INTERVAL > now);
        self.0.insert(session, now);
    }
}

impl Repeater {
    /// A session's queue has dropped, or has not taken, what it was to hear. What became of its own
    /// shouts among that it is told now: it may hear of them late, or never.
    pub(super) fn fall_behind(&mut self, session: SessionId) {
        if !self.roster.set_pulled(session) {
            return;
        }
        let Some(member) = self.roster.get(session) else { return };
        let contact = member.contact.clone();
        #[cfg(feature = "testing")]
        crate::hub::faults::count(|tally| tally.pulled += 1);
        tracing::debug!(object = %self.object, %session, "a leaf is pulled");
        let after = contact.queue.pulled(self.object).and_then(|pull| pull.after);
        if let Some(after) = after {
            self.tell_outcomes_behind(session, after);
        }
    }

    /// What could not be sent, and why not.
    pub(super) fn unsent(&mut self, unsent: Vec<(SessionId, Unsent)>) {
        for (session, why) in unsent {
            match why {
                Unsent::Closing => self.is_away(session),
                Unsent::Pulled => self.fall_behind(session),
            }
        }
    }

    /// What a leaf with this cursor is given now, of so many bytes. One that was told a short time
    /// ago that it has missed shouts, and has missed some again, waits where it is.
    fn offer_from(
        &self,
        session: SessionId,
        cursor: Option<Cursor>,
        bytes: usize,
    ) -> (CatchUp, Option<Duration>) {
        let catch_up = self.history.catch_up(cursor, bytes);
        let is_missed = |resync: Resync| resync.reason == ResyncReason::Missed;
        let rest = catch_up.resync.filter(|resync| is_missed(*resync)).and_then(|_| {
            self.resyncs.as_ref().and_then(|resyncs| resyncs.rest_of(session, Instant::now()))
        });
        match (rest, cursor) {
            (Some(rest), Some(cursor)) => (CatchUp::nothing(cursor.seq), Some(rest)),
            _ => (catch_up, None),
        }
    }

    fn note_resync(&mut self, session: SessionId, resync: Option<Resync>) {
        if resync.is_some() {
            self.resyncs.get_or_insert_default().add(session, Instant::now());
        }
    }

    /// A leaf is given more after a rest, with nothing queued for it until then.
    fn rouse_after(&self, contact: &Contact, rest: Duration, ctx: &mut Context<Self>) {
        if rest.is_zero() {
            return contact.queue.rouse(self.object);
        }
        tracing::debug!(object = %self.object, session = %contact.session, ?rest, "a leaf waits");
        let queue = Arc::downgrade(&contact.queue);
        ctx.run_later(rest, move |repeater, _| {
            if let Some(queue) = queue.upgrade() {
                queue.rouse(repeater.object);
            }
        });
    }

    /// Gives a leaf that is pulled a little of what follows its cursor.
    fn feed(&mut self, session: SessionId, ctx: &mut Context<Self>) {
        self.flush();
        let sent = match self.send_piece(session) {
            Sent::Nothing => None,
            Sent::Piece => return,
            Sent::Resync(catch_up) => Some(catch_up),
            Sent::Join(join, behind, catch_up) => {
                self.let_in(*join, (catch_up, None), ctx);
                return self.hear_later(session, behind, ctx);
            }
        };
        let Some(member) = self.roster.get(session) else { return };
        let contact = member.contact.clone();
        let Some(Pulling { after, by_peer }) = contact.queue.due(self.object) else { return };
        self.fall_behind(session);
        let heard =
            Cursor { epoch: self.history.epoch(), seq: after.unwrap_or(self.history.last()) };
        let offer = || self.offer_from(session, Some(heard), PULL_BYTES);
        let (catch_up, rest) = sent.map_or_else(offer, |sent| (sent, None));
        if let Some(rest) = rest {
            contact.queue.rest(self.object);
            return self.rouse_after(&contact, rest, ctx);
        }
        if let Some(snapshot) = catch_up.to_go_ahead() {
            return self.send_ahead(contact, snapshot.clone(), catch_up.resync, None);
        }
        let end = catch_up.end;
        if !self.give(&contact, catch_up) {
            return self.is_away(session);
        }
        let is_current = end == self.history.last();
        if is_current {
            contact.queue.unpull(self.object);
            self.catches_up(session);
        } else if by_peer {
            contact.queue.rest(self.object);
        } else {
            contact.queue.rouse(self.object);
        }
        if by_peer {
            contact.queue.tell(&Pulled { object: self.object, last: end, current: is_current });
        }
    }

    /// `false`: its connection is going.
    fn give(&mut self, contact: &Contact, mut catch_up: CatchUp) -> bool {
        let (state, payload, carried) = catch_up.take_state();
        let CatchUp { start, resync, chunks, end, .. } = catch_up;
        self.note_resync(contact.session, resync);
        if let Some(resync) = resync {
            let resynced = Resynced {
                object: self.object,
                start: Cursor { epoch: self.history.epoch(), seq: start },
                last: self.history.last(),
                state,
                resync,
                owner: self.history.owner_at(start),
                carried,
            };
            contact.queue.tell_with(&resynced, &payload);
            contact.queue.end_state(self.object);
        }
        self.turn.pushed(chunks.len());
        contact.queue.feed(self.object, self.class(), chunks, end).is_ok()
    }

    /// A leaf is given its shouts as they come.
    fn catches_up(&mut self, session: SessionId) {
        self.roster.set_pushed(session);
        self.asking.iter_mut().for_each(|asking| asking.has_come());
        self.tell_all_members(session);
    }

    fn tell_all_members(&mut self, session: SessionId) {
        if let Some(members) = &mut self.members {
            members.tell_all(session);
        }
    }

    /// Tells a session that is behind, and all below it, what became of their shouts behind `after`.
    fn tell_outcomes_behind(&mut self, session: SessionId, after: Seq) {
        for session in self.roster.below(session).into_iter().chain([session]) {
            let Some(member) = self.roster.get(session) else { continue };
            let contact = member.contact.clone();
            if self.above.is_some() {
                let runs = self.history.runs_behind(session, after);
                for run in runs {
                    self.tell_run(&contact, run);
                }
            } else {
                self.tell_outcomes(&contact, |run| run.behind(after));
            }
        }
    }
}

impl Handler<Join> for Repeater {
    type Result = ();

    fn handle(&mut self, join: Join, ctx: &mut Self::Context) {
        let session = join.contact.session;
        let Some(join) = self.or_later(session, join, Later::Join) else { return };
        if self.ended.is_some() {
            return self.turn_away(session, join.pending);
        }
        if self.above.is_some() {
            return self.enter_above(session, Entry::Leaf(join), ctx);
        }
        self.join(join, ctx);
    }
}

impl Repeater {
    /// Lets a leaf in, when a large state has gone ahead.
    pub(super) fn join(&mut self, mut join: Join, ctx: &mut Context<Self>) {
        let session = join.contact.session;
        if join.link.is_some() && join.cursor.is_none() {
            join.cursor = self.history.whole();
        }
        self.stop_state(session);
        self.entering = Some(Box::new(join.contact.clone()));
        self.flush();
        let (catch_up, rest) = self.offer_from(session, join.cursor, JOIN_BYTES);
        match catch_up.to_go_ahead().cloned() {
            Some(snapshot) => {
                self.entering = None;
                let contact = join.contact.clone();
                contact.queue.unpull(self.object);
                self.send_ahead(contact, snapshot, catch_up.resync, Some(join));
            }
            None => self.let_in(join, (catch_up, rest), ctx),
        }
        self.took(1, 0, ctx);
    }

    /// Lets a leaf in with what it is given.
    fn let_in(
        &mut self,
        join: Join,
        (mut catch_up, rest): (CatchUp, Option<Duration>),
        ctx: &mut Context<Self>,
    ) {
        let Join { pending, contact, client, rights, name, answers, link, known, .. } = join;
        let (object, session) = (self.object, contact.session);
        self.entering = Some(Box::new(contact.clone()));
        let (state, payload, carried) = catch_up.take_state();
        let CatchUp { start, resync, chunks, end, .. } = catch_up;
        self.note_resync(session, resync);
        let is_link = link.is_some();
        let (next_op, is_guess) = known.unwrap_or_else(|| (self.history.next_op(session), false));
        let (request, last) = (pending.request(), self.history.last());
        let owner = self.history.owner_at(start);
        let start = Cursor { epoch: self.history.epoch(), seq: start };
        let joined = Joined {
            request,
            object,
            name,
            start,
            last,
            state,
            resync,
            next_op,
            owner,
            stale: is_guess,
            carried,
        };
        match link {
            Some(link) => pending.answer(&self.fetched(joined, link), &payload),
            None => pending.answer(&joined, &payload),
        }
        contact.queue.unpull(object);
        self.tell_earlier_outcomes(&contact);
        self.turn.pushed(chunks.len());
        let class = self.class();
        let _is_slow = !chunks.into_iter().all(|chunk| contact.queue.push(class, chunk).is_ok());
        if is_link {
            self.enter(contact.clone(), rights, Way::Joined);
            self.roster.set_link(session);
            self.tell_of_stall(&contact);
            self.tell_all_members(session);
        } else {
            self.has_joined(session, client);
            self.enter(contact.clone(), rights, Way::Joined);
        }
        if end < self.history.last() {
            contact.queue.hold(object, end);
            self.roster.set_pulled(session);
            self.rouse_after(&contact, rest.unwrap_or_default(), ctx);
        } else {
            self.asking.iter_mut().for_each(|asking| asking.has_come());
        }
        if !is_link {
            self.questions_for(&contact, &answers);
        }
        self.ask_for_a_snapshot();
    }
}

impl Repeater {
    /// What a hub below is told in place of this.
    fn fetched(&self, joined: Joined, link: Linked) -> Fetched {
        let Joined { request, object, name, start, last, state, resync, owner, carried, .. } =
            joined;
        let Linked { interface, codec, anew } = link;
        let (presence, anew) = (self.members.is_some(), anew || resync.is_some());
        Fetched {
            request,
            object,
            name,
            interface,
            codec,
            presence,
            start,
            last,
            state,
            anew,
            owner,
            carried,
        }
    }
}

impl Handler<Feed> for Repeater {
    type Result = ();

    fn handle(&mut self, Feed(session): Feed, ctx: &mut Self::Context) {
        self.feed(session, ctx);
        self.ask_for_a_snapshot();
        self.took(1, PULL_BYTES, ctx);
    }
}

impl Handler<Pull> for Repeater {
    type Result = ();

    fn handle(&mut self, pull: Pull, ctx: &mut Self::Context) {
        let session = pull.session;
        if pull.cursor.is_none() && self.waits(session) {
            // When it is let in it says so again, if it has no room still.
            return;
        }
        let Some(pull) = self.or_later(session, pull, Later::Pull) else { return };
        let Pull { cursor, held, .. } = pull;
        self.flush();
        let (last, epoch) = (self.history.last(), self.history.epoch());
        let is_heard = |cursor: &Cursor| cursor.epoch == epoch && cursor.seq <= last;
        let member = self.roster.get(session).filter(|member| member.joined);
        if let Some(contact) = member.map(|member| member.contact.clone()) {
            match cursor {
                Some(cursor) if is_heard(&cursor) => {
                    let after = Some(cursor.seq);
                    contact.queue.pull(self.object, Pulling { after, by_peer: true });
                }
                Some(_) => {}
                None => {
                    // Others of the connection are not to wait for it with their states.
                    self.stop_state(session);
                    contact.queue.hold(self.object, last);
                }
            }
            if contact.queue.pulled(self.object).is_some() {
                self.fall_behind(session);
            }
        }
        self.took(1, held.bytes(), ctx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALEC: SessionId = SessionId([1; 16]);
    const AMY: SessionId = SessionId([2; 16]);

    #[test]
    fn a_leaf_is_told_that_it_has_missed_shouts_once_in_an_interval() {
        let (mut resyncs, begin) = (Resyncs::default(), Instant::now());
        assert_eq!(resyncs.rest_of(ALEC, begin), None);
        resyncs.add(ALEC, begin);
        let second = Duration::from_secs(1);
        assert_eq!(resyncs.rest_of(ALEC, begin + second), Some(Duration::from_secs(9)));
        assert_eq!(resyncs.rest_of(AMY, begin + second), None);
        assert_eq!(resyncs.rest_of(ALEC, begin + RESYNC_INTERVAL), None);
        resyncs.add(AMY, begin + RESYNC_INTERVAL);
        assert_eq!(resyncs.0.len(), 1, "what is over is forgotten");
    }
}
