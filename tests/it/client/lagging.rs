//! Leaves that are slower than what they hear: the inbox is bounded, and what it has no room for is
//! asked for when it has.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_multiplex::{Resync, ResyncReason, Seq, Shout, limits};

use super::{
    pond::{
        Bulk, Croak, Given, Log, Slow, TextFrog, TextNewt, Weight, client, frog, hub, newt, paused,
        settle, soon,
    },
    wire::Wire,
};

fn bulk(n: u32) -> Shout<Bulk> {
    Shout(Bulk { n, bytes: vec![0; 60_000] })
}

fn slow(n: u32) -> Shout<Slow> {
    Shout(Slow { n, ms: 60_000 })
}

#[test]
fn a_slow_leaf_of_an_object_with_state_hears_everything_and_no_other_waits_for_it() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, alecs) = frog(&hub, 1).await;
        let (_amy, _slow, amys) = frog(&hub, 2).await;
        soon(kermit.send(slow(0))).await.unwrap();
        // Alec's own leaf is as slow. Both inboxes are full four times over, and receipts come.
        for n in 1..=20 {
            soon(kermit.send(bulk(n))).await.unwrap();
        }
        assert_eq!((alecs.numbers(), amys.numbers()), (vec![0], vec![0]));
        soon(kermit.send(slow(21))).await.unwrap();
        tokio::time::sleep(Duration::from_secs(61)).await;
        for n in 22..=40 {
            soon(kermit.send(bulk(n))).await.unwrap();
        }
        tokio::time::sleep(Duration::from_mins(2)).await;
        assert_eq!(
            (alecs.heard(), amys.heard()),
            ((1..42).zip(0..41).collect(), (1..42).zip(0..41).collect())
        );
    });
}

#[test]
fn g9_what_a_slow_leaf_has_no_room_for_is_not_sent_before_it_has() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let wire = Wire::new(hub.local());
        let amy = client(wire.clone(), 2).await;
        let log = TextFrog::at(&amy);
        let _slow = amy.join::<TextFrog>("kermit").await.unwrap();
        soon(kermit.send(slow(0))).await.unwrap();
        settle().await;
        let before = wire.down.bytes();
        for n in 1..=10 {
            soon(kermit.send(bulk(n))).await.unwrap();
        }
        settle().await;
        let while_asleep = wire.down.bytes() - before;
        // Four fit into the inbox, and the fifth tells that it is full.
        let kept = limits::INBOX_BYTES_MAX / 60_000;
        assert!(while_asleep < (kept + 2) * 60_000, "{while_asleep} bytes came");
        assert!(while_asleep > (kept + 1) * 60_000, "the reader has stopped for one object");
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert!(wire.down.bytes() - before < 12 * 60_000, "but for the fifth, each came once");
        assert!(log.numbers().into_iter().eq(0..=10));
    });
}

#[test]
fn a_slow_leaf_of_an_object_without_state_loses_nothing_within_the_tail() {
    paused(async {
        let hub = hub();
        let (_alec, tritone, log) = newt(&hub, 1).await;
        soon(tritone.send(slow(0))).await.unwrap();
        for n in 1..=60 {
            soon(tritone.send(bulk(n))).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert!(log.heard().into_iter().eq((1..62).zip(0..61)));
        assert!(log.all().iter().all(|given| matches!(given, Given::Heard { .. })));
    });
}

#[test]
fn a_leaf_behind_the_tail_is_told_exactly_what_it_missed() {
    paused(async {
        let hub = hub();
        let (_alec, tritone, log) = newt(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let fresh = TextNewt::at(&amy);
        soon(tritone.send(slow(0))).await.unwrap();
        for n in 1..=100 {
            soon(tritone.send(bulk(n))).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(61)).await;
        soon(tritone.send(Shout(Croak(101)))).await.unwrap();
        settle().await;
        let given = log.all();
        let gaps: Vec<_> = given
            .iter()
            .enumerate()
            .filter_map(|(at, given)| match given {
                Given::Resynced(resync) => Some((at, *resync)),
                _ => None,
            })
            .collect();
        let [(at, Resync { reason: ResyncReason::Missed, from, to })] = gaps[..] else {
            panic!("{gaps:?}")
        };
        let before = log.heard()[at - 1].0;
        let after = log.heard()[at].0;
        assert_eq!((from, to), (Seq(before + 1), Seq(after - 1)));
        let (before, after) = (before as usize, after as usize);
        let seqs: Vec<_> = log.heard().into_iter().map(|(seq, _)| seq as usize).collect();
        assert!(seqs.into_iter().eq((1..=before).chain(after..=102)));
        assert!((102 - after) * 60_000 > limits::TAIL_BYTES_MAX * 9 / 10, "the tail holds more");
        let _joined = amy.join::<TextNewt>("tritone").await.unwrap();
        settle().await;
        assert_eq!(fresh.all(), []);
    });
}

#[test]
fn receipts_come_while_the_inbox_is_full_and_a_leaf_may_wait_for_one() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        soon(kermit.send(slow(0))).await.unwrap();
        let started = tokio::time::Instant::now();
        for n in 1..=30 {
            soon(kermit.send(bulk(n))).await.unwrap();
        }
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(log.numbers(), [0]);
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert!(log.numbers().into_iter().eq(0..=30));
    });
}

#[test]
fn a_joiner_of_a_tail_that_is_larger_than_its_inbox_is_given_all_of_it() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        soon(kermit.send(Shout(Slow { n: 0, ms: 50 }))).await.unwrap();
        for n in 1..=40 {
            soon(kermit.send(bulk(n))).await.unwrap();
        }
        let (_amy, mine, log) = frog(&hub, 2).await;
        soon(mine.send(Shout(Croak(41)))).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(log.all()[0], Given::State(40));
        assert!(log.heard().into_iter().eq((1..43).zip(0..42)));
    });
}

#[test]
fn a_lagging_leaf_that_parts_and_joins_again_is_given_everything_once() {
    for wait in [0, 1, 59_999, 60_000, 60_001] {
        paused(async move {
            let hub = hub();
            let (_alec, kermit, _) = frog(&hub, 1).await;
            let amy = client(hub.local(), 2).await;
            // Each leaf has a log of its own: the first goes on to hear what is in its inbox.
            let logs = Arc::new(Mutex::new(Vec::new()));
            let made = logs.clone();
            amy.implement::<TextFrog>(move |me| {
                let log = Log::default();
                made.lock().unwrap().push(log.clone());
                TextFrog { log, count: 0, me }
            });
            let hers = amy.join::<TextFrog>("kermit").await.unwrap();
            soon(kermit.send(slow(0))).await.unwrap();
            for n in 1..=30 {
                soon(kermit.send(bulk(n))).await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
            drop(hers);
            let again = soon(amy.join::<TextFrog>("kermit")).await.unwrap();
            tokio::time::sleep(Duration::from_mins(5)).await;
            let logs = logs.lock().unwrap().clone();
            let [first, second] = &logs[..] else { panic!("{} leaves", logs.len()) };
            assert!(first.numbers().into_iter().zip(0..).all(|(n, at)| n == at));
            assert!(second.numbers().into_iter().eq(0..=30), "after {wait} ms");
            soon(again.send(Shout(Croak(31)))).await.unwrap();
            let _made = amy.create::<TextFrog>(None, Weight(0)).await.unwrap();
        });
    }
}
