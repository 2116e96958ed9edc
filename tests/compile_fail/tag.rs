//! Tags that are none.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// Without a character.
    pub Toad = "" v1 { state none; 1 => Croak }
}

interface! {
    /// With a control character.
    pub Newt = "pond\nnewt" v1 { state none; 1 => Croak }
}

interface! {
    /// Of 65 bytes.
    pub Eft = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeft" v1 {
        state none;
        1 => Croak,
    }
}

fn main() {}
