//! A row for an ask that does not say what is answered.

#[path = "parts/toad.rs"]
mod toad;

use toad::*;

interface! {
    /// A newt.
    pub Newt = "pond.newt" v1 {
        state none;
        ask 2 => Weigh,
    }
}

fn main() {}
