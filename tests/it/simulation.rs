//! Schedules by the thousand, in which all goes wrong that can; and hubs that are broken on
//! purpose, each of which must be caught.
//!
//! `SEED=7` runs one seed, `SEEDS=5000` so many instead of the gate's 2,000.

#![expect(clippy::print_stdout, reason = "shown with --nocapture: what the suite went through")]
#![expect(clippy::disallowed_methods, reason = "the suite tells how long it really takes")]

mod authority;
mod late;
mod logs;

use std::{env, time::Instant};

use actix_multiplex::testing::{Act, Failure, Fault, Schedule, Stats, Thing, search, simulate};

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn g1_and_g2_hold_whatever_happens_to_clients_lines_and_repeaters() {
    let begun = Instant::now();
    let seeds = number("SEED").map_or(0..number("SEEDS").unwrap_or(2_000), |seed| seed..seed + 1);
    let count = seeds.end - seeds.start;
    let stats = search(seeds).unwrap_or_else(|found| panic!("{found}"));
    println!("{stats}\n{count} schedules in {:?}", begun.elapsed());
    if count >= 1_000 {
        assert_eq!(stats.missing(), [""; 0], "nothing is shown of these");
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let trace = |seed| {
        let outcome = simulate(&Schedule::of(seed));
        format!("{}{}", outcome.transcript, outcome.stats)
    };
    for seed in 10_000..10_020 {
        assert_eq!(trace(seed), trace(seed), "SEED={seed}");
    }
    assert_ne!(trace(1), trace(2));
}

#[test]
fn what_happened_in_no_schedule_is_named() {
    let quiet = simulate(&Schedule::new(1, [(0, Act::Come(0)), (1, Act::Come(1))]));
    assert!(quiet.verdict.is_ok());
    assert!(quiet.stats.missing().contains(&"cuts"));
    assert!(Stats::default().missing().len() > quiet.stats.missing().len());
}

#[test]
fn a_schedule_is_source_that_makes_it_again() {
    let shout = Act::Shout { who: 0, thing: Thing::Frog, count: 2, bytes: 1 };
    let schedule = Schedule::new(7, [(0, Act::Come(0)), (9, shout)]);
    let source = "Schedule::new(7, [\n    (0, Come(0)),\n    \
                  (9, Shout { who: 0, thing: Frog, count: 2, bytes: 1 }),\n])";
    assert_eq!(schedule.to_string(), source);
}

/// The first three shouts are too much for one chunk, and the shouter falls behind over the first.
#[test]
fn seed_72650_keeps_its_promises() {
    use actix_multiplex::testing::{Act::*, Thing::*};
    let schedule = Schedule::new(
        72650,
        [
            (0, Come(0)),
            (16764, Delay { who: 0, ms: 218 }),
            (18699, Haunt(0)),
            (18861, Shout { who: 0, thing: Frog, count: 3, bytes: 23006 }),
            (19459, Shout { who: 0, thing: Frog, count: 40, bytes: 8 }),
            (19479, Shout { who: 0, thing: Frog, count: 40, bytes: 8 }),
            (22362, Speak { who: 2, thing: Frog }),
        ],
    );
    simulate(&schedule).verdict.expect("every promise is kept");
}

/// How a broken hub is found out, within 200 seeds; the schedule that shows it is short.
#[track_caller]
fn caught(fault: Fault) -> Failure {
    let broken = fault.arm();
    let found = search(0..200).expect_err("a broken hub is caught");
    println!("{found}");
    assert!(found.shrunk.steps.len() < Schedule::of(found.seed).steps.len());
    assert!(found.to_string().contains("#[test]"));
    drop(broken);
    let sound = simulate(&found.shrunk);
    assert!(sound.verdict.is_ok(), "a sound hub passes: {:?}", sound.verdict);
    found.failure
}

#[test]
fn a_hub_that_hears_shouts_twice_is_caught() {
    caught(Fault::DedupOff);
}

#[test]
fn a_hub_that_does_not_tell_of_what_was_missed_is_caught() {
    caught(Fault::ResyncOff);
}

#[test]
fn a_hub_that_drops_a_tail_entry_is_caught() {
    caught(Fault::TailEntryDropped);
}

#[test]
fn a_hub_that_reads_a_cursor_wrongly_by_one_is_caught() {
    caught(Fault::CursorOffByOne);
}

#[test]
fn a_hub_that_forgets_an_outcome_is_caught() {
    let failure = caught(Fault::OutcomeForgotten);
    assert!(matches!(failure, Failure::Broken(_)), "{failure}");
}

#[test]
fn a_hub_that_tells_what_is_not_committed_is_caught() {
    caught(Fault::GateOpen);
}

#[test]
fn a_hub_that_forgets_over_a_restart_who_was_at_which_op_is_caught() {
    caught(Fault::MarksForgotten);
}

#[test]
fn a_hub_that_loses_the_last_shouts_over_a_restart_is_caught() {
    caught(Fault::LastEntryForgotten);
}

#[test]
fn a_hub_that_keeps_no_refusals_is_caught() {
    caught(Fault::RefusalsNotKept);
}
