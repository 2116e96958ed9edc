//! Counts of what simulations went through: a suite that saw nothing has shown nothing.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

/// How often what happened, by name.
///
/// ```
/// use actix_multiplex::testing::{Schedule, simulate};
///
/// let stats = simulate(&Schedule::new(1, [(0, actix_multiplex::testing::Act::Come(0))])).stats;
/// assert_eq!((stats.of("connections"), stats.of("cuts")), (1, 0));
/// assert!(stats.missing().contains(&"cuts"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats(BTreeMap<&'static str, u64>);

impl Stats {
    /// How often this happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// What never happened, of all that is to happen in a suite of a thousand seeds.
    pub fn missing(&self) -> Vec<&'static str> {
        MUST_OCCUR.into_iter().filter(|what| self.of(what) == 0).collect()
    }

    pub(super) fn add(&mut self, what: &'static str, count: u64) {
        *self.0.entry(what).or_default() += count;
    }
}

impl AddAssign<&Self> for Stats {
    fn add_assign(&mut self, more: &Self) {
        more.0.iter().for_each(|(what, count)| self.add(what, *count));
    }
}

/// One count a line.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>12} {what}"))
    }
}

/// What a suite is refused without.
const MUST_OCCUR: [&str; 38] = [
    "bytes",
    "catch-ups",
    "connections",
    "crashes",
    "cuts",
    "cuts in mid-frame",
    "cuts of a journal",
    "delays",
    "deliveries",
    "duplicates dropped",
    "falls of a leaf",
    "ghosts",
    "holds",
    "joins",
    "journals that failed",
    "late joins",
    "leaves pulled",
    "lost one way",
    "panics of a repeater",
    "parts",
    "receipts",
    "rebuilt repeaters",
    "repeats",
    "resumes",
    "resyncs heard",
    "resyncs told",
    "restarts",
    "restarts of the hub",
    "shouts",
    "slowed",
    "snapshots",
    "states given in pieces",
    "states told in pieces",
    "stalls",
    "states compared",
    "torn",
    "unknown outcomes",
    "voices",
];
