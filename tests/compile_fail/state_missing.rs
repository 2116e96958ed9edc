//! An interface that does not say whether it has a state.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        1 => Croak,
    }
}

fn main() {}
