//! Admissions that refuse, hang or panic, for every wish.

use actix_multiplex::{
    Denied, Kind, Rights, Visit, Wish,
    limits::ADMISSION_TIMEOUT,
    wire::{List, NameObject, Refusal, ShoutFrame, Target, Verdict},
};

use super::{
    raw::{attach, by_name, hello, join, together},
    *,
};

/// What the admission does when it dislikes something.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Refuses,
    Hangs,
    Panics,
    PanicsAtOnce,
}

const MOODS: [Mood; 4] = [Mood::Refuses, Mood::Hangs, Mood::Panics, Mood::PanicsAtOnce];

/// Dislikes these wishes of Marvin's.
fn moody(mood: Mood, disliked: fn(&Wish) -> bool) -> HubBuilder {
    Hub::builder().admission(move |visit: Visit| {
        let likes = visit.client.agent == "amy" || !disliked(&visit.wish);
        assert!(likes || !matches!(mood, Mood::PanicsAtOnce), "a defect of the admission");
        async move {
            match mood {
                _ if likes => Ok(Rights::ALL),
                Mood::Refuses => Err(Denied::because("not you")),
                Mood::Hangs => std::future::pending().await,
                _ => panic!("a defect of the admission"),
            }
        }
    })
}

fn told(mood: Mood, refusal: &Refusal) {
    let panicked = "the hub's admission panicked";
    match (mood, refusal) {
        (Mood::Refuses, Refusal::Denied(why)) => assert_eq!(why, "not you"),
        (Mood::Hangs, Refusal::Late { ms }) => assert_eq!(*ms, 5_000),
        (Mood::Panics | Mood::PanicsAtOnce, Refusal::Denied(why)) => assert_eq!(why, panicked),
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_is_not_admitted_is_told_goodbye() {
    for mood in MOODS {
        in_pond_of(moody(mood, |wish| *wish == Wish::Connect), async |pond| {
            let mut marvin = pond.stranger().await;
            let start = Instant::now();
            marvin.say(&hello("marvin")).await;
            let goodbye = marvin.goodbye().await;
            assert_eq!((goodbye.code, goodbye.fault), (CloseCode::Refused, Fault::Nobody));
            let took = if matches!(mood, Mood::Hangs) { ADMISSION_TIMEOUT } else { Duration::ZERO };
            assert_eq!(start.elapsed(), took);
        });
    }
}

#[test]
fn nothing_may_come_while_the_admission_decides() {
    in_pond_of(moody(Mood::Hangs, |wish| *wish == Wish::Connect), async |pond| {
        for early in [hello("marvin").bytes(), shout(AMYS, 1).bytes(), create(KERMIT, None).bytes()]
        {
            let mut marvin = pond.stranger().await;
            marvin.say(&hello("marvin")).await;
            settle().await;
            marvin.say_bytes(Frame::HEARTBEAT).await;
            settle().await;
            marvin.say_bytes(&early).await;
            at_fault(marvin, CloseCode::Protocol).await;
        }
    });
}

#[test]
fn every_request_is_refused_when_its_wish_is_and_the_session_goes_on() {
    fn all_but_some(wish: &Wish) -> bool {
        match wish {
            Wish::Connect => false,
            Wish::Create { name, .. } => name.is_some(),
            _ => true,
        }
    }
    for mood in MOODS {
        in_pond_of(moody(mood, all_but_some), async |pond| {
            let mut marvin = pond.marvin().await;
            marvin.say(&create(KERMIT, None)).await;
            assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
            let naming = NameObject { request: 4, object: KERMIT, name: name("kermit") };
            let listing = List { request: 5, prefix: String::new(), watch: true };
            let requests = [
                (1, create(ROWLF, Some("rowlf")).bytes()),
                (2, join(2, by_name("amys")).bytes()),
                (3, attach(3, Target::Object(AMYS)).bytes()),
                (4, naming.bytes()),
                (5, listing.bytes()),
            ];
            for (request, bytes) in requests {
                marvin.say_bytes(&bytes).await;
                told(mood, &marvin.refused(request).await);
            }
            // Nothing of it happened, and what it may do it still can.
            marvin.say(&shout(ROWLF, 1)).await;
            assert!(matches!(marvin.outcome(ROWLF, 1).await, Verdict::Refused { .. }));
            marvin.say(&shout(KERMIT, 1)).await;
            assert_eq!(batch_ops(&marvin.batch().await), [1]);
        });
    }
}

#[test]
fn shouts_behind_a_refused_request_are_refused_one_by_one() {
    for mood in MOODS {
        in_pond_of(moody(mood, |wish| matches!(wish, Wish::Create { .. })), async |pond| {
            let mut marvin = pond.marvin().await;
            let create = create(KERMIT, None);
            marvin.say_bytes(&together(&[&create, &shout(KERMIT, 1), &shout(KERMIT, 2)])).await;
            told(mood, &marvin.refused(1).await);
            for op in [1, 2] {
                assert!(matches!(marvin.outcome(KERMIT, op).await, Verdict::Refused { .. }));
            }
        });
    }
}

#[test]
fn rights_are_those_of_the_join_and_what_they_do_not_hold_is_refused() {
    let some = Hub::builder().admission(async |visit: Visit| {
        let is_join = matches!(visit.wish, Wish::Join { .. });
        Ok(if is_join { Rights::only([Kind(2)]) } else { Rights::ALL })
    });
    in_pond_of(some, async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = pond.marvin().await;
        angus.say(&join(1, by_name("kermit"))).await;
        angus.hear().await;
        angus.say(&shout(KERMIT, 1)).await;
        assert!(matches!(angus.outcome(KERMIT, 1).await, Verdict::Refused { .. }));
        angus.say(&ShoutFrame { kind: Kind(2), ..shout(KERMIT, 2) }).await;
        for leaf in [&mut marvin, &mut angus] {
            assert_eq!(batch_ops(&leaf.batch().await), [2]);
        }
    });
}
