//! The window: how much may be under way, what happens at its bounds, and the order of those that
//! wait.

use std::{future::Future, pin::pin, task::Poll};

use actix_multiplex::{Shout, ShoutError, limits};

use super::{
    pond::{Bulk, Croak, Frog, TextFrog, Weight, client, frog, hub, paused, settle, soon},
    wire::Wire,
};

/// Polls once: what is sent then waits.
async fn begin<F: Future>(mut waiting: std::pin::Pin<&mut F>) {
    let polled = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx).is_ready())).await;
    assert!(!polled, "it does not wait");
}

fn bulk(n: u32) -> Shout<Bulk> {
    Shout(Bulk { n, bytes: vec![0; 61_000] })
}

#[test]
fn g9_try_send_gives_the_4097th_shout_back_and_room_comes_with_receipts() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        wire.up.hold();
        for n in 0..limits::WINDOW_SHOUTS as u32 {
            let _receipted = kermit.try_send(Shout(Croak(n))).unwrap();
        }
        let back = kermit.try_send(Shout(Croak(9_999))).unwrap_err();
        assert!(matches!(back, ShoutError::Full(Croak(9_999))), "{back}");
        wire.up.mend();
        settle().await;
        let receipt = soon(kermit.try_send(Shout(Croak(9_999))).unwrap()).await.unwrap();
        assert_eq!(receipt.seq().0, 4_097);
        settle().await;
        assert!(log.numbers().into_iter().eq((0..4_096).chain([9_999])));
    });
}

#[test]
fn g9_a_mebibyte_under_way_at_one_object_is_the_most_and_other_objects_have_their_own() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        let robin = alec.open::<TextFrog>("robin", Weight(0)).await.unwrap();
        wire.up.hold();
        let mut sent = 0;
        let back = loop {
            match kermit.try_send(bulk(sent)) {
                Ok(_) => sent += 1,
                Err(back) => break back,
            }
        };
        assert!(matches!(back, ShoutError::Full(Bulk { .. })), "{back}");
        assert_eq!(sent as usize, limits::WINDOW_BYTES / 61_000);
        // What is smaller still fits beside it, and so does what goes elsewhere.
        let _receipted = kermit.try_send(Shout(Croak(1))).unwrap();
        let _receipted = robin.try_send(bulk(0)).unwrap();
        wire.up.mend();
        settle().await;
        let _receipted = kermit.try_send(bulk(99)).unwrap();
    });
}

#[test]
fn g9_eight_mebibytes_under_way_are_the_most_in_all_and_come_back_to_whoever_waits() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        TextFrog::at(&alec);
        let mut frogs = Vec::new();
        for n in 0..9 {
            frogs.push(alec.open::<TextFrog>(&format!("frog{n}"), Weight(0)).await.unwrap());
        }
        wire.up.hold();
        let mut bytes = 0;
        for frog in &frogs {
            while frog.try_send(bulk(0)).is_ok() {
                bytes += 61_000;
            }
        }
        assert!(bytes <= limits::WINDOW_TOTAL_BYTES);
        assert!(bytes + 2 * 61_000 > limits::WINDOW_TOTAL_BYTES);
        let waiting: Vec<_> = frogs
            .iter()
            .cloned()
            .map(|frog| tokio::task::spawn_local(async move { frog.send(bulk(1)).await }))
            .collect();
        settle().await;
        assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
        wire.up.mend();
        for waiting in waiting {
            soon(waiting).await.unwrap().unwrap();
        }
        for frog in &frogs {
            soon(frog.send(bulk(2))).await.unwrap();
        }
    });
}

#[test]
fn g1_a_send_that_waits_goes_before_whatever_is_sent_after_it_even_if_nobody_polls_it() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        let voice = kermit.voice();
        wire.up.hold();
        while kermit.try_send(bulk(0)).is_ok() {}
        let mut first = pin!(kermit.send(bulk(1)));
        begin(first.as_mut()).await;
        let mut second = pin!(voice.send(Shout(Croak(2))));
        begin(second.as_mut()).await;
        // Who does not wait does not push past those who do.
        let back = kermit.try_send(Shout(Croak(9))).unwrap_err();
        assert!(matches!(back, ShoutError::Full(Croak(9))), "{back}");
        wire.up.mend();
        settle().await;
        soon(voice.send(Shout(Croak(3)))).await.unwrap();
        soon(second).await.unwrap();
        soon(first).await.unwrap();
        settle().await;
        let heard: Vec<_> = log.numbers().into_iter().filter(|n| *n > 0).collect();
        assert_eq!(heard, [1, 2, 3]);
    });
}

