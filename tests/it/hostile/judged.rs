//! Shouts at an object with an authority, sent again and out of turn: each is judged once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix_multiplex::{Denied, Judged, wire::Verdict};

use super::{
    raw::{by_name, join, part},
    *,
};

/// A hub where every second shout at kermit is denied. Counts those that are judged.
fn judged() -> (HubBuilder, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counting = count.clone();
    let builder = Hub::builder().authority(move |_, name| {
        let counting = counting.clone();
        let is_kermit = name.is_some_and(|name| name.as_str() == "kermit");
        let every_second = move |_: &Judged<'_>| {
            let so_far = counting.fetch_add(1, Ordering::Relaxed);
            if so_far.is_multiple_of(2) { Ok(()) } else { Err(Denied::because("every second")) }
        };
        is_kermit.then(|| Box::new(every_second) as Box<dyn actix_multiplex::Authority>)
    });
    (builder, count)
}

fn refused(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused { .. })
}

#[test]
fn g2_a_shout_that_is_sent_again_or_out_of_turn_is_not_judged() {
    let (builder, count) = judged();
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&shout(KERMIT, 1)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        marvin.say(&shout(KERMIT, 2)).await;
        assert!(refused(&marvin.outcome(KERMIT, 2).await));
        for _ in 0..3 {
            marvin.say(&shout(KERMIT, 1)).await;
            let heard = marvin.outcome(KERMIT, 1).await;
            assert_eq!(heard, Verdict::Sequenced { seq: Seq(1), count: 1 });
            marvin.say(&shout(KERMIT, 2)).await;
            assert!(refused(&marvin.outcome(KERMIT, 2).await));
        }
        marvin.say(&shout(KERMIT, 4)).await;
        assert_eq!(marvin.outcome(KERMIT, 3).await, Verdict::Gap);
        assert_eq!(count.load(Ordering::Relaxed), 2);
        marvin.say(&shout(KERMIT, 3)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [3]);
        // Who has parted is not judged either.
        marvin.say(&part(9, KERMIT)).await;
        marvin.done(9).await;
        marvin.say(&shout(KERMIT, 4)).await;
        assert!(refused(&marvin.outcome(KERMIT, 4).await));
        assert_eq!(count.load(Ordering::Relaxed), 3);
    });
}

#[test]
fn g2_shouts_of_a_session_that_goes_on_are_not_judged_again() {
    let (builder, count) = judged();
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        for op in 1..=3 {
            marvin.say(&shout(KERMIT, op)).await;
        }
        settle().await;
        let resume = marvin.resume(1);
        marvin.hang_up().await;
        let (mut back, resumed) = Raw::back(&pond.hub, resume).await;
        assert!(resumed);
        back.say(&join(9, by_name("kermit"))).await;
        back.let_in().await;
        for op in 1..=4 {
            back.say(&shout(KERMIT, op)).await;
        }
        settle().await;
        assert_eq!(count.load(Ordering::Relaxed), 4);
    });
}
