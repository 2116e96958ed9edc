//! Frogs at hubs in a chain.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{Asked, Client, Handle, Heard, Hub, Leaf, Local, Stateful, interface, link};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

/// A frog says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Croak(pub(crate) u64);

/// How heavy is it?
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "u32")]
pub(crate) struct Weigh;

/// How many croaks has it heard, those in its state too?
#[derive(Clone, Debug, Message)]
#[rtype(result = "u64")]
pub(crate) struct Count;

interface! {
    /// A frog that counts its croaks.
    pub(crate) Frog = "pond.frog" v1 {
        state u64;
        presence;
        handover;
        1 => Croak,
        ask 2 => Weigh -> u32,
    }
}

/// What a client's frogs have heard: seq, croak.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<(u64, u64)>>>);

impl Log {
    pub(crate) fn heard(&self) -> Vec<(u64, u64)> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn croaks(&self) -> Vec<u64> {
        self.heard().into_iter().map(|(_, croak)| croak).collect()
    }
}

/// One frog.
#[derive(Debug)]
pub(crate) struct Counting {
    count: u64,
    weight: u32,
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
        self.log.0.lock().unwrap().push((croak.seq().0, croak.0));
    }
}

impl Handler<Asked<Weigh>> for Counting {
    type Result = u32;

    fn handle(&mut self, _: Asked<Weigh>, _: &mut Self::Context) -> u32 {
        self.weight
    }
}

impl Handler<Local<Count>> for Counting {
    type Result = u64;

    fn handle(&mut self, _: Local<Count>, _: &mut Self::Context) -> u64 {
        self.count
    }
}

/// A client at a hub whose frogs write into what comes with it.
pub(crate) async fn client(hub: &Hub) -> (Client, Log) {
    let client = soon(Client::connect(hub.local())).await.expect("is let in");
    let log = Log::default();
    let book = log.clone();
    client.implement::<Counting>(move |_| Counting { count: 0, weight: 7, log: book.clone() });
    (client, log)
}

/// Kermit, as this client has it.
pub(crate) async fn kermit(client: &Client) -> Handle<Counting> {
    soon(client.open::<Counting>("kermit", 0)).await.expect("is there, or made")
}

/// So many hubs, each below the one before.
pub(crate) async fn chain(count: usize) -> Vec<Hub> {
    let mut hubs: Vec<Hub> = Vec::new();
    for _ in 0..count {
        let hub = Hub::builder().start().expect("starts");
        if let Some(above) = hubs.last() {
            soon(link::up(&hub, above.local())).await.expect("is granted");
        }
        hubs.push(hub);
    }
    hubs
}

/// Waits, but not for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(20), future).await.expect("comes in time")
}

/// Waits until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    soon(async {
        while !is_so() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
