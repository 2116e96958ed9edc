//! Asks and answers on their way to the object.

use bytes::Bytes;

use super::{Session, place::Place};
use crate::{
    hub::repeater::{PassAsk, PassReply},
    limits::REQUEST_BYTES_MIN,
    object::ObjectId,
    wire::{Ask, Reply},
};

impl Session {
    /// Passes an ask on to the object's repeater; one without a place to go to is refused.
    pub(super) fn pass_ask(&mut self, ask: Ask, payload: &Bytes, bytes: usize) {
        let (session, object) = (self.contact.session, ask.object);
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
        // It may wait for its owner: it must not hold the rest of the burst.
        let payload = Bytes::copy_from_slice(payload);
        self.ask(object, PassAsk { session, ask, payload, held });
    }

    /// As [`pass_ask`](Self::pass_ask), of one that waited perhaps.
    pub(super) fn ask(&mut self, object: ObjectId, asking: PassAsk) {
        let back = match self.places.get_mut(&object) {
            Some(place) => place.ask(asking),
            None => Some(asking),
        };
        if let Some(back) = back {
            self.contact.refuse_ask(&back.ask);
        }
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
