//! Losing the power under a journal, over and over: what it had committed is there each time.
//!
//! In goes a seed; out comes how often what went wrong, or the first thing that was not as it has to
//! be. A hub has no part in this: changes like a hub's go through a writer to a [`Disk`].

#[cfg(test)]
mod tests;
mod workload;

use std::{
    collections::BTreeMap,
    fmt,
    ops::{AddAssign, Range},
    panic::catch_unwind,
};

use bytes::Bytes;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use self::workload::Workload;
use super::Disk;
use crate::journal::{Committer, Contents, Edit, Journal, JournalError, Progress, Redb, Writer};

/// What happened to journals that lost their power, and how often.
///
/// ```
/// let lives = actix_multiplex::testing::lose_power(0..2).expect("nothing is lost");
/// assert!(lives.begun >= 2);
/// println!("{lives}");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lives {
    /// Times that a journal was opened, or was to be.
    pub begun: u64,
    /// Commits that were told.
    pub committed: u64,
    /// Times the power was lost while a journal was opened.
    pub lost_opening: u64,
    /// While it committed.
    pub lost_committing: u64,
    /// While it was closed.
    pub lost_closing: u64,
    /// While it had nothing to do, or was closed.
    pub lost_idle: u64,
    /// Times that a write or a sync failed, or the disk was full.
    pub failed: u64,
    /// Commits that were not told, and were there afterwards.
    pub untold: u64,
}

/// Writes journals on disks that lose their power and fail, several times each: one journal for each
/// seed.
///
/// # Errors
/// The first seed after which something that was told is not there, or something is there in part,
/// or the journal does not open, or anything panics; and what.
pub fn lose_power(seeds: Range<u64>) -> Result<Lives, String> {
    lose_power_on(Disk::new, seeds)
}

/// As [`lose_power`], with a disk of the caller's for each seed.
///
/// # Errors
/// As there.
pub fn lose_power_on(disk: fn(u64) -> Disk, seeds: Range<u64>) -> Result<Lives, String> {
    let mut lives = Lives::default();
    for seed in seeds {
        let story = catch_unwind(|| Story::new(disk(seed), seed).run());
        let ended = story.unwrap_or_else(|_| Err("it panicked".to_owned()));
        lives += ended.map_err(|why| format!("SEED={seed}: {why}"))?;
    }
    Ok(lives)
}

/// Commits one shout of 100 bytes for each number of a range, all in one: to measure a journal by. The
/// first range begins with 0.
///
/// ```
/// use actix_multiplex::{journal::{Contents, Memory}, testing::fill_journal};
/// let mut journal = Memory::default();
/// fill_journal(&mut journal, 0..5)?;
/// fill_journal(&mut journal, 5..9)?;
/// assert_eq!(Contents::of(&mut journal)?.records(), 2 + 9);
/// # Ok::<(), actix_multiplex::journal::JournalError>(())
/// ```
///
/// # Errors
/// The journal's.
pub fn fill_journal(journal: &mut impl Journal, numbers: Range<u64>) -> Result<(), JournalError> {
    let (mut edits, first) = (Vec::new(), numbers.start);
    if first == 0 {
        for change in workload::beginning() {
            change.edits(0, &mut edits);
        }
    }
    for number in numbers {
        workload::entry(number).edits(number, &mut edits);
    }
    journal.commit(&edits)
}

/// Every record of a journal.
type Records = BTreeMap<Vec<u8>, Bytes>;

/// One journal, over several lives.
struct Story {
    seed: u64,
    random: StdRng,
    disk: Disk,
    /// All that was told.
    told: Records,
    /// That, and what was not told and may be there.
    untold: Option<Records>,
    lives: Lives,
}

impl Story {
    /// On a disk on which a journal was begun: its file has its name only when that is whole.
    fn new(disk: Disk, seed: u64) -> Self {
        drop(Redb::open_at(PLACE, || disk.clone()).expect("nothing goes wrong yet"));
        let (random, told) = (StdRng::seed_from_u64(seed), Records::new());
        Self { seed, random, disk, told, untold: None, lives: Lives::default() }
    }

    fn run(mut self) -> Result<Lives, String> {
        for life in 0..self.random.random_range(2..5) {
            self.lives.begun += 1;
            self.arm(life);
            match self.open()? {
                Some((journal, contents)) => self.live(journal, &contents)?,
                None => self.lives.lost_opening += u64::from(self.disk.has_lost_power()),
            }
            let has_power = !self.disk.has_lost_power();
            self.lives.failed += u64::from(has_power && self.disk.has_failed());
            let is_kill = has_power && self.random.random();
            let Self { disk, .. } = &self;
            self.disk = if is_kill { disk.after_kill() } else { disk.after_power_loss() };
        }
        let (journal, _) = self.open()?.ok_or("it does not open, and nothing is wrong")?;
        journal.verify().map_err(|error| error.to_string())?;
        Ok(self.lives)
    }

    /// Decides what goes wrong. Over many seeds the power is lost at every point of a first life.
    fn arm(&mut self, life: u64) {
        let point = match life {
            0 => 1 + self.seed % POINTS,
            _ => self.random.random_range(1..POINTS / 2),
        };
        match self.random.random_range(0..8) {
            0 => self.disk.fail_write_at(point),
            1 => self.disk.fail_sync_at(point),
            2 => self.disk.fill_at(self.disk.bytes().len() + 4_096 * point as usize),
            _ => self.disk.lose_power_at(point),
        }
    }

