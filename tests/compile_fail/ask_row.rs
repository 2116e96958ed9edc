//! A row for requests, which are yet to come.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Croak,
        ask 2 => Weigh -> Grams,
    }
}

fn main() {}
