//! Asks: a request and its reply, answered by this leaf's own class or by the object's owner.
//!
//! A class has a handler for every ask of its interface; the type of the handler's result says
//! whether it answers here or leaves it to the owner, so that this is known before anything is
//! written or sent. From the number on the wire to the handler, and from its answer to bytes, is
//! this file's matter too.

use std::{any::TypeId, ops::Deref, pin::Pin};

use actix::{
    Actor, Addr, Context, Handler, Message,
    dev::{MessageResponse, OneshotSender},
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;

use super::{
    Brought, DecodeError, EncodeError, Encoded, Interface, Kind, Seq, SessionId, decode_with,
    encode,
};
use crate::limits::SHOUT_BYTES_MAX;

/// Ask for a reply to `M`: of this leaf, if its class answers it, else of the object's owner.
///
/// Anyone can build one; it goes through a handle or a voice, as does `kermit.ask(Weigh)`. What a
/// leaf is given is [`Asked<M>`].
///
/// ```
/// use actix_multiplex::Ask;
/// let Ask(question) = Ask("how heavy?");
/// assert_eq!(question, "how heavy?");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask<M>(pub M);

/// A question that a leaf is to answer. Derefs to the message.
///
/// A leaf has a `Handler<Asked<M>>` for every `ask` row of its interface. Its `Result` is the
/// answer, at once or later, as of any actix handler; or [`Elsewhere`], which leaves it to the
/// object's owner. An owner that leaves it elsewhere is asked in vain:
/// [`AskError::NoHandler`](crate::AskError::NoHandler).
///
/// # Ordering
/// A question of another client is handed over when everything has been heard that had its place
/// when it reached the object's hub, also what its asker had shouted before. A question in place is
/// ordinary mail. An answer that takes its time holds up no shout.
///
/// ```
/// use actix::prelude::*;
/// use actix_multiplex::{Asked, Leaf, elsewhere, interface};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize, Message)]
/// #[rtype(result = "u32")]
/// pub struct Weigh;
///
/// interface! {
///     /// A frog, wherever it sits.
///     pub Frog = "pond.frog" v1 {
///         state none;
///         ask 3 => Weigh -> u32,
///     }
/// }
///
/// struct Original { grams: u32 }
/// # impl Actor for Original { type Context = Context<Self>; }
/// # impl Supervised for Original {}
/// # impl Leaf for Original { type Interface = Frog; }
/// impl Handler<Asked<Weigh>> for Original {
///     type Result = u32;
///     fn handle(&mut self, _: Asked<Weigh>, _: &mut Context<Self>) -> u32 { self.grams }
/// }
///
/// /// Knows nothing of its own: it is a reference to the original.
/// struct Picture;
/// # impl Actor for Picture { type Context = Context<Self>; }
/// # impl Supervised for Picture {}
/// # impl Leaf for Picture { type Interface = Frog; }
/// elsewhere!(Picture: Weigh);
/// ```
#[derive(Clone, Debug)]
pub struct Asked<M> {
    message: M,
    asker: Option<SessionId>,
}

impl<M> Asked<M> {
    /// A question in place.
    pub(crate) fn here(message: M) -> Self {
        Self { message, asker: None }
    }

    /// A question for testing a leaf's handlers alone.
    ///
    /// ```
    /// use actix_multiplex::Asked;
    /// let asked = Asked::for_test("how heavy?");
    /// assert_eq!((*asked, asked.asker()), ("how heavy?", None));
    /// ```
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(message: M) -> Self {
        Self::here(message)
    }

    /// The message itself.
    pub fn into_inner(self) -> M {
        self.message
    }

    /// The session that asks the object's owner. `None`: this leaf's own handle asks, in place.
    pub fn asker(&self) -> Option<SessionId> {
        self.asker
    }
}

impl<M> Deref for Asked<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.message
    }
}

impl<M: Message> Message for Asked<M> {
    type Result = M::Result;
}

/// The answer of a class that has none of its own: the object's owner is asked.
///
/// [`elsewhere!`](crate::elsewhere) writes the handlers.
///
/// ```
/// use actix_multiplex::Elsewhere;
/// # use actix::prelude::*;
/// # use actix_multiplex::Asked;
/// # #[derive(Message)] #[rtype(result = "u32")] struct Weigh;
/// # struct Picture;
/// # impl Actor for Picture { type Context = Context<Self>; }
/// impl Handler<Asked<Weigh>> for Picture {
///     type Result = Elsewhere;
///     fn handle(&mut self, _: Asked<Weigh>, _: &mut Context<Self>) -> Elsewhere { Elsewhere }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is a word, written as it stands")]
pub struct Elsewhere;

impl<A, M> MessageResponse<A, Asked<M>> for Elsewhere
where
    A: Actor,
    M: Message,
{
    fn handle(self, _: &mut A::Context, _no_answer: Option<OneshotSender<M::Result>>) {}
}

/// Leaves asks to the object's owner: `elsewhere!(Picture: Weigh, Age);` writes a handler of each.
///
/// ```
/// # use actix::prelude::*;
/// # use actix_multiplex::elsewhere;
/// # #[derive(Message)] #[rtype(result = "u32")] struct Weigh;
/// # #[derive(Message)] #[rtype(result = "u32")] struct Age;
/// struct Picture;
/// # impl Actor for Picture { type Context = Context<Self>; }
/// elsewhere!(Picture: Weigh, Age);
/// ```
#[macro_export]
macro_rules! elsewhere {
    ($leaf:ty: $($message:ty),+ $(,)?) => {
        $(impl $crate::__private::actix::Handler<$crate::Asked<$message>> for $leaf {
            type Result = $crate::Elsewhere;

            fn handle(
                &mut self,
                _: $crate::Asked<$message>,
                _: &mut <Self as $crate::__private::actix::Actor>::Context,
            ) -> $crate::Elsewhere {
                $crate::Elsewhere
            }
        })+
    };
}

