//! A journal that fails, or takes its time.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use actix_multiplex::{Hub, Local, Shout, journal::Memory, testing};
use tokio::time::Instant;

use super::{
    pond::{Count, Croak, client, kermit, seconds, soon, story},
    stores::Failing,
};

fn failing(panics: bool) {
    let left = Arc::new(AtomicU64::new(u64::MAX));
    let journal = Failing { memory: Memory::default(), left: left.clone(), panics };
    let sound = journal.memory.clone();
    story(journal, async |sim| {
        let (alec, log) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        left.store(0, std::sync::atomic::Ordering::SeqCst);
        let lost = kermit.try_send(Shout(Croak(2))).unwrap();
        let why = soon(sim.hub().failed()).await;
        assert!(why.contains(if panics { "panicked" } else { "the disk" }), "{why}");
        seconds(120).await;
        assert_eq!(*log.lock().unwrap(), [(1, 1)], "nobody has heard what is not kept");
        tokio::select! {
            biased;
            receipt = lost => panic!("{receipt:?} though nothing was kept"),
            () = seconds(10) => {}
        }
        soon(sim.hub().stop()).await;
    });
    story(sound, async |sim| {
        let (amy, _) = client(sim, "amy").await;
        let kermit = kermit(&amy).await;
        assert_eq!(soon(kermit.send(Shout(Croak(3)))).await.unwrap().seq().0, 2);
    });
}

#[test]
fn g10_a_commit_that_fails_is_the_end_of_receipts_and_of_the_hub() {
    failing(false);
}

#[test]
fn g10_a_journal_that_panics_is_one_that_fails() {
    failing(true);
}

#[test]
fn g5_while_a_commit_takes_long_receipts_wait_and_local_goes_on() {
    let slow = || {
        let journal = Hub::builder().journal(Memory::default());
        journal.commits_after(|| Duration::from_secs(3))
    };
    testing::run_with(1, slow, async |sim| {
        let (alec, log) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        seconds(10).await;
        let begun = Instant::now();
        let waiting = kermit.try_send(Shout(Croak(1))).unwrap();
        assert_eq!(soon(kermit.send(Local(Count))).await, Ok(0));
        seconds(1).await;
        assert!(log.lock().unwrap().is_empty(), "not even the shouter hears it");
        soon(waiting).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(3));
    });
}

#[test]
fn a_hub_that_cannot_read_its_journal_does_not_start() {
    use super::stores::Flipped;
    use actix_multiplex::{StartError, journal::JournalError};
    let journal = Memory::default();
    story(journal.clone(), async |_| seconds(1).await);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let error = Hub::builder().journal(Flipped(journal, 0)).start().unwrap_err();
        assert!(matches!(error, StartError::Journal(JournalError::Damaged { .. })), "{error}");
        assert!(error.to_string().contains("export --salvage"), "{error}");
    });
}
