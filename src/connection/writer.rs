//! Writes a queue to a peer: many frames at a time, a heartbeat after silence, a Goodbye at last.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, IoSlice},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    time::{Instant, Sleep, sleep, timeout},
};

use super::{Class, Closed, Queue, queue::Work};
use crate::{
    limits::{DRAIN_TIMEOUT, WRITE_SLICES_MAX},
    wire::Limits,
};

type Io = Box<dyn AsyncWrite + Send + Unpin>;

/// Writes until the connection is closed, then what is left within [`DRAIN_TIMEOUT`].
pub(super) async fn run(queue: Arc<Queue>, io: Io, limits: Limits) {
    let mut writer = Writer { queue, io, writing: VecDeque::new() };
    let heartbeat = Duration::from_millis(limits.heartbeat_ms.into());
    if let Err(error) = writer.write_until_closed(heartbeat).await {
        writer.queue.close(Closed::transport(error));
    }
    // A peer that takes no more bytes is not waited for.
    let _gone = timeout(DRAIN_TIMEOUT, writer.drain()).await;
}

struct Writer {
    queue: Arc<Queue>,
    io: Io,
    /// Taken from the queue, the first perhaps partly written.
    writing: VecDeque<(Class, Bytes)>,
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

    async fn work_or_silence(&mut self, mut silence: std::pin::Pin<&mut Sleep>) -> Option<Work> {
        let Self { queue, writing, .. } = self;
        poll_fn(|cx| match queue.poll_work(cx, writing) {
            Poll::Ready(work) => Poll::Ready(Some(work)),
            Poll::Pending => silence.as_mut().poll(cx).map(|()| None),
        })
        .await
    }

    /// Writes what was taken. A close ends the wait for a peer that reads nothing (`false`);
    /// what is partly written then is finished by [`drain`](Self::drain).
    async fn write_unless_closed(&mut self) -> io::Result<bool> {
        while !self.writing.is_empty() {
            let written = poll_fn(|cx| {
                let written = poll_write(&mut self.io, &self.writing, cx);
                if written.is_pending() && self.queue.poll_writer_closed(cx) {
                    return Poll::Ready(Ok(None));
                }
                written.map_ok(Some)
            });
            match written.await? {
                Some(bytes) => self.advance(bytes)?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Sends what is left and the Goodbye, and ends the stream of bytes.
    async fn drain(&mut self) -> io::Result<()> {
        loop {
            while !self.writing.is_empty() {
                let written = poll_fn(|cx| poll_write(&mut self.io, &self.writing, cx)).await?;
                self.advance(written)?;
            }
            match poll_fn(|cx| self.queue.poll_work(cx, &mut self.writing)).await {
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
        let (mut batch_bytes, mut control_bytes) = (0, 0);
        while let Some((class, frame)) = self.writing.front_mut().filter(|_| bytes > 0) {
            let taken = bytes.min(frame.len());
            frame.advance(taken);
            bytes -= taken;
            match class {
                Class::Batch => batch_bytes += taken,
                Class::Control => control_bytes += taken,
            }
            if frame.is_empty() {
                self.writing.pop_front();
            }
        }
        self.queue.written(batch_bytes, control_bytes);
        Ok(())
    }
}

fn poll_write(
    io: &mut Io,
    writing: &VecDeque<(Class, Bytes)>,
    cx: &mut std::task::Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
    let count = writing.len().min(WRITE_SLICES_MAX);
    for (slice, (_, frame)) in slices.iter_mut().zip(writing) {
        *slice = IoSlice::new(frame);
    }
    std::pin::Pin::new(io).poll_write_vectored(cx, &slices[..count])
}
