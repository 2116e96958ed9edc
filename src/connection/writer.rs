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
    task::{coop::unconstrained, yield_now},
    time::{Instant, Sleep, sleep, timeout},
};

use super::{
    Class, Closed, Queue,
    queue::{Ending, Load, Work},
    reader,
};
use crate::{
    limits::{DRAIN_TIMEOUT, TURN_BYTES, WRITE_SLICES_MAX},
    wire::{CloseCode, Fault, Limits},
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
    let mut writer = Writer::new(queue, io);
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
    /// Whether all that was taken is out of the transport's own buffers too.
    is_flushed: bool,
    /// What of `writing` or `held` the queue counts.
    counted: Load,
    /// Taken from the queue, and not to be written before a change is committed.
    held: VecDeque<(Class, Bytes)>,
    /// Which change that is; none while nothing is held.
    awaited: Option<u64>,
}

/// Why a writer stops.
enum Stop {
    /// It has written much: others run, then it goes on.
    Turn,
    /// The connection is closed. What is partly written is finished by [`Writer::drain`].
    Closed,
}

/// How long nothing was written.
struct Silence<'a> {
    timer: Pin<&'a mut Sleep>,
    heartbeat: Duration,
    /// When something was written.
    last: Instant,
}

impl Silence<'_> {
    /// Whether a heartbeat is due. The timer wakes this task from here on, whatever is returned:
    /// a busy task's budget does not keep it from being armed.
    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        let mut is_over = false;
        while pin!(unconstrained(self.timer.as_mut())).poll(cx).is_ready() {
            is_over |= self.last.elapsed() >= self.heartbeat;
            if is_over {
                self.last = Instant::now();
            }
            self.timer.as_mut().reset(self.last + self.heartbeat);
        }
        is_over
    }
}

impl Writer {
    fn new(queue: Arc<Queue>, io: Io) -> Self {
        let (writing, held, counted) = (VecDeque::new(), VecDeque::new(), Load::default());
        let (is_begun, is_flushed, awaited) = (false, true, None);
        Self { queue, io, writing, is_begun, is_flushed, counted, held, awaited }
    }

    async fn write_until_closed(&mut self, heartbeat: Duration) -> io::Result<()> {
        let timer = pin!(sleep(heartbeat));
        let mut silence = Silence { timer, heartbeat, last: Instant::now() };
        while let Stop::Turn = poll_fn(|cx| self.poll_turn(&mut silence, cx)).await? {
            yield_now().await;
        }
        Ok(())
    }

    /// Writes what there is, as far as one turn goes. Frames wake the task that has been here with
    /// none to write, and so does the timer: it is looked at when no frame has woken the task.
    fn poll_turn(
        &mut self,
        silence: &mut Silence<'_>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Stop>> {
        let (mut bytes, mut is_all) = (0, false);
        loop {
            if self.is_flushed {
                let next = match self.awaited {
                    None => self.queue.poll_work(cx, &mut self.writing, &mut self.counted),
                    Some(number) => self.poll_held(cx, number),
                };
                match next {
                    Poll::Ready(Work::Frames { awaited, .. }) if self.holds(cx, awaited) => {
                        continue;
                    }
                    Poll::Ready(Work::Frames { is_all: all, .. }) => {
                        silence.last = Instant::now();
                        is_all = all;
                    }
                    Poll::Ready(Work::End(_)) => return Poll::Ready(Ok(Stop::Closed)),
                    Poll::Pending if silence.is_over(cx) => {
                        self.writing.push_back(Queue::heartbeat());
                    }
                    Poll::Pending => return Poll::Pending,
                }
                self.is_flushed = false;
            }
            while !self.writing.is_empty() {
                let Poll::Ready(written) = poll_write(&mut self.io, &self.writing, cx)? else {
                    return self.poll_stuck(cx);
                };
                self.advance(written)?;
                bytes += written;
                if bytes >= TURN_BYTES {
                    self.queue.count(&self.writing, &mut self.counted);
                    return Poll::Ready(Ok(Stop::Turn));
                }
            }
            if Pin::new(&mut self.io).poll_flush(cx)?.is_pending() {
                return self.poll_stuck(cx);
            }
            self.is_flushed = true;
            // A frame may have come in the very moment in which the timer fired.
            if std::mem::take(&mut is_all) && !silence.timer.is_elapsed() {
                return Poll::Pending;
            }
        }
    }

