//! What is shouted anywhere is heard everywhere, in one order; and so is all else that leaves do.

use std::time::Duration;

use actix_multiplex::{JoinError, Local, Receipt, Seq, Shout};

use crate::pond::{Count, Counting, Croak, Frog, Look, Show, chain, client, kermit, soon, until};

#[test]
fn g11_a_croak_from_either_end_is_heard_by_all_at_the_same_seq() {
    chain(3, async |chain| {
        let mut frogs = Vec::new();
        for hub in 0..3 {
            let (client, log) = client(chain, hub, &format!("frog {hub}"), 7).await;
            frogs.push((kermit(&client).await, log));
        }
        for (place, (kermit, _)) in frogs.iter().enumerate() {
            let receipt = soon(kermit.send(Shout(Croak(place as u64)))).await.expect("is heard");
            assert_eq!(receipt, Receipt::Sequenced { seq: Seq(place as u64 + 1) });
        }
        for (_, log) in &frogs {
            until(|| log.heard().len() == 3).await;
            assert_eq!(log.heard(), [(1, 0), (2, 1), (3, 2)]);
        }
    });
}

#[test]
fn g11_an_object_that_is_made_at_the_edge_has_its_home_at_the_top_and_latecomers_catch_up() {
    chain(3, async |chain| {
        let (low, _) = client(chain, 2, "alec", 7).await;
        let made = soon(low.create::<Counting>(Some("kermit"), 40)).await.expect("is made");
        for n in 0..100 {
            drop(made.try_send(Shout(Croak(n))).expect("there is room"));
        }
        soon(made.send(Shout(Croak(100)))).await.expect("is heard");
        for (hub, name) in [(0, "amy"), (1, "angus"), (2, "marvin")] {
            let (client, log) = client(chain, hub, name, 7).await;
            let late = soon(client.join::<Counting>("kermit")).await.expect("is there");
            until(|| log.heard().len() == 101).await;
            assert_eq!(soon(late.send(Local(Count))).await.expect("lives"), 141);
        }
        // The home alone has it among its objects.
        let kept = soon(low.list("")).await.expect("is told");
        assert_eq!(kept.len(), 0, "the edge has no names of its own");
    });
}

#[test]
fn g11_carried_objects_are_ready_in_both_directions() {
    chain(3, async |chain| {
        let (low, below) = client(chain, 2, "alec", 7).await;
        let (high, above) = client(chain, 0, "amy", 7).await;
        let (there, here) = (kermit(&high).await, kermit(&low).await);
        for (from, giver, log) in [(&low, &here, &above), (&high, &there, &below)] {
            let blot = soon(from.create::<Counting>(None, 5)).await.expect("is made");
            let carried = soon(blot.carry()).await.expect("can be carried");
            soon(giver.send(Shout(Show(carried)))).await.expect("is heard");
            let there = || log.shown().into_iter().find(|shown| shown.object() == blot.object());
            until(|| there().is_some() || !log.missing().is_empty()).await;
            assert_eq!(log.missing(), Vec::<String>::new());
            let shown = there().expect("was waited for");
            assert_eq!(soon(shown.send(Local(Count))).await.expect("lives"), 5);
            soon(shown.send(Shout(Croak(1)))).await.expect("is heard");
            assert_eq!(soon(blot.send(Local(Count))).await.expect("lives"), 6);
        }
    });
}

#[test]
fn g11_a_voice_a_grade_and_what_may_be_lost_cross_the_chain() {
    chain(3, async |chain| {
        let (low, below) = client(chain, 2, "alec", 7).await;
        let (high, above) = client(chain, 0, "amy", 7).await;
        let (there, here) = (kermit(&high).await, kermit(&low).await);
        let (middle, _) = client(chain, 1, "angus", 7).await;
        let voice = soon(middle.voice::<Frog>("kermit")).await.expect("is there");
        let receipt = soon(voice.send(Shout(Croak(9)))).await.expect("is heard");
        assert_eq!(receipt, Receipt::Sequenced { seq: Seq(1) });
        let graded = here.send_handled(Shout(Croak(10)), Duration::from_secs(5));
        let receipt = soon(graded).await.expect("is heard");
        let Receipt::Handled { by, of, .. } = receipt else { panic!("{receipt:?}") };
        assert_eq!((by, of), (2, 2));
        assert!(there.send_volatile(Look(3)).is_ok());
        until(|| below.looks() == [3]).await;
        assert_eq!(above.looks(), Vec::<u64>::new(), "who has said it does not hear it");
    });
}

#[test]
fn g11_names_pins_and_ends_are_the_homes() {
    chain(3, async |chain| {
        let (low, _) = client(chain, 2, "alec", 7).await;
        let (high, _) = client(chain, 0, "amy", 7).await;
        let frog = soon(low.create::<Counting>(None, 0)).await.expect("is made");
        soon(frog.send(Shout(Croak(1)))).await.expect("is heard");
        soon(frog.name("robin")).await.expect("is named");
        let there = soon(high.join::<Counting>("robin")).await.expect("is there");
        let taken = soon(low.create::<Counting>(Some("robin"), 0)).await;
        assert!(matches!(&taken, Err(JoinError::NameTaken { .. })), "{taken:?}");
        soon(frog.pin()).await.expect("is pinned");
        soon(frog.destroy()).await.expect("is no more");
        until(|| there.gone().is_some() && frog.gone().is_some()).await;
        let gone = soon(high.join::<Counting>("robin")).await;
        assert!(gone.is_err(), "{gone:?}");
    });
}
