//! Questions in an inbox: in their turn among the shouts, and no shouts. An answer that takes its
//! time holds up nothing.

use actix::{Addr, Context};
use tokio::time::Instant;

use super::{Delivery, Inbox, Item, Weight};
use crate::{
    leaf::driver::{Answered, Arrived, Driver, Hold},
    limits::BATCH_BYTES_MIN,
    object::{
        Carried, Dispatch, EncodeError, Encoded, Leaf, ObjectId, Question, SessionId, Unanswered,
    },
    wire::{Answer, AskNumber, reason},
};

/// A question on its way to a leaf.
#[derive(Debug)]
pub(crate) struct Asking {
    question: Question,
    carried: Vec<Carried>,
    pub(super) hold: Option<Hold>,
    owed: Owed,
    _weight: Weight,
}

/// An answer that is owed. Dropped, it is not given: the leaf has stopped or panicked.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) driver: Addr<Driver>,
    pub(crate) object: ObjectId,
    pub(crate) asker: SessionId,
    pub(crate) ask: AskNumber,
    /// When nobody waits for it any more.
    pub(crate) until: Instant,
    /// Whether the leaf was given the question.
    pub(crate) has_begun: bool,
    pub(crate) is_paid: bool,
}

impl Owed {
    fn give(mut self, answer: Option<Result<Encoded, EncodeError>>) {
        // Else the leaf has let go of it.
        let Some(written) = answer else { return };
        let unwritable = |error: EncodeError| match error {
            EncodeError::TooLarge { bytes, .. } => {
                Answer::TooLarge { bytes: bytes.try_into().unwrap_or(u32::MAX) }
            }
            error => Answer::Unwritable { reason: reason(&error.to_string()) },
        };
        match written {
            Ok(encoded) => self.pay(Answer::Given, encoded),
            Err(error) => self.say(unwritable(error)),
        }
    }

    fn say(&mut self, answer: Answer) {
        self.pay(answer, Encoded { payload: Vec::new(), carried: Vec::new() });
    }

    fn pay(&mut self, answer: Answer, said: Encoded) {
        self.is_paid = true;
        let Self { object, asker, ask, .. } = *self;
        self.driver.do_send(Answered { object, asker, ask, answer: Some(answer), said });
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if self.is_paid {
            return;
        }
        if self.has_begun {
            let reason = "it panicked over it, or stopped; the owner's log says why".to_owned();
            return self.say(Answer::Panicked { reason });
        }
        let Self { object, asker, ask, .. } = *self;
        let said = Encoded { payload: Vec::new(), carried: Vec::new() };
        self.driver.do_send(Answered { object, asker, ask, answer: None, said });
    }
}

impl Delivery {
    /// Puts a question into the inbox, which [has room](Self::has_room_to_ask) for it.
    pub(crate) fn ask(
        &self,
        question: Question,
        carried: Vec<Carried>,
        hold: Option<Hold>,
        owed: Owed,
    ) {
        let weight = self.weigh(BATCH_BYTES_MIN + question.payload.len());
        let asking = Asking { question, carried, hold, owed, _weight: weight };
        self.give(Item::Asked(Box::new(asking)));
    }

    /// Whether there is room for a question of so many bytes.
    pub(crate) fn has_room_to_ask(&self, bytes: usize) -> bool {
        self.has_room_for(BATCH_BYTES_MIN + bytes)
    }
}

impl<A: Leaf> Inbox<A> {
    /// Hands over a question, with what it carries there; not one that nobody waits for any more.
    pub(super) fn answer(
        leaf: &mut A,
        asking: Asking,
        arrived: Option<Arrived>,
        ctx: &mut Context<A>,
    ) {
        let Asking { mut question, carried, mut owed, .. } = asking;
        if owed.until <= Instant::now() {
            return;
        }
        let arrived = arrived.unwrap_or_default();
        question.brought = arrived.brought(carried);
        owed.has_begun = true;
        match A::Interface::answer(leaf, &question, ctx) {
            Ok(answering) => {
                tokio::task::spawn_local(async move {
                    owed.give(answering.await);
                    // What the question carried is there until it is answered.
                    drop(arrived);
                });
            }
            Err(Unanswered::Elsewhere) => owed.say(Answer::NoHandler),
            Err(Unanswered::Unreadable(error)) => {
                owed.say(Answer::Unreadable { reason: reason(&error.to_string()) });
            }
        }
    }
}