#[test]
fn a_waiting_send_that_is_dropped_takes_nothing_and_lets_those_behind_it_go() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        wire.up.hold();
        while kermit.try_send(bulk(0)).is_ok() {}
        let mut large = Box::pin(kermit.send(bulk(1)));
        begin(large.as_mut()).await;
        let mut small = pin!(kermit.send(Shout(Croak(2))));
        begin(small.as_mut()).await;
        drop(large);
        wire.up.mend();
        settle().await;
        soon(small).await.unwrap();
        for _ in 0..limits::WINDOW_BYTES / 61_000 {
            let _receipted = kermit.try_send(bulk(0)).expect("the window is whole again");
        }
        settle().await;
        assert!(!log.numbers().contains(&1));
        assert!(log.numbers().contains(&2));
    });
}

#[test]
fn a_thousand_cancelled_sends_leave_nothing_behind_while_the_window_is_full() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        wire.up.hold();
        while kermit.try_send(bulk(0)).is_ok() {}
        for _ in 0..1_000 {
            begin(pin!(kermit.send(bulk(1)))).await;
        }
        wire.up.mend();
        settle().await;
        soon(kermit.send(Shout(Croak(2)))).await.unwrap();
        settle().await;
        assert_eq!(log.numbers().into_iter().filter(|n| *n > 0).collect::<Vec<_>>(), [2]);
    });
}

#[test]
fn a_send_that_waits_is_told_when_its_object_is_out_of_reach() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        wire.up.hold();
        let under_way = kermit.try_send(bulk(0)).unwrap();
        while kermit.try_send(bulk(0)).is_ok() {}
        let mut waiting = pin!(kermit.send(bulk(1)));
        begin(waiting.as_mut()).await;
        begin(pin!(alec.close())).await;
        assert!(matches!(soon(waiting).await, Err(ShoutError::Gone(Bulk { n: 1, .. }, _))));
        assert!(matches!(soon(under_way).await, Err(ShoutError::Unknown((), _))));
    });
}

#[test]
fn a_shout_too_large_for_a_frame_is_given_back_unsent_and_the_largest_is_heard() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let wrap = postcard_overhead();
        let largest = limits::SHOUT_BYTES_MAX - wrap;
        let back = soon(kermit.send(Shout(Bulk { n: 1, bytes: vec![0; largest + 1] }))).await;
        assert!(matches!(back, Err(ShoutError::Encode(Bulk { n: 1, .. }, _))), "{back:?}");
        soon(kermit.send(Shout(Bulk { n: 2, bytes: vec![0; largest] }))).await.unwrap();
        settle().await;
        assert_eq!(log.heard(), [(1, 2)]);
        let amy = client(hub.local(), 2).await;
        let voice = amy.voice::<Frog>("kermit").await.unwrap();
        let back = voice.try_send(Shout(Bulk { n: 3, bytes: vec![0; largest + 1] })).unwrap_err();
        assert!(matches!(back, ShoutError::Encode(Bulk { n: 3, .. }, _)), "{back}");
    });
}

/// Bytes of a bulk beside its bytes: its number, how many they are, and an empty carried list.
fn postcard_overhead() -> usize {
    1 + 3 + 1
}

#[test]
fn g9_a_hub_whose_arbiter_stands_still_is_sent_a_window_and_no_more() {
    // A thread stands still for real here, and is waited for; nothing sleeps.
    actix::System::new().block_on(async {
        let hub = actix_multiplex::Hub::builder().arbiters(1).start().unwrap();
        let alec = client(hub.local(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        let held_up = hub.hold_up(kermit.object()).await.unwrap();
        let mut receipts = Vec::new();
        let back = loop {
            match kermit.try_send(Shout(Croak(receipts.len() as u32))) {
                Ok(receipted) => receipts.push(receipted),
                Err(back) => break back,
            }
        };
        assert!(matches!(back, ShoutError::Full(Croak(4_096))), "{back}");
        let mut waiting = pin!(kermit.send(Shout(Croak(4_096))));
        begin(waiting.as_mut()).await;
        drop(held_up);
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(receipted.await.unwrap().seq().0, seq);
        }
        assert_eq!(waiting.await.unwrap().seq().0, 4_097);
        kermit.send(Shout(Croak(4_097))).await.unwrap();
        alec.close().await;
        hub.stop().await;
        assert!(log.numbers().into_iter().zip(0..).all(|(n, at)| n == at));
    });
}
