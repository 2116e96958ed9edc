//! What comes while something is being decided, and whose turn it is then.

use std::sync::{Arc, Mutex};

use actix_multiplex::{
    Rights, Visit, Wish,
    limits::INWARD_BYTES_MAX,
    wire::{List, NameObject, Refusal, Target, Unwatch, Verdict},
};
use tokio::sync::Semaphore;

use super::{
    raw::{attach, by_name, join, part, together, with_payload},
    *,
};

/// An admission that decides on Marvin's wishes when it is let.
fn held_back() -> (HubBuilder, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let holds = gate.clone();
    let builder = Hub::builder().admission(move |visit: Visit| {
        let gate = holds.clone();
        let free = visit.client.agent == "amy" || visit.wish == Wish::Connect;
        async move {
            if !free {
                gate.acquire().await.expect("stays open").forget();
            }
            Ok(Rights::ALL)
        }
    });
    (builder, gate)
}

#[test]
fn requests_and_shouts_in_one_write_are_answered_in_their_order() {
    let naming = NameObject { request: 2, object: KERMIT, name: name("kermit") };
    let (builder, gate) = held_back();
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin().await;
        let frames = [
            create(KERMIT, None).bytes(),
            shout(KERMIT, 1).bytes(),
            naming.bytes(),
            shout(KERMIT, 2).bytes(),
            part(3, KERMIT).bytes(),
            shout(KERMIT, 3).bytes(),
        ];
        marvin.say_bytes(&frames.concat()).await;
        settle().await;
        gate.add_permits(10);
        // What the session says no to by itself does not wait for the object.
        assert!(matches!(marvin.outcome(KERMIT, 3).await, Verdict::Refused { .. }));
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(batch_ops(&marvin.batch().await), [1, 2]);
        marvin.done(3).await;
        marvin.done(2).await;
    });
}

#[test]
fn wishes_about_one_object_wait_for_each_other_and_others_do_not() {
    let (builder, gate) = held_back();
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin().await;
        let wait = [
            create(KERMIT, Some("kermit")).bytes(),
            part(2, KERMIT).bytes(),
            join(3, Target::Object(KERMIT)).bytes(),
            shout(KERMIT, 1).bytes(),
            attach(4, Target::Object(KERMIT)).bytes(),
            part(5, KERMIT).bytes(),
            shout(KERMIT, 2).bytes(),
        ];
        marvin.say_bytes(&wait.concat()).await;
        marvin.say(&part(6, ROWLF)).await;
        assert_eq!(marvin.refused(6).await, Refusal::NotJoined);
        gate.add_permits(10);
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        marvin.done(2).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        match marvin.hear().await {
            Frame::Attached(attached) => assert_eq!(attached.next_op.0, 2),
            other => panic!("not attached: {other:?}"),
        }
        let earlier = Verdict::Sequenced { seq: Seq(1), count: 1 };
        assert_eq!(marvin.outcome(KERMIT, 1).await, earlier);
        marvin.done(5).await;
        // It hears nothing any more, but is attached.
        let receipt = Verdict::Sequenced { seq: Seq(2), count: 1 };
        assert_eq!(marvin.outcome(KERMIT, 2).await, receipt);
    });
}

#[test]
fn a_session_that_ends_while_a_request_is_decided_leaves_nothing_behind() {
    let (builder, gate) = held_back();
    in_pond_of(builder.grace(Duration::ZERO), async |pond| {
        let mut marvin = pond.marvin().await;
        let create = create(KERMIT, Some("kermit"));
        marvin.say_bytes(&together(&[&create, &shout(KERMIT, 1)])).await;
        settle().await;
        drop(marvin);
        settle().await;
        gate.add_permits(10);
        let mut angus = pond.marvin().await;
        angus.say(&join(1, by_name("kermit"))).await;
        assert_eq!(angus.refused(1).await, Refusal::Unknown);
    });
}

#[test]
fn what_waits_for_a_decision_is_bounded_by_no_longer_reading() {
    let (builder, gate) = held_back();
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&create(KERMIT, None)).await;
        let sent = Arc::new(Mutex::new(0));
        let payload = vec![0; 10_000];
        let sending = async {
            for op in 1..=100 {
                marvin.say_bytes(&with_payload(&shout(KERMIT, op), &payload)).await;
                *sent.lock().expect("no panic") = op as usize * payload.len();
            }
        };
        let stuck = tokio::time::timeout(Duration::from_secs(3), sending).await;
        assert!(stuck.is_err(), "the hub reads on and on");
        // The bound, one read, and what the pipe holds.
        let sent = *sent.lock().expect("no panic");
        assert!((INWARD_BYTES_MAX..INWARD_BYTES_MAX + 2 * 65_536).contains(&sent), "{sent}");
        gate.add_permits(10);
        settle().await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
    });
}

#[test]
fn an_unwatch_that_follows_its_list_at_once_ends_the_watch() {
    let (builder, gate) = held_back();
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin().await;
        let list = List { request: 1, prefix: String::new(), watch: true };
        let unwatch = Unwatch { request: 2, list: 1 };
        marvin.say_bytes(&together(&[&list, &unwatch])).await;
        settle().await;
        gate.add_permits(10);
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Listed);
        marvin.done(2).await;
        pond.amy.say(&create(KERMIT, Some("kermit"))).await;
        assert_eq!(pond.amy.hear().await.frame_type(), FrameType::Joined);
        marvin.say(&part(3, KERMIT)).await;
        assert_eq!(marvin.refused(3).await, Refusal::NotJoined);
    });
}
