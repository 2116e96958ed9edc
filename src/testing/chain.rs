//! Hubs in a chain on one thread, each with its network, its clients and a journal.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{sleep, timeout};

use super::{
    book::Book,
    network::Network,
    simulation::{Sim, on_one_thread},
    transcript::Transcript,
};
use crate::{
    hub::Hub,
    journal::Memory,
    link::{self, Link, LinkError, Standing},
    transport::Connector,
};

/// Some hubs, and which of them are linked. See [`chain`].
pub struct Chain {
    hubs: Vec<Sim>,
    book: Book,
    links: Rc<RefCell<BTreeMap<usize, usize>>>,
    standings: Rc<RefCell<BTreeMap<usize, Link>>>,
}

/// Runs `story` with so many hubs, none of which is linked, as [`run`](super::run) does with one. Each
/// has a journal in memory, which it goes on with when it is [restarted](Chain::restart).
///
/// # Panics
/// As `story` does; the seed is printed then.
pub fn chain<T>(seed: u64, count: usize, story: impl AsyncFnOnce(&Chain) -> T) -> T {
    on_one_thread(seed, async {
        let mut random = StdRng::seed_from_u64(seed);
        let book = Book::default();
        let hubs = (0..count).map(|_| {
            let (journal, seed) = (Memory::default(), random.random());
            let make = move || {
                let hub = Hub::builder().journal(journal.clone());
                hub.commits_after(|| Duration::from_millis(2))
            };
            Sim::with(seed, Box::new(make), book.clone())
        });
        let chain = Chain {
            hubs: hubs.collect(),
            book: book.clone(),
            links: Rc::default(),
            standings: Rc::default(),
        };
        story(&chain).await
    })
}

impl Chain {
    /// How many hubs there are.
    pub fn hubs(&self) -> usize {
        self.hubs.len()
    }

    /// A hub, with its network.
    pub fn at(&self, hub: usize) -> &Sim {
        &self.hubs[hub]
    }

    /// Links one hub below another, over the line `hub N` of the upper one's network.
    ///
    /// # Errors
    /// As [`link::up`].
    pub async fn link(&self, below: usize, above: usize) -> Result<(), LinkError> {
        self.start_link(below, above).await
    }

    /// As [`link`](Self::link), for a task of its own.
    ///
    /// # Errors
    /// As there.
    pub fn start_link(
        &self,
        below: usize,
        above: usize,
    ) -> impl Future<Output = Result<(), LinkError>> + use<> {
        let connector = self.hubs[above].network().connector(&line_of(below));
        let (hub, links, standings) =
            (self.hubs[below].hub(), self.links.clone(), self.standings.clone());
        async move {
            if links.borrow().contains_key(&below) {
                return Err(LinkError::Linked);
            }
            links.borrow_mut().insert(below, above);
            let linked = link::up(&hub, connector).await;
            match linked {
                Ok(link) => drop(standings.borrow_mut().insert(below, link)),
                Err(error) => {
                    links.borrow_mut().remove(&below);
                    return Err(error);
                }
            }
            Ok(())
        }
    }

    /// The links that are granted: which hub each hub is below.
    pub fn granted(&self) -> BTreeMap<usize, usize> {
        let standings = self.standings.borrow();
        let is_granted = |hub: &usize| {
            let standing = standings.get(hub).map(Link::standing);
            matches!(standing, Some(Standing::Flows | Standing::Cut))
        };
        let links = self.links.borrow();
        links.iter().filter(|(below, _)| is_granted(below)).map(|(a, b)| (*a, *b)).collect()
    }

    /// The hub above, if there is one.
    pub fn above(&self, hub: usize) -> Option<usize> {
        self.links.borrow().get(&hub).copied()
    }

    /// Cuts a hub's link: it is made anew.
    pub fn cut(&self, below: usize) {
        if let Some(above) = self.above(below) {
            self.hubs[above].network().cut(&line_of(below));
        }
    }

    /// Lets nothing pass over a hub's link, in either direction, until it is mended.
    pub fn hold(&self, below: usize) {
        if let Some(above) = self.above(below) {
            self.hubs[above].network().hold(&line_of(below));
        }
    }

    /// Lets all pass again.
    pub fn mend(&self, below: usize) {
        if let Some(above) = self.above(below) {
            self.hubs[above].network().mend(&line_of(below));
        }
    }

    /// A hub's power is lost; another starts at once with its journal, and with its link.
    pub fn restart(&self, hub: usize) {
        self.hubs[hub].restart();
        let Some(above) = self.above(hub) else { return };
        let connector = self.hubs[above].network().connector(&line_of(hub));
        let hub = self.hubs[hub].hub();
        tokio::task::spawn_local(async move {
            if let Err(error) = link::up(&hub, connector).await {
                tracing::debug!(%error, "a restarted hub is not linked");
            }
        });
    }

    /// Waits until nothing is under way any more, but what is held.
    pub async fn settle(&self) {
        let all_quiet = || self.hubs.iter().all(|hub| hub.network().is_quiet());
        let mut quiet = 0;
        while quiet < 3 {
            sleep(Duration::from_millis(3)).await;
            quiet = if all_quiet() { quiet + 1 } else { 0 };
        }
    }

    /// Waits until something is so; `false`: it is not within this time.
    pub async fn within(&self, time: Duration, is_so: impl Fn() -> bool) -> bool {
        let waiting = async {
            while !is_so() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(time, waiting).await.is_ok()
    }

    /// Of whom a home has forgotten what he had shouted, if it has of anybody.
    pub fn forgotten(&self) -> Option<String> {
        self.book.forgotten()
    }

    /// What the witnesses at all hubs have said and heard so far.
    pub fn transcript(&self) -> Transcript {
        self.book.transcript()
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("hubs", &self.hubs).finish_non_exhaustive()
    }
}

/// A line to a hub, called `line`, and the network that it is in.
pub fn line(hub: &Hub) -> (Network, impl Connector + use<>) {
    let network = Network::new(&mut StdRng::seed_from_u64(1), hub.local());
    let connector = network.connector("line");
    (network, connector)
}

/// What the line of a hub's link is called in the network of the hub above.
fn line_of(below: usize) -> String {
    format!("hub {below}")
}
