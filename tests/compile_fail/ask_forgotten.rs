//! A leaf that neither answers an ask of its interface nor leaves it to the owner.

#[path = "parts/toad.rs"]
mod toad;

use toad::*;

pub struct Mute;

impl Actor for Mute {
    type Context = Context<Self>;
}

impl Supervised for Mute {}

impl Leaf for Mute {
    type Interface = Toad;
}

impl Handler<Heard<Croak>> for Mute {
    type Result = ();
    fn handle(&mut self, _: Heard<Croak>, _: &mut Context<Self>) {}
}

fn main() {}
