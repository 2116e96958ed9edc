//! Volatile messages on their way to the object. One without a place to go to is dropped, and so is
//! one whose place is not decided yet: nobody waits for what may be lost.

use bytes::Bytes;

use super::{Session, place::Place};
use crate::{hub::repeater::Relay, limits::REQUEST_BYTES_MIN, wire::Volatile};

impl Session {
    /// Passes a volatile message on to the object's repeater.
    pub(super) fn pass_volatile(&self, volatile: &Volatile, payload: &Bytes, bytes: usize) {
        let place = self.places.get(&volatile.object).filter(|place| place.may_speak());
        let Some(repeater) = place.and_then(Place::repeater) else { return };
        let (session, kind) = (self.contact.session, volatile.kind);
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
        // It waits for the end of a turn: it must not hold the rest of the burst.
        let payload = Bytes::copy_from_slice(payload);
        repeater.do_send(Relay { session, kind, payload, held });
    }
}
