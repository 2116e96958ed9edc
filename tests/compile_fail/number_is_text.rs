//! A number that is none.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state none;
        "one" => Croak,
    }
}

fn main() {}
