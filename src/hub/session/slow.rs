//! A client that is slow: what its connection's queue tells, and what the client says itself, passed
//! on to the objects that it concerns.

use actix::{AsyncContext, Context, Handler, Message};

use super::{Session, place::Place};
use crate::{
    connection::Strain,
    hub::repeater::{Feed, Pull as Pulling},
    limits::REQUEST_BYTES_MIN,
    wire::Pull,
};

/// What the connection's queue tells.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Strained(Strain);

impl Session {
    /// Lets the queue say when the client is too slow, and when there is room.
    pub(super) fn watch_queue(&self, ctx: &Context<Self>) {
        // Weak: a queue outlives its session's actor.
        let session = ctx.address().downgrade();
        self.contact.queue.pull_past(lag_bytes_max(), move |strain| {
            if let Some(session) = session.upgrade() {
                session.do_send(Strained(strain));
            }
        });
    }

    /// Passes on how a leaf is to be given its shouts. It may have crossed a Part.
    pub(super) fn pull(&self, pull: &Pull, bytes: usize) {
        let Pull { object, cursor } = *pull;
        let place = self.places.get(&object).filter(|place| place.is_joined());
        if let Some(repeater) = place.and_then(Place::repeater) {
            let (session, held) =
                (self.contact.session, self.inward.hold(bytes.max(REQUEST_BYTES_MIN)));
            repeater.do_send(Pulling { session, cursor, held });
        }
    }
}

impl Handler<Strained> for Session {
    type Result = ();

    fn handle(&mut self, Strained(strain): Strained, _: &mut Self::Context) {
        let (session, peer) = (self.contact.session, &self.client.peer);
        match strain {
            Strain::Lags { object, of_object, bytes, max } => {
                tracing::warn!(
                    %session, peer, %object, bytes, of_object, limit = max,
                    "a leaf is too slow: what is queued for it is dropped, and given again as it reads"
                );
            }
            Strain::HasRoom(object) => {
                let place = self.places.get(&object).filter(|place| place.is_joined());
                match place.and_then(Place::repeater) {
                    Some(repeater) => repeater.do_send(Feed(session)),
                    None => self.contact.queue.unpull(object),
                }
            }
        }
    }
}

#[cfg(not(feature = "testing"))]
fn lag_bytes_max() -> usize {
    crate::limits::LAG_BYTES_MAX
}

/// The bound, which simulations make smaller.
#[cfg(feature = "testing")]
fn lag_bytes_max() -> usize {
    crate::hub::faults::lag_bytes_max()
}
