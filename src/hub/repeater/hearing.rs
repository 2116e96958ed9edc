//! Shouts come: each is given its place, or is told why it has none.

use actix::{AsyncContext, Context, Handler, Message};

use super::{Flush, Repeater, ahead::Later, fatal::InHand, upward::refusal};
use crate::{
    connection::Held,
    hub::{
        history::{Decision, Offer},
        roster::Hearing,
        session::Metered,
        volley::Volley,
    },
    object::{Op, SessionId},
    wire::Verdict,
};

/// Shouts of one session, as one read of its socket brought them.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Shouts {
    pub(crate) session: SessionId,
    pub(crate) volley: Volley,
    /// Their bytes count against the session's inward bound until they are handled.
    pub(crate) held: Held,
    /// Their number counts against the session's window at the object until then.
    pub(crate) metered: Metered,
}

impl Repeater {
    pub(super) fn hear(&mut self, session: SessionId, offer: &Offer<'_>) {
        self.in_hand = InHand { session, op: offer.op };
        let Some(member) = self.roster.get(session) else {
            // It is told to join again after a panic; the answer says where to go on. Until it
            // ends it keeps its place here, and is to be told if the object ends before it.
            self.history.remember(session);
            return tracing::debug!(object = %self.object, %session, "shout of a stranger dropped");
        };
        let mut hears = self.roster.hears_as(member);
        if let Some(why) = refusal(member, offer) {
            return self.refuse(session, offer.op, why);
        }
        if self.fatal.as_ref().is_some_and(|it| it.is_blamed(session, offer.op)) {
            let why = "the object's repeater panicked at this shout twice".to_owned();
            return self.refuse(session, offer.op, why);
        }
        if !self.history.has_room(offer) {
            self.flush();
            // It may have fallen behind over what was sent.
            hears = self.roster.hears(session);
        }
        if self.judge.is_some()
            && let Some(why) = self.veto(session, offer)
        {
            return self.refuse(session, offer.op, why);
        }
        #[cfg(feature = "testing")]
        self.sabotage.at_a_shout(offer.kind);
        match self.history.offer(session, offer) {
            Decision::Sequenced(seq) => {
                self.fanout.sequenced(session, hears == Hearing::Pushed, offer.op, seq);
                self.grade(session, offer, seq);
            }
            decision => self.answer(session, offer.op, decision),
        }
    }

    pub(super) fn refuse(&mut self, session: SessionId, op: Op, reason: String) {
        self.refuse_with(session, op, Verdict::Refused { reason });
    }

    /// Refuses an op, if it is the next one, with this for an outcome.
    pub(super) fn refuse_with(&mut self, session: SessionId, op: Op, verdict: Verdict) {
        match self.history.refuse(session, op) {
            Decision::RefusedBefore => self.fanout.owe(session, op, verdict),
            decision => self.answer(session, op, decision),
        }
    }

    fn answer(&mut self, session: SessionId, op: Op, decision: Decision) {
        let refused = |reason: &str| Verdict::Refused { reason: reason.to_owned() };
        match decision {
            Decision::Sequenced(seq) | Decision::Duplicate(seq) => {
                self.fanout.owe(session, op, Verdict::Sequenced { seq, count: 1 });
            }
            Decision::Gap(next) => self.fanout.owe(session, next, Verdict::Gap),
            Decision::GapAgain => {}
            Decision::RefusedBefore => self.fanout.owe(session, op, refused("refused before")),
            Decision::TailFull => {
                self.asking.get_or_insert_default().refused_one();
                let why = "the object's tail is full and no leaf has made a newer state";
                self.fanout.owe(session, op, refused(why));
            }
        }
    }
}

impl Repeater {
    /// Sees to it that the turn ends with a flush.
    #[inline]
    pub(super) fn flush_later(&mut self, ctx: &mut Context<Self>) {
        if !self.dirty {
            self.dirty = true;
            ctx.notify(Flush);
        }
    }
}

impl Handler<Shouts> for Repeater {
    type Result = ();

    fn handle(&mut self, shouts: Shouts, ctx: &mut Self::Context) {
        let Some(shouts) = self.or_later(shouts.session, shouts, Later::Shouts) else { return };
        if self.above.is_some() {
            let (count, bytes) = (shouts.volley.count(), shouts.held.bytes());
            self.pass_up(shouts);
            self.took(count, bytes, ctx);
            return;
        }
        let Shouts { session, volley, held, metered } = shouts;
        let count = volley.count();
        self.hear_all(session, volley);
        self.in_hand = InHand::NOTHING;
        self.watch_grades(ctx);
        let bytes = held.bytes();
        self.is_handled(held, Some(metered));
        if !self.took(count, bytes, ctx) {
            self.flush_later(ctx);
        }
    }
}
