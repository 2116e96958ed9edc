//! `multiplex hub`: a hub on its own.
//!
//! From flags to a [`Hub`], and from signals to its end. The first SIGINT or SIGTERM drains the
//! hub and exits with 0; a second one exits at once with 130. Standard output says where it
//! listens, once it does; logs go to standard error.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process,
    time::Duration,
};

use actix_multiplex::{
    Hub, SlowLeaves,
    journal::Redb,
    limits::{GRACE, GRACE_MAX, LINK_GRACE},
    link::{self, Link, LinkError},
};
use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// What a hub is told.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Where clients connect; port 0 is any that is free. May be given more than once.
    #[arg(long, value_name = "tcp://HOST:PORT", default_value = "tcp://127.0.0.1:8787")]
    listen: Vec<String>,

    /// Threads to spread sessions and objects over; 0 keeps them all on one.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=1024))]
    arbiters: u16,

    /// Seconds that a session outlives its connection, for its client to come back; 0: none.
    #[arg(long, value_name = "SECONDS", default_value_t = GRACE.as_secs(), value_parser = clap::value_parser!(u64).range(..=GRACE_MAX.as_secs()))]
    grace: u64,

    /// The hub above this one, which is a client of it and a hub to those below: objects are at home at
    /// the top.
    #[arg(long, value_name = "tcp://HOST:PORT")]
    link: Option<String>,

    /// Seconds that a hub below may be away, with all who are below it.
    #[arg(long, value_name = "SECONDS", default_value_t = LINK_GRACE.as_secs())]
    link_grace: u64,

    /// The directory in which the hub keeps its objects and sessions; it goes on with what is there.
    #[arg(long, value_name = "DIR", default_value = DATA_DIR)]
    data_dir: PathBuf,

    /// Keeps nothing: when the hub ends, its objects are gone.
    #[arg(long, conflicts_with = "data_dir")]
    ephemeral: bool,

    /// What becomes of a client that reads too slowly: it is given the rest later, or disconnected.
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Slow::Resync)]
    slow_leaves: Slow,
}

/// As [`SlowLeaves`].
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Slow {
    Resync,
    Disconnect,
}

/// Runs a hub until it is told to stop.
pub(super) fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    log()?;
    actix::System::new().block_on(hub(flags))
}

fn log() -> Result<(), Box<dyn Error>> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(|error| format!("RUST_LOG is no filter: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
}

async fn hub(flags: Flags) -> Result<(), Box<dyn Error>> {
    hold_file_size()?;
    let mut builder = Hub::builder();
    if !flags.ephemeral {
        tracing::info!(directory = %flags.data_dir.display(), "reading the journal");
        builder = builder.journal(Redb::open(&flags.data_dir)?);
    }
    let hub = builder
        .arbiters(flags.arbiters.into())
        .grace(Duration::from_secs(flags.grace))
        .link_grace(Duration::from_secs(flags.link_grace))
        .slow_leaves(move |_, _| match flags.slow_leaves {
            Slow::Resync => SlowLeaves::Resync,
            Slow::Disconnect => SlowLeaves::Disconnect,
        })
        .start()?;
    let mut signals = Signals::new()?;
    // Before anybody can make objects here.
    let linking = flags.link.as_deref().map(|above| link::up(&hub, above));
    let mut listening = Vec::new();
    for address in &flags.listen {
        listening.push(hub.listen(address).await?);
    }
    for address in listening {
        writeln!(io::stdout(), "listening on {address}")?;
    }
    tracing::info!(hub = %hub.id(), "the hub is ready");

    let signal = tokio::select! {
        biased;
        signal = signals.next() => signal,
        why = hub.failed() => {
            hub.stop().await;
            return Err(format!("the journal in {} has failed: {why}", flags.data_dir.display()).into());
        }
        barred = linked(linking) => {
            hub.stop().await;
            return Err(barred.into());
        }
    };
    tracing::info!(signal, "the hub stops: what was read is handled, what is queued is sent");
    tokio::select! {
        biased;
        signal = signals.next() => {
            tracing::warn!(signal, "a second signal: the hub ends at once");
            process::exit(INTERRUPTED);
        }
        () = hub.stop() => tracing::info!("the hub has stopped"),
    }
    Ok(())
}

/// A file that may not grow is an error of the write from here on, and not the end of the process:
/// once held, the signal stays so.
#[cfg(unix)]
fn hold_file_size() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

#[cfg(not(unix))]
fn hold_file_size() -> io::Result<()> {
    Ok(())
}

/// The signals that ask the hub to end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// The signal that asks the hub to end: all that other systems have in common.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}

/// Where a hub keeps what it is not told to keep elsewhere.
pub(super) const DATA_DIR: &str = "multiplex-data";
/// A file would grow beyond what the process may write.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;
/// What a shell says of a program that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// Keeps the hub below the one above it, if there is one; returns when that cannot be.
async fn linked(linking: Option<impl Future<Output = Result<Link, LinkError>>>) -> LinkError {
    let Some(linking) = linking else { return std::future::pending().await };
    let mut link = match linking.await {
        Ok(link) => link,
        Err(error) => return error,
    };
    loop {
        if let link::Standing::Barred(error) = link.changed().await {
            return error;
        }
    }
}
