//! What a leaf is given when it joins, joins again, and joins beside another.

use actix_multiplex::{Client, Gone, Hub, JoinError, Shout};

use super::pond::{
    Croak, Given, LoudFrog, TextFrog, Weight, client, frog, hub, newt, paused, settle, soon,
};

fn heard(seq: u64, n: u32, mine: bool, replayed: bool) -> Given {
    Given::Heard { seq, n, mine, replayed }
}

#[test]
fn g4_a_joiner_is_given_the_state_then_the_tail_then_what_is_said() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, alecs) = frog(&hub, 1).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        soon(kermit.send(Shout(Croak(2)))).await.unwrap();
        let (_amy, mine, amys) = frog(&hub, 2).await;
        soon(mine.send(Shout(Croak(3)))).await.unwrap();
        settle().await;
        assert_eq!(
            amys.all(),
            [
                Given::State(40),
                heard(1, 1, false, true),
                heard(2, 2, false, true),
                heard(3, 3, true, false)
            ]
        );
        assert_eq!(
            alecs.all(),
            [
                Given::State(40),
                heard(1, 1, true, false),
                heard(2, 2, true, false),
                heard(3, 3, false, false)
            ]
        );
    });
}

#[test]
fn g4_a_joiner_of_an_object_without_state_starts_at_now() {
    paused(async {
        let hub = hub();
        let (_alec, tritone, alecs) = newt(&hub, 1).await;
        soon(tritone.send(Shout(Croak(1)))).await.unwrap();
        let (_amy, mine, amys) = newt(&hub, 2).await;
        soon(mine.send(Shout(Croak(2)))).await.unwrap();
        settle().await;
        assert_eq!(amys.all(), [heard(2, 2, true, false)]);
        assert_eq!(alecs.heard(), [(1, 1), (2, 2)]);
    });
}

#[test]
fn a_second_join_by_the_same_class_gives_the_same_leaf_which_hears_nothing_twice() {
    paused(async {
        let hub = hub();
        let (alec, kermit, log) = frog(&hub, 1).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        let again = alec.join::<TextFrog>("kermit").await.unwrap();
        let opened = alec.open::<TextFrog>("kermit", Weight(9)).await.unwrap();
        assert!(again.addr() == kermit.addr() && opened.addr() == kermit.addr());
        drop((kermit, opened));
        soon(again.send(Shout(Croak(2)))).await.unwrap();
        settle().await;
        assert_eq!(
            log.all(),
            [Given::State(40), heard(1, 1, true, false), heard(2, 2, true, false)]
        );
    });
}

#[test]
fn another_class_is_refused_beside_a_leaf_and_let_in_after_it() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let loud = LoudFrog::at(&alec);
        let error = alec.join::<LoudFrog>("kermit").await.unwrap_err();
        assert!(matches!(error, JoinError::OtherClass { .. }), "{error}");
        // The refusal has not parted the leaf that is there.
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        drop(kermit);
        settle().await;
        let kermit = alec.join::<LoudFrog>("kermit").await.unwrap();
        soon(kermit.send(Shout(Croak(2)))).await.unwrap();
        settle().await;
        assert_eq!(loud.heard(), [(1, 1), (2, 2)]);
    });
}

#[test]
fn the_last_drop_parts_and_a_later_join_makes_a_fresh_leaf_whose_ops_go_on() {
    paused(async {
        let hub = hub();
        let (_amy, hers, _) = frog(&hub, 2).await;
        let (alec, kermit, log) = frog(&hub, 1).await;
        let clone = kermit.clone();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        drop(kermit);
        settle().await;
        soon(clone.send(Shout(Croak(2)))).await.unwrap();
        let (voice, addr) = (clone.voice(), clone.addr());
        drop(clone);
        settle().await;
        assert!(!addr.connected());
        assert_eq!(voice.gone(), Some(Gone::Parted));
        soon(hers.send(Shout(Croak(3)))).await.unwrap();
        settle().await;
        assert_eq!(log.numbers(), [1, 2]);
        log.clear();
        let kermit = alec.join::<TextFrog>("kermit").await.unwrap();
        for n in 4..7 {
            soon(kermit.send(Shout(Croak(n)))).await.unwrap();
        }
        settle().await;
        assert_eq!(log.all()[0], Given::State(40));
        assert_eq!(log.heard(), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6)]);
    });
}

/// Whether a hub still has a session.
async fn has(hub: &Hub, client: &Client) -> bool {
    let watcher = super::pond::client(hub.local(), 77).await;
    let trouble =
        actix_multiplex::testing::Trouble::Shout { kind: actix_multiplex::Kind(0), times: 0 };
    let there = hub.sabotage_session(client.session(), trouble).await;
    drop(watcher);
    there
}

#[test]
fn a_handle_keeps_the_connection_and_the_last_drop_of_all_closes_it() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let witness = alec.clone();
        assert!(has(&hub, &witness).await);
        let session = witness.session();
        drop((alec, witness));
        settle().await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        let voice = kermit.voice();
        drop(kermit);
        settle().await;
        assert!(matches!(voice.gone(), Some(Gone::Closed(_) | Gone::Parted)), "{:?}", voice.gone());
        let trouble = actix_multiplex::testing::Trouble::Handler;
        assert!(!hub.sabotage_session(session, trouble).await, "the session is still there");
    });
}

#[test]
fn closing_sends_what_was_said_before() {
    paused(async {
        let hub = hub();
        let (_amy, _hers, log) = frog(&hub, 2).await;
        let alec = client(hub.local(), 1).await;
        TextFrog::at(&alec);
        let kermit = alec.join::<TextFrog>("kermit").await.unwrap();
        for n in 0..500 {
            let _receipted = kermit.try_send(Shout(Croak(n))).unwrap();
        }
        soon(alec.close()).await;
        assert!(matches!(kermit.gone(), Some(Gone::Closed(_))));
        settle().await;
        assert!(log.numbers().into_iter().eq(0..500));
        soon(alec.close()).await;
    });
}
