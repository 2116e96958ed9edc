//! Good runs pass; after one mutation of any kind, the checker names what it broke.

use std::collections::BTreeMap;

use actix_multiplex::testing::transcript::{Event, Transcript, Violation, Violations};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};

use super::generate::{Run, good_run, seeded};

#[test]
fn good_runs_of_many_seeds_pass_also_as_lines() {
    each_seed(|rng| {
        let run: Transcript = good_run(rng).into_iter().collect();
        let summary = run.check_complete().unwrap();
        assert!(summary.deliveries >= 16 && summary.resyncs > 0 && summary.receipts > 0);
        assert_eq!(Transcript::parse(&run.to_lines()).unwrap().check_complete(), Ok(summary));
    });
}

#[test]
fn a_dropped_hearing_is_caught() {
    each_mutation(drop_hearing, |it| {
        use Violation::{Gap, ReceiptUnheard, Short};
        matches!(it, Gap { .. } | ReceiptUnheard { .. } | Short { .. })
    });
}

#[test]
fn a_doubled_hearing_is_caught() {
    each_mutation(double_hearing, |it| matches!(it, Violation::HeardTwice { .. }));
}

#[test]
fn two_swapped_hearings_are_caught() {
    each_mutation(swap_hearings, |it| matches!(it, Violation::OutOfOrder { .. }));
}

#[test]
fn a_changed_text_is_caught() {
    each_mutation(change_text, |it| matches!(it, Violation::Forked { .. }));
}

#[test]
fn a_receipt_with_another_seq_is_caught() {
    each_mutation(change_receipt, |it| {
        matches!(it, Violation::FalseReceipt { .. } | Violation::MisplacedReceipt { .. })
    });
}

#[test]
fn a_leaf_that_stops_early_is_caught() {
    each_mutation(truncate_leaf, |it| {
        matches!(it, Violation::Short { .. } | Violation::ReceiptUnheard { .. })
    });
}

#[test]
fn a_voice_out_of_order_is_caught_though_all_agree() {
    each_mutation(reorder_voice, |it| matches!(it, Violation::VoiceReordered { .. }));
}

#[test]
fn a_forgotten_resync_is_caught() {
    each_mutation(forget_resync, |it| {
        use Violation::{Gap, ReceiptUnheard, Short};
        matches!(it, Gap { .. } | ReceiptUnheard { .. } | Short { .. })
    });
}

#[test]
fn a_forgotten_join_is_caught() {
    each_mutation(forget_join, |it| matches!(it, Violation::NotJoined { .. }));
}

#[test]
fn a_forgotten_shout_is_caught() {
    each_mutation(forget_said, |it| {
        matches!(it, Violation::Unsaid { .. } | Violation::OutcomeUnsaid { .. })
    });
}

#[test]
fn a_refusal_of_what_was_heard_is_caught() {
    each_mutation(refuse_heard, |it| matches!(it, Violation::LostHeard { .. }));
}

#[test]
fn a_forgotten_outcome_is_caught_when_the_run_is_complete() {
    each_mutation(forget_outcome, |it| matches!(it, Violation::NoOutcome { .. }));
}

/// Many seeds, or the one in `SEED`, which repeats the run that failed.
fn each_seed(test: impl Fn(&mut StdRng)) {
    let (first, count) = match std::env::var("SEED") {
        Ok(seed) => (seed.parse().expect("SEED is a number"), 1),
        Err(_) => (0, SEEDS),
    };
    for seed in first..first + count {
        let _told = PrintSeed(seed);
        test(&mut seeded(seed));
    }
}

const SEEDS: u64 = 300;

/// Tells the seed of the run that failed.
struct PrintSeed(u64);

impl Drop for PrintSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with SEED={}", self.0);
        }
    }
}

/// Every seed's run, mutated once, must be refused, with at least one violation of that kind.
fn each_mutation(mutate: fn(&mut Run, &mut StdRng), is_named: fn(&Violation) -> bool) {
    each_seed(|rng| {
        let mut run = good_run(rng);
        mutate(&mut run, rng);
        let violations = check(run);
        assert!(violations.as_slice().iter().any(is_named), "{violations}");
    });
}

fn check(run: Run) -> Violations {
    let run: Transcript = run.into_iter().collect();
    run.check_complete().expect_err("a mutated run passes")
}

/// Not the last one before a part: a leaf may go whenever it likes.
fn drop_hearing(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| is_heard(&run[place]) && !parts_next(run, place));
    run.remove(place);
}

fn double_hearing(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| is_heard(&run[place]));
    run.insert(place, run[place].clone());
}

fn swap_hearings(run: &mut Run, rng: &mut StdRng) {
    let next_heard = |run: &Run, place| next_of_leaf(run, place).filter(|&it| is_heard(&run[it]));
    let place = pick(run, rng, |run, it| is_heard(&run[it]) && next_heard(run, it).is_some());
    let next = next_heard(run, place).unwrap();
    run.swap(place, next);
}

