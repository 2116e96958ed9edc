//! A class that is an actor and no leaf.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Mute;

impl Actor for Mute {
    type Context = Context<Self>;
}

fn implement(client: actix_multiplex::Client) {
    client.implement::<Mute>(|_| Mute);
}

fn main() {}
