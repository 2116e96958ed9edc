//! Transports: the same promises over sockets and within a process.
//!
//! Sockets run in real time here, since the socket is the subject; nothing sleeps.

use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::thread;

use actix_multiplex::transport::memory::{self, MemoryConnector};
use actix_multiplex::transport::tcp::{TcpConnector, TcpListener};
use actix_multiplex::transport::{self, AddressError, Connector, Duplex, ListenError, Listener};
use futures_util::FutureExt;
use futures_util::future::{join, join_all, poll_fn};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::time::{Duration, Instant, timeout};
use tokio::{join, try_join};

/// How long a test of sockets waits for what would otherwise never come.
const PATIENCE: Duration = Duration::from_secs(10);

type Ends = (Arc<dyn Connector>, Box<dyn Listener>);

/// Runs each of the bodies below once over TCP and once over memory.
macro_rules! over_both {
    ($($body:ident),* $(,)?) => {
        mod over_tcp {
            $(#[tokio::test] async fn $body() { super::$body(super::tcp_ends().await).await; })*
        }
        mod over_memory {
            $(#[tokio::test] async fn $body() { super::$body(super::memory_ends()).await; })*
        }
    };
}

over_both! {
    bytes_arrive_whole_and_in_order_both_ways,
    one_write_takes_many_slices,
    a_dropped_writer_is_the_end_for_its_reader_alone,
    a_shut_down_writer_is_the_end_for_its_reader,
    a_stream_dropped_before_it_is_accepted_still_delivers_what_it_wrote,
    many_streams_are_kept_apart,
    a_stream_outlives_its_listener_and_connector,
    an_accept_given_up_loses_no_stream,
}

async fn tcp_ends() -> Ends {
    let listener = transport::listener("tcp://127.0.0.1:0").await.unwrap();
    (transport::connector(&listener.address()).unwrap(), listener)
}

fn memory_ends() -> Ends {
    let (connector, listener) = memory::channel("test");
    (Arc::new(connector), Box::new(listener))
}

/// One stream, seen from both of its ends.
async fn open((connector, listener): &mut Ends) -> (Duplex, Duplex) {
    try_join!(connector.connect(), listener.accept()).unwrap()
}

/// More bytes than any buffer on the way holds, no two neighbouring blocks alike.
fn long_text(seed: usize) -> Vec<u8> {
    let byte = |at: usize| (at.wrapping_mul(31) ^ (at >> 8) ^ seed).to_le_bytes()[0];
    (0..8 * 1024 * 1024 / 3).map(byte).collect()
}

async fn write_and_drop(mut writer: Box<dyn AsyncWrite + Send + Unpin>, text: &[u8]) {
    writer.write_all(text).await.unwrap();
    writer.flush().await.unwrap();
}

async fn read_all(mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut text = Vec::new();
    reader.read_to_end(&mut text).await.unwrap();
    text
}

async fn bytes_arrive_whole_and_in_order_both_ways(mut ends: Ends) {
    let (near, far) = open(&mut ends).await;
    let (up, down) = (long_text(1), long_text(2));
    let (heard_by_far, heard_by_near, (), ()) = join!(
        read_all(far.reader),
        read_all(near.reader),
        write_and_drop(near.writer, &up),
        write_and_drop(far.writer, &down),
    );
    assert!(heard_by_far == up, "what went up is not what came");
    assert!(heard_by_near == down, "what went down is not what came");
}

async fn one_write_takes_many_slices(mut ends: Ends) {
    let (mut near, far) = open(&mut ends).await;
    assert!(near.writer.is_write_vectored());
    assert!(far.writer.is_write_vectored());
    let slices = [b"kermit: ", b"*croak* "].map(|slice| std::io::IoSlice::new(slice));
    assert_eq!(near.writer.write_vectored(&slices).await.unwrap(), 16);
    drop(near.writer);
    assert_eq!(read_all(far.reader).await, b"kermit: *croak* ");
}

async fn a_dropped_writer_is_the_end_for_its_reader_alone(mut ends: Ends) {
    let (near, far) = open(&mut ends).await;
    write_and_drop(near.writer, b"last words").await;
    assert_eq!(read_all(far.reader).await, b"last words");
    write_and_drop(far.writer, b"answer").await;
    assert_eq!(read_all(near.reader).await, b"answer");
}

async fn a_shut_down_writer_is_the_end_for_its_reader(mut ends: Ends) {
    let (mut near, far) = open(&mut ends).await;
    near.writer.write_all(b"last words").await.unwrap();
    near.writer.shutdown().await.unwrap();
    assert_eq!(read_all(far.reader).await, b"last words");
    near.writer.write_all(b"more").await.unwrap_err();
}

async fn a_stream_dropped_before_it_is_accepted_still_delivers_what_it_wrote(mut ends: Ends) {
    let mut near = ends.0.connect().await.unwrap();
    near.writer.write_all(b"gone again").await.unwrap();
    drop(near);
    let far = ends.1.accept().await.unwrap();
    assert_eq!(read_all(far.reader).await, b"gone again");
}

async fn assert_refused(connector: &dyn Connector) {
    let refused = connector.connect().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(refused.to_string().contains(&connector.address()), "{refused} names no address");
}

#[tokio::test]
async fn tcp_refuses_when_nobody_listens() {
    // Bound and not listening: no other test can be given the port meanwhile.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = format!("tcp://{}", silent.local_addr().unwrap());
    assert_refused(&TcpConnector::new(&address).unwrap()).await;
    let _listener = silent.listen(1).unwrap();
    TcpConnector::new(&address).unwrap().connect().await.unwrap();
}

#[tokio::test]
async fn memory_refuses_when_nobody_listens() {
    let (connector, listener) = memory::channel("test");
    connector.connect().await.unwrap();
    drop(listener);
    assert_refused(&connector).await;
}

async fn many_streams_are_kept_apart((connector, mut listener): Ends) {
    const STREAMS: usize = 300;
    let call = async |number: usize| {
        let near = connector.connect().await.unwrap();
        write_and_drop(near.writer, number.to_string().as_bytes()).await;
        assert_eq!(read_all(near.reader).await, number.to_string().as_bytes());
    };
    let echo = async {
        let mut peers = Vec::new();
        for _ in 0..STREAMS {
            let far = listener.accept().await.unwrap();
            peers.push(far.peer);
            write_and_drop(far.writer, &read_all(far.reader).await).await;
        }
        peers.sort();
        peers.dedup();
        assert_eq!(peers.len(), STREAMS, "two streams have one name");
    };
    join!(echo, join_all((0..STREAMS).map(call)));
}

/// A listener that left its backlog to the default of 128 would see callers reset here.
#[tokio::test]
async fn a_burst_of_300_tcp_callers_waits_for_the_first_accept() {
    let (connector, mut listener) = tcp_ends().await;
    let call = async |_| {
        let mut near = connector.connect().await.unwrap();
        near.writer.write_all(b"croak").await.unwrap();
        near.writer.shutdown().await.unwrap();
        near
    };
    let burst = timeout(PATIENCE, join_all((0..300).map(call))).await.expect("all connect");
    let echo = async {
        for _ in 0..300 {
            let far = listener.accept().await.unwrap();
            write_and_drop(far.writer, &read_all(far.reader).await).await;
        }
    };
    let hear = async |near: Duplex| assert_eq!(read_all(near.reader).await, b"croak");
    let all = join(echo, join_all(burst.into_iter().map(hear)));
    timeout(Duration::from_secs(20), all).await.expect("every caller is taken");
}

async fn a_stream_outlives_its_listener_and_connector(mut ends: Ends) {
    let (near, far) = open(&mut ends).await;
    drop(ends);
    write_and_drop(near.writer, b"still here").await;
    assert_eq!(read_all(far.reader).await, b"still here");
}

async fn an_accept_given_up_loses_no_stream((connector, mut listener): Ends) {
    assert!(listener.accept().now_or_never().is_none());
    let near = connector.connect().await.unwrap();
    write_and_drop(near.writer, b"patience").await;
    let far = listener.accept().await.unwrap();
    assert_eq!(read_all(far.reader).await, b"patience");
}

#[tokio::test]
async fn port_0_is_told_as_the_port_that_was_given() {
    let first = TcpListener::bind("tcp://127.0.0.1:0").await.unwrap();
    let second = TcpListener::bind("tcp://127.0.0.1:0").await.unwrap();
    assert_ne!(first.address(), second.address());
    assert!(!first.address().ends_with(":0"));
    assert!(TcpConnector::new(&first.address()).unwrap().connect().await.is_ok());
}

#[tokio::test]
async fn a_name_is_resolved_on_both_sides() {
    let mut listener = transport::listener("tcp://localhost:0").await.unwrap();
    let port = listener.address().rsplit_once(':').unwrap().1.to_owned();
    let connector = transport::connector(&format!("tcp://localhost:{port}")).unwrap();
    let (near, _far) = try_join!(connector.connect(), listener.accept()).unwrap();
    assert_eq!(near.peer, listener.address());
}

#[tokio::test]
async fn an_ipv6_address_stands_in_brackets() {
    let mut listener = match transport::listener("tcp://[::1]:0").await {
        Ok(listener) => listener,
        // A machine without IPv6 says so; any other failure is ours.
        Err(ListenError::Bind { reason, .. }) => {
            assert_eq!(reason.kind(), ErrorKind::AddrNotAvailable);
            return;
        }
        Err(error) => panic!("{error}"),
    };
    assert!(listener.address().starts_with("tcp://[::1]:"));
    let connector = transport::connector(&listener.address()).unwrap();
    let (near, _far) = try_join!(connector.connect(), listener.accept()).unwrap();
    assert_eq!(near.peer, listener.address());
}

#[tokio::test]
async fn an_address_in_use_is_not_given_twice() {
    let first = transport::listener("tcp://127.0.0.1:0").await.unwrap();
    let refused = transport::listener(&first.address()).await.unwrap_err();
    let ListenError::Bind { address, reason } = refused else { panic!("{refused}") };
    assert_eq!((address, reason.kind()), (first.address(), ErrorKind::AddrInUse));
    drop(first);
}

/// Each bad address, the variant that refuses it, and a twin that is fine.
#[test]
fn each_bad_address_is_told_what_is_wrong_and_its_twin_is_taken() {
    type Is = fn(&AddressError) -> bool;
    let no_scheme: Is = |error| matches!(error, AddressError::NoScheme { .. });
    let unknown: Is = |error| matches!(error, AddressError::UnknownScheme { .. });
    let no_host: Is = |error| matches!(error, AddressError::NoHost { .. });
    let bad_host: Is = |error| matches!(error, AddressError::BadHost { .. });
    let no_port: Is = |error| matches!(error, AddressError::NoPort { .. });
    let bad_port: Is = |error| matches!(error, AddressError::BadPort { .. });
    let port_zero: Is = |error| matches!(error, AddressError::PortZero { .. });
    for (bad, is, twin) in [
        ("", no_scheme, "tcp://a:1"),
        ("foo:1", no_scheme, "tcp://foo:1"),
        ("://foo:1", no_scheme, "tcp://foo:1"),
        ("tcp:/foo:1", no_scheme, "TCP://foo:1"),
        ("gopher://foo:70", unknown, "tcp://foo:70"),
        ("memory://pond:1", unknown, "tcp://pond:1"),
        (" tcp://foo:1", unknown, "tcp://foo:1"),
        ("tcp://", no_host, "tcp://0.0.0.0:1"),
        ("tcp://:8787", no_host, "tcp://[::]:8787"),
        ("tcp://fo o:1", bad_host, "tcp://fo-o:1"),
        ("tcp://me@foo:1", bad_host, "tcp://me.foo:1"),
        ("tcp://a/b:1", bad_host, "tcp://a_b:1"),
        ("tcp://b\u{fc}cher:1", bad_host, "tcp://xn--bcher-kva:1"),
        ("tcp://::1:8787", bad_host, "tcp://[::1]:8787"),
        ("tcp://[]:1", bad_host, "tcp://[::]:1"),
        ("tcp://[foo]:1", bad_host, "tcp://foo:1"),
        ("tcp://[127.0.0.1]:1", bad_host, "tcp://127.0.0.1:1"),
        ("tcp://[::1:1", bad_host, "tcp://[::1]:1"),
        ("tcp://[::1]x:1", bad_host, "tcp://[::1]:1"),
        ("tcp://[fe80::1%]:1", bad_host, "tcp://[fe80::1%eth0]:1"),
        ("tcp://foo", no_port, "tcp://foo:1"),
        ("tcp://foo:", no_port, "tcp://foo:1"),
        ("tcp://[::1]", no_port, "tcp://[::1]:1"),
        ("tcp://foo:http", bad_port, "tcp://foo:80"),
        ("tcp://foo:80/", bad_port, "tcp://foo:80"),
        ("tcp://foo:+80", bad_port, "tcp://foo:80"),
        ("tcp://foo:-1", bad_port, "tcp://foo:1"),
        ("tcp://foo:65536", bad_port, "tcp://foo:65535"),
        ("tcp://foo:0", port_zero, "tcp://foo:1"),
    ] {
        let error = transport::connector(bad).unwrap_err();
        assert!(is(&error), "`{bad}` is refused as {error:?}");
        assert!(error.to_string().contains(&format!("`{bad}`")), "{error} does not name `{bad}`");
        assert!(error.to_string().contains("write tcp://"), "{error} does not help");
        let fine = transport::connector(twin).unwrap();
        assert_eq!(fine.address(), twin.replace("TCP", "tcp"));
    }
}

#[tokio::test]
async fn a_listener_refuses_a_bad_address_before_it_asks_the_system() {
    let refused = transport::listener("127.0.0.1:0").await.unwrap_err();
    assert!(matches!(refused, ListenError::Address(AddressError::NoScheme { .. })));
}

/// Connects until the backlog is full; the streams stay with the caller.
fn fill_backlog(connector: &MemoryConnector) -> Vec<Duplex> {
    std::iter::from_fn(|| connector.connect().now_or_never()).map(Result::unwrap).collect()
}

#[tokio::test]
async fn the_backlog_of_a_memory_listener_is_bounded() {
    let (connector, mut listener) = memory::channel("test");
    assert_eq!(fill_backlog(&connector).len(), 128);
    // A caller that gave up takes no place; one that waits gets the next.
    let mut waiting = pin!(connector.connect());
    assert!(poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx).is_pending())).await);
    listener.accept().await.unwrap();
    waiting.await.unwrap();
    assert_eq!(fill_backlog(&connector).len(), 0);
}

