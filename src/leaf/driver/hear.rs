//! Batches into inboxes; and what happens when a leaf or a repeater has lost its place.
//!
//! Receipts are matched when a batch is read, before any handler runs. What is at or below a
//! leaf's cursor is skipped. A leaf whose inbox is full misses nothing: what follows is dropped,
//! and asked for again from its cursor when there is room.

use actix::{Handler, Message};
use bytes::Bytes;

use super::{Asked, Driver, enter::join, entry::Leaf};
use crate::{
    connection::Closed,
    object::{Cursor, ObjectId, SessionId},
    wire::{self, Batch, Joined, Target},
};

/// A leaf's inbox was full and has room again.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Drained {
    pub(crate) object: ObjectId,
    pub(crate) generation: u64,
}

impl Driver {
    pub(super) fn hear(&mut self, batch: Batch) -> Result<(), Closed> {
        let Some(link) = &self.link else {
            return Err(Closed::protocol("a Batch frame came before the Welcome"));
        };
        let me = link.session;
        // What comes for an object that was just left is nobody's.
        let Some(entry) = self.entries.get_mut(&batch.object) else { return Ok(()) };
        if let Some(mine) = batch.sessions.iter().position(|(session, _)| *session == me) {
            for shouted in batch.shouts().filter(|shouted| shouted.session == mine) {
                entry.channel.heard(shouted.op, shouted.seq);
            }
        }
        match &mut entry.leaf {
            Some(leaf) => leaf.hear(batch, me),
            None => Ok(()),
        }
    }

    /// The leaf, and the voices, say once more where they are.
    pub(super) fn rejoin(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.channel.pause();
        let interface = entry.interface.clone();
        let target = Target::Object(object);
        let is_attached = entry.attachment.strong_count() > 0;
        let cursor = entry.leaf.as_ref().map(|leaf| leaf.cursor);
        if let Some(cursor) = cursor {
            let (target, interface) = (target.clone(), interface.clone());
            self.ask(Asked::Rejoin(object), |request| join(request, target, interface, cursor));
        }
        if is_attached {
            self.ask(Asked::Reattach(object), |request| wire::Attach {
                request,
                target,
                interface,
            });
        }
    }

    /// A leaf goes on from where it was, or from where the hub still can.
    pub(super) fn rejoined(&mut self, object: ObjectId, joined: &Joined, state: Bytes) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.channel.resume(joined.next_op);
        let Some(leaf) = &mut entry.leaf else { return };
        if let Some(resync) = joined.resync {
            leaf.delivery.resync(resync, joined.restore.then_some(state));
        }
        leaf.cursor = Some(joined.start);
        leaf.past = joined.last;
        leaf.lagging = false;
    }
}

impl Leaf {
    fn hear(&mut self, batch: Batch, me: SessionId) -> Result<(), Closed> {
        let Some(cursor) = self.cursor.filter(|cursor| cursor.epoch == batch.epoch) else {
            let object = batch.object;
            return Err(Closed::protocol(format!("a batch of {object} is of another history")));
        };
        let last = batch.last_seq();
        if self.lagging || last <= cursor.seq {
            return Ok(());
        }
        if batch.first_seq > cursor.seq.next() {
            let (object, first, heard) = (batch.object, batch.first_seq, cursor.seq);
            let why = format!("a batch of {object} begins at {first}, and {heard} was the last");
            return Err(Closed::protocol(why));
        }
        if self.delivery.hear(batch, cursor.seq, self.past, me) {
            self.cursor = Some(Cursor { seq: last, ..cursor });
        } else {
            tracing::debug!(leaf = self.class_name, heard = %cursor.seq, "an inbox is full");
            self.lagging = true;
        }
        Ok(())
    }
}

impl Handler<Drained> for Driver {
    type Result = ();

    fn handle(&mut self, drained: Drained, _: &mut Self::Context) {
        let Drained { object, generation } = drained;
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if entry.leaf_of(generation).is_none_or(|leaf| !leaf.lagging) {
            return;
        }
        let interface = entry.interface.clone();
        let Some(cursor) = entry.leaf.as_ref().map(|leaf| leaf.cursor) else { return };
        let target = Target::Object(object);
        self.ask(Asked::Rejoin(object), |request| join(request, target, interface, cursor));
    }
}
