//! G1 under a network that cuts, holds, delays and tears: hundreds of schedules by seed, judged by
//! the transcript checker.
//!
//! `SEED=7` runs one seed, `SEEDS=5000` so many instead of the gate's 500.

#![expect(clippy::print_stdout, reason = "shown with --nocapture: what the suite went through")]

mod late;
mod schedule;

use std::env;

use actix_multiplex::testing::{Stress, transcript::Summary};

use self::schedule::{Counts, Outcome, run};

/// What a suite of seeds has seen in all.
#[derive(Debug, Default)]
struct Totals {
    stress: Stress,
    counts: Counts,
    shouts: usize,
    deliveries: usize,
    receipts: usize,
    unknown: usize,
}

impl Totals {
    fn add(&mut self, outcome: &Outcome, summary: &Summary) {
        self.stress += outcome.stress;
        self.counts += outcome.counts;
        self.shouts += summary.shouts;
        self.deliveries += summary.deliveries;
        self.receipts += summary.receipts;
        self.unknown += summary.unknown;
    }

    /// A suite in which nothing was stressed has proved nothing.
    fn refuse_vacuous(&self) {
        let Stress { connections, bytes, cuts, cuts_mid_frame, delays, holds, torn, .. } =
            self.stress;
        let Counts { late_joins, parts, panics, bursts, voices } = self.counts;
        let unknown = self.unknown as u64;
        for (count, what) in [
            (connections, "connections"),
            (bytes, "bytes"),
            (cuts, "cuts"),
            (cuts_mid_frame, "cuts in the middle of a frame"),
            (delays, "delays"),
            (holds, "holds"),
            (torn, "torn bytes"),
            (late_joins, "late joins"),
            (parts, "parts"),
            (panics, "panics of a repeater"),
            (bursts, "bursts"),
            (voices, "shouts of voices without a leaf"),
            (unknown, "shouts of unknown outcome"),
        ] {
            assert!(count > 0, "the suite is vacuous: it saw no {what}: {self:?}");
        }
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn check(outcome: &Outcome) -> Summary {
    outcome.transcript.check_complete().unwrap_or_else(|violations| {
        panic!("SEED={}: {violations}\n{:?}", outcome.seed, outcome.steps)
    })
}

#[test]
fn g1_all_leaves_hear_one_order_through_a_bad_network() {
    if let Some(seed) = number("SEED") {
        let outcome = run(seed);
        println!("{:#?}\n{}\n{:?}", outcome.steps, outcome.transcript, check(&outcome));
        return;
    }
    let mut totals = Totals::default();
    for seed in 0..number("SEEDS").unwrap_or(500) {
        let outcome = run(seed);
        totals.add(&outcome, &check(&outcome));
    }
    println!("{totals:#?}");
    totals.refuse_vacuous();
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in 1_000..1_010 {
        let (first, second) = (run(seed), run(seed));
        assert_eq!(first.transcript.to_lines(), second.transcript.to_lines(), "SEED={seed}");
        assert_eq!(first.stress, second.stress, "SEED={seed}");
    }
    assert_ne!(run(1).transcript.to_lines(), run(2).transcript.to_lines());
}

#[test]
#[should_panic(expected = "the suite is vacuous")]
fn a_suite_that_stressed_nothing_is_refused() {
    Totals::default().refuse_vacuous();
}
