//! What becomes of leaves that are too slow for what is shouted: the hub's policy.

use std::fmt;

use crate::{
    object::{InterfaceId, Name},
    supervise::guard,
};

/// What becomes of a leaf for which more is queued than the hub keeps for one connection (4 MiB).
///
/// ```
/// use actix_multiplex::{Hub, SlowLeaves};
/// // Prices that are late are worth nothing; everything else waits for who is slow.
/// let builder = Hub::builder().slow_leaves(|interface, _name| {
///     match interface.tag.as_str() {
///         "market.prices" => SlowLeaves::Disconnect,
///         _ => SlowLeaves::Resync,
///     }
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowLeaves {
    /// What is queued of the object is dropped. The leaf is given it again as its client reads: the
    /// shouts, as long as the object's tail has them, and else the state.
    #[default]
    Resync,
    /// Its connection is closed as too slow. The client comes back after a rest, and goes on from
    /// where it was.
    Disconnect,
}

/// Which policy an object has.
pub(super) struct Policy(Box<dyn Of>);

trait Of: Fn(&InterfaceId, Option<&Name>) -> SlowLeaves + Send + Sync {}

impl<F: Fn(&InterfaceId, Option<&Name>) -> SlowLeaves + Send + Sync> Of for F {}

impl Policy {
    pub(super) fn new(
        of: impl Fn(&InterfaceId, Option<&Name>) -> SlowLeaves + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(of))
    }

    /// Of an object that is about to be made; where that panics, the default.
    pub(super) fn of(&self, interface: &InterfaceId, name: Option<&Name>) -> SlowLeaves {
        guard(|| (self.0)(interface, name)).unwrap_or_else(|why| {
            tracing::error!(%interface, why, "the choice of a policy for slow leaves panicked");
            SlowLeaves::default()
        })
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(|_, _| SlowLeaves::default())
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policy")
    }
}
