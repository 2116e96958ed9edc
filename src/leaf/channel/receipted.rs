//! A receipt that is waited for.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;

use super::{Failure, Gone, ShoutError};
use crate::object::Receipt;

/// The receipt of a shout, when it comes. Dropping it takes nothing back.
///
/// ```no_run
/// # use actix_multiplex::{Handle, Leaf, Shout, ShoutAt, ShoutError};
/// # async fn example<A: Leaf, M: ShoutAt<A::Interface>>(kermit: Handle<A>, one: M, two: M)
/// #     -> Result<(), ShoutError<()>> {
/// let first = kermit.try_send(Shout(one)).expect("has room");
/// let second = kermit.try_send(Shout(two)).expect("has room");
/// assert!(first.await?.seq() < second.await?.seq());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a receipt tells whether the shout was heard; to shout and not care, drop it"]
pub struct Receipted {
    pub(super) answer: oneshot::Receiver<Result<Receipt, Failure>>,
}

impl Receipted {
    /// The receipt, or why there is none; the caller has the message.
    pub(crate) async fn outcome(self) -> Result<Receipt, Failure> {
        self.answer.await.unwrap_or(Err(Failure::Unknown(Gone::Parted)))
    }
}

impl Future for Receipted {
    type Output = Result<Receipt, ShoutError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(cx).map(|answer| {
            let outcome = answer.unwrap_or(Err(Failure::Unknown(Gone::Parted)));
            outcome.map_err(|failure| failure.with(()))
        })
    }
}
