//! A hub that starts with the journal of one that was killed.

use std::time::Duration;

use bytes::Bytes;
use tokio::{task::LocalSet, time::sleep};

use super::{KERMIT, settle};
use crate::{
    hub::{
        Hub,
        directory::{Find, Make},
        repeater::Manner,
    },
    journal::{Change, Contents, Entry, Memory, Writer},
    object::{Codec, HubId, InterfaceId, Kind, Seq, SessionId},
    wire::{Refusal, Target},
};

fn in_hub_with(journal: &Memory, test: impl AsyncFnOnce(Hub)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let builder = Hub::builder().seed(1).journal(journal.clone());
    LocalSet::new().block_on(&runtime, async {
        test(builder.commits_after(|| Duration::ZERO).start().expect("starts here")).await;
    });
}

/// A journal in which this was committed.
fn committed(changes: impl IntoIterator<Item = Change>) -> Memory {
    let journal = Memory::default();
    let (writer, mut committer) = Writer::new(Box::new(journal.clone()), 0);
    writer.submit([Change::Begun(HubId([2; 16]))].into_iter().chain(changes));
    committer.commit();
    journal
}

fn make(name: &str, owner: SessionId) -> Make {
    let interface = InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 };
    let (name, manner) = (Some(name.parse().expect("a name")), Manner::default());
    let (or_find, codec, state) = (false, Codec::POSTCARD, None);
    Make { object: KERMIT, name, or_find, interface, codec, state, manner, owner }
}

#[test]
fn who_asks_once_more_for_an_object_with_a_name_because_the_answer_was_lost_has_made_it() {
    let (journal, alec, amy) = (Memory::default(), SessionId([3; 16]), SessionId([4; 16]));
    in_hub_with(&journal, async |hub| {
        let made = hub.env.directory.send(make("kermit", alec)).await.expect("it answers");
        assert!(made.expect("it is made").made.is_some());
        hub.stop().await;
    });
    in_hub_with(&journal, async |hub| {
        let again = hub.env.directory.send(make("kermit", alec)).await.expect("it answers");
        assert_eq!(again.expect("it is made already").object, KERMIT);
        let other = hub.env.directory.send(make("kermit", amy)).await.expect("it answers");
        assert!(matches!(other, Err(Refusal::NameTaken(_))), "{other:?}");
    });
}

#[test]
fn what_a_hub_goes_on_with_is_needed_until_clients_can_have_come_back() {
    let (journal, alec) = (Memory::default(), SessionId([3; 16]));
    in_hub_with(&journal, async |hub| {
        let made = hub.env.directory.send(make("kermit", alec)).await.expect("it answers");
        made.expect("it is made");
        hub.stop().await;
    });
    in_hub_with(&journal, async |hub| {
        let find = || Find::ask(&hub.env.directory, Target::Object(KERMIT), None);
        sleep(Duration::from_hours(1)).await;
        assert!(find().await.is_ok(), "nobody could connect");
        let _line = hub.local();
        sleep(Duration::from_mins(10)).await;
        assert!(matches!(find().await, Err(Refusal::Gone)), "nobody has come");
    });
}

#[test]
fn what_was_written_behind_an_objects_end_goes_when_the_hub_starts_again() {
    let (first, last, frame) = (Seq(1), Seq(1), Bytes::from_static(b"the last word"));
    let entry = Entry::Chunk { first, last, frame };
    let journal = committed([
        Change::Ended { object: KERMIT, place: 0 },
        Change::Entry { object: KERMIT, number: 7, entry },
    ]);
    in_hub_with(&journal, async |hub| {
        settle().await;
        let found = Find::ask(&hub.env.directory, Target::Object(KERMIT), None).await;
        assert!(matches!(found, Err(Refusal::Gone)), "{found:?}");
        hub.stop().await;
    });
    let contents = Contents::of(&mut journal.clone()).expect("it can be read");
    assert_eq!((contents.objects().count(), contents.records()), (0, 2), "{contents:?}");
}

#[test]
fn an_object_whose_maker_never_comes_is_nobodys_and_that_is_kept() {
    for (comes, entries) in [(true, 0), (false, 1)] {
        let (journal, alec) = (Memory::default(), SessionId([3; 16]));
        in_hub_with(&journal, async |hub| {
            let manner = Manner { asks: vec![Kind(2)], ..Manner::default() };
            let asked = Make { manner, ..make("kermit", alec) };
            let found = hub.env.directory.send(asked).await.expect("it answers");
            let made = found.expect("it is made").made.expect("just now");
            if comes {
                made.joins();
            }
            drop(made);
            settle().await;
            hub.stop().await;
        });
        let contents = Contents::of(&mut journal.clone()).expect("it can be read");
        let kept = &contents.objects[&KERMIT];
        assert_eq!(kept.entries.len(), entries, "it comes: {comes}");
    }
}
