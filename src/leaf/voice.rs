//! What one shouts through without being kept by it.

use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, Weak},
    time::Duration,
};

use actix::Addr;

use super::{
    adverb::Saying,
    channel::{Channel, Failure, Gone, Receipted, ShoutError},
    client::{Client, Keep},
    driver::{Detach, Driver},
};
use crate::{
    limits::STATE_BYTES_MAX,
    object::{
        EncodeError, Encoded, Interface, Kind, ObjectId, ObjectRef, Receipt, Seq, Shout, ShoutAt,
        VolatileAt, encode, encode_volatile,
    },
    wire::Draft,
};

/// Shouts at an object. It keeps nothing alive: a leaf holds its own voice, and `client.voice`
/// gives one to whoever has no leaf (a script, an HTTP handler).
///
/// # Ordering
/// Shouts are heard in the order in which `send` was first polled or `try_send` called, by all
/// clones of a voice and the handles of the same client together.
///
/// ```no_run
/// # use actix_multiplex::{Client, Interface, Shout, ShoutAt};
/// # async fn example<Frog: Interface, Croak: ShoutAt<Frog>>(client: Client, croak: Croak)
/// #     -> Result<(), Box<dyn std::error::Error>> where Croak: 'static {
/// let kermit = client.voice::<Frog>("kermit").await?;
/// let receipt = kermit.send(Shout(croak)).await?;
/// println!("heard at {}", receipt.seq());
/// # Ok(())
/// # }
/// ```
pub struct Voice<I> {
    channel: Arc<Channel>,
    attachment: Option<Arc<Attachment>>,
    keep: Weak<Keep>,
    /// What the leaf's state contained, for the test kit.
    start: Seq,
    interface: PhantomData<fn() -> I>,
}

/// A voice's claim on an object that its client may have no leaf of; given up when dropped.
#[derive(Debug)]
pub(crate) struct Attachment {
    pub(crate) object: ObjectId,
    pub(crate) driver: Addr<Driver>,
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.driver.do_send(Detach(self.object));
    }
}

impl<I: Interface> Voice<I> {
    pub(crate) fn new(
        channel: Arc<Channel>,
        attachment: Option<Arc<Attachment>>,
        keep: &Arc<Keep>,
    ) -> Self {
        let keep = Arc::downgrade(keep);
        Self { channel, attachment, keep, start: Seq(0), interface: PhantomData }
    }

    /// The voice of a leaf whose state contains what was shouted up to `start`.
    pub(crate) fn starting_at(self, start: Seq) -> Self {
        Self { start, ..self }
    }

    /// The way to the object.
    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Sends what is under way once more, as if it might be lost.
    #[cfg(feature = "testing")]
    pub(crate) fn send_all_again(&self) {
        self.channel.send_all_again();
    }

    /// Where its leaf's hearing began.
    #[cfg(feature = "testing")]
    pub(crate) fn start(&self) -> Seq {
        self.start
    }

