//! Nothing leaves a hub before what it tells of is committed: the gate before the writers.
//!
//! In come the number of the latest change that was submitted to a journal, and that of the latest
//! which is committed. A writer that has taken frames from its queue waits here until everything is
//! committed that was submitted before they were queued; what is queued meanwhile waits for it. A
//! gate knows no journal, and a connection without a gate waits for nothing. What counts against a
//! bound until it is handled is held here until it is committed.

use std::{
    any::Any,
    collections::VecDeque,
    fmt, io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

/// How far a journal has come, for all connections of a hub.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    submitted: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    committed: u64,
    /// What was held up to this change is let go of, just before it counts as committed.
    released: u64,
    is_broken: bool,
    /// Writers that wait, each perhaps more than once.
    waiting: Vec<Waker>,
    /// What is let go of when a change is committed.
    held: VecDeque<(u64, Guard)>,
}

/// Something that does its work when it is dropped.
struct Guard {
    _held: Box<dyn Any + Send>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

/// Nothing more is ever committed, and so nothing more leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub's journal has failed")]
pub(crate) struct Broken;

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        Self::other(broken)
    }
}

impl Gate {
    /// A change has this number, and so have all that were submitted before it at most. Told before
    /// anything is queued that tells of the change.
    pub(crate) fn submit(&self, number: u64) {
        self.submitted.fetch_max(number, Ordering::AcqRel);
    }

    /// The number of the latest change.
    pub(super) fn submitted(&self) -> u64 {
        self.submitted.load(Ordering::Acquire)
    }

    /// Everything up to this change is committed. What was held for that is let go of before anybody
    /// is told.
    pub(crate) fn commit(&self, number: u64) {
        let mut state = self.lock();
        state.released = number;
        let done = state.held.partition_point(|(awaited, _)| *awaited <= number);
        let free: Vec<_> = state.held.drain(..done).collect();
        drop(state);
        drop(free);
        self.change(|state| {
            if !state.is_broken {
                state.committed = number;
            }
        });
    }

    /// Nothing more will be.
    pub(crate) fn break_down(&self) {
        self.change(|state| state.is_broken = true);
    }

    /// Holds `guard` until all that was submitted by now is committed.
    pub(crate) fn hold(&self, guard: Box<dyn Any + Send>) {
        let mut state = self.lock();
        let number = self.submitted();
        if number > state.released {
            state.held.push_back((number, Guard { _held: guard }));
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.lock().is_broken
    }

    /// Whether the change with this number is committed; if not, the task is woken when that may be.
    pub(super) fn poll_committed(&self, cx: &Context<'_>, number: u64) -> Poll<Result<(), Broken>> {
        let mut state = self.lock();
        if number <= state.committed {
            return Poll::Ready(Ok(()));
        }
        if state.is_broken {
            return Poll::Ready(Err(Broken));
        }
        state.waiting.push(cx.waker().clone());
        Poll::Pending
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing that is done under the lock can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
