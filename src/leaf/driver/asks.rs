//! Asks of other clients at objects that this one owns, and answers to its own.
//!
//! What was asked is remembered until its deadline, with the answer when there is one: asked again,
//! over another connection or by another hub, it is answered the same, and no leaf is given it twice.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use actix::{AsyncContext, Context, Handler, Message};
use bytes::Bytes;
use tokio::time::Instant;

use super::{Driver, entry::Pace, hold::Until};
use crate::{
    leaf::{channel::Replied, inbox::Owed},
    limits::{ANSWERS_BYTES_MAX, ANSWERS_MAX, ASK_TIME_MAX, OBJECT_ASKS_MAX},
    object::{Encoded, ObjectId, Question, SessionId},
    wire::{self, Answer, AskNumber, Asked, Reply},
};

/// A leaf has answered. `None`: it was never given the question.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Answered {
    pub(crate) object: ObjectId,
    pub(crate) asker: SessionId,
    pub(crate) ask: AskNumber,
    pub(crate) answer: Option<Answer>,
    pub(crate) said: Encoded,
}

/// Which question: whose, and at which object.
type Key = (ObjectId, SessionId, AskNumber);

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Questions {
    known: BTreeMap<Key, Known>,
    /// Those that are answered, in the order of that.
    answered: VecDeque<Key>,
    /// Bytes of the answers.
    bytes: usize,
}

#[derive(Debug)]
struct Known {
    until: Instant,
    /// The frame, when there is one.
    answer: Option<Bytes>,
}

/// How a question stands to those that were asked before.
#[derive(Debug, PartialEq, Eq)]
enum Stands {
    New,
    InHand,
    Answered(Bytes),
    TooMany,
}

impl Questions {
    fn take(&mut self, key: Key, within: Duration, now: Instant) -> Stands {
        self.forget_past(now);
        let until = now + within;
        if let Some(known) = self.known.get_mut(&key) {
            known.until = known.until.max(until);
            return known.answer.clone().map_or(Stands::InHand, Stands::Answered);
        }
        let in_hand = self.known.len() - self.answered.len();
        if in_hand >= ANSWERS_MAX || self.in_hand_of(key.0) >= OBJECT_ASKS_MAX {
            return Stands::TooMany;
        }
        self.known.insert(key, Known { until, answer: None });
        Stands::New
    }

    /// How many of an object have no answer.
    fn in_hand_of(&self, object: ObjectId) -> usize {
        let all = (object, SessionId([0; 16]), 0)..=(object, SessionId([0xff; 16]), AskNumber::MAX);
        self.known.range(all).filter(|(_, known)| known.answer.is_none()).count()
    }

    /// A question has its answer. `false`: nobody waits for it.
    fn answer(&mut self, key: Key, frame: Bytes) -> bool {
        let Some(known) = self.known.get_mut(&key).filter(|known| known.answer.is_none()) else {
            return false;
        };
        self.bytes += frame.len();
        known.answer = Some(frame);
        self.answered.push_back(key);
        while self.bytes > ANSWERS_BYTES_MAX || self.answered.len() > ANSWERS_MAX {
            self.forget_oldest();
        }
        true
    }

    /// A question was never given to a leaf: asked again, it is.
    fn forget(&mut self, key: Key) {
        if self.known.get(&key).is_some_and(|known| known.answer.is_none()) {
            self.known.remove(&key);
        }
    }

    /// Answers whose askers wait no longer.
    fn forget_past(&mut self, now: Instant) {
        let is_past = |known: &Known| known.until <= now;
        while self.answered.front().is_some_and(|key| self.known.get(key).is_none_or(is_past)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(key) = self.answered.pop_front() else { return };
        let answer = self.known.remove(&key).and_then(|known| known.answer);
        self.bytes -= answer.map_or(0, |frame| frame.len());
    }
}

impl Driver {
    /// Somebody asks the owner of an object.
    pub(super) fn asked(&mut self, question: Asked, payload: &Bytes, ctx: &mut Context<Self>) {
        let Asked { object, session: asker, ask, kind, .. } = question;
        let entry = self.entries.get(&object);
        // A leaf that has just parted, or joins again: the hub says so, or asks once more.
        let Some(leaf) = entry.and_then(|entry| entry.leaf.as_ref()) else { return };
        if leaf.pace == Pace::Joining {
            return;
        }
        // What it is to have heard may have been dropped for a slow line, to be given again later.
        let is_behind = leaf.cursor.is_none_or(|cursor| cursor.seq < question.last);
        let keeps_up = leaf.pace == Pace::Pushed && !is_behind;
        let has_room = keeps_up && leaf.delivery.has_room_to_ask(payload.len());
        let key = (object, asker, ask);
        let within = Duration::from_millis(question.within_ms.into()).min(ASK_TIME_MAX);
        match self.questions.take(key, within, Instant::now()) {
            Stands::New if has_room => {}
            Stands::New => {
                self.questions.forget(key);
                return self.say_busy(key);
            }
            Stands::TooMany => return self.say_busy(key),
            Stands::InHand => return,
            Stands::Answered(frame) => return self.give_answer(key, frame),
        }
        // It must not hold what it was read with.
        let payload = Bytes::copy_from_slice(payload);
        let carried = question.carried;
        let hold = (!carried.is_empty()).then(|| self.hold(carried.clone(), Until::Heard, ctx));
        let question = Question { kind, asker, payload, brought: Vec::new() };
        let driver = ctx.address();
        let until = Instant::now() + within;
        let owed = Owed { driver, object, asker, ask, until, has_begun: false, is_paid: false };
        if let Some(leaf) = self.entries.get(&object).and_then(|entry| entry.leaf.as_ref()) {
            leaf.delivery.ask(question, carried, hold, owed);
        }
    }

