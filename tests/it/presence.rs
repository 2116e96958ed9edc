//! Presence: every leaf is told who else is one, in its place among the shouts.

mod frogs;

use std::time::Duration;

use actix_multiplex::{Client, ConnectError, Seq, Shout};
use tokio::{task::LocalSet, time::sleep};

use self::frogs::{
    Event::{Heard, Joined, Parted},
    Frog, PlainFrog, Pond, TextFrog, croak, settle,
};

/// Runs one case under paused time, on one thread.
fn in_pond(case: impl AsyncFnOnce(Pond)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async { case(Pond::new()).await });
}

fn joined(name: &str) -> frogs::Event {
    Joined(name.to_owned())
}

fn parted(name: &str) -> frogs::Event {
    Parted(name.to_owned())
}

#[test]
fn a_leaf_is_told_who_is_there_itself_too_and_then_who_comes_and_goes() {
    in_pond(async |pond| {
        let alec = pond.sits("alec").await;
        let amy = pond.sits("amy").await;
        settle().await;
        assert_eq!(alec.diary(), [joined("alec"), joined("amy")]);
        let mut there = amy.diary();
        there.sort();
        assert_eq!(there, [joined("alec"), joined("amy")]);

        drop(amy);
        settle().await;
        assert_eq!(alec.diary(), [joined("alec"), joined("amy"), parted("amy")]);
        let members = alec.frog.members();
        assert_eq!((members.version(), members.count(), members.iter().count()), (3, 1, 1));
    });
}

#[test]
fn members_are_known_by_session_name_info_and_since_when_they_are_there() {
    in_pond(async |pond| {
        let alec = pond.sits("alec").await;
        sleep(Duration::from_secs(5)).await;
        let amy = pond.sits("amy").await;
        settle().await;
        let members = alec.frog.members();
        assert!(members.is_listed());
        let me = members.get(alec.client.session()).expect("is there");
        let her = members.get(amy.client.session()).expect("is there");
        assert_eq!((me.is_me(), her.is_me(), her.is_away()), (true, false, false));
        assert_eq!((her.name(), her.info()), ("amy", &b"info of amy"[..]));
        assert_eq!((her.session(), her.since_ms() - me.since_ms()), (amy.client.session(), 5_000));

        let hers = amy.frog.members();
        assert_eq!((hers.version(), hers.count()), (members.version(), 2));
        assert!(hers.get(amy.client.session()).expect("is there").is_me());
    });
}

#[test]
fn changes_stand_at_one_place_among_the_shouts_at_every_leaf() {
    in_pond(async |pond| {
        let (alec, angus) = (pond.sits("alec").await, pond.sits("angus").await);
        settle().await;
        let before = [alec.diary().len(), angus.diary().len()];
        alec.frog.send(Shout(croak(0))).await.expect("is heard");
        let amy = pond.sits("amy").await;
        settle().await;
        assert_eq!(alec.frog.members().after(), Seq(1));
        alec.frog.send(Shout(croak(0))).await.expect("is heard");
        drop(amy);
        settle().await;
        alec.frog.send(Shout(croak(0))).await.expect("is heard");
        let told = [Heard(1), joined("amy"), Heard(2), parted("amy"), Heard(3)];
        assert_eq!(alec.diary()[before[0]..], told);
        assert_eq!(angus.diary()[before[1]..], told);
    });
}

#[test]
fn a_leaf_is_told_when_it_has_answered_the_shouts_before() {
    in_pond(async |pond| {
        let alec = pond.sits("alec").await;
        alec.frog.send(Shout(croak(60))).await.expect("is heard");
        let _amy = pond.sits("amy").await;
        sleep(Duration::from_secs(50)).await;
        assert_eq!(
            (alec.diary(), alec.frog.members().count()),
            (vec![joined("alec"), Heard(1)], 1)
        );
        sleep(Duration::from_secs(20)).await;
        assert_eq!(alec.diary(), [joined("alec"), Heard(1), joined("amy")]);
        assert_eq!(alec.frog.members().count(), 2);
    });
}

#[test]
fn a_voice_without_a_leaf_is_no_member() {
    in_pond(async |pond| {
        let alec = pond.sits("alec").await;
        let amy = pond.client("amy").await;
        let voice = amy.voice::<Frog>("kermit").await.expect("is there");
        voice.send(Shout(croak(0))).await.expect("is heard");
        assert_eq!(alec.diary(), [joined("alec"), Heard(1)]);
        assert_eq!(alec.frog.members().count(), 1);
    });
}

#[test]
fn a_client_that_leaves_has_parted() {
    in_pond(async |pond| {
        let (alec, amy) = (pond.sits("alec").await, pond.sits("amy").await);
        amy.client.close().await;
        settle().await;
        assert_eq!(alec.diary(), [joined("alec"), joined("amy"), parted("amy")]);
        assert_eq!(amy.frog.members().count(), 2, "it keeps what it was told");
    });
}

