//! What the cases about asks share: a message that is asked, and an interface that has it.

#![allow(unused_imports, reason = "each case uses what it needs")]

pub use actix::prelude::*;
pub use actix_multiplex::{Asked, Handle, Heard, Leaf, Shout, Voice, elsewhere, interface};
pub use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Croak;

#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "u32")]
pub struct Weigh;

interface! {
    /// A toad, wherever it sits.
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Croak,
        ask 2 => Weigh -> u32,
    }
}