    fn give_answer(&self, key: Key, frame: Bytes) {
        if self.dial.is_up() && !self.queue.push_spare(frame) {
            self.say_busy(key);
        }
    }

    fn say_busy(&self, (object, session, ask): Key) {
        let (answer, carried) = (Answer::Busy, Vec::new());
        self.queue.tell(&Reply { object, session, ask, answer, carried });
    }

    /// What came of an ask of this client's.
    pub(super) fn replied(
        &mut self,
        replied: wire::Replied,
        payload: &Bytes,
        ctx: &mut Context<Self>,
    ) {
        let wire::Replied { object, ask, answer, carried } = replied;
        let Some(entry) = self.entries.get(&object) else { return };
        let channel = entry.channel.clone();
        if !channel.awaits(ask) {
            return;
        }
        channel.reply(
            ask,
            match answer {
                Answer::Given => {
                    let hold = (!carried.is_empty())
                        .then(|| self.hold(carried.clone(), Until::Heard, ctx));
                    // It must not hold what it was read with.
                    let payload = Bytes::copy_from_slice(payload);
                    Ok(Replied { payload, carried, hold })
                }
                answer => Err(answer),
            },
        );
    }
}

impl Handler<Answered> for Driver {
    type Result = ();

    fn handle(&mut self, answered: Answered, _: &mut Self::Context) {
        let Answered { object, asker, ask, answer, said } = answered;
        let key = (object, asker, ask);
        let Some(answer) = answer else { return self.questions.forget(key) };
        let Encoded { payload, mut carried } = said;
        if let Some(link) = self.link.as_ref().filter(|_| !carried.is_empty()) {
            link.pack(&mut carried);
        }
        let reply = Reply { object, session: asker, ask, answer, carried };
        let frame = wire::encode_with(&reply, &payload);
        if self.questions.answer(key, frame.clone()) {
            self.give_answer(key, frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn key(ask: AskNumber) -> Key {
        (ObjectId([1; 16]), SessionId([2; 16]), ask)
    }

    #[test]
    fn what_is_in_hand_is_not_begun_twice_and_what_is_answered_is_answered_the_same() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        assert_eq!(questions.take(key(1), SECOND, now), Stands::New);
        assert_eq!(questions.take(key(1), SECOND, now), Stands::InHand);
        assert!(questions.answer(key(1), Bytes::from_static(b"7")));
        assert!(!questions.answer(key(1), Bytes::from_static(b"8")), "one answer");
        let again = questions.take(key(1), SECOND, now);
        assert_eq!(again, Stands::Answered(Bytes::from_static(b"7")));
    }

    #[test]
    fn what_no_leaf_was_given_is_given_when_it_is_asked_again() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        questions.take(key(1), SECOND, now);
        questions.forget(key(1));
        assert_eq!(questions.take(key(1), SECOND, now), Stands::New);
        questions.answer(key(1), Bytes::new());
        questions.forget(key(1));
        assert_eq!(questions.take(key(1), SECOND, now), Stands::Answered(Bytes::new()));
    }

    #[test]
    fn answers_are_forgotten_when_nobody_waits_any_more_or_there_are_too_many() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        for ask in 1..=ANSWERS_MAX as u64 + 1 {
            questions.take(key(ask), SECOND, now);
            questions.answer(key(ask), Bytes::from_static(b"answer"));
        }
        assert_eq!(questions.known.len(), ANSWERS_MAX);
        assert!(!questions.known.contains_key(&key(1)), "the oldest has gone");
        questions.take(key(0), SECOND, now + SECOND);
        assert_eq!((questions.known.len(), questions.bytes), (1, 0));
    }

    #[test]
    fn of_too_many_in_hand_of_an_object_or_in_all_the_next_is_not_taken() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        let of = |object, ask| (ObjectId([object; 16]), SessionId([2; 16]), ask);
        for (object, ask) in (1..=4).flat_map(|n| (1..=256).map(move |ask| (n, ask))) {
            assert_eq!(questions.take(of(object, ask), SECOND, now), Stands::New);
            let is_full = ask == 256;
            if is_full {
                assert_eq!(questions.take(of(object, 0), SECOND, now), Stands::TooMany);
            }
        }
        assert_eq!(questions.take(of(5, 1), SECOND, now), Stands::TooMany);
        questions.answer(of(1, 5), Bytes::new());
        assert_eq!(questions.take(of(2, 0), SECOND, now), Stands::TooMany);
        assert_eq!(questions.take(of(1, 0), SECOND, now), Stands::New);
    }
}
