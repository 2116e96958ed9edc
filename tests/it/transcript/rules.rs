//! Rule by rule: a good run passes, its twin yields exactly that violation.
//!
//! Runs are written as lines of the documented form, with spaces for tabs.

mod heard;
mod told;

use actix_multiplex::testing::transcript::{Summary, Transcript, Violation};

/// Asserts that a run breaks one rule only, in the way of the pattern.
macro_rules! refused_as {
    ($run:expr, $pattern:pat $(if $guard:expr)?) => {
        let violation = refused_alone(&$run);
        assert!(matches!(&violation, $pattern $(if $guard)?), "{violation:?}");
    };
}
use refused_as;

/// Alec says two things, amy and angus hear both.
const GOOD: &str = "
    joined amy kermit 0
    joined angus kermit 0
    said alec kermit 1 croak
    said alec kermit 2 hop
    receipted alec kermit 1 1
    receipted alec kermit 2 2
    heard amy kermit 1 alec croak
    heard amy kermit 2 alec hop
    heard angus kermit 1 alec croak
    heard angus kermit 2 alec hop
    ended kermit 2";

const AMY_1: &str = "heard amy kermit 1 alec croak";
const AMY_2: &str = "heard amy kermit 2 alec hop";
const ANGUS_1: &str = "heard angus kermit 1 alec croak";
const RECEIPT_1: &str = "receipted alec kermit 1 1";
const RECEIPT_2: &str = "receipted alec kermit 2 2";
const END: &str = "ended kermit 2";

#[test]
fn a_good_run_passes_and_is_counted() {
    let summary = run(GOOD).check_complete().unwrap();
    let counts = (summary.objects, summary.leaves, summary.shouts, summary.deliveries);
    assert_eq!(counts, (1, 2, 2, 4));
    assert_eq!((summary.receipts, summary.lost, summary.unknown, summary.resyncs), (2, 0, 0, 0));
    assert_eq!(passes(&unreceipted()).unknown, 2);
}

#[test]
fn nothing_passes_and_counts_as_nothing() {
    assert_eq!(Transcript::new().check_complete().unwrap(), Summary::default());
}

#[test]
fn witnesses_may_be_put_one_behind_the_other_in_any_order() {
    let (heard, rest): (Vec<_>, Vec<_>) =
        GOOD.lines().partition(|line| line.contains("joined") || line.contains("heard"));
    passes(&[heard.clone(), rest.clone()].concat().join("\n"));
    passes(&[rest, heard].concat().join("\n"));
    refused(&GOOD.lines().rev().collect::<Vec<_>>().join("\n"));
}

#[test]
fn objects_are_judged_apart() {
    let both = with(&GOOD.replace("kermit", "napkin"));
    assert_eq!(passes(&both).objects, 2);
    let missed = both.replace("heard amy napkin 1 alec croak", "");
    refused_as!(missed, Violation::ReceiptUnheard { object, .. } if object == "napkin");
}

#[test]
fn the_largest_numbers_cost_nothing_and_overflow_nothing() {
    let max = u64::MAX;
    let far = format!(
        "joined amy kermit 0\n joined angus kermit {max}\n said alec kermit {max} x
         receipted alec kermit {max} {max}\n heard amy kermit {max} alec x
         heard angus kermit {max} alec x\n resynced angus kermit {max} {max}"
    );
    let [again, told, gap] = &refused(&far)[..] else { panic!("three") };
    assert!(matches!(again, Violation::HeardCovered { seq: u64::MAX, .. }), "{again}");
    assert!(matches!(told, Violation::BadResync { .. }), "{told}");
    assert!(matches!(gap, Violation::Gap { from: 1, to, .. } if *to == max - 1), "{gap}");
}

#[test]
fn rule_10_leaves_at_one_seq_have_one_state() {
    let state = |leaf, seq, state| format!("stands {leaf} kermit {seq} {state}");
    let (amy, angus) = (state("amy", 2, "wet"), state("angus", 2, "wet"));
    assert_eq!(passes(&with(&format!("{amy}\n{angus}"))).compared, 1);
    passes(&with(&format!("{amy}\n{}", state("angus", 1, "dry"))));
    let dry = state("angus", 2, "dry");
    let differ = refused_alone(&with(&format!("{amy}\n{dry}")));
    assert!(matches!(differ, Violation::StatesDiffer { seq: 2, .. }), "{differ:?}");
}

#[test]
fn violations_print_the_first_twenty_and_count_the_rest() {
    let parts: Vec<_> = (0..25).map(|n| format!("parted leaf-{n} kermit")).collect();
    let violations = run(&parts.join("\n")).check().unwrap_err();
    assert_eq!(violations.as_slice().len(), 25);
    let printed = format!("{violations:?}");
    assert_eq!(printed.lines().count(), 1 + 20 + 1);
    assert!(printed.ends_with("and 5 more"), "{printed}");
}

fn s(text: &str) -> String {
    text.to_owned()
}

fn run(spaced: &str) -> Transcript {
    let lines: Vec<String> = spaced.lines().map(|line| tabs(line.trim())).collect();
    Transcript::parse(&lines.join("\n")).unwrap()
}

fn tabs(spaced: &str) -> String {
    spaced.replace(' ', "\t")
}

/// The good run and then more.
fn with(lines: &str) -> String {
    format!("{GOOD}\n{lines}")
}

/// The good run with some lines changed.
fn but(changes: &[(&str, &str)]) -> String {
    changed(GOOD, changes)
}

/// The good run, but nobody was told how the shouts ended.
fn unreceipted() -> String {
    but(&[(RECEIPT_1, "unknown alec kermit 1"), (RECEIPT_2, "unknown alec kermit 2")])
}

/// Panics unless each line is there: a twin that does not differ would show nothing.
fn changed(spaced: &str, changes: &[(&str, &str)]) -> String {
    let mut lines: Vec<&str> = spaced.lines().map(str::trim).collect();
    for (line, instead) in changes {
        let place = lines.iter().position(|it| it == line);
        lines[place.unwrap_or_else(|| panic!("no line `{line}`"))] = instead;
    }
    lines.join("\n")
}

fn passes(spaced: &str) -> Summary {
    run(spaced).check().unwrap()
}

fn refused(spaced: &str) -> Vec<Violation> {
    run(spaced).check().unwrap_err().into_iter().collect()
}

fn refused_alone(spaced: &str) -> Violation {
    let mut violations = refused(spaced);
    assert_eq!(violations.len(), 1, "{violations:#?}");
    violations.remove(0)
}
