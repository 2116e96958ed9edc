//! A transport that takes no time: bytes that are there are read, and what is written is counted.
//!
//! In the place of a socket, and like one it takes many frames in one write. A pipe would add its
//! own cost to every figure.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use actix_multiplex::{
    transport::{Connector, Duplex, Listener, Opening},
    wire::{Frame, Split, split},
};
use bytes::{Buf, Bytes};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};

/// The benchmark's end of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Each is brought by one read, as far as there is room.
    said: VecDeque<Bytes>,
    reader: Option<Waker>,
    /// What was written until it was to be counted only.
    heard: Vec<u8>,
    counts: bool,
    heard_bytes: usize,
}

/// The other end's half that reads.
struct Mouth(Line);
/// The other end's half that writes.
struct Ear(Line);

impl Line {
    pub(crate) fn duplex(&self) -> Duplex {
        Duplex::new(Mouth(self.clone()), Ear(self.clone()), "line")
    }

    /// These bytes come with one read.
    pub(crate) fn say(&self, bytes: Bytes) {
        let mut state = self.state();
        state.said.push_back(bytes);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// The next frame that was written.
    pub(crate) fn hear(&self) -> Frame {
        let mut state = self.state();
        let whole = split(&state.heard).expect("frames are written");
        assert!(matches!(whole, Split::Whole(_)), "nothing was written");
        let length = u32::from_le_bytes(*state.heard.first_chunk().expect("a prefix")) as usize;
        let frame: Vec<u8> = state.heard.drain(..4 + length).skip(4).collect();
        Frame::decode(&frame.into()).expect("frames are written")
    }

    /// From now on bytes are counted and not kept.
    pub(crate) fn count(&self) {
        let mut state = self.state();
        (state.counts, state.heard_bytes) = (true, 0);
    }

    /// Bytes written since.
    pub(crate) fn counted(&self) -> usize {
        self.state().heard_bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nothing panics here")
    }
}

impl Connector for Line {
    fn connect(&self) -> Opening<'_, Duplex> {
        Box::pin(async { Ok(self.duplex()) })
    }

    fn address(&self) -> String {
        "line".to_owned()
    }
}

/// Takes lines.
#[derive(Debug)]
pub(crate) struct Lines(pub(crate) mpsc::UnboundedReceiver<Line>);

impl Listener for Lines {
    fn accept(&mut self) -> Opening<'_, Duplex> {
        Box::pin(async {
            let line = self.0.recv().await;
            line.map(|line| line.duplex()).ok_or(io::ErrorKind::NotConnected.into())
        })
    }

    fn address(&self) -> String {
        "line".to_owned()
    }
}

impl AsyncRead for Mouth {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.state();
        let Some(bytes) = state.said.front_mut() else {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let taken = bytes.len().min(buffer.remaining());
        buffer.put_slice(&bytes[..taken]);
        bytes.advance(taken);
        if bytes.is_empty() {
            state.said.pop_front();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ear {
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
        let mut state = self.0.state();
        let bytes = slices.iter().map(|slice| slice.len()).sum();
        state.heard_bytes += bytes;
        if !state.counts {
            for slice in slices {
                state.heard.extend_from_slice(slice);
            }
        }
        Poll::Ready(Ok(bytes))
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
