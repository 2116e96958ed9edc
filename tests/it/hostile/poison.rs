//! Objects whose repeater panics, and what their sessions are told.

use actix_multiplex::{
    Cursor, Kind, Op, Rights, Visit, Wish,
    limits::{LINGER, REPEATER_RESTARTS, SWEEP_INTERVAL},
    testing::Trouble,
    wire::{EndReason, Ended, Join, Refusal, ShoutFrame, Target, Verdict},
};
use tokio::sync::watch;

use super::{
    raw::{attach, by_name, destroy, join, part, pin, together},
    *,
};

fn poisoned(op: u64) -> ShoutFrame {
    ShoutFrame { kind: Kind(9), ..shout(KERMIT, op) }
}

/// Makes kermit fail for good.
async fn fail(pond: &Pond) {
    for _ in 0..=REPEATER_RESTARTS {
        assert!(pond.hub.sabotage(KERMIT, Trouble::Handler).await);
        settle().await;
    }
}

#[test]
fn after_a_panic_everybody_joins_again_and_nothing_is_lost_or_heard_twice() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut voice = pond.marvin().await;
        voice.say(&attach(1, by_name("kermit"))).await;
        voice.hear().await;
        pond.hub.sabotage(KERMIT, Trouble::Shout { kind: Kind(9), times: 1 }).await;
        let frames = together(&[&shout(KERMIT, 1), &poisoned(2), &shout(KERMIT, 3)]);
        marvin.say_bytes(&frames).await;
        for raw in [&mut marvin, &mut voice] {
            assert_eq!(raw.hear().await.frame_type(), FrameType::Rejoin);
        }
        // It does not know that yet: nobody hears it, and its op is not used up.
        voice.say(&shout(KERMIT, 1)).await;
        voice.say(&attach(2, by_name("kermit"))).await;
        match voice.hear().await {
            Frame::Attached(attached) => assert_eq!(attached.next_op, Op(1)),
            other => panic!("not attached: {other:?}"),
        }
        let cursor = |epoch| Some(Cursor { epoch, seq: Seq(0) });
        marvin.say(&join(2, by_name("kermit"))).await;
        let epoch = match marvin.hear().await {
            Frame::Joined(joined, _) => {
                assert_eq!((joined.next_op, joined.last), (Op(2), Seq(1)));
                joined.start.epoch
            }
            other => panic!("not joined: {other:?}"),
        };
        let first = Verdict::Sequenced { seq: Seq(1), count: 1 };
        assert_eq!(marvin.outcome(KERMIT, 1).await, first);
        marvin.say(&Join { cursor: cursor(epoch), ..join(3, by_name("kermit")) }).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(marvin.outcome(KERMIT, 1).await, first);
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        marvin.say_bytes(&together(&[&poisoned(2), &shout(KERMIT, 3)])).await;
        assert_eq!(batch_ops(&marvin.batch().await), [2, 3]);
    });
}

#[test]
fn who_was_told_that_it_is_in_just_before_a_panic_is_told_to_join_again() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let [mut leaf, mut voice] = [pond.marvin().await, pond.marvin().await];
        pond.hub.sabotage(KERMIT, Trouble::Entry).await;
        leaf.say(&join(1, by_name("kermit"))).await;
        assert_eq!(leaf.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(leaf.hear().await.frame_type(), FrameType::Rejoin);
        pond.hub.sabotage(KERMIT, Trouble::Entry).await;
        voice.say(&attach(1, by_name("kermit"))).await;
        assert_eq!(voice.hear().await.frame_type(), FrameType::Attached);
        assert_eq!(voice.hear().await.frame_type(), FrameType::Rejoin);
        // One that was a leaf before is told once.
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
        marvin.say(&join(2, by_name("kermit"))).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        pond.hub.sabotage(KERMIT, Trouble::Entry).await;
        marvin.say(&join(3, by_name("kermit"))).await;
        for told in [FrameType::Joined, FrameType::Rejoin] {
            assert_eq!(marvin.hear().await.frame_type(), told);
        }
        voice.say(&attach(2, by_name("kermit"))).await;
        assert_eq!(voice.hear().await.frame_type(), FrameType::Attached);
        for raw in [&mut leaf, &mut marvin] {
            raw.say(&join(4, by_name("kermit"))).await;
            assert_eq!(raw.hear().await.frame_type(), FrameType::Joined);
        }
        voice.say(&shout(KERMIT, 1)).await;
        for raw in [&mut leaf, &mut marvin] {
            assert_eq!(batch_ops(&raw.batch().await), [1]);
        }
    });
}

#[test]
fn a_shout_at_which_the_repeater_panics_twice_is_refused() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        pond.hub.sabotage(KERMIT, Trouble::Shout { kind: Kind(9), times: 9 }).await;
        for request in [2, 3] {
            marvin.say(&poisoned(1)).await;
            assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
            marvin.say(&join(request, by_name("kermit"))).await;
            assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        }
        marvin.say_bytes(&together(&[&poisoned(1), &shout(KERMIT, 2)])).await;
        assert_eq!(batch_ops(&marvin.batch().await), [2]);
        assert!(matches!(marvin.outcome(KERMIT, 1).await, Verdict::Refused { .. }));
    });
}

