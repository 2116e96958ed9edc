//! Streams within one process: pipes of bounded size, and a bounded backlog.
//!
//! A [`MemoryConnector`] makes two pipes and hands their far ends to its
//! [`MemoryListener`]. Both may live on different threads, or on one thread under a paused
//! clock: nothing here spawns, reads a clock or touches the system. A hub in the program's
//! own process and every simulated network use it.
//!
//! It does not look at the bytes, and there is no directory of labels: a listener is reached
//! through its connector alone, and its address is for logs only.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::sync::mpsc;

use super::{Connector, Duplex, Listener, Opening};
use crate::limits::{MEMORY_BACKLOG_MAX, MEMORY_PIPE_BYTES_MAX};

/// Makes a listener, and the connector that reaches it.
///
/// Each direction of a stream holds at most 64 KiB: a writer ahead of its reader waits. At
/// most 128 streams wait to be accepted: a `connect` past that waits too.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{Connector, Listener, memory};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (connector, mut listener) = memory::channel("pond");
/// let mut alec = connector.connect().await?;
/// let mut hub = listener.accept().await?;
///
/// alec.writer.write_all(b"croak").await?;
/// drop(alec.writer);
///
/// let mut heard = String::new();
/// hub.reader.read_to_string(&mut heard).await?;
/// assert_eq!(heard, "croak");
/// # Ok(())
/// # }
/// ```
pub fn channel(label: impl Into<Arc<str>>) -> (MemoryConnector, MemoryListener) {
    let (calls, backlog) = mpsc::channel(MEMORY_BACKLOG_MAX);
    let label = label.into();
    let connector = MemoryConnector { label: label.clone(), calls, opened: Arc::default() };
    (connector, MemoryListener { label, backlog })
}

/// The calling end; its clones reach the same listener.
///
/// # Errors
///
/// `connect` fails with `ConnectionRefused` when the listener is gone, and with nothing else.
/// A reader that is dropped makes the writes of the other end fail with `BrokenPipe`.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{Connector, memory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (connector, listener) = memory::channel("pond");
/// drop(listener);
/// let refused = connector.connect().await.unwrap_err();
/// assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryConnector {
    label: Arc<str>,
    calls: mpsc::Sender<Duplex>,
    /// Streams opened through this connector and its clones, to tell them apart in logs.
    opened: Arc<AtomicU64>,
}

impl MemoryConnector {
    async fn open(&self) -> io::Result<Duplex> {
        let place = self.calls.reserve().await.map_err(|_| self.refused())?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let (near_reader, far_writer) = pipe();
        let (far_reader, near_writer) = pipe();
        let caller = format!("{}#{number}", self.address());
        place.send(Duplex::new(far_reader, far_writer, caller));
        Ok(Duplex::new(near_reader, near_writer, self.address()))
    }

    fn refused(&self) -> io::Error {
        let message = format!("nobody listens at {}: its listener is gone", self.address());
        io::Error::new(io::ErrorKind::ConnectionRefused, message)
    }
}

impl Connector for MemoryConnector {
    fn connect(&self) -> Opening<'_, Duplex> {
        Box::pin(self.open())
    }

    fn address(&self) -> String {
        address(&self.label)
    }
}

impl fmt::Debug for MemoryConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opened = self.opened.load(Ordering::Relaxed);
        f.debug_struct("MemoryConnector")
            .field("label", &self.label)
            .field("opened", &opened)
            .finish_non_exhaustive()
    }
}

/// The called end. Dropping it refuses later callers and ends the streams not yet accepted.
///
/// # Errors
///
/// `accept` fails with `NotConnected` when every connector is gone and every stream they
/// opened has been taken, and with nothing else.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{Connector, Listener, memory};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (connector, mut listener) = memory::channel("pond");
/// assert_eq!(listener.address(), "memory://pond");
/// connector.connect().await?;
/// assert_eq!(listener.accept().await?.peer, "memory://pond#1");
/// # Ok(())
/// # }
/// ```
pub struct MemoryListener {
    label: Arc<str>,
    backlog: mpsc::Receiver<Duplex>,
}

impl MemoryListener {
    async fn next(&mut self) -> io::Result<Duplex> {
        let address = address(&self.label);
        self.backlog.recv().await.ok_or_else(|| {
            let message = format!("nobody can call {address}: its last connector is gone");
            io::Error::new(io::ErrorKind::NotConnected, message)
        })
    }
}

impl Listener for MemoryListener {
    fn accept(&mut self) -> Opening<'_, Duplex> {
        Box::pin(self.next())
    }

    fn address(&self) -> String {
        address(&self.label)
    }
}

impl fmt::Debug for MemoryListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryListener")
            .field("label", &self.label)
            .field("waiting", &self.backlog.len())
            .finish_non_exhaustive()
    }
}

fn address(label: &str) -> String {
    format!("memory://{label}")
}

/// One direction: what goes into the writer comes out of the reader.
///
/// It is a whole `tokio::io::duplex` of which one direction stays empty (and takes no
/// buffer), because only its ends notice each other's drop: the halves of `simplex` and of
/// `split` share one stream, which ends when both of them are gone.
fn pipe() -> (impl AsyncRead + Send + Unpin, impl AsyncWrite + Send + Unpin) {
    duplex(MEMORY_PIPE_BYTES_MAX)
}
