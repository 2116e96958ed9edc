//! Receipts of a higher grade: whom a shout waits for, until when, and what its shouter is told.
//!
//! The shouter has the ordinary receipt first. A panic forgets all that wait: who is told to join
//! again knows by that that nobody counts any more.

use std::time::Duration;

use actix::{Context, Handler, Message};

use super::{Repeater, due::Due};
use crate::{
    connection::Held,
    hub::{grades::Grades, history::Offer},
    limits::GRADE_TIME_MAX,
    object::{Op, Seq, SessionId},
};

/// The shouts that wait, and the timer of the first that is due.
#[derive(Debug, Default)]
pub(super) struct Grading {
    grades: Grades,
    due: Due,
}

/// A leaf is done with everything up to a seq.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Acknowledge {
    pub(crate) session: SessionId,
    pub(crate) seq: Seq,
    /// It counts against the session's inward bound until it is handled.
    pub(crate) held: Held,
}

impl Repeater {
    /// A shout has its place: if it asks, it waits for those who are leaves now.
    #[inline]
    pub(super) fn grade(&mut self, session: SessionId, offer: &Offer<'_>, seq: Seq) {
        if let Some(ms) = offer.handled_within_ms {
            self.open_grade(session, offer.op, seq, Duration::from_millis(ms.into()));
        }
    }

    fn open_grade(&mut self, session: SessionId, op: Op, seq: Seq, within: Duration) {
        let within = within.min(GRADE_TIME_MAX);
        let due_ms = self.clock.now_ms() + within.as_millis() as u64;
        let leaves = self.roster.members().iter().filter(|member| member.joined && !member.is_link);
        let leaves = leaves.map(|member| member.session).collect();
        self.turn.pushed(self.roster.leaves());
        let grading = self.grading.get_or_insert_default();
        grading.grades.open((session, op, seq), leaves, due_ms);
    }

    /// Sees to it that the first that is due is told of in time.
    pub(super) fn watch_grades(&mut self, ctx: &mut Context<Self>) {
        let Some(grading) = &mut self.grading else { return };
        let due_ms = grading.grades.next_due_ms();
        grading.due.watch(due_ms, self.clock.now_ms(), Self::expire_grades, ctx);
    }

    /// A session is no leaf any more; or not here at all, for good.
    pub(super) fn part_from_grades(&mut self, session: SessionId, for_good: bool) {
        let Some(grading) = &mut self.grading else { return };
        if for_good {
            grading.grades.forget(session);
        } else {
            grading.grades.parted(session);
        }
        if !self.dirty {
            self.tell_grades();
        }
    }

    /// Nobody says anything any more: each is told what is known.
    pub(super) fn end_grades(&mut self) {
        if let Some(grading) = &mut self.grading {
            grading.grades.close();
            self.tell_grades();
        }
        self.grading = None;
    }

    /// Tells what became of those that wait no longer. Their ordinary receipts are out.
    pub(super) fn tell_grades(&mut self) {
        let Some(grading) = &mut self.grading else { return };
        for (session, handled) in grading.grades.told(self.object) {
            if let Some(member) = self.roster.get(session) {
                member.contact.say(&handled);
            }
        }
    }

    fn expire_grades(&mut self, ctx: &mut Context<Self>) {
        let now_ms = self.clock.now_ms();
        let Some(grading) = &mut self.grading else { return };
        grading.due.over();
        grading.grades.expire(now_ms);
        self.flush();
        self.watch_grades(ctx);
    }
}

impl Handler<Acknowledge> for Repeater {
    type Result = ();

    fn handle(&mut self, said: Acknowledge, ctx: &mut Context<Self>) {
        let Acknowledge { session, seq, held } = said;
        let bytes = held.bytes();
        if self.above.is_some() {
            self.acknowledge_above(session, seq, held);
            self.took(1, bytes, ctx);
            return;
        }
        let about = self.grading.as_mut().map_or(0, |it| it.grades.heard(session, seq));
        if !self.dirty {
            self.tell_grades();
        }
        drop(held);
        self.took(1 + about, bytes, ctx);
    }
}
