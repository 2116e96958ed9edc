//! The directory: listings in pieces, watches, and their limits.

use actix_multiplex::{
    Change,
    limits::{FRAME_BYTES_MAX, NAME_BYTES_MAX, SESSION_WATCHES_MAX},
    wire::{Changed, Entry, List, Refusal, Request, Unwatch},
};

use super::*;

fn list(request: Request, prefix: &str, watch: bool) -> List {
    List { request, prefix: prefix.to_owned(), watch }
}

async fn listed(raw: &mut Raw, request: Request) -> Vec<Vec<Entry>> {
    let mut pieces = Vec::new();
    loop {
        match raw.hear().await {
            Frame::Listed(listed) => {
                assert_eq!(listed.request, request);
                pieces.push(listed.entries);
                if listed.last {
                    return pieces;
                }
            }
            other => panic!("not listed: {other:?}"),
        }
    }
}

async fn make(raw: &mut Raw, number: u32, text: &str) {
    let mut object = [0; 16];
    object[..4].copy_from_slice(&number.to_be_bytes());
    raw.say(&create(ObjectId(object), Some(text))).await;
    assert_eq!(raw.hear().await.frame_type(), FrameType::Joined);
}

/// A name of the largest size.
fn long(number: u32) -> String {
    format!("long/{number:0>width$}", width = NAME_BYTES_MAX - 5)
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn names_come_in_order_by_prefix_and_in_pieces() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for number in (0..600).rev() {
            make(&mut marvin, number, &long(number)).await;
        }
        make(&mut marvin, 600, "longer").await;
        marvin.say(&list(1, "long/", false)).await;
        let pieces = listed(&mut marvin, 1).await;
        assert!(pieces.len() > 1 && pieces.len() < 600 * 256 / FRAME_BYTES_MAX * 2);
        let expected: Vec<_> = (0..600).map(long).collect();
        assert_eq!(names(&pieces.concat()), expected);
        for (prefix, found) in [
            ("amys", vec!["amys"]),
            ("longe", vec!["longer"]),
            ("amys2", vec![]),
            ("\u{7}", vec![]),
            ("zz", vec![]),
        ] {
            marvin.say(&list(2, prefix, false)).await;
            assert_eq!(names(&listed(&mut marvin, 2).await.concat()), found, "{prefix:?}");
        }
        marvin.say(&list(3, "", false)).await;
        assert_eq!(listed(&mut marvin, 3).await.concat().len(), 602);
    });
}

#[test]
fn a_prefix_longer_than_a_name_ends_the_connection() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&list(1, &"a".repeat(NAME_BYTES_MAX), false)).await;
        assert_eq!(listed(&mut marvin, 1).await.concat(), []);
        marvin.say(&list(1, &"a".repeat(NAME_BYTES_MAX + 1), false)).await;
        at_fault(marvin, CloseCode::BadFrame).await;
    });
}

#[test]
fn a_listing_that_no_client_could_take_is_refused_and_a_longer_prefix_is_not() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for number in 0..8_000 {
            make(&mut marvin, number, &long(number)).await;
        }
        marvin.say(&list(1, "", true)).await;
        assert!(matches!(marvin.refused(1).await, Refusal::Limit { .. }));
        // Nothing is watched either.
        make(&mut marvin, 8_000, "kermit").await;
        let prefix = &long(1_234)[..NAME_BYTES_MAX - 3];
        marvin.say(&list(2, prefix, true)).await;
        assert_eq!(listed(&mut marvin, 2).await.concat().len(), 1_000);
    });
}

#[test]
fn a_watch_is_told_of_its_own_names_until_it_ends() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let mut angus = pond.marvin().await;
        marvin.say(&list(7, "frogs/", true)).await;
        assert_eq!(listed(&mut marvin, 7).await.concat(), []);
        make(&mut angus, 1, "toads/bufo").await;
        make(&mut angus, 2, "frogs/kermit").await;
        match marvin.hear().await {
            Frame::Changed(Changed { request: 7, change: Change::Added(entry) }) => {
                assert_eq!(entry.name, name("frogs/kermit"));
            }
            other => panic!("no change: {other:?}"),
        }
        // Nobody else's watch, and none that is not there.
        angus.say(&Unwatch { request: 9, list: 7 }).await;
        angus.done(9).await;
        make(&mut angus, 3, "frogs/robin").await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Changed);
        marvin.say(&Unwatch { request: 8, list: 7 }).await;
        marvin.done(8).await;
        make(&mut angus, 4, "frogs/rowlf").await;
        marvin.say(&list(9, "frogs/", false)).await;
        assert_eq!(listed(&mut marvin, 9).await.concat().len(), 3);
    });
}

#[test]
fn watches_are_counted_by_session_and_one_too_many_is_refused() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let max = SESSION_WATCHES_MAX as u32;
        for request in 1..=max {
            marvin.say(&list(request, "none", true)).await;
            listed(&mut marvin, request).await;
        }
        marvin.say(&list(99, "none", true)).await;
        let refusal = marvin.refused(99).await;
        assert_eq!(refusal, Refusal::Limit { what: "watches".to_owned(), max });
        // Looking once is no watch, others have their own, and one that ended gives room.
        marvin.say(&list(100, "none", false)).await;
        listed(&mut marvin, 100).await;
        let mut angus = pond.marvin().await;
        angus.say(&list(1, "none", true)).await;
        listed(&mut angus, 1).await;
        marvin.say(&Unwatch { request: 101, list: 3 }).await;
        marvin.done(101).await;
        marvin.say(&list(102, "none", true)).await;
        listed(&mut marvin, 102).await;
    });
}

#[test]
fn a_list_under_the_number_of_a_watch_replaces_it_only_if_it_watches() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for request in 1..=SESSION_WATCHES_MAX as u32 {
            marvin.say(&list(request, "frogs/", true)).await;
            listed(&mut marvin, request).await;
        }
        // All numbers are in use, and all but the last are used again.
        for request in 1..SESSION_WATCHES_MAX as u32 {
            marvin.say(&list(request, "toads/", true)).await;
            listed(&mut marvin, request).await;
        }
        let last = SESSION_WATCHES_MAX as u32;
        marvin.say(&list(last, "toads/", false)).await;
        listed(&mut marvin, last).await;
        let mut angus = pond.marvin().await;
        make(&mut angus, 1, "frogs/kermit").await;
        match marvin.hear().await {
            Frame::Changed(Changed { request, change: Change::Added(entry) }) => {
                assert_eq!((request, entry.name), (last, name("frogs/kermit")));
            }
            other => panic!("no change: {other:?}"),
        }
        marvin.say(&list(99, "none", false)).await;
        listed(&mut marvin, 99).await;
    });
}
