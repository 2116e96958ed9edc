//! Ops that lives of a repeater have ended at: a value. One at which two in a row did is not tried
//! a third time.

use crate::object::{Op, SessionId};

/// Ops that lives have ended at.
#[derive(Debug, Default)]
pub(super) struct Fatal {
    /// The one of the last life.
    suspect: Option<(SessionId, Op)>,
    /// The one of two lives in a row.
    blamed: Option<(SessionId, Op)>,
}

impl Fatal {
    /// A life has ended with this op in hand, if any.
    pub(super) fn add(&mut self, in_hand: Option<(SessionId, Op)>) {
        if in_hand.is_some() && in_hand == self.suspect {
            self.blamed = in_hand;
        }
        self.suspect = in_hand;
    }

    /// Whether two lives in a row have ended at it.
    pub(super) fn is_blamed(&self, session: SessionId, op: Op) -> bool {
        self.blamed == Some((session, op))
    }
}
