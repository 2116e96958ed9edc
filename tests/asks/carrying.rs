//! Asks and answers carry objects, which are there when they are handed over.

use actix::prelude::*;
use actix_multiplex::{
    Asked, Heard, Leaf, ObjectRef, Shout, Stateful, Voice, elsewhere, interface, testing,
};
use serde::{Deserialize, Serialize};

use crate::pond::client;

/// Spreads a blot.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Spread(u32);

/// How large is it?
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "u32")]
struct Size;

/// Which of your blots is larger than this one?
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "Option<ObjectRef<Blot>>")]
struct Larger(ObjectRef<Blot>);

interface! {
    /// A blot of ink.
    Blot = "napkin.blot" v1 { state u32; 1 => Spread, ask 2 => Size -> u32 }
}
interface! {
    /// A napkin with blots.
    Napkin = "table.napkin" v1 { state none; ask 1 => Larger -> Option<ObjectRef<Blot>> }
}

struct Ink {
    size: u32,
}

impl Actor for Ink {
    type Context = Context<Self>;
}

impl Supervised for Ink {}

impl Leaf for Ink {
    type Interface = Blot;
}

impl Stateful<u32> for Ink {
    fn state(&self) -> Option<u32> {
        Some(self.size)
    }

    fn restore(&mut self, size: u32, _: &mut Context<Self>) {
        self.size = size;
    }
}

impl Handler<Heard<Spread>> for Ink {
    type Result = ();

    fn handle(&mut self, spread: Heard<Spread>, _: &mut Context<Self>) {
        self.size += spread.0;
    }
}

impl Handler<Asked<Size>> for Ink {
    type Result = u32;

    fn handle(&mut self, _: Asked<Size>, _: &mut Context<Self>) -> u32 {
        self.size
    }
}

/// The napkin of its owner.
struct Paper {
    me: Voice<Napkin>,
}

impl Actor for Paper {
    type Context = Context<Self>;
}

impl Supervised for Paper {}

impl Leaf for Paper {
    type Interface = Napkin;
}

impl Handler<Asked<Larger>> for Paper {
    type Result = ResponseActFuture<Self, Option<ObjectRef<Blot>>>;

    fn handle(&mut self, than: Asked<Larger>, _: &mut Context<Self>) -> Self::Result {
        let client = self.me.client().unwrap();
        let answering = async move {
            let given = client.bind::<Ink>(&than.0).await.unwrap();
            let size = given.ask(Size).await.unwrap();
            let larger = client.create::<Ink>(None, 0).await.unwrap();
            larger.send(Shout(Spread(size + 1))).await.unwrap();
            let carried = larger.carry().await.unwrap();
            // It is kept until somebody has it.
            larger.pin().await.unwrap();
            Some(carried)
        };
        Box::pin(answering.into_actor(self))
    }
}

/// A napkin that others know.
struct Print;

impl Actor for Print {
    type Context = Context<Self>;
}

impl Supervised for Print {}

impl Leaf for Print {
    type Interface = Napkin;
}

elsewhere!(Print: Larger);

#[test]
fn an_ask_carries_a_blot_and_its_answer_another_and_both_are_ready() {
    testing::run(1, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        alec.implement::<Paper>(|me| Paper { me });
        alec.implement::<Ink>(|_| Ink { size: 0 });
        amy.implement::<Print>(|_| Print);
        amy.implement::<Ink>(|_| Ink { size: 0 });
        let _napkin = alec.create::<Paper>(Some("napkin"), ()).await.unwrap();
        let napkin = amy.join::<Print>("napkin").await.unwrap();
        let blot = amy.create::<Ink>(None, 0).await.unwrap();
        blot.send(Shout(Spread(7))).await.unwrap();
        let larger = napkin.ask(Larger(blot.carry().await.unwrap())).await.unwrap().unwrap();
        let larger = amy.bind::<Ink>(&larger).await.unwrap();
        assert_eq!(larger.ask(Size).await, Ok(8), "it has heard what its maker had");
    });
}
