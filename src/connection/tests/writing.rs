//! What a writer writes, in which order, and what it does when there is nothing to write.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Mutex,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncWrite, BufWriter, sink},
    time::{Instant, sleep, timeout},
};

use super::*;
use crate::{
    connection::{Class, Unsent},
    limits::{OUTWARD_BYTES_MAX, WRITE_SLICES_MAX},
    wire::{CloseCode, Fault},
};

/// Takes everything, and counts the slices of each write.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<usize>>>);

impl AsyncWrite for Counting {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().expect("no panic").push(slices.len());
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

fn push(queue: &Queue, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        queue.push(Class::Batch, shout(n, 100)).expect("is open");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_pushed_is_written_in_order_whatever_its_class() {
    let (near, mut far) = connected();
    for n in 1..=500 {
        let class = if n % 3 == 0 { Class::Control } else { Class::Batch };
        near.queue.push(class, shout(n, 1_000)).expect("is open");
    }
    let mut heard = Vec::new();
    for _ in 1..=500 {
        heard.push(far.hear().await);
    }
    assert_eq!(numbers(&heard), (1..=500).collect::<Vec<_>>());
    assert_eq!(near.queue.bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_frames_go_out_in_one_vectored_write() {
    let counting = Counting::default();
    let (reader, _far_writer) = duplex(PIPE_BYTES);
    let near = over(Duplex::new(reader, counting.clone(), "far"));
    push(&near.queue, 1..=2 * WRITE_SLICES_MAX as u64 + 1);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(*counting.0.lock().expect("no panic"), [WRITE_SLICES_MAX, WRITE_SLICES_MAX, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_was_written_does_not_stay_in_a_buffer_of_the_transport() {
    let (reader, _far_writer) = duplex(PIPE_BYTES);
    let (far_reader, near_writer) = duplex(PIPE_BYTES);
    let near = over(Duplex::new(reader, BufWriter::new(near_writer), "far"));
    let mut far = Far { reader: far_reader, writer: duplex(1).0 };
    push(&near.queue, [1]);
    let heard = timeout(Duration::from_secs(1), far.hear()).await.expect("comes at once");
    assert_eq!(numbers(&[heard]), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_follows_every_silence_and_none_comes_while_frames_flow() {
    let (near, mut far) = connected();
    let start = Instant::now();
    for beat in 1..=3 {
        assert_eq!(far.hear().await, Frame::Heartbeat);
        assert_eq!(start.elapsed(), beat * HEARTBEAT);
    }
    for n in 1..=20 {
        sleep(ALMOST_HEARTBEAT).await;
        push(&near.queue, [n]);
        assert_eq!(numbers(&[far.hear().await]), [n]);
    }
    let last = Instant::now();
    assert_eq!(far.hear().await, Frame::Heartbeat);
    assert_eq!(last.elapsed(), HEARTBEAT);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_comes_in_the_very_moment_of_a_heartbeat_does_not_stop_the_later_ones() {
    let (near, mut far) = connected();
    for n in 1..=3 {
        // Whose timer is looked at first depends on when it was set.
        sleep(HEARTBEAT).await;
        push(&near.queue, [n]);
        // It goes out with a heartbeat before or behind it, or alone.
        let last = Instant::now();
        while last.elapsed() < HEARTBEAT {
            let heard = timeout(2 * HEARTBEAT, far.hear()).await.expect("is heard of in time");
            assert!(heard == Frame::Heartbeat || numbers(&[heard]) == [n]);
        }
        assert_eq!(last.elapsed(), HEARTBEAT);
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_past_its_bound_ends_in_a_goodbye_and_no_frame_is_cut_short() {
    let (mut near, mut far) = connected();
    let size = 50_000;
    let mut pushed = 0;
    // The peer reads nothing: the pipe fills, in the middle of a frame, and then the queue.
    while near.queue.push(Class::Batch, shout(pushed + 1, size)).is_ok() {
        pushed += 1;
        // The writer takes many at a time, as it does from a queue that grows faster than it.
        if pushed % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let took = pushed as usize * shout(1, size).len();
    assert!((OUTWARD_BYTES_MAX - size..OUTWARD_BYTES_MAX + PIPE_BYTES).contains(&took), "{took}");
    assert_eq!(near.queue.push(Class::Control, shout(1, 0)), Err(Unsent::Closing));
    let closed = near.closed().await;
    assert_eq!((closed.code, closed.fault), (CloseCode::TooSlow, Fault::Receiver));
    drop(near.reader);
    let heard = far.hear_all().await;
    let (last, before) = heard.split_last().expect("a Goodbye");
    assert_eq!(goodbye(Some(last)).code, CloseCode::TooSlow);
    // What the pipe held and took at once, and the frame that was begun; not what else was queued.
    assert_eq!(numbers(before), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn control_frames_have_a_bound_of_their_own() {
    let (near, _far) = connected();
    let mut pushed = 0;
    while near.queue.push(Class::Control, shout(1, 1_000)).is_ok() {
        pushed += 1;
        tokio::task::yield_now().await;
    }
    assert!((1_000..1_200).contains(&pushed), "{pushed}");
    assert_eq!(near.queue.closed().map(|closed| closed.code), Some(CloseCode::TooSlow));
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_has_nothing_to_do_is_small() {
    let (reader, writer) = (tokio::io::empty(), sink());
    let connection = open(Duplex::new(reader, writer, "far"), Limits::default(), None);
    let bytes = size_of_val(&connection.writer) + size_of_val(&connection.reader);
    assert!(bytes <= 1_024, "{bytes} bytes an idle connection");
}
