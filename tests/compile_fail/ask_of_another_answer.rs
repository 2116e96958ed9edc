//! A row for an ask whose answer is not the one that its message has.

#[path = "parts/toad.rs"]
mod toad;

use toad::*;

interface! {
    /// A newt.
    pub Newt = "pond.newt" v1 {
        state none;
        ask 2 => Weigh -> String,
    }
}

fn main() {}
