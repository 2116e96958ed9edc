//! Receipts of a higher grade: kept open behind the ordinary ones until the hub tells who has
//! handled the shout, or cannot tell any more.

use super::{Answer, Channel, State};
use crate::{
    limits::WINDOW_SHOUTS,
    object::{Op, Receipt, Seq},
    wire::Handled,
};

impl Channel {
    /// The hub tells who has handled a shout.
    pub(crate) fn handled(&self, handled: Handled) {
        let Handled { op, seq, by, of, missing, .. } = handled;
        let receipt = Receipt::Handled { seq, by, of, missing };
        let mut state = self.lock();
        match state.graded.remove(&op) {
            Some((_, answer)) => {
                let _nobody_waits = answer.send(Ok(receipt));
            }
            None => {
                state.land(op, Ok(receipt));
            }
        }
        self.go_on(state);
    }
}

impl State {
    /// A shout that asked has its place; its receipt waits for who handles it. Of more than a hub
    /// would tell of, the first waits no longer.
    pub(super) fn await_grade(&mut self, op: Op, seq: Seq, answer: Answer) {
        self.graded.insert(op, (seq, answer));
        if self.graded.len() > WINDOW_SHOUTS {
            self.graded.pop_first().into_iter().for_each(settle_for_place);
        }
    }

    /// The hub may have lost count of who has handled what has its place: that is the receipt.
    pub(super) fn settle_for_less(&mut self) {
        std::mem::take(&mut self.graded).into_iter().for_each(settle_for_place);
    }

    /// What was sequenced before `next_op` was, as far as its outcome is still to be told, in a life
    /// of the connection or of the repeater that is over.
    pub(super) fn settle_before(&mut self, next_op: Op) {
        let below = next_op.0.saturating_sub(self.first_op().0) as usize;
        self.flights.iter_mut().take(below).for_each(|flight| flight.is_graded = false);
    }
}

/// The place alone is the receipt.
fn settle_for_place((_, (seq, answer)): (Op, (Seq, Answer))) {
    let _nobody_waits = answer.send(Ok(Receipt::Sequenced { seq }));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;
    use crate::{
        leaf::channel::{Line, Link, Receipted},
        object::{HubId, Kind, ObjectId, SessionId},
        wire::{Draft, Limits, Verdict},
    };

    const OBJECT: ObjectId = ObjectId([1; 16]);

    fn channel() -> Arc<Channel> {
        let (session, hub) = (SessionId([2; 16]), HubId([3; 16]));
        let line = Line { queue: Arc::default(), session, hub, is_up: true };
        Channel::open(OBJECT, Arc::new(Link::new(line, Limits::default())), Op(1))
    }

    /// A shout that asks, and has its place.
    fn place(channel: &Channel, op: u64) -> Receipted {
        let mut said = Draft::new(&()).expect("is small");
        said.handled_within_ms = Some(1_000);
        let receipted = channel.try_send(Kind(1), said).expect("has room");
        channel.settle(Op(op), Verdict::Sequenced { seq: Seq(op), count: 1 });
        receipted
    }

    #[test]
    fn of_more_than_a_window_of_shouts_that_wait_the_first_has_its_place_for_receipt() {
        let channel = channel();
        let mut waiting: Vec<_> =
            (1..=WINDOW_SHOUTS as u64).map(|op| place(&channel, op)).collect();
        assert!((&mut waiting[0]).now_or_never().is_none());
        waiting.push(place(&channel, WINDOW_SHOUTS as u64 + 1));
        let first = (&mut waiting[0]).now_or_never().expect("waits no longer");
        assert_eq!(first.expect("has its place"), Receipt::Sequenced { seq: Seq(1) });
        assert!((&mut waiting[1]).now_or_never().is_none());
    }
}
