//! Repeaters that panic: every leaf and voice goes on, and no shout is lost, doubled or reordered.

use std::time::Duration;

use actix_multiplex::{
    Client, Gone, Handle, Hub, Kind, Shout, ShoutError, Voice,
    testing::{
        Trouble,
        transcript::{Event, Summary, Transcript},
    },
};

use super::pond::{
    Bulk, Croak, Frog, Given, Log, TextFrog, client, frog, hub, paused, settle, soon,
};

/// Three clients with a leaf and one with a voice, that shout while the repeater is in trouble.
struct Party {
    hub: Hub,
    leaves: Vec<(Client, Handle<TextFrog>, Log)>,
    voice: (Client, Voice<Frog>),
    run: Transcript,
}

const NAMES: [&str; 4] = ["alec", "amy", "angus", "bob"];

impl Party {
    async fn gather() -> Self {
        let hub = hub();
        let mut leaves = Vec::new();
        for seed in 1..4 {
            leaves.push(frog(&hub, seed).await);
        }
        let bob = client(hub.local(), 4).await;
        let voice = bob.voice::<Frog>("kermit").await.unwrap();
        let mut run = Transcript::new();
        for leaf in NAMES.into_iter().take(3) {
            run.record(&Event::Joined { leaf, object: "kermit", after: 0 });
        }
        Self { hub, leaves, voice: (bob, voice), run }
    }

    fn voice(&self, who: usize) -> Voice<Frog> {
        self.leaves.get(who).map_or_else(|| self.voice.1.clone(), |(_, leaf, _)| leaf.voice())
    }

    /// Every one shouts `count` times; in between there is trouble.
    async fn shout(&mut self, count: u32, trouble: impl Fn(u32) -> Option<Trouble>) {
        let object = self.leaves[0].1.object();
        let mut under_way = Vec::new();
        for n in 1..=count {
            for (who, voice) in NAMES.iter().enumerate() {
                let (number, text) = (u64::from(n), n.to_string());
                let said = Event::Said { voice: *voice, object: "kermit", n: number, text: &text };
                self.run.record(&said);
                let id = who as u32 * 1_000_000 + n;
                under_way.push((who, n, self.voice(who).try_send(Shout(Croak(id))).unwrap()));
            }
            if let Some(trouble) = trouble(n) {
                assert!(self.hub.sabotage(object, trouble).await);
            }
            if n % 3 == 0 {
                tokio::time::sleep(Duration::from_micros(1)).await;
            }
        }
        for (who, n, receipted) in under_way {
            let (voice, n) = (NAMES[who], u64::from(n));
            let seq = soon(receipted).await.expect("every shout is receipted").seq().0;
            self.run.record(&Event::Receipted { voice, object: "kermit", n, seq });
        }
    }

    /// What all heard is judged; then everybody is shown to be alive.
    async fn judge(mut self) -> Summary {
        settle().await;
        for ((_, leaf, log), name) in self.leaves.iter().zip(NAMES) {
            assert_eq!(leaf.gone(), None);
            for (seq, id) in log.heard() {
                let (voice, text) = (NAMES[id as usize / 1_000_000], (id % 1_000_000).to_string());
                let text = text.as_str();
                self.run.record(&Event::Heard { leaf: name, object: "kermit", seq, voice, text });
            }
        }
        self.run.check_complete().unwrap()
    }
}

fn goes_on_after(trouble: Trouble) {
    paused(async move {
        let mut party = Party::gather().await;
        party.shout(300, |n| (n % 100 == 50).then_some(trouble)).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let summary = party.judge().await;
        assert_eq!((summary.deliveries, summary.receipts), (3 * 1_200, 1_200));
    });
}

#[test]
fn g8_a_repeater_that_panics_in_a_handler_loses_doubles_and_reorders_nothing() {
    goes_on_after(Trouble::Handler);
}

#[test]
fn g8_a_repeater_that_panics_in_a_message_to_itself_loses_nothing() {
    goes_on_after(Trouble::Notify);
}

#[test]
fn g8_a_repeater_that_panics_in_a_future_loses_nothing() {
    goes_on_after(Trouble::Future);
}

#[test]
fn g8_a_repeater_that_panics_in_a_timer_loses_nothing() {
    goes_on_after(Trouble::Timer);
}

#[test]
fn g8_a_repeater_that_panics_once_more_as_it_starts_loses_nothing() {
    paused(async {
        let mut party = Party::gather().await;
        party.shout(300, |n| (n % 200 == 50).then_some(Trouble::Start)).await;
        let summary = party.judge().await;
        assert_eq!(summary.receipts, 1_200);
    });
}

#[test]
fn g8_a_repeater_that_panics_at_a_shout_loses_nothing_of_what_came_with_it() {
    paused(async {
        let mut party = Party::gather().await;
        let poison = Trouble::Shout { kind: Kind(1), times: 1 };
        party.shout(300, |n| (n % 100 == 50).then_some(poison)).await;
        let summary = party.judge().await;
        assert_eq!((summary.deliveries, summary.receipts), (3 * 1_200, 1_200));
    });
}

