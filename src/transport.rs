//! Byte streams between a hub and its clients: who opens them, and who takes them.
//!
//! In comes an address, or nothing where both ends share a process; out come [`Duplex`]
//! streams, whose two halves are owned separately. A [`Connector`] opens them, a [`Listener`]
//! takes them. [`tcp`] goes over sockets, [`memory`] stays within the process; a program that
//! needs another way implements the two traits.
//!
//! A transport does not know what the bytes mean, does not retry, and keeps no time: frames,
//! heartbeats and close reasons belong to the connection above it, backoff and the patience
//! for one `connect` to the client.
//!
//! # Ordering
//!
//! The bytes of one direction arrive whole and in order, or the stream ends. Nothing is
//! promised between the two directions, nor between two streams.

mod address;
pub mod memory;
pub mod tcp;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

pub use self::address::AddressError;
use self::address::Scheme;
use self::tcp::{TcpConnector, TcpListener};

/// One live byte stream in both directions, its halves owned separately.
///
/// Dropping the writer ends that direction: the other side reads what was written before, and
/// then the end of the stream. The other direction goes on until it ends by itself.
///
/// The writer takes many slices in one call (`is_write_vectored`) on both transports of this
/// crate, so queued chunks need not be copied together first.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::Duplex;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut echo = Duplex::new(&b"croak"[..], tokio::io::sink(), "a recording");
/// let mut heard = String::new();
/// echo.reader.read_to_string(&mut heard).await?;
/// echo.writer.write_all(heard.as_bytes()).await?;
/// assert_eq!(heard, "croak");
/// # Ok(())
/// # }
/// ```
pub struct Duplex {
    /// What the other end sends.
    pub reader: Box<dyn AsyncRead + Send + Unpin>,
    /// What the other end is sent.
    pub writer: Box<dyn AsyncWrite + Send + Unpin>,
    /// Who is at the other end, for logs; nothing is decided by it.
    pub peer: String,
}

impl Duplex {
    /// Joins two halves into one stream.
    pub fn new(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        peer: impl Into<String>,
    ) -> Self {
        Self { reader: Box::new(reader), writer: Box::new(writer), peer: peer.into() }
    }
}

impl fmt::Debug for Duplex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Duplex").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// A stream that is being opened, or whatever else a transport takes its time for.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{Duplex, Opening};
///
/// fn nowhere() -> Opening<'static, Duplex> {
///     Box::pin(async { Err(std::io::ErrorKind::AddrNotAvailable.into()) })
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(nowhere().await.is_err());
/// # }
/// ```
pub type Opening<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// The calling end: opens a new stream to one address, as often as it is asked.
///
/// # Examples
///
/// A connector that counts the streams it opens:
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use actix_multiplex::transport::memory::{self, MemoryConnector};
/// use actix_multiplex::transport::{Connector, Duplex, Opening};
///
/// #[derive(Debug)]
/// struct Counting {
///     inner: MemoryConnector,
///     opened: AtomicUsize,
/// }
///
/// impl Connector for Counting {
///     fn connect(&self) -> Opening<'_, Duplex> {
///         self.opened.fetch_add(1, Ordering::Relaxed);
///         self.inner.connect()
///     }
///
///     fn address(&self) -> String {
///         self.inner.address()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (inner, _listener) = memory::channel("pond");
/// let counting = Counting { inner, opened: AtomicUsize::new(0) };
/// counting.connect().await?;
/// assert_eq!(counting.opened.load(Ordering::Relaxed), 1);
/// # Ok(())
/// # }
/// ```
pub trait Connector: Send + Sync + fmt::Debug + 'static {
    /// Opens one stream.
    ///
    /// It has no time limit of its own: a caller without endless patience puts one around it.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused` when nobody listens there, and whatever else the transport meets.
    /// Nothing is left behind; the caller may try again, after a backoff.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it closes what it had begun.
    fn connect(&self) -> Opening<'_, Duplex>;

    /// Where the streams lead, for logs and errors.
    fn address(&self) -> String;
}

/// The called end: takes streams that others open.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::Listener;
///
/// async fn serve(mut listener: Box<dyn Listener>) -> std::io::Error {
///     loop {
///         match listener.accept().await {
///             Ok(stream) => println!("{} called", stream.peer),
///             Err(error) => return error,
///         }
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (connector, listener) = actix_multiplex::transport::memory::channel("pond");
/// drop(connector);
/// let error = serve(Box::new(listener)).await;
/// assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
/// # }
/// ```
pub trait Listener: Send + fmt::Debug + 'static {
    /// Takes the next stream.
    ///
    /// # Errors
    ///
    /// An error is final: no stream will come from this listener any more, and the caller
    /// drops it. Trouble with a single stream, or trouble that passes, is the listener's own
    /// to sit out.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is ready, it loses no stream: the next call takes it.
    fn accept(&mut self) -> Opening<'_, Duplex>;

    /// Where others reach this listener: for logs, and for a connector where there is a
    /// scheme to write it in.
    fn address(&self) -> String;
}

/// Makes a connector for an address such as `tcp://pond.example:8787`.
///
/// Nothing is opened and no name is resolved yet.
///
/// # Errors
///
/// [`AddressError`] when the address cannot be understood; trying again does not help.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{self, AddressError};
///
/// assert_eq!(transport::connector("tcp://localhost:8787")?.address(), "tcp://localhost:8787");
/// assert!(matches!(
///     transport::connector("gopher://localhost:70"),
///     Err(AddressError::UnknownScheme { .. })
/// ));
/// # Ok::<(), AddressError>(())
/// ```
pub fn connector(url: &str) -> Result<Arc<dyn Connector>, AddressError> {
    match Scheme::of(url)? {
        Scheme::Tcp => Ok(Arc::new(TcpConnector::new(url)?)),
    }
}

/// Listens at an address such as `tcp://0.0.0.0:8787`.
///
/// # Errors
///
/// [`ListenError`] when the address cannot be understood or cannot be had.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut listener = transport::listener("tcp://127.0.0.1:0").await?;
/// let connector = transport::connector(&listener.address())?;
/// let (near, far) = tokio::try_join!(connector.connect(), listener.accept())?;
/// assert_eq!(near.peer, listener.address());
/// assert!(far.peer.starts_with("tcp://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
pub async fn listener(url: &str) -> Result<Box<dyn Listener>, ListenError> {
    match Scheme::of(url)? {
        Scheme::Tcp => Ok(Box::new(TcpListener::bind(url).await?)),
    }
}

/// Why nobody listens at an address; always a local matter.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{self, ListenError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ListenError> {
/// let first = transport::listener("tcp://127.0.0.1:0").await?;
/// let second = transport::listener(&first.address()).await;
/// assert!(matches!(second, Err(ListenError::Bind { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address cannot be understood; the operator writes it anew.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The system does not give the address: it is in use, not ours, forbidden or unknown.
    #[error("cannot listen at {address}: {reason}")]
    Bind {
        /// The address asked for.
        address: String,
        /// What the system said.
        reason: io::Error,
    },
}
