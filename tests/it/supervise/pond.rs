//! A frog that records what is called in it, and panics where it is told to.

use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, Addr, Context, Handler, Message, Running, Supervised};
use actix_multiplex::supervise::{self, Event, Placement, Policy, StartError};
use tokio::task::LocalSet;

use self::Call::{Dropped, Heard, Made, Restarting, Started, Stopped, Stopping};

/// What is called in a frog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Made,
    Started,
    Heard(u32),
    Restarting,
    Stopping,
    Stopped,
    Dropped,
}

/// All that the test and the frog's lives share.
#[derive(Clone, Default)]
pub(super) struct Pond {
    pub(super) calls: Arc<Mutex<Vec<Call>>>,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
    /// Each makes one such call panic.
    pub(super) faults: Arc<Mutex<Vec<Call>>>,
    /// What `stopping` answers.
    pub(super) stays: bool,
    pub(super) observer_panics: bool,
}

impl Pond {
    pub(super) fn with_faults(faults: &[Call]) -> Self {
        Self { faults: Arc::new(Mutex::new(faults.to_vec())), ..Self::default() }
    }

    pub(super) fn called(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
        let mut faults = self.faults.lock().unwrap();
        if let Some(at) = faults.iter().position(|&fault| fault == call) {
            faults.remove(at);
            drop(faults);
            panic!("{call:?}");
        }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().clone()
    }

    pub(super) fn start(
        &self,
        place: &Placement,
        policy: impl Into<Policy>,
    ) -> Result<Addr<Frog>, StartError> {
        let (own, seen) = (self.clone(), self.clone());
        let make = |_: &mut Context<Frog>| {
            own.called(Made);
            Frog(own)
        };
        supervise::start(place, 16, policy, make, move |event| {
            seen.events.lock().unwrap().push(event);
            assert!(!seen.observer_panics, "the observer panics too");
        })
    }

    pub(super) fn start_here(&self, policy: impl Into<Policy>) -> Addr<Frog> {
        self.start(&Placement::Here, policy).unwrap()
    }
}

pub(super) struct Frog(pub(super) Pond);

impl Actor for Frog {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.0.called(Started);
    }

    fn stopping(&mut self, _: &mut Context<Self>) -> Running {
        self.0.called(Stopping);
        if self.0.stays { Running::Continue } else { Running::Stop }
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.0.called(Stopped);
    }
}

impl Supervised for Frog {
    fn restarting(&mut self, _: &mut Context<Self>) {
        self.0.called(Restarting);
    }
}

impl Drop for Frog {
    fn drop(&mut self) {
        self.0.called(Dropped);
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Croak(pub(super) u32);

impl Handler<Croak> for Frog {
    type Result = ();

    fn handle(&mut self, Croak(n): Croak, _: &mut Context<Self>) {
        self.0.called(Heard(n));
    }
}

pub(super) type Job = dyn FnOnce(&mut Context<Frog>) + Send;

/// Does something with the context, in a handler.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Do(Box<Job>);

pub(super) fn run(job: impl FnOnce(&mut Context<Frog>) + Send + 'static) -> Do {
    Do(Box::new(job))
}

impl Handler<Do> for Frog {
    type Result = ();

    fn handle(&mut self, Do(job): Do, ctx: &mut Context<Self>) {
        job(ctx);
    }
}

/// Runs a test under paused time, on one thread, without an actix system.
pub(super) fn paused<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, test)
}

/// Returns when every task is idle.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

pub(super) fn panicked(reason: impl Debug) -> Event {
    Event::Panicked { reason: format!("{reason:?}") }
}

pub(super) fn gave_up(reason: impl Debug) -> Event {
    Event::GaveUp { reason: format!("{reason:?}") }
}

pub(super) const fn restarted(restarts: u32) -> Event {
    Event::Restarted { restarts }
}
