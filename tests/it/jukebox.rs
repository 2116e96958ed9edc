//! The jukebox, as a newcomer runs it: whole transcripts, in one process and in two.

use super::process::{Program, example};

/// The jukebox, where it is, and its first lines, which say that Alec and Amy are in.
fn jukebox() -> (Program, String) {
    let jukebox = Program::start(example("jukebox"), &[]);
    let first = jukebox.line();
    let address = first.split(' ').next().expect("is told").to_owned();
    let how = "say `artist Nina Simone`, `next`, `patron carol`, `display dora`, `look` or `quit`";
    assert_eq!(first, format!("{address} is the jukebox: {how}. Others may join:"));
    let run = "cargo run --release --example jukebox";
    assert_eq!(jukebox.line(), format!("    {run} -- --connect {address}"));
    assert_eq!(jukebox.lines_to("amy heard #2"), BEGINNING);
    (jukebox, address)
}

const BEGINNING: [&str; 3] = [
    "alec heard #1 alec comes in - ♪ Thelonious Monk, track 1 ♫",
    "alec heard #2 amy comes in - ♪ Thelonious Monk, track 1 ♫",
    "amy heard #2 amy comes in - [THELONIOUS MONK | 01]",
];

#[test]
fn the_buttons_work_for_everybody_and_a_latecomer_knows_at_once_what_is_on() {
    let (mut jukebox, _) = jukebox();
    jukebox
        .say("artist Nina Simone\nnext\npatron carol\ndisplay dora\nartist Moondog\nlook\nquit\n");
    let ended = jukebox.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.errors, [""; 0]);
    assert_eq!(
        ended.lines,
        [
            "alec heard #3 change artist - ♪ Nina Simone, track 1 ♫",
            "amy heard #3 change artist - [NINA SIMONE | 01]",
            "alec heard #4 next track - ♪ Nina Simone, track 2 ♫",
            "amy heard #4 next track - [NINA SIMONE | 02]",
            "alec heard #5 carol comes in - ♪ Nina Simone, track 2 ♫",
            "amy heard #5 carol comes in - [NINA SIMONE | 02]",
            "carol heard #5 carol comes in - ♪ Nina Simone, track 2 ♫",
            "alec heard #6 dora comes in - ♪ Nina Simone, track 2 ♫",
            "amy heard #6 dora comes in - [NINA SIMONE | 02]",
            "carol heard #6 dora comes in - ♪ Nina Simone, track 2 ♫",
            "dora heard #6 dora comes in - [NINA SIMONE | 02]",
            "alec heard #7 change artist - ♪ Moondog, track 1 ♫",
            "amy heard #7 change artist - [MOONDOG | 01]",
            "carol heard #7 change artist - ♪ Moondog, track 1 ♫",
            "dora heard #7 change artist - [MOONDOG | 01]",
            "alec local look - ♪ Moondog, track 1 ♫",
            "amy local look - [MOONDOG | 01]",
            "carol local look - ♪ Moondog, track 1 ♫",
            "dora local look - [MOONDOG | 01]",
        ]
    );
}

#[test]
fn a_second_process_knows_what_is_on_and_pushes_the_button_for_all() {
    let (mut jukebox, address) = jukebox();
    jukebox.say("artist Nina Simone\nnext\n");
    jukebox.lines_to("amy heard #4");
    let mut angus = Program::start(example("jukebox"), &["--connect", &address]);
    assert_eq!(angus.line(), "angus heard #5 angus comes in - [NINA SIMONE | 02]");
    assert_eq!(
        jukebox.lines_to("amy heard #5"),
        [
            "alec heard #5 angus comes in - ♪ Nina Simone, track 2 ♫",
            "amy heard #5 angus comes in - [NINA SIMONE | 02]",
        ]
    );
    angus.say("artist Moondog\npatron bob\nquit\n");
    let ended = angus.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(
        ended.lines,
        [
            "angus heard #6 change artist - [MOONDOG | 01]",
            "angus heard #7 bob comes in - [MOONDOG | 01]",
            "bob heard #7 bob comes in - ♪ Moondog, track 1 ♫",
        ]
    );
    jukebox.lines_to("amy heard #7");
    jukebox.say("next\n");
    let ended = jukebox.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(
        ended.lines,
        [
            "alec heard #8 next track - ♪ Moondog, track 2 ♫",
            "amy heard #8 next track - [MOONDOG | 02]",
        ]
    );
}

#[test]
fn whatever_is_no_command_is_told_what_there_is_and_the_jukebox_goes_on() {
    let (mut jukebox, _) = jukebox();
    let nonsense = ["", "help", "artist", "next please", "look up", "patron", "\u{1f3b5}"];
    jukebox.say(&nonsense.map(|line| format!("{line}\n")).concat());
    // Without a last newline, and without `quit`.
    jukebox.say("artist a\u{1b}[2Jb");
    let ended = jukebox.end();
    assert!(ended.status.success(), "{ended:#?}");
    let help = "say `artist Nina Simone`, `next`, `patron carol`, `display dora`, `look` or `quit`";
    assert_eq!(ended.errors, nonsense.map(|_| format!("jukebox: {help}")));
    assert_eq!(
        ended.lines,
        [
            "alec heard #3 change artist - ♪ a?[2Jb, track 1 ♫",
            "amy heard #3 change artist - [A?[2JB | 01]",
        ]
    );
}

#[test]
fn a_patron_elsewhere_is_told_why_when_the_jukebox_is_gone() {
    is_told(|jukebox| jukebox.say("quit\n"), "connection closed by the other side: ");
    is_told(Program::kill, "connection lost: ");
}

/// Ends the jukebox. Bob, whose input stays open, says why and ends by himself.
fn is_told(end: impl Fn(&mut Program), why: &str) {
    let (mut jukebox, address) = jukebox();
    let bob = Program::start(example("jukebox"), &["--connect", &address, "--who", "bob"]);
    assert_eq!(bob.line(), "bob heard #3 bob comes in - [THELONIOUS MONK | 01]");
    end(&mut jukebox);
    let error = bob.error();
    assert!(error.starts_with(&format!("jukebox: {why}")), "{error}");
    assert_eq!(bob.end().status.code(), Some(1));
}

#[test]
fn flags_that_are_none_are_told_the_usage_and_a_hub_that_is_none_its_address() {
    let ended = Program::start(example("jukebox"), &["--help"]).end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.lines[0], "usage: jukebox [--connect tcp://HOST:PORT [--who angus]]");

    for flags in [&["--conect", "tcp://127.0.0.1:1"][..], &["--connect"], &["--who", "bob"]] {
        let ended = Program::start(example("jukebox"), flags).end();
        assert_eq!(ended.status.code(), Some(2), "{ended:#?}");
        assert_eq!(ended.errors, ["usage: jukebox [--connect tcp://HOST:PORT [--who angus]]"]);
    }
    // Port 1 is nobody's: a listener there would need to be root and is not heard of.
    let ended = Program::start(example("jukebox"), &["--connect", "tcp://127.0.0.1:1"]).end();
    assert_eq!(ended.status.code(), Some(1));
    let [error] = &ended.errors[..] else { panic!("{ended:#?}") };
    assert!(error.starts_with("jukebox: cannot reach a hub: "), "{error}");
}
