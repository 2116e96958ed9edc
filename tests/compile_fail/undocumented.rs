//! Under the strictest lints, the only thing wanting is the interface's own doc.
#![forbid(unsafe_code)]
#![deny(
    missing_debug_implementations,
    missing_docs,
    rust_2018_idioms,
    single_use_lifetimes,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_qualifications
)]

use actix_multiplex::interface;
use serde::{Deserialize, Serialize};

/// A sound.
#[derive(Debug, Serialize, Deserialize)]
pub struct Croak;

interface! {
    /// Documented: nothing is wrong with it.
    pub Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
    }
}

interface! {
    pub Toad = "pond.toad" v1 {
        state none;
        1 => Croak,
    }
}

fn main() {}