#[test]
fn an_object_that_fails_for_good_says_so_to_all_and_every_shout_at_it_is_answered() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        fail(pond).await;
        loop {
            match marvin.hear().await {
                Frame::Rejoin(_) => {}
                Frame::Ended(Ended { object: KERMIT, reason: EndReason::Failed(_) }) => break,
                other => panic!("not ended: {other:?}"),
            }
        }
        marvin.say(&shout(KERMIT, 1)).await;
        assert!(matches!(marvin.outcome(KERMIT, 1).await, Verdict::Refused { .. }));
        for target in [by_name("kermit"), Target::Object(KERMIT)] {
            marvin.say(&join(2, target)).await;
            assert!(matches!(marvin.refused(2).await, Refusal::Failed(_)));
        }
        // Its maker may have lost the answer to this very request.
        marvin.say(&create(KERMIT, None)).await;
        assert!(matches!(marvin.refused(1).await, Refusal::Failed(_)));
        let mut angus = pond.marvin().await;
        angus.say(&create(KERMIT, None)).await;
        assert_eq!(angus.refused(1).await, Refusal::Exists(KERMIT));
    });
}

#[test]
fn who_was_about_to_join_an_object_that_failed_meanwhile_is_told_and_so_are_its_shouts() {
    let (decide, decided) = watch::channel(false);
    let slow = Hub::builder().admission(move |visit: Visit| {
        let mut decided = decided.clone();
        async move {
            if matches!(visit.wish, Wish::Join { .. }) {
                decided.wait_for(|decided| *decided).await.expect("will be");
            }
            Ok(Rights::ALL)
        }
    });
    in_pond_of(slow, async |pond| {
        let _marvin = pond.marvin_with_kermit().await;
        for target in [Target::Object(KERMIT), by_name("kermit")] {
            let mut angus = pond.marvin().await;
            angus.say(&join(2, target)).await;
            settle().await;
            if !*decide.borrow() {
                fail(pond).await;
                assert_eq!(angus.hear().await.frame_type(), FrameType::Ended);
                decide.send_replace(true);
            }
            assert!(matches!(angus.refused(2).await, Refusal::Failed(_)));
            angus.say(&shout(KERMIT, 1)).await;
            assert!(matches!(angus.outcome(KERMIT, 1).await, Verdict::Refused { .. }));
        }
    });
}

/// What nobody needs now is gone after this.
async fn linger() {
    tokio::time::sleep(LINGER + 2 * SWEEP_INTERVAL).await;
}

#[test]
fn who_does_not_join_again_after_a_panic_keeps_nothing_and_is_told_of_the_end() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        pond.hub.sabotage(KERMIT, Trouble::Handler).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
        marvin.say(&shout(KERMIT, 1)).await;
        linger().await;
        assert_eq!(marvin.told_end(KERMIT).await, EndReason::Dropped);
        marvin.say(&part(2, KERMIT)).await;
        assert_eq!(marvin.refused(2).await, Refusal::NotJoined);
        assert_eq!(marvin.named().await, [AMYS]);
    });
}

#[test]
fn who_joins_again_after_a_panic_keeps_the_object() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        pond.hub.sabotage(KERMIT, Trouble::Handler).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
        marvin.say(&join(2, Target::Object(KERMIT))).await;
        marvin.let_in().await;
        linger().await;
        assert_eq!(marvin.named().await, [AMYS, KERMIT]);
        pond.hub.sabotage(KERMIT, Trouble::Handler).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
        // It is a leaf to its session, though not to the object yet.
        marvin.say(&destroy(3, KERMIT)).await;
        marvin.done(3).await;
        assert_eq!(marvin.told_end(KERMIT).await, EndReason::Destroyed);
    });
}

#[test]
fn an_object_that_has_failed_goes_like_any_other_and_its_name_is_free() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        fail(pond).await;
        while marvin.hear().await.frame_type() != FrameType::Ended {}
        marvin.say(&destroy(2, KERMIT)).await;
        assert_eq!(marvin.refused(2).await, Refusal::NotJoined);
        assert_eq!(marvin.named().await, [AMYS, KERMIT]);
        linger().await;
        assert_eq!(marvin.named().await, [AMYS]);
        marvin.say(&join(3, Target::Object(KERMIT))).await;
        assert_eq!(marvin.refused(3).await, Refusal::Gone);
        marvin.say(&create(ROWLF, Some("kermit"))).await;
        marvin.let_in().await;
    });
}

#[test]
fn an_object_that_was_pinned_and_has_failed_goes_as_well_since_nobody_can_unpin_it() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&pin(2, KERMIT, true)).await;
        marvin.done(2).await;
        fail(pond).await;
        while marvin.hear().await.frame_type() != FrameType::Ended {}
        marvin.say(&pin(3, KERMIT, false)).await;
        assert_eq!(marvin.refused(3).await, Refusal::NotJoined);
        linger().await;
        assert_eq!(marvin.named().await, [AMYS]);
    });
}
