//! What a shouter gets back.

use super::Seq;

/// The answer to a shout that was heard of.
///
/// ```
/// use actix_multiplex::{Receipt, Seq};
/// let receipt = Receipt::Sequenced { seq: Seq(7) };
/// assert_eq!(receipt.seq(), Seq(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {
    /// The object's home gave it its place in the order, and every leaf hears it there.
    Sequenced {
        /// The place.
        seq: Seq,
    },
}

impl Receipt {
    /// The shout's place in its object's order.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Sequenced { seq } => *seq,
        }
    }
}
