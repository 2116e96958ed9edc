//! The hub: where every multiplexed object is an actor that holds its leaves' addresses.
//!
//! In come connections, from listeners and from this process; each gets a session. Sessions ask
//! the [`directory`] for objects and pass shouts on to their [`repeater`]s, which give them their
//! order and push them onto the connections' queues. It never imports `leaf`: the two meet in
//! `wire`.

mod admission;
mod asks;
mod authority;
mod builder;
mod by_session;
mod clock;
mod contact;
mod directory;
mod fanout;
#[cfg(feature = "testing")]
pub(crate) mod faults;
mod grades;
mod grants;
mod history;
mod keeper;
mod keys;
mod life;
mod members;
mod past;
mod repeater;
mod roster;
#[cfg(feature = "testing")]
mod sabotage;
mod session;
mod slow_leaves;
mod tails;
#[cfg(test)]
mod tests;
mod turn;
mod upward;
mod volley;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix::Addr;
use rand::{Rng, rngs::StdRng};
use tokio::{
    sync::{OnceCell, mpsc, watch},
    time::timeout,
};

#[cfg(feature = "testing")]
pub use self::sabotage::{HeldUp, Trouble};
pub use self::{
    admission::{Admission, Deciding, Denied, Identity, Rights, Visit, Wish},
    authority::{Authority, Judged},
    builder::{Builder, StartError},
    clock::Clock,
    directory::RetryError,
    slow_leaves::SlowLeaves,
};
use self::{
    authority::Authorities,
    directory::{Directory, Everyone, Ready, Stop},
    keeper::Keeper,
    repeater::{Repeater, Settle},
    session::{Finish, Quiet, Session},
    slow_leaves::Policy,
};
pub(crate) use self::{
    directory::{Copied, EndedAbove, Unsought},
    repeater::{Told, Word},
    upward::{By, Upward, not_linked},
};
use crate::{
    connection::{self, Closed},
    limits::DRAIN_TIMEOUT,
    object::{HubId, SessionId},
    supervise::{self, Event, Placement, RestartLimit},
    transport::{Duplex, ListenError, Listener, listener, memory::MemoryConnector},
    wire::{CloseCode, Fault, Limits},
};

/// A running hub. Clones are the same hub; it runs until [`stop`](Self::stop), or until its
/// arbiter ends.
///
/// ```
/// # actix::System::new().block_on(async {
/// use actix_multiplex::{Client, Hub};
///
/// let hub = Hub::builder().start()?;
/// let address = hub.listen("tcp://127.0.0.1:0").await?;
/// let far = Client::connect(&address).await?;
/// let near = Client::connect(hub.local()).await?;
/// hub.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Hub {
    env: Arc<Env>,
    local: MemoryConnector,
    arbiters: Arc<[actix_rt::Arbiter]>,
}

/// What the actors of a hub share.
#[derive(Debug)]
pub(crate) struct Env {
    id: HubId,
    directory: Addr<Directory>,
    admission: AdmissionBox,
    places: Arc<[Placement]>,
    random: Mutex<StdRng>,
    /// How long a session outlives its connection.
    grace: Duration,
    /// How long what is below a link outlives that.
    link_grace: Duration,
    slow_leaves: Policy,
    authorities: Authorities,
    /// The way to the hub above, if there is one.
    upward: Arc<Upward>,
    /// What the hub keeps, if it has a journal.
    keeper: Option<Arc<Keeper>>,
    /// Whether anybody can connect: from then on sessions that were away at the start are awaited.
    listening: watch::Sender<bool>,
    stopping: watch::Sender<bool>,
    stopped: OnceCell<()>,
    /// None once the hub is stopping.
    alive: Mutex<Option<Alive>>,
}

/// Tells when the last connection is gone.
#[derive(Debug)]
struct Alive {
    /// Each connection holds a clone until its last byte is written. It carries nothing.
    connection: mpsc::Sender<Infallible>,
    all: mpsc::Receiver<Infallible>,
}

/// An admission that can be printed.
struct AdmissionBox(Box<dyn Admission>);

impl Hub {
    /// Settings for a hub; [`Builder::start`] starts it.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Takes connections at an address, as `tcp://127.0.0.1:8787`, until the hub stops. Returns
    /// the address, with the port that was found where 0 was asked for.
    ///
    /// # Errors
    /// [`ListenError`] when the address is none, or is taken.
    pub async fn listen(&self, address: &str) -> Result<String, ListenError> {
        let listener = listener(address).await?;
        let address = listener.address();
        // Who connects finds all that the hub goes on with.
        let _stopped = self.env.directory.send(Ready).await;
        self.serve(listener);
        Ok(address)
    }

    /// Takes connections from a listener of any kind until the hub stops.
    pub fn serve(&self, listener: Box<dyn Listener>) {
        self.env.listening.send_replace(true);
        self.take_from(listener);
    }

    fn take_from(&self, listener: Box<dyn Listener>) {
        let env = self.env.clone();
        let stopping = self.env.stopping.subscribe();
        let address = listener.address();
        let is_running = self.env.places[0].run(move || {
            tokio::task::spawn_local(accept(env, listener, stopping));
        });
        if !is_running {
            tracing::error!(address, "the hub's arbiter has ended: nobody listens");
        }
    }

    /// Connects clients in this process, without a socket.
    pub fn local(&self) -> MemoryConnector {
        self.env.listening.send_replace(true);
        self.local.clone()
    }

    /// The hub's id: new with every start, unless it goes on with a journal.
    pub fn id(&self) -> HubId {
        self.env.id
    }

    /// Stops: lets nobody in any more, handles what was read, sends what is queued, and says
    /// goodbye. After 5 s, what is not sent by then is given up. Whoever calls it again waits for
    /// the same end.
    pub async fn stop(&self) {
        self.env.stopped.get_or_init(|| self.stop_once()).await;
    }

