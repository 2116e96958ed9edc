//! Records that are not whole, or not what they should be: each is named, and the rest served.

use super::*;
use crate::journal::record::{Key, seal};

/// A journal in memory with everything in it, of which this record is changed.
fn changed(key: Key, change: impl Fn(&mut Vec<u8>)) -> Memory {
    let mut journal = Memory::default();
    committed(&mut journal, &every_kind(), 0);
    committed(&mut journal, &[defined(BLOT, false), chunk(BLOT, 0, 1, 1)], 8);
    let key = key.encode();
    let found = records(&mut journal).into_iter().find(|(found, _)| *found == key);
    let mut value = found.expect("is there").1.to_vec();
    change(&mut value);
    journal.commit(&[Edit::Put { key, value: value.into() }]).expect("commits");
    journal
}

#[test]
fn a_flipped_bit_in_a_record_of_an_object_quarantines_that_object_alone() {
    for key in [
        Key::Definition(KERMIT),
        Key::State(KERMIT),
        Key::Marks(KERMIT),
        Key::Entry(KERMIT, 1),
        Key::Entry(KERMIT, 2),
    ] {
        let contents = read(&mut changed(key, |value| value[30] ^= 4));
        let damage = contents.objects[&KERMIT].damage().expect("is quarantined");
        assert_eq!(damage, format!("{key:?} fails its checksum"));
        assert_eq!(contents.objects[&BLOT].damage(), None);
        assert_eq!(contents.damage(), [""; 0]);
    }
}

#[test]
fn a_flipped_bit_in_a_session_drops_that_session_with_a_word() {
    let key = Key::Session(ALEC);
    let contents = read(&mut changed(key, |value| value[30] ^= 4));
    assert_eq!(contents.sessions(), 0);
    assert_eq!(contents.damage(), [format!("{key:?} fails its checksum")]);
    assert!(contents.objects().all(|kept| kept.damage().is_none()));
}

#[test]
fn a_flipped_bit_in_the_journals_own_record_refuses_it() {
    let refused = Contents::of(&mut changed(Key::Hub, |value| value[20] ^= 4));
    let Err(JournalError::Damaged { place, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(place, "the journal's first record");
}

#[test]
fn a_journal_that_says_nothing_of_itself_is_refused() {
    let mut journal = Memory::default();
    committed(&mut journal, &[session(ALEC)], 0);
    let refused = Contents::of(&mut journal);
    assert!(matches!(refused, Err(JournalError::Damaged { .. })), "{refused:?}");
}

#[test]
fn a_newer_format_is_refused_with_its_number() {
    // Whatever else a later version says there.
    let key = Key::Hub.encode();
    let value = seal(&key, 1, &[&[7, 1, 2, 3]]);
    let mut journal = Memory::default();
    journal.commit(&[Edit::Put { key, value }]).expect("commits");
    let refused = Contents::of(&mut journal);
    let Err(error @ JournalError::Newer { found: 7, known: 1 }) = refused else {
        panic!("{refused:?}")
    };
    assert!(error.to_string().contains("format 7, which is newer than 1"));
}

#[test]
fn a_record_at_another_ones_key_is_damage() {
    let entry = seal(&Key::Entry(KERMIT, 7).encode(), 3, &[b"whole"]);
    let journal = changed(Key::Entry(KERMIT, 1), |value| *value = entry.to_vec());
    assert!(read(&mut journal.clone()).objects[&KERMIT].damage().is_some());
}

#[test]
fn a_record_that_is_whole_and_cannot_be_understood_is_damage() {
    let key = Key::State(KERMIT);
    let contents = read(&mut changed(key, |value| *value = seal(&key.encode(), 9, &[]).to_vec()));
    let damage = contents.objects[&KERMIT].damage().expect("is quarantined");
    assert_eq!(damage, format!("{key:?} is whole, and cannot be understood"));
}

#[test]
fn a_key_that_is_none_is_told() {
    let mut journal = Memory::default();
    committed(&mut journal, &every_kind(), 0);
    let (key, value) = (vec![9, 9], seal(&[9, 9], 1, &[]));
    journal.commit(&[Edit::Put { key, value }]).expect("commits");
    assert_eq!(read(&mut journal).damage(), ["a record has a key that is none: [09, 09]"]);
}

#[test]
fn records_that_do_not_fit_each_other_are_damage() {
    let (kermit, blank) = (defined(KERMIT, true), state(KERMIT, 0, b""));
    for (changes, why) in [
        (vec![begun(), kermit.clone()], "its state is missing"),
        (vec![begun(), chunk(KERMIT, 0, 1, 1)], "its definition is missing"),
        (
            vec![begun(), kermit.clone(), blank.clone(), chunk(KERMIT, 1, 1, 1)],
            "entry 0 is missing before 1",
        ),
        (
            vec![begun(), kermit.clone(), blank.clone(), chunk(KERMIT, 0, 2, 2)],
            "shout #2 does not follow those before it",
        ),
        (
            vec![begun(), kermit, blank, chunk(KERMIT, 0, 1, 2), chunk(KERMIT, 1, 4, 4)],
            "shout #4 does not follow those before it",
        ),
    ] {
        assert_eq!(after(&changes).objects[&KERMIT].damage(), Some(why));
    }
}
