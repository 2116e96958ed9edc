//! Frogs that record what they hear, and the hub and clients that they live with.

use std::{
    future::{Future, poll_fn},
    panic::{Location, resume_unwind},
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use actix::{Actor, Context, Handler, Message, ResponseActFuture, Supervised, WrapFuture};
use actix_multiplex::{
    Client, Closed, ConnectionEvent, DispatchError, Events, Handle, Heard, Hub, Leaf, Local,
    Resync, Seq, Stateful, Voice, interface, transport::Connector,
};
use serde::{Deserialize, Serialize};
use tokio::task::LocalSet;

/// Croaks; `n` tells one from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Croak(pub(super) u32);

/// Takes its hearer some milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slow {
    pub(super) n: u32,
    pub(super) ms: u64,
}

/// As large as one likes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bulk {
    pub(super) n: u32,
    pub(super) bytes: Vec<u8>,
}

/// What a latecomer is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Weight(pub(super) u32);

interface! {
    /// A frog, which has a state.
    pub(super) Frog = "pond.frog" v1 { state Weight; 1 => Croak, 2 => Slow, 3 => Bulk }
}
interface! {
    /// A newt, which has none.
    pub(super) Newt = "pond.newt" v1 { state none; 1 => Croak, 2 => Slow, 3 => Bulk }
}

interface! {
    /// The frog of a newer program.
    pub(super) NewFrog = "pond.frog" v2 { state Weight; 1 => Croak, 2 => Slow, 3 => Bulk }
}
interface! {
    /// What a program takes for a frog that has another idea of its state.
    pub(super) OddFrog = "pond.frog" v1 { state String; 1 => Croak, 2 => Slow, 3 => Bulk }
}

/// What a leaf was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    State(u32),
    Heard { seq: u64, n: u32, mine: bool, replayed: bool },
    Unheard(u64),
    Resynced(Resync),
}

/// What all leaves of a class at one client were given, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Given>>>);

impl Log {
    pub(super) fn add(&self, given: Given) {
        self.0.lock().unwrap().push(given);
    }

    pub(super) fn all(&self) -> Vec<Given> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// Seq and number of what was heard.
    pub(super) fn heard(&self) -> Vec<(u64, u32)> {
        let pairs = self.all().into_iter().filter_map(|given| match given {
            Given::Heard { seq, n, .. } => Some((seq, n)),
            _ => None,
        });
        pairs.collect()
    }

    /// The numbers of what was heard.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.heard().into_iter().map(|(_, n)| n).collect()
    }
}

/// How many shouts a leaf has heard in its life; a local message.
#[derive(Debug, Message)]
#[rtype(result = "usize")]
pub(super) struct Count;

/// Does something in a leaf; a local message.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Do<A: Actor<Context = Context<A>>>(Job<A>);

type Job<A> = Box<dyn FnOnce(&mut A, &mut Context<A>) + Send>;

/// Does something in a leaf.
pub(super) fn job<A: Actor<Context = Context<A>>>(
    job: impl FnOnce(&mut A, &mut Context<A>) + Send + 'static,
) -> Local<Do<A>> {
    Local(Do(Box::new(job)))
}

/// A leaf that records what it is given.
macro_rules! leaf {
    ($(#[$meta:meta])* $leaf:ident: $interface:ident) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(super) struct $leaf {
            pub(super) log: Log,
            pub(super) count: usize,
            #[allow(dead_code, reason = "few tests shout from within a leaf")]
            pub(super) me: Voice<$interface>,
        }

        impl $leaf {
            /// Says how a client makes it; what its leaves are given is recorded.
            pub(super) fn at(client: &Client) -> Log {
                let log = Log::default();
                let made = log.clone();
                client.implement::<Self>(move |me| Self { log: made.clone(), count: 0, me });
                log
            }

            fn hear(&mut self, seq: Seq, n: u32, mine: bool, replayed: bool) {
                self.count += 1;
                self.log.add(Given::Heard { seq: seq.0, n, mine, replayed });
            }
        }

        impl Actor for $leaf {
            type Context = Context<Self>;
        }

        impl Supervised for $leaf {}

        impl Leaf for $leaf {
            type Interface = $interface;

            fn resynced(&mut self, resync: Resync, _: &mut Context<Self>) {
                self.log.add(Given::Resynced(resync));
            }

            fn unheard(&mut self, seq: Seq, _: DispatchError, _: &mut Context<Self>) {
                self.log.add(Given::Unheard(seq.0));
            }
        }

        impl Handler<Heard<Croak>> for $leaf {
            type Result = ();

            fn handle(&mut self, croak: Heard<Croak>, _: &mut Context<Self>) {
                self.hear(croak.seq(), croak.0, croak.is_mine(), croak.is_replayed());
            }
        }

        impl Handler<Heard<Slow>> for $leaf {
            type Result = ResponseActFuture<Self, ()>;

            fn handle(&mut self, slow: Heard<Slow>, _: &mut Context<Self>) -> Self::Result {
                self.hear(slow.seq(), slow.n, slow.is_mine(), slow.is_replayed());
                let nap = tokio::time::sleep(Duration::from_millis(slow.ms));
                Box::pin(nap.into_actor(self))
            }
        }

        impl Handler<Heard<Bulk>> for $leaf {
            type Result = ();

            fn handle(&mut self, bulk: Heard<Bulk>, _: &mut Context<Self>) {
                self.hear(bulk.seq(), bulk.n, bulk.is_mine(), bulk.is_replayed());
            }
        }

        impl Handler<Local<Count>> for $leaf {
            type Result = usize;

            fn handle(&mut self, _: Local<Count>, _: &mut Context<Self>) -> usize {
                self.count
            }
        }

        impl Handler<Local<Do<Self>>> for $leaf {
            type Result = ();

            fn handle(&mut self, Local(Do(job)): Local<Do<Self>>, ctx: &mut Context<Self>) {
                job(self, ctx);
            }
        }
    };
}

