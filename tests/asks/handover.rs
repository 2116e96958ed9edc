//! Who owns an object is agreed on in its one order.

use std::time::Duration;

use actix_multiplex::{AskError, Seq, SessionId, Shout, journal::Memory, limits::GRACE, testing};

use crate::pond::{Eat, Log, Salamander, Scales, Think, Weigh, client, keeping};

/// Where, from whom, to whom.
fn changes(log: &Log) -> Vec<(Seq, Option<SessionId>, Option<SessionId>)> {
    log.changes().into_iter().map(|(seq, from, to, _)| (seq, from, to)).collect()
}

#[test]
fn the_leaf_that_joined_first_of_those_that_answer_all_owns_it_next() {
    testing::run(1, async |sim| {
        let alec = client(sim, "alec").await;
        let amy = client(sim, "amy").await;
        let (angus, bob) = (client(sim, "angus").await, client(sim, "bob").await);
        Salamander::at(&alec);
        let logs = [Scales::at(&amy), Salamander::at(&angus), Salamander::at(&bob)];
        let first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
        let scales = amy.join::<Scales>("newt").await.unwrap();
        let second = angus.join::<Salamander>("newt").await.unwrap();
        let third = bob.join::<Salamander>("newt").await.unwrap();
        scales.send(Shout(Eat(5))).await.unwrap();
        let original = scales.owner();
        assert!(original.is_some() && original == third.owner());
        drop(first);
        sim.settle().await;
        assert_eq!(scales.ask(Think { ms: 0 }).await, Ok("hm, 15 g".to_owned()));
        assert_eq!(logs[1].asked(), ["think"]);
        let owner = scales.owner();
        for log in &logs {
            assert_eq!(changes(log), [(Seq(2), original, owner)]);
        }
        assert!(logs[1].changes()[0].3 && !logs[2].changes()[0].3, "it knows that it is meant");
        drop(second);
        sim.settle().await;
        assert_eq!(scales.ask(Think { ms: 0 }).await, Ok("hm, 15 g".to_owned()));
        assert_eq!(logs[2].asked(), ["think"]);
        assert_eq!(changes(&logs[0])[1], (Seq(3), owner, third.owner()));
        assert_eq!(scales.send(Shout(Eat(1))).await.unwrap().seq(), Seq(4), "it has a place");
    });
}

#[test]
fn while_nobody_answers_all_nobody_owns_it_and_the_next_who_does_is_the_owner() {
    testing::run(2, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        let angus = client(sim, "angus").await;
        Salamander::at(&alec);
        let (scales_log, log) = (Scales::at(&amy), Salamander::at(&angus));
        let first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
        let scales = amy.join::<Scales>("newt").await.unwrap();
        drop(first);
        sim.settle().await;
        assert_eq!(scales.owner(), None);
        let gone = AskError::OwnerGone(scales.object());
        assert_eq!(scales.ask(Think { ms: 0 }).await, Err(gone));
        assert_eq!(scales.ask(Weigh).await, Ok(10), "what it knows itself it answers");
        let second = angus.join::<Salamander>("newt").await.unwrap();
        assert_eq!(scales.ask(Think { ms: 0 }).await, Ok("hm, 10 g".to_owned()));
        assert_eq!(second.owner(), scales.owner());
        let places: Vec<_> = changes(&scales_log).into_iter().map(|change| change.0).collect();
        assert_eq!(places, [Seq(1), Seq(2)]);
        assert_eq!(log.asked(), ["think"]);
    });
}

#[test]
fn an_owner_whose_session_ends_is_followed_when_its_grace_is_over() {
    testing::run(3, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        Salamander::at(&alec);
        let log = Salamander::at(&amy);
        let _first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
        let second = amy.join::<Salamander>("newt").await.unwrap();
        let original = second.owner();
        sim.network().hold("alec");
        sim.network().cut("alec");
        tokio::time::sleep(GRACE / 2).await;
        assert_eq!((second.owner(), log.changes().len()), (original, 0), "it may come back");
        tokio::time::sleep(GRACE).await;
        assert_eq!(changes(&log), [(Seq(1), original, second.owner())]);
        assert_ne!(second.owner(), original);
    });
}

