//! What is there after a restart.

use actix_multiplex::{
    JoinError, Local, Shout,
    journal::{Journal, Memory},
};

use super::{
    pond::{Count, Counting, Croak, Look, client, kermit, restart, seconds, soon, story},
    stores::Counted,
};

#[test]
fn g10_what_was_receipted_is_there_after_a_restart_also_for_who_comes_late() {
    story(Memory::default(), async |sim| {
        let (alec, log) = client(sim, "alec").await;
        let hers = kermit(&alec).await;
        for n in 1..=10 {
            soon(hers.send(Shout(Croak(n)))).await.expect("has its place");
        }
        restart(sim, &alec).await;
        assert_eq!(soon(hers.send(Shout(Croak(11)))).await.unwrap().seq().0, 11);
        assert_eq!(*log.lock().unwrap(), (1..=11).map(|n| (n, n)).collect::<Vec<_>>());
        let (amy, _) = client(sim, "amy").await;
        let late = soon(amy.join::<Counting>("kermit")).await.expect("is there");
        sim.settle().await;
        assert_eq!(soon(late.send(Local(Count))).await, Ok(11));
    });
}

#[test]
fn g10_names_and_pins_are_kept_and_an_object_that_ended_does_not_come_back() {
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let robin = soon(alec.create::<Counting>(None, 3)).await.unwrap();
        soon(robin.name("robin")).await.unwrap();
        soon(robin.pin()).await.unwrap();
        let piggy = soon(alec.open::<Counting>("piggy", 0)).await.unwrap();
        soon(piggy.destroy()).await.unwrap();
        let gone = piggy.object();
        soon(alec.close()).await;
        sim.restart();
        seconds(600).await;
        let (amy, _) = client(sim, "amy").await;
        let names = soon(amy.list("")).await.unwrap();
        let names: Vec<_> = names.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["robin"], "pinned, it is there without a leaf");
        let robin = soon(amy.join::<Counting>("robin")).await.unwrap();
        sim.settle().await;
        assert_eq!(soon(robin.send(Local(Count))).await, Ok(3));
        let unknown = soon(amy.join::<Counting>("piggy")).await.unwrap_err();
        assert!(matches!(unknown, JoinError::Unknown { .. }), "{unknown}");
        assert_ne!(soon(amy.open::<Counting>("piggy", 0)).await.unwrap().object(), gone);
        // Unpinned before the next restart, it goes when nobody has a leaf of it.
        soon(robin.unpin()).await.unwrap();
        drop(robin);
        soon(amy.close()).await;
        sim.restart();
        seconds(600).await;
        let (angus, _) = client(sim, "angus").await;
        assert_eq!(soon(angus.list("")).await.unwrap(), []);
    });
}

#[test]
fn a_hub_is_the_same_hub_with_its_journal() {
    story(Memory::default(), async |sim| {
        let before = sim.hub().id();
        seconds(1).await;
        sim.restart();
        assert_eq!(sim.hub().id(), before);
    });
}

#[test]
fn a_hub_that_is_stopped_keeps_everything_too() {
    story(Memory::default(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        let session = alec.session();
        for n in 1..=3 {
            soon(kermit.send(Shout(Croak(n)))).await.unwrap();
        }
        soon(sim.hub().stop()).await;
        restart(sim, &alec).await;
        assert_eq!(alec.session(), session);
        assert_eq!(soon(kermit.send(Shout(Croak(4)))).await.unwrap().seq().0, 4);
    });
}

#[test]
fn nothing_volatile_is_kept() {
    let journal = Counted::default();
    story(journal.clone(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        sim.settle().await;
        let puts = journal.puts();
        for n in 0..100 {
            kermit.send_volatile(Look(n)).expect("has room");
        }
        seconds(1).await;
        assert_eq!(journal.puts(), puts);
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        assert_eq!(journal.puts(), puts + 1);
    });
}

#[test]
fn an_object_that_is_gone_leaves_nothing_but_its_id() {
    let journal = Counted::default();
    story(journal.clone(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let kermit = kermit(&alec).await;
        for n in 1..=5 {
            soon(kermit.send(Shout(Croak(n)))).await.unwrap();
        }
        soon(kermit.destroy()).await.unwrap();
        sim.settle().await;
        let mut keys = Vec::new();
        journal.0.clone().read(&mut |key, _| keys.push(key[0])).unwrap();
        assert_eq!(keys, [0, 1, 2], "the hub, Alec's session, and the id");
    });
}
