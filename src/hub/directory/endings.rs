//! How objects end: destroyed by a leaf, or dropped when nobody has needed them for a while.
//!
//! In come reports from repeaters (who has leaves, what is listed) and the wishes of leaves (pins,
//! destroying); [`Life`](crate::hub::life::Life) says who is needed. What ends is taken out at
//! once: its name is free, its id never used again. Its repeater and the sessions are told.

use std::collections::BTreeSet;

use actix::{Addr, AsyncContext, Context, Handler, Message};

use super::{Directory, keeping::Beginning};
use crate::{
    hub::{
        contact::Pending,
        life::ListChange,
        repeater::{Repeater, Retire},
        session::ObjectEnded,
    },
    limits::{SWEEP_INTERVAL, SWEEP_PAUSE, SWEEP_VISITS},
    object::{ObjectId, SessionId},
    wire::{Change, EndReason, Target},
};

/// An object has its first leaf, or has lost its last.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Occupied {
    pub(crate) object: ObjectId,
    pub(crate) joined: bool,
}

/// What an object's state and tail list is not what it was.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Carried {
    pub(crate) object: ObjectId,
    pub(crate) change: ListChange,
}

/// Keep an object though nobody needs it; or no longer.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct SetPin {
    pub(crate) object: ObjectId,
    pub(crate) pinned: bool,
    pub(crate) pending: Pending,
}

/// End an object for everybody.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Destroy {
    pub(crate) object: ObjectId,
    pub(crate) pending: Pending,
}

/// Tell sessions that an object is no more. Without a reason they have been refused already.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TellEnded {
    pub(crate) object: ObjectId,
    pub(crate) sessions: Vec<SessionId>,
    pub(crate) reason: Option<EndReason>,
}

impl Directory {
    /// Looks for objects that nobody needs before long, if there can be any.
    pub(super) fn sweep_later(&mut self, ctx: &mut Context<Self>) {
        // What a quarantined object lists is not known, and must not go before it is back; nor before
        // clients can be back.
        let is_unknown = !self.quarantine.is_empty() || self.beginning != Beginning::Over;
        if self.sweep.is_some() || self.stopping || is_unknown || self.life.is_settled() {
            return;
        }
        self.sweep = Some(ctx.run_later(SWEEP_INTERVAL, Self::sweep));
    }

    /// Looks at some, drops what is due, lets others run, and goes on.
    fn sweep(&mut self, ctx: &mut Context<Self>) {
        self.sweep = None;
        let turn = self.life.look(SWEEP_VISITS, self.clock.now_ms());
        for object in turn.due {
            self.drop_object(object);
        }
        if turn.ended {
            return self.sweep_later(ctx);
        }
        self.sweep = Some(ctx.run_later(SWEEP_PAUSE, Self::sweep));
    }

    fn drop_object(&mut self, object: ObjectId) {
        if self.objects.get(&object).is_some_and(|known| known.is_copy) {
            return self.drop_copy(object);
        }
        tracing::debug!(%object, "nobody needs an object any more");
        if let Some(repeater) = self.take_out(object) {
            repeater.do_send(Retire { reason: EndReason::Dropped, done: None });
        }
        self.life.drop_due(object);
    }

    /// From here on there is no such object, and its name is free.
    fn take_out(&mut self, object: ObjectId) -> Option<Addr<Repeater>> {
        let known = self.objects.remove(&object)?;
        self.keep_end(object);
        self.upward.set_own(object, false);
        if let Some(name) = known.name {
            self.names.remove(&name);
            self.tell_watchers(&Change::Removed(name));
        }
        Some(known.repeater)
    }
}

impl Handler<Occupied> for Directory {
    type Result = ();

    fn handle(&mut self, occupied: Occupied, ctx: &mut Self::Context) {
        self.life.set_joined(occupied.object, occupied.joined, self.clock.now_ms());
        self.sweep_later(ctx);
    }
}

impl Handler<Carried> for Directory {
    type Result = ();

    fn handle(&mut self, carried: Carried, _: &mut Self::Context) {
        self.life.list(carried.object, carried.change, self.clock.now_ms());
    }
}

impl Handler<SetPin> for Directory {
    type Result = ();

    fn handle(&mut self, set: SetPin, ctx: &mut Self::Context) {
        let SetPin { object, pinned, pending } = set;
        self.took(0, ctx);
        if let Err(refusal) = self.find(&Target::Object(object)) {
            return pending.refuse(refusal);
        }
        self.life.set_pinned(object, pinned, self.clock.now_ms());
        self.redefine(object, |definition| definition.pinned = pinned);
        pending.done();
        self.sweep_later(ctx);
    }
}

impl Handler<Destroy> for Directory {
    type Result = ();

    fn handle(&mut self, destroy: Destroy, ctx: &mut Self::Context) {
        let Destroy { object, pending } = destroy;
        self.took(0, ctx);
        // One that has failed says so, and goes when nobody needs it.
        match self.find(&Target::Object(object)) {
            Ok(found) => {
                self.take_out(object);
                self.life.end(object);
                let (reason, done) = (EndReason::Destroyed, Some(pending));
                found.repeater.do_send(Retire { reason, done });
            }
            Err(refusal) => pending.refuse(refusal),
        }
    }
}

impl Handler<TellEnded> for Directory {
    type Result = ();

    fn handle(&mut self, tell: TellEnded, _: &mut Self::Context) {
        let TellEnded { object, sessions, reason } = tell;
        let links = sessions.iter().map(|it| self.origins.get(it).unwrap_or(it));
        let sessions: BTreeSet<_> = links.copied().collect();
        for session in sessions.iter().filter_map(|&session| self.sessions.get(session)) {
            session.do_send(ObjectEnded { object, reason: reason.clone() });
        }
    }
}
