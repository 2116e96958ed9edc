//! A state that serde cannot write.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

pub struct Warts;

interface! {
    /// A toad.
    pub Toad = "pond.toad" v1 {
        state Warts;
        1 => Croak,
    }
}

fn main() {}
