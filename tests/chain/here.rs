//! Objects whose home is a hub below others.

use actix_multiplex::{Here, JoinError, Local, Shout, ShoutError};

use crate::pond::{Count, Counting, Croak, Show, chain, client, kermit, seconds, soon, until};

#[test]
fn g11_an_object_that_is_at_home_here_is_seen_here_and_below_and_used_while_the_link_is_cut() {
    chain(3, async |chain| {
        let (middle, _) = client(chain, 1, "alec", 7).await;
        let robin = soon(middle.create::<Counting>(Some("robin"), 0).home(Here)).await;
        let robin = robin.expect("is made");
        let (low, _) = client(chain, 2, "amy", 7).await;
        let below = soon(low.join::<Counting>("robin")).await.expect("is seen from below");
        let (high, _) = client(chain, 0, "angus", 7).await;
        let unseen = soon(high.join::<Counting>("robin")).await;
        assert!(matches!(&unseen, Err(JoinError::Unknown { .. })), "{unseen:?}");
        chain.hold(1);
        seconds(20).await;
        soon(below.send(Shout(Croak(1)))).await.expect("is heard while the link is cut");
        assert_eq!(soon(robin.send(Local(Count))).await.expect("lives"), 1);
    });
}

#[test]
fn g11_what_is_at_home_here_cannot_be_carried_at_home_above_and_both_are_named() {
    chain(3, async |chain| {
        let (low, _) = client(chain, 2, "amy", 7).await;
        let robin = soon(low.create::<Counting>(Some("robin"), 0).home(Here)).await;
        let robin = robin.expect("is made");
        let there = kermit(&low).await;
        let carried = soon(robin.carry()).await.expect("can be carried");
        let refused = soon(there.send(Shout(Show(carried)))).await;
        let Err(ShoutError::CarriedBelowHome { carried, object, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!((carried, object), (robin.object(), there.object()));
        soon(there.send(Shout(Croak(1)))).await.expect("what follows is heard");
    });
}

#[test]
fn g11_what_an_object_here_lists_is_kept_at_home_above() {
    chain(3, async |chain| {
        let (low, log) = client(chain, 2, "amy", 7).await;
        let robin = soon(low.create::<Counting>(Some("robin"), 0).home(Here)).await;
        let robin = robin.expect("is made");
        let blot = soon(low.create::<Counting>(None, 5)).await.expect("is made");
        let object = blot.object();
        soon(blot.send(Shout(Croak(1)))).await.expect("is heard");
        let carried = soon(blot.carry()).await.expect("can be carried");
        soon(robin.send(Shout(Show(carried)))).await.expect("is heard");
        until(|| log.shown().len() == 1).await;
        drop((blot, log));
        // All leaves of it have gone, and it would have been dropped twice over.
        seconds(200).await;
        let (late, seen) = client(chain, 2, "angus", 7).await;
        let _robin = soon(late.join::<Counting>("robin")).await.expect("is there");
        until(|| !seen.shown().is_empty() || !seen.missing().is_empty()).await;
        assert_eq!(seen.missing(), Vec::<String>::new());
        assert_eq!(seen.shown()[0].object(), object);
        assert_eq!(soon(seen.shown()[0].send(Local(Count))).await.expect("lives"), 6);
    });
}

#[test]
fn g11_what_was_there_before_the_link_stays_at_home() {
    actix_multiplex::testing::chain(1, 2, async |chain| {
        let (low, _) = client(chain, 1, "amy", 7).await;
        let before = soon(low.create::<Counting>(Some("robin"), 0)).await.expect("is made");
        soon(chain.link(1, 0)).await.expect("is granted");
        let after = soon(low.create::<Counting>(Some("kermit"), 0)).await.expect("is made");
        chain.hold(1);
        seconds(20).await;
        soon(before.send(Shout(Croak(1)))).await.expect("is at home here");
        assert!(after.try_send(Shout(Croak(1))).is_ok(), "it waits");
        let (high, _) = client(chain, 0, "angus", 7).await;
        soon(high.join::<Counting>("kermit")).await.expect("is at home above");
        assert!(soon(high.join::<Counting>("robin")).await.is_err());
    });
}
