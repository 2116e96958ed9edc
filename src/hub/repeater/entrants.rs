//! Who is on the way to a copy: the home is asked to let him in, and what he says meanwhile waits.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use actix::Context;
use bytes::Bytes;

use super::{Attach, Enrolling, Join, Repeater, ahead::Later};
use crate::{
    hub::{admission::Identity, contact::Contact, roster::Way},
    object::{ObjectId, Op, SessionId},
    wire::{Attached, Enroll, Refusal, Request},
};

/// Who waits to be let in.
#[derive(Debug)]
pub(super) struct Entrant {
    /// None while he is being let in: a panic then costs nothing of what he has said since.
    pub(super) entry: Option<Entry>,
    /// What the home was asked for him, if it was: other answers are of before.
    pub(super) request: Option<Request>,
    /// The op that the home awaits of him, once it has said so.
    pub(super) next_op: Option<Op>,
    /// What was told him since.
    pub(super) told: Vec<Bytes>,
    /// What he has said since.
    pub(super) behind: VecDeque<Later>,
}

/// How somebody is to be let in.
#[derive(Debug)]
pub(super) enum Entry {
    Leaf(Join),
    Voice(Attach),
    Below(Enrolling),
}

impl Entry {
    /// Whether the home is asked for him.
    pub(super) fn is_enrolled(&self) -> bool {
        !matches!(self, Self::Leaf(Join { link: Some(_), .. }))
    }

    fn refuse(self, refusal: Refusal) {
        match self {
            Self::Leaf(Join { pending, .. })
            | Self::Voice(Attach { pending, .. })
            | Self::Below(Enrolling { pending, .. }) => pending.refuse(refusal),
        }
    }

    pub(super) fn enroll(&self, object: ObjectId, session: SessionId) -> Option<Enroll> {
        let (leaf, client, answers) = match self {
            Self::Leaf(Join { link: Some(_), .. }) => return None,
            Self::Leaf(join) => (true, join.client.clone(), join.answers.clone()),
            Self::Voice(_) => (false, Arc::default(), Vec::new()),
            Self::Below(it) => (it.way == Way::Joined, it.client.clone(), it.answers.clone()),
        };
        let Identity { name, info, .. } = &*client;
        let (name, info) = (name.clone(), info.clone());
        Some(Enroll { request: 0, object, session, leaf, answers, name, info })
    }
}

impl Repeater {
    /// Somebody is to be let in, when the home has answered for him.
    pub(super) fn enter_above(
        &mut self,
        session: SessionId,
        entry: Entry,
        ctx: &mut Context<Self>,
    ) {
        // What is sent to where it was is not to say that it is away.
        self.roster.set_away(session);
        let (object, Some(above)) = (self.object, &mut self.above) else { return };
        let (mut next_op, mut request) = (None, None);
        match entry.enroll(object, session) {
            // A hub below is answered for by this one; and nobody else is while the way is cut.
            None => next_op = Some(Op(1)),
            Some(enroll) if above.flows => request = Some(above.upward.enroll(enroll)),
            Some(_) => {}
        }
        let flows = above.flows;
        tracing::trace!(%object, %session, flows, ?request, "the home is asked to let somebody in");
        let (told, behind) = (Vec::new(), VecDeque::new());
        above
            .entrants
            .insert(session, Entrant { entry: Some(entry), request, next_op, told, behind });
        above.unsaid.retain(|(gone, _)| *gone != session);
        self.tell_of_leaves();
        self.let_entrants_in(ctx);
    }

    /// Whether a session waits for the home to let it in.
    pub(super) fn is_entrant(&self, session: SessionId) -> bool {
        self.above.as_ref().is_some_and(|above| above.entrants.contains_key(&session))
    }

    /// Whether anybody is on the way.
    pub(super) fn has_entrants(&self) -> bool {
        self.above.as_ref().is_some_and(|above| !above.entrants.is_empty())
    }

