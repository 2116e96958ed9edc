//! How an actor that panics is treated: how often it is restarted, and how long it rests before that.

use std::time::Duration;

use super::RestartLimit;

/// What is done with an actor that panics: a [`RestartLimit`], which alone is a policy too, and
/// perhaps a [`Backoff`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use actix_multiplex::supervise::{Backoff, Policy, RestartLimit};
///
/// let limit = RestartLimit { restarts: 3, within: Duration::from_secs(60) };
/// let backoff = Backoff { first: Duration::from_millis(100), max: Duration::from_secs(5) };
/// assert_eq!(limit.with_backoff(backoff).limit, limit);
/// assert_eq!(Policy::from(limit).backoff, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// How often it is restarted.
    pub limit: RestartLimit,
    /// How long it rests before each restart; none is not at all.
    pub backoff: Option<Backoff>,
}

impl From<RestartLimit> for Policy {
    fn from(limit: RestartLimit) -> Self {
        Self { limit, backoff: None }
    }
}

impl RestartLimit {
    /// The same limit, with a rest before each restart.
    #[must_use]
    pub const fn with_backoff(self, backoff: Backoff) -> Policy {
        Policy { limit: self, backoff: Some(backoff) }
    }
}

/// How long an actor rests before a restart: it doubles with each restart that still counts.
///
/// Meanwhile the actor takes no part: its mailbox keeps what is sent, nothing of its own runs, and
/// nobody else on its arbiter waits. The rest is by tokio's clock.
///
/// A restart counts from the panic on, so the rests are part of the limit's time. One whose rests
/// alone take longer never gives up: 5 restarts after 1, 2, 4, 8 and 16 s need more than 31 s.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use actix_multiplex::supervise::Backoff;
///
/// let backoff = Backoff { first: Duration::from_secs(1), max: Duration::from_secs(5) };
/// let rests = [1, 2, 3, 4].map(|restarts| backoff.rest_before(restarts).as_secs());
/// assert_eq!(rests, [1, 2, 4, 5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backoff {
    /// The rest before a restart while no other counts. Zero is none, however often it is doubled.
    pub first: Duration,
    /// The longest rest.
    pub max: Duration,
}

impl Backoff {
    /// The rest before the last of so many restarts that count.
    pub fn rest_before(&self, restarts: u32) -> Duration {
        let doublings = restarts.saturating_sub(1);
        let times = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(times).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_doubles_up_to_its_longest_and_never_overflows() {
        let backoff = Backoff { first: Duration::from_millis(1), max: Duration::MAX };
        assert_eq!(backoff.rest_before(0), backoff.first);
        assert_eq!(backoff.rest_before(12), Duration::from_millis(2_048));
        let longest = Duration::from_millis(u64::from(u32::MAX));
        assert_eq!([33, u32::MAX].map(|restarts| backoff.rest_before(restarts)), [longest; 2]);
        let (first, max) = (Duration::MAX, Duration::from_secs(9));
        assert_eq!(Backoff { first, max }.rest_before(2), max);
        let none = Backoff { first: Duration::ZERO, max };
        assert_eq!(none.rest_before(30), Duration::ZERO);
    }
}
