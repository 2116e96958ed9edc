//! The example about asks, as a newcomer runs it.

use super::process::{Program, example};

#[test]
fn what_a_picture_does_not_know_its_original_answers_and_then_its_heir() {
    let ended = Program::start(example("original"), &[]).end();
    assert!(ended.status.success(), "{ended:#?}");
    let lines = [
        "amy's kermit says croak?",
        "alec steps on the scales",
        "amy's kermit weighs 23 g",
        "angus has no kermit, and hears CROAK",
        "marvin hears #1: kermit is mine now",
        "marvin steps on the scales",
        "amy's kermit weighs 4000 g",
    ];
    assert_eq!(ended.lines, lines);
}
