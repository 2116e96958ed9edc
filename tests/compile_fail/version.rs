//! Versions that are none.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

interface! {
    /// Without the v.
    pub Toad = "pond.toad" one { state none; 1 => Croak }
}

interface! {
    /// Versions count from 1.
    pub Newt = "pond.newt" v0 { state none; 1 => Croak }
}

interface! {
    /// More than the wire holds.
    pub Eft = "pond.eft" v65536 { state none; 1 => Croak }
}

interface! {
    /// Two ways of writing one version are one too many.
    pub Olm = "pond.olm" v01 { state none; 1 => Croak }
}

fn main() {}
