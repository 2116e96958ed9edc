//! The future that is an actor's life: makes it, polls it, rebuilds it, lets it end.
//!
//! Every call into the actor, the constructor and the observer, destructors too, goes through the
//! [`guard`], so that no panic reaches the task set that polls or drops this future.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context as Task, Poll, Waker};
use std::time::Duration;

use actix::dev::channel::AddressReceiver;
use actix::dev::{AsyncContextParts, ContextFut};
use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorState, Context, Supervised};
use tokio::time::{Instant, Sleep, sleep};

use super::boundary::{Guarded, guard};
use super::budget::Budget;
use super::{Backoff, Event, Policy, RestartLimit};

/// An actor that is yet to be made, on its way to its arbiter.
///
/// Dropped on the way, it closes the mailbox, then tells the observer: hence the order of fields.
pub(super) struct Seed<A: Actor<Context = Context<A>>, F, O: FnMut(Event)> {
    receiver: Guarded<AddressReceiver<A>>,
    make: Guarded<F>,
    limit: RestartLimit,
    backoff: Option<Box<Backoff>>,
    observer: Observer<O>,
}

impl<A, F, O> Seed<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    O: FnMut(Event),
{
    pub(super) fn new(receiver: AddressReceiver<A>, make: F, policy: Policy, observe: O) -> Self {
        Self {
            receiver: Guarded::new(receiver),
            make: Guarded::new(make),
            limit: policy.limit,
            backoff: policy.backoff.map(Box::new),
            observer: Observer { observe: Guarded::new(observe), ended: false },
        }
    }

    /// The same actor, made with what was awaited.
    pub(super) fn given<T>(self, given: T) -> Seed<A, impl FnOnce(&mut Context<A>) -> A, O>
    where
        F: FnOnce(T, &mut Context<A>) -> A,
    {
        let Self { receiver, make, limit, backoff, observer } = self;
        let (make, given) = (make.into_inner(), Guarded::new(given));
        let make = move |ctx: &mut Context<A>| make(given.into_inner(), ctx);
        Seed { receiver, make: Guarded::new(make), limit, backoff, observer }
    }

    /// A future that makes the actor when it is first polled, and lives its life.
    pub(super) fn run(self) -> Runner<A, F, O>
    where
        F: FnOnce(&mut Context<A>) -> A,
    {
        let Self { receiver, make, limit, backoff, observer } = self;
        let stage = Stage::Seed { receiver, make };
        Runner { stage, broken: None, budget: Budget::new(limit), backoff, observer }
    }
}

/// Calls the constructor. If that panics, the context is dropped, which closes the address.
fn construct<A, F>(receiver: AddressReceiver<A>, make: F) -> Result<Life<A>, String>
where
    A: Actor<Context = Context<A>>,
    F: FnOnce(&mut Context<A>) -> A,
{
    let mut context = Guarded::new(Context::with_receiver(receiver));
    let actor = guard(|| make(context.as_mut()))?;
    Ok(context.into_inner().into_future(actor))
}

/// An actor with its context and its mailbox, as actix polls it.
type Life<A> = ContextFut<A, Context<A>>;

/// An actor's life, until it stops or is given up.
///
/// Written by hand: a future that the compiler makes has room for the actor twice, once for itself
/// and once on its way here.
pub(super) struct Runner<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    O: FnMut(Event),
{
    stage: Stage<A, F>,
    /// That the actor must be rebuilt before it is polled again.
    broken: Option<Box<Broken>>,
    budget: Budget,
    backoff: Option<Box<Backoff>>,
    observer: Observer<O>,
}

/// How far the rebuilding of an actor has come.
enum Broken {
    /// It has panicked, with this message.
    Panicked(String),
    /// It rests before the last of so many restarts.
    Resting(u32, Pin<Box<Sleep>>),
}

