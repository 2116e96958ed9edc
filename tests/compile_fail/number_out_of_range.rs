//! Numbers that are the hubs' own, too large for the wire, or none.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// The first number that is the hubs' own.
    pub Toad = "pond.toad" v1 {
        state none;
        65280 => Croak,
    }
}

interface! {
    /// A number that the wire does not hold.
    pub Newt = "pond.newt" v1 {
        state none;
        65536 => Croak,
    }
}

interface! {
    /// A number below all.
    pub Eft = "pond.eft" v1 {
        state none;
        -1 => Croak,
    }
}

fn main() {}
