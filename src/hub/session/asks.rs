//! Asks and answers on their way to the object.

use bytes::Bytes;

use super::{Session, place::Place};
use crate::{
    hub::repeater::{PassAsk, PassReply},
    limits::REQUEST_BYTES_MIN,
    wire::{Answer, Ask, Replied, Reply},
};

impl Session {
    /// Passes an ask on to the object's repeater; one without a place to go to is refused.
    pub(super) fn pass_ask(&self, ask: Ask, payload: &Bytes, bytes: usize) {
        let place = self.places.get(&ask.object).filter(|place| place.is_here());
        let Some(repeater) = place.and_then(Place::repeater) else {
            let reason = "the session has neither joined nor attached to the object".to_owned();
            let Ask { object, ask, .. } = ask;
            let (answer, carried) = (Answer::Refused { reason }, Vec::new());
            return self.contact.queue.tell(&Replied { object, ask, answer, carried });
        };
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
        // It may wait for its owner: it must not hold the rest of the burst.
        let payload = Bytes::copy_from_slice(payload);
        repeater.do_send(PassAsk { session: self.contact.session, ask, payload, held });
    }

    /// Passes an answer on. One from nobody who is asked changes nothing there: another owner may
    /// have crossed it.
    pub(super) fn pass_reply(&self, reply: Reply, payload: Bytes, bytes: usize) {
        if let Some(repeater) = self.places.get(&reply.object).and_then(Place::repeater) {
            let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
            repeater.do_send(PassReply { session: self.contact.session, reply, payload, held });
        }
    }
}
