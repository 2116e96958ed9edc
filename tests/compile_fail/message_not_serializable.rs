//! A message that serde cannot write.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Grunt;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Grunt,
    }
}

fn main() {}
