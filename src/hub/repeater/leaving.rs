//! Sessions leave: in one of the ways in which they are here, or for good.

use std::collections::BTreeSet;

use actix::{Context, Handler, Message};

use super::{Repeater, ahead::Later};
use crate::{
    hub::{contact::Pending, roster::Way},
    object::SessionId,
    wire::Refusal,
};

/// A session ends one of its ways of being here.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Leave {
    pub(crate) session: SessionId,
    pub(crate) way: Way,
    /// None for a session below a link, which waits for no answer.
    pub(crate) pending: Option<Pending>,
}

impl Leave {
    pub(super) fn refuse(self) {
        if let Some(pending) = self.pending {
            pending.refuse(Refusal::NotJoined);
        }
    }
}

/// A session has ended for good.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Forget(pub(crate) SessionId);

/// Who was told to join again, and has not.
#[derive(Debug, Default)]
pub(super) struct Strayed(pub(super) BTreeSet<SessionId>);

impl Repeater {
    /// A session has joined again, or will not.
    pub(super) fn is_back(&mut self, session: SessionId) {
        if let Some(strayed) = &mut self.strayed {
            strayed.0.remove(&session);
            self.strayed.take_if(|strayed| strayed.0.is_empty());
        }
    }

    pub(super) fn forget(&mut self, session: SessionId) {
        self.leave_questions(session, true);
        if self.above.is_some() && self.roster.get(session).is_some() {
            self.withdraw_above(session, Way::Joined);
            self.withdraw_above(session, Way::Attached);
        }
        self.part_from_grades(session, true);
        self.roster.remove(session);
        self.stop_state(session);
        self.resyncs.iter_mut().for_each(|resyncs| resyncs.forget(session));
        self.unask(session);
        self.is_back(session);
        self.has_parted(session);
        self.history.forget(session);
        self.settle_owner();
        self.tell_of_leaves();
    }
}

impl Handler<Leave> for Repeater {
    type Result = ();

    fn handle(&mut self, leave: Leave, ctx: &mut Context<Self>) {
        // At a copy everything waits for the home to have let its session in.
        let waits = leave.way == Way::Attached || self.is_entrant(leave.session);
        let leave =
            if waits { self.or_later(leave.session, leave, Later::Detach) } else { Some(leave) };
        let Some(leave) = leave else { return };
        if self.ended.is_some() {
            return leave.refuse();
        }
        if leave.way == Way::Joined {
            self.leave_questions(leave.session, false);
        }
        // What is in this turn was said before the leaf parted.
        self.flush();
        let Leave { session, way, pending } = leave;
        if way == Way::Joined {
            if let Some(member) = self.roster.get(session) {
                member.contact.queue.unpull(self.object);
            }
            self.call_off(session, ctx);
        }
        self.roster.leave(session, way);
        if way == Way::Joined {
            self.unask(session);
            self.has_parted(session);
            self.settle_owner();
            self.ask_for_a_snapshot();
        }
        self.withdraw_above(session, way);
        if let Some(pending) = pending {
            pending.done();
        }
        self.tell_of_leaves();
        self.took(1, 0, ctx);
    }
}

impl Handler<Forget> for Repeater {
    type Result = ();

    fn handle(&mut self, forget: Forget, ctx: &mut Context<Self>) {
        let session = forget.0;
        // At a copy it may be on its way in, and has left since.
        let is_entrant = self.is_entrant(session);
        let now =
            if is_entrant { self.or_later(session, forget, Later::Forget) } else { Some(forget) };
        if now.is_none() {
            return;
        }
        self.forget(session);
        self.ask_for_a_snapshot();
        self.took(1, 0, ctx);
    }
}
