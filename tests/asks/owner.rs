//! What the leaf's own class does not answer is asked of the object's owner.

use std::time::Duration;

use actix_multiplex::{AskError, Shout, limits::SHOUT_BYTES_MAX, testing};
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::pond::{Eat, Fill, Frog, Picture, Think, Weigh, client, kermits};

#[test]
fn a_picture_is_a_reference_to_the_original() {
    testing::run(1, async |sim| {
        let (_kermit, picture, log) = kermits(sim).await;
        assert_eq!(picture.ask(Weigh).await, Ok(10));
        let asker = log.asker().expect("another client asks");
        assert_ne!(Some(asker), picture.owner());
        assert_eq!(picture.ask(Think { ms: 1_000 }).await, Ok("hm, 10 g".to_owned()));
    });
}

#[test]
fn a_voice_without_a_leaf_asks_the_owner() {
    testing::run(2, async |sim| {
        let (_kermit, _picture, log) = kermits(sim).await;
        let angus = client(sim, "angus").await;
        let voice = angus.voice::<Frog>("kermit").await.unwrap();
        assert_eq!(voice.ask(Weigh).await, Ok(10));
        assert_eq!(log.asked(), ["weigh"]);
    });
}

#[test]
fn the_owner_answers_when_it_has_heard_what_the_asker_had_shouted() {
    testing::run(3, async |sim| {
        let (_kermit, picture, _) = kermits(sim).await;
        sim.network().delay("alec", Duration::from_millis(300));
        for n in 1..=50 {
            let receipt = picture.try_send(Shout(Eat(1))).unwrap();
            assert_eq!(picture.ask(Weigh).await, Ok(10 + n));
            drop(receipt);
        }
    });
}

#[test]
fn a_slow_answer_holds_up_neither_shouts_nor_other_answers() {
    testing::run(4, async |sim| {
        let (kermit, picture, log) = kermits(sim).await;
        let slow = picture.ask(Think { ms: 10_000 });
        let quick = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            kermit.send(Shout(Eat(5))).await.unwrap();
            let begun = Instant::now();
            assert_eq!(picture.ask(Weigh).await, Ok(15));
            assert!(begun.elapsed() < Duration::from_secs(1));
        };
        let (slow, ()) = tokio::join!(slow, quick);
        assert_eq!(slow, Ok("hm, 15 g".to_owned()));
        assert_eq!(log.asked(), ["think", "weigh"]);
    });
}

#[test]
fn more_asks_than_may_be_under_way_wait_for_their_turn() {
    testing::run(5, async |sim| {
        let (_kermit, picture, log) = kermits(sim).await;
        let answers = join_all((0..500).map(|_| picture.ask(Think { ms: 10 }))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(log.asked().len(), 500);
    });
}

#[test]
fn an_owner_whose_class_does_not_answer_is_asked_no_further() {
    testing::run(6, async |sim| {
        let (alec, amy) = (client(sim, "alec").await, client(sim, "amy").await);
        Picture::at(&alec);
        Picture::at(&amy);
        let own = alec.create::<Picture>(Some("kermit"), ()).await.unwrap();
        let other = amy.join::<Picture>("kermit").await.unwrap();
        for error in [own.ask(Weigh).await.unwrap_err(), other.ask(Weigh).await.unwrap_err()] {
            assert!(matches!(error, AskError::NoHandler { .. }), "{error}");
            assert!(error.to_string().contains("Weigh"), "{error}");
        }
    });
}

#[test]
fn what_is_larger_than_a_frame_is_not_asked_and_not_answered() {
    testing::run(7, async |sim| {
        let (_kermit, picture, _) = kermits(sim).await;
        let fill = |bytes, with| picture.ask(Fill { bytes, with: vec![0; with] });
        let fits = SHOUT_BYTES_MAX - 8;
        assert_eq!(fill(fits, 0).await.map(|bytes| bytes.len()), Ok(fits));
        let error = fill(SHOUT_BYTES_MAX, 0).await.unwrap_err();
        assert!(
            matches!(error, AskError::TooLarge { bytes, max: SHOUT_BYTES_MAX } if bytes > SHOUT_BYTES_MAX),
            "{error}"
        );
        let error = fill(1, SHOUT_BYTES_MAX).await.unwrap_err();
        assert!(matches!(error, AskError::Encode(_)), "{error}");
    });
}

#[test]
fn an_answer_that_is_late_is_no_answer() {
    testing::run(8, async |sim| {
        let (_kermit, picture, log) = kermits(sim).await;
        let (begun, second) = (Instant::now(), Duration::from_secs(1));
        let late = picture.ask_within(Think { ms: 5_000 }, second).await;
        assert_eq!((late, begun.elapsed()), (Err(AskError::Late(second)), second));
        assert_eq!(picture.ask(Weigh).await, Ok(10));
        assert_eq!(log.asked(), ["think", "weigh"]);
    });
}

#[test]
fn an_ask_of_nobody_ends() {
    testing::run(9, async |sim| {
        let (kermit, picture, _) = kermits(sim).await;
        let begun = Instant::now();
        let asking = picture.ask(Think { ms: 20_000 });
        let parting = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            drop(kermit);
        };
        let (gone, ()) = tokio::join!(asking, parting);
        let gone_for_good = Err(AskError::OwnerGone(picture.object()));
        assert_eq!(gone, gone_for_good);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(picture.ask(Think { ms: 0 }).await, gone_for_good, "nobody owns it now");
        assert_eq!(picture.owner(), None);
    });
}
