//! From an address to a client that was welcomed.

use std::{
    io,
    sync::{Arc, atomic::AtomicU64},
};

use actix::Addr;
use rand::{
    SeedableRng,
    rngs::{StdRng, SysError, SysRng},
};
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::{Client, Keep, Teller};
use crate::{
    connection::Closed,
    leaf::{
        class::Classes,
        driver::{Close, Driver, Line},
    },
    limits::{
        AGENT_BYTES_MAX, CONNECT_TIMEOUT, CREDENTIALS_BYTES_MAX, MEMBER_INFO_BYTES_MAX,
        MEMBER_NAME_BYTES_MAX,
    },
    supervise::{self, Placement, RestartLimit},
    transport::{self, AddressError, Connector, Duplex},
    wire::{Hello, VERSION_MAX, VERSION_MIN},
};

/// Where a client connects to: an address, or a connector.
///
/// ```
/// use actix_multiplex::ConnectTo;
/// let to: ConnectTo = "tcp://127.0.0.1:8787".into();
/// ```
#[derive(Clone, Debug)]
pub struct ConnectTo(Where);

#[derive(Clone, Debug)]
enum Where {
    Address(String),
    Connector(Arc<dyn Connector>),
}

/// Settings for a client.
///
/// ```no_run
/// # async fn example() -> Result<(), actix_multiplex::ConnectError> {
/// use actix_multiplex::Client;
/// let client = Client::builder()
///     .agent("pond 1.0")
///     .credentials(b"frog-1955".to_vec())
///     .connect("tcp://pond.example:8787")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until it connects a client"]
pub struct ClientBuilder {
    agent: Option<String>,
    credentials: Vec<u8>,
    name: String,
    info: Vec<u8>,
    seed: Option<u64>,
}

/// A client that was not connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// What was set is over a limit.
    #[error("{what} of {bytes} bytes exceed the limit of {max}")]
    TooLarge {
        /// What was set.
        what: &'static str,
        /// Its bytes.
        bytes: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// Nothing runs actors here.
    #[error(transparent)]
    Place(#[from] supervise::StartError),
    /// The operating system gave no randomness for ids.
    #[error("no randomness from the operating system: {0}")]
    NoRandomness(SysError),
    /// Nobody could be reached. The reason names the address, as transports do.
    #[error("cannot reach a hub: {reason}")]
    Transport {
        /// Where it was tried.
        address: String,
        /// What came of it.
        reason: io::Error,
    },
    /// Nobody answered in time.
    #[error("no answer from {address} within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut {
        /// Where it was tried.
        address: String,
    },
    /// The hub turned the client away, or what answered is no hub.
    #[error("{address} did not let the client in: {closed}")]
    Closed {
        /// Where it was tried.
        address: String,
        /// Why.
        closed: Closed,
    },
}

impl ClientBuilder {
    /// What the client calls itself in the hub's logs: at most 64 bytes.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// What the hub's admission is shown: at most 4,096 bytes.
    pub fn credentials(mut self, credentials: impl Into<Vec<u8>>) -> Self {
        self.credentials = credentials.into();
        self
    }

    /// What the client is called among the [members](crate::Members) of objects: at most 64 bytes.
    /// Anybody can be called anything.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What the other members of objects are told of the client, besides its name: at most 1,024
    /// bytes, in whatever form the clients have agreed on.
    pub fn info(mut self, info: impl Into<Vec<u8>>) -> Self {
        self.info = info.into();
        self
    }

