//! Carrying out schedules, and judging what came of them.
//!
//! In goes a [`Schedule`]; out comes whether every promise was kept, what everybody said and heard,
//! and counts of what happened. [`search`] goes through the schedules of many seeds, and makes the
//! first that fails as short as it gets.

mod hubs;
mod model;
mod program;
mod stage;

use std::{fmt, ops::Range};

use self::{hubs::Hubs, stage::Stage};
use super::{
    schedule::Schedule,
    shrink::shrink,
    simulation::{Sim, run_with},
    stats::Stats,
    transcript::{Summary, Transcript, Violations},
};
use crate::{
    hub::faults,
    limits::{CUT_BYTES, LAG_BYTES_MAX, STATE_PIECE_BYTES, TAIL_SHOUTS_MAX},
    supervise,
};

/// What came of a schedule.
///
/// ```
/// use actix_multiplex::testing::{Schedule, simulate};
///
/// let (first, second) = (simulate(&Schedule::of(3)), simulate(&Schedule::of(3)));
/// assert_eq!(first.transcript, second.transcript);
/// assert_eq!(first.stats, second.stats);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether every promise was kept.
    pub verdict: Result<Summary, Failure>,
    /// Who said and heard what.
    pub transcript: Transcript,
    /// What happened, and how often.
    pub stats: Stats,
}

/// Which promise was broken.
///
/// ```
/// use actix_multiplex::testing::Failure;
/// let failure = Failure::Panicked { why: "no such leaf".to_owned() };
/// assert_eq!(failure.to_string(), "the simulation panicked: no such leaf");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The transcript shows it.
    #[error(transparent)]
    Broken(Violations),
    /// Nothing had happened to a client, and it has lost its connection.
    #[error("{who} has lost its connection, and nothing had happened to it")]
    Disconnected {
        /// Who.
        who: String,
    },
    /// A hub has forgotten what a client had shouted, and had not lost the client.
    #[error("a hub has forgotten what {who} had shouted")]
    Forgotten {
        /// Who.
        who: String,
    },
    /// Something panicked that no schedule had told to.
    #[error("the simulation panicked: {why}")]
    Panicked {
        /// The panic's message.
        why: String,
    },
}

/// The schedule of a seed that fails, and what is left of it when it is made short.
///
/// Printed, it is a test to paste.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Counterexample {
    /// Of the schedule that failed.
    pub seed: u64,
    /// What is left of that.
    pub shrunk: Schedule,
    /// How that fails.
    pub failure: Failure,
}

/// Carries out a schedule; then mends everything, and waits until all have come to rest.
///
/// A hub's tails are short then, its queues small, and pieces of states of a few bytes, so that who is
/// away for a while misses something, who is slow is behind, and states come in pieces.
pub fn simulate(schedule: &Schedule) -> Outcome {
    faults::hold_tails_to(TAIL_SHOUTS);
    faults::hold_lags_to(LAG_BYTES);
    faults::hold_cuts_to(CUT_AT_BYTES);
    crate::wire::set_piece_bytes(PIECE_BYTES);
    let _earlier = faults::take_tally();
    let hubs = Hubs::of(schedule);
    let next = hubs.clone();
    let run = || {
        run_with(
            schedule.seed,
            move || next.make(),
            async |sim| carry_out(sim, schedule, hubs).await,
        )
    };
    let outcome = supervise::guard(run);
    faults::hold_tails_to(TAIL_SHOUTS_MAX);
    faults::hold_lags_to(LAG_BYTES_MAX);
    faults::hold_cuts_to(CUT_BYTES);
    crate::wire::set_piece_bytes(STATE_PIECE_BYTES);
    outcome.unwrap_or_else(|why| {
        let (transcript, stats) = (Transcript::new(), Stats::default());
        Outcome { verdict: Err(Failure::Panicked { why }), transcript, stats }
    })
}

/// Carries out the schedules of these seeds.
///
/// # Errors
/// The first that fails, shrunk.
pub fn search(seeds: Range<u64>) -> Result<Stats, Box<Counterexample>> {
    let mut sum = Stats::default();
    for seed in seeds {
        let schedule = Schedule::of(seed);
        let outcome = simulate(&schedule);
        if outcome.verdict.is_err() {
            return Err(Box::new(Counterexample::of(seed, schedule)));
        }
        sum += &outcome.stats;
    }
    Ok(sum)
}

