//! What a client says to go on with its session, as a hub hears it.

use actix_multiplex::{
    Client, Cursor, Epoch, Handle, ObjectId, Op, Seq, Shout,
    transport::{Listener, memory},
    wire::{self, CloseCode, Fault, Frame, Goodbye, Joined, Request, Target},
};

use super::{
    false_hub::{self, FalseHub},
    pond::{Croak, TextNewt, paused, settle, soon},
};

const EPOCH: Epoch = Epoch([2; 8]);
const OBJECTS: usize = 100;

fn joined(request: Request, object: ObjectId, next_op: u64) -> Joined {
    Joined { object, next_op: Op(next_op), ..false_hub::joined(request) }
}

/// A client that was let in, and who takes its connections.
async fn let_in() -> (FalseHub, Client, impl Listener) {
    let (connector, mut listener) = memory::channel("false hub");
    let connecting = tokio::task::spawn_local(Client::connect(connector));
    let (mut hub, hello) = FalseHub::called(&mut listener).await;
    assert_eq!(hello.resume, None);
    hub.welcome(6, false).await;
    let client = soon(connecting).await.unwrap().unwrap();
    TextNewt::at(&client);
    (hub, client, listener)
}

/// Lets the client in with leaves, each of an object of its own.
async fn leaves(hub: &mut FalseHub, client: &Client) -> Vec<Handle<TextNewt>> {
    let mut leaves = Vec::new();
    for n in 0..OBJECTS {
        let client = client.clone();
        let joining =
            tokio::task::spawn_local(async move { client.join::<TextNewt>(&n.to_string()).await });
        let Frame::Join(join) = hub.next().await else { panic!("no Join came") };
        hub.say(&joined(join.request, ObjectId([n as u8; 16]), 1)).await;
        leaves.push(soon(joining).await.unwrap().unwrap());
    }
    leaves
}

#[test]
fn a_hundred_leaves_are_back_in_one_round_trip_and_shouts_follow_from_where_the_hub_says() {
    paused(async {
        let (mut hub, client, mut listener) = let_in().await;
        let leaves = leaves(&mut hub, &client).await;
        let first = leaves[7].try_send(Shout(Croak(1))).unwrap();
        let second = leaves[7].try_send(Shout(Croak(2))).unwrap();
        for _ in 0..2 {
            assert!(matches!(soon(hub.next()).await, Frame::Shout(..)));
        }
        drop(hub);
        let (mut hub, hello) = soon(FalseHub::called(&mut listener)).await;
        let resume = hello.resume.unwrap();
        assert_eq!((resume.session, resume.key, resume.attempt), (client.session(), [6; 16], 1));
        hub.welcome(7, true).await;
        let mut seventh = 0;
        for n in 0..OBJECTS {
            // None is answered before all have come.
            let Frame::Join(join) = soon(hub.next()).await else { panic!("no Join came") };
            assert_eq!(join.cursor, Some(Cursor { epoch: EPOCH, seq: Seq(0) }));
            assert_eq!(join.target, Target::Object(ObjectId([n as u8; 16])));
            seventh = if n == 7 { join.request } else { seventh };
        }
        hub.say(&joined(seventh, leaves[7].object(), 2)).await;
        let Frame::Shout(shout, _) = soon(hub.next()).await else { panic!("no Shout came") };
        assert_eq!(shout.op, Op(2));
        for op in 1..=2 {
            let verdict = wire::Verdict::Sequenced { seq: Seq(op), count: 1 };
            hub.say(&wire::Outcome { object: leaves[7].object(), op: Op(op), verdict }).await;
        }
        assert_eq!(soon(first).await.unwrap().seq(), Seq(1));
        assert_eq!(soon(second).await.unwrap().seq(), Seq(2));
    });
}

#[test]
fn each_try_with_a_key_is_counted_and_a_new_key_is_counted_anew() {
    paused(async {
        let (hub, _client, mut listener) = let_in().await;
        drop(hub);
        for attempt in 1..=3 {
            let (hub, hello) = soon(FalseHub::called(&mut listener)).await;
            let resume = hello.resume.unwrap();
            assert_eq!((resume.key, resume.attempt), ([6; 16], attempt));
            drop(hub);
        }
        let (mut hub, _) = soon(FalseHub::called(&mut listener)).await;
        hub.welcome(7, true).await;
        settle().await;
        drop(hub);
        let (_hub, hello) = soon(FalseHub::called(&mut listener)).await;
        let resume = hello.resume.unwrap();
        assert_eq!((resume.key, resume.attempt), ([7; 16], 1));
    });
}

#[test]
fn what_another_connection_would_not_mend_is_not_tried_again() {
    for code in [CloseCode::Superseded, CloseCode::Version, CloseCode::Refused, CloseCode::Window] {
        paused(async move {
            let (hub, client, mut listener) = let_in().await;
            drop(hub);
            let (mut hub, _) = soon(FalseHub::called(&mut listener)).await;
            hub.say(&Goodbye { code, fault: Fault::Receiver, reason: "no".to_owned() }).await;
            assert_eq!(soon(client.closed()).await.code, code);
            let again = FalseHub::called(&mut listener);
            let waited = tokio::time::timeout(std::time::Duration::from_mins(5), again).await;
            assert!(waited.is_err(), "it tries again after {code:?}");
        });
    }
}

#[test]
fn a_request_without_an_answer_is_asked_once_more_under_its_number() {
    paused(async {
        let (mut hub, client, mut listener) = let_in().await;
        let joining = tokio::task::spawn_local(async move { client.join::<TextNewt>("it").await });
        let Frame::Join(before) = soon(hub.next()).await else { panic!("no Join came") };
        drop(hub);
        let (mut hub, _) = soon(FalseHub::called(&mut listener)).await;
        hub.welcome(7, true).await;
        let Frame::Join(again) = soon(hub.next()).await else { panic!("no Join came") };
        assert_eq!(again, before);
        hub.say(&joined(again.request, ObjectId([1; 16]), 1)).await;
        let _leaf = soon(joining).await.unwrap().unwrap();
    });
}

#[test]
fn shouts_that_were_sent_end_unknown_with_the_session_and_those_that_were_not_go_on() {
    paused(async {
        let (mut hub, client, mut listener) = let_in().await;
        let leaves = leaves(&mut hub, &client).await;
        let sent = leaves[0].try_send(Shout(Croak(1))).unwrap();
        assert!(matches!(soon(hub.next()).await, Frame::Shout(..)));
        drop(hub);
        settle().await;
        let waits = leaves[0].try_send(Shout(Croak(2))).unwrap();
        let (mut hub, _) = soon(FalseHub::called(&mut listener)).await;
        hub.welcome(7, false).await;
        let error = soon(sent).await.unwrap_err();
        assert!(matches!(error, actix_multiplex::ShoutError::Unknown(..)), "{error}");
        let Frame::Join(join) = soon(hub.next()).await else { panic!("no Join came") };
        hub.say(&joined(join.request, leaves[0].object(), 1)).await;
        for _ in 1..OBJECTS {
            assert!(matches!(soon(hub.next()).await, Frame::Join(_)));
        }
        let Frame::Shout(shout, payload) = soon(hub.next()).await else { panic!("no Shout came") };
        assert_eq!(shout.op, Op(1));
        assert_eq!(actix_multiplex::decode::<Croak>(&payload).unwrap(), Croak(2));
        let verdict = wire::Verdict::Sequenced { seq: Seq(1), count: 1 };
        hub.say(&wire::Outcome { object: leaves[0].object(), op: Op(1), verdict }).await;
        assert_eq!(soon(waits).await.unwrap().seq(), Seq(1));
    });
}