    /// Ids, and the rests before connecting again, out of `seed`, the same in every run: for tests
    /// only. The default takes them from the
    /// operating system.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Connects. The client's leaves will run on this arbiter.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(self, to: impl Into<ConnectTo>) -> Result<Client, ConnectError> {
        let hello = self.hello()?;
        let random = match self.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::try_from_rng(&mut SysRng).map_err(ConnectError::NoRandomness)?,
        };
        // Where nothing runs actors, it is said at once, and before anything times out.
        Placement::Here.check()?;
        let connector = to.into().connector()?;
        let address = connector.address();
        match timeout(CONNECT_TIMEOUT, connect(connector, hello, random)).await {
            Ok(connected) => connected,
            Err(_) => Err(ConnectError::TimedOut { address }),
        }
    }

    fn hello(&self) -> Result<Hello, ConnectError> {
        let agent = self.agent.clone().unwrap_or_else(|| AGENT.to_owned());
        limit("agent", agent.len(), AGENT_BYTES_MAX)?;
        limit("credentials", self.credentials.len(), CREDENTIALS_BYTES_MAX)?;
        limit("name", self.name.len(), MEMBER_NAME_BYTES_MAX)?;
        limit("info", self.info.len(), MEMBER_INFO_BYTES_MAX)?;
        Ok(Hello {
            magic: Hello::MAGIC,
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            agent,
            credentials: self.credentials.clone(),
            resume: None,
            name: self.name.clone(),
            info: self.info.clone(),
            extras: Vec::new(),
        })
    }
}

async fn connect(
    connector: Arc<dyn Connector>,
    hello: Hello,
    random: StdRng,
) -> Result<Client, ConnectError> {
    let address = connector.address();
    let duplex = match connector.connect().await {
        Ok(duplex) => duplex,
        Err(reason) => return Err(ConnectError::Transport { address, reason }),
    };
    let greeted = greet(duplex, connector, hello, random).await?;
    greeted.map_err(|closed| ConnectError::Closed { address, closed })
}

/// Starts the client's driver, which says hello and waits for the answer.
async fn greet(
    duplex: Duplex,
    connector: Arc<dyn Connector>,
    hello: Hello,
    random: StdRng,
) -> Result<Result<Client, Closed>, supervise::StartError> {
    let (welcomed, answer) = oneshot::channel();
    let (closing, closed) = watch::channel(None);
    let (count, writing) = watch::channel(0);
    let events = Arc::new(Teller::default());
    let first = Line {
        duplex,
        connector,
        hello,
        welcomed,
        closed: closing,
        writing: count,
        events: events.clone(),
    };
    let make = move |_: &mut actix::Context<_>| Driver::new(first, random);
    let driver = supervise::start(&Placement::Here, 1, RestartLimit::NEVER, make, |event| {
        tracing::debug!(?event, "a client's driver");
    })?;
    let calling = Calling(Some(driver));
    Ok(match answer.await {
        Ok(Ok(link)) => {
            let driver = calling.connected();
            let (classes, unsent) = (Classes::default(), AtomicU64::new(0));
            let keep = Keep { driver, link, classes, unsent, closed, writing, events };
            Ok(Client { keep: Arc::new(keep) })
        }
        Ok(Err(closed)) => Err(closed),
        Err(_) => Err(Closed::done("the client's arbiter has ended")),
    })
}

/// A driver that is not welcomed yet; dropped, it hangs up.
struct Calling(Option<Addr<Driver>>);

impl Calling {
    fn connected(mut self) -> Addr<Driver> {
        self.0.take().expect("it is taken once, by value")
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        if let Some(driver) = self.0.take() {
            driver.do_send(Close { stop: true });
        }
    }
}

impl ConnectTo {
    pub(crate) fn connector(self) -> Result<Arc<dyn Connector>, AddressError> {
        match self.0 {
            Where::Address(address) => transport::connector(&address),
            Where::Connector(connector) => Ok(connector),
        }
    }
}

impl From<&str> for ConnectTo {
    fn from(address: &str) -> Self {
        Self(Where::Address(address.to_owned()))
    }
}

impl From<&String> for ConnectTo {
    fn from(address: &String) -> Self {
        Self(Where::Address(address.clone()))
    }
}

impl<C: Connector> From<C> for ConnectTo {
    fn from(connector: C) -> Self {
        Self(Where::Connector(Arc::new(connector)))
    }
}

fn limit(what: &'static str, bytes: usize, max: usize) -> Result<(), ConnectError> {
    if bytes > max {
        return Err(ConnectError::TooLarge { what, bytes, max });
    }
    Ok(())
}

const AGENT: &str = concat!("actix-multiplex ", env!("CARGO_PKG_VERSION"));
