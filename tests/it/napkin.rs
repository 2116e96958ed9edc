//! The napkin, as a newcomer runs it: whole transcripts, in one process and in two.

use super::process::{Program, example};

/// The napkin and where it is, when Alec and Amy sit at it.
fn napkin() -> (Program, String) {
    let napkin = Program::start(example("napkin"), &[]);
    let first = napkin.line();
    let address = first.split(' ').next().expect("is told").to_owned();
    assert_eq!(first, format!("{address} has the napkin: {HELP}. Others may join:"));
    let run = "cargo run --release --example napkin";
    assert_eq!(napkin.line(), format!("    {run} -- --connect {address}"));
    assert_eq!(napkin.lines_to("amy sits down"), ["alec sits down", "amy sits down"]);
    (napkin, address)
}

#[test]
fn a_blot_is_dragged_by_one_dropped_for_all_rotated_everywhere_and_there_for_a_latecomer() {
    let (mut napkin, _) = napkin();
    napkin.say("blot 2 1 ^\nblot 0 0 o\ndrag 1 5 1\nshow\n");
    napkin.say("drop 1\nrotate 1 90\nrotate 2 90\nguest carol\nshow\nrotate 1 180\nshow\nquit\n");
    let ended = napkin.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.errors, [""; 0]);
    assert_eq!(
        ended.lines,
        [
            "alec heard napkin #1 draw - blot 1",
            "amy heard napkin #1 draw - blot 1",
            "alec heard napkin #2 draw - blot 2",
            "amy heard napkin #2 draw - blot 2",
            "alec local drag - blot 1 at 7,2",
            "alec          amy",
            "o...........  o...........",
            "............  ..^.........",
            ".......^....  ............",
            "............  ............",
            "alec heard blot 1 #1 lie - ^ at 7,2",
            "amy heard blot 1 #1 lie - ^ at 7,2",
            "alec heard blot 1 #2 rotate 90 - > at 7,2",
            "amy heard blot 1 #2 rotate 90 - > at 7,2",
            "alec heard blot 2 #1 rotate 90 - o at 0,0",
            "amy heard blot 2 #1 rotate 90 - o at 0,0",
            "carol sits down",
            "alec          amy           carol",
            "o...........  o...........  o...........",
            "............  ............  ............",
            ".......>....  .......>....  .......>....",
            "............  ............  ............",
            "alec heard blot 1 #3 rotate 180 - < at 7,2",
            "amy heard blot 1 #3 rotate 180 - < at 7,2",
            "carol heard blot 1 #3 rotate 180 - < at 7,2",
            "alec          amy           carol",
            "o...........  o...........  o...........",
            "............  ............  ............",
            ".......<....  .......<....  .......<....",
            "............  ............  ............",
        ]
    );
}

#[test]
fn a_blot_that_is_dragged_stays_so_whatever_others_do_and_a_latecomer_sees_nothing_of_it() {
    let (mut napkin, address) = napkin();
    napkin.say("blot 1 1 |\ndrag 1 4 0\n");
    napkin.lines_to("alec local drag - blot 1 at 5,1");
    let mut angus = Program::start(example("napkin"), &["--connect", &address]);
    angus.lines_to("heard blot 1 #1 glance");
    // Angus moves it and turns it. Alec still holds it where he did, and sees it turned.
    angus.say("drag 1 1 0\ndrop 1\nrotate 1 90\nquit\n");
    assert!(angus.end().status.success());
    napkin.lines_to("amy heard blot 1 #3 rotate 90 - - at 2,1");
    napkin.say("guest carol\nshow\nquit\n");
    let ended = napkin.end();
    assert_eq!(
        ended.lines,
        [
            "carol sits down",
            "alec          amy           carol",
            "............  ............  ............",
            ".....-......  ..-.........  ..-.........",
            "............  ............  ............",
            "............  ............  ............",
        ]
    );
}

