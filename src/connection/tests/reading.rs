//! What a reader yields, when it stops, and how it judges silence.

use futures_util::FutureExt;
use tokio::time::{Instant, advance, sleep, timeout};

use super::*;
use crate::{
    connection::Closer,
    limits::{BURST_FRAMES_MAX, FRAME_BYTES_MAX, INWARD_BYTES_MAX, READ_BYTES},
    wire::{CloseCode, Fault},
};

/// Payload of the largest frame: 22 bytes are its header.
const LARGEST: usize = FRAME_BYTES_MAX - 22;

#[tokio::test(start_paused = true)]
async fn frames_come_out_whole_and_in_order_however_their_bytes_are_torn() {
    let sizes = [0, 1, LARGEST, 0, 300, 20_000, LARGEST, 5];
    let bytes: Vec<u8> = (1..).zip(sizes).flat_map(|(n, size)| shout(n, size)).collect();
    for piece in [1, 2, 3, 4, 5, 23, 1_000, READ_BYTES, READ_BYTES + 1, bytes.len()] {
        let (mut near, mut far) = connected();
        let bytes = bytes.clone();
        let saying = tokio::spawn(async move {
            for piece in bytes.chunks(piece) {
                far.say(piece).await;
                tokio::task::yield_now().await;
            }
            far
        });
        let mut heard = Vec::new();
        while heard.len() < sizes.len() {
            heard.extend(near.burst().await.expect("is open"));
        }
        let heard: Vec<_> = heard.into_iter().map(|frame| frame.expect("is a frame")).collect();
        let lengths: Vec<_> = heard.iter().map(|(_, bytes)| *bytes).collect();
        assert_eq!(lengths, sizes.map(|size| shout(1, size).len()), "in pieces of {piece}");
        let heard: Vec<_> = heard.into_iter().map(|(frame, _)| frame).collect();
        assert_eq!(numbers(&heard), [1, 2, 3, 4, 5, 6, 7, 8], "in pieces of {piece}");
        drop(saying.await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_frames_of_one_read_come_out_together() {
    let (mut near, mut far) = connected();
    let bytes: Vec<u8> = (1..=100).flat_map(|n| shout(n, 10)).collect();
    far.say(&bytes[..bytes.len() - 1]).await;
    let first = numbers(&frames(&near.burst().await.expect("is open")));
    assert_eq!(first, (1..=99).collect::<Vec<_>>());
    far.say(&bytes[bytes.len() - 1..]).await;
    assert_eq!(numbers(&frames(&near.burst().await.expect("is open"))), [100]);
}

#[tokio::test(start_paused = true)]
async fn a_read_of_short_frames_comes_out_in_parts_with_a_look_at_the_inward_bound_between_them() {
    let (mut near, mut far) = connected();
    far.say(&Frame::HEARTBEAT.repeat(2 * BURST_FRAMES_MAX + 1)).await;
    assert_eq!(frames(&near.burst().await.expect("is open")).len(), BURST_FRAMES_MAX);
    let held = near.reader.inward().hold(INWARD_BYTES_MAX);
    assert!(near.reader.next().now_or_never().is_none());
    drop(held);
    assert_eq!(frames(&near.burst().await.expect("is open")).len(), BURST_FRAMES_MAX);
    assert_eq!(frames(&near.burst().await.expect("is open")).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_length_of_0_or_above_the_limit_closes_and_says_so_to_the_peer() {
    for length in [0, FRAME_BYTES_MAX as u32 + 1, u32::MAX] {
        let (mut near, mut far) = connected();
        far.say(&shout(1, 10)).await;
        near.burst().await.expect("is a frame");
        far.say(&length.to_le_bytes()).await;
        let closed = near.closed().await;
        assert_eq!((closed.by, closed.code), (Closer::Local, CloseCode::BadFrame));
        assert_eq!(closed.fault, Fault::Receiver);
        assert!(near.reader.next().await.is_none(), "a reason comes once");
        drop(near.reader);
        let heard = far.hear_all().await;
        assert_eq!((goodbye(heard.last()).code, heard.len()), (CloseCode::BadFrame, 1));
        assert_eq!(goodbye(heard.last()).fault, Fault::Receiver);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_on_holds_its_own_bytes_and_not_the_whole_buffer() {
    let (mut near, mut far) = connected();
    let mut held = Vec::new();
    for n in 1..=50 {
        far.say(&shout(n, 10)).await;
        held.push(near.burst().await.expect("is open"));
    }
    for burst in held {
        let bytes = burst.bytes.try_into_mut().expect("nobody else holds this buffer");
        assert!(bytes.capacity() <= 2 * bytes.len(), "{} bytes are held", bytes.capacity());
    }
}

#[tokio::test(start_paused = true)]
async fn the_reader_stops_at_the_inward_bound_and_goes_on_when_there_is_room() {
    let (mut near, mut far) = connected();
    let saying = tokio::spawn(async move {
        for n in 1..=200 {
            far.say(&shout(n, 10_000)).await;
        }
        far
    });
    let inward = near.reader.inward().clone();
    let (mut held, mut heard) = (Vec::new(), Vec::new());
    // Longer than any silence: while it is held up, nobody is judged.
    while let Ok(burst) = timeout(10 * SILENCE, near.reader.next()).await {
        for frame in burst.expect("goes on").expect("is open") {
            let (frame, bytes) = frame.expect("is a frame");
            held.push(inward.hold(bytes));
            heard.push(frame);
        }
    }
    let bytes = inward.held();
    assert!((INWARD_BYTES_MAX..INWARD_BYTES_MAX + READ_BYTES).contains(&bytes), "{bytes}");
    held.clear();
    while heard.len() < 200 {
        heard.extend(frames(&near.burst().await.expect("is open")));
    }
    assert_eq!(numbers(&heard), (1..=200).collect::<Vec<_>>());
    drop(saying.await);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_silent_for_too_long_is_closed_and_one_that_says_anything_is_not() {
    let (mut near, mut far) = connected();
    let start = Instant::now();
    let frame = shout(1, 30);
    let saying = tokio::spawn(async move {
        // Not even a whole frame: any byte is a sign of life.
        for byte in &frame[..frame.len() - 1] {
            sleep(ALMOST_SILENCE).await;
            far.say(&[*byte]).await;
        }
        (far, Instant::now())
    });
    let closed = near.closed().await;
    let (mut far, last) = saying.await.expect("said all");
    assert!(last - start > 50 * ALMOST_SILENCE);
    assert_eq!(last.elapsed(), SILENCE);
    assert_eq!((closed.by, closed.code), (Closer::Local, CloseCode::Silent));
    assert_eq!(closed.fault, Fault::Receiver);
    drop(near);
    assert_eq!(goodbye(far.hear_all().await.last()).code, CloseCode::Silent);
}

#[tokio::test(start_paused = true)]
async fn silence_counts_from_when_the_reader_reads_again() {
    let (mut near, mut far) = connected();
    far.say(&shout(1, 10)).await;
    near.burst().await.expect("is open");
    let held = near.reader.inward().hold(INWARD_BYTES_MAX);
    assert!(near.reader.next().now_or_never().is_none(), "it does not read");
    sleep(100 * SILENCE).await;
    drop(held);
    let start = Instant::now();
    assert_eq!(near.closed().await.code, CloseCode::Silent);
    assert_eq!(start.elapsed(), SILENCE);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_peer_whose_bytes_get_lost_is_found_out() {
    let (mut near, far) = connected();
    // What is written is swallowed, and nothing comes back: no error will ever say so.
    let Far { mut reader, writer } = far;
    let swallowing = tokio::spawn(async move {
        let mut swallowed = Vec::new();
        reader.read_to_end(&mut swallowed).await.expect("a pipe");
        swallowed
    });
    let start = Instant::now();
    assert_eq!(near.closed().await.code, CloseCode::Silent);
    assert_eq!(start.elapsed(), SILENCE);
    drop(near.reader);
    drop(near.queue);
    near.writer.await.expect("ends");
    let swallowed = decode(&swallowing.await.expect("ends"));
    assert_eq!(swallowed[..2], [Frame::Heartbeat, Frame::Heartbeat]);
    assert_eq!(goodbye(swallowed.last()).code, CloseCode::Silent);
    drop(writer);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_not_polled_for_long_reads_before_it_judges() {
    let (mut near, mut far) = connected();
    assert!(timeout(Duration::from_secs(1), near.reader.next()).await.is_err());
    far.say(&shout(1, 10)).await;
    // The thread was busy with something else.
    advance(10 * SILENCE).await;
    assert_eq!(numbers(&frames(&near.burst().await.expect("was heard of"))), [1]);
}
