//! A link that is cut: what is below waits, and catches up exactly once.

use std::time::Duration;

use actix_multiplex::{
    ConnectionEvent, Gone, Hub, Local, Shout, ShoutError,
    limits::{STALL_DEADLINE, WINDOW_SHOUTS},
    link, testing,
};
use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::time::{Instant, sleep};

use crate::pond::{Count, Counting, Croak, chain, client, kermit, seconds, soon, until};

#[test]
fn g11_shouts_below_a_cut_link_wait_and_reads_and_joins_go_on() {
    chain(3, async |chain| {
        let (high, above) = client(chain, 0, "alec", 7).await;
        let (low, below) = client(chain, 2, "amy", 7).await;
        let (there, here) = (kermit(&high).await, kermit(&low).await);
        soon(here.send(Shout(Croak(1)))).await.expect("is heard");
        let mut events = low.events();
        chain.hold(1);
        soon(async {
            while events.next().await != Some(ConnectionEvent::Stalled { object: here.object() }) {}
        })
        .await;
        let mut waiting = Box::pin(here.send(Shout(Croak(3))));
        assert!((&mut waiting).now_or_never().is_none());
        soon(there.send(Shout(Croak(2)))).await.expect("the home goes on");
        assert_eq!(soon(here.send(Local(Count))).await.expect("lives"), 1);
        let (late, _) = client(chain, 2, "angus", 7).await;
        let late = soon(late.join::<Counting>("kermit")).await.expect("is served from the copy");
        soon(async {
            while late.send(Local(Count)).await != Ok(1) {
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        chain.mend(1);
        soon(waiting).await.expect("is heard when the link is back");
        soon(async {
            while events.next().await != Some(ConnectionEvent::Flowing { object: here.object() }) {}
        })
        .await;
        until(|| below.heard().len() == 3 && above.heard().len() == 3).await;
        assert_eq!(below.heard(), above.heard());
        assert_eq!(below.heard(), [(1, 1), (2, 2), (3, 3)]);
        soon(late.send(Shout(Croak(4)))).await.expect("is heard");
    });
}

const WINDOW: u64 = WINDOW_SHOUTS as u64;

#[test]
fn g11_who_sends_below_a_cut_link_is_told_after_a_while_and_all_is_heard_once() {
    chain(2, async |chain| {
        let (low, _) = client(chain, 1, "amy", 7).await;
        let (high, above) = client(chain, 0, "alec", 7).await;
        let (_there, here) = (kermit(&high).await, kermit(&low).await);
        let mut events = low.events();
        chain.hold(1);
        let begin = Instant::now();
        let first = here.try_send(Shout(Croak(1))).expect("there is room");
        let told = here.send(Shout(Croak(2))).await;
        assert!(matches!(told, Err(ShoutError::Stalled(Croak(2)))), "{told:?}");
        let stalled = ConnectionEvent::Stalled { object: here.object() };
        soon(async { while events.next().await != Some(stalled.clone()) {} }).await;
        // Those that have room behind what waits for it are told in their turn, and never sent.
        let mut waiting: FuturesUnordered<_> =
            (3..3 + 2 * WINDOW).map(|n| here.send(Shout(Croak(n)))).collect();
        let (mut sent, mut unsent) = (0, 0);
        while let Some(told) = waiting.next().await {
            match told {
                Err(ShoutError::Stalled(_)) => sent += 1,
                Err(ShoutError::Full(_)) => unsent += 1,
                other => panic!("not told: {other:?}"),
            }
        }
        assert_eq!((sent, unsent), (WINDOW - 2, WINDOW + 2));
        let lasted = begin.elapsed();
        assert!(lasted > STALL_DEADLINE, "{lasted:?}");
        chain.mend(1);
        soon(first).await.expect("is heard");
        soon(here.send(Shout(Croak(0)))).await.expect("is heard");
        until(|| above.heard().len() as u64 == WINDOW + 1).await;
        let heard: Vec<_> = above.heard().into_iter().map(|(_, n)| n).collect();
        assert_eq!(heard, (1..=WINDOW).chain([0]).collect::<Vec<_>>());
    });
}

#[test]
fn g11_what_is_created_while_the_link_is_cut_waits_like_a_shout() {
    chain(2, async |chain| {
        let (low, _) = client(chain, 1, "amy", 7).await;
        chain.hold(1);
        seconds(20).await;
        let mut making = Box::pin(low.create::<Counting>(Some("kermit"), 0));
        assert!((&mut making).now_or_never().is_none());
        seconds(5).await;
        assert!((&mut making).now_or_never().is_none());
        chain.mend(1);
        let made = soon(making).await.expect("is made");
        soon(made.send(Shout(Croak(1)))).await.expect("is heard");
        let (high, _) = client(chain, 0, "alec", 7).await;
        soon(high.join::<Counting>("kermit")).await.expect("is at home above");
    });
}

#[test]
fn g11_a_link_that_was_cut_for_too_long_has_forgotten_those_below_and_says_so() {
    testing::run(1, async |_| {
        let top = Hub::builder().link_grace(Duration::from_mins(1)).start().expect("starts");
        let edge = Hub::builder().start().expect("starts");
        let bottom = Hub::builder().start().expect("starts");
        let (line, connector) = testing::line(&top);
        soon(link::up(&edge, connector)).await.expect("is granted");
        soon(link::up(&bottom, edge.local())).await.expect("is granted");
        let amy = soon(actix_multiplex::Client::connect(bottom.local())).await.expect("is let in");
        amy.implement::<Counting>(|_| Counting::default());
        let here = kermit(&amy).await;
        soon(here.send(Shout(Croak(1)))).await.expect("is heard");
        let mut events = amy.events();
        line.lose("line", testing::Way::Down);
        let unknown = here.try_send(Shout(Croak(2))).expect("there is room");
        sleep(Duration::from_millis(100)).await;
        line.hold("line");
        seconds(120).await;
        line.mend("line");
        let outcome = soon(unknown).await;
        assert!(matches!(outcome, Err(ShoutError::Unknown((), Gone::Forgotten))), "{outcome:?}");
        soon(async {
            let forgotten = ConnectionEvent::Forgotten { object: here.object() };
            while events.next().await != Some(forgotten.clone()) {}
        })
        .await;
        soon(here.send(Shout(Croak(3)))).await.expect("goes on from there");
    });
}

#[test]
fn g11_a_hub_between_is_restarted_and_all_goes_on_where_it_was() {
    chain(3, async |chain| {
        let (high, above) = client(chain, 0, "alec", 7).await;
        let (low, below) = client(chain, 2, "amy", 7).await;
        let (there, here) = (kermit(&high).await, kermit(&low).await);
        for round in 0..10_u64 {
            drop(here.try_send(Shout(Croak(2 * round))).expect("there is room"));
            chain.restart(1);
            drop(there.try_send(Shout(Croak(2 * round + 1))).expect("there is room"));
            until(|| above.heard().len() as u64 == 2 * round + 2).await;
        }
        until(|| below.heard().len() == 20).await;
        assert_eq!(below.heard(), above.heard());
        assert_eq!(chain.forgotten(), None);
    });
}
