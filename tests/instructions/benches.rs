//! How many instructions the data path takes for one item, held to bounds.
//!
//! Valgrind counts them, so a busy machine changes nothing. Every benchmark does a known number of
//! items with all set-up outside, and `bounds` says how many instructions one may take. A hub
//! runs here with its sessions, repeaters and writers, on one thread and under a paused clock; only
//! the sockets are replaced (`line`). What a leaf more costs is the difference between
//! two benchmarks that differ by 100 leaves.

#![expect(unused_qualifications, reason = "gungraun's macros write whole paths")]

mod bounds;
mod client;
mod hub;
mod line;
mod place;
mod wire;

use gungraun::main;

use self::{client::clients, hub::deliveries, wire::frames};

main!(library_benchmark_groups = [frames, deliveries, clients]);
