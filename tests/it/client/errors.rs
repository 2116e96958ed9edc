//! What a client is told when something cannot be: each error as it comes about, that it names
//! what was wanted and what is there, and a twin that goes well.

use std::time::Duration;

use actix_multiplex::{
    Client, Closer, ConnectError, Denied, Gone, Hub, InvalidName, JoinError, ListError, Local,
    NameError, Rights, Shout, ShoutError, Visit, Wish,
    limits::STATE_BYTES_MAX,
    testing::Trouble,
    transport::{Listener, memory},
    wire::{CloseCode, Refusal},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    pond::{
        Count, Croak, Frog, LoudFrog, NewFrog, NewTextFrog, OddTextFrog, TextFrog, TextNewt,
        Weight, client, frog, hub, lost, paused, settle, soon,
    },
    wire::Wire,
};

/// A hub that wants nobody to do what `is_bad` says.
fn strict(is_bad: fn(&Visit) -> bool) -> Hub {
    let admission = move |visit: Visit| async move {
        if is_bad(&visit) { Err(Denied::because("not on Sundays")) } else { Ok(Rights::ALL) }
    };
    Hub::builder().seed(7).admission(admission).start().unwrap()
}

fn denied() -> Refusal {
    Refusal::Denied("not on Sundays".to_owned())
}

#[test]
fn connecting_outside_an_arbiter_is_told_before_anything_is_tried() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (connector, _listener) = memory::channel("pond");
    let refused = runtime.block_on(Client::builder().seed(1).connect(connector)).unwrap_err();
    assert!(matches!(refused, ConnectError::Place(_)), "{refused}");
}

#[test]
fn a_recipient_outside_an_arbiter_is_refused_and_within_one_it_shouts() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let elsewhere = kermit.clone();
        let refused = std::thread::spawn(move || elsewhere.recipient::<Croak>().is_err());
        assert!(refused.join().unwrap());
        let recipient = kermit.recipient::<Croak>().unwrap();
        assert_eq!(soon(recipient.send(Shout(Croak(1)))).await.unwrap().unwrap().seq().0, 1);
        settle().await;
        assert_eq!(log.heard(), [(1, 1)]);
    });
}

#[test]
fn an_address_that_is_none_and_settings_over_their_limit_are_named() {
    paused(async {
        let error = Client::connect("pond:8787").await.unwrap_err();
        assert!(matches!(error, ConnectError::Address(_)), "{error}");
        assert!(error.to_string().contains("pond:8787"), "{error}");
        let hub = hub();
        let error = Client::builder().agent("x".repeat(65)).connect(hub.local()).await.unwrap_err();
        assert_eq!(error.to_string(), "agent of 65 bytes exceed the limit of 64");
        let builder = Client::builder().credentials(vec![0; 4_097]);
        let error = builder.connect(hub.local()).await.unwrap_err();
        assert_eq!(error.to_string(), "credentials of 4097 bytes exceed the limit of 4096");
        let builder = Client::builder().agent("x".repeat(64)).credentials(vec![0; 4_096]);
        builder.connect(hub.local()).await.unwrap();
    });
}

#[test]
fn connecting_to_nobody_names_where_it_was_tried() {
    paused(async {
        let (connector, listener) = memory::channel("pond");
        drop(listener);
        let error = Client::builder().connect(connector).await.unwrap_err();
        assert!(
            matches!(&error, ConnectError::Transport { address, .. } if address == "memory://pond")
        );
        let hub = hub();
        let late = client(hub.local(), 1).await;
        hub.stop().await;
        let error = Client::builder().connect(hub.local()).await.unwrap_err();
        assert!(matches!(error, ConnectError::Transport { .. }), "{error}");
        let why = lost(&mut late.events()).await;
        assert_eq!((why.by, why.code), (Closer::Remote, CloseCode::ShuttingDown));
    });
}

#[test]
fn a_hub_that_never_welcomes_is_hung_up_on_when_the_time_is_over() {
    paused(async {
        let (connector, mut listener) = memory::channel("pond");
        let hub = tokio::task::spawn_local(async move {
            let mut duplex = listener.accept().await.unwrap();
            let beats = tokio::task::spawn_local(async move {
                while duplex.writer.write_all(&[1, 0, 0, 0, 4]).await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            });
            let mut heard = Vec::new();
            duplex.reader.read_to_end(&mut heard).await.unwrap();
            beats.abort();
            heard.len()
        });
        let error = soon(Client::builder().connect(connector)).await.unwrap_err();
        assert!(matches!(&error, ConnectError::TimedOut { address } if address == "memory://pond"));
        assert_eq!(error.to_string(), "no answer from memory://pond within 15 s");
        assert!(soon(hub).await.unwrap() > 0);
    });
}

