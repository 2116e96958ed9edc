//! Asks on their way to the object's owner, answers on their way back, and who the owner is.
//!
//! An ask passes behind all that has its place, so that the owner answers when it has heard that.
//! The owner of an object with asks is known from its history; when it is a leaf no more, who comes
//! next is said there, at a place that all agree on.

use std::time::Duration;

use actix::{Context, Handler, Message};
use bytes::Bytes;

use super::{Repeater, ahead::Later, due::Due};
use crate::{
    connection::Held,
    hub::{
        asks::{Asks, Heirs, Open, Taken},
        contact::{Contact, Pending},
        roster::{Hearing, Way},
    },
    limits::{ASK_TIME_MAX, SHOUT_BYTES_MAX},
    object::{Carried, Kind, SessionId},
    wire::{Answer, Ask, AskNumber, Asked, Refusal, Replied, Reply},
};

/// A session asks the owner.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct PassAsk {
    pub(crate) session: SessionId,
    pub(crate) ask: Ask,
    pub(crate) payload: Bytes,
    /// Its bytes count against the session's inward bound until it is handled.
    pub(crate) held: Held,
}

/// A session answers.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct PassReply {
    pub(crate) session: SessionId,
    pub(crate) reply: Reply,
    pub(crate) payload: Bytes,
    /// Its bytes count against the session's inward bound until it is handled.
    pub(crate) held: Held,
}

/// A session is no leaf, which it may have been before the hub's restart. Its client is told so when
/// what comes of that is on its way to the journal: it will not say so again.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Disown {
    pub(crate) session: SessionId,
    pub(crate) refused: Option<(Pending, Refusal)>,
}

/// What is asked of an object, and who may own it next.
#[derive(Debug)]
pub(super) struct Questions {
    asks: Asks,
    heirs: Heirs,
    due: Due,
}

impl Questions {
    /// For an object whose interface has asks.
    pub(super) fn of(handover: bool, asks: Vec<Kind>) -> Option<Box<Self>> {
        let heirs = (!asks.is_empty()).then(|| Heirs::new(handover, asks))?;
        Some(Box::new(Self { asks: Asks::default(), heirs, due: Due::default() }))
    }

    /// Whether it is handed over, and its asks.
    pub(super) fn into_manner(self) -> (bool, Vec<Kind>) {
        (self.heirs.handover, self.heirs.asks)
    }
}

impl Repeater {
    fn ask(&mut self, session: SessionId, ask: Ask, payload: Bytes) {
        // A stranger asks again when it is let in.
        let Some(asker) = self.roster.get(session) else { return };
        let (contact, may) = (asker.contact.clone(), asker.rights.may_shout(ask.kind));
        let number = ask.ask;
        if !may {
            let reason = format!("no right to ask message {} of this object", ask.kind);
            return self.reply(&contact, number, Answer::Refused { reason });
        }
        let bytes = payload.len() + Carried::bytes_of(&ask.carried);
        if bytes > SHOUT_BYTES_MAX {
            let reason = format!("ask of {bytes} bytes exceeds the limit of {SHOUT_BYTES_MAX}");
            return self.reply(&contact, number, Answer::Refused { reason });
        }
        self.settle_owner();
        let owner = self.history.owner();
        let Some(questions) = &mut self.questions else {
            return self.reply(&contact, number, Answer::NoHandler);
        };
        if owner == SessionId::OF_HUB || questions.heirs.has_left() {
            return self.reply(&contact, number, Answer::OwnerGone);
        }
        let within = Duration::from_millis(ask.within_ms.into()).min(ASK_TIME_MAX);
        let due_ms = self.clock.now_ms() + within.as_millis() as u64;
        let Ask { kind, carried, .. } = ask;
        let open = Open { session, ask: number, due_ms, kind, carried, payload };
        match questions.asks.take(open.clone()) {
            Taken::Again => {}
            Taken::TooMany => self.reply(&contact, number, Answer::Busy),
            Taken::New => {
                // What has its place goes first.
                self.flush();
                if !self.pass(&open) {
                    self.settle_ask(session, number);
                    self.reply(&contact, number, Answer::Busy);
                }
            }
        }
    }

    /// Passes an ask to the owner. One that is not here waits for it. `false`: it has too much to
    /// hear as it is.
    fn pass(&self, open: &Open) -> bool {
        let owner = self.roster.get(self.history.owner()).filter(|member| member.joined);
        let Some(owner) = owner else { return true };
        match self.roster.hears(owner.session) {
            Hearing::Nothing => true,
            Hearing::Pulled => false,
            Hearing::Pushed => {
                let left_ms = open.due_ms.saturating_sub(self.clock.now_ms());
                let Open { session, ask, kind, carried, payload, .. } = open.clone();
                let asked = Asked {
                    object: self.object,
                    session,
                    ask,
                    last: self.history.last(),
                    kind,
                    within_ms: left_ms.try_into().unwrap_or(u32::MAX),
                    carried,
                };
                owner.contact.say_spare(&asked, &payload)
            }
        }
    }

