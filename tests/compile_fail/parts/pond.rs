//! What the cases share: two messages, an interface of both, and a leaf that is as it should be.

#![allow(unused_imports, reason = "each case uses what it needs")]

pub use actix::prelude::*;
pub use actix_multiplex::{Handle, Heard, Leaf, Local, Shout, Stateful, Voice, interface};
pub use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Croak;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hop;

interface! {
    /// A frog, wherever it sits.
    pub Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
        2 => Hop,
    }
}

#[derive(Debug)]
pub struct TextFrog;

impl Actor for TextFrog {
    type Context = Context<Self>;
}

impl Supervised for TextFrog {}

impl Leaf for TextFrog {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for TextFrog {
    type Result = ();
    fn handle(&mut self, _: Heard<Croak>, _: &mut Context<Self>) {}
}

impl Handler<Heard<Hop>> for TextFrog {
    type Result = ();
    fn handle(&mut self, _: Heard<Hop>, _: &mut Context<Self>) {}
}