#[test]
fn two_leaves_that_come_and_go_in_one_client_are_one_member_each_time() {
    in_pond(async |pond| {
        let (alec, amy) = (pond.sits("alec").await, pond.sits("amy").await);
        let again = amy.client.join::<TextFrog>("kermit").await.expect("is there");
        settle().await;
        drop(amy.frog);
        settle().await;
        assert_eq!(alec.diary(), [joined("alec"), joined("amy")]);
        drop(again);
        settle().await;
        let _anew = amy.client.join::<TextFrog>("kermit").await.expect("is there");
        settle().await;
        let told = [joined("alec"), joined("amy"), parted("amy"), joined("amy")];
        assert_eq!(alec.diary(), told);
    });
}

#[test]
fn whoever_makes_an_object_decides_whether_its_leaves_are_told() {
    in_pond(async |pond| {
        let alec = pond.client("alec").await;
        PlainFrog::at(&alec);
        let plain = alec.open::<PlainFrog>("plain", ()).await.expect("is made");
        let amy = pond.sits("amy").await;
        let frog = amy.client.join::<TextFrog>("plain").await.expect("is there");
        settle().await;
        assert_eq!((plain.members().version(), frog.members().version()), (0, 0));
        assert_eq!(amy.diary(), [joined("amy")]);

        let guest = alec.join::<PlainFrog>("kermit").await.expect("is there");
        settle().await;
        assert_eq!(guest.members().count(), 2);
        assert_eq!(amy.diary(), [joined("amy"), joined("alec")]);
    });
}

#[test]
fn an_object_that_lives_offline_has_members_when_the_hub_knows_it() {
    in_pond(async |pond| {
        let alec = pond.client("alec").await;
        let diary = TextFrog::at(&alec);
        let kermit = alec.create::<TextFrog>(None, ()).await.expect("is made");
        settle().await;
        assert_eq!((kermit.members().version(), diary.read()), (0, Vec::new()));
        kermit.name("kermit").await.expect("is free");
        settle().await;
        assert_eq!((kermit.members().count(), diary.read()), (1, vec![joined("alec")]));
    });
}

#[test]
fn a_leaf_with_no_room_for_changes_is_told_of_them_together_when_it_has() {
    in_pond(async |pond| {
        let alec = pond.sits("alec").await;
        alec.frog.send(Shout(croak(600))).await.expect("is heard");
        let mut crowd = Vec::new();
        for n in 0..130 {
            crowd.push(pond.sits(&format!("frog {n}")).await);
            settle().await;
        }
        drop(crowd.pop());
        settle().await;
        assert_eq!(alec.diary().len(), 2);
        sleep(Duration::from_mins(10)).await;
        let told = alec.diary();
        assert!(!told.contains(&parted("frog 129")), "its coming and going were told together");
        assert_eq!((told.len(), alec.frog.members().count()), (2 + 129, 130));
        assert_eq!(alec.frog.members().version(), 1 + 130 + 1);
    });
}

#[test]
fn a_leaf_that_lags_behind_the_shouts_is_told_of_the_changes_when_it_has_caught_up() {
    in_pond(async |pond| {
        let alec = pond.sits("alec").await;
        let amy = pond.sits("amy").await;
        settle().await;
        alec.frog.send(Shout(croak(600))).await.expect("is heard");
        for _ in 0..10 {
            amy.frog.send(Shout(frogs::loud())).await.expect("is heard");
        }
        let _angus = pond.sits("angus").await;
        drop(amy);
        settle().await;
        let before = [joined("alec"), joined("amy"), Heard(1)];
        assert_eq!(alec.diary(), before);
        sleep(Duration::from_mins(10)).await;
        settle().await;
        let heard = (2..=11).map(Heard);
        let told = before.into_iter().chain(heard).chain([parted("amy"), joined("angus")]);
        assert_eq!(alec.diary(), told.collect::<Vec<_>>());
    });
}

#[cfg(feature = "testing")]
#[test]
fn nobody_has_parted_when_a_repeater_is_made_anew() {
    use actix_multiplex::testing::Trouble;

    in_pond(async |pond| {
        let (alec, amy) = (pond.sits("alec").await, pond.sits("amy").await);
        settle().await;
        let version = alec.frog.members().version();
        pond.hub.sabotage(alec.frog.object(), Trouble::Handler).await;
        settle().await;
        assert_eq!(alec.diary(), [joined("alec"), joined("amy")]);
        assert_eq!(alec.frog.members().version(), version);
        drop(amy);
        settle().await;
        assert_eq!(alec.diary(), [joined("alec"), joined("amy"), parted("amy")]);
    });
}

#[test]
fn a_name_and_an_info_over_their_limits_are_not_sent() {
    in_pond(async |pond| {
        let long = Client::builder().name("n".repeat(65)).connect(pond.hub.local()).await;
        let large = Client::builder().info(vec![0; 1_025]).connect(pond.hub.local()).await;
        for (refused, limit) in [(long, ("name", 65, 64)), (large, ("info", 1_025, 1_024))] {
            let Err(ConnectError::TooLarge { what, bytes, max }) = refused else {
                panic!("it was sent")
            };
            assert_eq!((what, bytes, max), limit);
        }
        let most = Client::builder().name("n".repeat(64)).info(vec![0; 1_024]);
        most.connect(pond.hub.local()).await.expect("is let in");
    });
}
