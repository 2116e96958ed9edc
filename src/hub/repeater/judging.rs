//! Shouts are judged before they have their place, where the object has an authority.
//!
//! The authority is the program's own: whatever it does, the shout in hand is all that it concerns.

use actix::{Context, Handler, Message};

use super::Repeater;
use crate::{
    hub::{
        authority::{AuthorityBox, Judged},
        history::Offer,
    },
    limits::{CHUNK_REASONS_BYTES, REASON_BYTES_SHORT, REASONS_QUEUED_BYTES_MAX},
    object::SessionId,
};

/// The object is judged by another authority from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct SetAuthority(pub(crate) AuthorityBox);

/// An object's authority.
#[derive(Debug)]
pub(super) struct Judge {
    authority: AuthorityBox,
    /// Bytes of reasons since the last that made for a flush.
    reasons_bytes: usize,
}

impl Judge {
    pub(super) fn new(authority: AuthorityBox) -> Self {
        Self { authority, reasons_bytes: 0 }
    }

    pub(super) fn into_authority(self) -> AuthorityBox {
        self.authority
    }
}

impl Repeater {
    /// Why the authority, if there is one, does not let a shout have its place. One that is not the
    /// next to have one is not judged.
    pub(super) fn veto(&mut self, session: SessionId, offer: &Offer<'_>) -> Option<String> {
        let judge = self.judge.as_mut()?;
        if !self.history.would_take(session, offer.op) {
            return None;
        }
        let Offer { op, kind, carried, payload, .. } = offer;
        let object = self.object;
        let shout = Judged { object, session, kind: *kind, carried, payload };
        let why = match judge.authority.judge(&shout) {
            Ok(Ok(())) => return None,
            Ok(Err(denied)) => denied.into_reason(),
            Err(reason) => {
                tracing::error!(%object, %session, op = op.0, reason, "an authority panicked");
                "the object's authority panicked".to_owned()
            }
        };
        Some(self.fit(session, why))
    }

    /// A reason as there is room for it: a burst of shouts that are all refused at length is not to
    /// close the connection of who has sent it.
    fn fit(&mut self, session: SessionId, mut why: String) -> String {
        let Some(judge) = &mut self.judge else { return why };
        judge.reasons_bytes += why.len();
        if judge.reasons_bytes > CHUNK_REASONS_BYTES {
            judge.reasons_bytes = 0;
            self.flush();
        }
        let queue = self.roster.get(session).map(|member| &member.contact.queue);
        if queue.is_some_and(|queue| queue.bytes() > REASONS_QUEUED_BYTES_MAX) {
            why.truncate(why.floor_char_boundary(REASON_BYTES_SHORT));
        }
        why
    }
}

impl Handler<SetAuthority> for Repeater {
    type Result = ();

    fn handle(&mut self, SetAuthority(authority): SetAuthority, _: &mut Context<Self>) {
        self.judge = Some(Box::new(Judge::new(authority)));
    }
}
