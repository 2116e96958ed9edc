//! A leaf that does not take the state of its interface.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Mute;

impl Actor for Mute {
    type Context = Context<Self>;
}

#[derive(Serialize, Deserialize)]
pub struct Warts(u32);

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state Warts;
        1 => Croak,
    }
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