async fn carry_out(sim: &Sim, schedule: &Schedule, hubs: Hubs) -> Outcome {
    let mut stage = Stage::new(sim, schedule.has_journal(), hubs);
    for step in &schedule.steps {
        stage.take(*step).await;
    }
    let (lost, mut stats) = stage.end().await;
    let transcript = sim.transcript();
    add_stress(&mut stats, sim);
    let verdict = transcript.check_complete().map_err(Failure::Broken).and_then(|summary| {
        add_summary(&mut stats, &summary);
        match (lost, sim.forgotten()) {
            (Some(who), _) => Err(Failure::Disconnected { who }),
            (None, Some(who)) => Err(Failure::Forgotten { who }),
            (None, None) => Ok(summary),
        }
    });
    Outcome { verdict, transcript, stats }
}

fn add_stress(stats: &mut Stats, sim: &Sim) {
    let (stress, tally) = (sim.network().stress(), faults::take_tally());
    for (what, count) in [
        ("bytes", stress.bytes),
        ("catch-ups", tally.catch_ups),
        ("connections", stress.connections),
        ("cuts", stress.cuts),
        ("cuts in mid-frame", stress.cuts_mid_frame),
        ("cuts of a journal", tally.cuts_of_journals),
        ("delays", stress.delays),
        ("duplicates dropped", tally.duplicates),
        ("gaps", tally.gaps),
        ("ghosts", stress.ghosts),
        ("holds", stress.holds),
        ("lost one way", stress.lost),
        ("leaves pulled", tally.pulled),
        ("rebuilt repeaters", tally.rebuilt),
        ("resumes", tally.resumes),
        ("resyncs told", tally.resyncs),
        ("slowed", stress.slowed),
        ("snapshots", tally.snapshots),
        ("states given in pieces", tally.given_in_pieces),
        ("states told in pieces", tally.told_in_pieces),
        ("torn", stress.torn),
    ] {
        stats.add(what, count);
    }
}

fn add_summary(stats: &mut Stats, summary: &Summary) {
    for (what, count) in [
        ("deliveries", summary.deliveries),
        ("leaves", summary.leaves),
        ("receipts", summary.receipts),
        ("refused", summary.lost),
        ("resyncs heard", summary.resyncs),
        ("shouts", summary.shouts),
        ("states compared", summary.compared),
        ("unknown outcomes", summary.unknown),
    ] {
        stats.add(what, count as u64);
    }
}

impl Counterexample {
    fn of(seed: u64, schedule: Schedule) -> Self {
        let shrunk = shrink(schedule, |shorter| simulate(shorter).verdict.is_err());
        let failure = simulate(&shrunk).verdict.err();
        let none = || Failure::Panicked { why: "it fails now and then".to_owned() };
        Self { seed, shrunk, failure: failure.unwrap_or_else(none) }
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, shrunk, failure } = self;
        writeln!(
            f,
            "seed {seed} fails: {failure}\n\n#[test]\nfn seed_{seed}_keeps_its_promises() {{"
        )?;
        writeln!(f, "    use actix_multiplex::testing::{{Act::*, Schedule, Thing::*, simulate}};")?;
        writeln!(
            f,
            "    use actix_multiplex::testing::Trouble::{{Flush, Future, Handler, Notify, Timer}};"
        )?;
        writeln!(f, "    let schedule = {};", shrunk.to_string().replace('\n', "\n    "))?;
        writeln!(f, "    simulate(&schedule).verdict.expect(\"every promise is kept\");\n}}")
    }
}

/// What a journal keeps beyond a tail: a burst.
const CUT_AT_BYTES: usize = 1_024;

/// Less than a state has.
const PIECE_BYTES: usize = 4;

/// A burst is more, and what follows it within seconds is less.
const TAIL_SHOUTS: usize = 64;

/// A burst that a slow line does not take at once.
const LAG_BYTES: usize = 2_048;
