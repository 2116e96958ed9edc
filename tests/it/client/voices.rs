//! What one shouts through: voices with and without a leaf, handles and recipients.

use std::sync::{Arc, Mutex};

use actix_multiplex::{Gone, Hub, Rights, Shout, ShoutError, Visit, Voice, Wish};

use super::{
    pond::{
        Bulk, Croak, Frog, Given, TextFrog, Weight, client, frog, hub, job, paused, settle, soon,
    },
    wire::Wire,
};

#[test]
fn a_voice_without_a_leaf_gets_receipts_in_order_and_hears_nothing() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let wire = Wire::new(hub.local());
        let amy = client(wire.clone(), 2).await;
        let voice = amy.voice::<Frog>("kermit").await.unwrap();
        assert_eq!(voice.object(), kermit.object());
        let receipts: Vec<_> = (0..100).map(|n| voice.try_send(Shout(Croak(n))).unwrap()).collect();
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        settle().await;
        assert!(log.numbers().into_iter().eq(0..100));
        let before = wire.down.bytes();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        assert_eq!(wire.down.bytes(), before, "it was told of another's shout");
    });
}

#[test]
fn g1_shouts_by_voices_and_the_leaf_of_one_client_share_one_order() {
    paused(async {
        let hub = hub();
        let (alec, kermit, log) = frog(&hub, 1).await;
        let attached = alec.voice::<Frog>("kermit").await.unwrap();
        let own = kermit.voice();
        let mut receipts = Vec::new();
        for n in (0..90).step_by(3) {
            receipts.push(kermit.try_send(Shout(Croak(n))).unwrap());
            receipts.push(attached.try_send(Shout(Croak(n + 1))).unwrap());
            receipts.push(own.try_send(Shout(Croak(n + 2))).unwrap());
        }
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        settle().await;
        assert!(log.numbers().into_iter().eq(0..90));
    });
}

#[test]
fn a_voice_keeps_neither_leaf_nor_client_alive() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let (own, addr) = (kermit.voice(), kermit.addr());
        let attached = alec.voice::<Frog>("kermit").await.unwrap();
        drop(kermit);
        settle().await;
        assert!(!addr.connected());
        // The client is there for the other voice, and so this one is of use as well.
        soon(own.send(Shout(Croak(1)))).await.unwrap();
        drop(alec);
        settle().await;
        for voice in [own, attached] {
            let error = soon(voice.send(Shout(Croak(2)))).await.unwrap_err();
            assert!(matches!(error, ShoutError::Gone(Croak(2), Gone::Closed(_))), "{error}");
        }
    });
}

#[test]
fn a_leaf_that_holds_its_own_voice_shouts_from_its_handlers() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let shout = job(|frog: &mut TextFrog, _| {
            let _receipted = frog.me.try_send(Shout(Croak(5))).unwrap();
        });
        soon(kermit.send(shout)).await.unwrap();
        settle().await;
        assert_eq!(log.heard(), [(1, 5)]);
        let addr = kermit.addr();
        drop(kermit);
        settle().await;
        assert!(!addr.connected(), "a leaf is kept by its own voice");
    });
}

#[test]
fn the_last_voice_detaches_and_the_next_one_goes_on_where_it_was() {
    paused(async {
        let hub = hub();
        let (_alec, _kermit, log) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        for n in 0..5 {
            let voice = soon(amy.voice::<Frog>("kermit")).await.unwrap();
            let clone = voice.clone();
            drop(voice);
            soon(clone.send(Shout(Croak(n)))).await.unwrap();
        }
        settle().await;
        assert_eq!(log.heard(), [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)]);
    });
}

#[test]
fn an_attached_voice_dropped_while_its_client_parts_is_told_to_the_hub() {
    paused(async {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let wishes = seen.clone();
        let hub = Hub::builder().seed(7).admission(move |visit: Visit| {
            wishes.lock().unwrap().push(visit.wish);
            std::future::ready(Ok(Rights::ALL))
        });
        let hub = hub.start().unwrap();
        let (alec, kermit, log) = frog(&hub, 1).await;
        let voice: Voice<Frog> = alec.voice("kermit").await.unwrap();
        drop((kermit, voice));
        settle().await;
        // Were it still attached, the hub would take shouts of a client that has left; a new leaf
        // and its rights start from nothing.
        let kermit = alec.join::<TextFrog>("kermit").await.unwrap();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        assert_eq!(log.heard(), [(1, 1)]);
        let wishes = seen.lock().unwrap();
        assert_eq!(wishes.iter().filter(|wish| matches!(wish, Wish::Attach { .. })).count(), 1);
        assert_eq!(wishes.iter().filter(|wish| matches!(wish, Wish::Join { .. })).count(), 1);
    });
}

#[test]
fn a_recipient_shouts_in_its_own_order_and_counts_what_it_loses() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        let croaks = kermit.recipient::<Croak>().unwrap();
        let bulks = kermit.recipient::<Bulk>().unwrap();
        for n in 0..10 {
            croaks.do_send(Shout(Croak(n)));
        }
        settle().await;
        assert!(log.numbers().into_iter().eq(0..10));
        assert_eq!(alec.unsent(), 0);
        wire.up.hold();
        while kermit.try_send(Shout(Bulk { n: 0, bytes: vec![0; 61_000] })).is_ok() {}
        let back = soon(bulks.send(Shout(Bulk { n: 1, bytes: vec![0; 61_000] }))).await.unwrap();
        assert!(matches!(back, Err(ShoutError::Full(Bulk { n: 1, .. }))), "{back:?}");
        bulks.do_send(Shout(Bulk { n: 2, bytes: vec![0; 61_000] }));
        settle().await;
        assert_eq!(alec.unsent(), 1);
        wire.up.mend();
        settle().await;
        log.clear();
        soon(bulks.send(Shout(Bulk { n: 3, bytes: vec![] }))).await.unwrap().unwrap();
        settle().await;
        assert_eq!(log.numbers(), [3]);
        drop(kermit);
        settle().await;
        let back = soon(croaks.send(Shout(Croak(7)))).await.unwrap();
        assert!(matches!(back, Err(ShoutError::Gone(Croak(7), Gone::Parted))), "{back:?}");
    });
}

#[test]
fn a_recipient_is_made_anew_when_the_arbiter_of_the_first_has_ended() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let elsewhere = kermit.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let recipient = tokio::task::LocalSet::new()
                .block_on(&runtime, async { elsewhere.recipient::<Croak>().unwrap() });
            drop(recipient);
        })
        .join()
        .unwrap();
        let recipient = kermit.recipient::<Croak>().unwrap();
        soon(recipient.send(Shout(Croak(1)))).await.unwrap().unwrap();
        settle().await;
        assert_eq!(
            log.all().last(),
            Some(&Given::Heard { seq: 1, n: 1, mine: true, replayed: false })
        );
    });
}
