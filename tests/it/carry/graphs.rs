//! G3 in graphs of objects that carry each other: a thousand schedules by seed. Every leaf is made
//! before its carrier is heard, every shout at a carried object is heard or contained in its state,
//! and all leaves of an object end with the same state.
//!
//! `SEED=7` runs one seed, `SEEDS=5000` so many instead of the gate's 1,000.

#![expect(clippy::print_stdout, reason = "shown with --nocapture: what the suite went through")]

mod book;
mod model;
mod nodes;
mod stage;
mod steps;

use std::{env, ops::AddAssign};

use actix_multiplex::{BindError, testing::Stress};

use self::{
    book::{Bound, Life, Outcome, Page},
    model::judge,
    stage::{Story, run},
};

/// What a suite of seeds has seen in all.
#[derive(Debug, Default)]
struct Totals {
    stress: Stress,
    counts: Vec<(&'static str, u64)>,
}

impl AddAssign<&Story> for Totals {
    fn add_assign(&mut self, story: &Story) {
        self.stress += story.stress;
        let counts = story.book.see(|page| counts(page, story));
        if self.counts.is_empty() {
            self.counts = counts;
            return;
        }
        for ((_, sum), (_, more)) in self.counts.iter_mut().zip(counts) {
            *sum += more;
        }
    }
}

impl Totals {
    /// A suite in which nothing was stressed has proved nothing.
    fn refuse_vacuous(&self) {
        let Stress { cuts, delays, holds, torn, .. } = self.stress;
        let weather = [("cuts", cuts), ("delays", delays), ("holds", holds), ("torn bytes", torn)];
        assert!(!self.counts.is_empty(), "the suite is vacuous: it saw no schedule");
        for (what, count) in self.counts.iter().chain(&weather) {
            assert!(*count > 0, "the suite is vacuous: it saw no {what}: {self:?}");
        }
    }
}

/// What happened in a schedule, and how often.
fn counts(page: &Page, story: &Story) -> Vec<(&'static str, u64)> {
    let heard = || page.bounds.iter().filter(|bound| !bound.is_in_a_state);
    let number = |is_it: &dyn Fn(&Bound) -> bool| heard().filter(|bound| is_it(bound)).count();
    let found = |is_it: &dyn Fn(&book::Found) -> bool| {
        number(&|bound| bound.outcome.as_ref().is_ok_and(is_it))
    };
    let missing = |is_it: &dyn Fn(&BindError) -> bool| {
        number(&|bound| bound.outcome.as_ref().is_err_and(is_it))
    };
    let unbound =
        page.leaves.iter().filter(|life| life.stopped.is_some() && !life.was_bound).count();
    let shouts = page.said.iter().filter(|said| matches!(said.outcome, Outcome::Heard(_))).count();
    let shouts_ended = page.said.iter().filter(|it| matches!(it.outcome, Outcome::Ended(..)));
    let destroyed = page.destroyed();
    let was_held = |life: &Life| life.stopped.is_some_and(|stop| stop.was_held);
    let leaves_ended =
        page.leaves.iter().filter(|life| was_held(life) && destroyed.contains(&life.object));
    let pending = number(&|bound| page.makes_wait(bound.object, bound.at, bound.at));
    let rows = [
        ("shouts heard", shouts),
        ("references bound where they are heard", found(&|_| true)),
        ("references of a state", page.bounds.len() - heard().count()),
        ("carriers that had to wait", found(&|found| found.is_fresh)),
        ("states followed two deep", found(&|found| found.is_fresh && !found.beyond.is_empty())),
        ("circles closed", found(&|found| found.is_in_a_circle)),
        ("prefixes compared", number(&|it| it.told.is_some_and(|told| told.count > 0))),
        ("opaque references", missing(&|it| matches!(it, BindError::NotImplemented { .. }))),
        ("opaque references bound later", page.bound_later as usize),
        ("carriers of objects that were pending", pending),
        ("late ones", missing(&|it| *it == BindError::Late)),
        ("refused ones", missing(&|it| matches!(it, BindError::Refused(_)))),
        ("unknown ones", missing(&|it| *it == BindError::Gone)),
        ("objects that the hub did not take", story.refused.len()),
        ("leaves that parted unbound", unbound),
        ("objects destroyed", destroyed.len()),
        ("carriers heard of destroyed objects", number(&|it| page.is_ending(it.object, it.at))),
        ("leaves ended with their objects", leaves_ended.count()),
        ("shouts ended with their objects", shouts_ended.count()),
        ("names opened anew", page.anew()),
        ("changes that nobody heard", page.drags as usize),
        ("panics of a repeater", story.panics as usize),
    ];
    rows.into_iter().map(|(what, count)| (what, count as u64)).collect()
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

fn check(story: &Story) {
    let wrong = story.book.see(|page| judge(page, story));
    assert!(wrong.is_empty(), "SEED={}:\n{}\n{:?}", story.seed, wrong.join("\n"), story.plan);
}

fn trace(story: &Story) -> String {
    story.book.see(|page| {
        let asked = (&page.decisions, &page.endings, &page.met);
        format!("{:?}", (&page.leaves, &page.bounds, asked, &page.said, story.stress))
    })
}

#[test]
fn g3_every_graph_of_carried_objects_is_ready_when_it_is_heard() {
    if let Some(seed) = number("SEED") {
        let story = run(seed);
        println!("{:#?}\n{}", story.plan, trace(&story).replace("}, ", "},\n"));
        return check(&story);
    }
    let mut totals = Totals::default();
    for seed in 0..number("SEEDS").unwrap_or(1_000) {
        let story = run(seed);
        check(&story);
        totals += &story;
    }
    println!("{totals:#?}");
    totals.refuse_vacuous();
}

#[test]
fn the_same_seed_gives_the_same_graph() {
    for seed in 1_000..1_010 {
        assert_eq!(trace(&run(seed)), trace(&run(seed)), "SEED={seed}");
    }
    assert_ne!(trace(&run(1)), trace(&run(2)));
}

#[test]
#[should_panic(expected = "the suite is vacuous")]
fn a_suite_of_graphs_that_saw_nothing_is_refused() {
    Totals::default().refuse_vacuous();
}