    /// Whether what was taken may not be written yet.
    #[inline]
    fn holds(&mut self, cx: &Context<'_>, number: u64) -> bool {
        if number == 0 || self.queue.poll_committed(cx, number) == Poll::Ready(Ok(())) {
            return false;
        }
        std::mem::swap(&mut self.writing, &mut self.held);
        self.awaited = Some(number);
        true
    }

    /// What is held is to be written when it is committed; until then it counts as queued. A close
    /// ends the wait.
    fn poll_held(&mut self, cx: &Context<'_>, number: u64) -> Poll<Work> {
        match self.queue.poll_committed(cx, number) {
            Poll::Ready(Ok(())) => {
                self.release();
                return Poll::Ready(Work::Frames { is_all: false, awaited: 0 });
            }
            Poll::Ready(Err(broken)) => {
                self.queue.close(Closed::local(CloseCode::Internal, Fault::Sender, broken));
            }
            Poll::Pending => {}
        }
        if self.queue.poll_stuck(cx, &self.held, &mut self.counted) {
            return Poll::Ready(Work::End(None));
        }
        Poll::Pending
    }

    fn release(&mut self) {
        self.awaited = None;
        std::mem::swap(&mut self.writing, &mut self.held);
    }

    /// A close ends the wait for a peer that reads nothing.
    fn poll_stuck(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Stop>> {
        if self.queue.poll_stuck(cx, &self.writing, &mut self.counted) {
            return Poll::Ready(Ok(Stop::Closed));
        }
        Poll::Pending
    }

    /// Sends what is left. The peer may still be writing: what it writes is taken from it until it
    /// ends its side too. Otherwise it might never come to reading, and a socket that is closed
    /// with bytes unread throws away what the peer has not read, the Goodbye first of all.
    async fn say_goodbye(&mut self, rest: oneshot::Receiver<reader::Io>) -> io::Result<()> {
        let ending = self.queue.ending();
        match ending {
            Ending::Whole => {}
            Ending::Short => {
                self.writing.truncate(usize::from(self.is_begun));
                (self.held, self.awaited) = (VecDeque::new(), None);
            }
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
            if let Some(number) = self.awaited {
                poll_fn(|cx| self.queue.poll_committed(cx, number)).await?;
                self.release();
                continue;
            }
            let Self { queue, writing, counted, .. } = self;
            match poll_fn(|cx| queue.poll_work(cx, writing, counted)).await {
                Work::Frames { awaited, .. } => {
                    poll_fn(|cx| queue.poll_committed(cx, awaited)).await?;
                }
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
        while let Some((_, frame)) = self.writing.front_mut().filter(|_| bytes > 0) {
            self.is_begun = bytes < frame.len();
            if self.is_begun {
                frame.advance(bytes);
                break;
            }
            bytes -= frame.len();
            self.writing.pop_front();
        }
        Ok(())
    }
}

impl Drop for Writer {
    /// Without a writer nobody is heard: a transport has panicked, or the arbiter has ended.
    fn drop(&mut self) {
        self.queue.close(Closed::transport("what wrote this connection ended without a word"));
        self.queue.empty();
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
        return Pin::new(io).poll_write(cx, frame);
    }
    let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
    let count = writing.len().min(WRITE_SLICES_MAX);
    for (slice, (_, frame)) in slices.iter_mut().zip(writing) {
        *slice = IoSlice::new(frame);
    }
    Pin::new(io).poll_write_vectored(cx, &slices[..count])
}
