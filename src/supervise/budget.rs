//! Counts restarts against a limit. Knows neither actor nor clock.

use tokio::time::Instant;

use super::RestartLimit;

/// The restarts that still count, oldest first.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: RestartLimit,
    /// None while there was none: most actors never panic, and each has room for this.
    spent: Option<Box<Spent>>,
}

#[derive(Debug, Default)]
struct Spent(Vec<Instant>);

impl Budget {
    pub(crate) fn new(limit: RestartLimit) -> Self {
        Self { limit, spent: None }
    }

    /// Spends one restart and says how many count now, or `None` if the limit is used up.
    pub(crate) fn spend(&mut self, now: Instant) -> Option<u32> {
        let within = self.limit.within;
        let Spent(spent) = &mut **self.spent.get_or_insert_default();
        spent.retain(|&then| now.duration_since(then) <= within);
        let count = u32::try_from(spent.len()).unwrap_or(u32::MAX);
        if count >= self.limit.restarts {
            return None;
        }
        spent.push(now);
        Some(count + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_restart_counts_until_it_is_older_than_the_window() {
        let mut budget = Budget::new(RestartLimit { restarts: 2, within: MINUTE });
        let start = Instant::now();
        assert_eq!(budget.spend(start), Some(1));
        assert_eq!(budget.spend(start + MINUTE / 2), Some(2));
        assert_eq!(budget.spend(start + MINUTE), None);
        assert_eq!(budget.spend(start + MINUTE + Duration::from_nanos(1)), Some(2));
    }

    #[test]
    fn a_refused_restart_is_not_counted() {
        let mut budget = Budget::new(RestartLimit { restarts: 1, within: MINUTE });
        let start = Instant::now();
        assert_eq!(budget.spend(start), Some(1));
        assert_eq!(budget.spend(start + MINUTE), None);
        assert_eq!(budget.spend(start + MINUTE * 3 / 2), Some(1));
    }

    #[test]
    fn never_tolerates_none() {
        assert_eq!(Budget::new(RestartLimit::NEVER).spend(Instant::now()), None);
    }
}
