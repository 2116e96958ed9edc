//! Journals that lose their power by the hundred: nothing that was told is ever lost.
//!
//! `SEED=7` runs one seed, `SEEDS=50000` so many instead of the gate's 500. `RECORDS=1000000` measures
//! with so many records instead of the gate's 20,000.

#![expect(clippy::print_stdout, reason = "shown with --nocapture: what the journals went through")]
#![expect(clippy::disallowed_methods, reason = "the suite tells how long it really takes")]

use std::{
    env, fs, process,
    time::{Duration, Instant},
};

use actix_multiplex::{
    journal::{Contents, Redb},
    testing::{Disk, fill_journal, lose_power, lose_power_on},
};

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn g10_what_was_told_survives_every_loss_of_power() {
    let begun = Instant::now();
    let seeds = number("SEED").map_or(0..number("SEEDS").unwrap_or(500), |seed| seed..seed + 1);
    let count = seeds.end - seeds.start;
    let lives = lose_power(seeds).unwrap_or_else(|found| panic!("{found}"));
    println!("{count} seeds in {:?}: {lives}", begun.elapsed());
    if count >= 500 {
        for happened in [
            lives.lost_opening,
            lives.lost_committing,
            lives.lost_closing,
            lives.lost_idle,
            lives.failed,
            lives.untold,
        ] {
            assert!(happened > 0, "nothing is shown of some: {lives}");
        }
    }
}

#[test]
fn a_disk_that_lies_is_caught() {
    let found = lose_power_on(Disk::lying, 0..50).expect_err("what was told is lost");
    println!("{found}");
    assert!(found.contains("are lost") || found.contains("does not open"), "{found}");
}

/// Says how long it takes to commit, to open what was closed, and to open what was killed.
#[test]
fn as_many_records_as_were_committed_are_read_back() {
    let records = number("RECORDS").unwrap_or(20_000);
    let place = env::temp_dir().join(format!("multiplex-power-{}", process::id()));
    let mut journal = Redb::open(&place).expect("opens");
    let mut at = 0;
    for group in [1, 10, 100, 1_000] {
        let (begun, first) = (Instant::now(), at);
        while begun.elapsed() < Duration::from_millis(500) && at < records / 2 {
            fill_journal(&mut journal, at..at + group).expect("commits");
            at += group;
        }
        let commits = (at - first) / group;
        println!("{commits} commits of {group} records in {:?}", begun.elapsed());
    }
    while at < records {
        let next = records.min(at + 10_000);
        fill_journal(&mut journal, at..next).expect("commits");
        at = next;
    }
    let file = Redb::file(&place);
    println!("{at} records are a file of {} bytes", fs::metadata(&file).expect("is there").len());
    let killed = fs::read(&file).expect("reads");
    drop(journal);
    for how in ["closed", "killed"] {
        let begun = Instant::now();
        let mut journal = Redb::open(&place).expect("opens");
        let opened = begun.elapsed();
        let contents = Contents::of(&mut journal).expect("reads");
        println!("{how}: opened in {opened:?}, read after {:?}", begun.elapsed());
        assert_eq!(contents.records(), records.max(at) + 2);
        assert!(contents.objects().all(|kept| kept.damage().is_none()));
        drop(journal);
        fs::write(&file, &killed).expect("writes");
    }
    fs::remove_dir_all(place).expect("removes");
}