/// How far an actor's life has come.
#[expect(clippy::large_enum_variant, reason = "almost all of them are alive")]
enum Stage<A: Actor<Context = Context<A>>, F> {
    /// It is yet to be made.
    Seed {
        receiver: Guarded<AddressReceiver<A>>,
        make: Guarded<F>,
    },
    Alive(Life<A>),
    Over,
}

/// What one turn led to.
enum Turn {
    /// There is nothing to do until something wakes the task.
    Idle,
    /// The next turn is due at once; in between, other actors have theirs.
    Again,
    /// The life is over.
    Over(Event),
}

/// Nothing in it is pinned: a `ContextFut` is polled wherever it is.
impl<A, F, O> Unpin for Runner<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    O: FnMut(Event),
{
}

impl<A, F, O> Future for Runner<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    F: FnOnce(&mut Context<A>) -> A,
    O: FnMut(Event),
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<()> {
        if let Err(reason) = self.begin() {
            self.observer.tell(Event::Panicked { reason: reason.clone() });
            self.observer.end(Event::GaveUp { reason });
            return Poll::Ready(());
        }
        match self.turn(task) {
            Turn::Idle => Poll::Pending,
            Turn::Again => {
                task.waker().wake_by_ref();
                Poll::Pending
            }
            Turn::Over(event) => {
                self.end(event);
                Poll::Ready(())
            }
        }
    }
}

impl<A, F, O> Runner<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    O: FnMut(Event),
{
    /// Makes the actor, if that is yet to be done.
    fn begin(&mut self) -> Result<(), String>
    where
        F: FnOnce(&mut Context<A>) -> A,
    {
        if matches!(self.stage, Stage::Seed { .. })
            && let Stage::Seed { receiver, make } = std::mem::replace(&mut self.stage, Stage::Over)
        {
            self.stage = Stage::Alive(construct(receiver.into_inner(), make.into_inner())?);
        }
        Ok(())
    }

    fn life(&mut self) -> Option<&mut Life<A>> {
        match &mut self.stage {
            Stage::Alive(life) => Some(life),
            _ => None,
        }
    }

    fn turn(&mut self, task: &mut Task<'_>) -> Turn {
        match self.broken.as_deref_mut() {
            None => self.live(task),
            Some(Broken::Resting(restarts, rest)) => match rest.as_mut().poll(task) {
                Poll::Pending => Turn::Idle,
                Poll::Ready(()) => {
                    let restarts = *restarts;
                    self.rebuild(restarts)
                }
            },
            Some(Broken::Panicked(reason)) => {
                let reason = std::mem::take(reason);
                self.restart(reason)
            }
        }
    }

    fn live(&mut self, task: &mut Task<'_>) -> Turn {
        let Some(life) = self.life() else {
            return Turn::Idle;
        };
        match guard(|| Pin::new(life).poll(task)) {
            Ok(Poll::Pending) => Turn::Idle,
            Ok(Poll::Ready(())) => Turn::Over(Event::Stopped),
            Err(reason) => self.panicked(reason),
        }
    }

    /// Rebuilds the actor, perhaps after a rest, unless that was done too often.
    fn restart(&mut self, reason: String) -> Turn {
        let Some(restarts) = self.budget.spend(Instant::now()) else {
            return Turn::Over(Event::GaveUp { reason });
        };
        let wait = self.backoff.as_ref().map_or(Duration::ZERO, |it| it.rest_before(restarts));
        if wait.is_zero() { self.rebuild(restarts) } else { self.rest(restarts, wait) }
    }

    /// Lets the actor rest, which needs a runtime with a timer.
    fn rest(&mut self, restarts: u32, wait: Duration) -> Turn {
        match guard(|| Box::pin(sleep(wait))) {
            Ok(rest) => {
                self.broken = Some(Box::new(Broken::Resting(restarts, rest)));
                self.observer.tell(Event::Resting { wait });
                Turn::Again
            }
            Err(reason) => Turn::Over(Event::GaveUp { reason }),
        }
    }

