//! Batches into inboxes; and what happens when a leaf or a repeater has lost its place.
//!
//! Receipts are matched when a batch is read, before any handler runs. What is at or below a
//! leaf's cursor is skipped. A leaf whose inbox is full misses nothing: the hub is told, what comes
//! all the same is dropped, and when there is room it is asked for a little of what follows the
//! cursor, until the leaf has caught up.

use std::collections::VecDeque;

use actix::{Context, Handler, Message};
use bytes::Bytes;

use super::{
    Asked, Driver,
    enter::join,
    entry::{Leaf, Pace},
    hold::{Hold, Until},
};
use crate::{
    connection::{Closed, Queue},
    leaf::{
        client::ConnectionEvent,
        inbox::{Gap, Given},
    },
    object::{Cursor, ObjectId, Resync, ResyncReason, Seq},
    wire::{self, Batch, Joined, Pull, Pulled, Resynced, Snapshot, Target},
};

/// A leaf's inbox was full and has room again.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Drained {
    pub(crate) object: ObjectId,
    pub(crate) generation: u64,
}

impl Driver {
    pub(super) fn hear(&mut self, batch: Batch, ctx: &mut Context<Self>) -> Result<(), Closed> {
        if !self.dial.is_up() {
            return Err(Closed::protocol("a Batch frame came before the Welcome"));
        }
        let me = self.session;
        // What comes for an object that was just left is nobody's.
        let Some(entry) = self.entries.get_mut(&batch.object) else { return Ok(()) };
        if let Some(mine) = batch.sessions.iter().position(|(session, _)| *session == me) {
            entry.channel.heard(batch.ops_of(mine));
        }
        let Some(leaf) = &mut entry.leaf else { return Ok(()) };
        let Some(after) = leaf.accept(&batch, &self.queue)? else { return Ok(()) };
        leaf.is_asked |= batch.asks();
        let asked = self.link.clone().filter(|_| batch.asks());
        let holds = if batch.carries() { self.holds(&batch, after, ctx) } else { VecDeque::new() };
        let entry = self.entries.get(&batch.object);
        if let Some(leaf) = entry.and_then(|entry| entry.leaf.as_ref()) {
            leaf.delivery.hear(batch, after, leaf.past, me, holds, asked);
        }
        Ok(())
    }

    /// What each of the shouts behind `after` that carry objects waits for.
    fn holds(
        &mut self,
        batch: &Batch,
        after: Seq,
        ctx: &mut Context<Self>,
    ) -> VecDeque<(Seq, Hold)> {
        let carriers = batch
            .shouts()
            .filter(|each| each.seq > after && !each.carried.is_empty() && !each.kind.is_of_hubs());
        let holds =
            carriers.map(|shouted| (shouted.seq, self.hold(shouted.carried, Until::Heard, ctx)));
        holds.collect()
    }

    /// The leaf tells its state, when it has heard what is in its inbox. One that waits for its own
    /// has none to tell.
    pub(super) fn want_state(&mut self, object: ObjectId) {
        let leaf = self.entries.get_mut(&object).and_then(|entry| entry.leaf.as_mut());
        let (Some(leaf), Some(link)) = (leaf, self.link.clone()) else { return };
        match leaf.cursor {
            Some(cursor) => leaf.delivery.want_state(cursor, link),
            None => self.queue.tell(&Snapshot::unable(object)),
        }
    }

    /// The leaf, and the voices, say once more where they are.
    pub(super) fn rejoin(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if entry.flow() {
            self.events.tell(ConnectionEvent::Flowing { object });
        }
        entry.channel.pause();
        let is_attached = entry.is_attached;
        self.ask_from_cursor(object);
        if is_attached {
            self.attach_again(object);
        }
    }

    /// The voices without a leaf ask to be let back in.
    pub(super) fn attach_again(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get(&object) else { return };
        let (target, interface) = (Target::Object(object), entry.interface.clone());
        self.ask(Asked::Reattach(object), |request| wire::Attach { request, target, interface });
    }

    /// The leaf, if there is one, asks for what follows its cursor.
    pub(super) fn ask_from_cursor(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        let Some(leaf) = &mut entry.leaf else { return };
        leaf.pace = Pace::Joining;
        let (cursor, asked) = (leaf.cursor, Asked::Rejoin(object, leaf.generation));
        let answers = entry.answers();
        let (target, interface) = (Target::Object(object), entry.interface.clone());
        self.ask(asked, |request| join(request, target, interface, answers, cursor));
    }

    /// A leaf goes on from where it was, or from where the hub still can. Of two answers on the
    /// way, the first may have led further than the second: a cursor never goes back. An answer
    /// for the leaf before this one is no answer for this one.
    pub(super) fn rejoined(
        &mut self,
        object: ObjectId,
        generation: u64,
        joined: &Joined,
        state: Bytes,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.go_on_from(joined);
        entry.name.clone_from(&joined.name);
        self.tell_forgotten(object);
        let Some(entry) = self.entries.get_mut(&object) else { return };
        let Some(leaf) = entry.leaf_of(generation) else { return };
        leaf.past = joined.last;
        leaf.pace = Pace::Pushed;
        if leaf.coming.is_some() {
            return self.begin_anew(object, joined, state, ctx);
        }
        let heard = leaf.cursor.filter(|cursor| cursor.epoch == joined.start.epoch);
        if heard.is_some_and(|heard| joined.start.seq <= heard.seq) {
            return;
        }
        // One that was made anew has asked without a cursor, and perhaps twice.
        let missed = |heard: Cursor| Resync {
            reason: ResyncReason::Missed,
            from: heard.seq.next(),
            to: joined.start.seq,
        };
        leaf.cursor = Some(joined.start);
        if let Some(resync) = joined.resync.or_else(|| heard.map(missed)) {
            let from = heard.map_or(resync.from, |heard| heard.seq.next().max(resync.from));
            let given = joined.state.is_present().then(|| self.given(state, &joined.carried, ctx));
            let gap = Gap { resync: Resync { from, ..resync }, owner: joined.owner };
            self.tell_resync(object, gap, given);
        }
    }