#[test]
fn a_hub_that_refuses_says_why_and_lets_in_whoever_it_knows() {
    paused(async {
        let hub = strict(|visit| visit.client.credentials != b"frog-1955");
        let error = Client::builder().connect(hub.local()).await.unwrap_err();
        let ConnectError::Closed { address, closed } = error else { panic!("{error}") };
        assert_eq!(address, "memory://local");
        assert_eq!((closed.by, closed.code), (Closer::Remote, CloseCode::Refused));
        assert!(closed.reason.contains("not on Sundays"), "{closed}");
        let builder = Client::builder().credentials(b"frog-1955".to_vec());
        builder.connect(hub.local()).await.unwrap();
    });
}

#[test]
fn a_join_that_cannot_be_names_what_was_wanted_and_what_is_there() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, _) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let error = amy.join::<TextFrog>("kermit").await.unwrap_err();
        assert!(matches!(error, JoinError::NotImplemented { leaf } if leaf.ends_with("TextFrog")));
        let log = TextFrog::at(&amy);
        TextNewt::at(&amy);
        NewTextFrog::at(&amy);
        LoudFrog::at(&amy);
        let error = amy.join::<TextFrog>("").await.unwrap_err();
        assert_eq!(error, JoinError::Name(InvalidName::Empty));
        let error = amy.join::<TextFrog>("robin").await.unwrap_err();
        assert_eq!(error.to_string(), "no object is named `robin`");
        let error = amy.join::<TextNewt>("kermit").await.unwrap_err();
        assert!(matches!(error, JoinError::OtherInterface { .. }));
        assert_eq!(
            error.to_string(),
            "`kermit` is a `pond.frog v1`, and the leaf is for a `pond.newt v1`"
        );
        let error = amy.open::<NewTextFrog>("kermit", Weight(1)).await.unwrap_err();
        assert!(matches!(error, JoinError::OtherVersion { .. }), "{error}");
        assert!(error.to_string().contains("`pond.frog v1`"), "{error}");
        assert!(error.to_string().contains("`pond.frog v2`"), "{error}");
        let error = amy.voice::<NewFrog>("kermit").await.unwrap_err();
        assert!(matches!(error, JoinError::OtherVersion { .. }), "{error}");
        let error = amy.create::<TextFrog>(Some("kermit"), Weight(1)).await.unwrap_err();
        assert_eq!(error, JoinError::NameTaken { name: "kermit".parse().unwrap() });
        assert_eq!(log.all(), []);
        let mine = amy.join::<TextFrog>("kermit").await.unwrap();
        assert_eq!(mine.object(), kermit.object());
        let error = amy.join::<LoudFrog>("kermit").await.unwrap_err();
        assert!(matches!(&error, JoinError::OtherClass { object, wanted, there }
            if *object == kermit.object()
                && wanted.ends_with("LoudFrog")
                && there.ends_with("TextFrog")));
        amy.create::<TextFrog>(Some("robin"), Weight(1)).await.unwrap();
    });
}

#[test]
fn a_state_that_cannot_be_written_or_read_is_the_callers_error_and_nobody_elses() {
    paused(async {
        let hub = hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let odd = OddTextFrog::at(&amy);
        let error = amy.join::<OddTextFrog>("kermit").await.unwrap_err();
        assert!(matches!(error, JoinError::State(_)), "{error}");
        // It has parted: it can be a leaf of it in another class, and the object goes on.
        let fine = TextFrog::at(&amy);
        let _leaf = amy.join::<TextFrog>("kermit").await.unwrap();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        assert_eq!((odd.all(), fine.heard(), log.heard()), (vec![], vec![(1, 1)], vec![(1, 1)]));
        let error =
            amy.create::<OddTextFrog>(Some("odd"), "x".repeat(STATE_BYTES_MAX)).await.unwrap_err();
        assert!(matches!(error, JoinError::Encode(_)), "{error}");
        amy.create::<OddTextFrog>(Some("odd"), "x".repeat(STATE_BYTES_MAX - 40)).await.unwrap();
    });
}

#[test]
fn what_the_admission_denies_is_refused_with_its_reason() {
    paused(async {
        let hub = strict(|visit| match &visit.wish {
            Wish::Create { name, .. } => name.as_ref().is_some_and(|name| name.as_str() == "toad"),
            Wish::Join { name, .. } | Wish::Attach { name, .. } => {
                name.as_ref().is_some_and(|name| name.as_str() == "closed")
            }
            Wish::Name { name, .. } => name.as_str() == "toad",
            Wish::List { prefix } => prefix == "secret.",
            _ => false,
        });
        let (alec, kermit, log) = frog(&hub, 1).await;
        let error = alec.create::<TextFrog>(Some("toad"), Weight(0)).await.unwrap_err();
        assert_eq!(error, JoinError::Refused(denied()));
        let _closed = alec.create::<TextFrog>(Some("closed"), Weight(0)).await.unwrap();
        let amy = client(hub.local(), 2).await;
        TextFrog::at(&amy);
        let error = amy.join::<TextFrog>("closed").await.unwrap_err();
        assert_eq!(error, JoinError::Refused(denied()));
        let error = amy.open::<TextFrog>("closed", Weight(0)).await.unwrap_err();
        assert_eq!(error, JoinError::Refused(denied()));
        let error = amy.voice::<Frog>("closed").await.unwrap_err();
        assert_eq!(error, JoinError::Refused(denied()));
        let error = kermit.name("toad").await.unwrap_err();
        assert_eq!(error, NameError::Refused(denied()));
        assert_eq!(alec.list("secret.").await, Err(ListError::Refused(denied())));
        let error = alec.watch("secret.").await.unwrap_err();
        assert_eq!(error, ListError::Refused(denied()));
        assert_eq!(alec.list("k").await.unwrap().len(), 1);
        amy.join::<TextFrog>("kermit").await.unwrap();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        assert_eq!(log.heard(), [(1, 1)]);
    });
}