#[tokio::test]
async fn a_caller_that_waits_is_refused_when_the_listener_goes() {
    let (connector, listener) = memory::channel("test");
    let streams = fill_backlog(&connector);
    let (refused, ()) = join!(connector.connect(), async { drop(listener) });
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    for stream in streams {
        assert_eq!(read_all(stream.reader).await, b"");
    }
}

#[tokio::test]
async fn a_listener_takes_every_stream_before_it_says_that_its_connectors_are_gone() {
    let (connector, mut listener) = memory::channel("test");
    let clone = connector.clone();
    connector.connect().await.unwrap();
    drop(connector);
    listener.accept().await.unwrap();
    assert!(listener.accept().now_or_never().is_none());
    drop(clone);
    assert_eq!(listener.accept().await.unwrap_err().kind(), ErrorKind::NotConnected);
}

#[tokio::test]
async fn a_pipe_without_a_reader_at_work_holds_64_kib_and_no_more() {
    let (mut near, mut far) = open(&mut memory_ends()).await;
    assert_eq!(near.writer.write(&vec![7; 1024 * 1024]).await.unwrap(), 64 * 1024);
    assert!(near.writer.write(b"x").now_or_never().is_none());
    // The other direction has room of its own.
    far.writer.write_all(&vec![8; 64 * 1024]).await.unwrap();
    far.reader.read_exact(&mut [0; 100]).await.unwrap();
    assert_eq!(near.writer.write(&[7; 1024]).await.unwrap(), 100);
}

