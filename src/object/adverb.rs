//! The adverbs: a message is shouted, said locally, or heard.

use std::ops::Deref;

use actix::Message;

use super::{Cursor, Epoch, Seq, SessionId};

/// Say `M` to every leaf of the object, this one too, in the one order of its home.
///
/// Anyone can build one; it goes through a handle or a voice. An actor of your own never receives
/// it: what a leaf hears is [`Heard<M>`].
///
/// ```
/// use actix_multiplex::Shout;
/// let Shout(word) = Shout("croak");
/// assert_eq!(word, "croak");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shout<M>(pub M);

/// Say `M` to this leaf only: handled in place, without the network.
///
/// ```
/// use actix_multiplex::Local;
/// let Local(word) = Local("croak");
/// assert_eq!(word, "croak");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local<M>(pub M);

impl<M: Message> Message for Local<M> {
    type Result = M::Result;
}

/// A shout as the order delivered it to a leaf. Derefs to the message.
///
/// Only the library makes one (and its `testing` feature), so that a shout cannot by mistake be
/// sent to one's own leaf and reach nobody else.
#[derive(Clone, Debug)]
pub struct Heard<M> {
    message: M,
    circumstance: Circumstance,
}

/// Where a shout stands and who said it: all of a [`Heard`] but the message.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Circumstance {
    pub cursor: Cursor,
    pub shouter: SessionId,
    pub mine: bool,
    pub replayed: bool,
    pub hub_time_ms: u64,
}

impl<M> Heard<M> {
    pub(crate) fn new(message: M, circumstance: Circumstance) -> Self {
        Self { message, circumstance }
    }

    /// A shout that no hub has seen, for testing a leaf's handlers alone.
    ///
    /// ```
    /// use actix_multiplex::{Heard, Seq};
    /// let heard = Heard::for_test("croak", Seq(3));
    /// assert_eq!((*heard, heard.seq(), heard.is_mine()), ("croak", Seq(3), false));
    /// ```
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(message: M, seq: Seq) -> Self {
        let cursor = Cursor { epoch: Epoch([0; 8]), seq };
        let shouter = SessionId([0; 16]);
        let (mine, replayed, hub_time_ms) = (false, false, 0);
        Self::new(message, Circumstance { cursor, shouter, mine, replayed, hub_time_ms })
    }

    /// The message itself.
    pub fn into_inner(self) -> M {
        self.message
    }

    /// Its place in the object's one order.
    pub fn seq(&self) -> Seq {
        self.circumstance.cursor.seq
    }

    /// The history that the place is in.
    pub fn epoch(&self) -> Epoch {
        self.circumstance.cursor.epoch
    }

    /// The session that shouted it.
    pub fn shouter(&self) -> SessionId {
        self.circumstance.shouter
    }

    /// Whether this client shouted it.
    pub fn is_mine(&self) -> bool {
        self.circumstance.mine
    }

    /// Whether it comes out of the object's past: it had its place before this leaf joined, or
    /// asked again. `false` is live.
    pub fn is_replayed(&self) -> bool {
        self.circumstance.replayed
    }

    /// When the home hub sent it out, in milliseconds since 1970 by that hub's clock.
    pub fn hub_time_ms(&self) -> u64 {
        self.circumstance.hub_time_ms
    }
}

impl<M> Deref for Heard<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M> Message for Heard<M> {
    type Result = ();
}
