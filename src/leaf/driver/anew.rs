//! Leaves that panicked are made anew, by their class and at their seat.
//!
//! The hub notices nothing but one more join. An object with a state is joined without a cursor:
//! the new leaf is made when the state has come, and hears what was shouted since; mail for it
//! waits in its mailbox. Without a state it goes on behind the last shout that the former one was
//! given. Ops under way, handles and the order of what is heard stay as they are.

use actix::{AsyncContext, Context};
use bytes::Bytes;
use tokio::{sync::oneshot, time::Instant};

use super::{Driver, entry::Pace};
use crate::{
    leaf::{
        channel::Gone,
        class::{Begin, Opening, SeatError, Seated, Seating},
        client::AnySeat,
    },
    limits::{LEAF_RESTARTS, LEAF_RESTARTS_WITHIN},
    object::{Cursor, Epoch, ObjectId, Seq},
    supervise::{Budget, RestartLimit},
    wire::Joined,
};

/// What is remembered of a leaf that has panicked.
#[derive(Debug)]
pub(super) struct Lives {
    budget: Budget,
    /// The shout that was in hand when it panicked last.
    last: Option<Seq>,
    /// Shouts over which it panicked twice.
    skips: Vec<Seq>,
    /// The history that these are of.
    epoch: Option<Epoch>,
}

impl Lives {
    fn new() -> Self {
        let limit = RestartLimit { restarts: LEAF_RESTARTS, within: LEAF_RESTARTS_WITHIN };
        Self { budget: Budget::new(limit), last: None, skips: Vec::new(), epoch: None }
    }

    /// It has panicked, with this shout in hand. `false`: once too often.
    fn spend(&mut self, in_hand: Option<Seq>, now: Instant) -> bool {
        if self.last == in_hand {
            self.skips.extend(in_hand);
        }
        self.last = in_hand;
        self.budget.spend(now).is_some()
    }

    /// Its next life begins with a state. `false`: it is of another history.
    fn begin(&mut self, start: Cursor) -> bool {
        let is_same = self.epoch.is_none_or(|epoch| epoch == start.epoch);
        self.skips.retain(|seq| is_same && *seq > start.seq);
        is_same
    }
}

impl Driver {
    /// A leaf has panicked. `false`: it is not made anew.
    pub(super) fn make_anew(
        &mut self,
        object: ObjectId,
        generation: u64,
        reason: &str,
        ctx: &mut Context<Self>,
    ) -> bool {
        let Some(entry) = self.entries.get_mut(&object) else { return false };
        let is_reachable = !entry.channel.has_ended();
        let Some(leaf) = entry.leaf_of(generation) else { return false };
        let (name, needs_hub) = (leaf.class.name(), leaf.class.is_stateful());
        // Without a handle it was only hearing the rest.
        let Some(seat) = leaf.seat.upgrade() else { return false };
        let in_hand = leaf.progress.in_hand();
        let lives = leaf.lives.get_or_insert_with(|| Box::new(Lives::new()));
        lives.epoch = leaf.cursor.map(|cursor| cursor.epoch).or(lives.epoch);
        if !lives.spend(in_hand, Instant::now()) || (needs_hub && !is_reachable) {
            tracing::error!(%object, leaf = name, reason, "a leaf panicked: it has parted");
            let gone = Gone::Panicked(reason.to_owned());
            leaf.class.give_up(&seat, gone.clone());
            entry.failed = Some(gone);
            return false;
        }
        tracing::error!(%object, leaf = name, ?in_hand, reason, "a leaf panicked: it is made anew");
        if let Err(error) = self.seat_anew(object, seat, ctx) {
            tracing::error!(%object, %error, "a leaf that panicked cannot be made anew");
            return false;
        }
        true
    }

    /// Makes a leaf in the place of the one before.
    fn seat_anew(
        &mut self,
        object: ObjectId,
        seat: AnySeat,
        ctx: &mut Context<Self>,
    ) -> Result<(), SeatError> {
        // A seat keeps what keeps the client.
        let Some(keep) = self.keep.upgrade() else { return Ok(()) };
        let begin = self.begin_of(object, ctx);
        let generation = self.next_generation;
        self.next_generation += 1;
        let Some(entry) = self.entries.get_mut(&object) else { return Ok(()) };
        let Some(leaf) = &mut entry.leaf else { return Ok(()) };
        leaf.progress.start_over();
        let Seated { delivery, .. } = leaf.class.clone().seat(Seating {
            channel: entry.channel.clone(),
            begin,
            generation,
            driver: ctx.address(),
            keep,
            progress: leaf.progress.clone(),
            seat: Some(seat),
        })?;
        leaf.generation = generation;
        leaf.delivery = delivery;
        let is_to_ask = leaf.pace == Pace::Joining && !entry.channel.has_ended();
        entry.show();
        if is_to_ask {
            self.ask_from_cursor(object);
        }
        Ok(())
    }

    /// Where a leaf's next life begins. What it has to ask the hub for is still to come.
    fn begin_of(&mut self, object: ObjectId, ctx: &mut Context<Self>) -> Begin {
        let begin = || Begin::Now(Opening::default());
        let Some(entry) = self.entries.get_mut(&object) else { return begin() };
        let Some(leaf) = &mut entry.leaf else { return begin() };
        leaf.carries.clear();
        if !leaf.class.is_stateful() {
            let start = leaf.progress.given();
            leaf.cursor = leaf.cursor.map(|cursor| Cursor { seq: start, ..cursor });
            if leaf.cursor.is_some() {
                leaf.pace = Pace::Joining;
            }
            let owner = leaf.delivery.owner();
            return Begin::Now(Opening { start, owner, ..Opening::default() });
        }
        if let Some((state, carried)) = entry.channel.unborn_state() {
            let given = Some(self.given(state, &carried, ctx));
            return Begin::Now(Opening { given, ..Opening::default() });
        }
        let (sender, coming) = oneshot::channel();
        leaf.cursor = None;
        leaf.pace = Pace::Joining;
        leaf.coming = Some(sender);
        Begin::Later(coming)
    }

    /// The hub has told the state that a leaf is to begin with.
    pub(super) fn begin_anew(
        &mut self,
        object: ObjectId,
        joined: &Joined,
        state: Bytes,
        ctx: &mut Context<Self>,
    ) {
        let given = joined.state.is_present().then(|| self.given(state, &joined.carried, ctx));
        let leaf = self.entries.get_mut(&object).and_then(|entry| entry.leaf.as_mut());
        let Some((leaf, coming)) = leaf.and_then(|leaf| leaf.coming.take().map(|to| (leaf, to)))
        else {
            return;
        };
        leaf.cursor = Some(joined.start);
        let skips = leaf.lives.as_mut().map_or_else(Vec::new, |lives| {
            if !lives.begin(joined.start) {
                leaf.progress.forget_former();
            }
            lives.skips.clone()
        });
        let (start, owner) = (joined.start.seq, joined.owner);
        let _stopped = coming.send(Opening { given, start, owner, skips });
    }
}