#[test]
fn g8_the_shout_at_which_it_panics_twice_is_refused_to_its_shouter_and_all_else_is_heard() {
    for who in [0, 3] {
        paused(async move {
            let party = Party::gather().await;
            let object = party.leaves[0].1.object();
            let voice = party.voice(who);
            let before = voice.try_send(Shout(Croak(1))).unwrap();
            party.hub.sabotage(object, Trouble::Shout { kind: Kind(3), times: 2 }).await;
            let poison = voice.try_send(Shout(Bulk { n: 2, bytes: vec![] })).unwrap();
            let after = voice.try_send(Shout(Croak(3))).unwrap();
            let other = party.voice(1).try_send(Shout(Croak(4))).unwrap();
            soon(before).await.unwrap();
            let error = soon(poison).await.unwrap_err();
            assert!(
                matches!(&error, ShoutError::Refused((), why) if why.contains("twice")),
                "{error}"
            );
            soon(after).await.unwrap();
            soon(other).await.unwrap();
            settle().await;
            for (_, _, log) in &party.leaves {
                let mut numbers = log.numbers();
                numbers.sort_unstable();
                assert_eq!(numbers, [1, 3, 4]);
            }
            // The message is not cursed for ever.
            soon(voice.send(Shout(Bulk { n: 5, bytes: vec![] }))).await.unwrap();
        });
    }
}

#[test]
fn g8_two_shouters_of_poison_are_both_refused_and_the_object_lives() {
    paused(async {
        let party = Party::gather().await;
        let object = party.leaves[0].1.object();
        party.hub.sabotage(object, Trouble::Shout { kind: Kind(3), times: 4 }).await;
        let poisons = [0, 1]
            .map(|who| party.voice(who).try_send(Shout(Bulk { n: 2, bytes: vec![] })).unwrap());
        for poison in poisons {
            let error = soon(poison).await.unwrap_err();
            assert!(matches!(error, ShoutError::Refused(..)), "{error}");
        }
        soon(party.voice(3).send(Shout(Croak(1)))).await.unwrap();
    });
}

#[test]
fn g8_an_object_past_its_restarts_ends_visibly_and_the_hub_lives_on() {
    paused(async {
        let party = Party::gather().await;
        let object = party.leaves[0].1.object();
        let (alec, ..) = &party.leaves[0];
        let robin = alec.open::<TextFrog>("robin", super::pond::Weight(0)).await.unwrap();
        let under_way = party.voice(3).try_send(Shout(Croak(1))).unwrap();
        for _ in 0..6 {
            party.hub.sabotage(object, Trouble::Start).await;
        }
        settle().await;
        let _outcome = soon(under_way).await;
        for who in 0..4 {
            let voice = party.voice(who);
            assert!(matches!(voice.gone(), Some(Gone::Ended(_))), "{:?}", voice.gone());
            let error = soon(voice.send(Shout(Croak(2)))).await.unwrap_err();
            assert!(matches!(error, ShoutError::Gone(Croak(2), Gone::Ended(_))), "{error}");
        }
        for (_, leaf, _) in &party.leaves {
            assert!(!leaf.addr().connected(), "the leaf of an ended object goes on");
        }
        soon(robin.send(Shout(Croak(1)))).await.unwrap();
        let (_new, toad, _) = {
            let new = client(party.hub.local(), 9).await;
            let log = TextFrog::at(&new);
            let toad = soon(new.open::<TextFrog>("toad", super::pond::Weight(0))).await.unwrap();
            (new, toad, log)
        };
        soon(toad.send(Shout(Croak(1)))).await.unwrap();
    });
}

#[test]
fn g8_a_joiner_and_a_leaver_in_the_midst_of_a_panic_are_answered() {
    for turns in 0..30 {
        paused(async move {
            let hub = hub();
            let (_amy, hers, _) = frog(&hub, 2).await;
            let alec = client(hub.local(), 1).await;
            let log = TextFrog::at(&alec);
            soon(hers.send(Shout(Croak(1)))).await.unwrap();
            let joining = {
                let alec = alec.clone();
                tokio::task::spawn_local(async move { alec.join::<TextFrog>("kermit").await })
            };
            super::pond::turns(turns).await;
            hub.sabotage(hers.object(), Trouble::Handler).await;
            let joined = soon(joining).await.unwrap();
            let kermit = match joined {
                Ok(kermit) => kermit,
                Err(_) => soon(alec.join::<TextFrog>("kermit")).await.unwrap(),
            };
            soon(kermit.send(Shout(Croak(2)))).await.unwrap();
            hub.sabotage(hers.object(), Trouble::Handler).await;
            let under_way = kermit.try_send(Shout(Croak(3))).unwrap();
            super::pond::turns(turns).await;
            drop(kermit);
            let _outcome = soon(under_way).await;
            settle().await;
            log.clear();
            let kermit = soon(alec.join::<TextFrog>("kermit")).await.unwrap();
            let receipt = soon(kermit.send(Shout(Croak(4)))).await.unwrap();
            settle().await;
            assert_eq!(log.all()[0], Given::State(40));
            assert_eq!(log.heard().last(), Some(&(receipt.seq().0, 4)));
            assert!(log.heard().iter().map(|(seq, _)| *seq).eq(1..=receipt.seq().0));
        });
    }
}

#[test]
fn g8_an_object_whose_history_is_damaged_ends_visibly() {
    paused(async {
        let mut party = Party::gather().await;
        party.shout(5, |_| None).await;
        let object = party.leaves[0].1.object();
        party.hub.sabotage(object, Trouble::History).await;
        settle().await;
        for who in [0, 3] {
            let error = soon(party.voice(who).send(Shout(Croak(9)))).await.unwrap_err();
            assert!(matches!(&error, ShoutError::Gone(Croak(9), Gone::Ended(_))), "{error}");
            assert!(error.to_string().contains("history is damaged"), "{error}");
        }
    });
}
