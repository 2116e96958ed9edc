//! Objects that nobody needs, and those that somebody does.

use actix_multiplex::{
    limits::{LINGER, SWEEP_INTERVAL},
    wire::{Change, Create, EndReason, List, Refusal, StateIs, Target, Verdict},
};
use tokio::time::sleep;

use super::{
    raw::{attach, by_name, carried, carrying, destroy, join, part, pin, together, with_payload},
    *,
};

/// What is between two looks for objects that nobody needs, and what a look of thousands takes.
const LOOK: Duration = SWEEP_INTERVAL.saturating_add(Duration::from_millis(300));
/// What nobody needs is there yet after this, if only just.
const NOT_YET: Duration = LINGER.saturating_sub(Duration::from_millis(10));

/// Everything that nobody needs now is gone after this.
async fn linger() {
    sleep(LINGER + LOOK).await;
}

/// Marvin makes these, named by their numbers, and parts from them but for the first.
async fn make(marvin: &mut Raw, objects: &[ObjectId]) {
    for (n, object) in objects.iter().enumerate() {
        marvin.say(&create(*object, Some(&format!("object.{n}")))).await;
        marvin.let_in().await;
    }
    for object in &objects[1..] {
        marvin.say(&part(2, *object)).await;
        marvin.done(2).await;
    }
}

fn id(n: u8) -> ObjectId {
    ObjectId([n; 16])
}

#[test]
fn an_object_without_leaves_lingers_and_goes_and_its_id_is_not_used_again() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = pond.marvin().await;
        angus.say(&List { request: 1, prefix: "ker".to_owned(), watch: true }).await;
        angus.hear().await;
        marvin.say(&part(2, KERMIT)).await;
        marvin.done(2).await;
        sleep(NOT_YET).await;
        assert_eq!(marvin.named().await, [AMYS, KERMIT]);
        sleep(LOOK).await;
        assert_eq!(marvin.named().await, [AMYS]);
        match angus.hear().await {
            Frame::Changed(changed) => assert_eq!(changed.change, Change::Removed(name("kermit"))),
            other => panic!("no change: {other:?}"),
        }
        marvin.say(&join(3, by_name("kermit"))).await;
        assert_eq!(marvin.refused(3).await, Refusal::Unknown);
        marvin.say(&join(4, Target::Object(KERMIT))).await;
        assert_eq!(marvin.refused(4).await, Refusal::Gone);
        marvin.say(&attach(5, Target::Object(KERMIT))).await;
        assert_eq!(marvin.refused(5).await, Refusal::Gone);
        marvin.say(&join(6, Target::Object(ROWLF))).await;
        assert_eq!(marvin.refused(6).await, Refusal::Unknown);
        marvin.say(&create(KERMIT, None)).await;
        assert_eq!(marvin.refused(1).await, Refusal::Exists(KERMIT));
        // The name is free.
        marvin.say(&create(ROWLF, Some("kermit"))).await;
        marvin.let_in().await;
    });
}

#[test]
fn an_object_whose_leaf_is_lost_with_its_session_goes_as_well() {
    in_pond_of(Hub::builder().grace(Duration::ZERO), async |pond| {
        drop(pond.marvin_with_kermit().await);
        sleep(LINGER / 2).await;
        let mut angus = pond.marvin().await;
        angus.say(&join(1, Target::Object(KERMIT))).await;
        angus.let_in().await;
        linger().await;
        assert_eq!(angus.named().await, [AMYS, KERMIT]);
        drop(angus);
        linger().await;
        assert_eq!(pond.marvin().await.named().await, [AMYS]);
    });
}

#[test]
fn who_only_shouts_keeps_nothing_and_is_told_when_it_goes() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        make(&mut marvin, &[id(9), KERMIT]).await;
        marvin.say(&attach(3, Target::Object(KERMIT))).await;
        marvin.let_in().await;
        marvin.say(&shout(KERMIT, 1)).await;
        assert!(matches!(marvin.outcome(KERMIT, 1).await, Verdict::Sequenced { .. }));
        linger().await;
        assert_eq!(marvin.told_end(KERMIT).await, EndReason::Dropped);
        marvin.say(&shout(KERMIT, 2)).await;
        assert!(matches!(marvin.outcome(KERMIT, 2).await, Verdict::Refused { .. }));
        assert_eq!(marvin.named().await, [AMYS, id(9)]);
    });
}

#[test]
fn to_be_carried_renews_the_linger() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        make(&mut marvin, &[id(9), KERMIT, ROWLF]).await;
        marvin.say(&attach(3, Target::Object(ROWLF))).await;
        marvin.let_in().await;
        sleep(3 * SWEEP_INTERVAL).await;
        // Nobody needs rowlf, so that it is listed there is of no use for long.
        marvin.say(&carrying(ROWLF, 1, &[KERMIT, id(77)])).await;
        assert!(matches!(marvin.outcome(ROWLF, 1).await, Verdict::Sequenced { .. }));
        sleep(2 * LOOK).await;
        assert_eq!(marvin.told_end(ROWLF).await, EndReason::Dropped);
        assert_eq!(marvin.named().await, [AMYS, id(9), KERMIT]);
        linger().await;
        assert_eq!(marvin.named().await, [AMYS, id(9)]);
    });
}

