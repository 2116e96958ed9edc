//! Volatile messages: said to whoever has room at the moment, and kept by nobody.
//!
//! Cursors, pointers, who is typing: what the next one makes worthless. They have no place in the
//! object's order, no receipt, and carry no objects. A row of [`interface!`](crate::interface!)
//! says which messages are so; from its number to the handler is this file's matter.

use std::{any::TypeId, ops::Deref};

use actix::{Actor, Context, Handler, Message, dev::MessageResponse};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;

use super::{Done, EncodeError, Interface, Kind, Seq, SessionId, decode, encode};
use crate::limits::VOLATILE_BYTES_MAX;

/// A volatile message as it reached this leaf. Derefs to the message.
///
/// It is no part of what the object *is*: it may be lost, so nothing that leaves must agree on, and
/// nothing that [`Stateful::state`](super::Stateful::state) tells, may depend on it. Only the library
/// makes one (and its `testing` feature).
///
/// # Ordering
/// What was heard up to [`after`](Self::after) was heard before it; shouts that came later may have
/// been heard as well. Of one sender the later one comes later. It waits for the answers of handlers
/// as a shout does.
///
/// ```
/// use actix::prelude::*;
/// use actix_multiplex::{Leaf, Volatile, interface};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// pub struct Pointer { x: f32, y: f32 }
///
/// interface! {
///     /// A napkin that others point at.
///     pub Napkin = "table.napkin" v1 {
///         state none;
///         volatile 1 => Pointer,
///     }
/// }
///
/// struct Sheet;
/// impl Actor for Sheet { type Context = Context<Self>; }
/// impl Supervised for Sheet {}
/// impl Leaf for Sheet { type Interface = Napkin; }
/// impl Handler<Volatile<Pointer>> for Sheet {
///     type Result = ();
///     fn handle(&mut self, at: Volatile<Pointer>, _: &mut Context<Self>) {
///         println!("{} points at {}, {}", at.sender(), at.x, at.y);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Volatile<M> {
    message: M,
    sender: SessionId,
    after: Seq,
}

impl<M> Volatile<M> {
    /// A volatile message that no hub has seen, for testing a leaf's handlers alone.
    ///
    /// ```
    /// use actix_multiplex::{Seq, Volatile};
    /// let pointer = Volatile::for_test((3, 4), Seq(7));
    /// assert_eq!((*pointer, pointer.after()), ((3, 4), Seq(7)));
    /// ```
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(message: M, after: Seq) -> Self {
        Self { message, sender: SessionId([0; 16]), after }
    }

    /// The message itself.
    pub fn into_inner(self) -> M {
        self.message
    }

    /// The session that said it: never this client's own.
    pub fn sender(&self) -> SessionId {
        self.sender
    }

    /// The last shout that had its place when the hub passed it on.
    pub fn after(&self) -> Seq {
        self.after
    }
}

impl<M> Deref for Volatile<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M> Message for Volatile<M> {
    type Result = ();
}

/// A message of a `volatile` row of interface `I`. Made by `interface!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no volatile message of `{I}`",
    label = "not of a `volatile` row",
    note = "what every leaf must hear goes with `send(Shout(..))`",
    note = "what may be lost has a row of its own: `volatile 7 => {Self},`"
)]
pub trait VolatileAt<I: Interface>: Serialize + DeserializeOwned + Send + 'static {
    /// Its number in the interface.
    const KIND: Kind;
}

/// A leaf that hears the volatile `M`. Every actor with a `Handler<Volatile<M>>` is one.
#[diagnostic::on_unimplemented(
    message = "the leaf `{Self}` does not hear the volatile `{M}`",
    label = "`{Self}` leaves out a message of its interface",
    note = "write `impl Handler<Volatile<{M}>> for {Self}`"
)]
pub trait HearsVolatile<M: 'static>: Actor<Context = Context<Self>> {
    /// Decodes `glimpse` and hands it to the handler. `None`: it is no `M`.
    #[doc(hidden)]
    fn glimpse(&mut self, glimpse: &Glimpse, ctx: &mut Context<Self>) -> Option<Done>;
}

/// A volatile message on its way to a leaf: not yet decoded.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Glimpse {
    pub(crate) kind: Kind,
    pub(crate) payload: Bytes,
    pub(crate) sender: SessionId,
    pub(crate) after: Seq,
}

impl Glimpse {
    /// The number of the message in its interface.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

#[diagnostic::do_not_recommend]
impl<A, M> HearsVolatile<M> for A
where
    A: Actor<Context = Context<A>> + Handler<Volatile<M>, Result: 'static>,
    M: DeserializeOwned + 'static,
{
    fn glimpse(&mut self, glimpse: &Glimpse, ctx: &mut Context<Self>) -> Option<Done> {
        let Glimpse { payload, sender, after, .. } = glimpse;
        let message = decode::<M>(payload).ok()?;
        let volatile = Volatile { message, sender: *sender, after: *after };
        let answer = self.handle(volatile, ctx);
        if TypeId::of::<A::Result>() == TypeId::of::<()>() {
            return Some(Done::AT_ONCE);
        }
        let (done, wait) = oneshot::channel();
        answer.handle(ctx, Some(done));
        Some(Done::when(wait))
    }
}

/// Writes a volatile message.
pub(crate) fn encode_volatile<M: Serialize>(message: &M) -> Result<Vec<u8>, EncodeError> {
    // The empty list of what it carries counts a byte, and is not sent.
    let encoded = encode(message, VOLATILE_BYTES_MAX + 1)?;
    if encoded.carried.is_empty() {
        return Ok(encoded.payload);
    }
    let reason = "a volatile message carries no objects".to_owned();
    Err(EncodeError::Serialize { type_name: std::any::type_name::<M>(), reason })
}
