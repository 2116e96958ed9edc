//! Errors of the disk, one by one, and bits that are flipped: the answer is the one that is defined.

use super::*;
use crate::journal::Change;

/// A journal on a disk, with its writer, after some commits.
struct Running {
    disk: Disk,
    writer: Writer,
    committer: Committer,
    workload: Workload,
    random: StdRng,
}

impl Running {
    fn new(seed: u64) -> Self {
        let disk = Disk::new(seed);
        let mut journal = Redb::open_at(PLACE, || disk.clone()).expect("opens");
        let contents = Contents::of(&mut journal).expect("is empty");
        let (writer, committer) = Writer::new(Box::new(journal), 0);
        let (workload, random) = (Workload::of(&contents), StdRng::seed_from_u64(seed));
        let mut running = Self { disk, writer, committer, workload, random };
        for _ in 0..10 {
            assert!(matches!(running.commit(), Progress::Committed(_)));
        }
        running
    }

    fn commit(&mut self) -> Progress {
        self.writer.submit(self.workload.next(&mut self.random));
        self.committer.commit()
    }

    /// Commits until that fails, and says why.
    fn fail(&mut self) -> String {
        for _ in 0..1_000 {
            match self.commit() {
                Progress::Committed(_) => {}
                Progress::Failed(why) => return why,
                Progress::Closed => panic!("nobody closes it"),
            }
        }
        panic!("nothing fails")
    }
}

fn found(disk: &Disk) -> Result<Records, JournalError> {
    records(&mut Redb::open_at(PLACE, || disk.clone())?)
}

#[test]
fn a_full_disk_stops_the_commits_and_loses_nothing() {
    let mut running = Running::new(1);
    let before = found(&running.disk.after_kill()).expect("opens");
    running.disk.fill_at(running.disk.bytes().len());
    assert_eq!(running.fail(), "the disk: no storage space", "says which and why");
    assert!(matches!(running.commit(), Progress::Failed(_)));
    let after = found(&running.disk.after_power_loss()).expect("opens");
    assert!(after.len() >= before.len() / 2 && !after.is_empty());
}

#[test]
fn an_error_of_a_write_or_a_sync_is_told_and_the_last_word() {
    for (arm, why) in [
        (Disk::fail_write_at as fn(&Disk, u64), "the disk: the disk does not write"),
        (Disk::fail_sync_at, "the disk: the disk does not sync"),
    ] {
        let mut running = Running::new(2);
        arm(&running.disk, 1);
        assert_eq!(running.fail(), why);
        let points = running.disk.points();
        assert!(matches!(running.commit(), Progress::Failed(_)));
        assert_eq!(running.disk.points(), points, "nothing is tried after it");
    }
}

/// What a journal with a bit flipped comes to.
#[derive(Debug, Default)]
struct Answers {
    same: u32,
    quarantined: u32,
    refused: u32,
    /// The last commit is not there.
    rolled_back: u32,
}

/// Flips bits, each in another copy, and sees what comes of it.
fn flip(disk: &Disk, before_last: &Records, places: impl Iterator<Item = usize>) -> Answers {
    let (bytes, mut answers) = (disk.bytes(), Answers::default());
    let kept = found(&Disk::with(bytes.clone(), 0)).expect("opens");
    for place in places {
        let mut flipped = bytes.clone();
        flipped[place / 8] ^= 1 << (place % 8);
        let opened = Redb::open_at(PLACE, || Disk::with(flipped.clone(), 0));
        let read = opened
            .and_then(|mut journal| Ok((Contents::of(&mut journal)?, records(&mut journal)?)));
        match read {
            Err(error) => {
                assert!(error.to_string().contains("damaged"), "bit {place}: {error}");
                answers.refused += 1;
            }
            Ok((_, records)) if records == kept => answers.same += 1,
            Ok((_, records)) if records == *before_last => answers.rolled_back += 1,
            Ok((contents, _)) => {
                let damaged = contents.objects().filter_map(|kept| kept.damage()).count();
                assert!(damaged + contents.damage().len() > 0, "bit {place} is not noticed");
                answers.quarantined += 1;
            }
        }
    }
    answers
}

/// Bits of the header, all of them, and many of the rest.
fn bits(disk: &Disk) -> impl Iterator<Item = usize> + use<> {
    let (bytes, mut random) = (disk.bytes(), StdRng::seed_from_u64(9));
    let used: Vec<_> = (320..bytes.len()).filter(|at| bytes[*at] != 0).collect();
    let rest = (0..3_000)
        .map(move |_| used[random.random_range(0..used.len())] * 8 + random.random_range(0..8));
    (0..320 * 8).chain(rest)
}

#[test]
fn a_flipped_bit_in_a_journal_that_was_closed_is_noticed_or_does_not_matter() {
    let running = Running::new(4);
    drop(running.committer);
    let disk = running.disk.after_kill();
    let answers = flip(&disk, &Records::new(), bits(&disk));
    assert_eq!(answers.rolled_back, 0, "{answers:?}");
    assert!(answers.refused > 0 && answers.quarantined > 0 && answers.same > 0, "{answers:?}");
}

/// After a crash redb takes what is not whole in the last commit for a commit that was cut short.
#[test]
fn a_flipped_bit_after_a_crash_costs_the_last_commit_at_most() {
    let mut running = Running::new(5);
    let before_last = found(&running.disk.after_kill()).expect("opens");
    running.writer.submit([Change::SessionEnded(crate::object::SessionId([0; 16]))]);
    assert!(matches!(running.commit(), Progress::Committed(_)));
    let disk = running.disk.after_kill();
    let answers = flip(&disk, &before_last, bits(&disk));
    assert!(answers.refused > 0 && answers.same > 0, "{answers:?}");
}
