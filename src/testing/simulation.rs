//! A hub with its clients on one thread, under one seed and a clock that waits for nobody.

use std::{fmt, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use tokio::{runtime, task::LocalSet, time::sleep};

use super::{book::Book, network::Network, transcript::Transcript, witness::Witness};
use crate::{
    hub::{Builder, Clock, Hub},
    leaf::{Client, ConnectError},
};

/// A hub, its network, and what its witnesses have written down. See [`run`].
pub struct Sim {
    seed: u64,
    random: std::cell::RefCell<StdRng>,
    hub: Hub,
    network: Network,
    book: Book,
}

/// Runs `story` with a hub of its own. The clock is tokio's, paused: whenever every task waits, it
/// goes on to the next timer at once. The same seed gives the same run.
///
/// # Panics
/// As `story` does; the seed is printed then.
pub fn run<T>(seed: u64, story: impl AsyncFnOnce(&Sim) -> T) -> T {
    run_with(seed, Hub::builder(), story)
}

/// As [`run`], with a hub of other settings.
///
/// # Panics
/// As `story` does; the seed is printed then.
pub fn run_with<T>(seed: u64, hub: Builder, story: impl AsyncFnOnce(&Sim) -> T) -> T {
    let _seed = PrintWhenPanicking(seed);
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime with a timer alone needs nothing of the system");
    LocalSet::new().block_on(&runtime, async {
        let sim = Sim::new(seed, hub);
        story(&sim).await
    })
}

impl Sim {
    fn new(seed: u64, hub: Builder) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let hub = hub.seed(seed).clock(Clock::starting_at(EPOCH_MS)).start();
        Self {
            seed,
            hub: hub.expect("`run` has made a place for it"),
            network: Network::new(&mut random),
            random: random.into(),
            book: Book::default(),
        }
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
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
        let connector = self.network.connector(name, self.hub.local());
        let seed = rand::Rng::next_u64(&mut *self.random.borrow_mut());
        let client = Client::builder().agent(name).seed(seed).connect(connector);
        let (name, book) = (name.to_owned(), self.book.clone());
        async move { Ok(Witness::new(&name, client.await?, book)) }
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
