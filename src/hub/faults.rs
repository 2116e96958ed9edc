//! Hubs that break a promise on purpose, and counts of what hubs do to keep it. Only with feature
//! `testing`.
//!
//! Both belong to a thread, since a whole simulation runs on one and [`History`](super::history)
//! is a value that is handed nothing. Where no simulation runs, nothing is broken.

use std::{cell::Cell, cmp::Ordering};

use super::history::CatchUp;
use crate::{
    journal::Kept,
    limits::{CUT_BYTES, LAG_BYTES_MAX, TAIL_SHOUTS_MAX},
    object::{Cursor, Seq},
};

/// A promise that the hubs of this thread break.
///
/// ```
/// use actix_multiplex::testing::{Fault, Schedule, simulate};
///
/// let _broken = Fault::OutcomeForgotten.arm();
/// let mut seeds = 0..200;
/// assert!(seeds.any(|seed| simulate(&Schedule::of(seed)).verdict.is_err()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A shout that comes again gets a place again, and everybody is asked for all again.
    DedupOff,
    /// A leaf is told neither that it has missed shouts nor the state that contains them.
    ResyncOff,
    /// Who catches up is not given the last chunk.
    TailEntryDropped,
    /// Who catches up is given what follows the shout after its cursor.
    CursorOffByOne,
    /// Who hears nothing is not told what became of a shout.
    OutcomeForgotten,
    /// What is not committed leaves the hub.
    GateOpen,
    /// A hub that goes on with a journal does not know who was at which op.
    MarksForgotten,
    /// A hub that goes on with a journal has not the last shouts of its objects.
    LastEntryForgotten,
    /// Of the ops that are refused nothing is kept.
    RefusalsNotKept,
}

/// Hubs of this thread are broken while it lives.
#[derive(Debug)]
#[must_use = "dropped, the hubs of this thread are sound again"]
pub struct Broken(());

/// What hubs of this thread have done since this was asked last.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Shouts that came again and were not heard again.
    pub(crate) duplicates: u64,
    /// Shouts that came too early.
    pub(crate) gaps: u64,
    /// Leaves that were told that they have missed shouts.
    pub(crate) resyncs: u64,
    /// Leaves that were back with a cursor.
    pub(crate) catch_ups: u64,
    /// States that leaves have told.
    pub(crate) snapshots: u64,
    /// Repeaters that were made anew.
    pub(crate) rebuilt: u64,
    /// Sessions that went on over another connection.
    pub(crate) resumes: u64,
    /// Leaves that could not take their shouts as they came.
    pub(crate) pulled: u64,
    /// States that leaves were given in pieces.
    pub(crate) given_in_pieces: u64,
    /// States that leaves have told in pieces.
    pub(crate) told_in_pieces: u64,
    /// How often the journal of an object was cut.
    pub(crate) cuts_of_journals: u64,
}

thread_local! {
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
    static TALLY: Cell<Tally> = const { Cell::new(Tally {
        duplicates: 0, gaps: 0, resyncs: 0, catch_ups: 0, snapshots: 0, rebuilt: 0, resumes: 0,
        pulled: 0, given_in_pieces: 0, told_in_pieces: 0, cuts_of_journals: 0,
    }) };
    static TAIL_SHOUTS: Cell<usize> = const { Cell::new(TAIL_SHOUTS_MAX) };
    static CUT_AT: Cell<usize> = const { Cell::new(CUT_BYTES) };
    static LAG_BYTES: Cell<usize> = const { Cell::new(LAG_BYTES_MAX) };
}

impl Fault {
    /// Breaks the hubs of this thread so, until what is returned is dropped.
    pub fn arm(self) -> Broken {
        FAULT.set(Some(self));
        Broken(())
    }

    /// Whether the hubs of this thread are broken so.
    pub(crate) fn is_armed(self) -> bool {
        FAULT.get() == Some(self)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        FAULT.set(None);
    }
}

/// The cursor of who catches up, as a broken hub reads it.
pub(super) fn misread(cursor: Option<Cursor>, last: Seq) -> Option<Cursor> {
    let skips = |at: &Cursor| Fault::CursorOffByOne.is_armed() && at.seq < last;
    cursor.map(|at| if skips(&at) { Cursor { seq: at.seq.next(), ..at } } else { at })
}

/// What who catches up is given, as a broken hub gives it.
pub(super) fn spoil(cursor: Option<Cursor>, mut given: CatchUp) -> CatchUp {
    count(|tally| {
        tally.catch_ups += u64::from(cursor.is_some());
        tally.resyncs += u64::from(given.resync.is_some());
    });
    match FAULT.get() {
        Some(Fault::ResyncOff) if given.resync.is_some() => {
            (given.resync, given.restore) = (None, None);
        }
        Some(Fault::TailEntryDropped) => drop(given.chunks.pop()),
        _ => {}
    }
    given
}

/// What a journal has of an object, as a broken hub reads it.
pub(super) fn spoil_kept(mut kept: Kept) -> Kept {
    match FAULT.get() {
        Some(Fault::MarksForgotten) => {
            kept.marks.next = kept.marks.first + kept.entries.len() as u64;
            kept.marks.marks.clear();
        }
        Some(Fault::LastEntryForgotten) => drop(kept.entries.pop()),
        _ => {}
    }
    kept
}

/// Whether a broken hub gives a place to a shout that is so far from the next one. Counts those
/// that are.
pub(crate) fn lets_pass(turn: Ordering) -> bool {
    if turn == Ordering::Equal {
        return false;
    }
    count(|tally| {
        tally.duplicates += u64::from(turn == Ordering::Less);
        tally.gaps += u64::from(turn == Ordering::Greater);
    });
    turn == Ordering::Less && Fault::DedupOff.is_armed()
}

/// Counts what a hub has done.
pub(crate) fn count(count: impl FnOnce(&mut Tally)) {
    let mut tally = TALLY.get();
    count(&mut tally);
    TALLY.set(tally);
}

/// What was counted since this was asked last.
pub(crate) fn take_tally() -> Tally {
    TALLY.take()
}

/// How many shouts a tail holds: few, in simulations that are to see its end.
pub(crate) fn tail_shouts_max() -> usize {
    TAIL_SHOUTS.get()
}

/// Lets the tails of this thread's hubs hold so many shouts.
pub(crate) fn hold_tails_to(shouts: usize) {
    TAIL_SHOUTS.set(shouts);
}

/// How many bytes of batches are queued for a connection: few, in simulations that are to see leaves
/// that are behind.
pub(crate) fn lag_bytes_max() -> usize {
    LAG_BYTES.get()
}

/// Lets so many bytes of batches be queued for a connection of this thread's hubs.
pub(crate) fn hold_lags_to(bytes: usize) {
    LAG_BYTES.set(bytes);
}

/// How many bytes a journal keeps of an object beyond its tail: few, in simulations that are to see
/// it cut.
pub(crate) fn cut_bytes() -> usize {
    CUT_AT.get()
}

/// Lets the journals of this thread's hubs keep so many bytes beyond a tail.
pub(crate) fn hold_cuts_to(bytes: usize) {
    CUT_AT.set(bytes);
}
