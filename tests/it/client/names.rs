//! Names, as a client lists and watches them.

use actix_multiplex::{Change, Entry, ListError, limits, wire::Refusal};
use futures_util::{FutureExt, StreamExt};

use super::{
    pond::{Handles, TextFrog, TextNewt, Weight, client, hub, paused, settle, soon},
    wire::Wire,
};

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn thousands_of_names_are_listed_in_order_by_their_beginning() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        TextNewt::at(&alec);
        let mut kept: Handles = Vec::new();
        for n in (0..5_000).rev() {
            let name = format!("frog.{n:04}");
            kept.push(alec.create::<TextFrog>(Some(&name), Weight(0)).await.unwrap());
        }
        let newt = alec.create::<TextNewt>(Some("frob"), ()).await.unwrap();
        let amy = client(hub.local(), 2).await;
        let all = soon(amy.list("frog.")).await.unwrap();
        let expected: Vec<_> = (0..5_000).map(|n| format!("frog.{n:04}")).collect();
        assert!(names(&all).into_iter().eq(expected.iter().map(String::as_str)));
        assert_eq!(all[7].object, kept[4_992].object());
        assert_eq!(all[7].interface.to_string(), "pond.frog v1");
        let tenth = soon(amy.list("frog.001")).await.unwrap();
        assert!(names(&tenth).into_iter().eq(expected[10..20].iter().map(String::as_str)));
        let some = soon(amy.list("fro")).await.unwrap();
        assert_eq!((some.len(), some[0].object), (5_001, newt.object()));
        assert_eq!(soon(amy.list("")).await.unwrap().len(), 5_001);
        assert_eq!(soon(amy.list("frogs")).await, Ok(vec![]));
        assert_eq!(soon(amy.list("\n")).await, Ok(vec![]));
    });
}

#[test]
fn a_watch_tells_of_every_name_that_comes_and_begins_so() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        let _first = alec.create::<TextFrog>(Some("frog.a"), Weight(0)).await.unwrap();
        let amy = client(hub.local(), 2).await;
        let mut watching = soon(amy.watch("frog.")).await.unwrap();
        assert_eq!(names(watching.names()), ["frog.a"]);
        let _other = alec.create::<TextFrog>(Some("toad.a"), Weight(0)).await.unwrap();
        let second = alec.create::<TextFrog>(Some("frog.b"), Weight(0)).await.unwrap();
        let third = alec.create::<TextFrog>(None, Weight(0)).await.unwrap();
        third.name("frog.c").await.unwrap();
        for (name, object) in [("frog.b", second.object()), ("frog.c", third.object())] {
            let Some(Change::Added(entry)) = soon(watching.next()).await else {
                panic!("{name} did not come")
            };
            assert_eq!((entry.name.as_str(), entry.object), (name, object));
        }
        assert!(watching.next().now_or_never().is_none());
        soon(amy.close()).await;
        assert_eq!(soon(watching.next()).await, None);
    });
}

#[test]
fn a_watch_that_is_dropped_is_told_to_the_hub_and_no_more_comes() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        let wire = Wire::new(hub.local());
        let amy = client(wire.clone(), 2).await;
        // Far more than a session may have at once.
        for _ in 0..4 * limits::SESSION_WATCHES_MAX {
            let watching = soon(amy.watch("")).await.unwrap();
            drop(watching);
        }
        settle().await;
        let before = wire.down.bytes();
        let _named = alec.create::<TextFrog>(Some("frog"), Weight(0)).await.unwrap();
        settle().await;
        assert_eq!(wire.down.bytes(), before);
    });
}

#[test]
fn g9_watches_that_nobody_waited_for_are_ended_and_their_number_is_bounded() {
    paused(async {
        let hub = hub();
        let amy = client(hub.local(), 2).await;
        for _ in 0..2 * limits::SESSION_WATCHES_MAX {
            let asking = amy.clone();
            let watching = tokio::task::spawn_local(async move { asking.watch("").await });
            super::pond::turns(3).await;
            watching.abort();
            drop(watching.await);
            settle().await;
        }
        let mut kept = Vec::new();
        for _ in 0..limits::SESSION_WATCHES_MAX {
            kept.push(soon(amy.watch("")).await.unwrap());
        }
        let error = soon(amy.watch("")).await.unwrap_err();
        assert!(matches!(error, ListError::Refused(Refusal::Limit { max: 16, .. })), "{error}");
        assert_eq!(error.to_string(), "the hub refused: the hub's limit of 16 watches is reached");
        kept.pop();
        let _again = soon(amy.watch("")).await.unwrap();
    });
}

#[test]
fn g9_a_watch_that_is_not_read_ends_after_what_it_holds_and_the_client_goes_on() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        let amy = client(hub.local(), 2).await;
        let mut unread = soon(amy.watch("f")).await.unwrap();
        let mut kept: Handles = Vec::new();
        for n in 0..limits::WATCH_CHANGES_MAX + 2 {
            kept.push(alec.create::<TextFrog>(Some(&format!("f{n}")), Weight(0)).await.unwrap());
        }
        settle().await;
        let mut told = 0;
        while soon(unread.next()).await.is_some() {
            told += 1;
        }
        assert_eq!(told, limits::WATCH_CHANGES_MAX);
        // All of them would be more than one listing tells.
        let again = soon(amy.watch("f1638")).await.unwrap();
        assert_eq!(again.names().len(), 1 + 6);
    });
}
