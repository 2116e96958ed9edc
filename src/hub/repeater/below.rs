//! Those below a link: the hub there is one leaf, and says for whom it speaks.
//!
//! A session below is at the object as any other, but that it hears what its link does.

use std::sync::Arc;

use actix::{Context, Handler, Message};

use super::{Repeater, ahead::Later, entrants::Entry};
use crate::{
    hub::{
        admission::Identity,
        contact::{Contact, Pending},
        roster::Way,
    },
    object::{Kind, Op, SessionId},
    wire::{Enrolled, Refusal, Unpassed},
};

/// A session below a link is at the object.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Enrolling {
    pub(crate) pending: Pending,
    pub(crate) contact: Contact,
    pub(crate) link: SessionId,
    pub(crate) way: Way,
    pub(crate) client: Arc<Identity>,
    pub(crate) answers: Vec<Kind>,
}

/// A shout was refused on its way up.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Spend {
    pub(crate) session: SessionId,
    pub(crate) op: Op,
    pub(crate) why: Unpassed,
}

impl Repeater {
    /// Lets in a session below a link, of which this op is awaited.
    pub(super) fn let_in_below(&mut self, enrolling: Enrolling, next_op: Op) {
        let Enrolling { pending, contact, link, way, client, answers } = enrolling;
        let session = contact.session;
        let rights = self.roster.get(link).filter(|member| member.is_link);
        let Some(rights) = rights.map(|link| link.rights.clone()) else {
            return pending.refuse(Refusal::NotJoined);
        };
        self.entering = Some(Box::new(contact.clone()));
        let (request, object) = (pending.request(), self.object);
        pending.answer(&Enrolled { request, object, next_op }, &[]);
        self.tell_earlier_outcomes(&contact);
        if way == Way::Joined {
            self.has_joined(session, client);
        }
        self.enter(contact.clone(), rights, way);
        self.roster.set_through(session, link);
        if way == Way::Joined {
            self.questions_for(&contact, &answers);
        }
    }
}

impl Handler<Enrolling> for Repeater {
    type Result = ();

    fn handle(&mut self, enrolling: Enrolling, ctx: &mut Context<Self>) {
        let session = enrolling.contact.session;
        let Some(enrolling) = self.or_later(session, enrolling, Later::Enroll) else { return };
        if self.ended.is_some() {
            return enrolling.pending.refuse(Refusal::Gone);
        }
        if self.above.is_some() {
            return self.enter_above(session, Entry::Below(enrolling), ctx);
        }
        self.flush();
        let next_op = self.history.next_op(session);
        self.let_in_below(enrolling, next_op);
        self.took(1, 0, ctx);
    }
}

impl Handler<Spend> for Repeater {
    type Result = ();

    fn handle(&mut self, spend: Spend, ctx: &mut Context<Self>) {
        let Spend { session, op, why } = spend;
        if self.above.is_some() {
            return self.spend_above(session, op, why);
        }
        if self.roster.get(session).is_some() {
            self.refuse_with(session, op, why.into());
        }
        if !self.took(1, 0, ctx) {
            self.flush_later(ctx);
        }
    }
}
