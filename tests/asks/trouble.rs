//! Asks in trouble: lines are cut, leaves panic, hubs are restarted; and each is answered once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_multiplex::{
    AskError, ConnectionEvent, Denied, Handle, Hub, Rights, Visit, Wish,
    journal::Memory,
    limits::OBJECT_ASKS_MAX,
    testing::{self, Trouble},
};
use futures_util::{FutureExt, future::join_all};

use crate::pond::{Burst, Fill, Frog, Picture, Think, Weigh, client, keeping, kermits};

async fn after(ms: u64, act: impl FnOnce()) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    act();
}

/// Asks for a thought of 2 s, does something meanwhile, and says what came of it.
async fn thought(
    picture: &Handle<Picture>,
    ms: u64,
    act: impl FnOnce(),
) -> Result<String, AskError> {
    tokio::join!(picture.ask(Think { ms: 2_000 }), after(ms, act)).0
}

#[test]
fn an_asker_that_reconnects_meanwhile_is_answered_once() {
    for (seed, ms) in (0..40).map(|n| (n, n * 60)) {
        testing::run(seed, async |sim| {
            let (_kermit, picture, log) = kermits(sim).await;
            sim.network().delay("amy", Duration::from_millis(40));
            let answer = thought(&picture, ms, || sim.network().cut("amy")).await;
            assert_eq!(answer, Ok("hm, 10 g".to_owned()), "cut after {ms} ms");
            assert_eq!(log.asked(), ["think"], "cut after {ms} ms");
        });
    }
}

#[test]
fn an_owner_that_reconnects_meanwhile_answers_once() {
    for (seed, ms) in (0..40).map(|n| (n, n * 60)) {
        testing::run(seed, async |sim| {
            let (_kermit, picture, log) = kermits(sim).await;
            sim.network().delay("alec", Duration::from_millis(40));
            let answer = thought(&picture, ms, || sim.network().cut("alec")).await;
            assert_eq!(answer, Ok("hm, 10 g".to_owned()), "cut after {ms} ms");
            assert_eq!(log.asked(), ["think"], "cut after {ms} ms");
        });
    }
}

#[test]
fn an_owner_that_is_away_is_waited_for() {
    testing::run(1, async |sim| {
        let (_kermit, picture, log) = kermits(sim).await;
        sim.network().hold("alec");
        sim.network().cut("alec");
        sim.settle().await;
        let answer = thought(&picture, 4_000, || sim.network().mend("alec")).await;
        assert_eq!(answer, Ok("hm, 10 g".to_owned()));
        assert_eq!(log.asked(), ["think"]);
    });
}

#[test]
fn without_a_connection_an_ask_waits_for_one_or_its_deadline() {
    testing::run(2, async |sim| {
        let (_kermit, picture, log) = kermits(sim).await;
        sim.network().hold("amy");
        sim.network().cut("amy");
        sim.settle().await;
        let second = Duration::from_secs(1);
        assert_eq!(picture.ask_within(Weigh, second).await, Err(AskError::Late(second)));
        let answer = thought(&picture, 1_000, || sim.network().mend("amy")).await;
        assert_eq!(answer, Ok("hm, 10 g".to_owned()));
        assert_eq!(log.asked(), ["think"], "whom nobody waits for is not asked");
    });
}

#[test]
fn an_owner_that_panics_over_an_ask_says_so_and_the_next_one_answers() {
    testing::run(3, async |sim| {
        let (kermit, picture, log) = kermits(sim).await;
        let thinking = picture.ask(Think { ms: 5_000 });
        let bursting = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            picture.ask(Burst).await
        };
        let (thought, burst) = tokio::join!(thinking, bursting);
        assert!(matches!(burst, Err(AskError::Panicked(_))), "{burst:?}");
        assert!(matches!(thought, Err(AskError::Panicked(_))), "{thought:?}");
        sim.settle().await;
        assert_eq!(picture.ask(Weigh).await, Ok(10));
        assert_eq!(log.asked(), ["think", "burst", "weigh"]);
        assert_eq!(kermit.gone(), None);
    });
}

#[test]
fn an_owner_that_fails_for_good_is_gone() {
    testing::run(4, async |sim| {
        let (kermit, picture, _) = kermits(sim).await;
        for _ in 0..6 {
            let burst = picture.ask(Burst).await;
            assert!(burst.is_err(), "{burst:?}");
            sim.settle().await;
        }
        assert!(kermit.gone().is_some());
        let gone = AskError::OwnerGone(picture.object());
        assert_eq!(picture.ask(Weigh).await, Err(gone));
    });
}

