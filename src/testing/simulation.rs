//! A hub with its clients on one thread, under one seed and a clock that waits for nobody.

use std::{cell::RefCell, fmt, time::Duration};

use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::{
    runtime,
    task::LocalSet,
    time::{Instant, sleep},
};

use super::{book::Book, network::Network, transcript::Transcript, witness::Witness};
use crate::{
    hub::{Builder, Clock, Hub},
    leaf::{Client, ConnectError},
};

/// A hub, its network, and what its witnesses have written down. See [`run`].
pub struct Sim {
    seed: u64,
    random: RefCell<StdRng>,
    make: Box<dyn Fn() -> Builder>,
    begun: Instant,
    hub: RefCell<Hub>,
    network: Network,
    book: Book,
}

/// Runs `story` with a hub of its own. The clock is tokio's, paused: whenever every task waits, it
/// goes on to the next timer at once. The same seed gives the same run.
///
/// # Panics
/// As `story` does; the seed is printed then.
pub fn run<T>(seed: u64, story: impl AsyncFnOnce(&Sim) -> T) -> T {
    run_with(seed, Hub::builder, story)
}

/// As [`run`], with hubs of other settings: one at the beginning, and one with each
/// [`restart`](Sim::restart).
///
/// # Panics
/// As `story` does; the seed is printed then.
pub fn run_with<T>(
    seed: u64,
    make: impl Fn() -> Builder + 'static,
    story: impl AsyncFnOnce(&Sim) -> T,
) -> T {
    on_one_thread(seed, async {
        let sim = Sim::with(seed, Box::new(make), Book::default());
        story(&sim).await
    })
}

/// Runs something of this seed under a paused clock.
pub(super) fn on_one_thread<T>(seed: u64, story: impl Future<Output = T>) -> T {
    let _seed = PrintWhenPanicking(seed);
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime with a timer alone needs nothing of the system");
    LocalSet::new().block_on(&runtime, story)
}

impl Sim {
    /// One of several that write into one book.
    pub(super) fn with(seed: u64, make: Box<dyn Fn() -> Builder>, book: Book) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let hub = make().seed(seed).clock(Clock::starting_at(EPOCH_MS)).start();
        let hub = hub.expect("`run` has made a place for it");
        Self {
            seed,
            network: Network::new(&mut random, hub.local()),
            hub: hub.into(),
            random: random.into(),
            make,
            begun: Instant::now(),
            book,
        }
    }

    /// The hub's power is lost, with all lines; another starts at once. It goes on with the journal
    /// that the one before had, if both are made with the same.
    ///
    /// # Panics
    /// When the hub cannot start.
    pub fn restart(&self) {
        self.hub().lose_power();
        let seed = self.random_u64();
        let now_ms = EPOCH_MS + self.begun.elapsed().as_millis() as u64;
        let hub = (self.make)().seed(seed).clock(Clock::starting_at(now_ms)).start();
        let hub = hub.expect("what it goes on with is whole");
        self.network.lead_to(hub.local());
        self.hub.replace(hub);
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The hub.
    pub fn hub(&self) -> Hub {
        self.hub.borrow().clone()
    }

    /// The network between the witnesses and the hub.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// A new client over the line of its name.
    ///
    /// # Panics
    /// When it cannot connect, because its line is held, say.
    pub async fn witness(&self, name: &str) -> Witness {
        self.connect(name).await.expect("the hub of a simulation lets everybody in")
    }

    /// As [`witness`](Self::witness), where the line may be bad.
    pub(super) fn connect(
        &self,
        name: &str,
    ) -> impl Future<Output = Result<Witness, ConnectError>> + use<> {
        let connector = self.network.connector(name);
        let seed = self.random_u64();
        let client = Client::builder().agent(name).seed(seed).connect(connector);
        let (name, book) = (name.to_owned(), self.book.clone());
        async move { Ok(Witness::new(&name, client.await?, book)) }
    }

    fn random_u64(&self) -> u64 {
        self.random.borrow_mut().next_u64()
    }

    /// Waits until nothing is under way any more, but what is held.
    pub async fn settle(&self) {
        // The clock goes on only when every task waits; a relay that delays says so.
        loop {
            sleep(Duration::from_millis(1)).await;
            if self.network.is_quiet() {
                return sleep(Duration::from_millis(1)).await;
            }
        }
    }

    /// Of whom a hub has forgotten what he had shouted.
    pub(super) fn forgotten(&self) -> Option<String> {
        self.book.forgotten()
    }

    /// What the witnesses have said and heard so far.
    pub fn transcript(&self) -> Transcript {
        self.book.transcript()
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("seed", &self.seed).finish_non_exhaustive()
    }
}

struct PrintWhenPanicking(u64);

impl Drop for PrintWhenPanicking {
    #[expect(clippy::print_stderr, reason = "a failing run is repeated by its seed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the seed of this run is {}: SEED={} repeats it", self.0, self.0);
        }
    }
}

/// What a simulated hub's clock says at the start: 2001-08-01, in milliseconds since 1970.
const EPOCH_MS: u64 = 996_624_000_000;
