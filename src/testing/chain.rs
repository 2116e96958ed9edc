//! Hubs in a chain on one thread, each with its network, its clients and a journal.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::{sleep, timeout};

use super::{
    book::Book,
    simulation::{Sim, on_one_thread},
    transcript::Transcript,
};
use crate::{
    hub::Hub,
    journal::Memory,
    link::{self, Link, LinkError},
};

/// Some hubs, and which of them are linked. See [`chain`].
pub struct Chain {
    hubs: Vec<Sim>,
    book: Book,
    links: Rc<RefCell<BTreeMap<usize, usize>>>,
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
        let chain = Chain { hubs: hubs.collect(), book: book.clone(), links: Rc::default() };
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

    /// Links one hub below another, over the line [`line`](Self::line) of the upper one's network.
    ///
    /// # Errors
    /// As [`link::up`].
    pub async fn link(&self, below: usize, above: usize) -> Result<Link, LinkError> {
        let connector = self.hubs[above].network().connector(&line(below));
        let link = link::up(&self.hubs[below].hub(), connector).await?;
        self.links.borrow_mut().insert(below, above);
        Ok(link)
    }

    /// The hub above, if there is one.
    pub fn above(&self, hub: usize) -> Option<usize> {
        self.links.borrow().get(&hub).copied()
    }

    /// Cuts a hub's link: it is made anew.
    pub fn cut(&self, below: usize) {
        if let Some(above) = self.above(below) {
            self.hubs[above].network().cut(&line(below));
        }
    }

    /// Lets nothing pass over a hub's link, in either direction, until it is mended.
    pub fn hold(&self, below: usize) {
        if let Some(above) = self.above(below) {
            self.hubs[above].network().hold(&line(below));
        }
    }

    /// Lets all pass again.
    pub fn mend(&self, below: usize) {
        if let Some(above) = self.above(below) {
            self.hubs[above].network().mend(&line(below));
        }
    }

    /// A hub's power is lost; another starts at once with its journal, and with its link.
    pub fn restart(&self, hub: usize) {
        self.hubs[hub].restart();
        let Some(above) = self.above(hub) else { return };
        let connector = self.hubs[above].network().connector(&line(hub));
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

/// What the line of a hub's link is called in the network of the hub above.
fn line(below: usize) -> String {
    format!("hub {below}")
}