#[test]
fn a_hub_that_is_restarted_with_its_journal_meanwhile_has_it_answered_once() {
    for (seed, ms) in (0..20).map(|n| (n, n * 120)) {
        let journal = Memory::default();
        let make = keeping(journal);
        testing::run_with(seed, make, async |sim| {
            let (_kermit, picture, log) = kermits(sim).await;
            let answer = thought(&picture, ms, || sim.restart()).await;
            assert_eq!(answer, Ok("hm, 10 g".to_owned()), "restarted after {ms} ms");
            assert_eq!(log.asked(), ["think"], "restarted after {ms} ms");
            assert!(picture.owner().is_some());
        });
    }
}

#[test]
fn a_hub_that_has_forgotten_all_leaves_the_ask_open() {
    testing::run(5, async |sim| {
        let (_kermit, picture, _) = kermits(sim).await;
        let answer = thought(&picture, 1_000, || sim.restart()).await;
        assert!(matches!(answer, Err(AskError::Unknown(_))), "{answer:?}");
    });
}

#[test]
fn a_repeater_that_panics_meanwhile_has_it_answered_once() {
    for trouble in [Trouble::Handler, Trouble::Notify, Trouble::Future, Trouble::Timer] {
        testing::run(6, async |sim| {
            let (_kermit, picture, log) = kermits(sim).await;
            let object = picture.object();
            let bursting = async {
                for _ in 0..3 {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    assert!(sim.hub().sabotage(object, trouble).await);
                }
            };
            let (answer, ()) = tokio::join!(picture.ask(Think { ms: 2_000 }), bursting);
            assert_eq!(answer, Ok("hm, 10 g".to_owned()), "{trouble:?}");
            assert_eq!(log.asked(), ["think"], "{trouble:?}");
            assert!(picture.owner().is_some(), "{trouble:?}");
        });
    }
}

#[test]
fn an_owner_that_has_more_to_answer_than_its_hub_keeps_is_busy() {
    testing::run(7, async |sim| {
        let (_kermit, picture, log) = kermits(sim).await;
        let (mut clients, mut askers) = (Vec::new(), vec![picture.voice()]);
        for n in 0..5 {
            let asker = client(sim, &format!("asker {n}")).await;
            askers.push(asker.voice::<Frog>("kermit").await.unwrap());
            clients.push(asker);
        }
        let asks = askers.iter().flat_map(|voice| (0..64).map(|_| voice.ask(Think { ms: 1_000 })));
        let answers = join_all(asks).await;
        let busy = answers.iter().filter(|answer| matches!(answer, Err(AskError::Busy(_))));
        assert_eq!(busy.count(), 6 * 64 - OBJECT_ASKS_MAX, "{answers:?}");
        assert_eq!(log.asked().len(), OBJECT_ASKS_MAX);
        assert_eq!(picture.ask(Weigh).await, Ok(10), "there is room again");
    });
}

#[test]
fn an_owner_that_is_slow_is_busy_and_no_connection_is_closed_for_that() {
    testing::run(8, async |sim| {
        let (kermit, picture, _) = kermits(sim).await;
        let clients = [kermit.voice().client(), picture.voice().client()].map(Option::unwrap);
        let mut events = clients.map(|client| client.events());
        sim.network().slow("alec", 50_000);
        let fill = || picture.ask(Fill { bytes: 1, with: vec![0; 60_000] });
        let answers = join_all((0..17).map(|_| fill())).await;
        assert!(answers.iter().any(Result::is_ok), "{answers:?}");
        let is_fine = |answer: &Result<_, _>| matches!(answer, Ok(_) | Err(AskError::Busy(_)));
        assert!(answers.iter().all(is_fine), "{answers:?}");
        assert!(!answers.iter().all(Result::is_ok), "{answers:?}");
        for events in &mut events {
            assert_eq!(events.next().now_or_never(), Some(Some(ConnectionEvent::Connected)));
            assert_eq!(events.next().now_or_never(), None, "nobody was disconnected");
        }
        sim.network().mend("alec");
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(picture.ask(Weigh).await, Ok(10));
    });
}

#[test]
fn an_owner_that_is_not_let_back_owns_it_no_more() {
    let is_barred = Arc::new(AtomicBool::new(false));
    let barred = is_barred.clone();
    let make = move || {
        let barred = barred.clone();
        Hub::builder().admission(move |visit: Visit| {
            let is_barred = barred.load(Ordering::Relaxed);
            async move {
                match visit.wish {
                    Wish::Join { .. } if is_barred => Err(Denied::because("not you")),
                    _ => Ok(Rights::ALL),
                }
            }
        })
    };
    testing::run_with(9, make, async |sim| {
        let (kermit, picture, _) = kermits(sim).await;
        is_barred.store(true, Ordering::Relaxed);
        sim.network().cut("alec");
        tokio::time::sleep(Duration::from_secs(8)).await;
        assert!(kermit.gone().is_some(), "its client knows");
        assert_eq!(picture.owner(), None);
        assert_eq!(picture.ask(Weigh).await, Err(AskError::OwnerGone(picture.object())));
    });
}