#[test]
fn a_latecomer_and_one_that_comes_back_agree_with_the_others() {
    testing::run(4, async |sim| {
        let mut here = Vec::new();
        for name in ["alec", "amy", "angus", "bob"] {
            let client = client(sim, name).await;
            let log = Salamander::at(&client);
            let newt = client.open::<Salamander>("newt", ()).await.unwrap();
            here.push((client, newt, log));
        }
        sim.network().hold("bob");
        sim.network().cut("bob");
        sim.settle().await;
        let (_first, newt, _) = here.remove(0);
        drop(newt);
        sim.settle().await;
        here[0].1.send(Shout(Eat(1))).await.unwrap();
        sim.network().mend("bob");
        let late = client(sim, "late").await;
        Salamander::at(&late);
        let latecomer = late.join::<Salamander>("newt").await.unwrap();
        tokio::time::sleep(Duration::from_mins(1)).await;
        let owner = latecomer.owner();
        assert!(owner.is_some());
        for (_, newt, log) in &here {
            assert_eq!((newt.owner(), changes(log).len()), (owner, 1));
            assert_eq!(changes(log)[0].0, Seq(1));
        }
    });
}

#[test]
fn a_restarted_hub_knows_who_owns_what() {
    let journal = Memory::default();
    let make = keeping(journal);
    testing::run_with(5, make, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        let angus = client(sim, "angus").await;
        let logs = [Salamander::at(&alec), Salamander::at(&amy), Salamander::at(&angus)];
        let first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
        let second = amy.join::<Salamander>("newt").await.unwrap();
        let third = angus.join::<Salamander>("newt").await.unwrap();
        let original = third.owner();
        drop(first);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let owner = third.owner();
        assert!(owner.is_some() && owner != original);
        sim.restart();
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!((second.owner(), third.owner()), (owner, owner));
        drop(second);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(changes(&logs[2]).len(), 2);
        assert_ne!(third.owner(), owner);
    });
}

#[test]
fn an_owner_that_parts_while_its_hub_is_restarted_owns_it_no_more() {
    for (seed, us) in (0..30).map(|n| (n, n * 200)) {
        testing::run_with(seed, keeping(Memory::default()), async |sim| {
            let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
            Salamander::at(&alec);
            let log = Salamander::at(&amy);
            let first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
            let second = amy.join::<Salamander>("newt").await.unwrap();
            let original = second.owner();
            drop(first);
            tokio::time::sleep(Duration::from_micros(us)).await;
            sim.restart();
            tokio::time::sleep(Duration::from_mins(1)).await;
            // Which of the two the hub hears of first is open.
            let changes = log.changes();
            assert_eq!(changes[0].1, original, "after {us} us");
            assert!(changes.last().is_some_and(|last| last.3), "after {us} us: {changes:?}");
            assert_eq!(changes.last().unwrap().2, second.owner());
        });
    }
}

#[test]
fn an_owner_whose_session_ends_while_its_hub_is_down_is_followed() {
    testing::run_with(7, keeping(Memory::default()), async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        Salamander::at(&alec);
        let log = Salamander::at(&amy);
        let _first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
        let second = amy.join::<Salamander>("newt").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        sim.network().hold("alec");
        sim.restart();
        tokio::time::sleep(GRACE * 3).await;
        assert_eq!(log.changes().len(), 1);
        assert!(log.changes()[0].3 && second.owner().is_some());
    });
}

#[test]
fn an_owner_that_comes_and_goes_is_followed_each_time() {
    testing::run(8, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        Salamander::at(&alec);
        let log = Scales::at(&amy);
        let mut first = alec.create::<Salamander>(Some("newt"), ()).await.unwrap();
        let scales = amy.join::<Scales>("newt").await.unwrap();
        for n in 1..=20 {
            drop(first);
            sim.settle().await;
            first = alec.join::<Salamander>("newt").await.unwrap();
            assert_eq!(scales.ask(Think { ms: 0 }).await, Ok("hm, 10 g".to_owned()));
            assert_eq!(log.changes().len(), 2 * n, "it was nobody's, and is its own again");
        }
    });
}
