//! Streams that are taken on one thread and used on another.
//!
//! A socket's readiness comes from the runtime that it is registered with. Taken by a listener
//! it is registered with the listener's; if that thread stood still, so would every stream that
//! it has taken, on whatever thread they are used. So a taken stream belongs to no runtime until
//! one of its halves is first polled, and from then on to the one that polled it.

use std::{
    io,
    net::Shutdown,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Takes a stream out of the runtime that it is registered with.
pub(super) fn unsettle(stream: TcpStream) -> io::Result<(Reader, Writer)> {
    let unsettled = Some(stream.into_std()?);
    let stream = Arc::new(Mutex::new(Stream { unsettled, ..Stream::default() }));
    Ok((Reader { half: None, stream: stream.clone() }, Writer { half: None, stream }))
}

/// What the other end sends.
#[derive(Debug)]
pub(super) struct Reader {
    half: Option<OwnedReadHalf>,
    stream: Arc<Mutex<Stream>>,
}

/// What the other end is sent.
#[derive(Debug)]
pub(super) struct Writer {
    half: Option<OwnedWriteHalf>,
    stream: Arc<Mutex<Stream>>,
}

/// What the halves have not taken for themselves.
#[derive(Debug, Default)]
struct Stream {
    unsettled: Option<std::net::TcpStream>,
    reader: Option<OwnedReadHalf>,
    writer: Option<OwnedWriteHalf>,
}

impl Stream {
    /// Registers the stream with the runtime of this thread, if it is with none.
    fn settle(&mut self) -> io::Result<&mut Self> {
        if let Some(stream) = self.unsettled.take() {
            let (reader, writer) = TcpStream::from_std(stream)?.into_split();
            (self.reader, self.writer) = (Some(reader), Some(writer));
        }
        Ok(self)
    }
}

impl Reader {
    fn half(&mut self) -> io::Result<Pin<&mut OwnedReadHalf>> {
        if self.half.is_none() {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            self.half = stream.settle()?.reader.take();
        }
        self.half.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Writer {
    fn half(&mut self) -> io::Result<Pin<&mut OwnedWriteHalf>> {
        if self.half.is_none() {
            let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
            self.half = stream.settle()?.writer.take();
        }
        self.half.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.half()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.half()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.half()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.half()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.half()?.poll_shutdown(cx)
    }
}

/// A writer that is dropped ends its direction, settled or not.
impl Drop for Writer {
    fn drop(&mut self) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        stream.writer = None;
        if let Some(stream) = &stream.unsettled {
            // A stream that the other end has closed already needs no end.
            let _gone = stream.shutdown(Shutdown::Write);
        }
    }
}
