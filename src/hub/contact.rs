//! What a session is reached by, and the promise that a request is answered.

use std::sync::Arc;

use bytes::Bytes;

use super::{directory::Reservation, fanout::Sink, volley::Volley};
use crate::{
    connection::{Class, Held, Queue, Unsent},
    object::{ObjectId, SessionId},
    wire::{self, Answer, Ask, Outcome, Refusal, Refused, Replied, Request, Verdict},
};

/// A session as others on the hub see it: who it is, and the queue of its connection, which they
/// push to without waking the session.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) session: SessionId,
    pub(crate) queue: Arc<Queue>,
    /// Whether that is a link's, and the session below it.
    pub(crate) is_below: bool,
}

impl Contact {
    /// Tells the session something. Closing is seen elsewhere.
    pub(crate) fn say<H: wire::Header>(&self, header: &H) {
        let _closing = self.queue.push(Class::Control, self.frame(header, &[]));
    }

    /// Asks the session, or answers it, if little enough is queued before that. `false`: it is not.
    pub(crate) fn say_spare<H: wire::Header>(&self, header: &H, payload: &[u8]) -> bool {
        self.queue.push_asked(self.frame(header, payload))
    }

    /// Passes on a frame that has come from above for the session.
    pub(crate) fn pass(&self, frame: Bytes) {
        let frame = if self.is_below { wire::via(self.session, &frame) } else { frame };
        let _closing = self.queue.push(Class::Control, frame);
    }

    /// As [`pass`](Self::pass), of an ask or an answer, if little enough is queued before it.
    pub(crate) fn pass_spare(&self, frame: Bytes) -> bool {
        let frame = if self.is_below { wire::via(self.session, &frame) } else { frame };
        self.queue.push_asked(frame)
    }

    fn frame<H: wire::Header>(&self, header: &H, payload: &[u8]) -> Bytes {
        let frame = wire::encode_with(header, payload);
        if self.is_below { wire::via(self.session, &frame) } else { frame }
    }

    /// Tells of shouts that have no place to go to.
    pub(crate) fn turn_away(&self, object: ObjectId, volley: Volley) {
        for op in volley.ops() {
            let reason = NOT_HERE.to_owned();
            self.tell(&Outcome { object, op, verdict: Verdict::Refused { reason } });
        }
    }

    /// Tells of an ask that has no place to go to.
    pub(crate) fn refuse_ask(&self, ask: &Ask) {
        let reason = NOT_HERE.to_owned();
        let Ask { object, ask, .. } = *ask;
        let (answer, carried) = (Answer::Refused { reason }, Vec::new());
        self.say(&Replied { object, ask, answer, carried });
    }
}

impl Sink for Contact {
    fn hear(&self, class: Class, chunk: Bytes) -> Result<(), Unsent> {
        self.queue.push(class, chunk)
    }

    fn tell(&self, outcome: &Outcome) {
        self.say(outcome);
    }
}

/// A request that waits for its answer. Dropped without one, it is refused: whoever was to answer
/// it is gone.
#[derive(Debug)]
pub(crate) struct Pending {
    request: Request,
    queue: Arc<Queue>,
    open: bool,
    /// The request counts against its session's inward bound until it is answered, and what it has
    /// changed is committed.
    held: Option<Held>,
    /// Until then others wait for the object that it is about to make.
    reserved: Option<Reservation>,
}

impl Pending {
    pub(crate) fn new(request: Request, queue: Arc<Queue>, held: Held) -> Self {
        Self { request, queue, open: true, held: Some(held), reserved: None }
    }

    /// The request is about to make an object.
    pub(crate) fn reserving(mut self, reservation: Reservation) -> Self {
        self.reserved = Some(reservation);
        self
    }

    /// The number of the request.
    pub(crate) fn request(&self) -> Request {
        self.request
    }

    /// Carried out, and this is the answer.
    pub(crate) fn answer<H: wire::Header>(mut self, answer: &H, payload: &[u8]) {
        self.open = false;
        let _closing = self.queue.push(Class::Control, wire::encode_with(answer, payload));
    }

    /// Carried out.
    pub(crate) fn done(self) {
        let request = self.request;
        self.answer(&wire::Done { request }, &[]);
    }

    /// Not carried out.
    pub(crate) fn refuse(mut self, refusal: Refusal) {
        self.close(refusal);
    }

    fn close(&mut self, refusal: Refusal) {
        self.open = false;
        self.queue.tell(&Refused { request: self.request, refusal });
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.open {
            let why = "it stopped before it could answer: try again".to_owned();
            self.close(Refusal::Failed(why));
        }
        if let Some(held) = self.held.take() {
            self.queue.let_go(held);
        }
        // The answer is out: who waits for the object that it was about to make may know.
        drop(self.reserved.take());
    }
}

/// Why what a session says at an object goes nowhere.
const NOT_HERE: &str = "the session has neither joined nor attached to the object";
