//! How a connection ends: who is told what, what is still sent, and that nothing is left behind.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep, timeout},
};

use super::*;
use crate::{
    connection::{Class, Closer},
    limits::DRAIN_TIMEOUT,
    wire::{self, CloseCode, Fault},
};

const ALMOST_DRAIN_TIMEOUT: Duration = Duration::from_millis(4_999);

/// A transport that panics, or fails, whatever is asked of it.
struct Broken {
    panics: bool,
}

impl Broken {
    fn fail<T>(&self) -> Poll<io::Result<T>> {
        assert!(!self.panics, "a defect of the transport");
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

impl AsyncRead for Broken {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.fail()
    }
}

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        self.fail()
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fail()
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fail()
    }
}

fn push(queue: &Queue, count: u64) {
    for n in 1..=count {
        queue.push(Class::Batch, shout(n, 1_000)).expect("is open");
    }
}

/// Nothing of the connection is left but what the test holds.
async fn assert_gone(near: Near) {
    let Near { reader, queue, writer } = near;
    drop(reader);
    writer.await.expect("ends without a panic");
    assert_eq!((Arc::strong_count(&queue), queue.bytes()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_is_sent_before_the_goodbye() {
    let (mut near, mut far) = connected();
    push(&near.queue, 1_000);
    near.queue.close(Closed::done("enough"));
    assert_eq!(near.closed().await, Closed::done("enough"));
    let hearing = tokio::spawn(async move { far.hear_all().await });
    assert_gone(near).await;
    let heard = hearing.await.expect("ends");
    let (last, before) = heard.split_last().expect("a Goodbye");
    assert_eq!(numbers(before), (1..=1_000).collect::<Vec<_>>());
    let told = Goodbye { code: CloseCode::Done, fault: Fault::Nobody, reason: "enough".to_owned() };
    assert_eq!(goodbye(Some(last)), &told);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_not_waited_for_longer_than_the_drain_time() {
    let (near, _far) = connected();
    push(&near.queue, 1_000);
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    near.queue.close(Closed::done("enough"));
    assert_gone(near).await;
    assert_eq!(start.elapsed(), DRAIN_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_dropped_is_a_defect_of_this_side() {
    let (near, mut far) = connected();
    push(&near.queue, 1);
    drop(near.reader);
    let heard = far.hear_all().await;
    assert_eq!(numbers(&heard[..1]), [1]);
    let told = goodbye(heard.get(1));
    assert_eq!((told.code, told.fault), (CloseCode::Internal, Fault::Sender));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_said_goodbye_is_told_nothing_more() {
    let (mut near, mut far) = connected();
    push(&near.queue, 200);
    sleep(Duration::from_secs(1)).await;
    let bye = Goodbye { code: CloseCode::Done, fault: Fault::Nobody, reason: String::new() };
    far.say(&wire::encode(&bye)).await;
    let heard = frames(&near.burst().await.expect("is open"));
    near.queue.close(Closed::remote(goodbye(heard.first()).clone()));
    assert_eq!(near.closed().await.by, Closer::Remote);
    let start = Instant::now();
    assert_gone(near).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    let mut rest = Vec::new();
    far.reader.read_to_end(&mut rest).await.expect("a pipe");
    assert!(rest.len() <= PIPE_BYTES);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_stream_ends_both_halves() {
    for torn in [0, 3, 20] {
        let (mut near, mut far) = connected();
        far.say(&shout(1, 100)[..torn]).await;
        drop(far.writer);
        let closed = near.closed().await;
        assert_eq!((closed.by, closed.fault), (Closer::Transport, Fault::Nobody));
        assert_gone(near).await;
        let mut told = Vec::new();
        far.reader.read_to_end(&mut told).await.expect("a pipe");
        assert_eq!(told, [], "nobody is there to be told");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_cannot_be_written_to_ends_both_halves() {
    let (mut near, far) = connected();
    drop(far.reader);
    push(&near.queue, 1);
    assert_eq!(near.closed().await.by, Closer::Transport);
    assert_gone(near).await;
    drop(far.writer);
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_fails_ends_both_halves() {
    let (_far, stuck) = duplex(1);
    let mut near = over(Duplex::new(Broken { panics: false }, stuck, "far"));
    assert_eq!(near.closed().await.by, Closer::Transport);
    assert_gone(near).await;

    let (_far, silent) = duplex(1);
    let mut near = over(Duplex::new(silent, Broken { panics: false }, "far"));
    push(&near.queue, 1);
    assert_eq!(near.closed().await.by, Closer::Transport);
    assert_gone(near).await;
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_panics_as_it_writes_ends_the_reader_too() {
    let (_far, silent) = duplex(1);
    let mut near = over(Duplex::new(silent, Broken { panics: true }, "far"));
    push(&near.queue, 1);
    let closed = timeout(Duration::from_secs(1), near.closed()).await.expect("ends at once");
    assert_eq!(closed.by, Closer::Transport);
    assert!(near.writer.await.is_err_and(|error| error.is_panic()));
}

#[tokio::test(start_paused = true)]
async fn a_stalled_peer_that_reads_again_in_time_gets_everything() {
    let (near, mut far) = connected();
    push(&near.queue, 1_000);
    near.queue.close(Closed::done("enough"));
    drop(near.reader);
    sleep(ALMOST_DRAIN_TIMEOUT).await;
    let heard = far.hear_all().await;
    assert_eq!(heard.len(), 1_001);
    assert_eq!(goodbye(heard.last()).code, CloseCode::Done);
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_reaches_a_peer_that_writes_on_before_it_reads() {
    let (near, mut far) = connected();
    near.queue.close(Closed::protocol("enough of this"));
    drop(near.reader);
    // More than the pipe holds: somebody has to take it, or the peer never comes to reading.
    for n in 1..=100 {
        far.say(&shout(n, 10_000)).await;
    }
    let heard = far.hear_all().await;
    assert_eq!(goodbye(heard.last()).code, CloseCode::Protocol);
    let start = Instant::now();
    drop(far);
    near.writer.await.expect("ends");
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody waits for a peer that is gone");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_was_told_goodbye_and_writes_for_ever_is_left() {
    let (near, mut far) = connected();
    near.queue.close(Closed::protocol("enough of this"));
    drop(near.reader);
    let start = Instant::now();
    let writing = tokio::spawn(async move {
        while far.writer.write_all(&shout(1, 1_000)).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
    });
    near.writer.await.expect("ends");
    assert_eq!(start.elapsed(), DRAIN_TIMEOUT);
    writing.await.expect("met a closed pipe");
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_came_before_the_stream_broke_is_heard() {
    let (mut near, mut far) = connected();
    let bye = Goodbye {
        code: CloseCode::TooSlow,
        fault: Fault::Receiver,
        reason: "read faster".to_owned(),
    };
    far.say(&shout(1, 10)).await;
    far.say(&wire::encode(&bye)).await;
    drop(far);
    // The writer meets the broken pipe before anybody has read.
    push(&near.queue, 1);
    sleep(Duration::from_millis(1)).await;
    assert_eq!(near.queue.closed().map(|closed| closed.by), Some(Closer::Transport));
    let heard = frames(&near.burst().await.expect("came before"));
    assert_eq!(goodbye(heard.last()), &bye);
    assert_eq!(near.closed().await.by, Closer::Transport);
    assert_gone(near).await;
}
