//! The time that a hub tells its leaves.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Milliseconds since 1970, counted on from one look at a clock: it never goes back, and stands
/// still where tokio's clock is paused.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// use actix_multiplex::Clock;
/// assert!(Clock::starting_at(1_000).now_ms() >= 1_000);
/// # });
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start_ms: u64,
    start: Instant,
}

impl Clock {
    /// Counts from `start_ms`, which is now.
    pub fn starting_at(start_ms: u64) -> Self {
        Self { start_ms, start: Instant::now() }
    }

    /// Counts from what the operating system says now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one look at the clock, which may be replaced"
    )]
    pub fn system() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::starting_at(since_1970.as_millis() as u64)
    }

    /// Now.
    pub fn now_ms(&self) -> u64 {
        self.start_ms + self.start.elapsed().as_millis() as u64
    }
}
