//! Leaves of whatever there is, by a tool that knows no interfaces.

use std::{
    any::TypeId,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::time::Instant;

use super::{
    adverb::Saying,
    channel::{AskError, Gone, Replied, Unreplied},
    class::{AnyClass, Begin, Class, SeatError, Seated, Seating},
    client::{AnySeat, Client, JoinError},
    driver::How,
    handle::Handle,
    voice::Voice,
};
use crate::{
    limits::{ASK_TIME, SHOUT_BYTES_MAX},
    object::{Codec, EncodeError, Encoded, Interface, InterfaceId, Kind, Leaf, Name, Opaque, Raw},
    wire::Answer,
};

/// A class for an object that it knows no interface of.
struct OpaqueClass<A: Leaf> {
    class: Arc<Class<A>>,
    /// What the object is.
    interface: InterfaceId,
    /// Whether it has a state; until that is known, it may have one.
    is_stateful: AtomicBool,
}

impl<A: Leaf> AnyClass for OpaqueClass<A> {
    fn interface(&self) -> InterfaceId {
        self.interface.clone()
    }

    fn is_stateful(&self) -> bool {
        self.is_stateful.load(Ordering::Relaxed)
    }

    fn has_presence(&self) -> bool {
        false
    }

    fn hands_over(&self) -> bool {
        false
    }

    fn asks(&self) -> Vec<Kind> {
        Vec::new()
    }

    fn answers(&self) -> Vec<Kind> {
        Vec::new()
    }

    fn codec(&self) -> Codec {
        self.class.codec()
    }

    fn class(&self) -> TypeId {
        self.class.class()
    }

    fn name(&self) -> &'static str {
        self.class.name()
    }

    fn seat(self: Arc<Self>, seating: Seating) -> Result<Seated, SeatError> {
        if let Begin::Now(opening) = &seating.begin
            && seating.seat.is_none()
        {
            self.is_stateful.store(opening.given.is_some(), Ordering::Relaxed);
        }
        self.class.clone().seat(seating)
    }

    fn give_up(&self, seat: &AnySeat, gone: Gone) {
        self.class.give_up(seat, gone);
    }
}

impl Client {
    /// Becomes a leaf of the object of that name, whatever it is: the leaf hears [`Raw`] messages.
    /// `make` is as of [`implement`](Self::implement), for this leaf alone.
    ///
    /// ```no_run
    /// # use actix::prelude::*;
    /// # use actix_multiplex::{Client, Handle, JoinError, Leaf, Opaque};
    /// # async fn example<Tap: Leaf<Interface = Opaque> + Default>(client: Client)
    /// #     -> Result<Handle<Tap>, JoinError> {
    /// let tap = client.join_opaque("kermit", |_me| Tap::default()).await?;
    /// # Ok(tap)
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`JoinError`]: no such object, no right, or another class is there at this client.
    pub async fn join_opaque<A: Leaf<Interface = Opaque>>(
        &self,
        name: &str,
        make: impl Fn(Voice<Opaque>) -> A + Send + Sync + 'static,
    ) -> Result<Handle<A>, JoinError> {
        let name: Name = name.parse()?;
        let class = Arc::new(Class::new(make));
        let join = |interface: InterfaceId| {
            let (class, is_stateful) = (class.clone(), AtomicBool::new(true));
            let class = Arc::new(OpaqueClass { class, interface, is_stateful });
            self.enter_as(class, How::Join { name: name.clone() })
        };
        // The hub alone knows what the object is, and says so to whoever takes it for another.
        match join(Opaque::id()).await {
            Err(
                JoinError::OtherInterface { there, .. } | JoinError::OtherVersion { there, .. },
            ) => join(there).await,
            joined => joined,
        }
    }
}

impl<A: Leaf<Interface = Opaque>> Handle<A> {
    /// Asks the object's owner message `kind`, and waits 30 s for the answer: both are bytes, as the
    /// codec of the object's interface writes them.
    ///
    /// # Errors
    /// As [`Voice::ask_within`].
    pub fn ask_raw(
        &self,
        kind: Kind,
        payload: impl Into<Vec<u8>>,
    ) -> Saying<'_, Result<Raw, AskError>> {
        let said = Encoded { payload: payload.into(), carried: Vec::new() };
        let channel = self.seat().voice.channel();
        Saying::new(async move {
            if kind.is_of_hubs() {
                // No interface has such a message.
                let why = Unreplied::Answer(Answer::NoHandler);
                return Err(AskError::new::<Raw>(channel.object, ASK_TIME, why));
            }
            let bytes = said.payload.len() + 1;
            if bytes > SHOUT_BYTES_MAX {
                let error = EncodeError::TooLarge { bytes, max: SHOUT_BYTES_MAX };
                return Err(AskError::Encode(error));
            }
            let replied = channel.ask(kind, said, Instant::now() + ASK_TIME).await;
            let error = |why| AskError::new::<Raw>(channel.object, ASK_TIME, why);
            let Replied { payload, carried, .. } = replied.map_err(error)?;
            Ok(Raw::new(kind, payload, carried))
        })
    }
}
