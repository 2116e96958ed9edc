//! Sessions that outlive their connections (G2): away, gone on with, fenced, ended.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_multiplex::{
    Cursor, Op, Rights, Visit, Wish,
    limits::{GRACE, LINGER, SESSION_WATCHES_MAX},
    wire::{Goodbye, Hello, Join, Joined, List, Refusal, Resume, Target, Verdict},
};
use tokio::{sync::Semaphore, time::sleep};

use super::{
    raw::{attach, by_name, destroy, hello, join, part, together},
    *,
};

/// Joins kermit from this seq on.
fn from(joined: &Joined, seq: u64) -> Join {
    let cursor = Some(Cursor { seq: Seq(seq), ..joined.start });
    Join { cursor, ..join(9, Target::Object(KERMIT)) }
}

async fn joined(raw: &mut Raw) -> Joined {
    match raw.hear().await {
        Frame::Joined(joined, _) => joined,
        other => panic!("not joined: {other:?}"),
    }
}

/// It has made kermit, and shouted so often.
async fn shouter(pond: &Pond, ops: u64) -> (Raw, Joined) {
    let mut marvin = pond.marvin().await;
    marvin.say(&create(KERMIT, Some("kermit"))).await;
    let joined = joined(&mut marvin).await;
    for op in 1..=ops {
        marvin.say(&shout(KERMIT, op)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [op]);
    }
    (marvin, joined)
}

async fn back(pond: &Pond, resume: Resume) -> Raw {
    let (raw, resumed) = Raw::back(&pond.hub, resume).await;
    assert!(resumed, "is let go on");
    raw
}

