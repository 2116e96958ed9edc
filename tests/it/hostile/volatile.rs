//! Volatile messages that may not be, or go nowhere, and leaves that do not read.

use actix_multiplex::{
    Kind,
    limits::{KIND_MAX, VOLATILE_BYTES_MAX},
    wire::{Volatile, VolatileHeard},
};

use super::{
    raw::{by_name, join, with_payload},
    *,
};

fn volatile(kind: u16) -> Volatile {
    Volatile { object: KERMIT, kind: Kind(kind) }
}

async fn glimpsed(raw: &mut Raw) -> (VolatileHeard, usize) {
    match raw.hear().await {
        Frame::VolatileHeard(heard, payload) => (heard, payload.len()),
        other => panic!("nothing volatile: {other:?}"),
    }
}

#[test]
fn a_volatile_message_that_cannot_be_ends_the_connection_and_the_largest_is_heard() {
    for (kind, bytes) in [(KIND_MAX + 1, 0), (1, VOLATILE_BYTES_MAX + 1)] {
        in_pond(async |pond| {
            let mut marvin = pond.marvin_with_kermit().await;
            marvin.say_bytes(&with_payload(&volatile(kind), &vec![7; bytes])).await;
            at_fault(marvin, CloseCode::BadFrame).await;
        });
    }
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut fozzie = Raw::welcomed(&pond.hub, "fozzie").await;
        fozzie.say(&join(2, by_name("kermit"))).await;
        fozzie.let_in().await;
        marvin.say_bytes(&with_payload(&volatile(KIND_MAX), &[7; VOLATILE_BYTES_MAX])).await;
        let (object, session, last) = (KERMIT, marvin.session, Seq(0));
        let heard = VolatileHeard { object, session, last, kind: Kind(KIND_MAX) };
        assert_eq!(glimpsed(&mut fozzie).await, (heard, VOLATILE_BYTES_MAX));
    });
}

#[test]
fn what_a_hub_says_of_volatile_messages_may_not_come_from_a_client() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let (session, last) = (marvin.session, Seq(1));
        marvin.say(&VolatileHeard { object: KERMIT, session, last, kind: Kind(1) }).await;
        at_fault(marvin, CloseCode::Protocol).await;
    });
}

#[test]
fn a_volatile_message_at_what_was_not_joined_goes_nowhere() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut fozzie = Raw::welcomed(&pond.hub, "fozzie").await;
        fozzie.say(&volatile(1)).await;
        fozzie.say(&Volatile { object: ROWLF, kind: Kind(1) }).await;
        settle().await;
        marvin.say(&shout(KERMIT, 1)).await;
        // Nothing came before it.
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        fozzie.say(&join(2, by_name("kermit"))).await;
        fozzie.let_in().await;
        fozzie.say(&volatile(1)).await;
        assert_eq!(glimpsed(&mut marvin).await.0.session, fozzie.session);
    });
}

#[test]
fn a_leaf_that_does_not_read_is_spared_volatile_messages_and_given_every_shout() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut fozzie = Raw::welcomed(&pond.hub, "fozzie").await;
        fozzie.say(&join(2, by_name("kermit"))).await;
        fozzie.let_in().await;
        for op in 1..=6 {
            marvin.say_bytes(&with_payload(&shout(KERMIT, op), &vec![7; 60_000])).await;
            assert_eq!(batch_ops(&marvin.batch().await), [op]);
        }
        for _ in 0..100 {
            marvin.say(&volatile(1)).await;
        }
        settle().await;
        for op in 1..=6 {
            assert_eq!(batch_ops(&fozzie.batch().await), [op]);
        }
        settle().await;
        marvin.say(&volatile(2)).await;
        let (heard, _) = glimpsed(&mut fozzie).await;
        assert_eq!((heard.kind, heard.last), (Kind(2), Seq(6)));
    });
}
