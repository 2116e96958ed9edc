//! The panic boundary that every actor of ours runs in.
//!
//! In comes a constructor, out comes an address, at once. The actor is made on the arbiter it is
//! placed on and polled inside [`catch_unwind`](std::panic::catch_unwind). After a panic
//! [`Supervised::restarting`] is called, in which the actor rebuilds *everything* it holds; then
//! `started` runs again. Its mailbox and all its addresses stay. When the [`RestartLimit`] is used
//! up, the actor is dropped and its addresses read as closed. Nothing else on the arbiter notices.
//!
//! | what panics | what happens | the observer hears |
//! |---|---|---|
//! | a handler | rebuilt; the sender gets `MailboxError::Closed` | `Panicked`, `Restarted` |
//! | the handler of a `ctx.notify` | rebuilt | `Panicked`, `Restarted` |
//! | a spawned future, a timer | rebuilt | `Panicked`, `Restarted` |
//! | a future under `ctx.wait` | rebuilt | `Panicked`, `Restarted` |
//! | `started` | rebuilt, counted like any other | `Panicked`, `Restarted` |
//! | `restarting` | tried again next turn, which counts too | `Panicked`, then as above |
//! | `stopping`, once the last address went | rebuilt, then asked again | `Panicked`, `Restarted` |
//! | any of these, with a [`Backoff`] | rebuilt after a rest | `Panicked`, `Resting`, `Restarted` |
//! | the constructor | given up: it can be called only once | `Panicked`, `GaveUp` |
//! | anything, with the limit used up | given up: the address closes | `Panicked`, `GaveUp` |
//! | anything, after `ctx.stop()` | a wanted stop stays a stop | `Panicked`, `Stopped` |
//! | `stopped`, a destructor | it ends all the same | `Panicked`, then its end |
//! | the observer | nothing: it is called again for the next event | |
//! | nothing: `ctx.stop()`, the last address went | stopped | `Stopped` |
//! | nothing: the arbiter ended | stopped | `Stopped` |
//!
//! *Rebuilt*: its futures, timers and waits are cancelled, then `restarting` and `started` run, and
//! it hears the rest of its mail. Other actors have their turns before that.
//! *Rest*: nothing of it runs, and its mailbox keeps what is sent. Should its last address go
//! meanwhile, it is rebuilt, hears its mail and stops; should its arbiter end, it stops at once.
//! *Given up*: `stopping` and `stopped` run, as ever in actix, on the broken actor, unless
//! `started` is still due; no mail is delivered, whatever `stopping` answers.
//! An `Ok` of [`start`] is followed by exactly one `Stopped` or `GaveUp`, told last, when the actor
//! is dropped and its address closed.
//!
//! What no boundary can hold: two destructors that panic in one unwinding, a panicking panic hook,
//! a stack overflow. And two traits of actix 0.13: a future that is cancelled in the turn that
//! panics can take a future with it that has the same [`SpawnHandle`](actix::SpawnHandle) and was
//! spawned by `restarting` or `started`, because the cancelling is carried out late; and
//! `ctx.terminate()` in the turn of a `ctx.cancel_future(..)` can spin for ever.
//!
//! This module knows no object, no hub and no leaf, and it logs nothing: the observer does, since
//! it knows who the actor is.

#[cfg(panic = "abort")]
compile_error!(
    "actix-multiplex needs `panic = \"unwind\"`: with `abort` one panicking actor would end the \
     whole process, every hub and every leaf in it"
);

mod backoff;
mod boundary;
mod budget;
mod runner;

use std::time::Duration;

use actix::dev::channel;
use actix::{Actor, Addr, Context, Supervised};
use actix_rt::ArbiterHandle;
use thiserror::Error;
use tokio::runtime;
use tokio::task::spawn_local;

pub use self::backoff::{Backoff, Policy};
pub(crate) use self::boundary::{Guarded, guard};
pub(crate) use self::budget::Budget;
use self::runner::Seed;

/// Where an actor runs.
///
/// # Examples
///
/// ```
/// use actix_multiplex::supervise::Placement;
///
/// actix_rt::System::new().block_on(async {
///     let arbiter = actix_rt::Arbiter::new();
///     let (tell, told) = tokio::sync::oneshot::channel();
///     assert!(Placement::Arbiter(arbiter.handle()).run(move || tell.send("there").unwrap()));
///     assert_eq!(told.await, Ok("there"));
/// });
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Placement {
    /// On the thread that asks, in its arbiter or [`LocalSet`](tokio::task::LocalSet).
    Here,
    /// On the thread of this arbiter.
    Arbiter(ArbiterHandle),
}

