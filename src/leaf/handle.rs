//! What keeps a leaf joined.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use actix::{Addr, Recipient};

use super::{
    adverb::{Adverb, Saying},
    channel::{Gone, Receipted, ShoutError},
    client::{CarryError, Keep, KeepError, NameError},
    driver::{Driver, KeepIt, Keeping, NameIt, Unseat},
    inbox::Asker,
    recipient::{Speaker, speaker},
    voice::Voice,
};
use crate::{
    object::{
        Encoded, Leaf, Members, Name, ObjectId, ObjectRef, Receipt, Shout, ShoutAt, VolatileAt,
    },
    supervise::StartError,
    wire::Refusal,
};

/// Keeps a leaf joined, shouts at its object and speaks to it locally. The last clone's drop
/// parts the leaf and stops it.
///
/// ```no_run
/// # use actix_multiplex::{Client, Leaf, Local, Shout, ShoutAt};
/// # async fn example<F: Leaf, Croak: ShoutAt<F::Interface>>(client: Client, croak: Croak)
/// #     -> Result<(), Box<dyn std::error::Error>> where Croak: Clone {
/// let kermit = client.join::<F>("kermit").await?;
/// kermit.send(Shout(croak)).await?;      // every leaf hears it, this one too
/// # Ok(())
/// # }
/// ```
pub struct Handle<A: Leaf>(Arc<Seat<A>>);

/// A leaf's place at its client. One that is made anew takes the place of the one before.
pub(crate) struct Seat<A: Leaf> {
    there: Mutex<There<A>>,
    /// Why there will be no leaf any more.
    gone: OnceLock<Gone>,
    pub(super) voice: Voice<A::Interface>,
    driver: Addr<Driver>,
    keep: Arc<Keep>,
    speaker: Mutex<Option<Addr<Speaker<A::Interface>>>>,
}

/// The leaf that is there.
#[derive(Debug)]
pub(crate) struct There<A: Leaf> {
    pub(crate) addr: Addr<A>,
    pub(crate) inbox: Asker,
    pub(crate) generation: u64,
    pub(crate) fate: Fate,
}

/// Why a leaf panicked, once it has.
pub(crate) type Fate = Arc<OnceLock<String>>;

impl<A: Leaf> Seat<A> {
    pub(crate) fn new(
        there: There<A>,
        voice: Voice<A::Interface>,
        driver: Addr<Driver>,
        keep: Arc<Keep>,
    ) -> Self {
        let (there, speaker) = (Mutex::new(there), Mutex::new(None));
        Self { there, gone: OnceLock::new(), voice, driver, keep, speaker }
    }

    /// A leaf is made in the place of the one before.
    pub(crate) fn take_place(&self, leaf: There<A>) {
        let _former = std::mem::replace(&mut *self.lock(), leaf);
    }

    /// There will be no leaf any more.
    pub(crate) fn give_up(&self, gone: Gone) {
        let _first = self.gone.set(gone);
    }

    /// Asks the leaf's inbox, and knows what it was told.
    pub(super) fn inbox(&self) -> Asker {
        self.lock().inbox.clone()
    }

    /// The leaf that is there, and why it panicked if it has.
    pub(super) fn leaf(&self) -> (Addr<A>, Fate) {
        let there = self.lock();
        (there.addr.clone(), there.fate.clone())
    }

    /// Why the leaf of that fate has not answered.
    pub(super) fn why(&self, fate: &Fate) -> Gone {
        let panicked = || fate.get().cloned().map(Gone::Panicked);
        self.gone.get().cloned().or_else(panicked).unwrap_or(Gone::Parted)
    }

    fn lock(&self) -> MutexGuard<'_, There<A>> {
        // Nothing that is done under the lock can panic.
        self.there.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Leaf> Drop for Seat<A> {
    fn drop(&mut self) {
        let (object, generation) = (self.voice.object(), self.lock().generation);
        self.driver.do_send(Unseat { object, generation });
    }
}

impl<A: Leaf> Handle<A> {
    pub(crate) fn new(seat: Arc<Seat<A>>) -> Self {
        Self(seat)
    }