#[test]
fn a_name_is_refused_if_it_is_none_or_taken_or_the_second() {
    paused(async {
        let hub = hub();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let robin = alec.create::<TextFrog>(None, Weight(0)).await.unwrap();
        assert_eq!(
            robin.name("\n").await,
            Err("\n".parse::<actix_multiplex::Name>().unwrap_err().into())
        );
        let taken = NameError::Taken { name: "kermit".parse().unwrap() };
        assert_eq!(robin.name("kermit").await, Err(taken));
        assert_eq!(robin.name("robin").await, Ok(()));
        let has = NameError::HasName { there: "robin".parse().unwrap() };
        assert_eq!(robin.name("rob").await, Err(has));
        let long = "x".repeat(129);
        assert_eq!(alec.list(&long).await, Err(ListError::TooLong { bytes: 129 }));
        assert_eq!(alec.list(&long[1..]).await, Ok(vec![]));
        drop(kermit);
    });
}

#[test]
fn everything_says_that_the_connection_is_no_more_once_it_is_not() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let alec = client(wire.clone(), 1).await;
        TextFrog::at(&alec);
        let kermit = alec.open::<TextFrog>("kermit", Weight(0)).await.unwrap();
        let voice = alec.voice::<Frog>("kermit").await.unwrap();
        wire.up.hold();
        let under_way = kermit.try_send(Shout(Croak(1))).unwrap();
        soon(alec.close()).await;
        let closed = soon(alec.closed()).await;
        assert_eq!((closed.by, closed.code), (Closer::Local, CloseCode::Done));
        let gone = Gone::Closed(closed.clone());
        assert_eq!((kermit.gone(), voice.gone()), (Some(gone.clone()), Some(gone.clone())));
        let error = soon(under_way).await.unwrap_err();
        assert!(matches!(error, ShoutError::Unknown((), why) if why == gone));
        let error = soon(voice.send(Shout(Croak(2)))).await.unwrap_err();
        assert!(matches!(error, ShoutError::Gone(Croak(2), why) if why == gone));
        let error = soon(alec.join::<TextFrog>("kermit")).await.unwrap_err();
        assert_eq!(error, JoinError::Closed(closed.clone()));
        let error = soon(alec.create::<TextFrog>(None, Weight(0))).await.unwrap_err();
        assert_eq!(error, JoinError::Closed(closed.clone()));
        let error = soon(alec.voice::<Frog>("kermit")).await.unwrap_err();
        assert_eq!(error, JoinError::Closed(closed.clone()));
        assert_eq!(soon(kermit.name("k")).await, Err(NameError::Closed(closed.clone())));
        assert_eq!(soon(alec.list("")).await, Err(ListError::Closed(closed.clone())));
        // Locally it goes on.
        assert_eq!(soon(kermit.send(Local(Count))).await, Ok(0));
    });
}

#[test]
fn g8_an_object_that_has_ended_is_gone_with_its_reason_and_stays_so() {
    paused(async {
        let hub = hub();
        let (alec, kermit, log) = frog(&hub, 1).await;
        let voice = alec.voice::<Frog>("kermit").await.unwrap();
        let robin = alec.open::<TextFrog>("robin", Weight(0)).await.unwrap();
        for _ in 0..6 {
            hub.sabotage(kermit.object(), Trouble::Handler).await;
        }
        settle().await;
        assert!(matches!(kermit.gone(), Some(Gone::Ended(_))), "{:?}", kermit.gone());
        let error = soon(voice.send(Shout(Croak(1)))).await.unwrap_err();
        assert!(matches!(&error, ShoutError::Gone(Croak(1), Gone::Ended(_))), "{error}");
        assert!(error.to_string().contains("sabotaged in a handler"), "{error}");
        assert_eq!(soon(kermit.send(Local(Count))).await, Err(Gone::Parted));
        let error = soon(alec.join::<TextFrog>("kermit")).await.unwrap_err();
        assert!(matches!(error, JoinError::Refused(Refusal::Failed(_))), "{error}");
        let error = soon(alec.open::<TextFrog>("kermit", Weight(0))).await.unwrap_err();
        assert!(matches!(error, JoinError::Refused(Refusal::Failed(_))), "{error}");
        log.clear();
        soon(robin.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        assert_eq!(log.heard(), [(1, 1)]);
    });
}
