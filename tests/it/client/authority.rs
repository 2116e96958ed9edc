//! Authorities: what they refuse is refused to its shouter alone, and nothing else notices.

use std::sync::{Arc, Mutex};

use actix_multiplex::{
    Authority, Client, Denied, Handle, Hub, InterfaceId, Judged, Name, ObjectId, Rights, Shout,
    ShoutError, Visit, testing::Trouble,
};

use super::pond::{
    Bulk, Croak, Frog, Log, Newt, TextFrog, TextNewt, Weight, client, frog, newt, paused, settle,
    soon,
};

/// The croaks that an authority has judged.
type Bench = Arc<Mutex<Vec<u32>>>;

/// At this croak it panics.
const POISON: u32 = 13;

/// Notes each croak. Denies the loud ones, from 100 on.
fn judge(bench: &Bench) -> Box<dyn Authority> {
    let bench = bench.clone();
    Box::new(move |shout: &Judged<'_>| {
        let Some(Croak(n)) = shout.read::<Frog, Croak>()? else { return Ok(()) };
        bench.lock().unwrap().push(n);
        assert_ne!(n, POISON, "the authority is told to");
        if n < 100 { Ok(()) } else { Err(Denied::because(format_args!("{n} is too loud"))) }
    })
}

/// A hub in which all is judged.
fn judged() -> (Hub, Bench) {
    let bench = Bench::default();
    let made = bench.clone();
    let builder = Hub::builder().seed(7).authority(move |_, _| Some(judge(&made)));
    (builder.start().unwrap(), bench)
}

fn why<M>(error: ShoutError<M>) -> String {
    match error {
        ShoutError::Refused(_, why) => why,
        _ => panic!("is not refused, but another error"),
    }
}

/// The object can be shouted at, and is heard by all of these.
async fn goes_on(kermit: &Handle<TextFrog>, logs: &[&Log], numbers: &[u32]) {
    soon(kermit.send(Shout(Croak(99)))).await.unwrap();
    settle().await;
    for log in logs {
        assert_eq!(log.numbers(), [numbers, &[99]].concat());
    }
}

#[test]
fn what_an_authority_denies_comes_back_with_its_reason_and_those_around_it_are_heard_in_order() {
    paused(async {
        let (hub, bench) = judged();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let amy = client(hub.local(), 2).await;
        let voice = amy.voice::<Frog>("kermit").await.unwrap();
        for voice in [kermit.voice(), voice] {
            bench.lock().unwrap().clear();
            let ours = [1, 100, 2, 101, 3].map(|n| voice.try_send(Shout(Croak(n))).unwrap());
            let mut outcomes = Vec::new();
            for receipted in ours {
                outcomes.push(soon(receipted).await.map(|receipt| receipt.seq().0).map_err(why));
            }
            let refused = |n: u32| Err(format!("{n} is too loud"));
            let first = outcomes[0].clone().unwrap();
            let heard = |seq: u64| Ok(first + seq);
            assert_eq!(outcomes, [Ok(first), refused(100), heard(1), refused(101), heard(2)]);
            assert_eq!(*bench.lock().unwrap(), [1, 100, 2, 101, 3]);
        }
        goes_on(&kermit, &[&log], &[1, 2, 3, 1, 2, 3]).await;
    });
}

