//! Reads whole frames from a peer, as many as one read brings, and judges its silence.

use std::{
    cell::RefCell,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{BufMut, Bytes};
use futures_core::Stream;
use tokio::{
    io::{AsyncRead, AsyncReadExt, ReadBuf},
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};

use super::{Closed, Closer, Inward, Queue};
use crate::{
    limits::{BURST_FRAMES_MAX, INWARD_BYTES_MAX, READ_BYTES},
    wire::{CloseCode, Fault, Frame, FrameError, Limits, Split, split},
};

thread_local! {
    /// Where connections read to. One for all of a thread, so that an idle connection holds no
    /// buffer. What was read is copied out of it: 64 KiB take a few microseconds, and nothing that
    /// is kept of a burst keeps more than the burst.
    static SCRATCH: RefCell<Box<[u8]>> =
        RefCell::new(vec![0; PARTIAL_MOVED_MAX + READ_BYTES].into_boxed_slice());
}

/// Bytes of a partial frame that are moved before what is read next, so that one read brings many
/// small frames. A larger one is completed where it is: it may come byte by byte.
const PARTIAL_MOVED_MAX: usize = 4_096;

/// Yields what a peer sends, in bursts of whole frames; at last why the connection is closed.
///
/// It stops reading while the inward bound is reached. Silence is judged only while it reads.
pub(crate) struct Reader {
    io: Io,
    /// Where `io` goes when nothing is read any more.
    left: Option<oneshot::Sender<Io>>,
    queue: Arc<Queue>,
    inward: Arc<Inward>,
    /// Whole frames that were read and are not handed on.
    rest: Burst,
    /// The beginning of a frame; empty between frames.
    partial: Vec<u8>,
    /// Bytes that the frame of `partial` will have, as far as is known.
    wanted: usize,
    silence_max: Duration,
    silence: Pin<Box<Sleep>>,
    last: Instant,
    /// It has stopped at the inward bound.
    held_up: bool,
    /// Bytes read since the connection was lost.
    last_words: usize,
}

pub(super) type Io = Box<dyn AsyncRead + Send + Unpin>;

impl Reader {
    pub(super) fn new(
        io: Io,
        left: oneshot::Sender<Io>,
        queue: Arc<Queue>,
        limits: Limits,
    ) -> Self {
        let silence_max = Duration::from_millis(limits.silence_ms.into());
        Self {
            io,
            left: Some(left),
            queue,
            inward: Arc::default(),
            rest: Burst::new(Bytes::new()),
            partial: Vec::new(),
            wanted: 0,
            silence_max,
            silence: Box::pin(sleep(silence_max)),
            last: Instant::now(),
            held_up: false,
            last_words: 0,
        }
    }

    /// Counts what is handed on; past its bound this reader stops.
    pub(crate) fn inward(&self) -> &Arc<Inward> {
        &self.inward
    }

    fn poll_burst(&mut self, cx: &mut Context<'_>) -> Poll<Result<Burst, Closed>> {
        loop {
            if let Poll::Ready(closed) = self.queue.poll_closed(cx) {
                return Poll::Ready(self.poll_last_words(closed, cx));
            }
            if self.inward.is_full(cx.waker()) {
                self.held_up = true;
                return Poll::Pending;
            }
            if std::mem::take(&mut self.held_up) {
                // While it did not read, it did not judge either.
                self.last = Instant::now();
            }
            let Poll::Ready(read) = self.poll_frames(cx) else {
                return Poll::Ready(Err(ready!(self.poll_silence(cx))));
            };
            self.last = Instant::now();
            if let Some(burst) = read? {
                return Poll::Ready(Ok(burst));
            }
        }
    }

    /// What came before the connection was lost is still read: it may say why.
    fn poll_last_words(&mut self, closed: Closed, cx: &mut Context<'_>) -> Result<Burst, Closed> {
        if closed.by == Closer::Transport {
            while self.last_words < INWARD_BYTES_MAX && self.inward.held() < INWARD_BYTES_MAX {
                match self.poll_frames(cx) {
                    Poll::Ready(Ok(Some(burst))) => {
                        self.last_words += burst.bytes.len();
                        return Ok(burst);
                    }
                    Poll::Ready(Ok(None)) => {}
                    _ => break,
                }
            }
        }
        Err(closed)
    }

    /// What is handed on next: of what was read before, else of what is read now.
    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Burst>, Closed>> {
        if self.rest.bytes.is_empty() {
            match ready!(self.poll_read(cx))? {
                Some(burst) => self.rest = burst,
                None => return Poll::Ready(Ok(None)),
            }
        }
        Poll::Ready(Ok(Some(self.rest.take_frames(BURST_FRAMES_MAX))))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Burst>, Closed>> {
        if self.partial.len() > PARTIAL_MOVED_MAX {
            return self.poll_complete(cx);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let before = self.partial.len();
            let mut buffer = ReadBuf::new(&mut scratch[..before + READ_BYTES]);
            buffer.put_slice(&self.partial);
            let read = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer));
            Poll::Ready(match read {
                Err(error) => Err(Closed::transport(error)),
                Ok(()) if buffer.filled().len() == before => Err(ended()),
                Ok(()) => self.take_whole(buffer.filled()),
            })
        })
    }

    /// Reads what is missing of a large frame.
    fn poll_complete(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Burst>, Closed>> {
        let missing = self.wanted - self.partial.len();
        self.partial.reserve_exact(missing);
        let mut missing = (&mut self.partial).limit(missing);
        Poll::Ready(match ready!(pin!(self.io.read_buf(&mut missing)).poll(cx)) {
            Err(error) => Err(Closed::transport(error)),
            Ok(0) => Err(ended()),
            Ok(_) if self.partial.len() < self.wanted => Ok(None),
            Ok(_) => Ok(Some(Burst::new(std::mem::take(&mut self.partial).into()))),
        })
    }

    /// Copies the whole frames out of what was read, and keeps the part of one behind them.
    fn take_whole(&mut self, read: &[u8]) -> Result<Option<Burst>, Closed> {
        self.partial.clear();
        match split(read)? {
            Split::Whole(bytes) => {
                let (whole, partial) = read.split_at(bytes);
                self.keep(partial)?;
                Ok(Some(Burst::new(Bytes::copy_from_slice(whole))))
            }
            Split::Partial(_) => {
                self.keep(read)?;
                Ok(None)
            }
        }
    }

    /// Keeps the part of a frame; between frames an idle connection holds nothing.
    fn keep(&mut self, partial: &[u8]) -> Result<(), Closed> {
        if partial.is_empty() {
            self.partial = Vec::new();
            return Ok(());
        }
        if let Split::Partial(wanted) = split(partial)? {
            self.wanted = wanted;
        }
        self.partial.extend_from_slice(partial);
        Ok(())
    }

    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        loop {
            ready!(self.silence.as_mut().poll(cx));
            let quiet = self.last.elapsed();
            if quiet >= self.silence_max {
                let reason = format!("nothing was heard for {} ms", quiet.as_millis());
                return Poll::Ready(Closed::local(CloseCode::Silent, Fault::Receiver, reason));
            }
            self.silence.as_mut().reset(self.last + self.silence_max);
        }
    }

    /// Reads nothing any more; the writer sees to the rest.
    fn end(&mut self) {
        if let Some(left) = self.left.take() {
            let io = std::mem::replace(&mut self.io, Box::new(tokio::io::empty()));
            let _writer_is_gone = left.send(io);
        }
    }
}

