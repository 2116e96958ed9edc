//! Who has handled what: told by the hub, and told to it.

use super::Driver;
use crate::{
    object::ObjectId,
    wire::{Handled, Heard, encode},
};

impl Driver {
    /// The hub tells who has handled a shout of this client.
    pub(super) fn handled(&self, handled: Handled) {
        if let Some(entry) = self.entries.get(&handled.object) {
            entry.channel.handled(handled);
        }
    }

    /// Says once more how far a leaf is, if it was asked: what it said last may have been lost with
    /// the connection.
    pub(super) fn say_heard(&mut self, object: ObjectId) {
        let leaf = self.entries.get(&object).and_then(|entry| entry.leaf.as_ref());
        let done = leaf.filter(|leaf| leaf.is_asked).and_then(|leaf| leaf.progress.done());
        if let Some(seq) = done {
            self.say(encode(&Heard { object, seq }));
        }
    }
}