#[test]
fn a_reason_is_cut_at_1_kib_between_characters() {
    paused(async {
        let (hub, _) = judged();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let verbose = |_: &Judged<'_>| Err(Denied::because("\u{20ac}".repeat(1_000)));
        assert!(hub.set_authority(kermit.object(), verbose).await);
        let error = soon(kermit.send(Shout(Croak(1)))).await.unwrap_err();
        assert_eq!(why(error), "\u{20ac}".repeat(341));
        assert!(hub.set_authority(kermit.object(), |_: &Judged<'_>| Ok(())).await);
        goes_on(&kermit, &[&log], &[]).await;
    });
}

#[test]
fn g8_an_authority_that_panics_refuses_the_shout_in_hand_and_is_asked_again() {
    paused(async {
        let (hub, bench) = judged();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let (_amy, hers, amys) = frog(&hub, 2).await;
        // Far more often than a repeater is restarted.
        for _ in 0..20 {
            let poison = hers.try_send(Shout(Croak(POISON))).unwrap();
            let error = why(soon(poison).await.unwrap_err());
            assert_eq!(error, "the object's authority panicked");
        }
        let around = [1, POISON, 2].map(|n| kermit.try_send(Shout(Croak(n))).unwrap());
        let mut seqs = Vec::new();
        for receipted in around {
            seqs.push(soon(receipted).await.ok().map(|receipt| receipt.seq().0));
        }
        assert_eq!(seqs, [Some(1), None, Some(2)]);
        assert_eq!(bench.lock().unwrap().len(), 23);
        goes_on(&kermit, &[&log, &amys], &[1, 2]).await;
    });
}

#[test]
fn an_authority_is_chosen_by_interface_and_name_when_an_object_is_made() {
    paused(async {
        let bench = Bench::default();
        let made = bench.clone();
        let choose = move |interface: &InterfaceId, name: Option<&Name>| {
            let is_chosen = name.is_none_or(|name| name.as_str() == "kermit");
            (interface.tag.as_str() == "pond.frog" && is_chosen).then(|| judge(&made))
        };
        let hub = Hub::builder().seed(7).authority(choose).start().unwrap();
        let (alec, kermit, _) = frog(&hub, 1).await;
        let robin = alec.open::<TextFrog>("robin", Weight(0)).await.unwrap();
        let nameless = alec.create::<TextFrog>(None, Weight(0)).await.unwrap();
        let (_amy, tritone, _) = newt(&hub, 2).await;
        soon(nameless.send(Shout(Croak(1)))).await.unwrap();
        soon(kermit.send(Shout(Croak(2)))).await.unwrap();
        soon(robin.send(Shout(Croak(100)))).await.unwrap();
        soon(tritone.send(Shout(Croak(100)))).await.unwrap();
        assert_eq!(*bench.lock().unwrap(), [1, 2]);
        // Another name later does not change it.
        nameless.name("gonzo").await.unwrap();
        why(soon(nameless.send(Shout(Croak(100)))).await.unwrap_err());
    });
}

#[test]
fn an_authority_can_be_set_while_an_object_lives_and_takes_the_place_of_the_one_before() {
    paused(async {
        let hub = super::pond::hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        soon(kermit.send(Shout(Croak(100)))).await.unwrap();
        for why_not in ["it is noon", "it is night"] {
            let no = move |_: &Judged<'_>| Err(Denied::because(why_not));
            assert!(hub.set_authority(kermit.object(), no).await);
            assert_eq!(why(soon(kermit.send(Shout(Croak(1)))).await.unwrap_err()), why_not);
        }
        assert!(hub.set_authority(kermit.object(), |_: &Judged<'_>| Ok(())).await);
        goes_on(&kermit, &[&log], &[100]).await;
        assert!(!hub.set_authority(ObjectId([9; 16]), |_: &Judged<'_>| Ok(())).await);
    });
}

/// An authority whose destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("the destructor is told to");
    }
}

impl Authority for Bomb {
    fn judge(&mut self, _: &Judged<'_>) -> Result<(), Denied> {
        Err(Denied::because("a bomb"))
    }
}

#[test]
fn an_authority_that_panics_as_it_is_dropped_hurts_nobody() {
    paused(async {
        let hub = Hub::builder().seed(7).authority(|_, _| Some(Box::new(Bomb))).start().unwrap();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let (amy, hers, amys) = frog(&hub, 2).await;
        for _ in 0..20 {
            // Another one is made in vain, and another one takes its place.
            drop(soon(amy.open::<TextFrog>("kermit", Weight(0))).await.unwrap());
            assert_eq!(why(soon(hers.send(Shout(Croak(1)))).await.unwrap_err()), "a bomb");
            assert!(hub.set_authority(kermit.object(), Bomb).await);
        }
        assert!(hub.set_authority(kermit.object(), |_: &Judged<'_>| Ok(())).await);
        goes_on(&kermit, &[&log, &amys], &[]).await;
    });
}

#[test]
fn a_choice_that_panics_refuses_the_object_and_no_other() {
    paused(async {
        let choose = |interface: &InterfaceId, _: Option<&Name>| {
            assert_ne!(interface.tag.as_str(), "pond.frog", "the choice is told to");
            None
        };
        let hub = Hub::builder().seed(7).authority(choose).start().unwrap();
        let alec = client(hub.local(), 1).await;
        let (_log, _other) = (TextFrog::at(&alec), TextNewt::at(&alec));
        let error = soon(alec.open::<TextFrog>("kermit", Weight(0))).await.unwrap_err();
        assert!(error.to_string().contains("choice of an authority panicked"), "{error}");
        let tritone = soon(alec.open::<TextNewt>("tritone", ())).await.unwrap();
        soon(tritone.send(Shout(Croak(1)))).await.unwrap();
    });
}

#[test]
fn g8_an_authority_lives_on_when_the_repeater_is_made_anew() {
    paused(async {
        let hub = super::pond::hub();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let mut count = 0;
        let every_third = move |_: &Judged<'_>| {
            count += 1;
            if count % 3 == 0 { Err(Denied::because(count)) } else { Ok(()) }
        };
        assert!(hub.set_authority(kermit.object(), every_third).await);
        let mut outcomes = Vec::new();
        for n in 1..=9 {
            if n % 2 == 0 {
                hub.sabotage(kermit.object(), Trouble::Handler).await;
            }
            let outcome = soon(kermit.send(Shout(Croak(n)))).await;
            outcomes.push(outcome.map(|receipt| receipt.seq().0).map_err(why));
        }
        let refused = |n: u32| Err(n.to_string());
        let heard = [1, 2, 3, 4, 5, 6].map(Ok);
        let [first, second, third, fourth, fifth, sixth] = heard;
        let expected = [first, second, refused(3), third, fourth, refused(6), fifth, sixth];
        assert_eq!(outcomes, [&expected[..], &[refused(9)]].concat());
        // The tenth and eleventh are heard.
        soon(kermit.send(Shout(Croak(98)))).await.unwrap();
        goes_on(&kermit, &[&log], &[1, 2, 4, 5, 7, 8, 98]).await;
    });
}

#[test]
fn what_a_session_has_no_right_to_is_not_judged() {
    paused(async {
        let bench = Bench::default();
        let made = bench.clone();
        let admission = |visit: Visit| async move {
            let is_guest = visit.client.agent == "guest";
            Ok::<_, Denied>(if is_guest { Rights::NONE } else { Rights::ALL })
        };
        let builder = Hub::builder().seed(7).admission(admission);
        let hub = builder.authority(move |_, _| Some(judge(&made))).start().unwrap();
        let (_alec, kermit, log) = frog(&hub, 1).await;
        let guest = Client::builder().seed(2).agent("guest").connect(hub.local()).await.unwrap();
        let voice = guest.voice::<Frog>("kermit").await.unwrap();
        let error = why(soon(voice.send(Shout(Croak(1)))).await.unwrap_err());
        assert!(error.contains("no right"), "{error}");
        assert_eq!(*bench.lock().unwrap(), [0; 0]);
        goes_on(&kermit, &[&log], &[]).await;
    });
}

#[test]
fn what_is_no_such_message_is_denied_by_who_reads_it() {
    paused(async {
        let hub = super::pond::hub();
        let (_alec, tritone, _) = newt(&hub, 1).await;
        // It takes a Bulk for a Croak: a number, and then what is left over.
        let mistaken = |shout: &Judged<'_>| {
            assert!(shout.is::<Newt, Bulk>());
            actix_multiplex::decode::<Croak>(shout.payload()).map(drop).map_err(Denied::because)
        };
        assert!(hub.set_authority(tritone.object(), mistaken).await);
        let bulk = Bulk { n: 1, bytes: vec![7; 9] };
        let error = why(soon(tritone.send(Shout(bulk))).await.unwrap_err());
        assert!(error.contains("left over"), "{error}");
    });
}

#[test]
fn g9_a_window_of_shouts_that_are_all_refused_at_length_closes_no_connection() {
    paused(async {
        let hub = super::pond::hub();
        let (alec, kermit, log) = frog(&hub, 1).await;
        let verbose = |_: &Judged<'_>| Err(Denied::because("x".repeat(1_024)));
        assert!(hub.set_authority(kermit.object(), verbose).await);
        let session = alec.session();
        let shouts = (0..4_096).map(|n| kermit.try_send(Shout(Croak(n))).unwrap());
        let shouts: Vec<_> = shouts.collect();
        let (mut whole, mut short) = (0, 0);
        for shout in shouts {
            match why(soon(shout).await.unwrap_err()).len() {
                1_024 => whole += 1,
                64 => short += 1,
                other => panic!("a reason of {other} bytes"),
            }
        }
        assert!(whole >= 500 && short > 0, "{whole} reasons were whole, {short} were cut short");
        assert_eq!(alec.session(), session);
        assert_eq!(kermit.gone(), None);
        assert!(hub.set_authority(kermit.object(), |_: &Judged<'_>| Ok(())).await);
        goes_on(&kermit, &[&log], &[]).await;
    });
}
