//! States that a client tells: checked for their size, and passed on to the object.
//!
//! They are no requests and have no answer. One about an object that the session is no leaf of
//! may have crossed a Part, and is dropped.

use bytes::Bytes;

use super::{Session, place::Place};
use crate::{
    connection::Closed,
    hub::repeater::TakeSnapshot,
    limits::{REQUEST_BYTES_MIN, STATE_BYTES_MAX},
    object::{Carried, ObjectId},
    wire::{Snapshot, StateIs},
};

impl Session {
    /// Passes a state on to the object's repeater, which knows whether it wants one.
    pub(super) fn tell_state(
        &mut self,
        snapshot: Snapshot,
        payload: &Bytes,
        bytes: usize,
    ) -> Result<(), Closed> {
        let Snapshot { object, at, state, carried } = snapshot;
        let state = self.take_state(object, state, payload, &carried)?;
        let place = self.places.get(&object).filter(|place| place.is_joined());
        let session = self.contact.session;
        let Some(repeater) = place.and_then(Place::repeater) else {
            tracing::debug!(%object, %session, "a state of what was not joined is dropped");
            return Ok(());
        };
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN).max(state.len()));
        repeater.do_send(TakeSnapshot { session, at, state, carried, held });
        Ok(())
    }

    /// The state that a frame tells of, with this payload. It is not larger than others can be given,
    /// and does not hold the rest of the burst: it is kept.
    pub(super) fn take_state(
        &mut self,
        object: ObjectId,
        state: StateIs,
        payload: &Bytes,
        carried: &[Carried],
    ) -> Result<Bytes, Closed> {
        #[cfg(feature = "testing")]
        crate::hub::faults::count(|tally| {
            tally.told_in_pieces += u64::from(state == StateIs::Pieces);
        });
        let payload = Bytes::copy_from_slice(payload);
        let state = self.incoming.state(object, state, payload).map_err(Closed::protocol)?;
        let bytes = state.len() + Carried::bytes_of(carried);
        if bytes > STATE_BYTES_MAX {
            let why = format!("a state of {bytes} bytes exceeds the limit of {STATE_BYTES_MAX}");
            return Err(Closed::protocol(why));
        }
        Ok(state)
    }
}
