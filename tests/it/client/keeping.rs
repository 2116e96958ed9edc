//! Objects that are pinned, destroyed and dropped, as their leaves see it.

use actix_multiplex::{
    Change, Gone, JoinError, KeepError, NameError, Shout, ShoutError,
    limits::{LINGER, SWEEP_INTERVAL},
    wire::{EndReason, Refusal},
};
use futures_util::StreamExt;
use tokio::time::sleep;

use super::pond::{
    Croak, Frog, Given, Newt, Slow, TextFrog, TextNewt, Weight, client, frog, hub, paused, settle,
    soon,
};

const DESTROYED: Gone = Gone::Ended(EndReason::Destroyed);

/// What nobody needs now is gone after this.
async fn linger() {
    sleep(LINGER + 2 * SWEEP_INTERVAL).await;
}

#[test]
fn leaves_hear_everything_that_was_said_before_the_end_and_then_stop() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let own = TextFrog::at(&amy);
        let leaf = soon(amy.join::<TextFrog>("kermit")).await.unwrap();
        let voice = soon(amy.voice::<Frog>("kermit")).await.unwrap();
        for n in 1..=3 {
            soon(kermit.send(Shout(Slow { n, ms: 1_000 }))).await.unwrap();
        }
        assert_eq!(own.numbers(), [1], "the others wait in the inbox");
        assert_eq!(soon(leaf.destroy()).await, Ok(()));
        settle().await;
        for gone in [kermit.gone(), leaf.gone(), voice.gone()] {
            assert_eq!(gone, Some(DESTROYED));
        }
        sleep(std::time::Duration::from_secs(5)).await;
        for log in [log, own] {
            assert_eq!(log.heard(), [(1, 1), (2, 2), (3, 3)]);
            let is_unheard = |given: &Given| matches!(given, Given::Unheard(_));
            assert!(!log.all().iter().any(is_unheard), "the hub's word is no leaf's");
        }
        assert!(!kermit.addr().connected() && !leaf.addr().connected());
        let error = soon(kermit.send(Shout(Croak(4)))).await.unwrap_err();
        assert!(matches!(error, ShoutError::Gone(_, DESTROYED)), "{error}");
    });
}

#[test]
fn what_is_destroyed_is_gone_for_its_handles_and_unknown_to_others() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let mut watching = soon(alec.watch("")).await.unwrap();
        // Both are on their way when the object ends.
        let (first, second) =
            soon(async { tokio::join!(kermit.destroy(), kermit.destroy()) }).await;
        assert_eq!((first, second), (Ok(()), Err(KeepError::Gone)));
        settle().await;
        assert_eq!(soon(kermit.destroy()).await, Err(KeepError::Gone));
        assert_eq!(soon(kermit.pin()).await, Err(KeepError::Gone));
        assert_eq!(soon(kermit.unpin()).await, Err(KeepError::Gone));
        assert_eq!(soon(kermit.name("kermit")).await, Err(NameError::Gone));
        let name = || "kermit".parse().unwrap();
        assert_eq!(soon(watching.next()).await, Some(Change::Removed(name())));
        let error = soon(alec.join::<TextFrog>("kermit")).await.unwrap_err();
        assert_eq!(error, JoinError::Unknown { name: name() });
        let other = soon(alec.open::<TextFrog>("kermit", Weight(7))).await.unwrap();
        assert_ne!(other.object(), kermit.object());
        soon(other.send(Shout(Croak(1)))).await.unwrap();
    });
}

#[test]
fn a_pinned_object_waits_for_leaves_with_its_state_and_goes_without_the_pin() {
    paused(async {
        let hub = hub();
        let (alec, kermit, log) = frog(&hub, 1).await;
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        assert_eq!(soon(kermit.pin()).await, Ok(()));
        drop(kermit);
        linger().await;
        linger().await;
        log.clear();
        let kermit = soon(alec.join::<TextFrog>("kermit")).await.unwrap();
        settle().await;
        assert_eq!(log.numbers(), [1]);
        assert_eq!(soon(kermit.unpin()).await, Ok(()));
        linger().await;
        soon(kermit.send(Shout(Croak(2)))).await.unwrap();
        drop(kermit);
        linger().await;
        let error = soon(alec.join::<TextFrog>("kermit")).await.unwrap_err();
        assert!(matches!(error, JoinError::Unknown { .. }), "{error}");
    });
}

#[test]
fn an_object_that_lives_offline_is_published_to_be_pinned_or_destroyed() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextNewt::at(&alec);
        let pinned = soon(alec.create::<TextNewt>(None, ())).await.unwrap();
        assert_eq!(soon(pinned.pin()).await, Ok(()));
        assert_eq!(soon(pinned.send(Shout(Croak(1)))).await.unwrap().seq().0, 1);
        let ended = soon(alec.create::<TextNewt>(None, ())).await.unwrap();
        assert_eq!(soon(ended.destroy()).await, Ok(()));
        settle().await;
        assert_eq!(ended.gone(), Some(DESTROYED));
    });
}

#[test]
fn a_voice_keeps_nothing_and_says_that_the_object_was_dropped() {
    paused(async {
        let hub = hub();
        let alec = client(hub.local(), 1).await;
        TextNewt::at(&alec);
        let newt = soon(alec.create::<TextNewt>(Some("newt"), ())).await.unwrap();
        let amy = client(hub.local(), 2).await;
        let voice = soon(amy.voice::<Newt>("newt")).await.unwrap();
        drop(newt);
        soon(voice.send(Shout(Croak(1)))).await.unwrap();
        linger().await;
        assert_eq!(voice.gone(), Some(Gone::Ended(EndReason::Dropped)));
        let error = soon(amy.voice::<Newt>("newt")).await.unwrap_err();
        assert!(matches!(error, JoinError::Unknown { .. }), "{error}");
    });
}

#[test]
fn a_leaf_that_has_parted_changes_nothing_about_its_object() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        TextFrog::at(&amy);
        let leaf = soon(amy.join::<TextFrog>("kermit")).await.unwrap();
        let stop = super::pond::job::<TextFrog>(|_, ctx| actix::ActorContext::stop(ctx));
        soon(leaf.send(stop)).await.unwrap();
        settle().await;
        let refused = Err(KeepError::Refused(Refusal::NotJoined));
        assert_eq!(soon(leaf.destroy()).await, refused);
        assert_eq!(soon(leaf.pin()).await, refused);
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        drop(alec);
    });
}
