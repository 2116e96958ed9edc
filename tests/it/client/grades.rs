//! Receipts that tell who has handled a shout: when all have, when the time is over, and when nobody
//! can tell.

use std::time::Duration;

use actix_multiplex::{
    Client, Handle, Hub, Kind, Receipt, Seq, SessionId, Shout, testing::Trouble,
};
use tokio::time::Instant;

use super::{
    pond::{Croak, Frog, Slow, TextFrog, Weight, client, frog, hub, newt, paused, settle, soon},
    wire::Wire,
};

const LONG: Duration = Duration::from_mins(1);

fn handled(seq: u64, by: u32, of: u32, missing: &[SessionId]) -> Receipt {
    Receipt::Handled { seq: Seq(seq), by, of, missing: missing.to_vec() }
}

fn placed(seq: u64) -> Receipt {
    Receipt::Sequenced { seq: Seq(seq) }
}

/// A leaf of kermit over a wire that can be cut.
async fn cut_off(hub: &Hub, seed: u64) -> (Client, Handle<TextFrog>, Wire) {
    let wire = Wire::new(hub.local());
    let client = client(wire.clone(), seed).await;
    TextFrog::at(&client);
    let kermit = client.open::<TextFrog>("kermit", Weight(40)).await.unwrap();
    settle().await;
    (client, kermit, wire)
}

/// Cuts a wire when all has come to rest, for some seconds.
async fn outage(wire: &Wire, seconds: u64) {
    settle().await;
    wire.cut();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    wire.up.mend();
    wire.down.mend();
}

#[test]
fn a_shout_that_asks_is_receipted_when_the_answers_of_all_leaves_have_resolved() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let (_amy, _hers, log) = frog(&hub, 2).await;
        let begun = Instant::now();
        let slow = Shout(Slow { n: 1, ms: 3_000 });
        assert_eq!(soon(kermit.send_handled(slow, LONG)).await.unwrap(), handled(1, 2, 2, &[]));
        assert_eq!(begun.elapsed().as_secs(), 3);
        assert_eq!(log.numbers(), [1]);
        let voice = kermit.voice();
        let receipt = soon(voice.send_handled(Shout(Croak(2)), LONG)).await.unwrap();
        assert_eq!((receipt, begun.elapsed().as_secs()), (handled(2, 2, 2, &[]), 3));
        let plain = soon(kermit.send(Shout(Croak(3)))).await.unwrap();
        assert_eq!(plain, Receipt::Sequenced { seq: Seq(3) });
    });
}

#[test]
fn who_has_no_leaf_is_told_too_and_is_not_among_them() {
    paused(async {
        let hub = hub();
        let (_alec, _kermit, _) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let voice = amy.voice::<Frog>("kermit").await.unwrap();
        let receipt = soon(voice.send_handled(Shout(Croak(1)), LONG)).await.unwrap();
        assert_eq!(receipt, handled(1, 1, 1, &[]));
    });
}

#[test]
fn at_the_deadline_those_who_are_not_done_are_missing_by_name() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let (amy, hers, _) = frog(&hub, 2).await;
        let stall = super::pond::job(|_: &mut TextFrog, ctx| {
            let nap = tokio::time::sleep(Duration::from_hours(1));
            actix::AsyncContext::wait(ctx, actix::fut::wrap_future(nap));
        });
        soon(hers.send(stall)).await.unwrap();
        let begun = Instant::now();
        let first = kermit.send_handled(Shout(Croak(1)), Duration::from_secs(9));
        let second = kermit.send_handled(Shout(Croak(2)), Duration::from_secs(4));
        let (first, second) = soon(async { tokio::join!(first, second) }).await;
        assert_eq!(first.unwrap(), handled(1, 1, 2, &[amy.session()]));
        assert_eq!(second.unwrap(), handled(2, 1, 2, &[amy.session()]));
        assert_eq!(begun.elapsed().as_secs(), 9);
    });
}

#[test]
fn a_deadline_of_hours_is_one_of_minutes() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let slow = Shout(Slow { n: 1, ms: 3_000_000 });
        let begun = Instant::now();
        let receipt = soon(kermit.send_handled(slow, Duration::MAX)).await.unwrap();
        assert!(matches!(receipt, Receipt::Handled { by: 0, of: 1, .. }), "{receipt:?}");
        assert_eq!(begun.elapsed().as_secs(), 300);
    });
}

#[test]
fn a_leaf_that_parts_before_it_is_done_is_missing_at_once() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = newt(&hub, 1).await;
        let (amy, hers, _) = newt(&hub, 2).await;
        let (_angus, _his, _) = newt(&hub, 3).await;
        let begun = Instant::now();
        let parting = async {
            settle().await;
            drop(hers);
        };
        let slow = kermit.send_handled(Shout(Slow { n: 1, ms: 2_000 }), LONG);
        let (receipt, ()) = soon(async { tokio::join!(slow, parting) }).await;
        assert_eq!(receipt.unwrap(), handled(1, 2, 3, &[amy.session()]));
        assert_eq!(begun.elapsed().as_secs(), 2);
    });
}

#[test]
fn a_leaf_that_comes_later_is_not_waited_for() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let slow = kermit.send_handled(Shout(Slow { n: 1, ms: 1_000 }), LONG);
        let (receipt, late) = soon(async { tokio::join!(slow, frog(&hub, 2)) }).await;
        assert_eq!(receipt.unwrap(), handled(1, 1, 1, &[]));
        settle().await;
        assert_eq!(late.2.numbers(), [1]);
    });
}

