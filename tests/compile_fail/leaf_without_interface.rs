//! A leaf that does not say of what.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Mute;

impl Actor for Mute {
    type Context = Context<Self>;
}

impl Supervised for Mute {}

impl Leaf for Mute {}

fn main() {}
