//! Links that speak for those who are not below them, and clients that would be links.

use actix_multiplex::{
    Denied, HubId, Kind, Op, Rights, SessionId, Visit, Wish,
    wire::{
        Bar, Barred, Below, Claim, Enroll, Fetch, Granted, ShoutFrame, Target, Via, encode_with,
    },
};

use super::{raw::together, *};

fn claim() -> Claim {
    Claim { number: 7, below: 0, path: vec![HubId([9; 16])] }
}

/// A link that has fetched Amy's object.
async fn link(pond: &Pond) -> Raw {
    let mut link = pond.marvin().await;
    link.say(&claim()).await;
    assert_eq!(link.hear().await, Frame::Granted(Granted { number: 7 }));
    let (sessions, more) = (vec![SessionId([8; 16])], false);
    link.say(&Below { sessions, more }).await;
    let fetch = Fetch { request: 1, target: Target::Object(AMYS), interface: None, cursor: None };
    link.say(&fetch).await;
    assert_eq!(link.hear().await.frame_type(), FrameType::Fetched);
    link
}

fn enroll(session: SessionId) -> Enroll {
    let (answers, name, info) = (Vec::new(), String::new(), Vec::new());
    Enroll { request: 2, object: AMYS, session, leaf: true, answers, name, info }
}

fn shout_of(session: SessionId, op: u64) -> ShoutFrame {
    ShoutFrame {
        object: AMYS,
        op: Op(op),
        kind: Kind(1),
        handled_within_ms: None,
        origin: Some(session),
        carried: Vec::new(),
    }
}

#[test]
fn g11_a_link_that_speaks_for_who_is_not_below_it_is_heard_by_nobody_and_closed() {
    in_pond(async |pond| {
        let amy = pond.amy.session;
        let mut link = link(pond).await;
        // Not enrolled: it goes nowhere, and Amy's own op is still hers.
        link.say_bytes(&encode_with(&shout_of(amy, 1), b"forged")).await;
        link.say_bytes(&encode_with(&shout_of(SessionId([8; 16]), 1), b"forged")).await;
        link.say(&enroll(amy)).await;
        assert_eq!(link.goodbye().await.code, CloseCode::Protocol);
    });
}

#[test]
fn g9_what_only_links_say_is_said_over_links_alone() {
    in_pond(async |pond| {
        for frame in [
            encode_with(&Below { sessions: Vec::new(), more: false }, &[]),
            encode_with(&enroll(SessionId([8; 16])), &[]),
            encode_with(&Via { session: SessionId([8; 16]) }, &[30]),
            encode_with(&shout_of(SessionId([8; 16]), 1), b"forged"),
        ] {
            let mut marvin = pond.marvin().await;
            marvin.say_bytes(&frame).await;
            assert_eq!(marvin.goodbye().await.code, CloseCode::Protocol);
        }
        // A client that has joined something cannot become one.
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&claim()).await;
        assert_eq!(marvin.goodbye().await.code, CloseCode::Protocol);
        // And nobody asks twice at once.
        let mut marvin = pond.marvin().await;
        marvin.say_bytes(&together(&[&claim(), &claim()])).await;
        assert_eq!(marvin.goodbye().await.code, CloseCode::Protocol);
    });
}

#[test]
fn g11_who_may_be_a_link_the_admission_decides() {
    let builder = Hub::builder().admission(|visit: Visit| async move {
        match visit.wish {
            Wish::Link => Err(Denied::because("no hubs here")),
            _ => Ok(Rights::ALL),
        }
    });
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&claim()).await;
        let Frame::Barred(Barred { number: 7, why: Bar::Denied { reason } }) = marvin.hear().await
        else {
            panic!("not barred")
        };
        assert!(reason.contains("no hubs here"), "{reason}");
    });
}
