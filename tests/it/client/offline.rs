//! Objects that nobody else knows of yet, and leaves whose client has lost its hub.

use actix_multiplex::{
    Denied, Gone, Hub, Local, NameError, Rights, Shout, ShoutError, Visit, Wish, wire::Refusal,
};

use super::{
    pond::{Count, Croak, Given, TextFrog, Weight, client, frog, hub, job, paused, settle, soon},
    wire::Wire,
};

#[test]
fn g5_an_object_that_was_never_shouted_at_takes_local_messages_and_sends_no_byte() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        settle().await;
        let before = (wire.up.bytes(), wire.down.bytes());
        let kermit = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let robin = alec.create::<TextFrog>(None, Weight(8)).await.unwrap();
        assert_ne!(kermit.object(), robin.object());
        soon(kermit.send(job(|frog: &mut TextFrog, _| frog.count = 3))).await.unwrap();
        assert_eq!(soon(kermit.send(Local(Count))).await, Ok(3));
        assert_eq!(soon(robin.send(Local(Count))).await, Ok(0));
        drop(robin);
        settle().await;
        assert_eq!((wire.up.bytes(), wire.down.bytes()), before);
        assert_eq!(log.all(), [Given::State(7), Given::State(8)]);
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        assert!(wire.up.bytes() > before.0);
    });
}

#[test]
fn the_first_shout_publishes_an_object_and_so_does_naming_it() {
    paused(async {
        let hub = hub();
        let (amy, _kermit, amys) = frog(&hub, 2).await;
        let alec = client(hub.local(), 1).await;
        let log = TextFrog::at(&alec);
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        assert_eq!(soon(robin.send(Shout(Croak(1)))).await.unwrap().seq().0, 1);
        let piggy = alec.create::<TextFrog>(None, Weight(8)).await.unwrap();
        soon(robin.name("robin")).await.unwrap();
        soon(piggy.name("piggy")).await.unwrap();
        amys.clear();
        let _robin = soon(amy.join::<TextFrog>("robin")).await.unwrap();
        let _piggy = soon(amy.join::<TextFrog>("piggy")).await.unwrap();
        soon(piggy.send(Shout(Croak(2)))).await.unwrap();
        settle().await;
        assert_eq!(log.heard(), [(1, 1), (1, 2)]);
        assert_eq!(
            amys.all(),
            [
                Given::State(7),
                Given::Heard { seq: 1, n: 1, mine: false, replayed: true },
                Given::State(8),
                Given::Heard { seq: 1, n: 2, mine: false, replayed: false },
            ]
        );
    });
}

#[test]
fn shouts_and_a_name_in_one_breath_with_the_publication_keep_their_order() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        let log = TextFrog::at(&alec);
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let receipts: Vec<_> = (0..5).map(|n| robin.try_send(Shout(Croak(n))).unwrap()).collect();
        let naming = robin.name("robin");
        soon(naming).await.unwrap();
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        settle().await;
        assert_eq!(log.numbers(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn an_object_dropped_unpublished_leaves_nothing_at_the_hub_and_its_voice_is_gone() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        TextFrog::at(&alec);
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let (voice, object) = (robin.voice(), robin.object());
        settle().await;
        let before = wire.up.bytes();
        drop(robin);
        settle().await;
        let error = voice.try_send(Shout(Croak(1))).unwrap_err();
        assert!(matches!(error, ShoutError::Gone(Croak(1), Gone::Parted)), "{error}");
        assert_eq!(wire.up.bytes(), before);
        assert!(hub.hold_up(object).await.is_none(), "the hub knows it");
    });
}

#[test]
fn an_object_shouted_at_and_dropped_at_once_was_heard_by_its_leaf_or_said_otherwise() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let voice = robin.voice();
        let receipted = robin.try_send(Shout(Croak(1))).unwrap();
        drop(robin);
        assert_eq!(soon(receipted).await.unwrap().seq().0, 1);
        settle().await;
        assert_eq!(voice.gone(), Some(Gone::Parted));
        // The client is none the worse for it.
        let robin = alec.create::<TextFrog>(Some("robin"), Weight(7)).await.unwrap();
        soon(robin.send(Shout(Croak(1)))).await.unwrap();
    });
}

#[test]
fn an_object_that_the_hub_does_not_take_says_so_to_shouts_and_names_and_lives_on_alone() {
    paused(async {
        let nothing_new = |visit: Visit| async move {
            match visit.wish {
                Wish::Create { .. } => Err(Denied::because("the pond is full")),
                _ => Ok(Rights::ALL),
            }
        };
        let hub = Hub::builder().seed(7).admission(nothing_new).start().unwrap();
        let full = Refusal::Denied("the pond is full".to_owned());
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let error = soon(robin.send(Shout(Croak(1)))).await.unwrap_err();
        assert!(
            matches!(&error, ShoutError::Refused(Croak(1), why) if why.contains("pond is full"))
        );
        settle().await;
        assert_eq!(robin.gone(), Some(Gone::Refused(full.clone())));
        let error = soon(robin.send(Shout(Croak(2)))).await.unwrap_err();
        assert!(matches!(&error, ShoutError::Gone(Croak(2), Gone::Refused(_))), "{error}");
        assert_eq!(soon(robin.send(Local(Count))).await, Ok(0));
        let piggy = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        assert_eq!(soon(piggy.name("piggy")).await, Err(NameError::Refused(full)));
        drop((robin, piggy));
        settle().await;
        assert!(alec.list("").await.unwrap().is_empty());
    });
}

#[test]
fn g5_local_messages_are_handled_when_the_hub_has_stopped_and_when_the_connection_is_lost() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let wire = Wire::new(hub.local());
        let amy = client(wire.clone(), 2).await;
        TextFrog::at(&amy);
        let hers = amy.join::<TextFrog>("kermit").await.unwrap();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        wire.cut();
        settle().await;
        assert_eq!(soon(hers.send(Local(Count))).await, Ok(1));
        soon(hub.stop()).await;
        settle().await;
        assert_eq!(soon(kermit.send(Local(Count))).await, Ok(1));
        assert_eq!(soon(robin.send(Local(Count))).await, Ok(0));
        let waits = robin.try_send(Shout(Croak(1))).unwrap();
        soon(alec.close()).await;
        let error = soon(waits).await.unwrap_err();
        assert!(matches!(error, ShoutError::Gone((), Gone::Closed(_))), "{error}");
        let addr = hers.addr();
        drop((hers, amy));
        settle().await;
        assert!(!addr.connected(), "a leaf outlives its handles");
    });
}
