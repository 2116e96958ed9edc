//! What comes and goes while a link is cut, and what ends meanwhile.

use std::time::Duration;

use actix_multiplex::{
    ConnectionEvent, Gone, RetryError, Shout,
    testing::{self, Trouble},
    wire::EndReason,
};
use futures_util::FutureExt;

use crate::pond::{Counting, Croak, Frog, chain, client, kermit, seconds, soon, until};

#[test]
fn g8_a_client_is_back_though_something_of_its_waits_for_a_cut_link() {
    chain(2, async |chain| {
        let (low, _) = client(chain, 1, "amy", 7).await;
        chain.hold(1);
        seconds(20).await;
        let mut making = Box::pin(low.create::<Counting>(Some("kermit"), 0));
        assert!((&mut making).now_or_never().is_none());
        seconds(1).await;
        let (session, mut events) = (low.session(), low.events());
        chain.at(1).network().cut("amy");
        soon(async { while events.next().await != Some(ConnectionEvent::Resumed) {} }).await;
        assert_eq!(low.session(), session);
        chain.mend(1);
        soon(making).await.expect("is made when the link is back");
    });
}

#[test]
fn g11_who_parts_while_the_link_is_cut_is_no_member_when_it_is_back() {
    chain(3, async |chain| {
        let (high, _) = client(chain, 0, "alec", 7).await;
        let there = kermit(&high).await;
        let (low, _) = client(chain, 2, "amy", 7).await;
        let here = kermit(&low).await;
        until(|| there.members().count() == 2).await;
        chain.hold(1);
        seconds(20).await;
        drop(here);
        seconds(1).await;
        chain.mend(1);
        until(|| there.members().count() == 1).await;
    });
}

#[test]
fn g11_a_voice_that_is_asked_for_while_the_link_is_cut_is_given_when_it_is_back() {
    chain(2, async |chain| {
        let (high, _) = client(chain, 0, "alec", 7).await;
        let _there = kermit(&high).await;
        let (low, _) = client(chain, 1, "amy", 7).await;
        drop(kermit(&low).await);
        seconds(1).await;
        chain.hold(1);
        seconds(20).await;
        let mut asking = Box::pin(low.voice::<Frog>("kermit"));
        assert!((&mut asking).now_or_never().is_none());
        // Longer than an object lingers that nobody is at.
        seconds(200).await;
        assert!((&mut asking).now_or_never().is_none());
        chain.mend(1);
        let voice = soon(asking).await.expect("is given");
        soon(voice.send(Shout(Croak(1)))).await.expect("is heard");
    });
}

#[test]
fn g11_an_object_that_is_named_after_its_copy_was_made_is_joined_by_that_name() {
    chain(2, async |chain| {
        let (low, _) = client(chain, 1, "amy", 7).await;
        let made = soon(low.create::<Counting>(None, 0)).await.expect("is made");
        soon(made.send(Shout(Croak(1)))).await.expect("is heard");
        soon(made.name("robin")).await.expect("is named");
        let (late, log) = client(chain, 1, "angus", 7).await;
        let joined = soon(late.join::<Counting>("robin")).await.expect("is there");
        until(|| log.heard().len() == 1).await;
        assert_eq!(joined.object(), made.object());
    });
}

#[test]
fn g8_a_copy_that_fails_is_made_anew_and_never_a_home() {
    chain(2, async |chain| {
        let (high, above) = client(chain, 0, "alec", 7).await;
        let there = kermit(&high).await;
        let (low, _) = client(chain, 1, "amy", 7).await;
        let here = kermit(&low).await;
        soon(here.send(Shout(Croak(1)))).await.expect("is heard");
        let hub = chain.at(1).hub();
        assert!(soon(hub.sabotage(here.object(), Trouble::History)).await);
        until(|| matches!(here.gone(), Some(Gone::Ended(EndReason::Failed(_))))).await;
        let retried = soon(hub.retry(here.object())).await;
        assert_eq!(retried, Err(RetryError::Unknown(here.object())));
        let again = soon(low.join::<Counting>("kermit")).await.expect("is at home above");
        let receipt = soon(again.send(Shout(Croak(2)))).await.expect("is heard");
        assert_eq!(receipt.seq().0, 2);
        until(|| above.heard() == [(1, 1), (2, 2)]).await;
        drop(there);
    });
}

#[test]
fn g11_an_object_that_has_failed_at_home_and_is_brought_back_is_there_again_below() {
    chain(2, async |chain| {
        let (high, _) = client(chain, 0, "alec", 7).await;
        let there = kermit(&high).await;
        let (low, _) = client(chain, 1, "amy", 7).await;
        let here = kermit(&low).await;
        let object = there.object();
        assert!(soon(chain.at(0).hub().sabotage(object, Trouble::History)).await);
        until(|| here.gone().is_some() && there.gone().is_some()).await;
        soon(chain.at(0).hub().retry(object)).await.expect("is brought back");
        let again = soon(low.join::<Counting>("kermit")).await.expect("is there again");
        soon(again.send(Shout(Croak(1)))).await.expect("is heard");
        assert_eq!(again.object(), object);
    });
}

#[test]
fn g9_what_is_looked_for_in_vain_is_told_so_and_waits_no_longer_than_the_link() {
    testing::chain(1, 2, async |chain| {
        soon(chain.link(1, 0)).await.expect("is granted");
        let (low, _) = client(chain, 1, "amy", 7).await;
        assert!(soon(low.join::<Counting>("nobody")).await.is_err());
        chain.hold(1);
        seconds(20).await;
        let mut joining = Box::pin(low.join::<Counting>("nobody"));
        assert!((&mut joining).now_or_never().is_none());
        tokio::time::sleep(Duration::from_secs(5)).await;
        chain.mend(1);
        assert!(soon(joining).await.is_err());
    });
}
