//! A thousand clients in one process, whose hub goes away for a while.
//!
//! Each is a leaf of kermit and says a word before, while and after the hub is away. The parent
//! leads: the child says `joined`, is told `go`, says `receipted`; is told `dark` when the hub is
//! gone, says `said`; when all are back it says how often they called, is told `enough`, says
//! `receipted` once more, and when the night has fallen `heard` with a digest of what all heard.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Client, Handle, Heard, Leaf, Resync, Shout,
    transport::{Connector, Duplex, Opening, connector},
};
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use crate::{
    child::{listen, say},
    pond::{Croak, Frog, KERMIT, Night},
};

/// Arguments: the hub, and how many clients.
pub(crate) fn main(arguments: &[String]) {
    let [hub, clients] = arguments else {
        panic!("a crowd takes two arguments, not {arguments:?}");
    };
    let clients = clients.parse().expect("a number of clients");
    System::new().block_on(live(hub, clients));
}

async fn live(hub: &str, clients: usize) {
    let mut told = listen();
    let calls = Calls::default();
    let (night, mut nights) = mpsc::unbounded_channel();
    let mut frogs = Vec::new();
    for number in 0..clients {
        frogs.push(join(hub, number, &calls, night.clone()).await);
    }
    say("joined");
    assert_eq!(told.recv().await.as_deref(), Some("go"));
    all_say(&frogs, 1).settle().await;
    say("receipted");

    assert_eq!(told.recv().await.as_deref(), Some("dark"));
    calls.lock().clear();
    let under_way = all_say(&frogs, 2);
    say("said");
    under_way.settle().await;
    let Called { most, at_once, last } = calls.called(clients);
    say(&format!("back {most} {at_once} {}", last.as_millis()));

    assert_eq!(told.recv().await.as_deref(), Some("enough"));
    all_say(&frogs, 3).settle().await;
    say("receipted");
    let mut digests = Vec::new();
    for _ in &frogs {
        digests.push(nights.recv().await.expect("the leaves live"));
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "all have heard the same");
    say(&format!("heard {:x}", digests[0]));
}

async fn join(
    hub: &str,
    number: usize,
    calls: &Calls,
    night: mpsc::UnboundedSender<u64>,
) -> (Client, Handle<Digest>) {
    let hub = connector(hub).expect("an address");
    let line = Line { hub, number, calls: calls.clone() };
    let client = Client::builder().connect(line).await.expect("the hub is there");
    client.implement(move |_| Digest {
        heard: 0,
        words: DefaultHasher::new(),
        night: night.clone(),
    });
    let frog = client.open::<Digest>(KERMIT, ()).await.expect("kermit is there, or made");
    (client, frog)
}

/// Every client says its word of this number.
fn all_say(frogs: &[(Client, Handle<Digest>)], n: u64) -> UnderWay {
    let mut words = JoinSet::new();
    for (number, (_, frog)) in frogs.iter().enumerate() {
        let (frog, who) = (frog.clone(), number.to_string());
        words.spawn_local(async move {
            let said = frog.send(Shout(Croak { who, n })).await;
            said.map(drop).map_err(|error| error.to_string())
        });
    }
    UnderWay(words)
}

/// Words that have no receipt yet.
struct UnderWay(JoinSet<Result<(), String>>);

impl UnderWay {
    async fn settle(mut self) {
        while let Some(receipted) = self.0.join_next().await {
            receipted.expect("nobody panicked").expect("a shout is receipted");
        }
    }
}

/// A leaf that keeps a digest of what it hears.
struct Digest {
    heard: u64,
    words: DefaultHasher,
    night: mpsc::UnboundedSender<u64>,
}

impl Digest {
    fn hear(&mut self, seq: u64, word: impl Hash) {
        self.heard += 1;
        assert_eq!(seq, self.heard, "each shout once, in order");
        word.hash(&mut self.words);
    }
}

impl Actor for Digest {
    type Context = Context<Self>;
}

impl Supervised for Digest {}

impl Leaf for Digest {
    type Interface = Frog;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        // Who joins when others have shouted begins there.
        assert_eq!(self.heard, 0, "nothing is missed: {resync:?}");
    }
}

impl Handler<Heard<Croak>> for Digest {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        self.hear(croak.seq().0, (&croak.who, croak.n));
    }
}

impl Handler<Heard<Night>> for Digest {
    type Result = ();

    fn handle(&mut self, night: Heard<Night>, _: &mut Self::Context) {
        self.hear(night.seq().0, "night");
        let _nobody_waits = self.night.send(self.words.finish());
    }
}

/// When which client called the hub, in the order of time.
#[derive(Clone, Debug, Default)]
struct Calls(Arc<Mutex<Vec<(usize, Instant)>>>);

/// How often a hub was called.
struct Called {
    /// By one client, at most.
    most: usize,
    /// Within any 100 ms, at most.
    at_once: usize,
    /// From the first call to the last.
    last: Duration,
}

impl Calls {
    fn called(&self, clients: usize) -> Called {
        let calls = self.lock();
        let mut of_each = vec![0; clients];
        let (mut recent, mut at_once) = (VecDeque::new(), 0);
        for (client, at) in calls.iter() {
            of_each[*client] += 1;
            recent.push_back(*at);
            while recent.front().is_some_and(|first| *at - *first >= Duration::from_millis(100)) {
                recent.pop_front();
            }
            at_once = at_once.max(recent.len());
        }
        let ends = calls.first().zip(calls.last());
        let last = ends.map_or(Duration::ZERO, |((_, first), (_, last))| *last - *first);
        Called { most: of_each.into_iter().max().unwrap_or(0), at_once, last }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's way to the hub, which counts its calls.
#[derive(Debug)]
struct Line {
    hub: Arc<dyn Connector>,
    number: usize,
    calls: Calls,
}

impl Connector for Line {
    fn connect(&self) -> Opening<'_, Duplex> {
        self.calls.lock().push((self.number, Instant::now()));
        self.hub.connect()
    }

    fn address(&self) -> String {
        self.hub.address()
    }
}
