//! Asking through a handle or a voice: in place if the leaf's class answers, else of the owner.

use std::time::Duration;

use actix::Message;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    adverb::{Adverb, Saying},
    channel::{AskError, Channel, Gone, Replied, Unreplied},
    driver::Arrived,
    handle::Handle,
    voice::Voice,
};
use crate::{
    limits::{ASK_TIME, ASK_TIME_MAX, SHOUT_BYTES_MAX},
    object::{Ask, AskOf, Interface, Kind, Leaf, Replies, SessionId, decode_with, encode},
    wire::Answer,
};

impl<A: Leaf> Handle<A> {
    /// Asks, and waits 30 s for the answer: as [`ask_within`](Self::ask_within).
    ///
    /// # Errors
    /// As [`ask_within`](Self::ask_within).
    ///
    /// ```no_run
    /// # use actix_multiplex::{AskError, AskOf, Handle, Leaf, Replies};
    /// # async fn example<F, Weigh>(kermit: Handle<F>, weigh: Weigh) -> Result<(), AskError>
    /// # where F: Leaf + Replies<Weigh>, Weigh: AskOf<F::Interface, Result = u32> {
    /// let grams = kermit.ask(weigh).await?;
    /// println!("{grams} g");
    /// # Ok(())
    /// # }
    /// ```
    pub fn ask<M>(&self, message: M) -> Saying<'_, Result<M::Result, AskError>>
    where
        A: Replies<M>,
        M: AskOf<A::Interface>,
    {
        self.ask_within(message, ASK_TIME)
    }

    /// Asks, and waits for the answer so long, at most five minutes.
    ///
    /// If this leaf's class answers the message, it is asked in place, without the network, also
    /// offline. Else the object's owner is: see [`Voice::ask_within`]. Inside a handler of the very
    /// leaf that has to answer, it waits for itself until the time is over.
    ///
    /// # Errors
    /// [`AskError`]; [`Panicked`](AskError::Panicked) when the leaf that was asked in place did.
    ///
    /// # Cancel safety
    /// As [`Voice::ask_within`].
    pub fn ask_within<M>(
        &self,
        message: M,
        within: Duration,
    ) -> Saying<'_, Result<M::Result, AskError>>
    where
        A: Replies<M>,
        M: AskOf<A::Interface>,
    {
        if <A as Replies<M>>::is_here() {
            return Saying::new(self.ask_here(message, within));
        }
        let voice = &self.seat().voice;
        if voice.is_unborn() {
            // Its owner is this leaf.
            let why = Unreplied::Answer(Answer::NoHandler);
            let error = AskError::new::<M>(self.object(), within, why);
            return Saying::new(async move { Err(error) });
        }
        voice.ask_within(message, within)
    }

    async fn ask_here<M>(&self, message: M, within: Duration) -> Result<M::Result, AskError>
    where
        A: Replies<M>,
        M: Message<Result: Send> + Send + 'static,
    {
        let (addr, fate) = self.seat().leaf();
        let within = within.min(ASK_TIME_MAX);
        match timeout(within, A::ask_here(addr, message)).await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(match self.seat().why(&fate) {
                Gone::Panicked(reason) => AskError::Panicked(reason),
                gone => AskError::Gone(gone),
            }),
            Err(_) => Err(AskError::Late(within)),
        }
    }

    /// Who owns the object, as this leaf has heard; for interfaces with asks. `None`: nobody does,
    /// or it lives offline and this client does.
    pub fn owner(&self) -> Option<SessionId> {
        self.seat().inbox().owner()
    }
}

impl<I: Interface> Voice<I> {
    /// Asks the object's owner, and waits 30 s for the answer: as [`ask_within`](Self::ask_within).
    ///
    /// # Errors
    /// As [`ask_within`](Self::ask_within).
    pub fn ask<M: AskOf<I>>(&self, message: M) -> Saying<'_, Result<M::Result, AskError>> {
        self.ask_within(message, ASK_TIME)
    }

    /// Asks the object's owner, and waits for the answer so long, at most five minutes. While there
    /// is no connection it waits for one; while the owner has none, for that.
    ///
    /// Of one client 64 asks at an object and 4 MiB in all are under way; others wait for these. To the
    /// hub one that is given up counts until its deadline.
    /// Inside a handler of the very leaf that has to answer, it waits for itself until the time is
    /// over.
    ///
    /// # Ordering
    /// The owner answers when it has heard the shouts that were sent through this voice before. Those
    /// that wait for room in the window are not sent yet.
    ///
    /// # Errors
    /// [`AskError`]: every variant says whether the owner may have seen it.
    ///
    /// # Cancel safety
    /// Dropped before it is polled, nobody is asked. Dropped later, the owner may answer, and nobody
    /// hears it.
    pub fn ask_within<M: AskOf<I>>(
        &self,
        message: M,
        within: Duration,
    ) -> Saying<'_, Result<M::Result, AskError>> {
        Saying::new(ask_owner::<I, M>(self.channel(), message, within))
    }
}

async fn ask_owner<I: Interface, M: AskOf<I>>(
    channel: &Channel,
    message: M,
    within: Duration,
) -> Result<M::Result, AskError> {
    let said = encode(&message, SHOUT_BYTES_MAX).map_err(AskError::Encode)?;
    let kind: Kind = M::KIND;
    let within = within.min(ASK_TIME_MAX);
    let deadline = Instant::now() + within;
    let replied = channel.ask(kind, said, deadline).await;
    let error = |why| AskError::new::<M>(channel.object, within, why);
    let Replied { payload, carried, hold } = replied.map_err(error)?;
    let arrived = match hold {
        // What is not there by then is had when it is bound.
        Some(hold) => match timeout_at(deadline, hold).await {
            Ok(arrived) => arrived.unwrap_or_default(),
            Err(_) => Arrived::default(),
        },
        None => Arrived::default(),
    };
    decode_with(&payload, &arrived.brought(carried)).map_err(AskError::Decode)
}

impl<A, M> Adverb<A> for Ask<M>
where
    A: Leaf + Replies<M>,
    M: AskOf<A::Interface>,
{
    type Output = Result<M::Result, AskError>;

    fn say(self, handle: &Handle<A>) -> Saying<'_, Self::Output> {
        handle.ask(self.0)
    }
}
