//! The ways of saying something through a handle, and the future that comes of it.
//!
//! That future is a type with a name: what an `async fn` returns depends on its bounds, and the
//! compiler tells of an unmet bound once at the call, once at the future and once at its `.await`.

use std::{
    fmt,
    pin::Pin,
    task::{Context as Task, Poll},
};

use actix::{Handler, Message};

use super::{
    channel::{Gone, ShoutError},
    handle::Handle,
};
use crate::object::{Leaf, Local, Receipt, Shout, ShoutAt};

/// The ways of saying something through a [`Handle`]: [`Shout`], [`Local`] and
/// [`Ask`](crate::Ask).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to a `{A}` through its handle",
    label = "say how: `Shout(..)`, `Local(..)` or `Ask(..)`",
    note = "`Shout(message)` goes to every leaf of the object, `Local(message)` only to this one, and \
            `Ask(message)` to the one that answers"
)]
pub trait Adverb<A: Leaf>: Send {
    /// What comes back.
    type Output;

    /// Says it, when the future is polled.
    fn say(self, handle: &Handle<A>) -> Saying<'_, Self::Output>;
}

impl<A: Leaf, M: ShoutAt<A::Interface>> Adverb<A> for Shout<M> {
    type Output = Result<Receipt, ShoutError<M>>;

    fn say(self, handle: &Handle<A>) -> Saying<'_, Self::Output> {
        handle.seat().voice.send(self)
    }
}

impl<A: Takes<M>, M: Send + 'static> Adverb<A> for Local<M> {
    type Output = Result<A::Answer, Gone>;

    fn say(self, handle: &Handle<A>) -> Saying<'_, Self::Output> {
        A::take(handle, self)
    }
}

/// A leaf that takes `Local<M>`. Every leaf with a `Handler<Local<M>>` does.
#[diagnostic::on_unimplemented(
    message = "the leaf `{Self}` does not take `Local<{M}>`",
    label = "`{Self}` has no handler for it",
    note = "write `impl Handler<Local<{M}>> for {Self}`",
    note = "its answer is the `Result` of `impl Message for {M}`"
)]
pub trait Takes<M>: Leaf {
    /// What the handler answers.
    type Answer;

    /// Hands it to the leaf, when the future is polled, and waits for the answer.
    ///
    /// # Errors
    /// [`Gone`] when the leaf has stopped, or panicked before it had answered.
    fn take(leaf: &Handle<Self>, local: Local<M>) -> Saying<'_, Result<Self::Answer, Gone>>;
}

#[diagnostic::do_not_recommend]
impl<A, M> Takes<M> for A
where
    A: Leaf + Handler<Local<M>>,
    M: Message<Result: Send> + Send + 'static,
{
    type Answer = M::Result;

    fn take(leaf: &Handle<Self>, local: Local<M>) -> Saying<'_, Result<M::Result, Gone>> {
        Saying::new(async move {
            let (addr, fate) = leaf.seat().leaf();
            let answer = addr.send(local).await;
            if answer.is_err() {
                // Whoever tries again at once leaves the driver a turn to make another leaf.
                tokio::task::yield_now().await;
            }
            answer.map_err(|_| leaf.seat().why(&fate))
        })
    }
}

/// What is being said; it resolves to what comes back.
///
/// # Cancel safety
/// Dropped before it is polled, nothing was said. Dropped later, it may have been.
///
/// ```no_run
/// # use actix_multiplex::{Handle, Leaf, Receipt, Saying, Shout, ShoutAt, ShoutError};
/// # async fn example<A: Leaf, M: ShoutAt<A::Interface>>(kermit: Handle<A>, croak: M)
/// #     -> Result<(), ShoutError<M>> {
/// let saying: Saying<'_, Result<Receipt, ShoutError<M>>> = kermit.send(Shout(croak));
/// let receipt = saying.await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is said until it is awaited"]
pub struct Saying<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<'a, T> Saying<'a, T> {
    pub(super) fn new(future: impl Future<Output = T> + Send + 'a) -> Self {
        Self(Box::pin(future))
    }
}

impl<T> Future for Saying<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<T> {
        self.0.as_mut().poll(task)
    }
}

impl<T> fmt::Debug for Saying<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saying").finish_non_exhaustive()
    }
}
