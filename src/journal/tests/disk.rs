//! A journal in a file: what it survives, and what each thing that is wrong with the file says.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::*;
use crate::journal::{Redb, salvage_file};

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("multiplex-journal-{}-{count}", process::id());
        Self(env::temp_dir().join(name))
    }

    /// With a journal in it in which everything is, and which is closed.
    fn kept() -> (Self, PathBuf) {
        let scratch = Self::new();
        let mut journal = Redb::open(&scratch.0).expect("opens");
        committed(&mut journal, &every_kind(), 0);
        let file = Redb::file(&scratch.0);
        (scratch, file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Why it is not opened and read.
fn refused(directory: &Path) -> JournalError {
    let opened = Redb::open(directory).and_then(|mut journal| Contents::of(&mut journal));
    opened.expect_err("is refused")
}

/// Says that this file is damaged, and what helps.
#[track_caller]
fn assert_damaged(error: &JournalError, file: &Path) {
    assert!(matches!(error, JournalError::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with(&file.display().to_string()), "{text}");
    assert!(text.contains("`multiplex journal export --salvage`"), "{text}");
}

#[test]
fn a_journal_that_is_closed_and_opened_holds_what_it_held() {
    let (scratch, file) = Scratch::kept();
    let mut memory = Memory::default();
    committed(&mut memory, &every_kind(), 0);
    for _ in 0..2 {
        let mut journal = Redb::open(&scratch.0).expect("opens");
        assert_eq!(records(&mut journal), records(&mut memory));
        assert_eq!(journal.records().expect("counts"), 8);
        journal.verify().expect("is whole");
    }
    let names = fs::read_dir(&scratch.0).expect("is there");
    let names: Vec<_> = names.map(|entry| entry.expect("is there").path()).collect();
    assert_eq!(names, [file]);
}

#[test]
fn a_journal_is_open_once() {
    let (scratch, file) = Scratch::kept();
    let _open = Redb::open(&scratch.0).expect("opens");
    let error = refused(&scratch.0);
    assert!(matches!(&error, JournalError::InUse(used) if *used == file), "{error:?}");
}

#[test]
fn one_that_has_to_be_there_is_not_made() {
    let scratch = Scratch::new();
    let error = Redb::existing(&scratch.0).expect_err("is not there");
    let JournalError::Io { what, source } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), ErrorKind::NotFound);
    assert_eq!(what, Redb::file(&scratch.0).display().to_string());
    assert!(!scratch.0.exists());
}

#[test]
fn what_a_crash_left_of_making_one_is_made_anew() {
    let scratch = Scratch::new();
    fs::create_dir(&scratch.0).expect("makes");
    for left in [&[][..], &[0; 9_000], b"half"] {
        fs::write(scratch.0.join("journal.redb.new"), left).expect("writes");
        let mut journal = Redb::open(&scratch.0).expect("opens");
        assert_eq!(records(&mut journal), []);
        drop(journal);
        fs::remove_file(Redb::file(&scratch.0)).expect("removes");
    }
}

#[test]
fn a_file_that_is_none_of_ours_is_damaged() {
    let (scratch, file) = Scratch::kept();
    let long = [b'x', 0].map(|byte| vec![byte; 100_000]);
    for text in [&b"Dear diary"[..], &long[0], &long[1], b""] {
        fs::write(&file, text).expect("writes");
        assert_damaged(&refused(&scratch.0), &file);
        assert_eq!(fs::read(&file).expect("reads"), text, "it is left as it is");
    }
}

#[test]
fn a_file_that_is_cut_off_or_has_grown_is_damaged_and_can_be_salvaged() {
    let (scratch, file) = Scratch::kept();
    let whole = fs::read(&file).expect("reads");
    for length in [1, 63, 319, 320, 4_095, 4_096, 8_192, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, &whole[..length]).expect("writes");
        assert_damaged(&refused(&scratch.0), &file);
    }
    fs::write(&file, [&whole[..], b"more"].concat()).expect("writes");
    assert_damaged(&refused(&scratch.0), &file);
    let count = salvage_file(&whole[4_096..], &mut Vec::new(), |_| {}).expect("searches");
    assert_eq!(count, 8);
}

#[test]
fn a_file_of_an_older_store_is_damaged() {
    let (scratch, file) = Scratch::kept();
    let mut bytes = fs::read(&file).expect("reads");
    (bytes[64], bytes[192]) = (1, 1);
    fs::write(&file, bytes).expect("writes");
    assert_damaged(&refused(&scratch.0), &file);
}

#[test]
fn what_the_operating_system_does_not_give_is_told_with_its_name() {
    let (scratch, file) = Scratch::kept();
    let error = refused(&file);
    assert!(matches!(error, JournalError::Io { .. }), "a file for a directory: {error:?}");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    fs::remove_file(&file).expect("removes");
    fs::create_dir(&file).expect("makes");
    let error = refused(&scratch.0);
    assert!(matches!(error, JournalError::Io { .. }), "a directory for a file: {error:?}");
    assert!(error.to_string().contains(&file.display().to_string()), "{error}");
}

#[test]
fn a_flipped_bit_in_a_record_quarantines_its_object_and_the_journal_goes_on() {
    let (scratch, file) = Scratch::kept();
    let mut bytes = fs::read(&file).expect("reads");
    let at = bytes.windows(5).position(|part| part == b"green").expect("is there");
    bytes[at] ^= 4;
    fs::write(&file, &bytes).expect("writes");
    let mut journal = Redb::open(&scratch.0).expect("opens");
    assert!(journal.verify().is_err());
    assert!(read(&mut journal).objects[&KERMIT].damage().is_some());
    committed(&mut journal, &[defined(BLOT, false)], 8);
    drop(journal);
    let mut journal = Redb::open(&scratch.0).expect("opens");
    journal.verify().expect("its pages are whole again");
    let contents = read(&mut journal);
    assert_eq!(contents.objects[&BLOT].damage(), None);
    assert!(contents.objects[&KERMIT].damage().is_some());
}

/// Root may do anything, but for this.
#[cfg(target_os = "linux")]
#[test]
fn a_place_where_nothing_can_be_made_is_told() {
    let error = refused(Path::new("/proc/multiplex"));
    assert!(matches!(error, JournalError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("/proc/multiplex"), "{error}");
}
