//! A connection that counts what passes, and lets it pass or not.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_multiplex::transport::{Connector, Duplex, Opening, memory::MemoryConnector};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex},
    sync::watch,
};

/// Leads to a hub, and is in the test's hands.
#[derive(Clone)]
pub(super) struct Wire {
    to: MemoryConnector,
    pub(super) up: Arc<Way>,
    pub(super) down: Arc<Way>,
}

/// One direction of a wire.
pub(super) struct Way {
    bytes: AtomicUsize,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Held,
    Cut,
}

impl Wire {
    pub(super) fn new(to: MemoryConnector) -> Self {
        Self { to, up: Arc::new(Way::new()), down: Arc::new(Way::new()) }
    }

    /// Ends the connection as if the network had.
    pub(super) fn cut(&self) {
        self.up.state.send_replace(State::Cut);
        self.down.state.send_replace(State::Cut);
    }
}

impl Way {
    fn new() -> Self {
        Self { bytes: AtomicUsize::new(0), state: watch::Sender::new(State::Open) }
    }

    /// Bytes that have passed.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Lets nothing pass from now on.
    pub(super) fn hold(&self) {
        self.state.send_replace(State::Held);
    }

    /// Lets everything pass again.
    pub(super) fn mend(&self) {
        self.state.send_replace(State::Open);
    }

    async fn pump(
        self: Arc<Self>,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) {
        let mut state = self.state.subscribe();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = tokio::select! {
                biased;
                _ = state.wait_for(|state| *state == State::Cut) => return,
                read = from.read(&mut buffer) => read.unwrap_or(0),
            };
            let now = state.wait_for(|state| *state != State::Held).await.map(|state| *state);
            if read == 0 || !matches!(now, Ok(State::Open)) {
                return;
            }
            if to.write_all(&buffer[..read]).await.is_err() {
                return;
            }
            self.bytes.fetch_add(read, Ordering::Relaxed);
        }
    }
}

impl Connector for Wire {
    fn connect(&self) -> Opening<'_, Duplex> {
        Box::pin(async {
            let Duplex { reader, writer, peer, .. } = self.to.connect().await?;
            let (near_writer, from_near) = duplex(64 * 1024);
            let (to_near, near_reader) = duplex(64 * 1024);
            tokio::task::spawn_local(self.up.clone().pump(from_near, writer));
            tokio::task::spawn_local(self.down.clone().pump(reader, to_near));
            Ok(Duplex::new(near_reader, near_writer, peer))
        })
    }

    fn address(&self) -> String {
        self.to.address()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
