//! Volatile messages on their way out.

use super::{Channel, Failure, Phase};
use crate::{
    object::Kind,
    wire::{self, Volatile},
};

impl Channel {
    /// Says something volatile, behind the shouts that are under way, if there is room.
    pub(crate) fn send_volatile(&self, kind: Kind, payload: &[u8]) -> Result<(), Failure> {
        let state = self.lock();
        state.check()?;
        match state.phase {
            // Nobody else can have a leaf of it.
            Phase::Offline(_) => return Ok(()),
            Phase::Paused => return Err(Failure::Full),
            _ => {}
        }
        // Under the lock, so that its place among the shouts is where it was said.
        let frame = wire::encode_with(&Volatile { object: self.object, kind }, payload);
        let sent = state.waiting.is_empty() && state.queue.push_volatile(frame);
        if sent { Ok(()) } else { Err(Failure::Full) }
    }
}