    /// A session is a leaf, or one again. What the owner is asked it is asked once more: of what it
    /// was asked before it knows.
    pub(super) fn questions_for(&mut self, contact: &Contact, answers: &[Kind]) {
        let owner = self.history.owner();
        let Some(questions) = &mut self.questions else { return };
        questions.heirs.join(contact.session, answers, owner);
        self.settle_owner();
        if contact.session != self.history.owner() {
            return;
        }
        let Some(questions) = &mut self.questions else { return };
        questions.asks.expire(self.clock.now_ms());
        for open in questions.asks.all().to_vec() {
            if !self.pass(&open) {
                self.settle_ask(open.session, open.ask);
                self.reply_to(open.session, open.ask, Answer::Busy);
            }
        }
    }

    /// A session is a leaf no more; for good, it waits for no answer either. It is noted before
    /// anything is done about it that may fail: then who owns the object is [settled](Self::settle_owner).
    pub(super) fn leave_questions(&mut self, session: SessionId, for_good: bool) {
        let owner = self.history.owner();
        let Some(questions) = &mut self.questions else { return };
        if for_good {
            questions.asks.forget(session);
        }
        questions.heirs.leave(session, owner);
    }

    /// If another owns the object now, all are told so. While the tail has no room for that, nobody
    /// does who is there.
    pub(super) fn settle_owner(&mut self) {
        let owner = self.history.owner();
        let Some(questions) = &mut self.questions else { return };
        let Some(next) = questions.heirs.due(owner) else { return };
        let unanswered = questions.asks.end();
        if self.history.has_room_to_say() && self.ended.is_none() {
            tracing::info!(object = %self.object, from = %owner, to = %next, "another owner");
            self.flush();
            self.history.hand_over(next);
            if let Some(questions) = &mut self.questions {
                questions.heirs.is_settled();
            }
            self.flush();
        }
        for open in unanswered {
            self.reply_to(open.session, open.ask, Answer::OwnerGone);
        }
    }

    /// All that is asked is forgotten: whoever has asked is about to ask again.
    pub(super) fn forget_asks(&mut self) {
        if let Some(questions) = &mut self.questions {
            questions.asks.end();
            questions.due.over();
        }
    }

    fn settle_ask(&mut self, session: SessionId, ask: AskNumber) -> bool {
        self.questions.as_mut().is_some_and(|questions| questions.asks.settle(session, ask))
    }

    fn reply_to(&self, session: SessionId, ask: AskNumber, answer: Answer) {
        if let Some(asker) = self.roster.get(session) {
            self.reply(&asker.contact, ask, answer);
        }
    }

    fn reply(&self, contact: &Contact, ask: AskNumber, answer: Answer) {
        let (object, carried) = (self.object, Vec::new());
        contact.say(&Replied { object, ask, answer, carried });
    }

    /// Sees to it that the first that is due is forgotten then.
    fn watch_asks(&mut self, ctx: &mut Context<Self>) {
        let Some(questions) = &mut self.questions else { return };
        let due_ms = questions.asks.next_due_ms();
        questions.due.watch(due_ms, self.clock.now_ms(), Self::expire_asks, ctx);
    }

    fn expire_asks(&mut self, ctx: &mut Context<Self>) {
        let now_ms = self.clock.now_ms();
        let Some(questions) = &mut self.questions else { return };
        questions.due.over();
        questions.asks.expire(now_ms);
        self.watch_asks(ctx);
    }
}

impl Handler<PassAsk> for Repeater {
    type Result = ();

    fn handle(&mut self, asking: PassAsk, ctx: &mut Context<Self>) {
        let Some(asking) = self.or_later(asking.session, asking, Later::Ask) else { return };
        if self.above.is_some() {
            let bytes = asking.held.bytes();
            self.ask_above(asking);
            self.took(1, bytes, ctx);
            return;
        }
        let PassAsk { session, ask, payload, held } = asking;
        if self.ended.is_none() {
            self.ask(session, ask, payload);
            self.watch_asks(ctx);
        }
        self.took(1, held.bytes(), ctx);
    }
}

impl Handler<PassReply> for Repeater {
    type Result = ();

    fn handle(&mut self, replying: PassReply, ctx: &mut Context<Self>) {
        if self.above.is_some() {
            let bytes = replying.held.bytes();
            self.reply_above(replying);
            self.took(1, bytes, ctx);
            return;
        }
        let PassReply { session, reply, payload, held } = replying;
        let Reply { object, session: asker, ask, answer, carried } = reply;
        let is_awaited = session == self.history.owner() && self.settle_ask(asker, ask);
        let asker = self.roster.get(asker).filter(|_| is_awaited);
        if let Some(contact) = asker.map(|asker| asker.contact.clone()) {
            let bytes = payload.len() + Carried::bytes_of(&carried);
            let replied = Replied { object, ask, answer, carried };
            if bytes > SHOUT_BYTES_MAX {
                self.reply(&contact, ask, Answer::TooLarge { bytes: bytes as u32 });
            } else if !contact.say_spare(&replied, &payload) {
                self.reply(&contact, ask, Answer::Busy);
            }
            self.watch_asks(ctx);
        } else {
            tracing::debug!(%object, %session, ask, "an answer that nobody waits for");
        }
        self.took(1, held.bytes(), ctx);
    }
}

impl Handler<Disown> for Repeater {
    type Result = ();

    fn handle(&mut self, disown: Disown, ctx: &mut Context<Self>) {
        let Disown { session, refused } = disown;
        if self.above.is_some() {
            self.withdraw_above(session, Way::Joined);
        }
        self.leave_questions(session, false);
        self.settle_owner();
        if let Some((pending, refusal)) = refused {
            pending.refuse(refusal);
        }
        self.took(1, 0, ctx);
    }
}
