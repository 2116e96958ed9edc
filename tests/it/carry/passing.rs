//! Objects are passed: new ones, known ones, those in states, in circles.

use actix_multiplex::{Local, Shout};

use super::napkins::{
    CarryYourself, Draw, Drawing, Fold, Ink, Lie, Rotate, Sheet, Spill, Spot, guest,
};
use crate::client::pond::{hub, paused, settle, soon};

fn ink(angle: i64, heard: u64) -> Ink {
    Ink { angle, heard, on: Vec::new() }
}

#[test]
fn a_new_object_springs_into_being_when_it_is_passed_and_is_there_when_its_carrier_is_heard() {
    paused(async {
        let hub = hub();
        let (alec, alecs) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();

        let blot = alec.create::<Spot>(None, ink(30, 0)).await.unwrap();
        let carried = blot.carry().await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        for table in [&alecs, &amys] {
            table.see(|laid| assert_eq!(laid.drawn, [Ok(ink(30, 0))]));
        }
        soon(blot.send(Shout(Rotate(90)))).await.unwrap();
        settle().await;
        for table in [&alecs, &amys] {
            table.see(|laid| assert_eq!(laid.blots[&blot.object()], ink(120, 1)));
        }
    });
}

#[test]
fn a_leaf_that_was_made_by_a_carrier_and_is_not_bound_parts_when_the_carrier_is_handled() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, false).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let blot = alec.create::<Spot>(None, ink(1, 0)).await.unwrap();
        let carried = blot.carry().await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        let reference = amys.see(|laid| {
            assert_eq!(laid.drawn, [Ok(ink(1, 0))]);
            assert!(laid.blots.is_empty(), "has parted");
            laid.references[0].clone()
        });
        soon(blot.send(Shout(Rotate(8)))).await.unwrap();
        let again = soon(amy.bind::<Spot>(&reference)).await.unwrap();
        assert_eq!(again.object(), blot.object());
        settle().await;
        amys.see(|laid| assert_eq!(laid.blots[&blot.object()], ink(9, 1)));
    });
}

#[test]
fn a_latecomer_has_what_the_state_carries_and_what_that_carries_in_a_circle_too() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let blot = alec.create::<Spot>(None, ink(5, 0)).await.unwrap();
        let drawn = Drawing(vec![blot.carry().await.unwrap()]);
        let napkin = alec.create::<Sheet>(Some("napkin"), drawn).await.unwrap();
        let lie = Lie(napkin.carry().await.unwrap());
        soon(blot.send(Shout(lie))).await.unwrap();

        let (amy, amys) = guest(&hub, 2, true).await;
        let amys_napkin = soon(amy.join::<Sheet>("napkin")).await.unwrap();
        settle().await;
        amys.see(|laid| {
            assert_eq!(laid.restored, [Ok(blot.object())]);
            let there = &laid.blots[&blot.object()];
            assert_eq!((there.heard, there.on.len()), (1, 1));
            assert_eq!(there.on[0], amys_napkin.voice().reference());
        });
    });
}

#[test]
fn objects_that_live_offline_in_a_circle_are_published_with_the_first_of_them() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let table = alec.create::<Sheet>(Some("table"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("table").await.unwrap();

        let napkin = alec.create::<Sheet>(None, Drawing::default()).await.unwrap();
        let on = vec![napkin.carry().await.unwrap()];
        let blot = alec.create::<Spot>(None, Ink { angle: 3, heard: 0, on }).await.unwrap();
        let circle = Drawing(vec![blot.carry().await.unwrap()]);
        assert!(napkin.voice().carry(circle).is_ok());
        let carried = blot.carry().await.unwrap();
        soon(table.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        amys.see(|laid| {
            assert_eq!(laid.restored, [Ok(blot.object())], "the napkin was made on the way");
            let drawn = laid.drawn[0].as_ref().unwrap();
            assert_eq!((drawn.angle, drawn.on[0].object()), (3, napkin.object()));
        });
    });
}

#[test]
fn an_object_that_lives_offline_is_passed_with_the_state_that_it_has_then() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let outside = alec.create::<Spot>(None, ink(1, 0)).await.unwrap();
        outside.send(Local(Spill(10))).await.unwrap();
        let inside = alec.create::<Spot>(None, ink(2, 0)).await.unwrap();
        inside.send(Local(Spill(20))).await.unwrap();

        let carried = outside.carry().await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        let carried = inside.send(Local(CarryYourself)).await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        amys.see(|laid| assert_eq!(laid.drawn, [Ok(ink(11, 0)), Ok(ink(22, 0))]));
    });
}

#[test]
fn until_an_object_is_passed_no_byte_of_it_is_sent() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let blot = alec.create::<Spot>(None, ink(1, 0)).await.unwrap();
        let carried = blot.carry().await.unwrap();
        // The reference goes out by hand: a frame that another client could have made.
        settle().await;
        let gone = soon(amy.bind::<Spot>(&carried)).await;
        assert_eq!(gone.unwrap_err(), actix_multiplex::BindError::Gone);
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        soon(napkin.send(Shout(Fold))).await.unwrap();
        settle().await;
        amys.see(|laid| assert_eq!((laid.drawn.len(), laid.folds), (1, 1)));
    });
}

#[test]
fn a_carrier_waits_until_the_leaf_has_heard_what_its_sender_had_heard() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let blot = alec.create::<Spot>(None, ink(0, 0)).await.unwrap();
        for _ in 0..50 {
            soon(blot.send(Shout(Rotate(1)))).await.unwrap();
        }
        settle().await;
        let carried = blot.carry().await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 50 }))).await.unwrap();
        let (amy, amys) = guest(&hub, 2, true).await;
        let _amys = soon(amy.join::<Sheet>("napkin")).await.unwrap();
        settle().await;
        amys.see(|laid| assert_eq!(laid.drawn, [Ok(ink(50, 50))]));
    });
}

#[test]
fn a_reference_that_was_heard_is_passed_on_by_who_heard_it() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, false).await;
        let (angus, anguss) = guest(&hub, 3, true).await;
        let first = alec.create::<Sheet>(Some("first"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("first").await.unwrap();
        let second = amy.create::<Sheet>(Some("second"), Drawing::default()).await.unwrap();
        let _anguss = angus.join::<Sheet>("second").await.unwrap();
        let blot = alec.create::<Spot>(None, ink(4, 0)).await.unwrap();
        let carried = blot.carry().await.unwrap();
        soon(first.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        settle().await;
        let heard = amys.see(|laid| laid.references[0].clone());
        soon(second.send(Shout(Draw { blot: heard, heard: 0 }))).await.unwrap();
        settle().await;
        anguss.see(|laid| assert_eq!(laid.drawn, [Ok(ink(4, 0))]));
    });
}
