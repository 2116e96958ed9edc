//! A transport whose far end takes what is written, at most 64 KiB at a time, and writes down in
//! which order it came; or takes nothing for a while.

use std::{
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use actix_multiplex::{
    ObjectId,
    transport::{Duplex, Listener, Opening},
    wire::Frame,
};
use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::yield_now,
};

use super::PATIENCE;

/// More than any case here says before it looks: as a socket's buffer, it is filled at once.
const PIPE_BYTES: usize = 1 << 20;
/// Bytes that the far end takes at a time.
pub(super) const WRITE_BYTES: usize = 65_536;

/// Makes a listener, and what opens lines to it.
pub(super) fn lines() -> (Lines, Switchboard) {
    let (calls, backlog) = unbounded_channel();
    (Lines { calls, book: Book::default(), opened: 0 }, Switchboard(backlog))
}

/// Opens lines, which are numbered from 0.
pub(super) struct Lines {
    calls: UnboundedSender<Duplex>,
    book: Book,
    opened: usize,
}

impl Lines {
    pub(super) fn open(&mut self) -> Line {
        let (near, far) = duplex(PIPE_BYTES);
        let (number, gate) = (self.opened, Arc::<Gate>::default());
        self.opened += 1;
        let (book, partial) = (self.book.clone(), BytesMut::new());
        let pen = Pen { line: number, book, partial, gate: gate.clone() };
        self.calls.send(Duplex::new(far, pen, number.to_string())).expect("the hub listens");
        Line { number, up: near, gate }
    }

    pub(super) fn book(&self) -> &Book {
        &self.book
    }
}

/// The calling end of a line.
pub(super) struct Line {
    pub(super) number: usize,
    up: DuplexStream,
    gate: Arc<Gate>,
}

/// Whether the far end is stuck, and the writer that waits for it.
type Gate = Mutex<(bool, Option<Waker>)>;

impl Line {
    pub(super) async fn say(&mut self, bytes: &[u8]) {
        self.up.write_all(bytes).await.expect("the hub reads");
    }

    /// Takes nothing, or goes on.
    pub(super) fn stick(&self, is_stuck: bool) {
        let mut gate = self.gate.lock().expect("nobody panics");
        gate.0 = is_stuck;
        if let Some(writer) = gate.1.take() {
            writer.wake();
        }
    }
}

/// What was written, in its order, on all lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Book(Arc<Mutex<Vec<(usize, Frame)>>>);

impl Book {
    /// How many frames were written.
    pub(super) fn len(&self) -> usize {
        self.0.lock().expect("nobody panics").len()
    }

    pub(super) fn frames(&self, range: Range<usize>) -> Vec<(usize, Frame)> {
        self.0.lock().expect("nobody panics")[range].to_vec()
    }

    pub(super) fn since(&self, from: usize) -> Vec<(usize, Frame)> {
        self.frames(from..self.len())
    }

    /// Waits for a batch of the object from this place on. Returns its own place.
    pub(super) async fn next_batch(&self, from: usize, object: ObjectId) -> usize {
        for _ in 0..PATIENCE {
            if let Some(at) = self.find_batch(from, object) {
                return from + at;
            }
            yield_now().await;
        }
        panic!("nothing was heard of {object}");
    }

    fn find_batch(&self, from: usize, object: ObjectId) -> Option<usize> {
        let book = self.0.lock().expect("nobody panics");
        book[from..].iter().position(|(_, frame)| match frame {
            Frame::Batch(batch) => batch.object == object,
            _ => false,
        })
    }

    /// Writes down the frames that are whole.
    fn enter(&self, line: usize, bytes: &mut BytesMut) {
        let mut book = self.0.lock().expect("nobody panics");
        while let Some(prefix) = bytes.first_chunk::<4>() {
            let end = 4 + u32::from_le_bytes(*prefix) as usize;
            if bytes.len() < end {
                return;
            }
            let mut frame = bytes.split_to(end).freeze();
            frame.advance(4);
            book.push((line, Frame::decode(&frame).expect("the hub writes frames")));
        }
    }
}

/// The called end.
#[derive(Debug)]
pub(super) struct Switchboard(UnboundedReceiver<Duplex>);

impl Listener for Switchboard {
    fn accept(&mut self) -> Opening<'_, Duplex> {
        Box::pin(async { self.0.recv().await.ok_or_else(|| io::ErrorKind::NotConnected.into()) })
    }

    fn address(&self) -> String {
        "recorder".to_owned()
    }
}

/// Writes down what one line is written.
struct Pen {
    line: usize,
    book: Book,
    partial: BytesMut,
    gate: Arc<Gate>,
}

impl AsyncWrite for Pen {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut gate = self.gate.lock().expect("nobody panics");
        if gate.0 {
            gate.1 = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(gate);
        let Self { line, book, partial, .. } = &mut *self;
        let before = partial.len();
        for slice in slices {
            let room = WRITE_BYTES - (partial.len() - before);
            partial.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        let taken = partial.len() - before;
        book.enter(*line, partial);
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
