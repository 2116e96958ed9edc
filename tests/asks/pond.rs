//! Frogs that can be weighed: the original, which knows, and pictures of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Asked, Client, Handle, Heard, Hub, HubBuilder as Builder, Leaf, OwnerChange, Seq, SessionId,
    Voice, elsewhere, interface, journal::Memory, testing::Sim,
};
use serde::{Deserialize, Serialize};

/// Eats; which makes it heavier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Eat(pub(crate) u32);

/// How heavy is it?
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "u32")]
pub(crate) struct Weigh;

/// What does it say, after so many milliseconds?
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "String")]
pub(crate) struct Think {
    pub(crate) ms: u64,
}

/// As many bytes as one likes.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "Vec<u8>")]
pub(crate) struct Fill {
    pub(crate) bytes: usize,
    pub(crate) with: Vec<u8>,
}

/// Panics.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "Result<u32, String>")]
pub(crate) struct Burst;

interface! {
    /// A frog that one man owns, and nobody after him.
    pub(crate) Frog = "pond.frog" v1 {
        state none;
        1 => Eat,
        ask 2 => Weigh -> u32,
        ask 3 => Think -> String,
        ask 4 => Fill -> Vec<u8>,
        ask 5 => Burst -> Result<u32, String>,
    }
}

interface! {
    /// A frog that is handed over.
    pub(crate) Newt = "pond.newt" v1 {
        state none;
        handover;
        1 => Eat,
        ask 2 => Weigh -> u32,
        ask 3 => Think -> String,
    }
}

/// What leaves of a client were asked and told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Logged>>);

#[derive(Debug, Default)]
struct Logged {
    asked: Vec<(&'static str, Option<SessionId>)>,
    changes: Vec<(Seq, Option<SessionId>, Option<SessionId>, bool)>,
}

impl Log {
    fn ask(&self, what: &'static str, asker: Option<SessionId>) {
        self.0.lock().unwrap().asked.push((what, asker));
    }

    /// What was asked, in order.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().asked.iter().map(|(what, _)| *what).collect()
    }

    /// Who asked last.
    pub(crate) fn asker(&self) -> Option<SessionId> {
        self.0.lock().unwrap().asked.last().expect("somebody has asked").1
    }

    /// Changes of owner that were heard: where, from whom, to whom, and whether that is this client.
    pub(crate) fn changes(&self) -> Vec<(Seq, Option<SessionId>, Option<SessionId>, bool)> {
        self.0.lock().unwrap().changes.clone()
    }
}

/// Classes of leaves with what they have in common.
macro_rules! class {
    ($(#[$meta:meta])* $class:ident: $interface:ident) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $class {
            pub(crate) log: Log,
            grams: u32,
            #[allow(dead_code, reason = "one of them alone asks by itself")]
            me: Voice<$interface>,
        }

        impl $class {
            /// Says how a client makes it.
            pub(crate) fn at(client: &Client) -> Log {
                let log = Log::default();
                let made = log.clone();
                client.implement::<Self>(move |me| Self { log: made.clone(), grams: 10, me });
                log
            }
        }

        impl Actor for $class {
            type Context = Context<Self>;
        }

        impl Supervised for $class {}

        impl Leaf for $class {
            type Interface = $interface;

            fn owner_changed(&mut self, change: &OwnerChange, _: &mut Context<Self>) {
                let (from, to) = (change.from(), change.to());
                let change = (change.seq(), from, to, change.is_me());
                self.log.0.lock().unwrap().changes.push(change);
            }
        }

        impl Handler<Heard<Eat>> for $class {
            type Result = ();

            fn handle(&mut self, eat: Heard<Eat>, _: &mut Context<Self>) {
                self.grams += eat.0;
            }
        }
    };
}

macro_rules! answers {
    ($class:ident) => {
        impl Handler<Asked<Weigh>> for $class {
            type Result = u32;

            fn handle(&mut self, weigh: Asked<Weigh>, _: &mut Context<Self>) -> u32 {
                self.log.ask("weigh", weigh.asker());
                self.grams
            }
        }

        impl Handler<Asked<Think>> for $class {
            type Result = ResponseActFuture<Self, String>;

            fn handle(&mut self, think: Asked<Think>, _: &mut Context<Self>) -> Self::Result {
                self.log.ask("think", think.asker());
                let nap = tokio::time::sleep(Duration::from_millis(think.ms));
                let said = |(), frog: &mut Self, _: &mut _| format!("hm, {} g", frog.grams);
                Box::pin(nap.into_actor(self).map(said))
            }
        }
    };
}

class! {
    /// Knows all of itself.
    Original: Frog
}
class! {
    /// Knows nothing of itself.
    Picture: Frog
}
class! {
    /// Knows all of itself, wherever it is.
    Salamander: Newt
}
class! {
    /// Can be weighed, and asked nothing else.
    Scales: Newt
}

answers!(Original);
answers!(Salamander);
elsewhere!(Picture: Weigh, Think, Fill, Burst);
elsewhere!(Scales: Think);

impl Handler<Asked<Weigh>> for Scales {
    type Result = u32;

    fn handle(&mut self, _: Asked<Weigh>, _: &mut Context<Self>) -> u32 {
        self.grams
    }
}

impl Handler<Asked<Fill>> for Original {
    type Result = Vec<u8>;

    fn handle(&mut self, fill: Asked<Fill>, _: &mut Context<Self>) -> Vec<u8> {
        vec![7; fill.bytes]
    }
}

impl Handler<Asked<Burst>> for Original {
    type Result = Result<u32, String>;

    fn handle(&mut self, burst: Asked<Burst>, _: &mut Context<Self>) -> Self::Result {
        self.log.ask("burst", burst.asker());
        panic!("it has burst");
    }
}

/// Ask your own object, from within your handler: an actor's message to a leaf.
#[derive(Debug, Message)]
#[rtype(result = "Result<u32, actix_multiplex::AskError>")]
pub(crate) struct AskYourself(pub(crate) Duration);

impl Handler<AskYourself> for Original {
    type Result = ResponseActFuture<Self, Result<u32, actix_multiplex::AskError>>;

    fn handle(&mut self, ask: AskYourself, ctx: &mut Context<Self>) -> Self::Result {
        let (me, done) = (self.me.clone(), tokio::sync::oneshot::channel());
        // Nothing else is handled until it is answered.
        let asking = async move {
            let _waits = done.0.send(me.ask_within(Weigh, ask.0).await);
        };
        ctx.wait(asking.into_actor(self));
        Box::pin(async { done.1.await.unwrap() }.into_actor(self))
    }
}

/// Hubs with this journal, which takes its time.
pub(crate) fn keeping(journal: Memory) -> impl Fn() -> Builder {
    move || Hub::builder().journal(journal.clone()).commits_after(|| Duration::from_millis(2))
}

/// A client of a simulation, over the line of its name.
pub(crate) async fn client(sim: &Sim, name: &str) -> Client {
    sim.witness(name).await.client().clone()
}

/// Alec owns kermit, and Amy has a picture of it.
pub(crate) async fn kermits(sim: &Sim) -> (Handle<Original>, Handle<Picture>, Log) {
    let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
    let log = Original::at(&alec);
    Picture::at(&amy);
    let kermit = alec.create::<Original>(Some("kermit"), ()).await.unwrap();
    (kermit, amy.join::<Picture>("kermit").await.unwrap(), log)
}
