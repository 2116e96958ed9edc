//! Volatile messages in an inbox: in their turn among the shouts, and no shouts.

use actix::Context;

use super::{Delivery, Inbox, Item, Ordering};
use crate::{
    limits::{BATCH_BYTES_MIN, VOLATILE_INBOX_BYTES_MAX},
    object::{Dispatch, Glimpse, Leaf},
};

impl Delivery {
    /// Puts a volatile message into the inbox, unless much waits there.
    pub(crate) fn glimpse(&self, glimpse: Glimpse) {
        let bytes = BATCH_BYTES_MIN + glimpse.payload.len();
        if self.gauge.bytes.load(Ordering::Relaxed) + bytes <= VOLATILE_INBOX_BYTES_MAX {
            self.give(Item::Glimpse(Box::new((glimpse, self.weigh(bytes)))));
        }
    }
}

impl<A: Leaf> Inbox<A> {
    /// Hands over a volatile message; what the class does not know it does not hear. Its answer is
    /// waited for as that of the shout before it.
    pub(super) fn hear_volatile(&mut self, leaf: &mut A, glimpse: &Glimpse, ctx: &mut Context<A>) {
        if let Some(done) = A::Interface::glimpse(leaf, glimpse, ctx) {
            self.busy = Some((self.progress.given(), done));
        }
    }
}
