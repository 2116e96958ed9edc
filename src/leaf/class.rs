//! The one place where a class is named: from here on a leaf is bytes in, actor out.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actix::{Addr, AsyncContext, Context};
use bytes::Bytes;

use super::{
    channel::Channel,
    client::Keep,
    driver::{Driver, LeafGone},
    handle::Seat,
    inbox::{Delivery, Inbox, inbox},
    voice::Voice,
};
use crate::{
    object::{Codec, DecodeError, Dispatch, Interface, InterfaceId, Leaf, Seq, decode},
    supervise::{self, Event, Placement, RestartLimit},
};

type State<A> = <<A as Leaf>::Interface as Interface>::State;

/// How leaves of one class are made.
pub(crate) struct Class<A: Leaf> {
    make: Box<dyn Fn(Voice<A::Interface>) -> A + Send + Sync>,
}

/// A class, its type forgotten.
pub(crate) trait AnyClass: Send + Sync {
    /// The interface that it implements.
    fn interface(&self) -> InterfaceId;
    /// Whether objects of the interface have a state.
    fn is_stateful(&self) -> bool;
    /// How payloads of the interface are written.
    fn codec(&self) -> Codec;
    /// Which class it is.
    fn class(&self) -> TypeId;
    /// What it is called in Rust.
    fn name(&self) -> &'static str;
    /// Makes a leaf and gives it its state.
    fn seat(self: Arc<Self>, seating: Seating) -> Result<Seated, SeatError>;
}

/// What a leaf is made with.
pub(crate) struct Seating {
    pub(crate) channel: Arc<Channel>,
    /// The state to restore before anything is heard.
    pub(crate) state: Option<Bytes>,
    /// What the state contains.
    pub(crate) start: Seq,
    pub(crate) generation: u64,
    pub(crate) driver: Addr<Driver>,
    pub(crate) keep: Arc<Keep>,
}

/// A leaf that was made: its seat (an `Arc<Seat<A>>`), and the way into its inbox.
pub(crate) struct Seated {
    pub(crate) seat: Arc<dyn Any + Send + Sync>,
    pub(crate) delivery: Delivery,
}

/// A leaf that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeatError {
    #[error(transparent)]
    State(#[from] DecodeError),
    #[error(transparent)]
    Start(#[from] supervise::StartError),
}

impl<A: Leaf> Class<A> {
    pub(crate) fn new(make: impl Fn(Voice<A::Interface>) -> A + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make) }
    }

    fn make(
        &self,
        voice: Voice<A::Interface>,
        state: Option<&Bytes>,
        inbox: Inbox<A>,
        ctx: &mut Context<A>,
    ) -> A {
        let mut leaf = (self.make)(voice);
        if let Some(state) = state {
            // It was decoded once before the leaf was made, so that a bad one is the joiner's
            // error and not the leaf's end.
            A::Interface::restore(&mut leaf, state, &[], ctx).expect("the state was checked");
        }
        ctx.spawn(inbox);
        leaf
    }
}

impl<A: Leaf> AnyClass for Class<A> {
    fn interface(&self) -> InterfaceId {
        A::Interface::id()
    }

    fn is_stateful(&self) -> bool {
        A::Interface::STATEFUL
    }

    fn codec(&self) -> Codec {
        A::Interface::CODEC
    }

    fn class(&self) -> TypeId {
        TypeId::of::<A>()
    }

    fn name(&self) -> &'static str {
        type_name::<A>()
    }

    fn seat(self: Arc<Self>, seating: Seating) -> Result<Seated, SeatError> {
        let Seating { channel, state, start, generation, driver, keep } = seating;
        if let Some(state) = &state {
            decode::<State<A>>(state)?;
        }
        let object = channel.object;
        let (delivery, inbox) = inbox::<A>(object, generation, driver.clone());
        let voice = Voice::new(channel, None).starting_at(start);
        let observe = {
            let driver = driver.clone();
            move |event| {
                let panicked = match event {
                    Event::GaveUp { reason } => Some(reason),
                    Event::Stopped => None,
                    _ => return,
                };
                driver.do_send(LeafGone { object, generation, panicked });
            }
        };
        let make = {
            let voice = voice.clone();
            move |ctx: &mut Context<A>| self.make(voice, state.as_ref(), inbox, ctx)
        };
        let addr = supervise::start(&Placement::Here, 16, RestartLimit::NEVER, make, observe)?;
        let speaker = Mutex::new(None);
        let seat = Arc::new(Seat { addr, voice, generation, driver, keep, speaker });
        Ok(Seated { seat, delivery })
    }
}

/// The classes of a client.
#[derive(Default)]
pub(crate) struct Classes(Mutex<HashMap<TypeId, Arc<dyn AnyClass>>>);

impl Classes {
    /// Enters a class, in place of an earlier way to make it.
    pub(crate) fn enter<A: Leaf>(&self, class: Class<A>) {
        self.lock().insert(TypeId::of::<A>(), Arc::new(class));
    }

    /// The class of leaves of type `A`.
    pub(crate) fn find<A: Leaf>(&self) -> Option<Arc<dyn AnyClass>> {
        self.lock().get(&TypeId::of::<A>()).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TypeId, Arc<dyn AnyClass>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Classes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.lock().values().map(|class| class.name())).finish()
    }
}
