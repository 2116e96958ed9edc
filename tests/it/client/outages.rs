//! Connections that are lost, as a program sees it: it goes on, and nothing is lost.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_multiplex::{
    Change, Client, Closer, ConnectionEvent, Events, Gone, Hub, Local, Shout, ShoutError,
    transport::{Connector, Duplex, Opening, memory::MemoryConnector},
    wire::CloseCode,
};
use futures_util::StreamExt;

use super::{
    pond::{Count, Croak, Frog, TextFrog, Weight, client, frog, hub, paused, settle, soon},
    wire::Wire,
};
use crate::ledger::{Add, Book, Clerk, Ledger, Sum, Tell, Telling};

/// Waits until the client is connected again, and tells as whom.
async fn back(events: &mut Events) -> ConnectionEvent {
    loop {
        match soon(events.next()).await.expect("the client has ended") {
            ConnectionEvent::Connected | ConnectionEvent::Waiting { .. } => {}
            event => return event,
        }
    }
}

/// Leads to one hub, and then to another.
#[derive(Clone, Debug)]
struct Turnout(Arc<Mutex<MemoryConnector>>);

impl Turnout {
    fn to(hub: &Hub) -> Self {
        Self(Arc::new(Mutex::new(hub.local())))
    }

    fn turn_to(&self, hub: &Hub) {
        *self.0.lock().unwrap() = hub.local();
    }
}

impl Connector for Turnout {
    fn connect(&self) -> Opening<'_, Duplex> {
        let to = self.0.lock().unwrap().clone();
        Box::pin(async move { to.connect().await })
    }

    fn address(&self) -> String {
        "turnout".to_owned()
    }
}

#[test]
fn g2_shouts_sent_while_the_line_is_cut_are_heard_once_and_in_order() {
    paused(async {
        let hub = hub();
        let (_amy, hers, amys) = frog(&hub, 2).await;
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let log = TextFrog::at(&alec);
        let kermit = alec.join::<TextFrog>("kermit").await.unwrap();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        let mut events = alec.events();
        wire.cut();
        settle().await;
        let receipts: Vec<_> = (2..20).map(|n| kermit.try_send(Shout(Croak(n))).unwrap()).collect();
        assert_eq!(soon(kermit.send(Local(Count))).await, Ok(1), "local goes on");
        soon(hers.send(Shout(Croak(100)))).await.unwrap();
        wire.up.mend();
        wire.down.mend();
        back(&mut events).await;
        for (receipted, seq) in receipts.into_iter().zip(3..) {
            assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
        }
        settle().await;
        let all: Vec<_> = [1, 100].into_iter().chain(2..20).collect();
        assert_eq!((log.numbers(), amys.numbers()), (all.clone(), all));
    });
}

#[test]
fn g2_a_voice_without_a_leaf_goes_on_over_another_connection() {
    paused(async {
        let hub = hub();
        let (_amy, _hers, amys) = frog(&hub, 2).await;
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let voice = alec.voice::<Frog>("kermit").await.unwrap();
        soon(voice.send(Shout(Croak(1)))).await.unwrap();
        let mut events = alec.events();
        wire.cut();
        settle().await;
        let waits = voice.try_send(Shout(Croak(2))).unwrap();
        wire.up.mend();
        wire.down.mend();
        back(&mut events).await;
        assert_eq!(soon(waits).await.unwrap().seq().0, 2);
        settle().await;
        assert_eq!(amys.numbers(), [1, 2]);
    });
}

#[test]
fn what_is_asked_while_the_line_is_cut_is_answered_when_it_is_back() {
    paused(async {
        let hub = hub();
        let (_amy, _hers, _) = frog(&hub, 2).await;
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        TextFrog::at(&alec);
        wire.cut();
        settle().await;
        let robin = alec.create::<TextFrog>(None, Weight(7)).await.unwrap();
        let shouted = robin.try_send(Shout(Croak(1))).unwrap();
        let asking = tokio::task::spawn_local({
            let (alec, robin) = (alec.clone(), robin.clone());
            async move {
                let kermit = alec.join::<TextFrog>("kermit");
                tokio::join!(kermit, robin.name("robin"), alec.list("k"))
            }
        });
        settle().await;
        assert!(!asking.is_finished());
        wire.up.mend();
        wire.down.mend();
        let (kermit, named, listed) = soon(asking).await.unwrap();
        let kermit = kermit.unwrap();
        named.unwrap();
        assert_eq!(listed.unwrap().len(), 1);
        assert_eq!(soon(shouted).await.unwrap().seq().0, 1);
        soon(kermit.send(Shout(Croak(2)))).await.unwrap();
    });
}

