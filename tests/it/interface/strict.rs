//! Under every lint that a user might have switched on: the macro's output gives no occasion.
//!
//! `tests/compile_fail/undocumented.rs` does the same where lints look only at what is public.

#![deny(
    missing_debug_implementations,
    missing_docs,
    rust_2018_idioms,
    single_use_lifetimes,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_qualifications,
    clippy::absolute_paths,
    clippy::all,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::pedantic,
    clippy::nursery
)]

use actix_multiplex::{Interface, Kind, ShoutAt, interface};
use serde::{Deserialize, Serialize};

/// A sound.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Croak;

/// A count.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Croaks(u32);

interface! {
    /// With everything.
    pub(super) Strict = "strict" v1 {
        state Croaks;
        1 => Croak,
    }
}

interface! {
    /// With nothing.
    pub(super) Void = "void" v1 {
        state none;
    }
}

#[test]
fn an_interface_gives_no_lint_an_occasion() {
    assert!(super::has_state::<Strict>(Croaks(0)));
    assert_eq!(Void::VERSION, 1);
    assert_eq!(<Croak as ShoutAt<Strict>>::KIND, Kind(1));
}