    /// Shouts, as soon as the window has room, and waits for the receipt.
    ///
    /// # Errors
    /// [`ShoutError`]: every variant gives the message back and says whether it may have been
    /// heard. [`Stalled`](ShoutError::Stalled), and [`Full`](ShoutError::Full) for want of room, are told
    /// only while a link on the way to the object's home is cut, after
    /// [`STALL_DEADLINE`](crate::limits::STALL_DEADLINE).
    ///
    /// # Cancel safety
    /// Dropped before it is polled, or while it waits for room, nothing is sent. Dropped later, the
    /// shout may be heard. Without being polled it keeps its place, and holds nobody else up.
    pub fn send<M: ShoutAt<I>>(
        &self,
        shout: Shout<M>,
    ) -> Saying<'_, Result<Receipt, ShoutError<M>>> {
        let Shout(message) = shout;
        Saying::new(async move {
            let written = written(&message);
            self.say(M::KIND, written).await.map_err(|failure| failure.with(message))
        })
    }

    /// As [`send`](Self::send), and waits until every leaf has handled the shout, or for so long from
    /// when it has its place, at most five minutes: the receipt is
    /// [`Handled`](Receipt::Handled) then.
    ///
    /// The leaves are those that there are when it gets its place, also those that are away just
    /// then: such a one has until the deadline to come back and hear it. A leaf has handled it when
    /// its handler's answer has resolved, and also when it has come past it otherwise: it does not
    /// know the message ([`unheard`](crate::Leaf::unheard)), or has a state that contains it. One
    /// that parts first is missing. A handler must not await this for a shout that it is to hear
    /// itself.
    ///
    /// The receipt is only [`Sequenced`](Receipt::Sequenced) when nobody can tell any more: behind
    /// the shout's place, this client has lost its connection, also for a moment, or the hub's part
    /// of the object has failed. The shout is heard all the same. Of 64 open ones a session, or 256
    /// in all at one object, a further one is answered at once, by nobody yet.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    ///
    /// ```no_run
    /// # use actix_multiplex::{Interface, Receipt, Shout, ShoutAt, ShoutError, Voice};
    /// # use std::time::Duration;
    /// # async fn example<I: Interface, Save: ShoutAt<I>>(draft: Voice<I>, save: Save)
    /// #     -> Result<(), ShoutError<Save>> {
    /// match draft.send_handled(Shout(save), Duration::from_secs(5)).await? {
    ///     Receipt::Handled { by, of, .. } if by == of => println!("all {of} have it"),
    ///     Receipt::Handled { missing, .. } => println!("not heard of: {missing:?}"),
    ///     receipt => println!("it has its place: {}", receipt.seq()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_handled<M: ShoutAt<I>>(
        &self,
        shout: Shout<M>,
        within: Duration,
    ) -> Saying<'_, Result<Receipt, ShoutError<M>>> {
        let Shout(message) = shout;
        Saying::new(async move {
            let mut written = written(&message);
            if let Ok(draft) = &mut written {
                draft.handled_within_ms = Some(within.as_millis().try_into().unwrap_or(u32::MAX));
            }
            self.say(M::KIND, written).await.map_err(|failure| failure.with(message))
        })
    }

    /// Shouts now. The receipt can be waited for, or dropped.
    ///
    /// # Errors
    /// [`ShoutError::Full`] without room in the window, [`ShoutError::Encode`],
    /// [`ShoutError::Gone`]: nothing was sent.
    pub fn try_send<M: ShoutAt<I>>(&self, shout: Shout<M>) -> Result<Receipted, ShoutError<M>> {
        let Shout(message) = shout;
        self.launch(&message).map_err(|failure| failure.with(message))
    }

    /// Says something that may be lost to the other leaves, those that have room for it: a cursor,
    /// a pointer. It has no receipt, no place in the order, and carries no objects; this client's own
    /// leaf does not hear it. At an object that lives offline nobody else could: it goes nowhere.
    ///
    /// # Ordering
    /// A leaf that hears it has heard before it the shouts that this client sent before it.
    ///
    /// # Errors
    /// [`ShoutError::Full`] when much is queued, shouts wait, or there is no connection (say the next
    /// one later),
    /// [`ShoutError::Encode`] past 1 KiB and when it carries an object, [`ShoutError::Gone`]: nothing
    /// was sent. That it was sent does not mean that anybody hears it.
    ///
    /// ```no_run
    /// # use actix_multiplex::{Interface, ShoutError, Voice, VolatileAt};
    /// # fn example<Napkin: Interface, Pointer: VolatileAt<Napkin>>(me: Voice<Napkin>, at: Pointer) {
    /// if let Err(ShoutError::Full(_)) = me.send_volatile(at) {
    ///     // The next one says more than this one would have.
    /// }
    /// # }
    /// ```
    pub fn send_volatile<M: VolatileAt<I>>(&self, message: M) -> Result<(), ShoutError<M>> {
        let written = encode_volatile(&message).map_err(Failure::Encode);
        let sent = written.and_then(|payload| self.channel.send_volatile(M::KIND, &payload));
        sent.map_err(|failure| failure.with(message))
    }

    async fn say(&self, kind: Kind, written: Result<Draft, Failure>) -> Result<Receipt, Failure> {
        self.channel.send(kind, written?).await
    }

    /// Shouts now; the message stays with the caller.
    pub(super) fn launch<M: ShoutAt<I>>(&self, message: &M) -> Result<Receipted, Failure> {
        self.channel.try_send(M::KIND, written(message)?)
    }

    /// A reference to the object, to be carried by a message or state.
    ///
    /// An object that lives offline is made known to the hub, with the state that it was made with
    /// or last [carried](Self::carry) with, when the reference is passed.
    pub fn reference(&self) -> ObjectRef<I> {
        ObjectRef::new(self.object(), Seq(0))
    }

    /// As [`reference`](Self::reference); an object that lives offline is made known with this
    /// state. For a leaf's own handlers: `me.carry(self.state())`. Elsewhere there is
    /// [`Handle::carry`](super::Handle::carry).
    ///
    /// # Errors
    /// [`EncodeError`] when the state cannot be written.
    pub fn carry(&self, state: impl Into<Option<I::State>>) -> Result<ObjectRef<I>, EncodeError> {
        if let Some(state) = state.into().filter(|_| I::STATEFUL && self.channel.is_unborn()) {
            self.channel.amend(encode(&state, STATE_BYTES_MAX)?);
        }
        Ok(self.reference())
    }

    /// Whether the hub was not told of the object yet.
    pub(super) fn is_unborn(&self) -> bool {
        self.channel.is_unborn()
    }

    /// If the hub was not told of the object yet, it is to be told of this state.
    pub(super) fn amend(&self, state: Encoded) {
        self.channel.amend(state);
    }

    /// The client that it shouts through; for a leaf, to [bind](Client::bind) what a message carries
    /// and to make objects of its own. `None` when nobody keeps the client any more.
    pub fn client(&self) -> Option<Client> {
        self.keep.upgrade().map(Client::from)
    }

    /// The object.
    pub fn object(&self) -> ObjectId {
        self.channel.object
    }

    /// Why shouts fail for good, if they do.
    pub fn gone(&self) -> Option<Gone> {
        self.channel.gone()
    }
}

impl<I> Clone for Voice<I> {
    fn clone(&self) -> Self {
        let Self { channel, attachment, keep, start, interface } = self;
        let (channel, attachment, keep) = (channel.clone(), attachment.clone(), keep.clone());
        Self { channel, attachment, keep, start: *start, interface: *interface }
    }
}

impl<I> fmt::Debug for Voice<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voice").field("object", &self.channel.object).finish_non_exhaustive()
    }
}

fn written<M: serde::Serialize>(message: &M) -> Result<Draft, Failure> {
    Draft::new(message).map_err(Failure::Encode)
}
