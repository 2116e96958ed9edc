//! Ops that lives of a repeater have ended at. One at which two in a row did is not tried a third
//! time.

use std::panic::resume_unwind;

use super::Repeater;
use crate::{
    hub::volley::Volley,
    object::{Op, SessionId},
    supervise::guard,
};

/// The op that is in hand, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InHand {
    pub(super) session: SessionId,
    pub(super) op: Op,
}

impl InHand {
    /// None is: ops count from 1.
    pub(super) const NOTHING: Self = Self { session: SessionId([0; 16]), op: Op(0) };
}

impl Repeater {
    /// Hears shouts. A panic goes on with the op in hand in its message: whoever logs it knows no
    /// more than that.
    pub(super) fn hear_all(&mut self, session: SessionId, volley: Volley) {
        let heard = guard(|| volley.each(|offer| self.hear(session, offer)));
        let Err(reason) = heard else { return };
        let InHand { session, op: Op(op) } = self.in_hand;
        resume_unwind(Box::new(format!("{reason}, at op {op} of session {session}")));
    }
}

/// Ops that lives have ended at.
#[derive(Debug)]
pub(super) struct Fatal {
    /// The one of the last life.
    suspect: InHand,
    /// The one of two lives in a row.
    blamed: InHand,
}

impl Default for Fatal {
    fn default() -> Self {
        Self { suspect: InHand::NOTHING, blamed: InHand::NOTHING }
    }
}

impl Fatal {
    /// A life has ended with this op in hand.
    pub(super) fn add(&mut self, in_hand: InHand) {
        if in_hand != InHand::NOTHING && in_hand == self.suspect {
            self.blamed = in_hand;
        }
        self.suspect = in_hand;
    }

    /// Whether two lives in a row have ended at it.
    pub(super) fn is_blamed(&self, session: SessionId, op: Op) -> bool {
        self.blamed == InHand { session, op }
    }
}
