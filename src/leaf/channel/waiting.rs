//! Shouts that wait: for room, and for a way to the object's home that is cut.

use std::mem;

use tokio::sync::oneshot;

use super::{Answer, Channel, Failure};
use crate::{
    object::{Kind, Op},
    wire::Draft,
};

/// A shout that has no op yet.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: u64,
    pub(super) kind: Kind,
    pub(super) said: Draft,
    pub(super) answer: Answer,
}

/// A place among the shouts that wait; dropped, the shout is not sent if it still waits.
pub(super) struct Place<'a> {
    pub(super) channel: &'a Channel,
    pub(super) ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.channel.withdraw(self.ticket);
    }
}

/// Before this op, and before this ticket, whoever awaits something has awaited it for long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Overdue {
    op: Op,
    ticket: u64,
}

impl Overdue {
    pub(crate) const NOTHING: Self = Self { op: Op(0), ticket: 0 };
}

impl Channel {
    /// Tells those who have awaited a shout for long that the way is cut. Shouts that have an op go
    /// on when it is open again; who waits for room waits no longer. What there is now is overdue
    /// the next time.
    pub(crate) fn tell_of_stall(&self, overdue: Overdue) -> Overdue {
        let mut state = self.lock();
        let late = overdue.op.0.saturating_sub(state.first_op().0) as usize;
        for flight in state.flights.iter_mut().take(late) {
            if let (true, Some(answer)) = (mem::take(&mut flight.is_awaited), &mut flight.answer) {
                let awaited = mem::replace(answer, oneshot::channel().0);
                let _nobody_waits = awaited.send(Err(Failure::Stalled));
            }
        }
        let late = state.waiting.partition_point(|waiting| waiting.ticket < overdue.ticket);
        for waiting in state.waiting.drain(..late) {
            let _nobody_waits = waiting.answer.send(Err(Failure::Full));
        }
        let next = Overdue { op: state.next_op, ticket: state.next_ticket };
        self.go_on(state);
        next
    }

    /// A shout that waits is not to be sent.
    fn withdraw(&self, ticket: u64) {
        let mut state = self.lock();
        if let Ok(place) = state.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket) {
            state.waiting.remove(place);
            self.go_on(state);
        }
    }
}