leaf! {
    /// A leaf of a frog.
    TextFrog: Frog
}
leaf! {
    /// A leaf of a frog, of another class.
    LoudFrog: Frog
}
leaf! {
    /// A leaf of a newt.
    TextNewt: Newt
}

leaf! {
    /// A leaf of the frog of a newer program.
    NewTextFrog: NewFrog
}
leaf! {
    /// A leaf whose state is a text.
    OddTextFrog: OddFrog
}

impl Stateful<Weight> for TextFrog {
    fn state(&self) -> Option<Weight> {
        None
    }

    fn restore(&mut self, Weight(weight): Weight, _: &mut Context<Self>) {
        self.log.add(Given::State(weight));
    }
}

impl Stateful<Weight> for LoudFrog {
    fn state(&self) -> Option<Weight> {
        None
    }

    fn restore(&mut self, Weight(weight): Weight, _: &mut Context<Self>) {
        self.log.add(Given::State(weight));
    }
}

impl Stateful<Weight> for NewTextFrog {
    fn state(&self) -> Option<Weight> {
        None
    }

    fn restore(&mut self, Weight(weight): Weight, _: &mut Context<Self>) {
        self.log.add(Given::State(weight));
    }
}

impl Stateful<String> for OddTextFrog {
    fn state(&self) -> Option<String> {
        None
    }

    fn restore(&mut self, text: String, _: &mut Context<Self>) {
        self.log.add(Given::State(text.len() as u32));
    }
}

/// Runs a test on one thread under paused time, as one task among the others: it takes its turns
/// as they do.
pub(in super::super) fn paused(test: impl Future<Output = ()> + 'static) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let outcome =
        LocalSet::new().block_on(&runtime, async { tokio::task::spawn_local(test).await });
    if let Err(failed) = outcome {
        resume_unwind(failed.into_panic());
    }
}

/// Waits until everything has come to rest.
pub(in super::super) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// What must come, comes within an hour.
#[track_caller]
pub(in super::super) fn soon<T>(what: impl Future<Output = T>) -> impl Future<Output = T> {
    let asked = Location::caller();
    async move {
        let outcome = tokio::time::timeout(Duration::from_hours(1), what).await;
        outcome.unwrap_or_else(|_| panic!("it never comes: {asked}"))
    }
}

/// Lets every other task have `turns` turns. (`yield_now` would let them have as many as they
/// like.)
pub(super) async fn turns(mut turns: usize) {
    poll_fn(|cx| {
        if turns == 0 {
            return Poll::Ready(());
        }
        turns -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits until a client has lost its connection, and tells why.
pub(super) async fn lost(events: &mut Events) -> Closed {
    loop {
        match soon(events.next()).await.expect("the client has ended") {
            ConnectionEvent::Waiting { why, .. } => return why,
            ConnectionEvent::Closed { why } => panic!("it does not try again: {why}"),
            _ => {}
        }
    }
}

/// A hub that admits everybody.
pub(in super::super) fn hub() -> Hub {
    Hub::builder().seed(7).start().unwrap()
}

/// A client; `seed` is its own.
pub(super) async fn client(to: impl Connector, seed: u64) -> Client {
    Client::builder().seed(seed).connect(to).await.unwrap()
}

/// A client of a hub with a leaf of the frog called kermit, which is made if it is not there.
pub(super) async fn frog(hub: &Hub, seed: u64) -> (Client, Handle<TextFrog>, Log) {
    let client = client(hub.local(), seed).await;
    let log = TextFrog::at(&client);
    let kermit = client.open::<TextFrog>("kermit", Weight(40)).await.unwrap();
    settle().await;
    (client, kermit, log)
}

/// The same for the newt called tritone.
pub(super) async fn newt(hub: &Hub, seed: u64) -> (Client, Handle<TextNewt>, Log) {
    let client = client(hub.local(), seed).await;
    let log = TextNewt::at(&client);
    let tritone = client.open::<TextNewt>("tritone", ()).await.unwrap();
    settle().await;
    (client, tritone, log)
}

/// Leaves that are kept.
pub(super) type Handles = Vec<Handle<TextFrog>>;
