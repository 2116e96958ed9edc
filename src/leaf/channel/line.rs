//! The connection behind a client's channels, and what a channel does when there is another one.
//!
//! A channel keeps its shouts while the connection is gone. A session that goes on awaits them from
//! some op on; to a new one those that were not sent are numbered anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Channel, Failure, Flight, Gone, Link, Phase, State};
use crate::{
    connection::Queue,
    object::{HubId, Op, SessionId},
    wire::{Frame, Limits, encode_with},
};

/// What a client is connected by.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) queue: Arc<Queue>,
    pub(crate) session: SessionId,
    pub(crate) hub: HubId,
    /// Whether it is there. If not, it is the last one that was.
    pub(crate) is_up: bool,
}

/// While it lives, the hub is told of no object, so that nobody speaks past a change of line.
pub(crate) struct Switching<'a> {
    link: &'a Link,
    _publishing: MutexGuard<'a, u64>,
}

impl Link {
    /// The connection as it is now.
    pub(crate) fn line(&self) -> Line {
        self.locked_line().clone()
    }

    /// Begins to change the line.
    pub(crate) fn switch(&self) -> Switching<'_> {
        Switching { link: self, _publishing: self.publishing() }
    }

    /// Whether a hub allows as much under way as the first one did, by which this client goes on.
    pub(crate) fn can_live_with(&self, limits: &Limits) -> bool {
        let Limits { window_shouts, window_bytes, window_total_bytes, .. } = self.limits;
        limits.window_shouts >= window_shouts
            && limits.window_bytes >= window_bytes
            && limits.window_total_bytes >= window_total_bytes
    }

    pub(super) fn publishing(&self) -> MutexGuard<'_, u64> {
        lock(&self.publishing)
    }

    fn locked_line(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }
}

impl Switching<'_> {
    /// There is no connection any more.
    pub(crate) fn take_down(&self) {
        self.link.locked_line().is_up = false;
    }

    /// There is another one.
    pub(crate) fn put_up(&self, line: Line) {
        *self.link.locked_line() = line;
    }
}

impl Channel {
    /// Shouts go on; what the hub awaits from `next_op` on is sent again. Says whether the home has
    /// forgotten what was before.
    pub(crate) fn resume(&self, next_op: Op) -> bool {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Paused) {
            return false;
        }
        state.phase = Phase::Open;
        state.settle_before(next_op);
        let is_forgotten = next_op < state.first_op();
        state.number_anew(next_op);
        state.send_again(next_op);
        state.ask_again(self.object);
        self.go_on(state);
        is_forgotten
    }

    /// There is another connection, of the same session: shouts wait until the hub has said where
    /// to go on.
    pub(crate) fn reconnect(&self, queue: &Arc<Queue>) {
        self.lock().queue = queue.clone();
    }

    /// Sends what is under way once more, as if it might be lost.
    #[cfg(feature = "testing")]
    pub(crate) fn send_all_again(&self) {
        let mut state = self.lock();
        let first = state.first_op();
        state.send_again(first);
    }

    /// There is another connection, of a session that has shouted nothing yet. What was sent has
    /// no outcome any more; what was not goes on.
    pub(crate) fn renew(&self, queue: &Arc<Queue>, gone: &Gone) {
        let mut state = self.lock();
        state.queue = queue.clone();
        if matches!(state.phase, Phase::Ended(_) | Phase::Offline(_)) {
            return;
        }
        state.next_op = Op(1);
        state.end_asks(gone, false);
        for flight in std::mem::take(&mut state.flights) {
            state.start_anew(flight, gone);
        }
        self.go_on(state);
    }

    /// What tells the hub of the object, and its place among those, while that is not answered.
    pub(crate) fn birth(&self) -> Option<(u64, Bytes)> {
        self.lock().birth.clone()
    }

    /// The hub knows the object.
    pub(crate) fn is_born(&self) {
        let mut state = self.lock();
        state.birth = None;
        state.ask_again(self.object);
    }
}

impl State {
    /// The hub awaits an op that does not fit those under way: what was sent it has forgotten, what
    /// was not is numbered anew.
    pub(super) fn number_anew(&mut self, next_op: Op) {
        let first = self.first_op();
        let is_unsent = self.flights.iter().all(|flight| !flight.is_sent);
        if next_op == first || (next_op > first && !is_unsent) {
            return;
        }
        self.next_op = next_op;
        for flight in std::mem::take(&mut self.flights) {
            self.start_anew(flight, &Gone::Forgotten);
        }
    }

    /// A shout of a session that is no more: it goes on if it was not sent.
    fn start_anew(&mut self, mut flight: Flight, gone: &Gone) {
        if !flight.is_sent {
            flight.frame = numbered(&flight.frame, self.next_op);
            self.next_op = self.next_op.next();
            self.flights.push_back(flight);
        } else if let Some(answer) = flight.answer.take() {
            self.room.give_back(flight.bytes);
            self.landed_bytes += flight.bytes;
            let _nobody_waits = answer.send(Err(Failure::Unknown(gone.clone())));
        }
    }
}

/// A shout's frame with another op.
fn numbered(frame: &Bytes, op: Op) -> Bytes {
    match Frame::decode(&frame.slice(LENGTH_BYTES..)) {
        Ok(Frame::Shout(mut shout, payload)) => {
            shout.op = op;
            encode_with(&shout, &payload)
        }
        // It was written here, as a shout.
        _ => frame.clone(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under either lock can panic between two changes.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of a frame's length, in front of it.
const LENGTH_BYTES: usize = 4;
