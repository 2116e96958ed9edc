//! The one place where a class is named: from here on a leaf is bytes in, actor out.

use std::{
    any::{TypeId, type_name},
    sync::{Arc, Mutex, PoisonError},
};

use actix::{ActorFutureExt, Addr, AsyncContext, Context, fut::wrap_future};
use tokio::sync::oneshot;

use super::{
    channel::{Channel, Gone},
    client::{AnySeat, Keep},
    driver::{Arrived, Driver, LeafGone},
    handle::{Fate, Seat, There},
    inbox::{Delivery, Given, Inbox, inbox},
    progress::Progress,
    voice::Voice,
};
use crate::{
    object::{
        Brought, Codec, DecodeError, Dispatch, Interface, InterfaceId, Kind, Leaf, ObjectId, Seq,
        SessionId, Tag,
    },
    supervise::{self, Event, Placement, RestartLimit},
};

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
    /// Whether their leaves are told who else is one.
    fn has_presence(&self) -> bool;
    /// Whether another leaf owns an object when the owner is none any more.
    fn hands_over(&self) -> bool;
    /// The asks of the interface.
    fn asks(&self) -> Vec<Kind>;
    /// The asks that the class answers itself.
    fn answers(&self) -> Vec<Kind>;
    /// How payloads of the interface are written.
    fn codec(&self) -> Codec;
    /// Which class it is.
    fn class(&self) -> TypeId;
    /// What it is called in Rust.
    fn name(&self) -> &'static str;
    /// Makes a leaf and gives it its state.
    fn seat(self: Arc<Self>, seating: Seating) -> Result<Seated, SeatError>;
    /// Says at a seat of this class why there will be no leaf any more.
    fn give_up(&self, seat: &AnySeat, gone: Gone);
}

/// What a leaf is made with.
pub(crate) struct Seating {
    pub(crate) channel: Arc<Channel>,
    pub(crate) begin: Begin,
    pub(crate) generation: u64,
    pub(crate) driver: Addr<Driver>,
    pub(crate) keep: Arc<Keep>,
    pub(crate) progress: Arc<Progress>,
    /// The seat of the leaf in whose place it is made.
    pub(crate) seat: Option<AnySeat>,
}

/// When a leaf is made.
pub(crate) enum Begin {
    Now(Opening),
    /// When the hub has told its state; never, if the other end is dropped.
    Later(oneshot::Receiver<Opening>),
}

/// Where a leaf's hearing begins.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    /// The state to restore before anything is heard.
    pub(crate) given: Option<Given>,
    /// What the state contains.
    pub(crate) start: Seq,
    /// Who owns the object there.
    pub(crate) owner: Option<SessionId>,
    /// Shouts that it is not handed.
    pub(crate) skips: Vec<Seq>,
}

/// A leaf that was made: its seat (an `Arc<Seat<A>>`), and the way into its inbox.
pub(crate) struct Seated {
    pub(crate) seat: AnySeat,
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

    /// Makes a leaf. What its state carries is made before the state is restored; nothing reaches
    /// the leaf meanwhile.
    fn make(
        &self,
        voice: Voice<A::Interface>,
        opening: Opening,
        progress: Arc<Progress>,
        mut inbox: Inbox<A>,
        ctx: &mut Context<A>,
    ) -> A {
        let Opening { given, start, owner, skips } = opening;
        progress.give(start);
        inbox.begin_with(owner);
        inbox.skip(skips);
        let leaf = (self.make)(voice.starting_at(start));
        let start = Start { seq: start, progress };
        match given {
            Some(Given { state, carried, hold }) => {
                let coming = async move {
                    match hold {
                        Some(hold) => hold.await.unwrap_or_default(),
                        None => Arrived::default(),
                    }
                };
                ctx.wait(wrap_future(coming).map(move |arrived: Arrived, leaf: &mut A, ctx| {
                    start.restore(leaf, &state, &arrived.brought(carried), ctx);
                }));
            }
            None => start.begin(),
        }
        ctx.spawn(inbox);
        leaf
    }
}

/// Where a leaf's hearing begins.
struct Start {
    seq: Seq,
    progress: Arc<Progress>,
}

impl Start {
    fn begin(&self) {
        self.progress.begin(self.seq);
    }

    /// The first state was decoded once before the leaf was made, so that a bad one is the
    /// joiner's error and not the leaf's end.
    fn restore<A: Leaf>(
        &self,
        leaf: &mut A,
        state: &[u8],
        brought: &[Brought],
        ctx: &mut Context<A>,
    ) {
        if let Err(error) = A::Interface::restore(leaf, state, brought, ctx) {
            panic!("the state cannot be read: {error}");
        }
        self.begin();
    }
}

