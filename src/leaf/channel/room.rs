//! The shout window: how much may be under way, counted in shouts and bytes.
//!
//! Numbers, and a queue of those who want more of what all objects share. Whoever waits longer
//! sends first; the waiting itself is the [`Channel`]'s, so that a shout which waits is sent in its
//! turn whether or not anybody looks after it meanwhile.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::Channel;

/// The window at one object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    shouts: usize,
    bytes: usize,
}

/// The window in all: what a client's objects share.
#[derive(Debug)]
pub(super) struct Total(Mutex<State>);

#[derive(Debug)]
struct State {
    bytes: usize,
    /// Channels with a shout that waits for these bytes alone.
    waiting: VecDeque<Weak<Channel>>,
}

impl Room {
    pub(super) fn new(shouts: usize, bytes: usize) -> Self {
        Self { shouts, bytes }
    }

    /// Whether a shout of `bytes` fits.
    pub(super) fn fits(self, bytes: usize) -> bool {
        self.shouts > 0 && self.bytes >= bytes
    }

    /// A shout that fits is under way.
    pub(super) fn take(&mut self, bytes: usize) {
        self.shouts -= 1;
        self.bytes -= bytes;
    }

    /// The outcome of a shout is known.
    pub(super) fn give_back(&mut self, bytes: usize) {
        self.shouts += 1;
        self.bytes += bytes;
    }
}

impl Total {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Mutex::new(State { bytes, waiting: VecDeque::new() }))
    }

    /// Takes bytes, if there are enough and nobody waits for them.
    pub(super) fn try_take(&self, bytes: usize) -> bool {
        let mut state = self.lock();
        state.waiting.is_empty() && state.take(bytes)
    }

    /// Takes bytes for a channel, if it is its turn and there are enough; else it waits from now
    /// on, if it does not already (`waits`).
    pub(super) fn take_in_turn(&self, bytes: usize, who: &Weak<Channel>, waits: &mut bool) -> bool {
        let mut state = self.lock();
        let its_turn = state.waiting.front().is_none_or(|first| Weak::ptr_eq(first, who));
        if its_turn && state.take(bytes) {
            return true;
        }
        if !std::mem::replace(waits, true) {
            state.waiting.push_back(who.clone());
        }
        false
    }

    /// A channel waits no more.
    pub(super) fn leave(&self, who: &Weak<Channel>, waits: &mut bool) {
        if std::mem::take(waits) {
            self.lock().waiting.retain(|other| !Weak::ptr_eq(other, who));
        }
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.lock().bytes += bytes;
    }

    /// Lets those who wait send, in their turn, as far as there is room. The caller holds no
    /// channel's lock.
    pub(super) fn serve(&self) {
        while let Some(first) = self.first() {
            if first.is_still_waiting() {
                return;
            }
        }
    }

    fn first(&self) -> Option<Arc<Channel>> {
        let mut state = self.lock();
        loop {
            match state.waiting.front()?.upgrade() {
                Some(first) => return Some(first),
                None => state.waiting.pop_front(),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic between two changes that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, bytes: usize) -> bool {
        let is_enough = self.bytes >= bytes;
        if is_enough {
            self.bytes -= bytes;
        }
        is_enough
    }
}
