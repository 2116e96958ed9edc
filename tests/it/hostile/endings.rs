//! Connections that break off, clients that do not read, and a hub that stops.

use actix_multiplex::{
    limits::{DRAIN_TIMEOUT, SILENCE_MAX},
    wire::Verdict,
};

use super::{
    raw::{by_name, hello, join, part, together},
    *,
};

#[test]
fn a_frame_cut_short_by_the_end_of_the_stream_is_no_frame() {
    in_pond(async |pond| {
        for cut in [1, 4, 5, 20] {
            let mut marvin = pond.marvin().await;
            marvin.say_bytes(&create(KERMIT, Some("kermit")).bytes()[..cut]).await;
            marvin.hang_up().await;
            marvin.ended().await;
        }
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say_bytes(&together(&[&shout(KERMIT, 1), &shout(KERMIT, 2)])).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1, 2]);
        marvin.say_bytes(&shout(KERMIT, 3).bytes()[..9]).await;
        marvin.hang_up().await;
        marvin.ended().await;
    });
}

#[test]
fn a_client_that_falls_silent_is_told_so() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let angus = pond.marvin().await;
        marvin.hush();
        let start = Instant::now();
        at_fault(marvin, CloseCode::Silent).await;
        assert_eq!(start.elapsed(), SILENCE_MAX);
        drop(angus);
    });
}

#[test]
fn a_client_that_asks_and_asks_without_reading_is_closed_as_too_slow() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let asks: Vec<u8> = (0..100).flat_map(|n| join(n, by_name("kermit")).bytes()).collect();
        for _ in 0..300 {
            marvin.say_bytes(&asks).await;
        }
        at_fault(marvin, CloseCode::TooSlow).await;
    });
}

#[test]
fn whoever_parts_and_comes_again_goes_on_with_its_ops() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&shout(KERMIT, 1)).await;
        marvin.batch().await;
        marvin.say(&part(2, KERMIT)).await;
        marvin.done(2).await;
        marvin.say(&join(3, by_name("kermit"))).await;
        match marvin.hear().await {
            Frame::Joined(joined, _) => assert_eq!(joined.next_op.0, 2),
            other => panic!("not joined: {other:?}"),
        }
        let earlier = Verdict::Sequenced { seq: Seq(1), count: 1 };
        assert_eq!(marvin.outcome(KERMIT, 1).await, earlier);
    });
}

#[test]
fn a_hub_that_stops_tells_everybody_whatever_they_are_doing() {
    in_pond(async |pond| {
        let hub = Hub::builder().start().expect("starts here");
        let mut silent = Raw::dial(&hub).await;
        let mut half = Raw::dial(&hub).await;
        half.say_bytes(&hello("half").bytes()[..7]).await;
        let mut joined = Raw::welcomed(&hub, "joined").await;
        joined.say(&create(KERMIT, None)).await;
        joined.hear().await;
        joined.say(&shout(KERMIT, 1)).await;
        settle().await;
        let start = Instant::now();
        let telling = async {
            assert_eq!(batch_ops(&joined.batch().await), [1]);
            for raw in [&mut silent, &mut half, &mut joined] {
                let goodbye = raw.goodbye().await;
                assert_eq!(goodbye.code, CloseCode::ShuttingDown);
                assert_eq!(goodbye.fault, Fault::Nobody);
                assert_eq!(start.elapsed(), Duration::ZERO);
                raw.hang_up().await;
            }
        };
        tokio::join!(hub.stop(), telling);
        assert_eq!(start.elapsed(), Duration::ZERO);
        // Nobody is there any more, and stopping again is no work.
        hub.stop().await;
        pond.amy_goes_on().await;
    });
}

#[test]
fn whoever_stops_a_hub_that_is_stopping_waits_for_the_same_end() {
    in_pond(async |pond| {
        let hub = Hub::builder().start().expect("starts here");
        // It is told goodbye, and does not go.
        let _marvin = Raw::welcomed(&hub, "marvin").await;
        let start = Instant::now();
        let other = hub.clone();
        let again = async move {
            other.stop().await;
            start.elapsed()
        };
        let ((), took) = tokio::join!(hub.stop(), again);
        assert_eq!(took, DRAIN_TIMEOUT);
        pond.amy_goes_on().await;
    });
}
