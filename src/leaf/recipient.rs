//! An actix address to shout through, for programs that know only addresses.

use std::sync::{Arc, atomic::Ordering};

use actix::{
    Actor, Addr, Context, Handler, Message, Supervised,
    dev::{MessageResponse, OneshotSender},
};

use super::{
    channel::{Failure, Receipted, ShoutError},
    client::Keep,
    voice::Voice,
};
use crate::{
    object::{Interface, Receipt, Shout, ShoutAt},
    supervise::{self, Placement, RestartLimit, StartError},
};

impl<M: Send + 'static> Message for Shout<M> {
    type Result = Result<Receipt, ShoutError<M>>;
}

/// The actor behind a recipient: it shouts what it is sent.
pub(crate) struct Speaker<I> {
    voice: Voice<I>,
    keep: std::sync::Weak<Keep>,
}

/// Starts the actor behind a recipient, on this arbiter.
pub(crate) fn speaker<I: Interface>(
    voice: Voice<I>,
    keep: &Arc<Keep>,
) -> Result<Addr<Speaker<I>>, StartError> {
    let keep = Arc::downgrade(keep);
    let make = move |_: &mut Context<_>| Speaker { voice, keep };
    supervise::start(&Placement::Here, 16, RestartLimit::NEVER, make, |event| {
        tracing::debug!(?event, "a recipient");
    })
}

impl<I: Interface> Actor for Speaker<I> {
    type Context = Context<Self>;
}

impl<I: Interface> Supervised for Speaker<I> {}

impl<I: Interface, M: ShoutAt<I>> Handler<Shout<M>> for Speaker<I> {
    type Result = Spoken<M>;

    fn handle(&mut self, Shout(message): Shout<M>, _: &mut Self::Context) -> Spoken<M> {
        Spoken { under_way: self.voice.launch(&message), message }
    }
}

/// A shout under way, or not.
pub(crate) struct Spoken<M> {
    message: M,
    under_way: Result<Receipted, Failure>,
}

impl<I: Interface, M: ShoutAt<I>> MessageResponse<Speaker<I>, Shout<M>> for Spoken<M> {
    /// The shout is under way already, in its order; here only its answer is waited for.
    fn handle(
        self,
        ctx: &mut Context<Speaker<I>>,
        answer: Option<OneshotSender<Result<Receipt, ShoutError<M>>>>,
    ) {
        let Self { message, under_way } = self;
        match (under_way, answer) {
            (Ok(receipted), Some(answer)) => {
                actix::AsyncContext::spawn(
                    ctx,
                    actix::fut::wrap_future(async move {
                        let outcome = receipted.outcome().await;
                        let _gone = answer.send(outcome.map_err(|failure| failure.with(message)));
                    }),
                );
            }
            (Err(failure), Some(answer)) => {
                let _gone = answer.send(Err(failure.with(message)));
            }
            (Ok(_), None) => {}
            (Err(failure), None) => {
                let error = failure.with(());
                tracing::warn!(%error, "a shout sent with `do_send` is lost: use `send`");
                actix::AsyncContext::notify(ctx, Unsent);
            }
        }
    }
}

/// Counts a shout that could not be sent and had nobody to come back to.
#[derive(Message)]
#[rtype(result = "()")]
struct Unsent;

impl<I: Interface> Handler<Unsent> for Speaker<I> {
    type Result = ();

    fn handle(&mut self, _: Unsent, _: &mut Self::Context) {
        if let Some(keep) = self.keep.upgrade() {
            keep.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }
}