impl Stream for Reader {
    type Item = Result<Burst, Closed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left.is_none() {
            return Poll::Ready(None);
        }
        let burst = ready!(self.poll_burst(cx));
        if let Err(closed) = &burst {
            self.queue.close(closed.clone());
            self.end();
        }
        Poll::Ready(Some(burst))
    }
}

impl Drop for Reader {
    /// Without a reader nobody is there to answer: the actor that held it is gone.
    fn drop(&mut self) {
        let reason = "what read this connection ended without a word";
        self.queue.close(Closed::local(CloseCode::Internal, Fault::Sender, reason));
        self.end();
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("partial", &self.partial.len()).finish_non_exhaustive()
    }
}

fn ended() -> Closed {
    Closed::transport("the other side ended it without a goodbye")
}

/// Whole frames that one read of the socket brought; decoded as they are taken.
#[derive(Clone, Debug)]
pub(crate) struct Burst {
    pub(super) bytes: Bytes,
    /// Where the next frame begins, with its length prefix.
    at: usize,
}

impl Burst {
    /// `bytes` are whole frames with their length prefixes.
    pub(super) fn new(bytes: Bytes) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next frame, without its length prefix. It is not taken.
    pub(crate) fn peek(&self) -> Option<&[u8]> {
        let (prefix, rest) = self.bytes[self.at..].split_first_chunk::<4>()?;
        Some(&rest[..u32::from_le_bytes(*prefix) as usize])
    }

    /// Takes a frame of so many bytes that was looked at.
    pub(crate) fn pass_over(&mut self, bytes: usize) {
        self.at += 4 + bytes;
    }

    /// Where the next frame begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Reads the next frame. It is not taken.
    pub(crate) fn decode(&self) -> Result<Frame, FrameError> {
        let bytes = self.peek().map_or(0, <[u8]>::len);
        Frame::decode(&self.bytes.slice(self.at + 4..self.at + 4 + bytes))
    }

    /// The frames from `begin` to here. Few of many are copied: they may wait for long, and must
    /// not hold the rest.
    pub(crate) fn since(&self, begin: usize) -> Self {
        let frames = begin..self.at;
        if frames.len() < self.bytes.len() / 2 {
            return Self::new(Bytes::copy_from_slice(&self.bytes[frames]));
        }
        Self::new(self.bytes.slice(frames))
    }

    /// Bytes of the frames that were not taken.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Takes this many frames off, or all that there are. Parts are copied: each must hold no more
    /// memory than it has bytes.
    fn take_frames(&mut self, max: usize) -> Self {
        let mut at = 0;
        for _ in 0..max {
            let Some(prefix) = self.bytes[at..].first_chunk::<4>() else {
                return Self::new(std::mem::take(&mut self.bytes));
            };
            at += 4 + u32::from_le_bytes(*prefix) as usize;
        }
        let (taken, rest) = self.bytes.split_at(at);
        let (taken, rest) = (Bytes::copy_from_slice(taken), Bytes::copy_from_slice(rest));
        self.bytes = rest;
        Self::new(taken)
    }
}

impl Iterator for Burst {
    /// A frame, and its bytes on the wire.
    type Item = Result<(Frame, usize), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.peek()?.len();
        let frame = self.decode();
        self.pass_over(bytes);
        Some(frame.map(|frame| (frame, 4 + bytes)))
    }
}
