//! A leaf that leaves out a message of its interface.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Mute;

impl Actor for Mute {
    type Context = Context<Self>;
}

impl Supervised for Mute {}

impl Leaf for Mute {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for Mute {
    type Result = ();
    fn handle(&mut self, _: Heard<Croak>, _: &mut Context<Self>) {}
}

fn main() {}