    fn rebuild(&mut self, restarts: u32) -> Turn {
        self.broken = None;
        if let Err(reason) = guard(|| self.life().map(rebuild)) {
            return self.panicked(reason);
        }
        self.observer.tell(Event::Restarted { restarts });
        Turn::Again
    }

    /// Has the actor rebuilt on the next turn, unless it was about to stop anyway.
    fn panicked(&mut self, reason: String) -> Turn {
        self.observer.tell(Event::Panicked { reason: reason.clone() });
        if self.life().is_none_or(is_stopping) {
            return Turn::Over(Event::Stopped);
        }
        self.broken = Some(Box::new(Broken::Panicked(reason)));
        Turn::Again
    }

    /// Lets the actor go, then tells the observer how it ended.
    fn end(&mut self, event: Event) {
        let Stage::Alive(mut life) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return;
        };
        for parted in [guard(|| say_goodbye(&mut life)), guard(|| discard(life))] {
            if let Err(reason) = parted {
                self.observer.tell(Event::Panicked { reason });
            }
        }
        self.observer.end(event);
    }
}

/// The task set drops what still runs when its arbiter ends.
impl<A, F, O> Drop for Runner<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    O: FnMut(Event),
{
    fn drop(&mut self) {
        self.end(Event::Stopped);
    }
}

/// Whoever is told what happens. Is told one end, be it by being dropped.
struct Observer<O: FnMut(Event)> {
    observe: Guarded<O>,
    ended: bool,
}

impl<O: FnMut(Event)> Observer<O> {
    fn tell(&mut self, event: Event) {
        // Nobody is left to hear that the observer panicked, but the panic hook has.
        let _ = guard(|| (self.observe.as_mut())(event));
    }

    fn end(&mut self, event: Event) {
        if !self.ended {
            self.ended = true;
            self.tell(event);
        }
    }
}

impl<O: FnMut(Event)> Drop for Observer<O> {
    fn drop(&mut self) {
        self.end(Event::Stopped);
    }
}

/// Cancels all futures and calls `restarting`.
fn rebuild<A: Actor<Context = Context<A>> + Supervised>(life: &mut Life<A>) {
    // Actix restarts nobody without an address, but futures alone keep an actor too. One that
    // nothing keeps ends by itself on its next turn.
    let _address = life.address();
    life.restart();
}

fn is_stopping<A: Actor<Context = Context<A>>>(life: &mut Life<A>) -> bool {
    life.ctx().state() != ActorState::Running
}

/// Runs `stopping` and `stopped`, unless they are not due or have run.
///
/// Dropping a `ContextFut` does that as well, but in a destructor, and if `stopping` says to go on
/// it delivers mail to an actor that may be broken. The wait that never ends is there to prevent
/// that.
fn say_goodbye<A: Actor<Context = Context<A>>>(life: &mut Life<A>) {
    let parts = life.ctx().parts();
    if parts.started() && parts.state() != ActorState::Stopped {
        parts.wait(wrap_future::<_, A>(pending()));
        parts.stop();
        let _ = Pin::new(life).poll(&mut Task::from_waker(Waker::noop()));
    }
}

/// Drops the actor, its futures and its mailbox, and calls no hook.
fn discard<A: Actor<Context = Context<A>>>(mut life: Life<A>) {
    life.ctx().terminate();
    drop(life);
}

#[cfg(test)]
mod tests {
    use actix::dev::channel;

    use super::*;

    struct Large {
        _room: [u8; 10_000],
    }

    impl Actor for Large {
        type Context = Context<Self>;
    }

    impl Supervised for Large {}

    #[test]
    fn a_life_has_room_for_its_actor_once() {
        let (_, receiver) = channel::channel::<Large>(1);
        let make = |_: &mut Context<Large>| Large { _room: [0; 10_000] };
        let life = Seed::new(receiver, make, RestartLimit::NEVER.into(), |_| {}).run();
        assert!(size_of_val(&life) < size_of::<Large>() + 1_000);
    }
}