    /// Resolves when the hub's journal has failed, with the reason. The hub stops then, and nothing
    /// leaves it any more: what has no receipt may be lost, and nothing else is. A hub without a
    /// journal never fails so.
    pub async fn failed(&self) -> String {
        if let Some(keeper) = &self.env.keeper
            && let Some(why) = keeper.failed().await
        {
            return why;
        }
        std::future::pending().await
    }

    pub(crate) fn env(&self) -> &Arc<Env> {
        &self.env
    }

    fn watch_journal(&self) {
        let Some(keeper) = self.env.keeper.clone() else { return };
        let hub = self.clone();
        tokio::task::spawn_local(async move {
            if let Some(why) = keeper.failed().await {
                tracing::error!(why, "the journal has failed: the hub stops");
                hub.stop().await;
            }
        });
    }

    async fn stop_once(&self) {
        self.env.stopping.send_replace(true);
        let alive = self.env.alive().take();
        let directory = timeout(DRAIN_TIMEOUT, self.env.directory.send(Stop)).await;
        let Everyone { sessions, repeaters } =
            directory.ok().and_then(Result::ok).unwrap_or_default();
        if timeout(DRAIN_TIMEOUT, drain(&sessions, &repeaters)).await.is_err() {
            tracing::warn!("the hub's objects did not come to rest within {DRAIN_TIMEOUT:?}");
        }
        let goodbye = Closed::local(CloseCode::ShuttingDown, Fault::Nobody, "the hub stops");
        for session in sessions {
            session.do_send(Finish(goodbye.clone()));
        }
        if timeout(DRAIN_TIMEOUT + GRACE, all_closed(alive)).await.is_err() {
            tracing::warn!("some clients did not take what was queued for them");
        }
        if let Some(keeper) = &self.env.keeper
            && timeout(DRAIN_TIMEOUT, keeper.close()).await.is_err()
        {
            tracing::warn!("the journal was not closed within {DRAIN_TIMEOUT:?}");
        }
        for arbiter in &*self.arbiters {
            arbiter.stop();
        }
    }
}

impl Env {
    /// A session for a connection. Sessions are spread over the arbiters by their ids, which are
    /// random.
    fn receive(self: &Arc<Self>, duplex: Duplex) {
        let Some(alive) = self.alive().as_ref().map(|alive| alive.connection.clone()) else {
            return;
        };
        let session = SessionId(self.random_bytes());
        let place = self.place_of(session);
        let env = self.clone();
        let gate = self.keeper.as_ref().map(|keeper| keeper.gate().clone());
        #[cfg(feature = "testing")]
        let gate = gate.filter(|_| !faults::Fault::GateOpen.is_armed());
        let make = move |_: &mut actix::Context<Session>| {
            let peer = duplex.peer.clone();
            let connection = connection::open(duplex, Limits::default(), gate);
            tokio::task::spawn_local(async move {
                connection.writer.await;
                drop(alive);
            });
            Session::new(env, session, peer, connection.reader, connection.queue)
        };
        let observe = move |event| {
            if let Event::GaveUp { reason } = event {
                tracing::error!(%session, reason, "a session panicked: its connection is closed");
            }
        };
        if let Err(error) = supervise::start(&place, 1, RestartLimit::NEVER, make, observe) {
            tracing::error!(%session, %error, "a connection found no arbiter");
        }
    }

    /// The hub's id.
    pub(crate) fn id(&self) -> HubId {
        self.id
    }

    /// The way to the hub above.
    pub(crate) fn upward(&self) -> &Arc<Upward> {
        &self.upward
    }

    /// Who knows every object.
    pub(crate) fn directory(&self) -> &Addr<Directory> {
        &self.directory
    }

    /// Whether the hub stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Whether the hub goes on when it is started again.
    pub(crate) fn has_journal(&self) -> bool {
        self.keeper.is_some()
    }

    /// Does something where the hub is. `false`: its arbiter has ended.
    pub(crate) fn run(&self, work: impl FnOnce() + Send + 'static) -> bool {
        self.places[0].run(work)
    }

    /// There is a connection to the hub above, which is told who is below it.
    pub(crate) async fn tell_below(&self, queue: Arc<connection::Queue>) {
        let _stopped = self.directory.send(directory::Below::Tell(queue)).await;
    }

    fn place_of(&self, session: SessionId) -> Placement {
        self.places[usize::from(session.0[0]) % self.places.len()].clone()
    }

    pub(crate) fn random_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    fn alive(&self) -> MutexGuard<'_, Option<Alive>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::ops::Deref for AdmissionBox {
    type Target = dyn Admission;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl std::fmt::Debug for AdmissionBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Admission")
    }
}

async fn accept(
    env: Arc<Env>,
    mut listener: Box<dyn Listener>,
    mut stopping: watch::Receiver<bool>,
) {
    let address = listener.address();
    loop {
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return,
            accepted = listener.accept() => match accepted {
                Ok(duplex) => env.receive(duplex),
                Err(error) => {
                    tracing::error!(address, %error, "the listener has ended");
                    return;
                }
            },
        }
    }
}

/// Handles everything that was read.
async fn drain(sessions: &[Addr<Session>], repeaters: &[Addr<Repeater>]) {
    for session in sessions {
        let _ended = session.send(Quiet).await;
    }
    for repeater in repeaters {
        let _failed = repeater.send(Settle).await;
    }
}

async fn all_closed(alive: Option<Alive>) {
    if let Some(Alive { connection, mut all }) = alive {
        drop(connection);
        all.recv().await;
    }
}

/// Room for the last words of connections that themselves had the whole drain time.
const GRACE: Duration = Duration::from_secs(1);
