//! The future that is an actor's life: makes it, polls it, rebuilds it, lets it end.
//!
//! Every call into the actor, the constructor and the observer, destructors too, goes through the
//! [`guard`], so that no panic reaches the task set that polls or drops this future.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::{Context as Task, Poll, Waker};

use actix::dev::channel::AddressReceiver;
use actix::dev::{AsyncContextParts, ContextFut};
use actix::fut::wrap_future;
use actix::{Actor, ActorContext, ActorState, Context, Supervised};
use tokio::time::Instant;

use super::boundary::{Guarded, guard};
use super::budget::Budget;
use super::{Event, RestartLimit};

/// An actor that is yet to be made, on its way to its arbiter.
///
/// Dropped on the way, it closes the mailbox, then tells the observer: hence the order of fields.
pub(super) struct Seed<A: Actor<Context = Context<A>>, F, O: FnMut(Event)> {
    receiver: Guarded<AddressReceiver<A>>,
    make: Guarded<F>,
    limit: RestartLimit,
    observer: Observer<O>,
}

impl<A, F, O> Seed<A, F, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    F: FnOnce(&mut Context<A>) -> A,
    O: FnMut(Event),
{
    pub(super) fn new(
        receiver: AddressReceiver<A>,
        make: F,
        limit: RestartLimit,
        observe: O,
    ) -> Self {
        Self {
            receiver: Guarded::new(receiver),
            make: Guarded::new(make),
            limit,
            observer: Observer { observe: Guarded::new(observe), ended: false },
        }
    }

    /// Makes the actor, here and now, and lives its life.
    pub(super) async fn run(self) {
        let Self { receiver, make, limit, mut observer } = self;
        match construct(receiver.into_inner(), make.into_inner()) {
            Ok(life) => {
                let mut runner = Runner::new(life, limit, observer);
                poll_fn(|task| runner.poll(task)).await;
            }
            Err(reason) => {
                observer.tell(Event::Panicked { reason: reason.clone() });
                observer.end(Event::GaveUp { reason });
            }
        }
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

/// A made actor's life, until it stops or is given up.
struct Runner<A: Actor<Context = Context<A>> + Supervised, O: FnMut(Event)> {
    /// Taken when it ends.
    life: Option<Life<A>>,
    /// Why the actor must be rebuilt before it is polled again.
    broken: Option<String>,
    budget: Budget,
    observer: Observer<O>,
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

impl<A, O> Runner<A, O>
where
    A: Actor<Context = Context<A>> + Supervised,
    O: FnMut(Event),
{
    fn new(life: Life<A>, limit: RestartLimit, observer: Observer<O>) -> Self {
        Self { life: Some(life), broken: None, budget: Budget::new(limit), observer }
    }

    fn poll(&mut self, task: &mut Task<'_>) -> Poll<()> {
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

    fn turn(&mut self, task: &mut Task<'_>) -> Turn {
        if let Some(reason) = self.broken.take() {
            return self.restart(reason);
        }
        let Some(life) = &mut self.life else {
            return Turn::Idle;
        };
        match guard(|| Pin::new(life).poll(task)) {
            Ok(Poll::Pending) => Turn::Idle,
            Ok(Poll::Ready(())) => Turn::Over(Event::Stopped),
            Err(reason) => self.panicked(reason),
        }
    }

    /// Rebuilds the actor, unless that was done too often.
    fn restart(&mut self, reason: String) -> Turn {
        let Some(restarts) = self.budget.spend(Instant::now()) else {
            return Turn::Over(Event::GaveUp { reason });
        };
        if let Err(reason) = guard(|| self.life.as_mut().map(rebuild)) {
            return self.panicked(reason);
        }
        self.observer.tell(Event::Restarted { restarts });
        Turn::Again
    }

    /// Has the actor rebuilt on the next turn, unless it was about to stop anyway.
    fn panicked(&mut self, reason: String) -> Turn {
        self.observer.tell(Event::Panicked { reason: reason.clone() });
        if self.life.as_mut().is_none_or(is_stopping) {
            return Turn::Over(Event::Stopped);
        }
        self.broken = Some(reason);
        Turn::Again
    }

    /// Lets the actor go, then tells the observer how it ended.
    fn end(&mut self, event: Event) {
        let Some(mut life) = self.life.take() else {
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
impl<A, O> Drop for Runner<A, O>
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
