//! Objects that are not whole, and objects that have failed: they say so, others do not notice, and
//! they are brought back.

use actix_multiplex::{
    Gone, JoinError, Local, ObjectId, RetryError, Shout,
    journal::Memory,
    testing::{self, Trouble},
    wire::Refusal,
};

use super::{
    pond::{Count, Counting, Croak, client, kermit, seconds, soon, story},
    stores::Flipped,
};

/// A journal with kermit, who has croaked twice, and another frog that nobody has shouted at.
fn journal() -> (Memory, ObjectId) {
    let journal = Memory::default();
    let mut kermits = None;
    story(journal.clone(), async |sim| {
        let (alec, _) = client(sim, "alec").await;
        let hers = kermit(&alec).await;
        for n in 1..=2 {
            soon(hers.send(Shout(Croak(n)))).await.unwrap();
        }
        let piggy = soon(alec.create::<Counting>(Some("piggy"), 7)).await.unwrap();
        soon(piggy.pin()).await.unwrap();
        let _gonzo = soon(alec.create::<Counting>(Some("gonzo"), 1)).await.unwrap();
        soon(hers.pin()).await.unwrap();
        kermits = Some(hers.object());
        sim.settle().await;
    });
    (journal, kermits.expect("is made"))
}

#[test]
fn g10_an_object_with_a_damaged_record_says_so_and_the_others_are_served() {
    let (journal, object) = journal();
    // The second of them is a chunk: only kermit has one.
    story(Flipped(journal, 6), async |sim| {
        let (amy, _) = client(sim, "amy").await;
        let why = soon(amy.join::<Counting>("kermit")).await.unwrap_err();
        let JoinError::Refused(Refusal::Failed(why)) = why else { panic!("{why}") };
        assert!(why.contains("checksum"), "{why}");
        let why = soon(amy.open::<Counting>("kermit", 0)).await.unwrap_err();
        assert!(matches!(why, JoinError::Refused(Refusal::Failed(_))), "{why}");
        let piggy = soon(amy.join::<Counting>("piggy")).await.expect("is whole");
        assert_eq!(soon(piggy.send(Shout(Croak(1)))).await.unwrap().seq().0, 1);
        // Kermit may list him: who can say?
        seconds(600).await;
        assert_eq!(soon(amy.list("gonzo")).await.unwrap().len(), 1);
        // What is whole of it comes back, in a new order.
        assert_eq!(soon(sim.hub().retry(object)).await, Ok(()));
        let kermit = soon(amy.join::<Counting>("kermit")).await.expect("is back");
        assert_eq!(kermit.object(), object);
        assert_eq!(soon(kermit.send(Shout(Croak(9)))).await.unwrap().seq().0, 1);
        sim.settle().await;
        assert_eq!(soon(kermit.send(Local(Count))).await, Ok(1));
        assert_eq!(soon(sim.hub().retry(object)).await, Err(RetryError::Sound(object)));
        seconds(600).await;
        assert_eq!(soon(amy.list("gonzo")).await.unwrap(), []);
    });
}

/// Kermit's repeater panics once more than it may.
async fn fail(sim: &testing::Sim, object: ObjectId, last: Trouble) {
    for _ in 0..5 {
        sim.hub().sabotage(object, Trouble::Handler).await;
        sim.settle().await;
    }
    sim.hub().sabotage(object, last).await;
    sim.settle().await;
}

fn failed_and_back(journal: Option<Memory>, last: Trouble, anew: bool) {
    let told = async |sim: &testing::Sim| {
        let (alec, _) = client(sim, "alec").await;
        let (amy, _) = client(sim, "amy").await;
        let mine = kermit(&alec).await;
        let object = mine.object();
        for n in 1..=3 {
            soon(mine.send(Shout(Croak(n)))).await.unwrap();
        }
        fail(sim, object, last).await;
        assert!(matches!(mine.gone(), Some(Gone::Ended(_))), "{:?}", mine.gone());
        let why = soon(amy.join::<Counting>("kermit")).await.unwrap_err();
        assert!(matches!(why, JoinError::Refused(Refusal::Failed(_))), "{why}");
        assert_eq!(soon(sim.hub().retry(object)).await, Ok(()));
        drop(mine);
        let mine = kermit(&alec).await;
        let hers = kermit(&amy).await;
        assert_eq!(mine.object(), object);
        let seq = soon(mine.send(Shout(Croak(4)))).await.unwrap().seq().0;
        assert_eq!(seq, if anew { 1 } else { 4 });
        sim.settle().await;
        for leaf in [&mine, &hers] {
            assert_eq!(soon(leaf.send(Local(Count))).await, Ok(seq));
        }
        let nobody = ObjectId([9; 16]);
        assert_eq!(soon(sim.hub().retry(nobody)).await, Err(RetryError::Unknown(nobody)));
        object
    };
    match journal {
        None => drop(testing::run(1, told)),
        Some(journal) => story(journal, async |sim| {
            let object = told(sim).await;
            seconds(1).await;
            sim.restart();
            let (angus, _) = client(sim, "angus").await;
            let kermit = kermit(&angus).await;
            assert_eq!(kermit.object(), object);
            let seq = soon(kermit.send(Shout(Croak(5)))).await.unwrap().seq().0;
            assert_eq!(seq, if anew { 2 } else { 5 });
        }),
    }
}

#[test]
fn g8_an_object_that_has_failed_is_brought_back_where_it_was() {
    failed_and_back(None, Trouble::Handler, false);
    failed_and_back(Some(Memory::default()), Trouble::Handler, false);
}

#[test]
fn g1_an_object_whose_history_is_damaged_begins_anew_in_another_epoch() {
    failed_and_back(None, Trouble::History, true);
    failed_and_back(Some(Memory::default()), Trouble::History, true);
}
