//! The bounds: instructions that one item may take, some 5 % above what was measured.
//!
//! An item is one shout of 64 bytes, whatever else is said of it.

use gungraun::{Callgrind, EventKind, LibraryBenchmarkConfig};

/// A message written as a payload, and the payload as a frame.
pub(crate) const ENCODE: u64 = 960;
/// A Shout frame read.
pub(crate) const DECODE_SHOUT: u64 = 270;
/// A Batch frame read, and a shout taken out of it.
pub(crate) const DECODE_BATCH: u64 = 396;
/// From the socket's bytes to a place in the order, with 1,024 under way and nobody who hears it.
pub(crate) const SEQUENCE: u64 = 1_100;
/// The same, and back to the only leaf.
pub(crate) const ECHO: u64 = 1_070;
/// One shout at a time, to one leaf: all that a turn costs.
pub(crate) const TURN: u64 = 13_440;
/// One shout at a time, to 101 leaves.
pub(crate) const TURN_OF_101: u64 = 109_600;
/// 16 shouts at a time, to 101 leaves.
pub(crate) const SIXTEENTH_OF_101: u64 = 7_610;
/// In a client, from the socket's bytes to the end of the leaf's handler.
pub(crate) const DISPATCH: u64 = 1_300;
/// In a client, from a voice to the socket.
pub(crate) const SHOUT: u64 = 2_002;

/// Fails a benchmark of so many items past its bound.
pub(crate) fn at_most(instructions: u64, items: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions * items)]);
    LibraryBenchmarkConfig::default().tool(callgrind).clone()
}
