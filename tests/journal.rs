//! `multiplex journal`, as an operator runs it.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command, Output},
};

use actix_multiplex::journal::{Contents, Edit, Journal, Kept, Redb};

/// A journal in a directory that goes with the test: one object, kermit, with a state and entries
/// (of which the frames are none), a session, and an object that has ended.
struct Place {
    root: PathBuf,
}

impl Place {
    fn new(test: &str) -> Self {
        let root = env::temp_dir().join(format!("multiplex-{test}-{}", process::id()));
        fs::create_dir(&root).expect("makes a directory");
        let mut journal = Redb::open(root.join("data")).expect("opens");
        let edits: Vec<_> = RECORDS
            .lines()
            .map(|line| {
                let (key, value) = line.split_once(' ').expect("has two parts");
                Edit::Put { key: bytes(key), value: bytes(value).into() }
            })
            .collect();
        journal.commit(&edits).expect("commits");
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The file of the journal.
    fn file(&self) -> PathBuf {
        Redb::file(self.path("data"))
    }

    /// Changes bytes of the file where these are.
    fn damage(&self, what: &[u8]) {
        let mut bytes = fs::read(self.file()).expect("reads");
        let at = bytes.windows(what.len()).position(|part| part == what).expect("is there");
        bytes[at] ^= 1;
        fs::write(self.file(), bytes).expect("writes");
    }

    fn run(&self, arguments: &[&str], data: &str) -> Output {
        let data = self.path(data);
        run(arguments, &data)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.root);
    }
}

fn run(arguments: &[&str], data: &Path) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_multiplex"));
    program.arg("journal").args(arguments).arg("--data-dir").arg(data);
    program.output().expect("runs")
}

/// What it printed, after it has ended well.
#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it said on standard error, after it has ended with exit code 1.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("is hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[test]
fn ls_and_show_tell_what_is_kept() {
    let place = Place::new("look");
    let line = format!("{KERMIT} pond.frog v1 kermit #5 5 records 449 bytes pinned ok\n");
    let total = "objects 1 (449 bytes, 0 damaged), sessions 1, records 8\n";
    assert_eq!(printed(&place.run(&["ls"], "data")), format!("{line}{total}"));
    for object in ["kermit", KERMIT] {
        let shown = printed(&place.run(&["show", object], "data"));
        let rest = shown.strip_prefix(&line).expect("begins as `ls` does");
        assert_eq!(rest.lines().count(), 3, "{rest}");
        assert!(rest.contains("entry 1: shouts #3 to #5, 13 bytes"), "{rest}");
    }
    let error = refused(&place.run(&["show", "gonzo"], "data"));
    assert_eq!(error, "multiplex: there is no object gonzo\n");
}

#[test]
fn verify_names_what_is_damaged_and_fails() {
    let place = Place::new("verify");
    assert_eq!(printed(&place.run(&["verify"], "data")), "8 records are whole\n");
    place.damage(b"green");
    let output = place.run(&["verify"], "data");
    assert_eq!(refused(&output), "multiplex: 1 damaged, of 8 records\n");
    let damage = String::from_utf8_lossy(&output.stdout);
    assert!(damage.contains("kermit") && damage.contains("fails its checksum"), "{damage}");
}

#[test]
fn an_export_is_imported_as_another_hub() {
    let place = Place::new("copy");
    let file = place.path("all").display().to_string();
    printed(&place.run(&["export", &file], "data"));
    printed(&place.run(&["import", &file], "other"));
    let [old, new] = ["data", "other"].map(|data| {
        Contents::of(&mut Redb::existing(place.path(data)).expect("opens")).expect("reads")
    });
    assert!(new.hub().is_some() && new.hub() != old.hub());
    assert_eq!(new.sessions(), 0);
    let kermit = new.objects().next().expect("is there");
    assert_eq!((kermit.name(), kermit.is_pinned(), kermit.damage()), (Some("kermit"), true, None));
    let error = refused(&place.run(&["import", &file], "other"));
    assert!(error.contains("journal.redb is there: import into another directory"), "{error}");
    let error = refused(&place.run(&["export", &file], "data"));
    assert!(error.contains("cannot be made"), "nothing is overwritten: {error}");
}

#[test]
fn what_is_no_export_leaves_nothing_behind() {
    let place = Place::new("foreign");
    fs::write(place.path("diary"), "Dear diary").expect("writes");
    let diary = place.path("diary").display().to_string();
    let error = refused(&place.run(&["import", &diary], "other"));
    assert!(error.contains("what is to be imported is no journal"), "{error}");
    assert!(!Redb::file(place.path("other")).exists());
}

#[test]
fn standard_output_takes_an_export() {
    let place = Place::new("standard");
    let file = place.path("all").display().to_string();
    printed(&place.run(&["export", &file], "data"));
    let output = place.run(&["export", "-"], "data");
    assert!(output.status.success());
    assert_eq!(output.stdout, fs::read(&file).expect("reads"));
}

#[test]
fn a_damaged_record_is_left_out_by_salvage_alone() {
    let place = Place::new("salvage");
    place.damage(b"shouts 3 to 5");
    let file = place.path("all").display().to_string();
    let error = refused(&place.run(&["export", &file], "data"));
    assert!(error.contains("--salvage"), "{error}");
    let output = place.run(&["export", "--salvage", &file], "data");
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("left out: Entry(") && said.contains("records exported: 7"), "{said}");
    printed(&place.run(&["import", &file], "other"));
    let journal = &mut Redb::existing(place.path("other")).expect("opens");
    let contents = Contents::of(journal).expect("reads");
    assert_eq!(contents.objects().next().and_then(Kept::name), Some("kermit"));
}

#[test]
fn a_file_that_cannot_be_opened_is_searched() {
    let place = Place::new("search");
    place.damage(b"redb");
    let error = refused(&place.run(&["ls"], "data"));
    assert!(error.contains(&place.file().display().to_string()), "{error}");
    assert!(error.contains("`multiplex journal export --salvage`"), "{error}");
    let file = place.path("all").display().to_string();
    let output = place.run(&["export", "--salvage", &file], "data");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("records exported: 8"), "{said}");
    let output = place.run(&["import", &file], "other");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the shouts #3 to #5 are left out"), "{said}");
    assert!(said.contains("objects imported: 1"), "{said}");
}

#[test]
fn nothing_is_done_while_a_hub_has_the_journal_open() {
    let place = Place::new("in-use");
    let _open = Redb::open(place.path("data")).expect("opens");
    for command in [&["ls"][..], &["show", "kermit"], &["verify"], &["export", "-"]] {
        let error = refused(&place.run(command, "data"));
        assert!(error.contains("is in use by another process"), "{error}");
    }
    let error = refused(&place.run(&["export", "--salvage", "-"], "data"));
    assert!(error.contains("is in use by another process"), "{error}");
}

#[test]
fn where_there_is_no_journal_none_is_made() {
    let place = Place::new("none");
    let error = refused(&place.run(&["ls"], "nowhere"));
    assert!(error.contains("journal.redb"), "{error}");
    assert!(!place.path("nowhere").exists());
}

const KERMIT: &str = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

/// One of every kind.
const RECORDS: &str = include_str!("../src/journal/tests/format_1.hex");
