//! Settings for a hub, and its start.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{SeedableRng, rngs::StdRng};
use tokio::sync::{OnceCell, mpsc, watch};

use super::{
    Admission, AdmissionBox, Alive, Authority, Clock, Env, Hub, SlowLeaves,
    admission::everybody,
    authority::Authorities,
    directory::{Directory, Restore},
    past::{Committing, Past},
    slow_leaves::Policy,
    upward::Upward,
};
use crate::{
    journal::{Journal, JournalError},
    limits::{GRACE, GRACE_MAX, LINK_GRACE, REPEATER_RESTARTS, REPEATER_RESTARTS_WITHIN},
    object::{HubId, InterfaceId, Name},
    supervise::{self, Placement, RestartLimit},
    transport::memory,
};

/// Settings for a hub.
///
/// ```
/// # actix::System::new().block_on(async {
/// use actix_multiplex::Hub;
/// let hub = Hub::builder().arbiters(2).start()?;
/// hub.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it starts a hub"]
pub struct Builder {
    arbiters: usize,
    admission: Option<AdmissionBox>,
    clock: Option<Clock>,
    grace: Option<Duration>,
    link_grace: Option<Duration>,
    slow_leaves: Policy,
    authorities: Authorities,
    seed: Option<u64>,
    journal: Option<JournalBox>,
    committing: Committing,
}

/// A journal that can be printed.
struct JournalBox(Box<dyn Journal>);

impl std::fmt::Debug for JournalBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal")
    }
}