    /// The object is no more: whoever was on the way is turned away.
    pub(super) fn turn_entrants_away(&mut self, sessions: &mut BTreeSet<SessionId>) {
        let Some(above) = &mut self.above else { return };
        for (session, entrant) in std::mem::take(&mut above.entrants) {
            sessions.insert(session);
            if let Some(entry) = entrant.entry {
                entry.refuse(Refusal::Gone);
            }
            entrant.behind.into_iter().for_each(Later::refuse);
        }
    }

    /// Lets in who can be.
    pub(super) fn let_entrants_in(&mut self, ctx: &mut Context<Self>) {
        while let Some(session) = self.next_entrant() {
            let contact = self.let_entrant_in(session, ctx);
            let entrant = self.above.as_mut().and_then(|above| above.entrants.remove(&session));
            let (Some(contact), Some(entrant)) = (contact, entrant) else { return };
            entrant.told.into_iter().for_each(|frame| contact.pass(frame));
            self.hear_later(session, entrant.behind, ctx);
        }
    }

    /// Whoever was being let in when it panicked is told to join again; what he has said since goes on.
    pub(super) fn let_go_of_entrants(&mut self, ctx: &mut Context<Self>) {
        let Some(above) = &mut self.above else { return };
        let all = above.entrants.iter().filter(|(_, entrant)| entrant.entry.is_none());
        for session in all.map(|(session, _)| *session).collect::<Vec<_>>() {
            let entrant = self.above.as_mut().and_then(|above| above.entrants.remove(&session));
            if let Some(entrant) = entrant {
                self.hear_later(session, entrant.behind, ctx);
            }
        }
    }

    fn next_entrant(&self) -> Option<SessionId> {
        let above = self.above.as_ref().filter(|above| above.is_ready())?;
        let is_due = |entrant: &Entrant| {
            entrant.next_op.is_some()
                || (!above.flows && matches!(entrant.entry, Some(Entry::Leaf(_))))
        };
        above
            .entrants
            .iter()
            .find(|(_, entrant)| entrant.entry.is_some() && is_due(entrant))
            .map(|(session, _)| *session)
    }

    fn let_entrant_in(&mut self, session: SessionId, ctx: &mut Context<Self>) -> Option<Contact> {
        let entrant = self.above.as_mut()?.entrants.get_mut(&session)?;
        let (entry, next_op) = (entrant.entry.take()?, entrant.next_op);
        tracing::trace!(object = %self.object, %session, ?next_op, "somebody is let in");
        let op = next_op.unwrap_or(Op(1));
        let contact = match entry {
            Entry::Leaf(mut join) => {
                let contact = join.contact.clone();
                join.known = Some((op, next_op.is_none()));
                self.join(join, ctx);
                contact
            }
            Entry::Voice(attach) => {
                let contact = attach.contact.clone();
                self.attach(attach, op);
                contact
            }
            Entry::Below(enrolling) => {
                let contact = enrolling.contact.clone();
                self.let_in_below(enrolling, op);
                contact
            }
        };
        Some(contact)
    }

    /// Lets in a session that only speaks.
    pub(super) fn attach(&mut self, attach: Attach, next_op: Op) {
        let Attach { pending, contact, rights } = attach;
        self.entering = Some(Box::new(contact.clone()));
        self.flush();
        let (request, object, epoch) = (pending.request(), self.object, self.history.epoch());
        pending.answer(&Attached { request, object, epoch, next_op }, &[]);
        self.tell_earlier_outcomes(&contact);
        self.enter(contact, rights, Way::Attached);
    }

    /// Who waits for the answer to this request.
    pub(super) fn entrant(&mut self, session: SessionId, request: Request) -> Option<&mut Entrant> {
        let entrant = self.above.as_mut()?.entrants.get_mut(&session)?;
        Some(entrant).filter(|entrant| entrant.request == Some(request))
    }

    pub(super) fn refuse_entrant(
        &mut self,
        session: SessionId,
        refusal: Refusal,
        ctx: &mut Context<Self>,
    ) {
        let entrant = self.above.as_mut().and_then(|above| above.entrants.remove(&session));
        let Some(Entrant { entry, behind, .. }) = entrant else { return };
        if let Some(entry) = entry {
            entry.refuse(refusal);
        }
        self.hear_later(session, behind, ctx);
    }
}
