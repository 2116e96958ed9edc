//! Between hub and clients, on sockets: cuts connections in mid-stream, and is away for a while.
//!
//! It knows bytes and nothing of frames, so that a cut falls wherever it falls.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime,
    sync::watch,
};

/// A proxy on a thread of its own; it goes with this process.
pub(crate) struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
}

struct Control {
    hub: String,
    /// Cuts that are still to be made.
    cuts: AtomicUsize,
    /// Whether anybody is let in, and whoever is in may stay.
    is_open: watch::Sender<bool>,
    seed: u64,
}

impl Proxy {
    /// A proxy for the hub at this address. What it cuts is decided by `seed`.
    pub(crate) fn before(hub: &str, seed: u64) -> Self {
        let hub = hub.strip_prefix("tcp://").expect("a hub on a socket").to_owned();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("a socket can be set so");
        let address = listener.local_addr().expect("it is bound");
        let (cuts, is_open) = (AtomicUsize::new(0), watch::Sender::new(true));
        let control = Arc::new(Control { hub, cuts, is_open, seed });
        let proxy = Self { address, control: control.clone() };
        std::thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_io().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::from_std(listener).expect("it is set so");
                let served = control.serve(listener, address).await;
                served.expect("the port is this process's own");
            });
        });
        proxy
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// Cuts so many connections from now on, each after some bytes on their way down.
    pub(crate) fn cut(&self, count: usize) {
        self.control.cuts.store(count, Ordering::Relaxed);
    }

    /// Cuts that are still to be made.
    pub(crate) fn cuts_left(&self) -> usize {
        self.control.cuts.load(Ordering::Relaxed)
    }

    /// Closes its port and all connections; or listens again.
    pub(crate) fn set_open(&self, is_open: bool) {
        self.control.is_open.send_replace(is_open);
    }
}

impl Control {
    async fn serve(self: Arc<Self>, first: TcpListener, address: SocketAddr) -> io::Result<()> {
        let (mut listener, mut state) = (Some(first), self.is_open.subscribe());
        for number in 0.. {
            let bound = match listener.take() {
                Some(bound) => bound,
                None => TcpListener::bind(address).await?,
            };
            let accepted = tokio::select! {
                biased;
                _ = state.wait_for(|is_open| !*is_open) => None,
                accepted = bound.accept() => Some(accepted?),
            };
            let Some((client, _)) = accepted else {
                drop(bound);
                let _never_gone = state.wait_for(|is_open| *is_open).await;
                continue;
            };
            listener = Some(bound);
            tokio::spawn(self.clone().pass(client, Cut::new(self.clone(), number)));
        }
        Ok(())
    }

    /// Passes bytes on between a client and the hub, until one of them ends or it is cut.
    async fn pass(self: Arc<Self>, client: TcpStream, cut: Cut) -> io::Result<()> {
        let hub = TcpStream::connect(&self.hub).await?;
        client.set_nodelay(true)?;
        hub.set_nodelay(true)?;
        if cut.is_a_reset {
            client.set_zero_linger()?;
            hub.set_zero_linger()?;
        }
        let (mut from_client, to_client) = client.into_split();
        let (from_hub, mut to_hub) = hub.into_split();
        let mut state = self.is_open.subscribe();
        tokio::select! {
            biased;
            _ = state.wait_for(|is_open| !*is_open) => {}
            _ = down(from_hub, to_client, cut) => {}
            _ = copy(&mut from_client, &mut to_hub) => {}
        }
        Ok(())
    }
}

/// Where a connection is cut.
struct Cut {
    control: Arc<Control>,
    /// Bytes that still go down.
    left: usize,
    is_a_reset: bool,
}

impl Cut {
    fn new(control: Arc<Control>, number: u64) -> Self {
        let mut random = StdRng::seed_from_u64(control.seed.wrapping_add(number));
        let (left, is_a_reset) = (random.random_range(LEFT), random.random());
        Self { control, left, is_a_reset }
    }

    /// How many of so many bytes are passed on before the cut, if it falls among them.
    fn falls_within(&mut self, bytes: usize) -> Option<usize> {
        let cuts = &self.control.cuts;
        if cuts.load(Ordering::Relaxed) == 0 {
            return None;
        }
        if self.left > bytes {
            self.left -= bytes;
            return None;
        }
        // One thread makes all cuts.
        cuts.fetch_sub(1, Ordering::Relaxed);
        Some(self.left)
    }
}

async fn down(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut cut: Cut) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let passed = cut.falls_within(read);
        to.write_all(&buffer[..passed.unwrap_or(read)]).await?;
        if passed.is_some() {
            return Ok(());
        }
    }
}

/// Bytes that a connection passes down before it is cut: what some 300 to 2,500 shouts take.
const LEFT: std::ops::Range<usize> = 4_096..40_960;