#[tokio::test]
async fn writing_to_a_dropped_memory_reader_fails() {
    let (mut near, far) = open(&mut memory_ends()).await;
    drop(far.reader);
    let broken = near.writer.write(b"anyone?").await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
    // The far writer is not concerned.
    write_and_drop(far.writer, b"yes").await;
    assert_eq!(read_all(near.reader).await, b"yes");
}

#[tokio::test(start_paused = true)]
async fn memory_takes_no_time_on_the_paused_clock() {
    let start = Instant::now();
    bytes_arrive_whole_and_in_order_both_ways(memory_ends()).await;
    many_streams_are_kept_apart(memory_ends()).await;
    assert_eq!(start.elapsed().as_nanos(), 0);
}

/// A runtime without any driver: a clock or a socket would panic in it.
fn bare_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn memory_works_across_threads_and_needs_no_driver() {
    let (connector, mut listener) = memory::channel("test");
    let text = long_text(3);
    let hub = thread::spawn(move || {
        bare_runtime().block_on(async {
            let far = listener.accept().await.unwrap();
            write_and_drop(far.writer, &read_all(far.reader).await).await;
        });
    });
    let heard = bare_runtime().block_on(async {
        let near = connector.connect().await.unwrap();
        write_and_drop(near.writer, &text).await;
        read_all(near.reader).await
    });
    hub.join().unwrap();
    assert!(heard == text, "what came back is not what went out");
}
