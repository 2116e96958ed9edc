//! An interface without a version.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A toad.
    pub Toad = "pond.toad" { state none; 1 => Croak }
}

fn main() {}
