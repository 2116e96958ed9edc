//! The lines of other witnesses: what is written is read back, what is malformed is named.

use actix_multiplex::testing::transcript::{Event, LineError, Transcript};

#[test]
fn every_event_round_trips() {
    let run: Transcript = every_event("plain").into_iter().collect();
    assert_eq!(run.events().len(), 10);
    assert_eq!(Transcript::parse(&run.to_lines()), Ok(run));
}

#[test]
fn any_text_round_trips() {
    for text in
        ["", " ", "a b", "\t", "\n", "\r", "\r\n", "\\", "\\t", "#", "quàk \u{2028}\u{85}\0"]
    {
        let run: Transcript = every_event(text).into_iter().collect();
        let lines = run.to_lines();
        assert_eq!(lines.split('\n').count(), 10 + 1, "one line feed an event: {lines:?}");
        assert_eq!(Transcript::parse(&lines), Ok(run));
    }
}

#[test]
fn the_form_is_the_documented_one() {
    let expected = "said\tw\tw\t1\tw\nreceipted\tw\tw\t1\t2\nlost\tw\tw\t1\tw\nunknown\tw\tw\t1\n\
        joined\tw\tw\t0\nheard\tw\tw\t2\tw\tw\nresynced\tw\tw\t3\t4\nstands\tw\tw\t4\tw\n\
        parted\tw\tw\nended\tw\t5\n";
    let run: Transcript = every_event("w").into_iter().collect();
    assert_eq!(run.to_lines(), expected);
}

#[test]
fn comments_empty_lines_and_carriage_returns_say_nothing() {
    let run = Transcript::parse("# amy\r\n\r\n\nparted\tamy\tkermit\r\nparted\tb\tk").unwrap();
    assert_eq!(run.to_lines(), "parted\tamy\tkermit\nparted\tb\tk\n");
}

#[test]
fn two_transcripts_put_together_are_one() {
    let mut run = Transcript::parse("joined\tamy\tkermit\t0\n").unwrap();
    let other = Transcript::parse("ended\tkermit\t0\n").unwrap();
    run.extend(other.events());
    assert_eq!(run.to_lines(), "joined\tamy\tkermit\t0\nended\tkermit\t0\n");
    assert_ne!(run, other);
}

#[test]
fn a_word_that_names_no_event_is_refused() {
    for word in ["croaked", "Said", " said", "said "] {
        let expected = LineError::NoEvent { word: word.to_owned() };
        assert_eq!(Event::parse(&format!("{word}\ta\tb")), Err(expected));
    }
}

#[test]
fn a_line_that_ends_early_names_the_field_that_is_missing() {
    let whole: Transcript = every_event("w").into_iter().collect();
    let mut missing = Vec::new();
    for line in whole.to_lines().lines() {
        for (cut, _) in line.match_indices('\t') {
            let error = Event::parse(&line[..cut]).unwrap_err();
            let LineError::Missing { event, field } = error else { panic!("{error}") };
            assert!(line.starts_with(&event));
            missing.push(field);
        }
    }
    assert_eq!(&missing[..4], ["voice", "object", "n", "text"]);
    assert_eq!(missing.len(), 4 + 4 + 4 + 3 + 3 + 5 + 4 + 4 + 2 + 2);
}

#[test]
fn a_line_that_goes_on_names_the_first_field_too_many() {
    let whole: Transcript = every_event("w").into_iter().collect();
    for line in whole.to_lines().lines() {
        let error = Event::parse(&format!("{line}\tmore\tyet")).unwrap_err();
        assert!(matches!(error, LineError::Extra { extra, .. } if extra == "more"));
    }
}

#[test]
fn a_number_is_digits_that_fit() {
    Event::parse(&format!("ended\tkermit\t{}", u64::MAX)).unwrap();
    for found in ["", "+1", "-1", " 1", "1.0", "0x1", "one", "18446744073709551616", "١"] {
        let event = "ended".to_owned();
        let expected = LineError::NoNumber { event, field: "seq", found: found.to_owned() };
        assert_eq!(Event::parse(&format!("ended\tkermit\t{found}")), Err(expected));
    }
}

#[test]
fn a_backslash_escapes_one_of_four_letters() {
    assert!(Event::parse("parted\ta\\\\\\t\\n\\rb\tkermit").is_ok());
    for found in ["\\", "a\\", "\\x", "\\\\\\", "\\T"] {
        let event = "parted".to_owned();
        let expected = LineError::NoEscape { event, field: "leaf", found: found.to_owned() };
        assert_eq!(Event::parse(&format!("parted\t{found}\tkermit")), Err(expected));
    }
}

#[test]
fn an_error_names_its_line_counting_all() {
    let error = Transcript::parse("# first\n\nparted\ta\tk\nparted\ta\n").unwrap_err();
    assert_eq!(error.line, 4);
    assert!(matches!(error.cause, LineError::Missing { field: "object", .. }));
}

fn every_event(w: &str) -> [Event<&str>; 10] {
    [
        Event::Said { voice: w, object: w, n: 1, text: w },
        Event::Receipted { voice: w, object: w, n: 1, seq: 2 },
        Event::Lost { voice: w, object: w, n: 1, why: w },
        Event::Unknown { voice: w, object: w, n: 1 },
        Event::Joined { leaf: w, object: w, after: 0 },
        Event::Heard { leaf: w, object: w, seq: 2, voice: w, text: w },
        Event::Resynced { leaf: w, object: w, from: 3, to: 4 },
        Event::Stands { leaf: w, object: w, seq: 4, state: w },
        Event::Parted { leaf: w, object: w },
        Event::Ended { object: w, seq: 5 },
    ]
}
