//! A tool that knows no interface is a leaf of anything.

use std::sync::{Arc, Mutex};

use actix::prelude::*;
use actix_multiplex::{
    AskError, Client, Handle, Heard, JoinError, Kind, Leaf, Local, Opaque, Raw, RawState, Resync,
    Shout, Stateful, Voice, interface, testing,
};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};

use crate::pond::{Eat, Original, client};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Draw(String);

interface! {
    /// A napkin.
    Napkin = "table.napkin" v3 { state Vec<String>; 1 => Draw }
}

struct Paper(Vec<String>);

impl Actor for Paper {
    type Context = Context<Self>;
}

impl Supervised for Paper {}

impl Leaf for Paper {
    type Interface = Napkin;
}

impl Handler<Heard<Draw>> for Paper {
    type Result = ();

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) {
        self.0.push(draw.into_inner().0);
    }
}

impl Stateful<Vec<String>> for Paper {
    fn state(&self) -> Option<Vec<String>> {
        Some(self.0.clone())
    }

    fn restore(&mut self, state: Vec<String>, _: &mut Context<Self>) {
        self.0 = state;
    }
}

/// What a tap has been given: states, and messages by number.
type Drops = Arc<Mutex<Vec<(Option<u16>, Vec<u8>)>>>;

/// Writes down all there is.
struct Tap(Drops);

impl Actor for Tap {
    type Context = Context<Self>;
}

impl Supervised for Tap {}

impl Leaf for Tap {
    type Interface = Opaque;

    fn resynced(&mut self, resync: Resync, _: &mut Context<Self>) {
        panic!("nothing is missed: {resync}");
    }
}

impl Handler<Heard<Raw>> for Tap {
    type Result = ();

    fn handle(&mut self, raw: Heard<Raw>, _: &mut Context<Self>) {
        self.0.lock().unwrap().push((Some(raw.kind().0), raw.payload().to_vec()));
    }
}

impl Stateful<RawState> for Tap {
    fn state(&self) -> Option<RawState> {
        None
    }

    fn restore(&mut self, state: RawState, _: &mut Context<Self>) {
        self.0.lock().unwrap().push((None, state.payload().to_vec()));
    }
}

/// Trips over its own feet; a local message.
#[derive(Message)]
#[rtype(result = "()")]
struct Trip;

impl Handler<Local<Trip>> for Tap {
    type Result = ();

    fn handle(&mut self, _: Local<Trip>, _: &mut Context<Self>) {
        panic!("it trips");
    }
}

async fn tap(client: &Client, name: &str) -> Result<(Handle<Tap>, Drops), JoinError> {
    let drops = Drops::default();
    let made = drops.clone();
    let tap = client.join_opaque(name, move |_: Voice<Opaque>| Tap(made.clone())).await?;
    Ok((tap, drops))
}

fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).unwrap()
}

#[test]
fn a_tap_is_given_the_state_and_every_message_as_bytes() {
    testing::run(1, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        alec.implement::<Paper>(|_| Paper(Vec::new()));
        let begun = vec!["a frog".to_owned()];
        let napkin = alec.create::<Paper>(Some("napkin"), begun.clone()).await.unwrap();
        napkin.send(Shout(Draw("a pond".to_owned()))).await.unwrap();
        let (_tap, drops) = tap(&amy, "napkin").await.unwrap();
        napkin.send(Shout(Draw("a fly".to_owned()))).await.unwrap();
        sim.settle().await;
        let drawn = |text: &str| (Some(1), bytes(&Draw(text.to_owned())));
        let all = [(None, bytes(&begun)), drawn("a pond"), drawn("a fly")];
        assert_eq!(*drops.lock().unwrap(), all);
    });
}

#[test]
fn a_tap_forwards_every_ask_to_the_owner() {
    testing::run(2, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        let log = Original::at(&alec);
        let kermit = alec.create::<Original>(Some("kermit"), ()).await.unwrap();
        let (tap, drops) = tap(&amy, "kermit").await.unwrap();
        kermit.send(Shout(Eat(300))).await.unwrap();
        let answer = tap.ask_raw(Kind(2), Vec::new()).await.unwrap();
        assert_eq!(answer.payload()[..], bytes(&310_u32)[..]);
        assert_eq!(log.asked(), ["weigh"]);
        let error = tap.ask_raw(Kind(77), Vec::new()).await.unwrap_err();
        assert!(matches!(error, AskError::NoHandler { .. }), "{error}");
        let error = tap.ask_raw(Kind(65_280), Vec::new()).await.unwrap_err();
        assert!(matches!(error, AskError::NoHandler { .. }), "{error}");
        let error = tap.ask_raw(Kind(3), vec![0xff; 20]).await.unwrap_err();
        assert!(matches!(error, AskError::Unable(_)), "{error}");
        let error = tap.ask_raw(Kind(3), vec![0; 70_000]).await.unwrap_err();
        assert!(matches!(error, AskError::Encode(_)), "{error}");
        assert_eq!(*drops.lock().unwrap(), [(Some(1), bytes(&Eat(300)))]);
        assert_eq!(
            (tap.gone(), amy.closed().now_or_never()),
            (None, None),
            "it has broken no rule"
        );
    });
}

#[test]
fn a_tap_that_panics_is_made_anew_and_misses_nothing() {
    testing::run(3, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        Original::at(&alec);
        let kermit = alec.create::<Original>(Some("kermit"), ()).await.unwrap();
        let (tap, drops) = tap(&amy, "kermit").await.unwrap();
        for n in 1..=5 {
            kermit.send(Shout(Eat(n))).await.unwrap();
            let tripped = tap.send(Local(Trip)).await;
            assert!(tripped.is_err());
        }
        sim.settle().await;
        let all: Vec<_> = (1..=5).map(|n| (Some(1), bytes(&Eat(n)))).collect();
        assert_eq!(*drops.lock().unwrap(), all);
    });
}

#[test]
fn a_tap_of_what_is_not_there_says_so() {
    testing::run(4, async |sim| {
        let amy = client(sim, "amy").await;
        let error = tap(&amy, "kermit").await.map(|_| ()).unwrap_err();
        assert!(matches!(error, JoinError::Unknown { .. }), "{error}");
    });
}
