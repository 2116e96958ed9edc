//! Leaves that panic are made anew and restored, and nobody else notices.

mod toads;

use std::time::Duration;

use actix_multiplex::{Client, Gone, Handle, Local, Shout, ShoutError, Voice, testing};

use self::toads::{At, Lay, Newt, Pad, Poke, Script, Tell, Toad, toad};
use super::pond::{Croak, Given, Slow, client, hub, paused, settle, soon};

/// Waits until a leaf that has panicked is there again.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn told(toad: &Handle<Toad>) -> Vec<u32> {
    rest().await;
    soon(toad.send(Local(Tell))).await.unwrap().0
}

/// The toad panics at 3 of these shouts.
async fn shout_six(pad: &Handle<Toad>) {
    let mut receipts = Vec::new();
    for n in 1..=6 {
        receipts.push(if n == 3 {
            pad.try_send(Shout(Slow { n, ms: 1 })).unwrap()
        } else {
            pad.try_send(Shout(Croak(n))).unwrap()
        });
    }
    for (receipted, seq) in receipts.into_iter().zip(1..) {
        assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
    }
}

#[test]
fn g8_wherever_a_leaf_panics_it_is_made_anew_and_has_heard_what_all_others_have() {
    let places = [At::Croak(2), At::Future(2), At::Timer(2), At::Wait(2), At::Slow(3)];
    for at in places {
        paused(async move {
            let hub = hub();
            let (_alec, alecs, script, _) = toad(&hub, 1).await;
            let (_amy, amys, _, amys_log) = toad(&hub, 2).await;
            script.add(at, 1);
            let former = alecs.addr();
            shout_six(&alecs).await;
            rest().await;
            assert!(!former.connected() && alecs.addr().connected(), "{at:?}");
            assert_eq!(alecs.gone(), None);
            assert_eq!(told(&alecs).await, told(&amys).await, "{at:?}");
            assert_eq!(told(&alecs).await, [1, 2, 3, 4, 5, 6]);
            assert_eq!(amys_log.numbers(), [1, 2, 4, 5, 6]);
            soon(amys.send(Shout(Croak(7)))).await.unwrap();
            soon(alecs.send(Shout(Croak(8)))).await.unwrap();
            settle().await;
            assert_eq!(told(&alecs).await, told(&amys).await);
            assert_eq!(told(&alecs).await.len(), 8);
        });
    }
}

#[test]
fn g8_a_leaf_that_panics_before_it_has_its_state_is_made_anew() {
    for at in [At::Make, At::Start, At::Restore] {
        paused(async move {
            let hub = hub();
            let (_alec, alecs, ..) = toad(&hub, 1).await;
            soon(alecs.send(Shout(Croak(1)))).await.unwrap();
            let (amy, script) = (client(hub.local(), 2).await, Script::default());
            script.add(at, 3);
            let log = Toad::at(&amy, &script);
            let hers = soon(amy.join::<Toad>("pad")).await.unwrap();
            assert_eq!(told(&hers).await, [1], "{at:?}");
            assert_eq!(log.numbers(), [1]);
            let offline = soon(amy.create::<Toad>(None, vec![7])).await.unwrap();
            script.add(at, 1);
            assert_eq!(told(&offline).await, [7], "{at:?}");
        });
    }
}

#[test]
fn g8_a_leaf_that_lived_offline_is_made_anew_with_the_state_it_was_made_with() {
    paused(async {
        let hub = hub();
        let (alec, ..) = toad(&hub, 1).await;
        let offline = soon(alec.create::<Toad>(None, vec![7, 8])).await.unwrap();
        let poked = soon(offline.send(Local(Poke))).await;
        assert_eq!(poked, Err(Gone::Panicked("poked".to_owned())));
        settle().await;
        assert_eq!(told(&offline).await, [7, 8]);
        assert_eq!(soon(offline.send(Shout(Croak(9)))).await.unwrap().seq().0, 1);
        assert_eq!(told(&offline).await, [7, 8, 9]);
    });
}

#[test]
fn a_leaf_that_panics_over_the_shout_that_publishes_its_object_is_restored() {
    paused(async {
        let hub = hub();
        let (alec, _, script, _) = toad(&hub, 1).await;
        let offline = soon(alec.create::<Toad>(None, vec![7])).await.unwrap();
        settle().await;
        script.add(At::Croak(1), 1);
        let receipts = [1, 2, 3].map(|n| offline.try_send(Shout(Croak(n))).unwrap());
        // Both the publication and the join are under way together.
        let _poked = soon(offline.send(Local(Poke))).await;
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        settle().await;
        assert_eq!(told(&offline).await, [7, 1, 2, 3]);
    });
}

