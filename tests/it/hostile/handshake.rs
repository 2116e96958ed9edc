//! The first words of a connection, and what is no frame at all.

use actix_multiplex::{
    Epoch, HubId, Seq, SessionId,
    limits::{FRAME_BYTES_MAX, GRACE, HANDSHAKE_TIMEOUT},
    wire::{
        BatchBuilder, Extra, Goodbye, Hello, Joined, Limits, Members, Resume, StateIs, Welcome,
    },
};

use super::{
    raw::{by_name, hello, join, together, with_payload},
    *,
};

#[test]
fn a_hello_is_welcomed_also_with_what_only_later_versions_know() {
    in_pond(async |pond| {
        let mut marvin = pond.stranger().await;
        let resume = Some(Resume { session: SessionId([9; 16]), key: [9; 16], attempt: 1 });
        let extras = vec![Extra { number: 99, value: vec![1; 1_024] }; 16];
        let version_max = 7;
        marvin.say(&Hello { version_max, resume, extras, ..hello("marvin") }).await;
        match marvin.hear().await {
            Frame::Welcome(welcome) => {
                assert_eq!((welcome.version, welcome.hub), (1, pond.hub.id()));
                assert!(!welcome.resumed && welcome.session != SessionId([9; 16]));
                let grace_ms = GRACE.as_millis() as u32;
                assert_eq!(welcome.limits, Limits { grace_ms, ..Limits::default() });
            }
            other => panic!("not welcome: {other:?}"),
        }
    });
}

#[test]
fn a_hello_that_is_none_of_ours_is_refused() {
    let bad_magic = Hello { magic: *b"HTTP", ..hello("marvin") };
    let too_new = Hello { version_min: 2, version_max: 9, ..hello("marvin") };
    let no_range = Hello { version_min: 1, version_max: 0, ..hello("marvin") };
    for (hello, code, fault) in [
        (bad_magic, CloseCode::BadFrame, Fault::Receiver),
        (too_new, CloseCode::Version, Fault::Nobody),
        (no_range, CloseCode::Version, Fault::Nobody),
    ] {
        in_pond(async |pond| {
            let mut marvin = pond.stranger().await;
            marvin.say(&hello).await;
            let goodbye = marvin.goodbye().await;
            assert_eq!((goodbye.code, goodbye.fault), (code, fault));
        });
    }
}

#[test]
fn a_second_hello_is_refused_wherever_it_comes() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&hello("marvin")).await;
        at_fault(marvin, CloseCode::Protocol).await;

        let mut marvin = pond.stranger().await;
        marvin.say_bytes(&together(&[&hello("marvin"), &hello("marvin")])).await;
        at_fault(marvin, CloseCode::Protocol).await;
    });
}

#[test]
fn nothing_but_signs_of_life_may_come_before_the_hello() {
    in_pond(async |pond| {
        for early in [shout(AMYS, 1).bytes(), join(1, by_name("amys")).bytes()] {
            let mut marvin = pond.stranger().await;
            marvin.say_bytes(&early).await;
            at_fault(marvin, CloseCode::Protocol).await;
        }
        let mut marvin = pond.stranger().await;
        marvin.say_bytes(Frame::HEARTBEAT).await;
        marvin.say(&hello("marvin")).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Welcome);
    });
}

#[test]
fn no_hello_in_time_ends_the_connection_and_a_part_of_one_does_too() {
    in_pond(async |pond| {
        for sent in [0, 1, 4, 9] {
            let mut marvin = pond.stranger().await;
            marvin.say_bytes(&hello("marvin").bytes()[..sent]).await;
            let start = Instant::now();
            at_fault(marvin, CloseCode::HandshakeTimeout).await;
            assert_eq!(start.elapsed(), HANDSHAKE_TIMEOUT);
        }
        let mut marvin = pond.stranger().await;
        tokio::time::sleep(Duration::from_millis(4_999)).await;
        marvin.say(&hello("marvin")).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Welcome);
    });
}

#[test]
fn bytes_that_are_no_frame_end_the_connection() {
    let unknown_type = vec![1, 0, 0, 0, 99];
    let no_length = vec![0, 0, 0, 0];
    let too_long = (FRAME_BYTES_MAX as u32 + 1).to_le_bytes().to_vec();
    let far_too_long = vec![0xff; 64];
    let cut_short = vec![3, 0, 0, 0, 17, 0, 0];
    let left_over = vec![2, 0, 0, 0, 4, 0];
    let too_many_carried = {
        let mut shout = shout(KERMIT, 1);
        let tag = interface().tag;
        shout.carried = vec![actix_multiplex::Carried { object: ROWLF, tag, seq: Seq(0) }; 65];
        shout.bytes()
    };
    let cases =
        [unknown_type, no_length, too_long, far_too_long, cut_short, left_over, too_many_carried];
    in_pond(async |pond| {
        for bytes in &cases {
            for mut marvin in [pond.marvin().await, pond.stranger().await] {
                marvin.say_bytes(bytes).await;
                at_fault(marvin, CloseCode::BadFrame).await;
            }
            pond.amy_goes_on().await;
        }
    });
}

#[test]
fn what_only_hubs_say_may_not_come_from_a_client() {
    let epoch = Epoch([1; 8]);
    let mut batch = BatchBuilder::new(AMYS, epoch, Seq(1));
    batch.push(SessionId([1; 16]), actix_multiplex::Op(1), actix_multiplex::Kind(1), &[], b"");
    let joined = Joined {
        request: 1,
        object: AMYS,
        name: None,
        start: actix_multiplex::Cursor { epoch, seq: Seq(0) },
        last: Seq(0),
        state: StateIs::Payload,
        resync: None,
        next_op: actix_multiplex::Op(1),
        owner: None,
        stale: false,
        carried: Vec::new(),
    };
    let welcome = Welcome {
        version: 1,
        hub: HubId([1; 16]),
        session: SessionId([1; 16]),
        key: [1; 16],
        resumed: false,
        limits: Limits::default(),
        extras: Vec::new(),
    };
    let members = Members {
        object: AMYS,
        version: 1,
        after: Seq(0),
        count: 0,
        listed: true,
        members: Vec::new(),
        last: true,
    };
    let cases =
        [batch.seal(0).to_vec(), with_payload(&joined, b"state"), welcome.bytes(), members.bytes()];
    in_pond(async |pond| {
        for bytes in &cases {
            let mut marvin = pond.marvin().await;
            marvin.say_bytes(bytes).await;
            at_fault(marvin, CloseCode::Protocol).await;
        }
    });
}

#[test]
fn a_goodbye_ends_the_connection_without_an_answer() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let (code, fault, reason) = (CloseCode::Done, Fault::Nobody, String::new());
        // What came before it still counts; what comes after does not.
        let bye = Goodbye { code, fault, reason };
        marvin.say_bytes(&together(&[&shout(KERMIT, 1), &bye, &shout(KERMIT, 2)])).await;
        marvin.ended().await;
        let mut angus = pond.marvin().await;
        angus.say(&join(1, by_name("kermit"))).await;
        match angus.hear().await {
            Frame::Joined(joined, _) => assert_eq!(joined.last, Seq(1)),
            other => panic!("not joined: {other:?}"),
        }
    });
}
