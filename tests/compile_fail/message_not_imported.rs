//! A message that is not there.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Gurgle,
    }
}

fn main() {}
