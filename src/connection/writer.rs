//! Writes a queue to a peer: many frames at a time, a heartbeat after silence, a Goodbye at last.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_util::future::{Either, select};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt, copy, sink},
    sync::oneshot,
    task::yield_now,
    time::{Instant, Sleep, sleep, timeout},
};

use super::{
    Class, Closed, Queue,
    queue::{Ending, Work, Written},
    reader,
};
use crate::{
    limits::{DRAIN_TIMEOUT, TURN_BYTES, WRITE_SLICES_MAX},
    wire::Limits,
};

type Io = Box<dyn AsyncWrite + Send + Unpin>;

/// Writes until the connection is closed, then what is left within [`DRAIN_TIMEOUT`]. `rest` is
/// what the reader leaves behind.
pub(super) async fn run(
    queue: Arc<Queue>,
    io: Io,
    rest: oneshot::Receiver<reader::Io>,
    limits: Limits,
) {
    let (writing, written) = (VecDeque::new(), Written::default());
    let mut writer = Writer { queue, io, writing, is_begun: false, written, turn: 0 };
    let heartbeat = Duration::from_millis(limits.heartbeat_ms.into());
    if let Err(error) = writer.write_until_closed(heartbeat).await {
        writer.queue.close(Closed::transport(error));
    }
    // A peer that takes no more bytes, or does not end its side, is not waited for.
    let _gone = timeout(DRAIN_TIMEOUT, writer.say_goodbye(rest)).await;
}

struct Writer {
    queue: Arc<Queue>,
    io: Io,
    /// Taken from the queue, the first perhaps partly written.
    writing: VecDeque<(Class, Bytes)>,
    /// Whether the first is partly written.
    is_begun: bool,
    /// Written since the queue was last asked.
    written: Written,
    /// Bytes written since others ran.
    turn: usize,
}

/// What came of waiting for the peer to take bytes.
enum Step {
    Wrote(usize),
    Flushed,
    Closed,
}

impl Writer {
    async fn write_until_closed(&mut self, heartbeat: Duration) -> io::Result<()> {
        let mut silence = pin!(sleep(heartbeat));
        let mut last = Instant::now();
        loop {
            match self.work_or_silence(silence.as_mut()).await {
                Some(Work::Frames) => last = Instant::now(),
                Some(Work::End(_)) => return Ok(()),
                None if last.elapsed() >= heartbeat => {
                    self.writing.push_back(Queue::heartbeat());
                    last = Instant::now();
                    silence.as_mut().reset(last + heartbeat);
                }
                None => silence.as_mut().reset(last + heartbeat),
            }
            if !self.write_unless_closed().await? {
                return Ok(());
            }
        }
    }

    async fn work_or_silence(&mut self, mut silence: Pin<&mut Sleep>) -> Option<Work> {
        let Self { queue, writing, written, .. } = self;
        poll_fn(|cx| match queue.poll_work(cx, writing, written) {
            Poll::Ready(work) => Poll::Ready(Some(work)),
            Poll::Pending => silence.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Writes what was taken, out of the transport's own buffers too. A close ends the wait for a
    /// peer that reads nothing (`false`); what is partly written then is finished by
    /// [`drain`](Self::drain).
    async fn write_unless_closed(&mut self) -> io::Result<bool> {
        loop {
            let step = poll_fn(|cx| {
                let step = self.poll_step(cx);
                if step.is_pending() && self.queue.poll_writer_closed(cx, &mut self.written) {
                    return Poll::Ready(Ok(Step::Closed));
                }
                step
            });
            match step.await? {
                Step::Wrote(bytes) => {
                    self.advance(bytes)?;
                    self.let_others_run(bytes).await;
                }
                Step::Flushed => return Ok(true),
                Step::Closed => return Ok(false),
            }
        }
    }

    /// Counts bytes; after many others run. A peer that takes all at once holds up nobody.
    async fn let_others_run(&mut self, bytes: usize) {
        self.turn += bytes;
        if self.turn >= TURN_BYTES {
            self.turn = 0;
            yield_now().await;
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
        if self.writing.is_empty() {
            return Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| Step::Flushed);
        }
        poll_write(&mut self.io, &self.writing, cx).map_ok(Step::Wrote)
    }

    /// Sends what is left. The peer may still be writing: what it writes is taken from it until it
    /// ends its side too. Otherwise it might never come to reading, and a socket that is closed
    /// with bytes unread throws away what the peer has not read, the Goodbye first of all.
    async fn say_goodbye(&mut self, rest: oneshot::Receiver<reader::Io>) -> io::Result<()> {
        let ending = self.queue.ending();
        match ending {
            Ending::Whole => {}
            Ending::Short => self.writing.truncate(usize::from(self.is_begun)),
            Ending::Silent => return self.io.shutdown().await,
        }
        let swallowing = pin!(swallow(rest));
        match select(pin!(self.drain()), swallowing).await {
            Either::Left((drained, swallowing)) => {
                drained?;
                swallowing.await;
                Ok(())
            }
            Either::Right(((), draining)) => draining.await,
        }
    }

    /// Sends what is left and the Goodbye, and ends the stream of bytes.
    async fn drain(&mut self) -> io::Result<()> {
        loop {
            while !self.writing.is_empty() {
                let written = poll_fn(|cx| poll_write(&mut self.io, &self.writing, cx)).await?;
                self.advance(written)?;
            }
            let Self { queue, writing, written, .. } = self;
            match poll_fn(|cx| queue.poll_work(cx, writing, written)).await {
                Work::Frames => {}
                Work::End(None) => return self.io.shutdown().await,
                Work::End(Some(goodbye)) => {
                    self.io.write_all(&goodbye).await?;
                    return self.io.shutdown().await;
                }
            }
        }
    }

    fn advance(&mut self, mut bytes: usize) -> io::Result<()> {
        if bytes == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some((class, frame)) = self.writing.front_mut().filter(|_| bytes > 0) {
            let taken = bytes.min(frame.len());
            frame.advance(taken);
            self.is_begun = !frame.is_empty();
            bytes -= taken;
            self.written.add(*class, taken);
            if frame.is_empty() {
                self.writing.pop_front();
            }
        }
        Ok(())
    }
}

impl Drop for Writer {
    /// Without a writer nobody is heard: a transport has panicked, or the arbiter has ended.
    fn drop(&mut self) {
        self.queue.close(Closed::transport("what wrote this connection ended without a word"));
    }
}

/// Reads what the reader has left until the peer ends it, and drops it.
async fn swallow(rest: oneshot::Receiver<reader::Io>) {
    if let Ok(mut io) = rest.await {
        let _ended = copy(&mut io, &mut sink()).await;
    }
}

fn poll_write(
    io: &mut Io,
    writing: &VecDeque<(Class, Bytes)>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    if let [(_, frame)] = writing.as_slices().0
        && writing.len() == 1
    {
        return Pin::new(io).poll_write_vectored(cx, &[IoSlice::new(frame)]);
    }
    let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
    let count = writing.len().min(WRITE_SLICES_MAX);
    for (slice, (_, frame)) in slices.iter_mut().zip(writing) {
        *slice = IoSlice::new(frame);
    }
    Pin::new(io).poll_write_vectored(cx, &slices[..count])
}
