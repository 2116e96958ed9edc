//! What cannot be had holds nothing up, and `bind` says why.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_multiplex::{BindError, Denied, Hub, HubBuilder, Rights, Shout, Visit, Wish, testing};

use super::napkins::{
    Draw, Drawing, Fold, Ink, Lie, Sheet, Spot, Table, blots, guest, sheets, stranger,
};
use crate::client::pond::{hub, paused, settle, soon};

#[test]
fn without_a_class_a_reference_is_kept_and_bound_when_there_is_one() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = stranger(&hub, 2, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let blot = alec.create::<Spot>(None, Ink::default()).await.unwrap();
        let carried = blot.carry().await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        let reference = amys.see(|laid| {
            assert!(matches!(laid.drawn[..], [Err(BindError::NotImplemented { .. })]));
            laid.references[0].clone()
        });
        blots(&amy, &amys);
        assert_eq!(amy.bind::<Spot>(&reference).now().unwrap_err(), BindError::NotHere);
        let bound = soon(amy.bind::<Spot>(&reference)).await.unwrap();
        assert_eq!(bound.object(), blot.object());
    });
}

#[test]
fn an_object_that_nobody_knows_is_gone_and_its_carrier_is_heard() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let blot = alec.create::<Spot>(None, Ink::default()).await.unwrap();
        let carried = blot.carry().await.unwrap();
        drop(blot);
        settle().await;
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        amys.see(|laid| assert_eq!(laid.drawn, [Err(BindError::Gone)]));
    });
}

/// Amy's joins of blots are decided like this; everything else is admitted.
fn hub_that<F>(decide: impl Fn() -> F + Clone + Send + Sync + 'static) -> HubBuilder
where
    F: Future<Output = Result<Rights, Denied>> + Send + 'static,
{
    let admission = move |visit: Visit| {
        let decide = decide.clone();
        async move {
            match &visit.wish {
                Wish::Join { interface, .. } if interface.tag.as_str() == "napkin.blot" => {
                    decide().await
                }
                _ => Ok(Rights::ALL),
            }
        }
    };
    Hub::builder().seed(7).admission(admission)
}

/// Alec draws a blot and folds the napkin, and so on; tells what Amy made of it, and how long the
/// last fold took to reach her.
async fn draw_and_fold(hub: &Hub) -> (Table, Duration) {
    let (alec, _) = guest(hub, 1, true).await;
    let (amy, amys) = guest(hub, 2, true).await;
    let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
    let other = alec.create::<Sheet>(Some("other"), Drawing::default()).await.unwrap();
    let _amys = amy.join::<Sheet>("napkin").await.unwrap();
    let _others = amy.join::<Sheet>("other").await.unwrap();
    let blot = alec.create::<Spot>(None, Ink::default()).await.unwrap();
    let carried = blot.carry().await.unwrap();
    let began = tokio::time::Instant::now();
    soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
    soon(napkin.send(Shout(Fold))).await.unwrap();
    soon(other.send(Shout(Fold))).await.unwrap();
    settle().await;
    amys.see(|laid| assert!(laid.folds >= 1, "only the carrier's own stream waits"));
    while amys.see(|laid| laid.folds) < 2 {
        settle().await;
    }
    (amys, began.elapsed())
}

#[test]
fn what_is_refused_is_told_at_once() {
    paused(async {
        let hub = hub_that(|| async { Err(Denied::because("no blots today")) }).start().unwrap();
        let (amys, took) = draw_and_fold(&hub).await;
        let why = "the hub's admission refused: no blots today".to_owned();
        amys.see(|laid| assert_eq!(laid.drawn, [Err(BindError::Refused(why))]));
        assert!(took < Duration::from_secs(1), "{took:?}");
    });
}

#[test]
fn what_does_not_come_is_late_after_5_s_and_holds_up_nothing_but_its_carriers_stream() {
    paused(async {
        let hub = hub_that(|| async {
            tokio::time::sleep(Duration::from_millis(4_990)).await;
            std::future::pending().await
        });
        let hub = hub.start().unwrap();
        let (amys, took) = draw_and_fold(&hub).await;
        amys.see(|laid| {
            // The hub's own deadline for its admission is as long: either may be first.
            assert!(
                matches!(laid.drawn[..], [Err(BindError::Late | BindError::Refused(_))]),
                "{:?}",
                laid.drawn
            );
        });
        assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(6), "{took:?}");
    });
}

/// Who joins what is slow waits 2 s, and for what is far for ever; the first blot is refused.
fn hub_of_slow_and_far() -> Hub {
    let is_first = Arc::new(AtomicBool::new(true));
    let admission = move |visit: Visit| {
        let is_first = is_first.clone();
        async move {
            let Wish::Join { name: Some(name), .. } = &visit.wish else { return Ok(Rights::ALL) };
            match name.as_str() {
                "slow" => tokio::time::sleep(Duration::from_secs(2)).await,
                "far" => std::future::pending().await,
                "blot" if is_first.swap(false, Ordering::Relaxed) => {
                    return Err(Denied::because("not yet"));
                }
                _ => {}
            }
            Ok(Rights::ALL)
        }
    };
    Hub::builder().seed(7).admission(admission).start().unwrap()
}

#[test]
fn a_leaf_that_has_come_since_is_not_bound_before_it_has_heard_what_the_carriers_sender_had() {
    paused(async {
        let hub = hub_of_slow_and_far();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let far = alec.create::<Sheet>(Some("far"), Drawing::default()).await.unwrap();
        let slow = alec.create::<Spot>(Some("slow"), Ink::default()).await.unwrap();
        let blot = alec.create::<Spot>(Some("blot"), Ink::default()).await.unwrap();
        soon(blot.send(Shout(Lie(far.carry().await.unwrap())))).await.unwrap();
        settle().await;
        // The second drawing, whose blot is refused, is heard behind the first.
        for (drawn, heard) in [(&slow, 0), (&blot, 1)] {
            let carried = drawn.carry().await.unwrap();
            soon(napkin.send(Shout(Draw { blot: carried, heard }))).await.unwrap();
        }
        settle().await;
        // Meanwhile a leaf of the blot comes by name, and waits for what is far.
        let _blot = soon(amy.join::<Spot>("blot")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        amys.see(|laid| {
            assert!(
                matches!(laid.drawn[..], [Ok(_), Err(BindError::Refused(_))]),
                "{:?}",
                laid.drawn
            );
        });
    });
}

#[test]
fn what_waits_when_a_connection_is_cut_waits_for_the_rest_of_its_time_over_the_next() {
    testing::run_with(
        5,
        || hub_that(std::future::pending),
        async |sim| {
            let (alec, _) = guest(&sim.hub(), 1, true).await;
            let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
            let amy = sim.witness("amy").await.client().clone();
            let amys = Table::default();
            sheets(&amy, &amys, true);
            blots(&amy, &amys);
            let _amys = amy.join::<Sheet>("napkin").await.unwrap();
            let blot = alec.create::<Spot>(None, Ink::default()).await.unwrap();
            let carried = blot.carry().await.unwrap();
            napkin.send(Shout(Draw { blot: carried, heard: 0 })).await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            amys.see(|laid| assert!(laid.drawn.is_empty(), "the drawing waits for its blot"));
            sim.network().cut("amy");
            sim.settle().await;
            amys.see(|laid| {
                assert!(laid.drawn.is_empty(), "nothing is late while nobody is there");
            });
            tokio::time::sleep(Duration::from_secs(10)).await;
            amys.see(|laid| assert_eq!(laid.drawn, [Err(BindError::Late)]));
        },
    );
}
