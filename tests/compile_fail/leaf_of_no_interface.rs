//! A leaf whose interface is a message.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Mute;

impl Actor for Mute {
    type Context = Context<Self>;
}

impl Supervised for Mute {}

impl Leaf for Mute {
    type Interface = Croak;
}

fn main() {}