/// To that of another shout, or to one that was never said.
fn change_text(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| is_heard(&run[place]));
    let other = format!("shout {}", rng.random_range(0..50));
    if let Event::Heard { text, .. } = &mut run[place] {
        *text = if *text == other { format!("{other}!") } else { other };
    }
}

fn change_receipt(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| matches!(run[place], Event::Receipted { .. }));
    if let Event::Receipted { seq, .. } = &mut run[place] {
        let other = rng.random_range(1..50);
        *seq = if *seq == other { other + 1 } else { other };
    }
}

fn truncate_leaf(run: &mut Run, rng: &mut StdRng) {
    let leaf = ["leaf-0", "leaf-1", "leaf-2"].choose(rng).unwrap();
    let heard: Vec<usize> = (0..run.len())
        .filter(|&it| is_heard(&run[it]) && leaf_of(&run[it]) == Some((*leaf, "object-0")))
        .collect();
    let kept = rng.random_range(0..heard.len());
    for place in heard.into_iter().skip(kept).rev() {
        run.remove(place);
    }
}

/// Two shouts of one voice change places, for every leaf and in their receipts.
fn reorder_voice(run: &mut Run, rng: &mut StdRng) {
    let mut by_voice: BTreeMap<&str, Vec<(u64, &str)>> = BTreeMap::new();
    for event in run.iter().filter(|it| leaf_of(it) == Some(("leaf-0", "object-0"))) {
        if let Event::Heard { voice, seq, text, .. } = event {
            by_voice.entry(voice).or_default().push((*seq, text));
        }
    }
    let (voice, shouts) = by_voice.into_iter().max_by_key(|(_, shouts)| shouts.len()).unwrap();
    let [one, two] = shouts.iter().sample(rng, 2)[..] else { panic!("a voice has two shouts") };
    let (voice, one, two) = (voice.to_owned(), owned(one), owned(two));
    for event in run {
        swap_shouts(event, &voice, &one, &two);
    }
}

fn owned((seq, text): &(u64, &str)) -> (u64, String) {
    (*seq, (*text).to_owned())
}

fn swap_shouts(event: &mut Event<String>, of: &str, one: &(u64, String), two: &(u64, String)) {
    match event {
        Event::Heard { object, voice, text, seq, .. } if object == "object-0" && voice == of => {
            if *seq == one.0 {
                text.clone_from(&two.1);
            } else if *seq == two.0 {
                text.clone_from(&one.1);
            }
        }
        Event::Receipted { object, voice, seq, .. } if object == "object-0" && voice == of => {
            if *seq == one.0 {
                *seq = two.0;
            } else if *seq == two.0 {
                *seq = one.0;
            }
        }
        _ => {}
    }
}

fn forget_resync(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| {
        matches!(run[place], Event::Resynced { .. }) && !parts_next(run, place)
    });
    run.remove(place);
}

/// Not of a leaf that joined with all there was: nothing shows that it ever was there.
fn forget_join(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| {
        matches!(run[place], Event::Joined { .. }) && next_of_leaf(run, place).is_some()
    });
    run.remove(place);
}

fn forget_said(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| matches!(run[place], Event::Said { .. }));
    run.remove(place);
}

fn refuse_heard(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| matches!(run[place], Event::Receipted { .. }));
    if let Event::Receipted { voice, object, n, .. } = run[place].clone() {
        run[place] = Event::Lost { voice, object, n, why: "vetoed".into() };
    }
}

fn forget_outcome(run: &mut Run, rng: &mut StdRng) {
    let place = pick(run, rng, |run, place| {
        matches!(run[place], Event::Receipted { .. } | Event::Lost { .. } | Event::Unknown { .. })
    });
    run.remove(place);
}

fn pick(run: &Run, rng: &mut StdRng, fits: impl Fn(&Run, usize) -> bool) -> usize {
    let places = (0..run.len()).filter(|&place| fits(run, place));
    places.choose(rng).expect("every run has a place for every mutation")
}

fn is_heard(event: &Event<String>) -> bool {
    matches!(event, Event::Heard { .. })
}

fn parts_next(run: &Run, place: usize) -> bool {
    next_of_leaf(run, place).is_some_and(|next| matches!(run[next], Event::Parted { .. }))
}

/// The next event of the same leaf of the same object.
fn next_of_leaf(run: &Run, place: usize) -> Option<usize> {
    let leaf = leaf_of(&run[place]);
    (place + 1..run.len()).find(|&next| leaf_of(&run[next]) == leaf)
}

fn leaf_of(event: &Event<String>) -> Option<(&str, &str)> {
    match event {
        Event::Joined { leaf, object, .. }
        | Event::Heard { leaf, object, .. }
        | Event::Resynced { leaf, object, .. }
        | Event::Parted { leaf, object } => Some((leaf, object)),
        _ => None,
    }
}