    /// Tells programs if the object's home has forgotten this client.
    pub(super) fn tell_forgotten(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if std::mem::take(&mut entry.is_forgotten) {
            tracing::warn!(%object, "the object's home has forgotten the session");
            self.events.tell(ConnectionEvent::Forgotten { object });
        }
    }

    fn tell_resync(&self, object: ObjectId, gap: Gap, given: Option<Given>) {
        let entry = self.entries.get(&object);
        if let Some(leaf) = entry.and_then(|entry| entry.leaf.as_ref()) {
            leaf.delivery.resync(gap, given);
        }
    }

    /// A leaf was too slow for what the hub keeps. One that waits for its place is told it there.
    pub(super) fn resynced(
        &mut self,
        resynced: &Resynced,
        payload: Bytes,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        let Resynced { object, start, last, resync, owner, .. } = *resynced;
        let state = self.incoming.state(object, resynced.state, payload);
        let state = state.map_err(Closed::protocol)?;
        let leaf = self.entries.get_mut(&object).and_then(|entry| entry.leaf.as_mut());
        let Some(leaf) = leaf.filter(|leaf| leaf.pace != Pace::Joining) else { return Ok(()) };
        let Some(heard) = leaf.cursor.filter(|cursor| cursor.epoch == start.epoch) else {
            return Err(Closed::protocol(format!("a resync of {object} is of another history")));
        };
        if start.seq <= heard.seq {
            return Ok(());
        }
        (leaf.cursor, leaf.past) = (Some(start), last);
        let given = resynced.state.is_present().then(|| self.given(state, &resynced.carried, ctx));
        let resync = Resync { from: heard.seq.next(), ..resync };
        self.tell_resync(object, Gap { resync, owner }, given);
        Ok(())
    }

    /// What a leaf was given when it asked ends here. It may have had no room even for that.
    pub(super) fn pulled(&mut self, pulled: &Pulled) {
        let leaf = self.entries.get_mut(&pulled.object).and_then(|entry| entry.leaf.as_mut());
        let Some(leaf) = leaf.filter(|leaf| leaf.pace == Pace::Pulling) else { return };
        let has_all = leaf.cursor.is_some_and(|cursor| cursor.seq >= pulled.last);
        if pulled.current && has_all {
            leaf.pace = Pace::Pushed;
            leaf.tell_members();
        } else {
            leaf.pace = Pace::Stopped;
            leaf.ask_for_more(pulled.object, &self.queue);
        }
    }
}

impl Leaf {
    /// Whether a join that was not made for this leaf begins beyond what it has heard: then it
    /// drops what follows, until it was told what lies between.
    pub(super) fn lags(&mut self, joined: &Joined) -> bool {
        // What it has asked for is not answered any more: the hub takes it for one that keeps up.
        let has_asked = self.pace == Pace::Pulling;
        let goes_on = self.cursor.is_some_and(|cursor| {
            cursor.epoch == joined.start.epoch && cursor.seq >= joined.start.seq
        });
        if !goes_on || has_asked {
            self.pace = Pace::Joining;
        }
        !goes_on || has_asked
    }

    /// Asks for more of what follows, if there is room for it. If there is none, the driver is told
    /// when there is.
    fn ask_for_more(&mut self, object: ObjectId, queue: &Queue) {
        if self.pace == Pace::Stopped && self.delivery.has_room_for_more() {
            self.pace = Pace::Pulling;
            queue.tell(&Pull { object, cursor: self.cursor });
        }
    }

    /// Moves the cursor behind a batch that is to be heard; tells from where on. `None`: it is
    /// skipped, or dropped.
    fn accept(&mut self, batch: &Batch, queue: &Queue) -> Result<Option<Seq>, Closed> {
        if self.pace == Pace::Joining {
            return Ok(None);
        }
        let Some(cursor) = self.cursor.filter(|cursor| cursor.epoch == batch.epoch) else {
            let object = batch.object;
            return Err(Closed::protocol(format!("a batch of {object} is of another history")));
        };
        let last = batch.last_seq();
        if last <= cursor.seq {
            return Ok(None);
        }
        if batch.first_seq > cursor.seq.next() {
            if self.pace != Pace::Pushed {
                return Ok(None);
            }
            let (object, first, heard) = (batch.object, batch.first_seq, cursor.seq);
            let why = format!("a batch of {object} begins at {first}, and {heard} was the last");
            return Err(Closed::protocol(why));
        }
        if !self.delivery.has_room(batch) {
            if self.pace == Pace::Pushed {
                tracing::debug!(leaf = self.class.name(), heard = %cursor.seq, "an inbox is full");
                self.pace = Pace::Stopped;
                queue.tell(&Pull { object: batch.object, cursor: None });
            }
            return Ok(None);
        }
        self.cursor = Some(Cursor { seq: last, ..cursor });
        Ok(Some(cursor.seq))
    }
}

impl Handler<Drained> for Driver {
    type Result = ();

    fn handle(&mut self, drained: Drained, _: &mut Self::Context) {
        let Drained { object, generation } = drained;
        let Some(entry) = self.entries.get_mut(&object) else { return };
        let Some(leaf) = entry.leaf_of(generation) else { return };
        leaf.tell_members();
        leaf.ask_for_more(object, &self.queue);
    }
}
