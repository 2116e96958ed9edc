//! The public test kit: what we test this library with, and users their leaves.
//!
//! It holds the [`transcript`] checker, which judges what leaves heard and what voices were told.

pub mod transcript;

pub use crate::hub::{HeldUp, Trouble};
