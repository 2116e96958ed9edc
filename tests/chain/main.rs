//! Hubs in a chain (G11): one object at all of them.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what went wrong by ending"
)]

mod asks;
mod basics;
mod cut;
mod edges;
mod here;
mod members;
mod pond;
mod rings;
mod trees;
