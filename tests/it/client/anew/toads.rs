//! Toads that panic when they are told to, and tell all that they have heard.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::{
    Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, MessageResult,
    ResponseActFuture, Supervised, WrapFuture, fut::wrap_future,
};
use actix_multiplex::{
    Client, DispatchError, Handle, Heard, Hub, Leaf, Local, ObjectRef, Resync, Seq, Stateful,
    Voice, interface,
};
use serde::{Deserialize, Serialize};

use super::super::pond::{Croak, Given, Log, Slow, client, settle};

/// Carries a toad, which whoever hears it keeps a leaf of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lay(pub(super) ObjectRef<Pad>);

interface! {
    /// A toad whose state is all that it has heard.
    pub(super) Pad = "pond.pad" v1 { state Vec<u32>; 1 => Croak, 2 => Slow, 3 => Lay }
}
interface! {
    /// A toad without a state.
    pub(super) Reed = "pond.reed" v1 { state none; 1 => Croak }
}

/// Where a toad panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Make,
    Start,
    Restore,
    /// In the handler of that croak.
    Croak(u32),
    /// In what the handler of that croak has left behind: a future, a timer, a wait.
    Future(u32),
    Timer(u32),
    Wait(u32),
    /// In the answer of the handler of that slow one.
    Slow(u32),
}

/// Where toads of a client are still to panic, and how often.
#[derive(Clone, Debug, Default)]
pub(super) struct Script(Arc<Mutex<Vec<At>>>);

impl Script {
    pub(super) fn add(&self, at: At, times: usize) {
        self.0.lock().unwrap().extend(std::iter::repeat_n(at, times));
    }

    fn is_due(&self, at: At) -> bool {
        let mut left = self.0.lock().unwrap();
        let place = left.iter().position(|each| *each == at);
        place.map(|place| left.remove(place)).is_some()
    }

    #[track_caller]
    fn come_to(&self, at: At) {
        assert!(!self.is_due(at), "sabotaged: {at:?}");
    }
}

/// All that it has heard, and how many toads it keeps; a local message.
#[derive(Debug, Message)]
#[rtype(result = "(Vec<u32>, usize)")]
pub(super) struct Tell;

/// Panics over a local message.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Poke;

/// A toad.
#[derive(Debug)]
pub(super) struct Toad {
    script: Script,
    log: Log,
    heard: Vec<u32>,
    kept: Vec<Handle<Self>>,
    me: Voice<Pad>,
}

impl Toad {
    /// Says how a client makes it.
    pub(super) fn at(client: &Client, script: &Script) -> Log {
        let (log, script) = (Log::default(), script.clone());
        let made = log.clone();
        client.implement::<Self>(move |me| {
            script.come_to(At::Make);
            let (script, log) = (script.clone(), made.clone());
            Self { script, log, heard: Vec::new(), kept: Vec::new(), me }
        });
        log
    }
}

impl Actor for Toad {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.script.come_to(At::Start);
    }
}

impl Supervised for Toad {}

impl Leaf for Toad {
    type Interface = Pad;

    fn resynced(&mut self, resync: Resync, _: &mut Context<Self>) {
        self.log.add(Given::Resynced(resync));
    }

    fn unheard(&mut self, seq: Seq, error: DispatchError, _: &mut Context<Self>) {
        assert!(matches!(error, DispatchError::Panicked(_)), "{error}");
        self.log.add(Given::Unheard(seq.0));
    }
}

impl Stateful<Vec<u32>> for Toad {
    fn state(&self) -> Option<Vec<u32>> {
        Some(self.heard.clone())
    }

    fn restore(&mut self, heard: Vec<u32>, _: &mut Context<Self>) {
        self.script.come_to(At::Restore);
        self.log.add(Given::State(heard.len() as u32));
        self.heard = heard;
    }
}

