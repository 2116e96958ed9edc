//! Frogs at hubs in a chain.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Asked, Client, Handle, Heard, Leaf, Local, ObjectRef, Stateful, Voice, Volatile, elsewhere,
    interface,
    testing::{self, Chain},
};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

/// A frog says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Croak(pub(crate) u64);

/// A frog is shown another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Show(pub(crate) ObjectRef<Frog>);

/// A frog looks there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Look(pub(crate) u64);

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
        2 => Show,
        ask 3 => Weigh -> u32,
        volatile 4 => Look,
    }
}

/// What a client's frogs have heard and seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    croaks: Vec<(u64, u64)>,
    shown: Vec<Handle<Counting>>,
    missing: Vec<String>,
    looks: Vec<u64>,
}

impl Log {
    /// Each with its seq.
    pub(crate) fn heard(&self) -> Vec<(u64, u64)> {
        self.0.lock().unwrap().croaks.clone()
    }

    pub(crate) fn shown(&self) -> Vec<Handle<Counting>> {
        self.0.lock().unwrap().shown.clone()
    }

    pub(crate) fn missing(&self) -> Vec<String> {
        self.0.lock().unwrap().missing.clone()
    }

    pub(crate) fn looks(&self) -> Vec<u64> {
        self.0.lock().unwrap().looks.clone()
    }
}

/// A frog that knows all of itself.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    client: Option<Client>,
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
        self.log.0.lock().unwrap().croaks.push((croak.seq().0, croak.0));
    }
}

impl Handler<Heard<Show>> for Counting {
    type Result = ();

    fn handle(&mut self, show: Heard<Show>, _: &mut Self::Context) {
        let Some(client) = &self.client else { return };
        let mut seen = self.log.0.lock().unwrap();
        match client.bind::<Self>(&show.0).now() {
            Ok(leaf) => seen.shown.push(leaf),
            Err(why) => seen.missing.push(why.to_string()),
        }
    }
}

impl Handler<Volatile<Look>> for Counting {
    type Result = ();

    fn handle(&mut self, look: Volatile<Look>, _: &mut Self::Context) {
        self.log.0.lock().unwrap().looks.push(look.0);
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

/// A frog of which only the original knows the weight.
#[derive(Debug)]
pub(crate) struct Picture;

impl Actor for Picture {
    type Context = Context<Self>;
}

impl Supervised for Picture {}

impl Leaf for Picture {
    type Interface = Frog;
}

impl Stateful<u64> for Picture {
    fn restore(&mut self, _: u64, _: &mut Context<Self>) {}

    fn state(&self) -> Option<u64> {
        None
    }
}

impl Handler<Heard<Croak>> for Picture {
    type Result = ();

    fn handle(&mut self, _: Heard<Croak>, _: &mut Self::Context) {}
}

impl Handler<Heard<Show>> for Picture {
    type Result = ();

    fn handle(&mut self, _: Heard<Show>, _: &mut Self::Context) {}
}

impl Handler<Volatile<Look>> for Picture {
    type Result = ();

    fn handle(&mut self, _: Volatile<Look>, _: &mut Self::Context) {}
}

elsewhere!(Picture: Weigh);

/// A client whose frogs write into what comes with it, and weigh this much.
pub(crate) async fn client(chain: &Chain, hub: usize, name: &str, weight: u32) -> (Client, Log) {
    let client = chain.at(hub).witness(name).await.client().clone();
    let log = Log::default();
    let (book, me) = (log.clone(), client.clone());
    client.implement::<Counting>(move |_: Voice<Frog>| Counting {
        client: Some(me.clone()),
        count: 0,
        weight,
        log: book.clone(),
    });
    (client, log)
}

/// Kermit, as this client has it.
pub(crate) async fn kermit(client: &Client) -> Handle<Counting> {
    soon(client.open::<Counting>("kermit", 0)).await.expect("is there, or made")
}

/// A story with so many hubs, each linked below the one before.
pub(crate) fn chain(hubs: usize, story: impl AsyncFnOnce(&Chain)) {
    testing::chain(1, hubs, async |chain| {
        for hub in 1..hubs {
            soon(chain.link(hub, hub - 1)).await.expect("is granted");
        }
        story(chain).await;
    });
}

/// Waits, but not for ever.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(Duration::from_secs(40), future).await.expect("comes in time")
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

pub(crate) async fn seconds(count: u64) {
    sleep(Duration::from_secs(count)).await;
}