impl Placement {
    /// Runs a job there, on a later turn, and says whether it was accepted.
    ///
    /// `false` means that the arbiter has ended or, for [`Placement::Here`], that this thread has
    /// no local task set (the panic hook may hear of that, see [`StartError::NoLocalSet`]). The job
    /// is then dropped. A job that panics ends alone.
    ///
    /// # Ordering
    ///
    /// Jobs given to one place from one thread run in the order in which they were given.
    pub fn run(&self, job: impl FnOnce() + Send + 'static) -> bool {
        if self.check().is_err() {
            return false;
        }
        match self {
            Self::Arbiter(arbiter) => arbiter.spawn_fn(job),
            Self::Here => {
                spawn_local(async { job() });
                true
            }
        }
    }

    /// Whether actors can be started there now.
    ///
    /// # Errors
    /// [`StartError`], as [`start`] would give it.
    pub fn check(&self) -> Result<(), StartError> {
        match self {
            Self::Here if !local_set_is_here() => Err(StartError::NoLocalSet),
            Self::Arbiter(arbiter) if !arbiter.alive() => Err(StartError::ArbiterGone),
            Self::Here | Self::Arbiter(_) => Ok(()),
        }
    }
}

/// How many restarts within which time are tolerated; one more gives the actor up.
///
/// A restart counts until it is older than `within`, by tokio's clock. A restart that itself
/// panics counts too.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use actix_multiplex::supervise::RestartLimit;
///
/// let patient = RestartLimit { restarts: 5, within: Duration::from_secs(60) };
/// assert_ne!(patient, RestartLimit::NEVER);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RestartLimit {
    /// How many restarts are tolerated. As many times are remembered, 16 bytes each.
    pub restarts: u32,
    /// For how long a restart counts. Zero is no limit, unless `restarts` is zero too.
    pub within: Duration,
}

impl RestartLimit {
    /// Restarts nothing: the first panic gives the actor up.
    pub const NEVER: Self = Self { restarts: 0, within: Duration::ZERO };
}

/// What happened to a supervised actor, as its observer is told.
///
/// # Examples
///
/// ```
/// use actix_multiplex::supervise::Event;
///
/// fn log(event: &Event) -> Option<String> {
///     match event {
///         Event::Panicked { reason } => Some(format!("an actor panicked: {reason}")),
///         Event::GaveUp { .. } => Some("it is not restarted again".to_owned()),
///         _ => None,
///     }
/// }
/// assert_eq!(log(&Event::Stopped), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It panicked. What follows says what became of it.
    Panicked {
        /// The message of the panic.
        reason: String,
    },
    /// It rests before it is restarted.
    Resting {
        /// How long.
        wait: Duration,
    },
    /// It was rebuilt, and takes up its mailbox where it left off.
    Restarted {
        /// How many restarts counted when it panicked, this one included.
        restarts: u32,
    },
    /// It panicked more often than the limit tolerates, or could not be made. It is gone.
    GaveUp {
        /// The message of the last panic.
        reason: String,
    },
    /// It ended because it was meant to, or because its arbiter did. It is gone.
    Stopped,
}

/// Why an actor could not be started. Nothing was started then, and no observer is told.
///
/// # Examples
///
/// ```
/// # use actix::{Actor, Context, Supervised};
/// use actix_multiplex::supervise::{self, Placement, RestartLimit, StartError};
///
/// struct Frog;
/// impl Actor for Frog {
///     type Context = Context<Self>;
/// }
/// impl Supervised for Frog {}
///
/// // No arbiter runs on this thread.
/// let started = supervise::start(&Placement::Here, 16, RestartLimit::NEVER, |_| Frog, drop);
/// assert_eq!(started, Err(StartError::NoLocalSet));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StartError {
    /// Local: [`Placement::Here`] was asked for on a thread that runs no arbiter.
    ///
    /// Inside a tokio runtime without a [`LocalSet`](tokio::task::LocalSet) this is found out by a
    /// panic of tokio's, caught here; the panic hook still prints it.
    #[error(
        "no local task set on this thread: start inside an actix arbiter or a tokio `LocalSet`, \
         or name a running arbiter with `Placement::Arbiter`"
    )]
    NoLocalSet,
    /// Local: the arbiter of the [`Placement`] has ended.
    #[error("the arbiter has ended: name one that is running with `Placement::Arbiter`")]
    ArbiterGone,
}

