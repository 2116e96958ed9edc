//! Words of having heard that nobody wants, or that are lies; and what a shout that asks looks like.

use actix_multiplex::{
    Cursor, Op,
    testing::Trouble,
    wire::{FrameType, Handled, Heard, Join, ShoutFrame},
};

use super::{
    raw::{by_name, join, part, together},
    *,
};

fn asking(op: u64, ms: u32) -> ShoutFrame {
    ShoutFrame { handled_within_ms: Some(ms), ..shout(KERMIT, op) }
}

fn heard(seq: u64) -> Heard {
    Heard { object: KERMIT, seq: Seq(seq) }
}

async fn told(raw: &mut Raw) -> Handled {
    match raw.hear().await {
        Frame::Handled(handled) => handled,
        other => panic!("not told: {other:?}"),
    }
}

#[test]
fn the_ordinary_receipt_comes_first_and_one_word_is_enough_for_many() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let plain = shout(KERMIT, 2);
        marvin.say_bytes(&together(&[&asking(1, 9_000), &plain, &asking(3, 9_000)])).await;
        let batch = marvin.batch().await;
        assert!(batch.shouts().map(|shout| shout.asks).eq([true, false, true]));
        marvin.say(&heard(3)).await;
        for op in [1, 3] {
            let (op, seq, missing) = (Op(op), Seq(op), Vec::new());
            let all = Handled { object: KERMIT, op, seq, by: 1, of: 1, missing, more: 0 };
            assert_eq!(told(&mut marvin).await, all);
        }
    });
}

#[test]
fn what_is_said_of_having_heard_by_who_is_no_leaf_or_for_nothing_changes_nothing() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut fozzie = Raw::welcomed(&pond.hub, "fozzie").await;
        fozzie.say(&heard(1)).await;
        fozzie.say(&Heard { object: ROWLF, seq: Seq(1) }).await;
        marvin.say(&heard(u64::MAX)).await;
        fozzie.say(&join(2, by_name("kermit"))).await;
        fozzie.let_in().await;
        marvin.say(&asking(1, 9_000)).await;
        marvin.batch().await;
        fozzie.batch().await;
        marvin.say(&heard(1)).await;
        fozzie.say(&part(3, KERMIT)).await;
        fozzie.done(3).await;
        fozzie.say(&heard(1)).await;
        let handled = told(&mut marvin).await;
        assert_eq!((handled.by, handled.of, handled.missing), (1, 2, vec![fozzie.session]));
    });
}

#[test]
fn a_duplicate_of_a_shout_that_asks_is_not_waited_for_again() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&asking(1, 0)).await;
        marvin.batch().await;
        assert_eq!(told(&mut marvin).await.by, 0);
        marvin.say(&asking(1, 0)).await;
        marvin.outcome(KERMIT, 1).await;
        settle().await;
        marvin.say(&shout(KERMIT, 2)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [2]);
    });
}

#[test]
fn what_a_hub_says_of_who_has_handled_it_may_not_come_from_a_client() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let (op, seq, missing) = (Op(1), Seq(1), Vec::new());
        marvin.say(&Handled { object: KERMIT, op, seq, by: 0, of: 0, missing, more: 0 }).await;
        at_fault(marvin, CloseCode::Protocol).await;
    });
}

#[test]
fn behind_a_panic_nobody_is_told_of_what_had_its_place_before() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&asking(1, 9_000)).await;
        let epoch = marvin.batch().await.epoch;
        assert!(pond.hub.sabotage(KERMIT, Trouble::Handler).await);
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
        let cursor = Some(Cursor { epoch, seq: Seq(1) });
        marvin.say(&Join { cursor, ..join(2, by_name("kermit")) }).await;
        marvin.let_in().await;
        marvin.outcome(KERMIT, 1).await;
        marvin.say(&heard(1)).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        marvin.say(&shout(KERMIT, 2)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [2]);
    });
}