#[test]
fn a_session_goes_on_where_it_was_with_its_outcomes_and_what_it_missed() {
    in_pond(async |pond| {
        let mut angus = pond.marvin_with_kermit().await;
        let mut marvin = pond.marvin().await;
        marvin.say(&join(1, by_name("kermit"))).await;
        let first = joined(&mut marvin).await;
        // The second is read by the hub, and its batch by nobody.
        marvin.say(&shout(KERMIT, 1)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        marvin.say(&shout(KERMIT, 2)).await;
        let (resume, session) = (marvin.resume(1), marvin.session);
        drop(marvin);
        settle().await;
        angus.say(&shout(KERMIT, 1)).await;
        sleep(GRACE / 2).await;

        let mut marvin = back(pond, resume).await;
        assert_eq!(marvin.session, session);
        marvin.say(&from(&first, 1)).await;
        let again = joined(&mut marvin).await;
        assert_eq!((again.next_op, again.start.seq, again.last), (Op(3), Seq(1), Seq(3)));
        let told = Verdict::Sequenced { seq: Seq(1), count: 2 };
        assert_eq!(marvin.outcome(KERMIT, 1).await, told);
        for (seq, op) in [(2, 2), (3, 1)] {
            let batch = marvin.batch().await;
            assert_eq!((batch.first_seq, batch_ops(&batch)), (Seq(seq), vec![op]));
        }
        // Sent again all the same, it is heard no more, and told its first outcome.
        marvin.say_bytes(&together(&[&shout(KERMIT, 2), &shout(KERMIT, 3)])).await;
        let told = Verdict::Sequenced { seq: Seq(2), count: 1 };
        let (batch, outcome) = (marvin.batch().await, marvin.outcome(KERMIT, 2).await);
        assert_eq!((batch.first_seq, batch_ops(&batch), outcome), (Seq(4), vec![3], told));
    });
}

#[test]
fn a_key_is_good_until_the_one_that_it_led_to_was_used() {
    in_pond(async |pond| {
        let marvin = pond.marvin().await;
        let first = marvin.resume(1);
        let second = back(pond, first.clone()).await.resume(1);
        // As if that Welcome had been lost.
        let third = back(pond, Resume { attempt: 2, ..first.clone() }).await.resume(1);
        let (_, resumed) = Raw::back(&pond.hub, second).await;
        assert!(!resumed, "another one was given out instead");
        let fourth = back(pond, third.clone()).await.resume(1);
        let (stranger, resumed) = Raw::back(&pond.hub, Resume { attempt: 9, ..first }).await;
        assert!(!resumed && stranger.session != fourth.session);
        back(pond, Resume { attempt: 2, ..third }).await;
    });
}

#[test]
fn a_hello_that_comes_behind_a_later_one_is_superseded_and_changes_nothing() {
    in_pond(async |pond| {
        let marvin = pond.marvin().await;
        let first = marvin.resume(1);
        let mut later = back(pond, Resume { attempt: 2, ..first.clone() }).await;
        for attempt in [0, 1, 2] {
            let mut late = pond.stranger().await;
            let resume = Some(Resume { attempt, ..first.clone() });
            late.say(&Hello { resume, ..hello("marvin") }).await;
            assert_eq!(late.goodbye().await.code, CloseCode::Superseded);
        }
        later.say(&join(1, by_name("amys"))).await;
        later.let_in().await;
    });
}

#[test]
fn a_session_that_was_copied_goes_on_in_one_place_only() {
    in_pond(async |pond| {
        let (mut marvin, first) = shouter(pond, 1).await;
        let mut copy = back(pond, marvin.resume(1)).await;
        let goodbye = marvin.goodbye().await;
        assert_eq!((goodbye.code, goodbye.fault), (CloseCode::Superseded, Fault::Nobody));
        copy.say(&from(&first, 1)).await;
        assert_eq!(joined(&mut copy).await.next_op, Op(2));
        // The copy's next one uses its fresh key: the other has none that is good.
        let copy = back(pond, copy.resume(1)).await;
        let (other, resumed) = Raw::back(&pond.hub, marvin.resume(2)).await;
        assert!(!resumed && other.session != copy.session);
    });
}

#[test]
fn what_comes_over_the_old_connection_behind_the_fence_is_not_heard() {
    in_pond(async |pond| {
        let (mut marvin, first) = shouter(pond, 1).await;
        let mut later = back(pond, marvin.resume(1)).await;
        marvin.say_bytes(&together(&[&shout(KERMIT, 2), &part(3, KERMIT)])).await;
        settle().await;
        later.say(&from(&first, 1)).await;
        assert_eq!(joined(&mut later).await.next_op, Op(2));
        assert!(matches!(later.outcome(KERMIT, 1).await, Verdict::Sequenced { .. }));
        later.say(&shout(KERMIT, 2)).await;
        assert_eq!(batch_ops(&later.batch().await), [2]);
    });
}

#[test]
fn who_does_not_come_back_in_time_has_parted_and_is_a_stranger() {
    in_pond(async |pond| {
        let (marvin, _) = shouter(pond, 1).await;
        let resume = marvin.resume(1);
        drop(marvin);
        sleep(GRACE + LINGER / 2).await;
        let (mut marvin, resumed) = Raw::back(&pond.hub, resume).await;
        assert!(!resumed);
        // Nobody has needed it since the grace time was over.
        assert_eq!(marvin.named().await, [AMYS, KERMIT]);
        sleep(LINGER).await;
        assert_eq!(marvin.named().await, [AMYS]);
    });
}

#[test]
fn an_object_is_kept_for_a_leaf_that_is_away() {
    let grace = 5 * LINGER;
    in_pond_of(Hub::builder().grace(grace), async |pond| {
        let (marvin, first) = shouter(pond, 1).await;
        let resume = marvin.resume(1);
        drop(marvin);
        sleep(4 * LINGER).await;
        let mut marvin = back(pond, resume).await;
        marvin.say(&from(&first, 1)).await;
        assert_eq!(joined(&mut marvin).await.next_op, Op(2));
    });
}

#[test]
fn a_session_ends_with_its_connection_where_it_said_goodbye_or_broke_the_rules_or_has_no_grace() {
    let bye = Goodbye { code: CloseCode::Done, fault: Fault::Nobody, reason: String::new() };
    for (grace, last) in [
        (GRACE, Some(bye.bytes())),
        (GRACE, Some(hello("marvin").bytes())),
        (GRACE, Some(vec![1, 0, 0, 0, 99])),
        (Duration::ZERO, None),
    ] {
        in_pond_of(Hub::builder().grace(grace), async |pond| {
            let mut marvin = pond.marvin().await;
            let resume = marvin.resume(1);
            if let Some(last) = last {
                marvin.say_bytes(&last).await;
            }
            drop(marvin);
            settle().await;
            let (_, resumed) = Raw::back(&pond.hub, resume).await;
            assert!(!resumed);
        });
    }
}

#[test]
fn a_session_outlives_silence() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.hush();
        assert_eq!(marvin.goodbye().await.code, CloseCode::Silent);
        back(pond, marvin.resume(1)).await;
    });
}

#[test]
fn a_request_that_is_sent_again_is_carried_out_once_and_answered_under_its_number() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let (make, list) = (create(KERMIT, Some("kermit")), watch(2));
        marvin.say_bytes(&together(&[&make, &list, &attach(3, Target::Object(KERMIT))])).await;
        let resume = marvin.resume(1);
        drop(marvin);
        settle().await;
        let mut marvin = back(pond, resume).await;
        marvin.say_bytes(&together(&[&make, &list, &attach(3, Target::Object(KERMIT))])).await;
        let mut answers = [marvin.hear().await, marvin.hear().await, marvin.hear().await];
        answers.sort_by_key(|answer| answer.frame_type() as u8);
        match answers {
            [Frame::Joined(joined, _), Frame::Attached(attached), Frame::Listed(listed)] => {
                assert_eq!((joined.request, joined.object, joined.next_op), (1, KERMIT, Op(1)));
                assert_eq!((attached.request, listed.request), (3, 2));
                assert_eq!(listed.entries.len(), 2);
            }
            other => panic!("not answered: {other:?}"),
        }
        marvin.say(&part(4, KERMIT)).await;
        marvin.done(4).await;
        marvin.say(&part(4, KERMIT)).await;
        assert_eq!(marvin.refused(4).await, Refusal::NotJoined);
    });
}

fn watch(request: u32) -> List {
    List { request, prefix: String::new(), watch: true }
}