#[test]
fn a_watch_tells_what_has_changed_while_the_line_was_cut_and_nothing_else() {
    paused(async {
        let hub = hub();
        let (amy, hers, _) = frog(&hub, 2).await;
        let _robin = amy.open::<TextFrog>("robin", Weight(1)).await.unwrap();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let mut watching = alec.watch("").await.unwrap();
        assert_eq!(watching.names().len(), 2);
        let mut events = alec.events();
        wire.cut();
        settle().await;
        soon(hers.destroy()).await.unwrap();
        let _piggy = amy.open::<TextFrog>("piggy", Weight(1)).await.unwrap();
        wire.up.mend();
        wire.down.mend();
        back(&mut events).await;
        let first = soon(watching.next()).await.unwrap();
        assert!(matches!(first, Change::Removed(name) if name.as_str() == "kermit"));
        let second = soon(watching.next()).await.unwrap();
        assert!(matches!(second, Change::Added(entry) if entry.name.as_str() == "piggy"));
        let _gonzo = amy.open::<TextFrog>("gonzo", Weight(1)).await.unwrap();
        let third = soon(watching.next()).await.unwrap();
        assert!(matches!(third, Change::Added(entry) if entry.name.as_str() == "gonzo"));
    });
}

#[test]
fn a_hub_that_was_restarted_turns_handles_gone_and_open_goes_on_with_the_leafs_state() {
    paused(async {
        let hub = hub();
        let turnout = Turnout::to(&hub);
        let alec = client(turnout.clone(), 1).await;
        let log = Book::default();
        Clerk::at(&alec, "alec", Telling::Tells, &log);
        let ledger = alec.open::<Clerk>("ledger", Sum::default()).await.unwrap();
        let add = |n| Add { n, text: String::new() };
        soon(ledger.send(Shout(add(7)))).await.unwrap();
        settle().await;
        let voice = alec.voice::<Ledger>("ledger").await.unwrap();
        let mut events = alec.events();
        let before = alec.hub();
        soon(hub.stop()).await;
        let next = Hub::builder().seed(8).start().unwrap();
        turnout.turn_to(&next);
        assert_eq!(back(&mut events).await, ConnectionEvent::Resynced { hub_restarted: true });
        assert_ne!(alec.hub(), before);
        let gone = Some(Gone::HubRestarted);
        assert_eq!((ledger.gone(), voice.gone()), (gone.clone(), gone));
        let error = soon(ledger.send(Shout(add(8)))).await.unwrap_err();
        assert!(matches!(error, ShoutError::Gone(_, Gone::HubRestarted)), "{error}");
        let again = soon(alec.open::<Clerk>("ledger", Sum::default())).await.unwrap();
        assert_ne!(again.object(), ledger.object());
        soon(again.send(Shout(add(9)))).await.unwrap();
        settle().await;
        assert_eq!(again.send(Local(Tell)).await.map(|sum| sum.count), Ok(2));
    });
}

#[test]
fn events_tell_of_each_wait_and_why() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        let mut events = alec.events();
        assert_eq!(soon(events.next()).await, Some(ConnectionEvent::Connected));
        wire.cut();
        let Some(ConnectionEvent::Waiting { wait, why }) = soon(events.next()).await else {
            panic!("it does not wait")
        };
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        assert_eq!(why.by, Closer::Transport);
        let Some(ConnectionEvent::Waiting { wait, .. }) = soon(events.next()).await else {
            panic!("it does not wait again")
        };
        assert!((1..=3).contains(&wait.as_secs()), "{wait:?}");
        soon(alec.close()).await;
        let last = soon(events.next()).await;
        assert!(
            matches!(last, Some(ConnectionEvent::Closed { why }) if why.code == CloseCode::Done)
        );
        assert_eq!(soon(events.next()).await, None);
    });
}

#[test]
fn a_client_that_is_closed_or_dropped_while_it_waits_connects_no_more() {
    for drops in [false, true] {
        paused(async move {
            let hub = hub();
            let wire = Wire::new(hub.local());
            let alec: Client = client(wire.clone(), 1).await;
            let mut events = alec.events();
            wire.cut();
            settle().await;
            let before = tokio::time::Instant::now();
            if drops {
                drop(alec);
            } else {
                soon(alec.close()).await;
            }
            while !matches!(soon(events.next()).await, None | Some(ConnectionEvent::Closed { .. }))
            {
            }
            assert!(before.elapsed() < Duration::from_millis(500), "{:?}", before.elapsed());
            wire.up.mend();
            wire.down.mend();
            tokio::time::sleep(Duration::from_mins(1)).await;
            assert_eq!(soon(events.next()).await, None);
        });
    }
}
