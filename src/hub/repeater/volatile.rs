//! Volatile messages: relayed at the end of the turn, behind what the turn has given a place, to
//! every leaf but the sender's that has room.
//!
//! They touch no history. What a turn holds of them is bounded by the turn.

use actix::{Context, Handler, Message};
use bytes::Bytes;

use super::Repeater;
use crate::{
    connection::Held,
    hub::roster::Hearing,
    object::{Kind, SessionId},
    wire::{VolatileHeard, encode_with},
};

/// A session says something volatile.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Relay {
    pub(crate) session: SessionId,
    pub(crate) kind: Kind,
    pub(crate) payload: Bytes,
    /// Its bytes count against the session's inward bound until it is relayed.
    pub(crate) held: Held,
}

/// What a turn has brought.
#[derive(Debug, Default)]
pub(super) struct Relays(Vec<Relay>);

impl Repeater {
    /// Relays what the turn has brought. Who has no room, or is going, is passed over.
    pub(super) fn relay(&mut self) {
        let Some(relays) = self.volatile.take() else { return };
        let (object, last) = (self.object, self.history.last());
        for Relay { session, kind, payload, .. } in relays.0 {
            let frame = encode_with(&VolatileHeard { object, session, last, kind }, &payload);
            let leaves = self.roster.members().iter();
            let leaves = leaves.filter(|member| member.hears == Hearing::Pushed);
            for leaf in leaves.filter(|leaf| leaf.session != session) {
                let _dropped = !leaf.contact.queue.push_volatile(frame.clone());
            }
            self.turn.pushed(self.roster.leaves());
        }
    }
}

impl Handler<Relay> for Repeater {
    type Result = ();

    fn handle(&mut self, relay: Relay, ctx: &mut Context<Self>) {
        let member = self.roster.get(relay.session);
        if !member.is_some_and(|member| member.rights.may_shout(relay.kind)) {
            return tracing::debug!(object = %self.object, "a volatile message is dropped");
        }
        let bytes = relay.held.bytes();
        if self.above.is_some() {
            self.relay_above(relay);
            self.took(1, bytes, ctx);
            return;
        }
        self.volatile.get_or_insert_default().0.push(relay);
        if !self.took(1, bytes, ctx) {
            self.flush_later(ctx);
        }
    }
}
