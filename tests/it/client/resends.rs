//! Shouts under way when the hub's part of the object is made anew.

use std::time::Duration;

use actix_multiplex::{Hub, Kind, Rights, Shout, Visit, Wish, testing::Trouble};

use super::pond::{
    Bulk, Croak, Frog, Newt, Slow, TextNewt, client, frog, hub, newt, paused, settle, soon,
};

/// A shout of the message that is made to panic in these tests.
fn poison(n: u32) -> Shout<Bulk> {
    Shout(Bulk { n, bytes: Vec::new() })
}

#[test]
fn g2_a_voice_learns_of_shouts_whose_receipts_a_panic_took() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let voice = amy.voice::<Frog>("kermit").await.unwrap();
        for n in 0..10 {
            soon(voice.send(Shout(Croak(n)))).await.unwrap();
        }
        hub.sabotage(kermit.object(), Trouble::Shout { kind: Kind(3), times: 1 }).await;
        // One read of the socket: the first three have their seq when the fourth panics.
        let three = [10, 11, 12].map(|n| voice.try_send(Shout(Croak(n))).unwrap());
        let fourth = voice.try_send(poison(13)).unwrap();
        for (receipted, seq) in three.into_iter().zip(11..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        assert_eq!(soon(fourth).await.unwrap().seq().0, 14);
        settle().await;
        assert_eq!(log.numbers(), (0..14).collect::<Vec<_>>());
    });
}

#[test]
fn g2_a_leaf_that_joins_again_twice_at_once_hears_nothing_twice() {
    paused(async {
        // The leaf has asked for what it dropped, and is told to join again before it is answered.
        let late = |visit: Visit| async move {
            if matches!(visit.wish, Wish::Join { .. }) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(Rights::ALL)
        };
        let hub = Hub::builder().seed(7).admission(late).start().unwrap();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let (_amy, _joined, log) = frog(&hub, 2).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        kermit.send(Shout(Slow { n: 0, ms: 1_000 })).await.unwrap();
        let asleep = tokio::time::Instant::now();
        for n in 1..=10 {
            kermit.send(Shout(Bulk { n, bytes: vec![0; 60_000] })).await.unwrap();
        }
        tokio::time::sleep_until(asleep + Duration::from_millis(1_002)).await;
        hub.sabotage(kermit.object(), Trouble::Handler).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(log.numbers(), (0..=10).collect::<Vec<_>>());
    });
}

#[test]
fn g2_a_second_join_while_the_first_leaf_is_to_join_again_leaves_no_gap() {
    paused(async {
        let late = |visit: Visit| async move {
            if let Wish::Join { .. } = visit.wish {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(Rights::ALL)
        };
        for wait in 0..12 {
            let hub = Hub::builder().seed(7).admission(late).start().unwrap();
            let (amy, tritone, log) = newt(&hub, 1).await;
            // A voice is back at once.
            let alec = client(hub.local(), 2).await;
            let other = alec.voice::<Newt>("tritone").await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
            let joining = amy.clone();
            let join = tokio::task::spawn_local(async move {
                joining.join::<TextNewt>("tritone").await.map(drop)
            });
            tokio::time::sleep(Duration::from_millis(wait)).await;
            hub.sabotage(tritone.object(), Trouble::Handler).await;
            for n in 0..9 {
                soon(other.send(Shout(Croak(n)))).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            soon(join).await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(log.numbers().into_iter().eq(0..9), "after {wait} ms: {log:?}");
            soon(tritone.send(Shout(Croak(9)))).await.unwrap();
        }
    });
}