    pub(super) fn seat(&self) -> &Seat<A> {
        &self.0
    }

    /// Says something in the way its adverb tells: [`Shout`] to all,
    /// [`Local`](crate::Local) to this leaf.
    ///
    /// A shout waits for room in the window and then for its receipt: see [`Voice::send`]. A local
    /// message waits for its handler's answer, and never touches the network.
    ///
    /// # Errors
    /// A shout: [`ShoutError`], with the message. A local message: [`Gone`] when the leaf has
    /// stopped, or panicked before it had answered.
    pub fn send<T: Adverb<A>>(&self, what: T) -> Saying<'_, T::Output> {
        what.say(self)
    }

    /// Shouts, and waits until every leaf has handled it, or for so long: see
    /// [`Voice::send_handled`].
    ///
    /// # Errors
    /// As [`send`](Self::send) of a shout.
    pub fn send_handled<M: ShoutAt<A::Interface>>(
        &self,
        shout: Shout<M>,
        within: Duration,
    ) -> Saying<'_, Result<Receipt, ShoutError<M>>> {
        self.0.voice.send_handled(shout, within)
    }

    /// Shouts now: see [`Voice::try_send`].
    ///
    /// # Errors
    /// [`ShoutError::Full`] without room in the window, [`ShoutError::Encode`],
    /// [`ShoutError::Gone`]: nothing was sent.
    pub fn try_send<M: ShoutAt<A::Interface>>(
        &self,
        shout: Shout<M>,
    ) -> Result<Receipted, ShoutError<M>> {
        self.0.voice.try_send(shout)
    }

    /// Says something that may be lost to the other leaves: see [`Voice::send_volatile`].
    ///
    /// # Errors
    /// [`ShoutError::Full`], [`ShoutError::Encode`], [`ShoutError::Gone`]: nothing was sent.
    pub fn send_volatile<M: VolatileAt<A::Interface>>(
        &self,
        message: M,
    ) -> Result<(), ShoutError<M>> {
        self.0.voice.send_volatile(message)
    }

    /// Calls the object something in the directory. A leaf that lived offline is published first.
    ///
    /// # Errors
    /// [`NameError`]: the name is none, or is taken, or the object has one, or is no more.
    pub async fn name(&self, name: &str) -> Result<(), NameError> {
        let name: Name = name.parse()?;
        let object = self.object();
        let named = self.0.keep.request(|reply| NameIt { object, name, reply }).await?;
        named.map_err(|error| if self.has_ended() { NameError::Gone } else { error })
    }

    /// Pins the object: its hub keeps it from now on, also without a leaf. Otherwise what has no
    /// leaf, and is carried by nothing that is kept, goes after a minute. A leaf that lived offline
    /// is published first. An object has one pin, whoever sets it.
    ///
    /// # Errors
    /// [`KeepError`]: the hub refused, or the object is no more.
    pub async fn pin(&self) -> Result<(), KeepError> {
        self.keep(Keeping::Pinned(true)).await
    }

    /// Takes the pin out, if there is one.
    ///
    /// # Errors
    /// As [`pin`](Self::pin).
    pub async fn unpin(&self) -> Result<(), KeepError> {
        self.keep(Keeping::Pinned(false)).await
    }

    /// Ends the object for everybody. Leaves hear what was sequenced before, and stop; handles and
    /// voices say [`Gone::Ended`]. Its name is free, and nothing brings it back. A leaf that is so
    /// far behind that its client has dropped what follows stops where it is.
    ///
    /// # Errors
    /// As [`pin`](Self::pin).
    pub async fn destroy(&self) -> Result<(), KeepError> {
        self.keep(Keeping::Destroyed).await
    }

    async fn keep(&self, how: Keeping) -> Result<(), KeepError> {
        let object = self.object();
        let kept = self.0.keep.request(|reply| KeepIt { object, how, reply }).await?;
        kept.map_err(|error| if self.has_ended() { KeepError::Gone } else { error })
    }

    /// Whether the client has been told so: then a refusal has no other reason.
    fn has_ended(&self) -> bool {
        matches!(
            self.gone(),
            Some(Gone::Ended(_) | Gone::Refused(Refusal::Gone) | Gone::HubRestarted)
        )
    }

    /// A reference to the object, to be carried by a message or state. An object that lives offline
    /// is made known to the hub when that is sent, with the state that its leaf has now.
    ///
    /// It does not keep the object: hold the handle until the message is sent.
    ///
    /// # Errors
    /// [`CarryError`]: the leaf has stopped, or its state cannot be written.
    pub async fn carry(&self) -> Result<ObjectRef<A::Interface>, CarryError> {
        let voice = &self.0.voice;
        if voice.is_unborn()
            && let Some(state) = self.state().await?
        {
            voice.amend(state);
        }
        Ok(voice.reference())
    }

    /// The leaf's state, in its turn among the shouts.
    pub(crate) async fn state(&self) -> Result<Option<Encoded>, CarryError> {
        let (inbox, fate) = {
            let there = self.0.lock();
            (there.inbox.clone(), there.fate.clone())
        };
        let state = inbox.state().await.ok_or_else(|| self.0.why(&fate))?;
        Ok(state?)
    }

    /// Shouts from elsewhere; keeps nothing alive.
    pub fn voice(&self) -> Voice<A::Interface> {
        self.0.voice.clone()
    }

    /// The leaf itself, for its other messages. It is no leaf any more when the handles are gone.
    /// If it panics, another is made in its place, which has an address of its own.
    pub fn addr(&self) -> Addr<A> {
        self.0.leaf().0
    }

    /// An address that any actix program can shout through. Its actor is started on this arbiter
    /// when this is first called, and again when that arbiter has ended.
    ///
    /// # Ordering
    /// The shouts through one recipient keep their order; among those sent through the handle
    /// itself their place is not promised.
    ///
    /// An address has neither bound nor answer: a shout that finds the window full comes back to
    /// `send` as [`ShoutError::Full`], and with `do_send` it is lost, which is logged and counted
    /// in [`Client::unsent`](super::Client::unsent).
    ///
    /// # Errors
    /// [`StartError`] when this thread has no arbiter.
    pub fn recipient<M>(&self) -> Result<Recipient<Shout<M>>, StartError>
    where
        M: ShoutAt<A::Interface>,
    {
        let mut there = self.0.speaker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(speaker) = there.as_ref().filter(|speaker| speaker.connected()) {
            return Ok(speaker.clone().recipient());
        }
        let started = speaker(self.0.voice.clone(), &self.0.keep)?;
        Ok(there.insert(started).clone().recipient())
    }

    /// Who is at the object, as the leaf was last told; for interfaces with `presence`. It is a
    /// snapshot: what changes later does not change it.
    ///
    /// ```no_run
    /// # use actix_multiplex::{Handle, Leaf};
    /// # fn example<F: Leaf>(kermit: &Handle<F>) {
    /// let members = kermit.members();
    /// println!("{} are here", members.count());
    /// for member in members.iter().filter(|member| !member.is_me()) {
    ///     println!("{}{}", member.name(), if member.is_away() { " (away)" } else { "" });
    /// }
    /// # }
    /// ```
    pub fn members(&self) -> Members {
        self.0.lock().inbox.members()
    }

    /// The object.
    pub fn object(&self) -> ObjectId {
        self.0.voice.object()
    }

    /// Why shouts fail for good or the leaf will hear no more, if so.
    pub fn gone(&self) -> Option<Gone> {
        self.0.gone.get().cloned().or_else(|| self.0.voice.gone())
    }
}

impl<A: Leaf> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Leaf> fmt::Debug for Handle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("object", &self.object()).finish_non_exhaustive()
    }
}
