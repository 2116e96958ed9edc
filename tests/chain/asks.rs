//! Asks go to the owner wherever it is (G6 through G11).

use std::time::Duration;

use actix_multiplex::{AskError, Voice};

use crate::pond::{Counting, Frog, Picture, Weigh, chain, client, kermit, soon, until};

#[test]
fn g6_an_ask_crosses_two_links_to_the_owner_and_its_answer_comes_back() {
    for (owner, asker) in [(0, 2), (2, 0), (2, 1)] {
        chain(3, async |chain| {
            let (alec, _) = client(chain, owner, "alec", 70).await;
            let original = kermit(&alec).await;
            let amy = chain.at(asker).witness("amy").await.client().clone();
            amy.implement::<Picture>(|_: Voice<Frog>| Picture);
            let picture = soon(amy.join::<Picture>("kermit")).await.expect("is there");
            assert_eq!(soon(picture.ask(Weigh)).await, Ok(70));
            let voice = soon(amy.voice::<Frog>("kermit")).await.expect("is there");
            assert_eq!(soon(voice.ask(Weigh)).await, Ok(70));
            drop(original);
        });
    }
}

#[test]
fn g6_when_the_owner_parts_another_one_at_the_other_end_answers() {
    chain(3, async |chain| {
        let (alec, _) = client(chain, 2, "alec", 70).await;
        let (angus, _) = client(chain, 0, "angus", 80).await;
        let (original, heir) = (kermit(&alec).await, kermit(&angus).await);
        let amy = chain.at(1).witness("amy").await.client().clone();
        amy.implement::<Picture>(|_: Voice<Frog>| Picture);
        let picture = soon(amy.join::<Picture>("kermit")).await.expect("is there");
        assert_eq!(picture.owner(), Some(alec.session()));
        drop(original);
        until(|| picture.owner() == Some(angus.session())).await;
        assert_eq!(soon(picture.ask(Weigh)).await, Ok(80));
        drop(heir);
        until(|| picture.owner().is_none()).await;
        let unanswered = soon(picture.ask(Weigh)).await;
        assert_eq!(unanswered, Err(AskError::OwnerGone(picture.object())));
    });
}

#[test]
fn g6_an_ask_while_a_link_is_cut_is_answered_when_it_is_back_or_ends_at_its_deadline() {
    chain(3, async |chain| {
        let (alec, _) = client(chain, 0, "alec", 70).await;
        let _original = kermit(&alec).await;
        let amy = chain.at(2).witness("amy").await.client().clone();
        amy.implement::<Picture>(|_: Voice<Frog>| Picture);
        let picture = soon(amy.join::<Picture>("kermit")).await.expect("is there");
        chain.hold(1);
        let late = picture.ask_within(Weigh, Duration::from_secs(2)).await;
        assert_eq!(late, Err(AskError::Late(Duration::from_secs(2))));
        let waiting = picture.ask_within(Weigh, Duration::from_mins(1));
        let mended = async {
            crate::pond::seconds(20).await;
            chain.mend(1);
        };
        let (answer, ()) = tokio::join!(waiting, mended);
        assert_eq!(answer, Ok(70));
    });
}

#[test]
fn g6_a_class_that_answers_does_so_in_place() {
    chain(2, async |chain| {
        let (alec, _) = client(chain, 0, "alec", 70).await;
        let _original = kermit(&alec).await;
        let (amy, _) = client(chain, 1, "amy", 60).await;
        let copy = soon(amy.join::<Counting>("kermit")).await.expect("is there");
        chain.hold(1);
        assert_eq!(soon(copy.ask(Weigh)).await, Ok(60));
    });
}
