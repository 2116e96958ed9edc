//! What a process saw, and what in it is not over yet.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix_multiplex::testing::transcript::{Event, Transcript};
use tokio::{sync::watch, time::timeout};

use super::program::PATIENCE;

/// What a process saw. Clones are the same notes.
#[derive(Clone, Default)]
pub(super) struct Notes {
    seen: Arc<Mutex<Seen>>,
    /// Leaves of kermit to which the night has not come.
    pub(super) frogs: Tally,
    /// Leaves of ledgers to which the night has not come.
    pub(super) clerks: Tally,
    /// What is done behind a message that was heard.
    pub(super) errands: Tally,
}

#[derive(Default)]
struct Seen {
    transcript: Transcript,
    counts: Counts,
}

/// How often what happened.
pub(super) type Counts = BTreeMap<String, u64>;

impl Notes {
    pub(super) fn note(&self, event: &Event<&str>) {
        self.lock().transcript.record(event);
    }

    /// Something has happened once more.
    pub(super) fn count(&self, what: &str) {
        *self.lock().counts.entry(what.to_owned()).or_default() += 1;
    }

    /// The transcript, and each count as a comment in it.
    pub(super) fn to_lines(&self) -> String {
        let seen = self.lock();
        let counts = seen.counts.iter().map(|(what, count)| format!("# {count} {what}\n"));
        counts.chain([seen.transcript.to_lines()]).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds the counts that are comments in these lines.
pub(super) fn add_counts(lines: &str, counts: &mut Counts) {
    for line in lines.lines().map_while(|line| line.strip_prefix("# ")) {
        let (count, what) = line.split_once(' ').expect("a count and what it counts");
        let count: u64 = count.parse().expect("a count");
        *counts.entry(what.to_owned()).or_default() += count;
    }
}

/// Counts what is not over yet.
#[derive(Clone, Default)]
pub(super) struct Tally(Arc<watch::Sender<u64>>);

/// One of what a tally counts, until it is dropped.
pub(super) struct Going(Tally);

impl Tally {
    pub(super) fn begin(&self) -> Going {
        self.0.send_modify(|count| *count += 1);
        Going(self.clone())
    }

    /// Waits until nothing of it goes on.
    pub(super) async fn is_over(&self, what: &str) {
        let mut count = self.0.subscribe();
        let in_time = timeout(PATIENCE, count.wait_for(|count| *count == 0)).await.is_ok();
        assert!(in_time, "{} {what} are not done in {PATIENCE:?}", *self.0.borrow());
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
