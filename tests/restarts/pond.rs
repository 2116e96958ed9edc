//! Frogs that remember how often they croaked, hubs that keep them, and clients at those.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::{Actor, Context, Handler, Message, Supervised};
use actix_multiplex::{
    Client, ConnectionEvent, Handle, Heard, Hub, HubBuilder, Leaf, Local, Stateful, Volatile,
    interface,
    journal::Journal,
    testing::{self, Sim},
};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

/// A frog says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Croak(pub(crate) u64);

/// A frog looks there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Look(pub(crate) u64);

/// How many croaks has this frog heard, those in its state too?
#[derive(Clone, Debug, Message)]
#[rtype(result = "u64")]
pub(crate) struct Count;

interface! {
    /// A frog whose croaks are counted.
    pub(crate) Frog = "pond.frog" v1 {
        state u64;
        presence;
        1 => Croak,
        volatile 2 => Look,
    }
}

/// What a frog has heard.
pub(crate) type Log = Arc<Mutex<Vec<(u64, u64)>>>;

/// One frog.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    count: u64,
    log: Log,
}

impl Actor for Counting {
    type Context = Context<Self>;
}

impl Supervised for Counting {}

impl Leaf for Counting {
    type Interface = Frog;
}

impl Stateful<u64> for Counting {
    fn restore(&mut self, state: u64, _: &mut Context<Self>) {
        self.count = state;
    }

    fn state(&self) -> Option<u64> {
        Some(self.count)
    }
}

impl Handler<Heard<Croak>> for Counting {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        self.count += 1;
        self.log.lock().unwrap().push((croak.seq().0, croak.0));
    }
}

impl Handler<Volatile<Look>> for Counting {
    type Result = ();

    fn handle(&mut self, _: Volatile<Look>, _: &mut Self::Context) {}
}

impl Handler<Local<Count>> for Counting {
    type Result = u64;

    fn handle(&mut self, _: Local<Count>, _: &mut Self::Context) -> u64 {
        self.count
    }
}

/// A hub that keeps what it is told in this journal, in 5 ms each time.
pub(crate) fn keeping(journal: impl Journal + Clone) -> impl Fn() -> HubBuilder {
    move || Hub::builder().journal(journal.clone()).commits_after(|| Duration::from_millis(5))
}

/// Runs a story with hubs that go on with this journal.
pub(crate) fn story(journal: impl Journal + Clone, story: impl AsyncFnOnce(&Sim)) {
    testing::run_with(1, keeping(journal), story);
}

/// A client whose frogs write into what comes with it.
pub(crate) async fn client(sim: &Sim, name: &str) -> (Client, Log) {
    let client = sim.witness(name).await.client().clone();
    let log = Log::default();
    let book = log.clone();
    client.implement::<Counting>(move |_| Counting { count: 0, log: book.clone() });
    (client, log)
}

/// Kermit, as this client has it.
pub(crate) async fn kermit(client: &Client) -> Handle<Counting> {
    soon(client.open::<Counting>("kermit", 0)).await.expect("is there, or made")
}

/// Waits, but not for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_mins(1), future).await.expect("comes within a minute")
}

/// Restarts the hub when all is kept, and tells how this client is back.
pub(crate) async fn restart(sim: &Sim, client: &Client) -> ConnectionEvent {
    seconds(1).await;
    let mut events = client.events();
    sim.restart();
    loop {
        match soon(events.next()).await.expect("the client goes on") {
            ConnectionEvent::Connected | ConnectionEvent::Waiting { .. } => {}
            event => return event,
        }
    }
}

pub(crate) async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}
