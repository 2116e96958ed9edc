//! How often a hub is ended, when, and in which way: chosen by a seed.

use std::time::Duration;

use rand::{
    RngExt, SeedableRng, TryRng,
    rngs::{StdRng, SysRng},
};

/// How a hub is ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// By SIGKILL, so long after it listens.
    Killed(Duration),
    /// By SIGKILL, so long after it was started: it may still read its journal.
    KilledEarly(Duration),
    /// By SIGTERM, so long after it listens.
    Asked(Duration),
}

/// The choices of a run.
pub(super) struct Cycles {
    pub(super) count: u64,
    pub(super) seed: u64,
    random: StdRng,
}

impl Cycles {
    pub(super) fn from_environment() -> Self {
        let number = |name| std::env::var(name).ok().map(|n| n.parse().expect("a number"));
        let seed = number("SEED").unwrap_or_else(any_seed);
        let count = number("CYCLES").unwrap_or(20);
        Self { count, seed, random: StdRng::seed_from_u64(seed) }
    }

    /// The end of the hub of this cycle, when one takes so long to listen.
    pub(super) fn end(&mut self, cycle: u64, start: Duration) -> End {
        let after = Duration::from_millis(self.random.random_range(50..2_000));
        match cycle % 10 {
            3 | 8 => End::KilledEarly(start.mul_f64(self.random.random())),
            6 => End::Asked(after),
            _ => End::Killed(after),
        }
    }
}

fn any_seed() -> u64 {
    let seed: u32 = SysRng.try_next_u32().expect("the system has randomness");
    seed.into()
}