#[test]
fn watches_end_with_their_connection() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for request in 1..=SESSION_WATCHES_MAX as u32 {
            marvin.say(&watch(request)).await;
            assert_eq!(marvin.hear().await.frame_type(), FrameType::Listed);
        }
        let resume = marvin.resume(1);
        drop(marvin);
        settle().await;
        let mut marvin = back(pond, resume).await;
        // Under other numbers: there is room for all.
        for request in 1..=SESSION_WATCHES_MAX as u32 {
            marvin.say(&watch(100 + request)).await;
            assert_eq!(marvin.hear().await.frame_type(), FrameType::Listed);
        }
    });
}

#[test]
fn what_ended_while_its_leaf_was_away_is_told_when_it_would_join_again() {
    in_pond(async |pond| {
        let (marvin, first) = shouter(pond, 1).await;
        let mut angus = pond.marvin().await;
        angus.say(&join(1, by_name("kermit"))).await;
        angus.let_in().await;
        let resume = marvin.resume(1);
        drop(marvin);
        settle().await;
        angus.say(&destroy(2, KERMIT)).await;
        settle().await;
        let mut marvin = back(pond, resume).await;
        marvin.say(&from(&first, 1)).await;
        assert_eq!(marvin.refused(9).await, Refusal::Gone);
    });
}

/// An admission that decides when it is let: on who comes back, or else on who joins kermit.
fn held_back(
    holds: impl Fn(&Visit) -> bool + Send + Sync + 'static,
) -> (HubBuilder, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let builder = Hub::builder().admission(move |visit: Visit| {
        let gate = held.clone();
        let is_free = !holds(&visit);
        async move {
            if !is_free {
                gate.acquire().await.expect("stays open").forget();
            }
            Ok(Rights::ALL)
        }
    });
    (builder, gate)
}

#[test]
fn what_is_being_decided_for_the_old_connection_counts_for_the_new_one() {
    let (builder, gate) = held_back(|visit| {
        matches!(visit.wish, Wish::Create { .. }) && visit.client.agent == "marvin"
    });
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say_bytes(&together(&[&create(KERMIT, None), &shout(KERMIT, 1)])).await;
        settle().await;
        let mut later = pond.stranger().await;
        later.say(&Hello { resume: Some(marvin.resume(1)), ..hello("marvin") }).await;
        settle().await;
        assert_eq!(marvin.goodbye().await.code, CloseCode::Superseded);
        gate.add_permits(10);
        assert!(matches!(later.hear().await, Frame::Welcome(welcome) if welcome.resumed));
        later.say(&create(KERMIT, None)).await;
        let joined = joined(&mut later).await;
        assert_eq!((joined.object, joined.next_op, joined.last), (KERMIT, Op(2), Seq(1)));
    });
}

#[test]
fn a_connection_that_is_lost_before_its_welcome_does_not_take_the_session_with_it() {
    let is_back = Arc::new(AtomicBool::new(false));
    let holds = is_back.clone();
    let (builder, gate) = held_back(move |_| holds.load(Ordering::Relaxed));
    in_pond_of(builder, async |pond| {
        let (marvin, first) = shouter(pond, 1).await;
        let resume = marvin.resume(1);
        is_back.store(true, Ordering::Relaxed);
        let mut lost = pond.stranger().await;
        lost.say(&Hello { resume: Some(resume.clone()), ..hello("marvin") }).await;
        settle().await;
        drop((lost, marvin));
        gate.add_permits(10);
        settle().await;
        let mut marvin = back(pond, Resume { attempt: 2, ..resume }).await;
        marvin.say(&from(&first, 1)).await;
        assert_eq!(joined(&mut marvin).await.next_op, Op(2));
    });
}

#[test]
fn sessions_that_are_away_hold_up_no_hub_that_stops() {
    in_pond(async |pond| {
        let (marvin, _) = shouter(pond, 1).await;
        drop(marvin);
        settle().await;
    });
}

#[test]
fn a_session_goes_on_on_another_arbiter() {
    actix::System::new().block_on(async {
        let hub = Hub::builder().arbiters(2).start().expect("starts here");
        let local = LocalSet::new();
        let story = async {
            let mut marvin = Raw::welcomed(&hub, "marvin").await;
            marvin.say(&create(KERMIT, None)).await;
            let first = joined(&mut marvin).await;
            // Each connection is on an arbiter of its own choice.
            for op in 1..=20 {
                marvin.say(&shout(KERMIT, op)).await;
                let (mut later, resumed) = Raw::back(&hub, marvin.resume(1)).await;
                assert!(resumed);
                later.say(&from(&first, op - 1)).await;
                let again = joined(&mut later).await;
                if again.next_op == Op(op) {
                    later.say(&shout(KERMIT, op)).await;
                }
                loop {
                    match later.hear().await {
                        Frame::Batch(batch) => break assert_eq!(batch.first_seq, Seq(op)),
                        Frame::Outcome(_) => {}
                        other => panic!("not heard: {other:?}"),
                    }
                }
                marvin = later;
            }
        };
        local.run_until(story).await;
        hub.stop().await;
    });
}
