//! The examples, as a newcomer runs them: the pond through a pipe, and frogs of other programs.

use std::collections::BTreeSet;

use super::process::{Program, example};

/// Who wrote a line, in which process, and what: `<who> pid=<pid> <what>`.
#[derive(Debug)]
struct Entry {
    who: String,
    pid: u32,
    what: String,
}

impl Entry {
    fn read(line: &str) -> Option<Self> {
        let (who, rest) = line.split_once(" pid=")?;
        let (pid, what) = rest.split_once(' ')?;
        Some(Self { who: who.to_owned(), pid: pid.parse().ok()?, what: what.to_owned() })
    }
}

fn entries(lines: &[String]) -> Vec<Entry> {
    lines.iter().filter_map(|line| Entry::read(line)).collect()
}

/// Who wrote down what begins so, in order of their names.
fn who<'a>(entries: &'a [Entry], what: &str) -> Vec<&'a str> {
    let mut names: Vec<_> = entries
        .iter()
        .filter(|entry| entry.what == what || entry.what.starts_with(&format!("{what} ")))
        .map(|entry| entry.who.as_str())
        .collect();
    names.sort_unstable();
    names
}

fn pids(entries: &[Entry]) -> BTreeSet<u32> {
    entries.iter().map(|entry| entry.pid).collect()
}

#[test]
fn four_leaves_in_two_processes_hear_a_croak_one_the_local_one_and_three_the_hop() {
    let mut pond = Program::start(example("pond"), &[]);
    pond.say("croak\nlocal croak\nhop 2\nquit\n");
    let ended = pond.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.errors, [""; 0]);

    let entries = entries(&ended.lines);
    assert_eq!(who(&entries, "joined kermit"), ["alec", "amy", "angus", "marvin"]);
    assert_eq!(who(&entries, "heard #1 croak"), ["alec", "amy", "angus", "marvin"]);
    assert_eq!(who(&entries, "local croak"), ["alec"]);
    assert_eq!(who(&entries, "heard #2 hop 2"), ["alec", "amy", "angus"]);
    assert_eq!(who(&entries, "heard #3 goodnight"), ["alec", "amy", "angus"]);
    assert_eq!(entries.len(), 4 + 4 + 1 + 3 + 3, "{entries:#?}");
    assert_eq!(pids(&entries).len(), 2);
    assert!(!ended.lines.iter().any(|line| line.contains('\u{7}')), "a bell in a pipe");

    let angus = entries.iter().find(|entry| entry.what.starts_with("heard #1 croak"));
    assert!(angus.is_some());
    let text = "heard #1 croak - kermit: *croak*";
    assert_eq!(who(&entries, text), ["angus"]);
}

#[test]
fn the_end_of_input_is_heard_after_all_that_came_before_even_without_a_last_newline() {
    let mut pond = Program::start(example("pond"), &[]);
    pond.say("hop 1\nhop 2\nhop 3");
    let ended = pond.end();
    assert!(ended.status.success(), "{ended:#?}");
    let entries = entries(&ended.lines);
    let wanted = [
        "joined kermit",
        "heard #1 hop 1",
        "heard #2 hop 2",
        "heard #3 hop 3",
        "heard #4 goodnight",
    ];
    for who in ["alec", "amy", "angus", "marvin"] {
        let mine = entries.iter().filter(|entry| entry.who == who);
        let said: Vec<_> = mine.map(|entry| entry.what.split(" - ").next().unwrap()).collect();
        assert_eq!(said, wanted, "{who}");
    }
}

#[test]
fn whatever_is_no_command_gets_a_line_of_help_and_the_pond_goes_on() {
    let mut pond = Program::start(example("pond"), &[]);
    pond.lines_to("--connect");
    for nonsense in ["help", "hop far", "hop -1", "", "croak croak", "\u{1f438}"] {
        pond.say(&format!("{nonsense}\n"));
        let line = pond.line();
        assert!(line.starts_with("say `croak`"), "{nonsense}: {line}");
    }
    pond.say("list\n");
    assert!(pond.line().starts_with("kermit is a pond.frog v1, "));
    pond.say("local hop 7\n");
    assert!(pond.line().contains(" local hop 7 "));
    assert!(pond.end().status.success());
}

#[test]
fn nothing_is_left_running_when_the_pond_is_killed() {
    let mut pond = Program::start(example("pond"), &[]);
    let joined = pond.lines_to("--connect");
    assert_eq!(pids(&entries(&joined)).len(), 2);
    pond.kill();
    let ended = pond.end();
    assert!(!ended.status.success());
    assert!(ended.errors[0].starts_with("angus: connection lost: "), "{ended:#?}");
}

#[test]
fn a_frog_of_another_program_hears_the_pond_and_leaves_alone() {
    let mut pond = Program::start(example("pond"), &[]);
    let joined = pond.lines_to(" is the pond");
    let address = joined.last().and_then(|line| line.split(' ').next()).expect("is told");
    let mut bob = Program::start(example("frog"), &["--connect", address, "--who", "bob"]);
    bob.lines_to("bob pid=");
    pond.say("hop 1\n");
    bob.lines_to("heard #1 hop 1 ");
    bob.say("hop 2\n");
    pond.lines_to("heard #2 hop 2 ");
    bob.say("quit\n");
    let ended = bob.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert!(ended.lines.iter().any(|line| line.contains("heard #3 goodnight ")), "{ended:#?}");

    pond.say("hop 4\n");
    pond.lines_to("heard #4 hop 4 ");
    assert!(pond.end().status.success());
}

#[test]
fn a_frog_leaves_with_everybody_when_the_pond_closes() {
    let mut pond = Program::start(example("pond"), &[]);
    let joined = pond.lines_to(" is the pond");
    let address = joined.last().and_then(|line| line.split(' ').next()).expect("is told");
    let bob = Program::start(example("frog"), &["--connect", address]);
    bob.lines_to("joined kermit");
    pond.say("quit\n");
    assert!(pond.end().status.success());
    let ended = bob.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert!(ended.lines.iter().any(|line| line.contains("heard #1 goodnight ")), "{ended:#?}");
}

#[test]
fn a_frog_without_a_hub_says_so_once_and_with_wrong_flags_how_it_is_used() {
    // Port 1 is nobody's: a listener there would need to be root and is not heard of.
    let ended = Program::start(example("frog"), &["--connect", "tcp://127.0.0.1:1"]).end();
    assert_eq!(ended.status.code(), Some(1));
    let [error] = &ended.errors[..] else { panic!("{ended:#?}") };
    assert!(error.starts_with("frog: cannot reach a hub: "), "{error}");
    assert_eq!(error.matches("tcp://127.0.0.1:1").count(), 1, "{error}");

    let ended = Program::start(example("frog"), &["--conect", "tcp://127.0.0.1:1"]).end();
    assert_eq!(ended.status.code(), Some(2));
    assert!(ended.errors[0].starts_with("usage: frog --connect "), "{ended:#?}");
}