    /// Opens the journal, and looks whether everything is there; none if the disk fails meanwhile.
    fn open(&mut self) -> Result<Option<(Redb, Contents)>, String> {
        let mut journal = match Redb::open_at(PLACE, || self.disk.clone()) {
            Ok(journal) => journal,
            Err(error) if self.is_expected(&error.to_string()) => return Ok(None),
            Err(error) => return Err(format!("it does not open: {error}")),
        };
        let found = records(&mut journal).map_err(|error| error.to_string())?;
        match self.untold.take() {
            Some(untold) if found == untold => {
                self.lives.untold += u64::from(found != self.told);
                self.told = untold;
            }
            _ if found == self.told => {}
            _ => return Err(difference(&self.told, &found)),
        }
        let contents = Contents::of(&mut journal).map_err(|error| error.to_string())?;
        let damaged = contents.objects().find_map(|kept| kept.damage());
        match damaged.or(contents.damage().first().map(String::as_str)) {
            Some(damage) => Err(damage.to_owned()),
            None => Ok(Some((journal, contents))),
        }
    }

    /// Whether the disk can have led to this error, and no panic has.
    fn is_expected(&self, error: &str) -> bool {
        self.disk.has_failed() && !error.contains("panicked")
    }

    /// Commits until the disk fails or it has been enough, and closes the journal or does not.
    fn live(&mut self, journal: Redb, contents: &Contents) -> Result<(), String> {
        let mut workload = Workload::of(contents);
        let (writer, mut committer) = Writer::new(Box::new(journal), contents.number);
        for _ in 0..self.random.random_range(0..40) {
            if !self.commit(&writer, &mut committer, &mut workload)? {
                self.lives.lost_committing += u64::from(self.disk.has_lost_power());
                break;
            }
        }
        if self.disk.has_failed() {
            drop(committer);
        } else if self.random.random() {
            drop(committer);
            let lost = if self.disk.has_lost_power() {
                &mut self.lives.lost_closing
            } else {
                &mut self.lives.lost_idle
            };
            *lost += 1;
        } else {
            self.lives.lost_idle += 1;
            // What is found is decided before the journal is closed.
            let found = self.disk.after_power_loss();
            drop(committer);
            self.disk = found;
        }
        Ok(())
    }

    /// Makes some changes, and has them committed; whether they are.
    fn commit(
        &mut self,
        writer: &Writer,
        committer: &mut Committer,
        workload: &mut Workload,
    ) -> Result<bool, String> {
        let changes = workload.next(&mut self.random);
        let last = writer.submit(changes.iter().cloned());
        let (mut after, mut edits) = (self.told.clone(), Vec::new());
        for (change, number) in changes.iter().zip(last + 1 - changes.len() as u64..) {
            change.edits(number, &mut edits);
        }
        for edit in edits {
            apply(edit, &mut after);
        }
        match committer.commit() {
            Progress::Committed(number) if number == last => {
                self.told = after;
                self.lives.committed += 1;
                Ok(true)
            }
            Progress::Failed(why) if self.is_expected(&why) => {
                self.untold = Some(after);
                Ok(false)
            }
            other => Err(format!("a commit up to {last} ended as {other:?}")),
        }
    }
}

fn records(journal: &mut Redb) -> Result<Records, JournalError> {
    let mut records = Records::new();
    journal.read(&mut |key, value| {
        records.insert(key.to_vec(), Bytes::copy_from_slice(value));
    })?;
    Ok(records)
}

fn apply(edit: Edit, records: &mut Records) {
    match edit {
        Edit::Put { key, value } => drop(records.insert(key, value)),
        Edit::Remove { from, to } => records.retain(|key, _| *key < from || *key >= to),
    }
}

fn difference(told: &Records, found: &Records) -> String {
    let lost = told.iter().filter(|(key, _)| !found.contains_key(*key)).count();
    let other = found.iter().filter(|(key, value)| told.get(*key) != Some(value)).count();
    format!("of {} records that were told {lost} are lost; {other} are others", told.len())
}

impl AddAssign for Lives {
    fn add_assign(&mut self, other: Self) {
        self.begun += other.begun;
        self.committed += other.committed;
        self.lost_opening += other.lost_opening;
        self.lost_committing += other.lost_committing;
        self.lost_closing += other.lost_closing;
        self.lost_idle += other.lost_idle;
        self.failed += other.failed;
        self.untold += other.untold;
    }
}

impl fmt::Display for Lives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lives of journals, {} commits; the power was lost {} times while opening, {} while \
             committing, {} while closing, {} while idle; {} other errors; {} commits were there \
             and had not been told",
            self.begun,
            self.committed,
            self.lost_opening,
            self.lost_committing,
            self.lost_closing,
            self.lost_idle,
            self.failed,
            self.untold
        )
    }
}

/// What errors call the disk.
const PLACE: &str = "the disk";
/// Writes of a first life among which the power is lost.
const POINTS: u64 = 240;
