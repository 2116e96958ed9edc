//! States that a client tells: checked for their size, and passed on to the object.
//!
//! They are no requests and have no answer. One about an object that the session is no leaf of
//! may have crossed a Part, and is dropped.

use bytes::Bytes;

use super::{Session, place::Place, wishes::check_state};
use crate::{
    connection::Closed, hub::repeater::TakeSnapshot, limits::REQUEST_BYTES_MIN, wire::Snapshot,
};

impl Session {
    /// Passes a state on to the object's repeater, which knows whether it wants one.
    pub(super) fn tell_state(
        &self,
        snapshot: Snapshot,
        state: &Bytes,
        bytes: usize,
    ) -> Result<(), Closed> {
        let Snapshot { object, at, carried } = snapshot;
        check_state(state, &carried)?;
        let place = self.places.get(&object).filter(|place| place.is_joined());
        let session = self.contact.session;
        let Some(repeater) = place.and_then(Place::repeater) else {
            tracing::debug!(%object, %session, "a state of what was not joined is dropped");
            return Ok(());
        };
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
        // It is kept: it must not hold the rest of the burst.
        let state = Bytes::copy_from_slice(state);
        repeater.do_send(TakeSnapshot { session, at, state, carried, held });
        Ok(())
    }
}
