//! One message with two numbers.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Croak,
        2 => Croak,
    }
}

fn main() {}
