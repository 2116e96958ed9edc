//! Volatile messages into inboxes, as far as a leaf keeps up.

use bytes::Bytes;

use super::{Driver, entry::Pace};
use crate::{object::Glimpse, wire::VolatileHeard};

impl Driver {
    /// Gives a volatile message to the leaf. One that is behind, or has not heard what came before it,
    /// never hears of it.
    pub(super) fn hear_volatile(&self, heard: &VolatileHeard, payload: &Bytes) {
        let leaf = self.entries.get(&heard.object).and_then(|entry| entry.leaf.as_ref());
        let Some(leaf) = leaf.filter(|leaf| leaf.pace == Pace::Pushed) else { return };
        if leaf.cursor.is_some_and(|cursor| cursor.seq >= heard.last) {
            // It is small, and must not hold what it was read with.
            let payload = Bytes::copy_from_slice(payload);
            let VolatileHeard { session: sender, last: after, kind, .. } = *heard;
            leaf.delivery.glimpse(Glimpse { kind, payload, sender, after });
        }
    }
}