impl Handler<Heard<Croak>> for Toad {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, ctx: &mut Context<Self>) {
        let (seq, n) = (croak.seq().0, croak.0);
        let (mine, replayed) = (croak.is_mine(), croak.is_replayed());
        self.log.add(Given::Heard { seq, n, mine, replayed });
        self.script.come_to(At::Croak(n));
        if self.script.is_due(At::Future(n)) {
            ctx.spawn(wrap_future(async { panic!("sabotaged in a future") }));
        }
        if self.script.is_due(At::Timer(n)) {
            ctx.run_later(Duration::from_micros(200), |_, _| panic!("sabotaged in a timer"));
        }
        if self.script.is_due(At::Wait(n)) {
            let nap = tokio::time::sleep(Duration::from_micros(200)).into_actor(self);
            ctx.wait(nap.map(|(), _, _| panic!("sabotaged in a wait")));
        }
        self.heard.push(n);
    }
}

impl Handler<Heard<Slow>> for Toad {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, slow: Heard<Slow>, _: &mut Context<Self>) -> Self::Result {
        let nap = tokio::time::sleep(Duration::from_millis(slow.ms)).into_actor(self);
        Box::pin(nap.map(move |(), toad, _| {
            toad.script.come_to(At::Slow(slow.n));
            toad.heard.push(slow.n);
        }))
    }
}

impl Handler<Heard<Lay>> for Toad {
    type Result = ();

    fn handle(&mut self, lay: Heard<Lay>, _: &mut Context<Self>) {
        let client = self.me.client().unwrap();
        self.kept.push(client.bind::<Self>(&lay.0).now().unwrap());
    }
}

impl Handler<Local<Tell>> for Toad {
    type Result = MessageResult<Local<Tell>>;

    fn handle(&mut self, _: Local<Tell>, _: &mut Context<Self>) -> Self::Result {
        MessageResult((self.heard.clone(), self.kept.len()))
    }
}

impl Handler<Local<Poke>> for Toad {
    type Result = ();

    fn handle(&mut self, _: Local<Poke>, _: &mut Context<Self>) {
        panic!("poked");
    }
}

/// A toad without a state.
#[derive(Debug)]
pub(super) struct Newt {
    script: Script,
    log: Log,
}

impl Newt {
    /// Says how a client makes it.
    pub(super) fn at(client: &Client, script: &Script) -> Log {
        let (log, script) = (Log::default(), script.clone());
        let made = log.clone();
        client.implement::<Self>(move |_| {
            script.come_to(At::Make);
            Self { script: script.clone(), log: made.clone() }
        });
        log
    }
}

impl Actor for Newt {
    type Context = Context<Self>;
}

impl Supervised for Newt {}

impl Leaf for Newt {
    type Interface = Reed;

    fn resynced(&mut self, resync: Resync, _: &mut Context<Self>) {
        self.log.add(Given::Resynced(resync));
    }
}

impl Handler<Heard<Croak>> for Newt {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Context<Self>) {
        let (seq, n) = (croak.seq().0, croak.0);
        let (mine, replayed) = (croak.is_mine(), croak.is_replayed());
        self.log.add(Given::Heard { seq, n, mine, replayed });
        self.script.come_to(At::Croak(n));
    }
}

impl Handler<Local<Poke>> for Newt {
    type Result = ();

    fn handle(&mut self, _: Local<Poke>, _: &mut Context<Self>) {
        panic!("poked");
    }
}

impl Handler<Local<Tell>> for Newt {
    type Result = MessageResult<Local<Tell>>;

    fn handle(&mut self, _: Local<Tell>, _: &mut Context<Self>) -> Self::Result {
        MessageResult((self.log.numbers(), 0))
    }
}

/// A client of a hub with a leaf of the toad called pad, which panics as its script says.
pub(super) async fn toad(hub: &Hub, seed: u64) -> (Client, Handle<Toad>, Script, Log) {
    let (client, script) = (client(hub.local(), seed).await, Script::default());
    let log = Toad::at(&client, &script);
    let pad = client.open::<Toad>("pad", Vec::new()).await.unwrap();
    settle().await;
    (client, pad, script, log)
}