impl<A: Leaf> AnyClass for Class<A> {
    fn interface(&self) -> InterfaceId {
        A::Interface::id()
    }

    fn is_stateful(&self) -> bool {
        A::Interface::STATEFUL
    }

    fn has_presence(&self) -> bool {
        A::Interface::PRESENCE
    }

    fn hands_over(&self) -> bool {
        A::Interface::HANDOVER
    }

    fn asks(&self) -> Vec<Kind> {
        A::Interface::ASKS.to_vec()
    }

    fn answers(&self) -> Vec<Kind> {
        A::Interface::answers()
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
        let Seating { channel, begin, generation, driver, keep, progress, seat } = seating;
        if let Begin::Now(Opening { given: Some(given), .. }) = &begin {
            let brought = Arrived::default().brought(given.carried.clone());
            A::Interface::check_state(&given.state, &brought)?;
        }
        let object = channel.object;
        let (delivery, inbox) = inbox::<A>(object, generation, driver.clone(), progress.clone());
        let voice = Voice::new(channel, None, &keep);
        let fate = Fate::default();
        let observe = observer(object, generation, driver.clone(), fate.clone());
        let make = {
            let voice = voice.clone();
            move |opening, ctx: &mut Context<A>| self.make(voice, opening, progress, inbox, ctx)
        };
        let addr = match begin {
            Begin::Now(opening) => {
                let make = |ctx: &mut Context<A>| make(opening, ctx);
                supervise::start(&Placement::Here, MAILBOX, RestartLimit::NEVER, make, observe)?
            }
            Begin::Later(coming) => {
                let coming = async { coming.await.ok() };
                supervise::start_when(coming, MAILBOX, RestartLimit::NEVER, make, observe)?
            }
        };
        let there = There { addr, inbox: delivery.asker(), generation, fate };
        let seat = match seat {
            Some(seat) => {
                seat_of::<A>(&seat).take_place(there);
                seat
            }
            None => Arc::new(Seat::new(there, voice, driver, keep)),
        };
        Ok(Seated { seat, delivery })
    }

    fn give_up(&self, seat: &AnySeat, gone: Gone) {
        seat_of::<A>(seat).give_up(gone);
    }
}

/// A leaf's end is told to its driver; why it panicked also to those who speak to it.
fn observer(
    object: ObjectId,
    generation: u64,
    driver: Addr<Driver>,
    fate: Fate,
) -> impl FnMut(Event) + Send {
    move |event| {
        let panicked = match event {
            Event::Panicked { reason } => {
                let _first = fate.set(reason);
                return;
            }
            Event::GaveUp { reason } => Some(reason),
            Event::Stopped => None,
            Event::Resting { .. } | Event::Restarted { .. } => return,
        };
        driver.do_send(LeafGone { object, generation, panicked });
    }
}

fn seat_of<A: Leaf>(seat: &AnySeat) -> &Seat<A> {
    seat.downcast_ref().expect("the class is A")
}

/// The classes of a client, in the order in which they were implemented.
#[derive(Default)]
pub(crate) struct Classes(Mutex<Vec<Arc<dyn AnyClass>>>);

impl Classes {
    /// Enters a class, in place of an earlier way to make it.
    pub(crate) fn enter<A: Leaf>(&self, class: Class<A>) {
        let (mut classes, class) = (self.lock(), Arc::new(class));
        match classes.iter_mut().find(|there| there.class() == TypeId::of::<A>()) {
            Some(there) => *there = class,
            None => classes.push(class),
        }
    }

    /// The class of leaves of type `A`.
    pub(crate) fn find<A: Leaf>(&self) -> Option<Arc<dyn AnyClass>> {
        self.first(|class| class.class() == TypeId::of::<A>())
    }

    /// The class that was implemented first for interfaces of this tag.
    pub(crate) fn first_for(&self, tag: &Tag) -> Option<Arc<dyn AnyClass>> {
        self.first(|class| class.interface().tag == *tag)
    }

    /// The class that was implemented first for this interface.
    pub(crate) fn first_of(&self, interface: &InterfaceId) -> Option<Arc<dyn AnyClass>> {
        self.first(|class| class.interface() == *interface)
    }

    fn first(&self, is_it: impl Fn(&dyn AnyClass) -> bool) -> Option<Arc<dyn AnyClass>> {
        self.lock().iter().find(|class| is_it(&***class)).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<dyn AnyClass>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Classes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.lock().iter().map(|class| class.name())).finish()
    }
}

/// Messages that wait for a leaf before who sends one waits too: as actix has it.
const MAILBOX: usize = 16;
