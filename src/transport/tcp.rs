//! Streams over TCP.
//!
//! In comes an address `tcp://HOST:PORT`, the host a name, an IPv4 address or an IPv6 address
//! in brackets; out come streams with Nagle's algorithm off on both sides, since the
//! connection above writes whole batches and flushes at the end of a turn.
//!
//! It has no time limit and no keepalive: the caller limits `connect`, and the heartbeat of
//! the connection finds the dead. Dropping a writer sends FIN. Dropping a reader tells the
//! other end nothing, which therefore waits once the buffers of both kernels are full.
//!
//! # Wire
//!
//! The first write to a stream has at least 4 bytes. When more callers wait than the backlog
//! holds (1024, or less where the kernel says so), Linux falls back to SYN cookies and drops
//! what comes early; a cookie takes a segment that starts up to 3 bytes late for the first
//! one, so those bytes would be lost in silence. From 4 bytes on such a stream is reset, and
//! its client tries again. (Tried on Linux 6.18 with 300 callers and a backlog of 128: of
//! first writes of 1 or 3 bytes 41 were lost, of 4 or 64 bytes 41 streams were reset.)

mod settle;

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::net;

use super::address::{AddressError, Authority};
use super::{Connector, Duplex, ListenError, Listener, Opening};
use crate::limits::{ACCEPT_PAUSE, TCP_BACKLOG_MAX};

/// The calling end. A name is resolved anew for each stream, and its addresses are tried in
/// the resolver's order.
///
/// # Errors
///
/// `connect` fails with the kind of error that the system gave for the last address tried;
/// its message names the address.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{AddressError, Connector, tcp::TcpConnector};
///
/// assert_eq!(TcpConnector::new("tcp://[::1]:8787")?.address(), "tcp://[::1]:8787");
/// let unbracketed = TcpConnector::new("tcp://::1:8787");
/// assert!(matches!(unbracketed, Err(AddressError::BadHost { .. })));
/// # Ok::<(), AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TcpConnector {
    remote: Authority,
}

impl TcpConnector {
    /// Makes a connector to `tcp://HOST:PORT`; nothing is resolved or opened yet.
    ///
    /// # Errors
    ///
    /// [`AddressError`] when the address cannot be understood, or has port 0.
    pub fn new(url: &str) -> Result<Self, AddressError> {
        Ok(Self { remote: Authority::parse_remote(url)? })
    }

    async fn dial(&self) -> io::Result<(net::TcpStream, SocketAddr)> {
        let Authority { host, port } = &self.remote;
        let stream = net::TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    fn unreachable(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot connect to {}: {error}", self.address()))
    }
}

impl Connector for TcpConnector {
    fn connect(&self) -> Opening<'_, Duplex> {
        Box::pin(async {
            let dialled = self.dial().await.map_err(|error| self.unreachable(&error))?;
            Ok(duplex(dialled))
        })
    }

    fn address(&self) -> String {
        format!("tcp://{}", self.remote)
    }
}

/// The called end. A stream that it has taken belongs to the runtime that first reads or writes
/// it: a hub uses it on another thread than the one that listens.
///
/// # Errors
///
/// `accept` sits out what passes, so that one bad stream or one bad minute never ends the
/// listener:
///
/// - A stream that failed before it was taken (`ConnectionAborted` and the like) is passed
///   over at once.
/// - When the system lacks descriptors or memory (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`), and
///   at any error not known to be final, it warns in the log, rests for 200 ms and tries again;
///   callers wait in the kernel's backlog meanwhile.
/// - Only `InvalidInput` (the socket does not listen any more) is final.
///
/// # Panics
///
/// Outside a tokio runtime with both its drivers, for sockets and for time.
///
/// # Examples
///
/// ```
/// use actix_multiplex::transport::{Connector, Listener};
/// use actix_multiplex::transport::tcp::{TcpConnector, TcpListener};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut listener = TcpListener::bind("tcp://127.0.0.1:0").await?;
/// let connector = TcpConnector::new(&listener.address())?;
/// let (mut alec, mut hub) = tokio::try_join!(connector.connect(), listener.accept())?;
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
#[derive(Debug)]
pub struct TcpListener {
    socket: net::TcpListener,
    local: SocketAddr,
}

impl TcpListener {
    /// Listens at `tcp://HOST:PORT`; with port 0 at any that is free, which
    /// [`address`](Listener::address) tells. A host such as 0.0.0.0 is told as it is.
    ///
    /// # Errors
    ///
    /// [`ListenError`] when the address cannot be understood or cannot be had.
    pub async fn bind(url: &str) -> Result<Self, ListenError> {
        let wanted = Authority::parse(url)?;
        Self::open(&wanted)
            .await
            .map_err(|reason| ListenError::Bind { address: format!("tcp://{wanted}"), reason })
    }

    /// Listens at the first address of the host that can be had.
    async fn open(Authority { host, port }: &Authority) -> io::Result<Self> {
        let nowhere = io::Error::new(ErrorKind::NotFound, "the host has no address");
        let mut opened = Err(nowhere);
        for local in net::lookup_host((host.as_str(), *port)).await? {
            opened = Self::open_at(local);
            if opened.is_ok() {
                break;
            }
        }
        opened
    }