#[test]
fn a_second_process_sees_the_same_napkin_and_its_blots_come_back_to_the_first() {
    let (mut napkin, address) = napkin();
    napkin.say("blot 2 1 ^\nrotate 1 90\n");
    napkin.lines_to("amy heard blot 1 #1");
    let mut angus = Program::start(example("napkin"), &["--connect", &address, "--who", "angus"]);
    assert_eq!(
        angus.lines_to("heard blot 1"),
        [
            "angus sits down",
            "angus heard napkin #2 glance",
            "angus heard blot 1 #2 glance - > at 2,1",
        ]
    );
    assert_eq!(
        napkin.lines_to("amy heard blot 1 #2"),
        [
            "alec heard napkin #2 glance",
            "amy heard napkin #2 glance",
            "alec heard blot 1 #2 glance - > at 2,1",
            "amy heard blot 1 #2 glance - > at 2,1",
        ]
    );
    angus.say("show\nblot 11 3 v\n");
    // Two objects have no common order, so each is awaited before the other is shouted at.
    assert_eq!(
        napkin.lines_to("amy heard napkin #3"),
        ["alec heard napkin #3 draw - blot 2", "amy heard napkin #3 draw - blot 2"]
    );
    angus.say("rotate 1 90\nquit\n");
    let ended = angus.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(
        ended.lines,
        [
            "angus",
            "............",
            "..>.........",
            "............",
            "............",
            "angus heard napkin #3 draw - blot 2",
            "angus heard blot 1 #3 rotate 90 - v at 2,1",
        ]
    );
    // Angus is gone; his blot is not.
    napkin.lines_to("amy heard blot 1 #3");
    napkin.say("rotate 2 270\nshow\n");
    let ended = napkin.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(
        ended.lines,
        [
            "alec heard blot 2 #1 rotate 270 - > at 11,3",
            "amy heard blot 2 #1 rotate 270 - > at 11,3",
            "alec          amy",
            "............  ............",
            "..v.........  ..v.........",
            "............  ............",
            "...........>  ...........>",
        ]
    );
}

#[test]
fn whatever_is_no_command_is_told_what_there_is_and_the_napkin_goes_on() {
    let (mut napkin, _) = napkin();
    let wrong = [
        ("", HELP),
        ("help", HELP),
        ("blot 2 1", HELP),
        ("blot two 1 ^", HELP),
        ("blot 12 0 ^", "the napkin ends at 11,3"),
        ("blot 0 -1 ^", HELP),
        ("blot 1 1 ^^", "a blot's mark is one character, as ^"),
        ("rotate 1 45", "a blot is turned by quarters: 90, 180 or 270"),
        ("rotate 1 90", "there is no blot 1 here"),
        ("drag 0 1 1", "blots count from 1"),
    ];
    napkin.say(&wrong.map(|(line, _)| format!("{line}\n")).concat());
    // Without a last newline, and without `quit`.
    napkin.say("blot 0 0 x\ndrag 1 -2147483648 2147483647\ndrag 1 1 -1");
    let ended = napkin.end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.errors, wrong.map(|(_, why)| format!("napkin: {why}")));
    assert_eq!(
        ended.lines,
        [
            "alec heard napkin #1 draw - blot 1",
            "amy heard napkin #1 draw - blot 1",
            "alec local drag - blot 1 at 0,3",
            "alec local drag - blot 1 at 1,2",
        ]
    );
}

#[test]
fn a_guest_elsewhere_is_told_why_when_the_hub_is_gone() {
    is_told(|napkin| napkin.say("quit\n"), "connection closed by the other side: ");
    is_told(Program::kill, "connection lost: ");
}

/// Ends the hub. Angus, whose input stays open, says why and ends by himself.
fn is_told(end: impl Fn(&mut Program), why: &str) {
    let (mut napkin, address) = napkin();
    let angus = Program::start(example("napkin"), &["--connect", &address]);
    angus.lines_to("angus heard napkin #1 glance");
    end(&mut napkin);
    let error = angus.error();
    assert!(error.starts_with(&format!("napkin: {why}")), "{error}");
    assert_eq!(angus.end().status.code(), Some(1));
}

#[test]
fn flags_that_are_none_are_told_the_usage_and_a_hub_that_is_none_its_address() {
    let ended = Program::start(example("napkin"), &["--help"]).end();
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.lines[0], "usage: napkin [--connect tcp://HOST:PORT [--who angus]]");

    for flags in [&["--conect", "tcp://127.0.0.1:1"][..], &["--connect"], &["--who", "bob"]] {
        let ended = Program::start(example("napkin"), flags).end();
        assert_eq!(ended.status.code(), Some(2), "{ended:#?}");
        assert_eq!(ended.errors, ["usage: napkin [--connect tcp://HOST:PORT [--who angus]]"]);
    }
    // Port 1 is nobody's: a listener there would need to be root and is not heard of.
    let ended = Program::start(example("napkin"), &["--connect", "tcp://127.0.0.1:1"]).end();
    assert_eq!(ended.status.code(), Some(1));
    let [error] = &ended.errors[..] else { panic!("{ended:#?}") };
    assert!(error.starts_with("napkin: cannot reach a hub: "), "{error}");
}

const HELP: &str = "say `blot 2 1 ^`, `drag 1 5 1`, `drop 1`, `rotate 1 90`, `show`, \
                    `guest carol` or `quit`";