/// A message that one can ask objects of interface `I`. Made by `interface!`.
///
/// Its answer is the `Result` of its `impl Message`, which the row repeats: `ask 3 => Weigh -> u32`.
#[diagnostic::on_unimplemented(
    message = "a `{I}` cannot be asked `{Self}`",
    label = "no ask of `{I}`",
    note = "list it in the `interface!` table of `{I}`: `ask 3 => {Self} -> Answer,`",
    note = "what is to be heard by every leaf goes with `send(Shout(..))`"
)]
pub trait AskOf<I: Interface>:
    Message<Result: Serialize + DeserializeOwned + Send> + Serialize + DeserializeOwned + Send + 'static
{
    /// Its number in the interface.
    const KIND: Kind;
}

/// A leaf that can be asked `M`: it answers here, or elsewhere. Every actor with a
/// `Handler<Asked<M>>` is one.
#[diagnostic::on_unimplemented(
    message = "the leaf `{Self}` neither answers `{M}` nor leaves it to the owner",
    label = "`{Self}` leaves out an ask of its interface",
    note = "write `impl Handler<Asked<{M}>> for {Self}`, or `elsewhere!({Self}: {M});`"
)]
pub trait Replies<M: Message>: Actor<Context = Context<Self>> {
    /// Whether its class answers, and not [`Elsewhere`].
    fn is_here() -> bool;

    /// Asks a leaf in place. `None`: it has stopped, or panicked before it had answered.
    #[doc(hidden)]
    fn ask_here(leaf: Addr<Self>, message: M) -> Replying<M::Result>;

    /// Decodes `question`, hands it to the handler, and encodes what that answers.
    #[doc(hidden)]
    fn answer(
        &mut self,
        question: &Question,
        ctx: &mut Context<Self>,
    ) -> Result<Answering, Unanswered>;
}

/// An answer in place, when it comes.
#[doc(hidden)]
pub type Replying<R> = Pin<Box<dyn Future<Output = Option<R>> + Send>>;

/// An answer on its way to being bytes. `None`: there will be none, its leaf has panicked or let it
/// go.
#[doc(hidden)]
pub type Answering = Pin<Box<dyn Future<Output = Option<Result<Encoded, EncodeError>>> + Send>>;

/// A question on its way to a leaf: not yet decoded.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Question {
    pub(crate) kind: Kind,
    pub(crate) asker: SessionId,
    pub(crate) payload: Bytes,
    pub(crate) brought: Vec<Brought>,
}

impl Question {
    /// The number of the message in its interface.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// Why a leaf does not answer.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unanswered {
    /// Its class leaves this elsewhere, or its interface does not have it.
    Elsewhere,
    /// The payload is no such message.
    Unreadable(DecodeError),
}

#[diagnostic::do_not_recommend]
impl<A, M> Replies<M> for A
where
    A: Actor<Context = Context<A>> + Handler<Asked<M>, Result: 'static>,
    M: Message<Result: Serialize + Send> + DeserializeOwned + Send + 'static,
{
    fn is_here() -> bool {
        TypeId::of::<A::Result>() != TypeId::of::<Elsewhere>()
    }

    fn ask_here(leaf: Addr<Self>, message: M) -> Replying<M::Result> {
        Box::pin(async move { leaf.send(Asked::here(message)).await.ok() })
    }

    fn answer(
        &mut self,
        question: &Question,
        ctx: &mut Context<Self>,
    ) -> Result<Answering, Unanswered> {
        if !Self::is_here() {
            return Err(Unanswered::Elsewhere);
        }
        let Question { asker, payload, brought, .. } = question;
        let message = decode_with(payload, brought).map_err(Unanswered::Unreadable)?;
        let asked = Asked { message, asker: Some(*asker) };
        let (reply, answer) = oneshot::channel();
        self.handle(asked, ctx).handle(ctx, Some(reply));
        Ok(Box::pin(async move { Some(encode(&answer.await.ok()?, SHOUT_BYTES_MAX)) }))
    }
}

/// An object has another owner: see [`Leaf::owner_changed`](super::Leaf::owner_changed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    seq: Seq,
    from: SessionId,
    to: SessionId,
    me: SessionId,
}

impl OwnerChange {
    pub(crate) fn new(seq: Seq, from: SessionId, to: SessionId, me: SessionId) -> Self {
        Self { seq, from, to, me }
    }

    /// Its place in the object's one order.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Who owned the object before, if somebody did.
    pub fn from(&self) -> Option<SessionId> {
        Some(self.from).filter(|session| *session != SessionId::OF_HUB)
    }

    /// Who owns it from here on, if somebody does.
    pub fn to(&self) -> Option<SessionId> {
        Some(self.to).filter(|session| *session != SessionId::OF_HUB)
    }

    /// Whether it is this client: its leaf is asked from here on.
    pub fn is_me(&self) -> bool {
        self.to == self.me
    }
}

/// Checks while compiling that `M` is answered by `R`, as its row says.
#[doc(hidden)]
pub const fn replies<M: Message<Result = R>, R>() {}