#[test]
fn a_local_message_that_was_with_a_leaf_that_panics_is_lost_and_the_next_reaches_the_new_one() {
    paused(async {
        let hub = hub();
        let (_alec, alecs, ..) = toad(&hub, 1).await;
        soon(alecs.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        let (poked, behind) = tokio::join!(alecs.send(Local(Poke)), alecs.send(Local(Tell)));
        assert_eq!(poked, Err(Gone::Panicked("poked".to_owned())));
        assert_eq!(behind, Err(Gone::Panicked("poked".to_owned())));
        assert_eq!(told(&alecs).await, [1]);
        assert_eq!(alecs.gone(), None);
    });
}

#[test]
fn a_shout_over_which_a_leaf_panics_twice_is_not_given_to_it_again() {
    paused(async {
        let hub = hub();
        let (_alec, alecs, script, log) = toad(&hub, 1).await;
        let (_amy, amys, ..) = toad(&hub, 2).await;
        script.add(At::Croak(2), usize::from(u8::MAX));
        script.add(At::Slow(4), usize::from(u8::MAX));
        for n in 1..=5 {
            let receipted = if n == 4 {
                alecs.try_send(Shout(Slow { n, ms: 1 })).unwrap()
            } else {
                alecs.try_send(Shout(Croak(n))).unwrap()
            };
            assert_eq!(soon(receipted).await.unwrap().seq().0, u64::from(n));
        }
        rest().await;
        assert_eq!(alecs.gone(), None);
        assert_eq!(told(&alecs).await, [1, 3, 5]);
        assert_eq!(told(&amys).await, [1, 2, 3, 4, 5]);
        let unheard = log.all().into_iter().filter_map(|given| match given {
            Given::Unheard(seq) => Some(seq),
            _ => None,
        });
        // The last leaf is told of both, the one before it of the first.
        assert_eq!(unheard.collect::<Vec<_>>(), [2, 2, 2, 4]);
    });
}

#[test]
fn a_leaf_past_its_limit_has_parted_and_its_handle_says_why() {
    paused(async {
        let hub = hub();
        let (alec, alecs, script, log) = toad(&hub, 1).await;
        let (_amy, amys, ..) = toad(&hub, 2).await;
        script.add(At::Start, usize::from(u8::MAX));
        script.add(At::Croak(2), 1);
        let receipts = [1, 2, 3].map(|n| alecs.try_send(Shout(Croak(n))).unwrap());
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        rest().await;
        let gone = Gone::Panicked("sabotaged: Start".to_owned());
        assert_eq!(alecs.gone(), Some(gone.clone()));
        assert_eq!(soon(alecs.send(Local(Tell))).await, Err(gone.clone()));
        let error = soon(alecs.send(Shout(Croak(4)))).await.unwrap_err();
        assert!(matches!(&error, ShoutError::Gone(Croak(4), why) if *why == gone), "{error}");
        assert_eq!(told(&amys).await, [1, 2, 3]);
        // A better one joins.
        let script = Script::default();
        log.clear();
        let _same_class = Toad::at(&alec, &script);
        let better = soon(alec.join::<Toad>("pad")).await.unwrap();
        soon(better.send(Shout(Croak(5)))).await.unwrap();
        assert_eq!(told(&better).await, [1, 2, 3, 5]);
        assert_eq!(alecs.gone(), Some(gone));
        assert_eq!(log.all(), []);
    });
}

#[test]
fn a_leaf_that_panics_now_and_then_is_made_anew_each_time() {
    paused(async {
        let hub = hub();
        let (_alec, alecs, script, _) = toad(&hub, 1).await;
        for n in 0..20 {
            script.add(At::Croak(n), 1);
            soon(alecs.send(Shout(Croak(n)))).await.unwrap();
            tokio::time::sleep(Duration::from_millis(2_100)).await;
            assert_eq!(told(&alecs).await.len() as u32, n + 1, "{:?}", alecs.gone());
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        // Six within ten seconds are one too many.
        for n in 20..26 {
            script.add(At::Croak(n), 1);
            soon(alecs.send(Shout(Croak(n)))).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(matches!(alecs.gone(), Some(Gone::Panicked(_))), "{:?}", alecs.gone());
    });
}

#[test]
fn a_voice_shouts_on_when_the_leaf_beside_it_has_failed() {
    paused(async {
        let hub = hub();
        let (alec, alecs, script, _) = toad(&hub, 1).await;
        let (_amy, amys, ..) = toad(&hub, 2).await;
        let voice: Voice<Pad> = soon(alec.voice("pad")).await.unwrap();
        script.add(At::Make, usize::from(u8::MAX));
        let _poked = soon(alecs.send(Local(Poke))).await;
        rest().await;
        assert_eq!(alecs.gone(), Some(Gone::Panicked("sabotaged: Make".to_owned())));
        assert_eq!(voice.gone(), None);
        soon(voice.send(Shout(Croak(1)))).await.unwrap();
        assert_eq!(told(&amys).await, [1]);
    });
}

#[test]
fn g3_what_a_leaf_had_bound_is_let_go_and_the_new_one_has_it_anew() {
    paused(async {
        let hub = hub();
        let (alec, alecs, ..) = toad(&hub, 1).await;
        let (_amy, hers, _, log) = toad(&hub, 2).await;
        let egg = soon(alec.create::<Toad>(None, vec![7])).await.unwrap();
        let carried = egg.carry().await.unwrap();
        soon(alecs.send(Shout(Lay(carried)))).await.unwrap();
        soon(egg.send(Shout(Croak(8)))).await.unwrap();
        settle().await;
        assert_eq!(soon(hers.send(Local(Tell))).await.unwrap().1, 1);
        log.clear();
        let _poked = soon(hers.send(Local(Poke))).await;
        rest().await;
        assert_eq!(soon(hers.send(Local(Tell))).await.unwrap().1, 1);
        soon(egg.send(Shout(Croak(9)))).await.unwrap();
        settle().await;
        // What the one had bound has parted: only the other one's hears.
        assert_eq!(log.numbers().iter().filter(|n| **n == 9).count(), 1, "{:?}", log.all());
    });
}

#[test]
fn a_leaf_without_a_state_goes_on_behind_the_shout_over_which_it_panicked() {
    paused(async {
        let hub = hub();
        let (alec, script) = (client(hub.local(), 1).await, Script::default());
        let log = Newt::at(&alec, &script);
        let reed = soon(alec.open::<Newt>("reed", ())).await.unwrap();
        for n in [2, 3, 6] {
            script.add(At::Croak(n), usize::from(u8::MAX));
        }
        script.add(At::Make, 1);
        let receipts: Vec<_> = (1..=8).map(|n| reed.try_send(Shout(Croak(n))).unwrap()).collect();
        for (receipted, seq) in receipts.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        rest().await;
        assert!(log.heard().into_iter().eq((1..=8).zip(1..=8)), "{:?}", log.all());
        assert_eq!((log.all().len(), reed.gone()), (8, None));
    });
}

/// Without its hub a leaf cannot be restored; one without a state needs none.
#[test]
fn g5_a_leaf_that_panics_when_its_client_has_left_lives_on_only_if_it_needs_no_state() {
    paused(async {
        let hub = hub();
        let (alec, pad, script, _) = toad(&hub, 1).await;
        Newt::at(&alec, &script);
        let reed = soon(alec.open::<Newt>("reed", ())).await.unwrap();
        alec.close().await;
        let poked = Gone::Panicked("poked".to_owned());
        assert_eq!(soon(reed.send(Local(Poke))).await, Err(poked.clone()));
        assert_eq!(soon(pad.send(Local(Poke))).await, Err(poked.clone()));
        settle().await;
        assert_eq!(soon(reed.send(Local(Tell))).await, Ok((Vec::new(), 0)));
        assert_eq!(soon(pad.send(Local(Tell))).await, Err(poked.clone()));
        assert_eq!(pad.gone(), Some(poked));
    });
}

#[test]
fn a_leaf_that_waits_for_its_state_is_given_up_with_its_connection() {
    testing::run(5, async |sim| {
        let alec: Client = sim.witness("alec").await.client().clone();
        Toad::at(&alec, &Script::default());
        let pad = alec.open::<Toad>("pad", Vec::new()).await.unwrap();
        sim.settle().await;
        sim.network().hold("alec");
        assert_eq!(pad.send(Local(Poke)).await, Err(Gone::Panicked("poked".to_owned())));
        sim.settle().await;
        let asked = pad.send(Local(Tell));
        let close = async {
            sim.settle().await;
            alec.close().await;
        };
        let (told, ()) = tokio::join!(asked, close);
        assert_eq!(told, Err(Gone::Parted));
        assert!(matches!(pad.gone(), Some(Gone::Closed(_))), "{:?}", pad.gone());
    });
}

#[test]
fn a_leaf_whose_last_handle_goes_while_it_waits_for_its_state_is_never_made() {
    testing::run(5, async |sim| {
        let alec: Client = sim.witness("alec").await.client().clone();
        let log = Toad::at(&alec, &Script::default());
        let pad = alec.open::<Toad>("pad", Vec::new()).await.unwrap();
        sim.settle().await;
        sim.network().hold("alec");
        let _poked = pad.send(Local(Poke)).await;
        sim.settle().await;
        log.clear();
        let addr = pad.addr();
        drop(pad);
        sim.settle().await;
        assert!(!addr.connected());
        sim.network().mend("alec");
        sim.settle().await;
        assert_eq!(log.all(), []);
        let again = alec.join::<Toad>("pad").await.unwrap();
        again.send(Shout(Croak(1))).await.unwrap();
        sim.settle().await;
        assert_eq!(log.numbers(), [1]);
    });
}
