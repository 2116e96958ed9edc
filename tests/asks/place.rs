//! What the leaf's own class answers is answered in place.

use std::time::Duration;

use actix_multiplex::{Ask, AskError, Gone, testing};
use tokio::time::Instant;

use crate::pond::{AskYourself, Burst, Original, Picture, Think, Weigh, client};

#[test]
fn an_ask_that_its_class_answers_never_touches_the_network() {
    testing::run(1, async |sim| {
        let alec = client(sim, "alec").await;
        let log = Original::at(&alec);
        let kermit = alec.create::<Original>(None, ()).await.unwrap();
        sim.network().cut("alec");
        assert_eq!(kermit.ask(Weigh).await, Ok(10));
        assert_eq!(kermit.send(Ask(Think { ms: 5 })).await, Ok("hm, 10 g".to_owned()));
        assert_eq!(log.asked(), ["weigh", "think"]);
        assert_eq!(log.asker(), None, "it is asked in place");
    });
}

#[test]
fn a_leaf_that_joined_answers_for_itself_what_it_can() {
    testing::run(2, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        let (owner, joiner) = (Original::at(&alec), Original::at(&amy));
        let _kermit = alec.create::<Original>(Some("kermit"), ()).await.unwrap();
        let kermit = amy.join::<Original>("kermit").await.unwrap();
        assert_eq!(kermit.ask(Weigh).await, Ok(10));
        assert_eq!((owner.asked().len(), joiner.asked().len()), (0, 1));
    });
}

#[test]
fn an_object_that_lives_offline_and_does_not_answer_is_not_published_for_that() {
    testing::run(3, async |sim| {
        let alec = client(sim, "alec").await;
        Picture::at(&alec);
        let kermit = alec.create::<Picture>(None, ()).await.unwrap();
        let error = kermit.ask(Weigh).await.unwrap_err();
        assert!(matches!(error, AskError::NoHandler { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&kermit.object().to_string()) && text.contains("Weigh"), "{text}");
    });
}

#[test]
fn a_leaf_that_panics_in_place_says_so_and_the_next_one_answers() {
    testing::run(4, async |sim| {
        let alec = client(sim, "alec").await;
        Original::at(&alec);
        let kermit = alec.create::<Original>(None, ()).await.unwrap();
        let burst = kermit.ask(Burst).await;
        assert_eq!(burst, Err(AskError::Panicked("it has burst".to_owned())));
        sim.settle().await;
        assert_eq!(kermit.ask(Weigh).await, Ok(10));
    });
}

#[test]
fn an_answer_in_place_is_waited_for_no_longer_than_that() {
    testing::run(5, async |sim| {
        let alec = client(sim, "alec").await;
        Original::at(&alec);
        let kermit = alec.create::<Original>(None, ()).await.unwrap();
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let late = kermit.ask_within(Think { ms: 5_000 }, second).await;
        assert_eq!((late, begun.elapsed()), (Err(AskError::Late(second)), second));
    });
}

#[test]
fn a_handler_that_asks_its_own_leaf_waits_until_the_deadline_and_no_longer() {
    testing::run(6, async |sim| {
        let alec = client(sim, "alec").await;
        let log = Original::at(&alec);
        let kermit = alec.create::<Original>(Some("kermit"), ()).await.unwrap();
        let (begun, wait) = (Instant::now(), Duration::from_secs(3));
        let late = kermit.addr().send(AskYourself(wait)).await.unwrap();
        assert_eq!((late, begun.elapsed()), (Err(AskError::Late(wait)), wait));
        assert_eq!(kermit.ask(Weigh).await, Ok(10), "it goes on");
        sim.settle().await;
        assert_eq!(log.asked(), ["weigh"], "whom nobody waits for is not answered");
    });
}

#[test]
fn a_leaf_that_has_stopped_is_gone_and_its_voice_says_so() {
    testing::run(7, async |sim| {
        let alec = client(sim, "alec").await;
        Original::at(&alec);
        let kermit = alec.create::<Original>(Some("kermit"), ()).await.unwrap();
        let voice = kermit.voice();
        drop(kermit);
        sim.settle().await;
        assert_eq!(voice.ask(Weigh).await, Err(AskError::Gone(Gone::Parted)));
    });
}
