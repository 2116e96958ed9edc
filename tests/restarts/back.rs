//! Clients of a hub that was restarted.

use std::time::Duration;

use actix_multiplex::{ConnectionEvent, Gone, Receipt, Shout, ShoutError, journal::Memory};

use super::pond::{Counting, Croak, client, kermit, restart, seconds, soon, story};

#[test]
fn g2_a_session_goes_on_over_a_restart_and_what_was_under_way_is_heard_once() {
    story(Memory::default(), async |sim| {
        let (alec, log) = client(sim, "alec").await;
        let (amy, hers) = client(sim, "amy").await;
        let (his, _hers) = (kermit(&alec).await, kermit(&amy).await);
        let session = alec.session();
        let mut waiting = Vec::new();
        for n in 1..=100 {
            waiting.push(his.try_send(Shout(Croak(n))).expect("has room"));
            if n % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(7)).await;
                sim.restart();
            }
        }
        for (receipted, n) in waiting.into_iter().zip(1..) {
            assert_eq!(soon(receipted).await.expect("has its place").seq().0, n);
        }
        seconds(60).await;
        let all: Vec<_> = (1..=100).map(|n| (n, n)).collect();
        assert_eq!((&*log.lock().unwrap(), &*hers.lock().unwrap()), (&all, &all));
        assert_eq!(alec.session(), session);
    });
}

#[test]
fn grace_times_begin_anew_when_the_hub_listens() {
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        sim.settle().await;
        // Away for 8 of 10 s; then the hub is away for an hour, and he has 10 s again.
        sim.network().hold("alec");
        seconds(8).await;
        sim.hub().lose_power();
        seconds(3_600).await;
        let mut events = alec.events();
        sim.restart();
        seconds(5).await;
        sim.network().mend("alec");
        let back = async {
            loop {
                match events.next().await.expect("the client goes on") {
                    ConnectionEvent::Connected | ConnectionEvent::Waiting { .. } => {}
                    event => return event,
                }
            }
        };
        assert_eq!(soon(back).await, ConnectionEvent::Resumed);
        assert_eq!(soon(kermit.send(Shout(Croak(2)))).await.unwrap().seq().0, 2);
    });
}

#[test]
fn who_comes_back_too_late_is_told_so_and_loses_no_handle() {
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        sim.settle().await;
        sim.network().hold("alec");
        let unknown = kermit.try_send(Shout(Croak(2))).unwrap();
        sim.restart();
        seconds(50).await;
        sim.network().mend("alec");
        let unknown = soon(unknown).await.unwrap_err();
        assert!(matches!(unknown, ShoutError::Unknown(..)), "{unknown}");
        assert_eq!(soon(kermit.send(Shout(Croak(3)))).await.unwrap().seq().0, 2);
    });
}

#[test]
fn a_create_whose_answer_was_lost_is_carried_out_once() {
    story(Memory::default(), async |sim| {
        let (alec, log) = client(sim, "alec").await;
        for (n, ms) in [(1, 0), (2, 4), (3, 6), (4, 20)] {
            let name = format!("frog-{n}");
            let opening = alec.create::<Counting>(Some(&name), n);
            let (made, ()) = tokio::join!(soon(opening), async {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                sim.restart();
            });
            let made = made.unwrap_or_else(|why| panic!("after {ms} ms: {why}"));
            assert_eq!(soon(made.send(Shout(Croak(n)))).await.unwrap().seq().0, 1);
            seconds(20).await;
        }
        assert_eq!(log.lock().unwrap().len(), 4);
        assert_eq!(soon(alec.list("frog-")).await.unwrap().len(), 4);
    });
}

#[test]
fn requests_that_are_sent_again_are_carried_out_once() {
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        for ms in [0, 4, 6, 20] {
            let robin = soon(alec.create::<Counting>(None, 0)).await.unwrap();
            let name = format!("robin-{ms}");
            let (named, pinned, ()) =
                tokio::join!(soon(robin.name(&name)), soon(robin.pin()), async {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    sim.restart();
                });
            assert_eq!((named, pinned), (Ok(()), Ok(())), "after {ms} ms");
            seconds(20).await;
        }
        assert_eq!(soon(alec.list("robin-")).await.unwrap().len(), 4);
    });
}

#[test]
fn a_receipt_that_waits_for_who_handles_the_shout_is_its_place_after_a_restart() {
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let (amy, _) = client(sim, "amy").await;
        let (kermit, _hers) = (kermit(&alec).await, kermit(&amy).await);
        sim.settle().await;
        sim.network().hold("amy");
        let minute = Duration::from_mins(1);
        let waiting = tokio::task::spawn_local({
            let kermit = kermit.clone();
            async move {
                kermit.send_handled(Shout(Croak(1)), minute).await.map_err(|why| why.to_string())
            }
        });
        sim.settle().await;
        restart(sim, &alec).await;
        let receipt = soon(waiting).await.expect("does not panic").expect("has its place");
        assert!(matches!(receipt, Receipt::Sequenced { .. }), "{receipt:?}");
    });
}

#[test]
fn a_watch_is_told_what_has_changed_over_a_restart() {
    use futures_util::StreamExt;
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let mut watching = soon(alec.watch("frog-")).await.unwrap();
        restart(sim, &alec).await;
        let (amy, _) = client(sim, "amy").await;
        let _made = soon(amy.create::<Counting>(Some("frog-1"), 0)).await.unwrap();
        let change = soon(watching.next()).await.expect("goes on");
        assert!(format!("{change:?}").contains("frog-1"), "{change:?}");
    });
}

#[test]
fn without_a_journal_a_restart_is_what_it_was() {
    actix_multiplex::testing::run(1, async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        let event = restart(sim, &alec).await;
        assert_eq!(event, ConnectionEvent::Resynced { hub_restarted: true });
        assert_eq!(kermit.gone(), Some(Gone::HubRestarted));
    });
}