#[test]
fn who_loses_the_connection_behind_the_place_knows_the_place_and_may_ask_again() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, wire) = cut_off(&hub, 1).await;
        let begun = Instant::now();
        let asked = kermit.send_handled(Shout(Slow { n: 1, ms: 50_000 }), LONG);
        let (receipt, ()) = soon(async { tokio::join!(asked, outage(&wire, 1)) }).await;
        assert_eq!((receipt.unwrap(), begun.elapsed().as_secs()), (placed(1), 1));
        let receipt = soon(kermit.send_handled(Shout(Croak(2)), LONG)).await.unwrap();
        assert_eq!(receipt, handled(2, 1, 1, &[]));
    });
}

#[test]
fn a_shout_that_has_its_place_when_the_connection_is_back_is_not_waited_for() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, wire) = cut_off(&hub, 1).await;
        wire.down.hold();
        let asked = kermit.send_handled(Shout(Croak(1)), LONG);
        let (receipt, ()) = soon(async { tokio::join!(asked, outage(&wire, 1)) }).await;
        assert_eq!(receipt.unwrap(), placed(1));
    });
}

#[test]
fn a_shout_that_gets_its_place_over_the_next_connection_is_waited_for() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, wire) = cut_off(&hub, 1).await;
        wire.up.hold();
        let asked = kermit.send_handled(Shout(Croak(1)), LONG);
        let (receipt, ()) = soon(async { tokio::join!(asked, outage(&wire, 1)) }).await;
        assert_eq!(receipt.unwrap(), handled(1, 1, 1, &[]));
    });
}

#[test]
fn a_leaf_that_comes_back_in_time_has_handled_what_it_missed() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let (_amy, _hers, wire) = cut_off(&hub, 2).await;
        wire.cut();
        settle().await;
        let begun = Instant::now();
        let asked = kermit.send_handled(Shout(Croak(1)), LONG);
        let (receipt, ()) = soon(async { tokio::join!(asked, outage(&wire, 3)) }).await;
        assert_eq!(receipt.unwrap(), handled(1, 2, 2, &[]));
        assert!((3..LONG.as_secs()).contains(&begun.elapsed().as_secs()));
    });
}

#[test]
fn what_a_leaf_handled_without_a_connection_it_says_over_the_next() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let (_amy, _hers, wire) = cut_off(&hub, 2).await;
        let begun = Instant::now();
        let asked = kermit.send_handled(Shout(Slow { n: 1, ms: 1_000 }), LONG);
        let (receipt, ()) = soon(async { tokio::join!(asked, outage(&wire, 3)) }).await;
        assert_eq!(receipt.unwrap(), handled(1, 2, 2, &[]));
        assert!((3..LONG.as_secs()).contains(&begun.elapsed().as_secs()));
    });
}

#[test]
fn a_leaf_that_is_away_is_missing_at_the_deadline_or_when_its_grace_time_is_over() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let (amy, _hers, wire) = cut_off(&hub, 2).await;
        wire.cut();
        settle().await;
        let begun = Instant::now();
        let short = kermit.send_handled(Shout(Croak(1)), Duration::from_secs(2));
        let missing = [amy.session()];
        assert_eq!(soon(short).await.unwrap(), handled(1, 1, 2, &missing));
        assert_eq!(begun.elapsed().as_secs(), 2);
        let long = soon(kermit.send_handled(Shout(Croak(2)), LONG)).await.unwrap();
        assert_eq!((long, begun.elapsed().as_secs()), (handled(2, 1, 2, &missing), 9));
    });
}

#[test]
fn when_the_object_ends_what_is_known_is_told() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let asked = kermit.send_handled(Shout(Slow { n: 1, ms: 50_000 }), LONG);
        let destroy = async {
            settle().await;
            kermit.destroy().await.unwrap();
        };
        let (receipt, ()) = soon(async { tokio::join!(asked, destroy) }).await;
        assert_eq!(receipt.unwrap(), handled(1, 0, 1, &[alec.session()]));
    });
}

#[test]
fn g8_behind_a_panic_of_the_repeater_the_place_is_the_receipt_and_later_shouts_are_waited_for() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let object = kermit.object();
        let slow = kermit.send_handled(Shout(Slow { n: 1, ms: 5_000 }), LONG);
        let panic = async {
            settle().await;
            assert!(hub.sabotage(object, Trouble::Handler).await);
        };
        let (receipt, ()) = soon(async { tokio::join!(slow, panic) }).await;
        assert_eq!(receipt.unwrap(), placed(1));
        let before = Trouble::Shout { kind: Kind(1), times: 1 };
        assert!(hub.sabotage(object, before).await);
        let again = kermit.send_handled(Shout(Croak(2)), LONG);
        assert_eq!(soon(again).await.unwrap(), handled(2, 1, 1, &[]));
        assert!(hub.sabotage(object, Trouble::Flush).await);
        let behind = kermit.send_handled(Shout(Croak(3)), LONG);
        assert_eq!(soon(behind).await.unwrap(), placed(3));
        settle().await;
        assert_eq!(log.numbers(), [1, 2, 3]);
    });
}
