//! Rows that are none.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// A message named with a path.
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Croak,
        2 => pond::Hop,
        3 => Leap,
    }
}

interface! {
    /// A message without a number.
    pub Newt = "pond.newt" v1 { state none; Croak }
}

interface! {
    /// No comma between two rows.
    pub Eft = "pond.eft" v1 { state none; 1 => Croak 2 => Hop }
}

fn main() {}
