//! Who may shout what: refused shouts come back with their reason, and use up only themselves.

use actix_multiplex::{Denied, Hub, Kind, Rights, Shout, ShoutError, Visit, Wish};

use super::pond::{Bulk, Croak, Frog, Slow, TextFrog, Weight, client, frog, paused, settle, soon};

fn bulk(n: u32) -> Shout<Bulk> {
    Shout(Bulk { n, bytes: vec![] })
}

/// A hub where sessions that come after the first may do what `rights` says.
fn hub(rights: fn(&Wish) -> Rights) -> Hub {
    let admission = move |visit: Visit| {
        let is_guest = visit.client.agent == "guest";
        let rights = if is_guest { rights(&visit.wish) } else { Rights::ALL };
        std::future::ready(Ok::<_, Denied>(rights))
    };
    Hub::builder().seed(7).admission(admission).start().unwrap()
}

async fn guest(hub: &Hub) -> actix_multiplex::Client {
    actix_multiplex::Client::builder().seed(2).agent("guest").connect(hub.local()).await.unwrap()
}

#[test]
fn a_message_that_a_leaf_may_not_shout_comes_back_and_those_around_it_are_heard_in_order() {
    paused(async {
        let hub = hub(|_| Rights::only([Kind(1), Kind(2)]));
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let guest = guest(&hub).await;
        let own = TextFrog::at(&guest);
        let leaf = guest.join::<TextFrog>("kermit").await.unwrap();
        let first = leaf.try_send(Shout(Croak(1))).unwrap();
        let refused = leaf.try_send(bulk(2)).unwrap();
        let second = leaf.try_send(Shout(Slow { n: 3, ms: 0 })).unwrap();
        let third = leaf.try_send(Shout(Croak(4))).unwrap();
        assert_eq!(soon(first).await.unwrap().seq().0, 1);
        let error = soon(refused).await.unwrap_err();
        assert!(
            matches!(&error, ShoutError::Refused((), why)
            if why.contains("no right to shout message 3")),
            "{error}"
        );
        assert_eq!(soon(second).await.unwrap().seq().0, 2);
        assert_eq!(soon(third).await.unwrap().seq().0, 3);
        let error = soon(leaf.send(bulk(5))).await.unwrap_err();
        assert_eq!(error.into_inner(), Bulk { n: 5, bytes: vec![] });
        soon(kermit.send(bulk(6))).await.unwrap();
        settle().await;
        assert_eq!((own.numbers(), log.numbers()), (vec![1, 3, 4, 6], vec![1, 3, 4, 6]));
    });
}

#[test]
fn a_voice_has_the_rights_of_its_attachment_and_a_leaf_those_of_its_join() {
    paused(async {
        let hub = hub(|wish| match wish {
            Wish::Attach { .. } => Rights::only([Kind(3)]),
            Wish::Join { .. } => Rights::NONE,
            _ => Rights::ALL,
        });
        let (_alec, _kermit, log) = frog(&hub, 1).await;
        let guest = guest(&hub).await;
        let own = TextFrog::at(&guest);
        let leaf = guest.join::<TextFrog>("kermit").await.unwrap();
        let error = soon(leaf.send(Shout(Croak(1)))).await.unwrap_err();
        assert!(matches!(error, ShoutError::Refused(Croak(1), _)), "{error}");
        drop(leaf);
        settle().await;
        let voice = guest.voice::<Frog>("kermit").await.unwrap();
        let error = soon(voice.send(Shout(Croak(2)))).await.unwrap_err();
        assert!(matches!(error, ShoutError::Refused(Croak(2), _)), "{error}");
        soon(voice.send(bulk(3))).await.unwrap();
        settle().await;
        assert_eq!((own.numbers(), log.numbers()), (vec![], vec![3]));
    });
}

#[test]
fn g9_five_thousand_refused_shouts_give_their_room_back() {
    paused(async {
        let hub = hub(|_| Rights::NONE);
        let (_alec, _kermit, log) = frog(&hub, 1).await;
        let guest = guest(&hub).await;
        TextFrog::at(&guest);
        let leaf = guest.join::<TextFrog>("kermit").await.unwrap();
        let shouts: Vec<_> = (0..5_000)
            .map(|n| {
                let leaf = leaf.clone();
                tokio::task::spawn_local(async move { leaf.send(Shout(Croak(n))).await })
            })
            .collect();
        for (shout, n) in shouts.into_iter().zip(0..) {
            let error = soon(shout).await.unwrap().unwrap_err();
            assert!(matches!(error, ShoutError::Refused(Croak(m), _) if m == n), "{error}");
        }
        assert!(log.numbers().is_empty());
        assert_eq!(leaf.gone(), None);
        let _made = guest.create::<TextFrog>(Some("own"), Weight(0)).await.unwrap();
        let _other = client(hub.local(), 3).await;
    });
}
