//! A tag that is no text.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = 7 v1 { state none; 1 => Croak }
}

fn main() {}
