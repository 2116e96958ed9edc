//! Joining, parting and shouting at once, in every order that a number of turns can bring about.

use std::time::Duration;

use actix_multiplex::{Client, Handle, Hub, Rights, Shout, ShoutError, Visit, Wish};

use super::pond::{
    Croak, Frog, Given, Log, TextFrog, Weight, client, frog, hub, paused, settle, soon, turns,
};

/// Turns tried: more than a request and its answer take.
const TURNS: usize = 40;

/// A leaf that came out of a race: it shouts, is receipted and hears, once and to the end.
async fn is_well(hub: &Hub, kermit: &Handle<TextFrog>, log: &Log) {
    settle().await;
    log.clear();
    let amy = client(hub.local(), 99).await;
    let voice = amy.voice::<Frog>("kermit").await.unwrap();
    for n in 100..103 {
        soon(kermit.send(Shout(Croak(n)))).await.unwrap();
        soon(voice.send(Shout(Croak(n + 100)))).await.unwrap();
    }
    settle().await;
    assert_eq!(log.numbers(), [100, 200, 101, 201, 102, 202]);
    assert_eq!(kermit.gone(), None);
}

fn join(client: &Client) -> tokio::task::JoinHandle<Handle<TextFrog>> {
    let client = client.clone();
    tokio::task::spawn_local(async move { client.join::<TextFrog>("kermit").await.unwrap() })
}

#[test]
fn a_join_that_races_the_last_drop_ends_with_a_leaf_that_shouts_and_hears() {
    for before in 0..TURNS {
        paused(async move {
            let hub = hub();
            let (alec, kermit, log) = frog(&hub, 1).await;
            let joining = join(&alec);
            turns(before).await;
            drop(kermit);
            let kermit = soon(joining).await.unwrap();
            is_well(&hub, &kermit, &log).await;
        });
    }
}

#[test]
fn a_shout_at_any_moment_of_such_a_race_has_an_outcome_and_the_ops_go_on() {
    for before in 0..TURNS {
        for between in [0, 1, 2, 3, 5, 8, 13] {
            paused(async move {
                let hub = hub();
                let (alec, kermit, log) = frog(&hub, 1).await;
                let voice = kermit.voice();
                let joining = join(&alec);
                turns(before).await;
                drop(kermit);
                turns(between).await;
                let outcome = soon(voice.send(Shout(Croak(7)))).await;
                let heard = outcome.is_ok();
                let kermit = soon(joining).await.unwrap();
                if let Err(error) = outcome {
                    assert!(matches!(error, ShoutError::Gone(Croak(7), _)), "{error}");
                }
                settle().await;
                let times = log.numbers().iter().filter(|n| **n == 7).count();
                assert!(heard || times == 0, "heard {times} times and not receipted");
                is_well(&hub, &kermit, &log).await;
            });
        }
    }
}

#[test]
fn coming_and_going_in_quick_succession_ends_as_the_last_word_says() {
    for step in 0..12 {
        paused(async move {
            let hub = hub();
            let (_amy, _keeps, _) = frog(&hub, 2).await;
            let (alec, first, log) = frog(&hub, 1).await;
            let mut last = first;
            for _ in 0..10 {
                let joining = join(&alec);
                turns(step).await;
                drop(last);
                turns(step / 2).await;
                last = soon(joining).await.unwrap();
                let _shout_under_way = last.try_send(Shout(Croak(1))).unwrap();
            }
            is_well(&hub, &last, &log).await;
            let voice = last.voice();
            drop(last);
            settle().await;
            assert!(voice.gone().is_some());
        });
    }
}

#[test]
fn voices_that_come_and_go_beside_a_leaf_leave_it_its_place() {
    for step in 0..20 {
        paused(async move {
            let hub = hub();
            let (alec, kermit, log) = frog(&hub, 1).await;
            let voice = alec.voice::<Frog>("kermit").await.unwrap();
            let asking = {
                let alec = alec.clone();
                tokio::task::spawn_local(async move { alec.voice::<Frog>("kermit").await.unwrap() })
            };
            turns(step).await;
            drop(voice);
            let voice = soon(asking).await.unwrap();
            assert_eq!(soon(voice.send(Shout(Croak(1)))).await.unwrap().seq().0, 1);
            let joining = join(&alec);
            turns(step).await;
            drop((kermit, voice));
            let kermit = soon(joining).await.unwrap();
            is_well(&hub, &kermit, &log).await;
        });
    }
}

