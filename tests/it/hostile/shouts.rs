//! Shouts that may not be, or not there, or not again.

use actix_multiplex::{
    Carried, Kind, Op, Rights, SessionId, Visit,
    limits::{KIND_MAX, SHOUT_BYTES_MAX, WINDOW_SHOUTS},
    wire::{Detach, ShoutFrame, Verdict},
};

use super::{
    raw::{attach, by_name, join, part, together, with_payload},
    *,
};

fn refused(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused { .. })
}

#[test]
fn a_shout_at_what_is_neither_joined_nor_attached_is_refused() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for object in [AMYS, KERMIT] {
            marvin.say(&shout(object, 1)).await;
            assert!(refused(&marvin.outcome(object, 1).await));
        }
        // Nor is it afterwards.
        marvin.say(&join(2, by_name("amys"))).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        marvin.say(&part(3, AMYS)).await;
        marvin.done(3).await;
        marvin.say(&shout(AMYS, 1)).await;
        assert!(refused(&marvin.outcome(AMYS, 1).await));
        marvin.say(&attach(4, by_name("amys"))).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Attached);
        marvin.say(&Detach { request: 5, object: AMYS }).await;
        marvin.done(5).await;
        marvin.say(&shout(AMYS, 1)).await;
        assert!(refused(&marvin.outcome(AMYS, 1).await));
    });
}

#[test]
fn a_shout_header_that_cannot_be_ends_the_connection() {
    let well = shout(KERMIT, 1);
    let cases = [
        ShoutFrame { kind: Kind(KIND_MAX + 1), ..well.clone() },
        ShoutFrame { kind: Kind(u16::MAX), ..well.clone() },
        ShoutFrame { op: Op(0), ..well.clone() },
    ]
    .map(|case| (case, CloseCode::BadFrame));
    let of_a_link = ShoutFrame { origin: Some(SessionId([1; 16])), ..well };
    for (case, code) in cases.into_iter().chain([(of_a_link, CloseCode::Protocol)]) {
        in_pond(async |pond| {
            let mut marvin = pond.marvin_with_kermit().await;
            marvin.say(&case).await;
            at_fault(marvin, code).await;
        });
    }
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&ShoutFrame { kind: Kind(KIND_MAX), ..shout(KERMIT, 1) }).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
    });
}

#[test]
fn a_shout_of_the_largest_size_is_heard_and_a_byte_more_is_refused() {
    let carried = vec![Carried { object: ROWLF, tag: interface().tag, seq: Seq(9) }; 64];
    for carried in [Vec::new(), carried] {
        in_pond(async |pond| {
            let mut marvin = pond.marvin_with_kermit().await;
            let room = SHOUT_BYTES_MAX - Carried::bytes_of(&carried);
            let largest = ShoutFrame { carried: carried.clone(), ..shout(KERMIT, 1) };
            marvin.say_bytes(&with_payload(&largest, &vec![7; room])).await;
            let batch = marvin.batch().await;
            let heard: Vec<_> = batch.shouts().collect();
            assert_eq!((heard.len(), heard[0].payload.len()), (1, room));
            assert_eq!(heard[0].carried, carried);
            let too_large = ShoutFrame { op: Op(2), ..largest };
            marvin.say_bytes(&with_payload(&too_large, &vec![7; room + 1])).await;
            assert!(refused(&marvin.outcome(KERMIT, 2).await));
            // Its op is used up.
            marvin.say(&shout(KERMIT, 3)).await;
            assert_eq!(batch_ops(&marvin.batch().await), [3]);
        });
    }
}

#[test]
fn an_op_that_is_not_the_next_uses_up_nothing() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        // It is told once, however many come behind the gap.
        let far = [2, 3, u64::MAX - 1, u64::MAX].map(|op| shout(KERMIT, op).bytes());
        marvin.say_bytes(&far.concat()).await;
        assert_eq!(marvin.outcome(KERMIT, 1).await, Verdict::Gap);
        marvin.say_bytes(&together(&[&shout(KERMIT, 1), &shout(KERMIT, 3)])).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        assert_eq!(marvin.outcome(KERMIT, 2).await, Verdict::Gap);
        marvin.say(&shout(KERMIT, 2)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [2]);
    });
}

#[test]
fn a_duplicate_is_answered_with_its_first_outcome_and_not_heard_again() {
    async fn rights(visit: Visit) -> Result<Rights, actix_multiplex::Denied> {
        Ok(if visit.client.agent == "amy" { Rights::ALL } else { Rights::only([Kind(1)]) })
    }
    in_pond_of(Hub::builder().admission(rights), async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let forbidden = ShoutFrame { kind: Kind(2), ..shout(KERMIT, 2) };
        marvin.say_bytes(&together(&[&shout(KERMIT, 1), &forbidden, &shout(KERMIT, 3)])).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1, 3]);
        assert!(refused(&marvin.outcome(KERMIT, 2).await));
        for (op, seq) in [(1, 1), (3, 2), (1, 1)] {
            marvin.say(&shout(KERMIT, op)).await;
            let first = Verdict::Sequenced { seq: Seq(seq), count: 1 };
            assert_eq!(marvin.outcome(KERMIT, op).await, first);
        }
        // Also as another message, which it may shout: refused is refused.
        marvin.say(&shout(KERMIT, 2)).await;
        assert!(refused(&marvin.outcome(KERMIT, 2).await));
        marvin.say(&shout(KERMIT, 4)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [4]);
    });
}

#[test]
fn more_shouts_than_the_window_end_the_connection_and_as_many_do_not() {
    for (count, fits) in [(WINDOW_SHOUTS as u64, true), (WINDOW_SHOUTS as u64 + 1, false)] {
        let slow = Hub::builder().admission(async |visit: Visit| {
            if visit.client.agent != "amy" {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(Rights::ALL)
        });
        in_pond_of(slow, async |pond| {
            let mut marvin = pond.marvin().await;
            marvin.say(&create(KERMIT, None)).await;
            let shouts: Vec<u8> = (1..=count).flat_map(|op| shout(KERMIT, op).bytes()).collect();
            marvin.say_bytes(&shouts).await;
            if !fits {
                return at_fault(marvin, CloseCode::Window).await;
            }
            assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
            let mut heard = Vec::new();
            while heard.len() < WINDOW_SHOUTS {
                heard.extend(batch_ops(&marvin.batch().await));
            }
            assert_eq!(heard, (1..=count).collect::<Vec<_>>());
        });
    }
}