/// Starts an actor inside the panic boundary and gives its address, which can be used at once.
///
/// `make` is called on the actor's arbiter, on a later turn. `mailbox` is the capacity of the
/// mailbox in messages; 0, which actix takes for no bound, is read as 1. `policy` is a
/// [`RestartLimit`], perhaps [with a backoff](RestartLimit::with_backoff). `observe` is told each
/// [`Event`] on the actor's arbiter, between the actor's turns; it must not block.
///
/// # Ordering
///
/// What is sent to the address before the actor is made waits in its mailbox, in order.
///
/// # Errors
///
/// [`StartError`]: there is no arbiter to start it on. Should the arbiter end just after, the
/// answer is `Ok`, the address reads as closed and the observer hears [`Event::Stopped`].
///
/// # Examples
///
/// ```
/// # use actix::{Actor, ActorContext, Context, Handler, Message, Supervised};
/// use std::time::Duration;
/// use actix_multiplex::supervise::{self, Placement, RestartLimit};
///
/// #[derive(Message)]
/// #[rtype(result = "u32")]
/// struct Add(u32);
///
/// struct Counter(u32);
/// impl Actor for Counter {
///     type Context = Context<Self>;
/// }
/// impl Supervised for Counter {
///     fn restarting(&mut self, _: &mut Context<Self>) {
///         self.0 = 0;
///     }
/// }
/// impl Handler<Add> for Counter {
///     type Result = u32;
///     fn handle(&mut self, Add(n): Add, _: &mut Context<Self>) -> u32 {
///         self.0 = self.0.checked_add(n).expect("the sum fits");
///         self.0
///     }
/// }
///
/// actix_rt::System::new().block_on(async {
///     let limit = RestartLimit { restarts: 3, within: Duration::from_secs(60) };
///     let observe = |event| eprintln!("counter: {event:?}");
///     let counter =
///         supervise::start(&Placement::Here, 16, limit, |_| Counter(7), observe).unwrap();
///     assert!(counter.send(Add(u32::MAX)).await.is_err());
///     assert_eq!(counter.send(Add(1)).await, Ok(1));
/// });
/// ```
pub fn start<A, F, O>(
    place: &Placement,
    mailbox: usize,
    policy: impl Into<Policy>,
    make: F,
    observe: O,
) -> Result<Addr<A>, StartError>
where
    A: Actor<Context = Context<A>> + Supervised,
    F: FnOnce(&mut Context<A>) -> A + Send + 'static,
    O: FnMut(Event) + Send + 'static,
{
    place.check()?;
    let (sender, receiver) = channel::channel(mailbox.clamp(1, MAILBOX_MESSAGES_MAX));
    let seed = Seed::new(receiver, make, policy.into(), observe);
    match place {
        Placement::Here => drop(spawn_local(seed.run())),
        Placement::Arbiter(arbiter) => {
            arbiter.spawn_fn(|| drop(spawn_local(seed.run())));
        }
    }
    Ok(Addr::new(sender))
}

/// As [`start`], on this thread and once `ready` resolves: `make` is handed what it resolves to.
/// `None`: the actor is never made, and it has stopped. Until then its mailbox keeps what is sent.
pub(crate) fn start_when<A, T, R, F, O>(
    ready: R,
    mailbox: usize,
    limit: RestartLimit,
    make: F,
    observe: O,
) -> Result<Addr<A>, StartError>
where
    A: Actor<Context = Context<A>> + Supervised,
    R: Future<Output = Option<T>> + 'static,
    F: FnOnce(T, &mut Context<A>) -> A + 'static,
    O: FnMut(Event) + 'static,
    T: 'static,
{
    Placement::Here.check()?;
    let (sender, receiver) = channel::channel(mailbox.clamp(1, MAILBOX_MESSAGES_MAX));
    let seed = Seed::new(receiver, make, limit.into(), observe);
    drop(spawn_local(async move {
        if let Some(given) = ready.await {
            seed.given(given).run().await;
        }
    }));
    Ok(Addr::new(sender))
}

/// Whether a local task can be spawned on this thread.
///
/// Tokio cannot be asked, so a task that does nothing is spawned: outside a `LocalSet` that panics.
/// The common mistake, no runtime at all, is found out first and quietly. `Arbiter::try_current`
/// is no answer: it knows nothing of a plain `LocalSet`, and is still set when its arbiter is over.
fn local_set_is_here() -> bool {
    runtime::Handle::try_current().is_ok() && guard(|| drop(spawn_local(async {}))).is_ok()
}

/// Actix panics at a quarter of the address space; nobody means more than an eighth.
const MAILBOX_MESSAGES_MAX: usize = usize::MAX / 8;
