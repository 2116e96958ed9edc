//! Commits in groups, and what becomes of them when the journal fails.

use std::sync::{Arc, Mutex, mpsc};

use super::*;
use crate::journal::{Committer, Progress, Writer};

/// Records how many edits each commit has, and fails at one of them.
struct Counting {
    commits: Arc<Mutex<Vec<usize>>>,
    fails_at: usize,
    panics: bool,
}

impl Journal for Counting {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        let mut commits = self.commits.lock().expect("nobody panics under the lock");
        commits.push(edits.len());
        let is_it = commits.len() == self.fails_at;
        drop(commits);
        assert!(!is_it || !self.panics, "as it is told to");
        if is_it { Err(JournalError::Store("the disk is full".to_owned())) } else { Ok(()) }
    }

    fn read(&mut self, _each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        Ok(())
    }
}

/// A journal that fails at its `fails_at`th commit, from 1.
fn counting(fails_at: usize, panics: bool) -> (Writer, Committer, Arc<Mutex<Vec<usize>>>) {
    let commits = Arc::default();
    let journal = Counting { commits: Arc::clone(&commits), fails_at, panics };
    let (writer, committer) = Writer::new(Box::new(journal), 10);
    (writer, committer, commits)
}

#[test]
fn what_waits_when_a_commit_ends_is_in_the_next_one() {
    let (writer, mut committer, commits) = counting(0, false);
    assert_eq!(writer.submit([begun()]), 11);
    assert_eq!(committer.commit(), Progress::Committed(11));
    for number in 0..50 {
        writer.submit([chunk(KERMIT, number, number + 1, number + 1)]);
    }
    assert_eq!(writer.submit([session(ALEC), session(ALEC)]), 63);
    assert_eq!(writer.submit([]), 63);
    assert_eq!(committer.commit(), Progress::Committed(63));
    assert_eq!(*commits.lock().expect("is free"), [1, 52]);
}

#[test]
fn what_is_submitted_is_committed_under_its_number() {
    let journal = Memory::default();
    let (writer, mut committer) = Writer::new(Box::new(journal.clone()), 41);
    writer.submit(every_kind());
    assert_eq!(committer.commit(), Progress::Committed(49));
    let contents = read(&mut journal.clone());
    assert_eq!((contents.number, contents.objects.len()), (49, 1));
}

#[test]
fn nothing_is_committed_after_an_error_or_a_panic() {
    for panics in [false, true] {
        let (writer, mut committer, commits) = counting(2, panics);
        writer.submit([begun()]);
        assert_eq!(committer.commit(), Progress::Committed(11));
        writer.submit([session(ALEC)]);
        let why = if panics { "it panicked" } else { "the disk is full" };
        assert_eq!(committer.commit(), Progress::Failed(why.to_owned()));
        writer.submit([session(ALEC)]);
        assert!(matches!(committer.commit(), Progress::Failed(_)));
        assert_eq!(*commits.lock().expect("is free"), [1, 1]);
    }
}

#[test]
fn a_thread_commits_what_is_submitted_and_closes_when_all_of_it_is() {
    let journal = Memory::default();
    let (writer, committer) = Writer::new(Box::new(journal.clone()), 0);
    writer.submit(every_kind());
    writer.submit([defined(BLOT, false)]);
    writer.close();
    let (tell, told) = mpsc::channel();
    committer.spawn(move |progress| drop(tell.send(progress))).expect("there are threads");
    let told: Vec<_> = told.iter().collect();
    assert_eq!(told, [Progress::Committed(9), Progress::Closed]);
    assert_eq!(read(&mut journal.clone()).objects.len(), 2);
}

#[test]
fn a_thread_that_waits_is_woken_by_changes_and_by_the_end() {
    let (writer, committer) = Writer::new(Box::new(Memory::default()), 0);
    let (tell, told) = mpsc::channel();
    committer.spawn(move |progress| drop(tell.send(progress))).expect("there are threads");
    for number in 1..=3 {
        assert_eq!(writer.submit([begun()]), number);
        assert_eq!(told.recv(), Ok(Progress::Committed(number)));
    }
    writer.close();
    assert_eq!(told.iter().collect::<Vec<_>>(), [Progress::Closed]);
}

#[test]
fn a_thread_whose_journal_fails_says_so_and_still_ends() {
    let (writer, committer, _) = counting(1, true);
    let (tell, told) = mpsc::channel();
    committer.spawn(move |progress| drop(tell.send(progress))).expect("there are threads");
    writer.submit([begun()]);
    assert_eq!(told.recv(), Ok(Progress::Failed("it panicked".to_owned())));
    writer.close();
    assert_eq!(told.iter().last(), Some(Progress::Closed));
}