#[test]
fn what_the_tail_or_the_state_of_a_kept_object_lists_is_kept_as_long() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        make(&mut marvin, &[KERMIT, id(3), id(4), id(5)]).await;
        // From its tail a chain of two, and a state lists the third.
        marvin.say(&carrying(KERMIT, 1, &[id(3)])).await;
        marvin.batch().await;
        marvin.say(&attach(3, Target::Object(id(3)))).await;
        marvin.let_in().await;
        marvin.say(&carrying(id(3), 1, &[id(4)])).await;
        marvin.outcome(id(3), 1).await;
        let create = create(ROWLF, None);
        let create = Create { state: StateIs::Payload, carried: carried(&[id(5)]), ..create };
        marvin.say_bytes(&with_payload(&create, b"state")).await;
        marvin.let_in().await;
        linger().await;
        linger().await;
        assert_eq!(marvin.named().await, [AMYS, KERMIT, id(3), id(4), id(5)]);
        marvin.say(&part(2, ROWLF)).await;
        marvin.done(2).await;
        linger().await;
        assert_eq!(marvin.named().await, [AMYS, KERMIT, id(3), id(4)]);
        marvin.say(&part(2, KERMIT)).await;
        marvin.done(2).await;
        linger().await;
        assert_eq!(marvin.told_end(id(3)).await, EndReason::Dropped);
        assert_eq!(marvin.named().await, [AMYS]);
    });
}

#[test]
fn a_cycle_is_kept_by_a_leaf_of_one_in_it_and_goes_when_there_is_none() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        make(&mut marvin, &[KERMIT, ROWLF]).await;
        marvin.say(&join(3, Target::Object(ROWLF))).await;
        marvin.let_in().await;
        marvin.say(&carrying(KERMIT, 1, &[ROWLF])).await;
        marvin.batch().await;
        marvin.say(&carrying(ROWLF, 1, &[KERMIT, ROWLF])).await;
        marvin.batch().await;
        marvin.say(&part(4, KERMIT)).await;
        marvin.done(4).await;
        linger().await;
        assert_eq!(marvin.named().await, [AMYS, KERMIT, ROWLF]);
        marvin.say(&part(5, ROWLF)).await;
        marvin.done(5).await;
        linger().await;
        assert_eq!(marvin.named().await, [AMYS]);
    });
}

#[test]
fn a_pin_keeps_an_object_until_it_is_taken_out() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&pin(2, KERMIT, true)).await;
        marvin.done(2).await;
        marvin.say(&part(3, KERMIT)).await;
        marvin.done(3).await;
        linger().await;
        linger().await;
        // Whoever is no leaf has nothing to say about it.
        for refused in [pin(4, KERMIT, false), pin(4, ROWLF, true), pin(4, AMYS, true)] {
            marvin.say(&refused).await;
            assert_eq!(marvin.refused(4).await, Refusal::NotJoined);
        }
        marvin.say(&join(5, by_name("kermit"))).await;
        marvin.let_in().await;
        marvin.say(&pin(6, KERMIT, false)).await;
        marvin.done(6).await;
        marvin.say(&part(7, KERMIT)).await;
        marvin.done(7).await;
        linger().await;
        assert_eq!(marvin.named().await, [AMYS]);
    });
}

#[test]
fn whoever_has_parted_is_told_nothing_when_an_object_goes() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        make(&mut marvin, &[id(9), KERMIT]).await;
        marvin.say(&join(3, Target::Object(KERMIT))).await;
        marvin.let_in().await;
        let frames = together(&[&shout(KERMIT, 1), &part(4, KERMIT)]);
        marvin.say_bytes(&frames).await;
        marvin.batch().await;
        marvin.done(4).await;
        linger().await;
        marvin.say(&destroy(5, KERMIT)).await;
        assert_eq!(marvin.refused(5).await, Refusal::NotJoined);
    });
}

#[test]
fn thousands_of_objects_go_at_once_and_nobody_waits_for_it() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for n in 0..3_000_u16 {
            let mut object = id(0xee);
            object.0[..2].copy_from_slice(&n.to_be_bytes());
            marvin.say(&create(object, Some(&format!("many.{n:04}")))).await;
            marvin.let_in().await;
        }
        drop(marvin);
        sleep(NOT_YET).await;
        let mut angus = pond.marvin().await;
        assert!(angus.named().await.len() > 1_000);
        sleep(LOOK).await;
        assert_eq!(angus.named().await, [AMYS]);
    });
}

#[test]
fn who_watches_and_reads_on_is_not_closed_when_many_names_go_at_once() {
    in_pond(async |pond| {
        let (many, mut marvin) = (12_000_u16, pond.marvin().await);
        let mut angus = pond.marvin().await;
        angus.say(&List { request: 1, prefix: "many".to_owned(), watch: true }).await;
        angus.hear().await;
        for n in 0..many {
            let mut object = id(0xee);
            object.0[..2].copy_from_slice(&n.to_be_bytes());
            marvin.say(&create(object, Some(&format!("many.{n:0100}")))).await;
            marvin.let_in().await;
            assert_eq!(angus.hear().await.frame_type(), FrameType::Changed);
        }
        drop(marvin);
        // It reads some seven megabytes in a second.
        for n in 0..many {
            match angus.hear().await {
                Frame::Changed(_) => {}
                other => panic!("no change, behind {n}: {other:?}"),
            }
            if n % 64 == 0 {
                settle().await;
            }
        }
    });
}