/// A hub that could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It was to run on arbiters, which only an actix `System` has.
    #[error("a hub with arbiters needs an actix System: start it within `System::new().block_on`")]
    NoSystem,
    /// Nothing runs actors here.
    #[error(transparent)]
    Place(#[from] supervise::StartError),
    /// The operating system gave no randomness for ids and keys.
    #[error("no randomness from the operating system: {0}")]
    NoRandomness(rand::rngs::SysError),
    /// What its journal holds cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Builder {
    /// Spreads sessions and objects over this many threads of their own. The default of 0 keeps
    /// them on the thread that starts the hub, which one core's worth of traffic needs no more of.
    pub fn arbiters(mut self, count: usize) -> Self {
        self.arbiters = count;
        self
    }

    /// Decides who may do what. The default admits everybody to everything.
    pub fn admission(mut self, admission: impl Admission) -> Self {
        self.admission = Some(AdmissionBox(Box::new(admission)));
        self
    }

    /// The time that leaves are told. The default is the operating system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How long a session outlives its connection: within that time its client comes back over
    /// another one and loses nothing. The default is 10 s; with 0 a session ends with its
    /// connection. More than an hour is an hour.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace.min(GRACE_MAX));
        self
    }

    /// How long a hub below may be away, with all that are below it: within that time it comes back
    /// and nothing is lost. The default is 24 h.
    pub fn link_grace(mut self, grace: Duration) -> Self {
        self.link_grace = Some(grace);
        self
    }

    /// What becomes of leaves that are too slow, of an object of this interface that is made with this
    /// name or none. The default is [`SlowLeaves::Resync`] for all of them.
    pub fn slow_leaves(
        mut self,
        policy: impl Fn(&InterfaceId, Option<&Name>) -> SlowLeaves + Send + Sync + 'static,
    ) -> Self {
        self.slow_leaves = Policy::new(policy);
        self
    }

    /// Who judges what is shouted at an object of this interface that is made with this name or none,
    /// if anybody does. It is asked when an object is about to be made at this hub, perhaps in vain;
    /// what it gives stays for as long as the object does, whatever it is called later. If it panics,
    /// the object is refused. The default gives none to anybody.
    pub fn authority(
        mut self,
        choose: impl Fn(&InterfaceId, Option<&Name>) -> Option<Box<dyn Authority>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.authorities = Authorities::new(choose);
        self
    }

    /// Ids and keys out of `seed`, the same in every run: for tests only. The default takes them
    /// from the operating system.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Keeps everything in this journal, and goes on with what it holds: the same hub, its objects,
    /// and its sessions, which have their grace time from the moment when the hub listens. Nothing
    /// leaves the hub that is not committed. The default keeps nothing beyond the hub's own life.
    ///
    /// When the journal fails the hub stops: see [`Hub::failed`].
    pub fn journal(mut self, journal: impl Journal) -> Self {
        self.journal = Some(JournalBox(Box::new(journal)));
        self
    }

    /// Commits on the thread that starts the hub, each time after as long as `delay` says by tokio's
    /// clock. Only a hub under a paused clock needs that, which waits for no other thread.
    #[cfg(feature = "testing")]
    pub fn commits_after(mut self, delay: impl FnMut() -> Duration + 'static) -> Self {
        self.committing = Committing::Here(Box::new(delay));
        self
    }

    /// Starts the hub on this arbiter. It listens nowhere yet. With a journal this blocks until that
    /// has been read.
    ///
    /// # Errors
    /// [`StartError`] when there is no arbiter here, or the journal cannot be gone on with.
    pub fn start(self) -> Result<Hub, StartError> {
        let mut random = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => {
                StdRng::try_from_rng(&mut rand::rngs::SysRng).map_err(StartError::NoRandomness)?
            }
        };
        let arbiters = arbiters(self.arbiters)?;
        let places = places(&arbiters);
        let clock = self.clock.unwrap_or_else(Clock::system);
        let fresh = HubId::random(&mut random);
        let (past, keeper) = match self.journal {
            Some(JournalBox(journal)) => {
                let (past, keeper) = Past::read(journal, self.committing)?;
                keeper.begin(fresh, &past);
                (past, Some(keeper))
            }
            None => (Past::default(), None),
        };
        let id = past.hub.unwrap_or(fresh);
        let upward = Arc::new(Upward::new(id, past.above.clone(), keeper.clone()));
        let directory = {
            let (random, places) = (StdRng::from_rng(&mut random), places.clone());
            let (keeper, upward) = (keeper.clone(), upward.clone());
            let limit =
                RestartLimit { restarts: REPEATER_RESTARTS, within: REPEATER_RESTARTS_WITHIN };
            let make = move |_: &mut _| Directory::new(random, clock, places, keeper, upward);
            supervise::start(&Placement::Here, 1, limit, make, |event| {
                tracing::debug!(?event, "the directory");
            })?
        };
        let (connection, all) = mpsc::channel(1);
        let env = Arc::new(Env {
            id,
            directory,
            admission: self.admission.unwrap_or_else(|| AdmissionBox(Box::new(everybody))),
            places,
            grace: self.grace.unwrap_or(GRACE),
            link_grace: self.link_grace.unwrap_or(LINK_GRACE),
            slow_leaves: self.slow_leaves,
            authorities: self.authorities,
            keeper,
            upward,
            random: Mutex::new(random),
            listening: watch::Sender::new(false),
            stopping: watch::Sender::new(false),
            stopped: OnceCell::new(),
            alive: Mutex::new(Some(Alive { connection, all })),
        });
        env.directory.do_send(Restore { past, env: env.clone() });
        let (local, listener) = memory::channel("local");
        let hub = Hub { env, local, arbiters };
        hub.take_from(Box::new(listener));
        hub.watch_journal();
        Ok(hub)
    }
}

fn arbiters(count: usize) -> Result<Arc<[actix_rt::Arbiter]>, StartError> {
    if count > 0 && actix_rt::System::try_current().is_none() {
        return Err(StartError::NoSystem);
    }
    Ok((0..count).map(|_| actix_rt::Arbiter::new()).collect())
}

fn places(arbiters: &[actix_rt::Arbiter]) -> Arc<[Placement]> {
    if arbiters.is_empty() {
        return Arc::new([Placement::Here]);
    }
    arbiters.iter().map(|arbiter| Placement::Arbiter(arbiter.handle())).collect()
}