#[test]
fn a_voice_that_races_the_drop_of_the_voice_before_it_shouts_on() {
    for before in 0..TURNS {
        paused(async move {
            let hub = hub();
            let (_alec, _kermit, log) = frog(&hub, 1).await;
            let amy = client(hub.local(), 2).await;
            let first = amy.voice::<Frog>("kermit").await.unwrap();
            let asking = {
                let amy = amy.clone();
                tokio::task::spawn_local(async move { amy.voice::<Frog>("kermit").await.unwrap() })
            };
            soon(first.send(Shout(Croak(0)))).await.unwrap();
            let asking_again = {
                let amy = amy.clone();
                tokio::task::spawn_local(async move { amy.voice::<Frog>("kermit").await.unwrap() })
            };
            turns(before).await;
            drop((first, soon(asking).await.unwrap()));
            let second = soon(asking_again).await.unwrap();
            for n in 1..4 {
                soon(second.send(Shout(Croak(n)))).await.unwrap();
            }
            settle().await;
            assert_eq!(log.numbers(), [0, 1, 2, 3]);
        });
    }
}

#[test]
fn a_join_held_up_by_the_admission_is_behind_a_part_that_was_sent_after_it() {
    paused(async {
        let late = |visit: Visit| async move {
            if matches!(visit.wish, Wish::Join { .. }) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(Rights::ALL)
        };
        let hub = Hub::builder().seed(7).admission(late).start().unwrap();
        let (alec, kermit, log) = frog(&hub, 1).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        let joining = join(&alec);
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(kermit);
        let kermit = soon(joining).await.unwrap();
        settle().await;
        // A fresh leaf, with the state and what was heard since.
        assert_eq!(
            log.all()[2..],
            [Given::State(40), Given::Heard { seq: 1, n: 1, mine: true, replayed: true }]
        );
        is_well(&hub, &kermit, &log).await;
    });
}

#[test]
fn a_join_that_nobody_waits_for_any_more_leaves_no_leaf() {
    for before in 0..TURNS {
        paused(async move {
            let hub = hub();
            let (_amy, kermit, _) = frog(&hub, 2).await;
            let alec = client(hub.local(), 1).await;
            let log = TextFrog::at(&alec);
            let joining = join(&alec);
            turns(before).await;
            joining.abort();
            drop(joining.await);
            settle().await;
            log.clear();
            soon(kermit.send(Shout(Croak(1)))).await.unwrap();
            settle().await;
            assert_eq!(log.all(), []);
            let again = soon(alec.join::<TextFrog>("kermit")).await.unwrap();
            is_well(&hub, &again, &log).await;
        });
    }
}

#[test]
fn ten_clients_that_open_a_name_at_once_end_with_one_object() {
    paused(async {
        let hub = hub();
        let mut openings = Vec::new();
        for seed in 0..10 {
            let client = client(hub.local(), seed).await;
            let log = TextFrog::at(&client);
            openings.push(tokio::task::spawn_local(async move {
                turns(seed as usize % 4).await;
                let state = Weight(seed as u32);
                (client.open::<TextFrog>("kermit", state).await.unwrap(), log)
            }));
        }
        let mut leaves = Vec::new();
        for opening in openings {
            leaves.push(soon(opening).await.unwrap());
        }
        for (kermit, _) in &leaves {
            soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        }
        settle().await;
        let states: Vec<_> = leaves.iter().map(|(_, log)| log.all()[0].clone()).collect();
        assert!(states.iter().all(|state| *state == states[0]), "{states:?}");
        for (kermit, log) in &leaves {
            assert_eq!(kermit.object(), leaves[0].0.object());
            assert_eq!(log.heard().len(), 10);
        }
    });
}
