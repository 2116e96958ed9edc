//! What a leaf says of having heard, on its way to the object. It has no answer, and what comes from
//! nobody who is waited for changes nothing there: a Part may have crossed it.

use super::{Session, place::Place};
use crate::{hub::repeater::Acknowledge, limits::REQUEST_BYTES_MIN, wire::Heard};

impl Session {
    /// Tells the object's repeater that the leaf is done with everything up to a seq.
    pub(super) fn pass_heard(&self, heard: &Heard) {
        if let Some(repeater) = self.places.get(&heard.object).and_then(Place::repeater) {
            let (session, seq) = (self.contact.session, heard.seq);
            let held = self.inward.hold(REQUEST_BYTES_MIN);
            repeater.do_send(Acknowledge { session, seq, held });
        }
    }
}
