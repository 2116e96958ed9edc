//! An object searches its own class first, and falls back to being a reference to the original:
//! `cargo run --release --example original`.
//!
//! Alec has made kermit, and his class knows all of him. Amy's knows what a frog says, and leaves
//! the rest to kermit's owner. Angus has no leaf at all and asks by a voice. When Alec goes, kermit
//! is handed over to Marvin, whose class answers everything too.

#![expect(clippy::print_stdout, reason = "what it is for is to be seen")]

use std::{error::Error, time::Duration};

use actix::prelude::*;
use actix_multiplex::{Asked, Client, Hub, Leaf, OwnerChange, elsewhere, interface};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// What does it say?
#[derive(Debug, Serialize, Deserialize, Message)]
#[rtype(result = "String")]
struct Say;

/// How heavy is it, in grams?
#[derive(Debug, Serialize, Deserialize, Message)]
#[rtype(result = "u32")]
struct Weigh;

interface! {
    /// A frog that can be asked.
    Frog = "pond.asked" v1 {
        state none;
        handover;
        ask 1 => Say -> String,
        ask 2 => Weigh -> u32,
    }
}

/// Answers everything.
struct Original {
    who: &'static str,
    grams: u32,
}

impl Actor for Original {
    type Context = Context<Self>;
}

impl Supervised for Original {}

impl Leaf for Original {
    type Interface = Frog;

    fn owner_changed(&mut self, change: &OwnerChange, _: &mut Context<Self>) {
        if change.is_me() {
            println!("{} hears {}: kermit is mine now", self.who, change.seq());
        }
    }
}

impl Handler<Asked<Say>> for Original {
    type Result = String;

    fn handle(&mut self, _: Asked<Say>, _: &mut Context<Self>) -> String {
        "CROAK".to_owned()
    }
}

impl Handler<Asked<Weigh>> for Original {
    type Result = u32;

    fn handle(&mut self, _: Asked<Weigh>, _: &mut Context<Self>) -> u32 {
        println!("{} steps on the scales", self.who);
        self.grams
    }
}

/// Knows what frogs say, and nothing of this one.
struct Picture;

impl Actor for Picture {
    type Context = Context<Self>;
}

impl Supervised for Picture {}

impl Leaf for Picture {
    type Interface = Frog;
}

impl Handler<Asked<Say>> for Picture {
    type Result = String;

    fn handle(&mut self, _: Asked<Say>, _: &mut Context<Self>) -> String {
        "croak?".to_owned()
    }
}

elsewhere!(Picture: Weigh);

#[actix::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let hub = Hub::builder().start()?;
    let pond = hub.listen("tcp://127.0.0.1:0").await?;

    let alec = Client::connect(&pond).await?;
    alec.implement::<Original>(|_| Original { who: "alec", grams: 23 });
    let original = alec.create::<Original>(Some("kermit"), ()).await?;

    let amy = Client::connect(&pond).await?;
    amy.implement::<Picture>(|_| Picture);
    let picture = amy.join::<Picture>("kermit").await?;
    println!("amy's kermit says {}", picture.ask(Say).await?);
    println!("amy's kermit weighs {} g", picture.ask(Weigh).await?);

    let angus = Client::connect(&pond).await?;
    let voice = angus.voice::<Frog>("kermit").await?;
    println!("angus has no kermit, and hears {}", voice.ask(Say).await?);

    let marvin = Client::connect(&pond).await?;
    marvin.implement::<Original>(|_| Original { who: "marvin", grams: 4_000 });
    let _metal = marvin.join::<Original>("kermit").await?;
    let owner = picture.owner();
    drop(original);
    alec.close().await;
    // Amy's leaf is told in its turn, as all are.
    while picture.owner() == owner {
        sleep(Duration::from_millis(10)).await;
    }
    println!("amy's kermit weighs {} g", picture.ask(Weigh).await?);
    hub.stop().await;
    Ok(())
}
