//! What a shouter gets back.

use super::{Seq, SessionId};

/// The answer to a shout that was heard of.
///
/// ```
/// use actix_multiplex::{Receipt, Seq};
/// let receipt = Receipt::Sequenced { seq: Seq(7) };
/// assert_eq!(receipt.seq(), Seq(7));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {
    /// The object's home gave it its place in the order, and every leaf hears it there.
    Sequenced {
        /// The place.
        seq: Seq,
    },
    /// It has its place, and this is how many leaves have handled it: on request, see
    /// [`send_handled`](crate::Handle::send_handled).
    Handled {
        /// The place.
        seq: Seq,
        /// Leaves whose handlers' answers have resolved.
        by: u32,
        /// Leaves that there were when it got its place, the shouter's own included.
        of: u32,
        /// Sessions whose leaves have not said so in time, perhaps since they are away, or have
        /// parted; at most 64 of them.
        missing: Vec<SessionId>,
    },
}

impl Receipt {
    /// The shout's place in its object's order.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Sequenced { seq } | Self::Handled { seq, .. } => *seq,
        }
    }
}