    fn open_at(local: SocketAddr) -> io::Result<Self> {
        let socket = match local {
            SocketAddr::V4(_) => net::TcpSocket::new_v4()?,
            SocketAddr::V6(_) => net::TcpSocket::new_v6()?,
        };
        // A hub that restarts gets its port back at once. On Windows the option would let
        // two hubs have one port.
        socket.set_reuseaddr(cfg!(not(windows)))?;
        socket.bind(local)?;
        let socket = socket.listen(TCP_BACKLOG_MAX)?;
        let local = socket.local_addr()?;
        Ok(Self { socket, local })
    }

    async fn next(&mut self) -> io::Result<(net::TcpStream, SocketAddr)> {
        let address = self.address();
        persist(&address, |cx| self.poll_next(cx)).await
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<io::Result<(net::TcpStream, SocketAddr)>> {
        self.socket.poll_accept(cx).map(|accepted| {
            let (stream, peer) = accepted?;
            stream.set_nodelay(true).map_err(lost_stream)?;
            Ok((stream, peer))
        })
    }
}

impl Listener for TcpListener {
    fn accept(&mut self) -> Opening<'_, Duplex> {
        Box::pin(async {
            loop {
                let (stream, peer) = self.next().await?;
                match settle::unsettle(stream) {
                    Ok((reader, writer)) => {
                        return Ok(Duplex::new(reader, writer, format!("tcp://{peer}")));
                    }
                    Err(error) => tracing::debug!(%peer, %error, "a stream failed when taken"),
                }
            }
        })
    }

    fn address(&self) -> String {
        format!("tcp://{}", self.local)
    }
}

/// What a listener does about an error.
#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    /// The error was one stream's own: take the next at once.
    PassOver,
    /// The error may pass: rest, then try again.
    Rest,
    /// The listener is of no more use.
    End,
}

impl Remedy {
    fn of(error: &io::Error) -> Self {
        match error.kind() {
            // Some systems hand on errors of the new stream as errors of accept(2). That of a
            // firewall or sandbox (EPERM) is not one of them: it may come again and again.
            ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::Interrupted
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::TimedOut => Self::PassOver,
            ErrorKind::InvalidInput => Self::End,
            // EMFILE, ENFILE, ENOBUFS and ENOMEM, of which std names only the last, and what
            // no one foresaw: a listener that rests too often beats one that is gone.
            _ => Self::Rest,
        }
    }
}

/// Polls until there is a stream or a final error.
async fn persist<T>(
    address: &str,
    mut poll_next: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> io::Result<T> {
    loop {
        let error = match poll_fn(&mut poll_next).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        match Remedy::of(&error) {
            Remedy::PassOver => tracing::debug!(%address, %error, "a stream failed when taken"),
            Remedy::Rest => {
                tracing::warn!(%address, %error, "cannot accept; trying again in {ACCEPT_PAUSE:?}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Remedy::End => return Err(error),
        }
    }
}

/// An option that cannot be set belongs to a stream already gone, whatever the system calls it
/// (macOS says `EINVAL`).
fn lost_stream(error: io::Error) -> io::Error {
    io::Error::new(ErrorKind::ConnectionAborted, error)
}

fn duplex((stream, peer): (net::TcpStream, SocketAddr)) -> Duplex {
    let (reader, writer) = stream.into_split();
    Duplex::new(reader, writer, format!("tcp://{peer}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test]
    async fn nagle_is_off_on_both_sides() {
        let mut listener = TcpListener::bind("tcp://127.0.0.1:0").await.unwrap();
        let connector = TcpConnector::new(&listener.address()).unwrap();
        let ((near, _), (far, _)) = tokio::try_join!(connector.dial(), listener.next()).unwrap();
        assert!(near.nodelay().unwrap());
        assert!(far.nodelay().unwrap());
    }

    /// Runs `persist` over errors that come first, and one stream after them.
    async fn accept_after(errors: Vec<io::Error>) -> io::Result<&'static str> {
        let mut errors = errors.into_iter();
        persist("tcp://test", |_| Poll::Ready(errors.next().map_or(Ok("stream"), Err))).await
    }

    #[tokio::test(start_paused = true)]
    async fn streams_that_failed_are_passed_over_at_once() {
        let start = Instant::now();
        let aborted = (0..100).map(|_| ErrorKind::ConnectionAborted.into()).collect();
        assert_eq!(accept_after(aborted).await.unwrap(), "stream");
        assert_eq!(start.elapsed().as_millis(), 0);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn a_listener_rests_while_the_system_gives_no_stream() {
        let start = Instant::now();
        // EPERM, ENOMEM, ENFILE, EMFILE, EPROTO, ENOBUFS.
        let errors = [1, 12, 23, 24, 71, 105].map(io::Error::from_raw_os_error);
        assert_eq!(accept_after(errors.into()).await.unwrap(), "stream");
        // The clock rounds a sleep up to the next millisecond.
        assert_eq!(start.elapsed().as_millis() / 100, 6 * ACCEPT_PAUSE.as_millis() / 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_does_not_listen_ends_the_listener() {
        let refused = accept_after(vec![ErrorKind::InvalidInput.into()]).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
