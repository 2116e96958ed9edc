//! A network on one thread: lines between clients and the hub that can be cut, held, delayed, torn
//! and mended.
//!
//! Each connection is two relays, one in each direction, between two in-process pipes. A relay
//! knows bytes, and counts frames only to tell whether a cut fell into one.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split},
    sync::watch,
    task::spawn_local,
    time::sleep,
};

use crate::{
    limits::MEMORY_PIPE_BYTES_MAX,
    transport::{Connector, Duplex, Opening, memory::MemoryConnector},
};

/// The network of a simulation. Clones are the same network.
#[derive(Clone)]
pub struct Network {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    random: StdRng,
    lines: BTreeMap<String, Line>,
    stress: Stress,
    /// Relays that hold bytes at this moment, other than held ones.
    busy: usize,
}

/// How one client's line behaves.
#[derive(Clone)]
struct Line {
    weather: watch::Sender<Weather>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    held: bool,
    torn: bool,
    delay_ms_max: u64,
    /// Counts cuts: a connection of an earlier count is dead.
    cuts: u64,
}

/// What a network did to those who used it: a run that did none of it proved nothing.
///
/// ```
/// use actix_multiplex::testing::Stress;
/// let mut sum = Stress::default();
/// sum += Stress { cuts: 2, ..Stress::default() };
/// assert_eq!(sum.cuts, 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stress {
    /// Connections that were opened.
    pub connections: u64,
    /// Bytes that were passed on.
    pub bytes: u64,
    /// Connections that were cut.
    pub cuts: u64,
    /// Directions of a connection that were cut in the middle of a frame.
    pub cuts_mid_frame: u64,
    /// Pieces that were delayed.
    pub delays: u64,
    /// Pieces that waited while their line was held.
    pub holds: u64,
    /// Pieces of a single byte.
    pub torn: u64,
}

impl std::ops::AddAssign for Stress {
    fn add_assign(&mut self, more: Self) {
        self.connections += more.connections;
        self.bytes += more.bytes;
        self.cuts += more.cuts;
        self.cuts_mid_frame += more.cuts_mid_frame;
        self.delays += more.delays;
        self.holds += more.holds;
        self.torn += more.torn;
    }
}

impl Network {
    pub(super) fn new(random: &mut impl Rng) -> Self {
        let random = StdRng::from_rng(random);
        let (lines, stress) = (BTreeMap::new(), Stress::default());
        Self { inner: Arc::new(Mutex::new(Inner { random, lines, stress, busy: 0 })) }
    }

    /// A connector over the line of this name.
    pub(super) fn connector(&self, name: &str, hub: MemoryConnector) -> SimConnector {
        SimConnector { network: self.clone(), name: name.to_owned(), hub }
    }

    /// Cuts a line: its connection is dead, and bytes under way are lost. A new connection works.
    pub fn cut(&self, name: &str) {
        self.line(name).weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Holds a line: nothing passes until it is mended, and nothing is lost.
    pub fn hold(&self, name: &str) {
        self.line(name).weather.send_modify(|weather| weather.held = true);
    }

    /// Delays each piece on a line by up to this long.
    pub fn delay(&self, name: &str, max: Duration) {
        let delay_ms_max = max.as_millis() as u64;
        self.line(name).weather.send_modify(|weather| weather.delay_ms_max = delay_ms_max);
    }

    /// Tears everything on a line into single bytes.
    pub fn tear(&self, name: &str) {
        self.line(name).weather.send_modify(|weather| weather.torn = true);
    }

    /// Ends holding, delaying and tearing on a line.
    pub fn mend(&self, name: &str) {
        self.line(name).weather.send_modify(|weather| {
            *weather = Weather { cuts: weather.cuts, ..Weather::default() };
        });
    }

    /// What it has done so far.
    pub fn stress(&self) -> Stress {
        self.lock().stress
    }

    /// Whether no bytes are under way, held ones excepted.
    pub(super) fn is_quiet(&self) -> bool {
        self.lock().busy == 0
    }

    fn line(&self, name: &str) -> Line {
        let mut inner = self.lock();
        let fresh = || Line { weather: watch::Sender::new(Weather::default()) };
        inner.lines.entry(name.to_owned()).or_insert_with(fresh).clone()
    }

    fn count(&self, count: impl FnOnce(&mut Stress)) {
        count(&mut self.lock().stress);
    }

    /// How much is passed on at once: pieces are of any size where there is weather at all.
    fn room(&self, now: Weather) -> usize {
        match now {
            Weather { torn: true, .. } => 1,
            Weather { delay_ms_max: 0, .. } => MEMORY_PIPE_BYTES_MAX,
            _ => self.random(1..=1_024) as usize,
        }
    }

    fn random(&self, range: std::ops::RangeInclusive<u64>) -> u64 {
        self.lock().random.random_range(range)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("stress", &self.stress()).finish_non_exhaustive()
    }
}

/// Connects to a hub over a line of the network.
#[derive(Clone, Debug)]
pub(super) struct SimConnector {
    network: Network,
    name: String,
    hub: MemoryConnector,
}

impl Connector for SimConnector {
    fn connect(&self) -> Opening<'_, Duplex> {
        Box::pin(async {
            let far = self.hub.connect().await?;
            let (near, middle) = duplex(MEMORY_PIPE_BYTES_MAX);
            let (from_client, to_client) = split(middle);
            let weather = self.network.line(&self.name).weather.subscribe();
            self.network.count(|stress| stress.connections += 1);
            let relay = || Relay::new(self.network.clone(), weather.clone());
            spawn_local(relay().run(from_client, far.writer));
            spawn_local(relay().run(far.reader, to_client));
            let (reader, writer) = split(near);
            Ok(Duplex::new(reader, writer, self.name.clone()))
        })
    }

    fn address(&self) -> String {
        format!("sim://{}", self.name)
    }
}

/// One direction of one connection.
struct Relay {
    network: Network,
    weather: watch::Receiver<Weather>,
    /// The count of cuts when the connection was opened.
    cuts: u64,
    frames: FrameCounter,
}

impl Relay {
    fn new(network: Network, weather: watch::Receiver<Weather>) -> Self {
        let cuts = weather.borrow().cuts;
        Self { network, weather, cuts, frames: FrameCounter::default() }
    }

    async fn run(mut self, from: impl AsyncRead + Unpin, to: impl AsyncWrite + Unpin) {
        let mut cut = self.weather.clone();
        let cuts = self.cuts;
        tokio::select! {
            biased;
            _ = cut.wait_for(|weather| weather.cuts > cuts) => {
                let mid_frame = u64::from(self.frames.is_in_a_frame());
                self.network.count(|stress| {
                    stress.cuts += 1;
                    stress.cuts_mid_frame += mid_frame;
                });
            }
            _ = relay(&mut self.frames, &mut self.weather, &self.network, from, to) => {}
        }
    }
}

/// Passes bytes on until either side ends.
async fn relay(
    frames: &mut FrameCounter,
    weather: &mut watch::Receiver<Weather>,
    network: &Network,
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut buffer = vec![0; MEMORY_PIPE_BYTES_MAX];
    loop {
        let now = *weather.borrow_and_update();
        let room = network.room(now);
        let read = from.read(&mut buffer[..room]).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        pass(network, weather, read).await;
        let _busy = Busy::new(network);
        to.write_all(&buffer[..read]).await?;
        frames.pass(&buffer[..read]);
    }
}

/// Lets the weather have its way with a piece.
async fn pass(network: &Network, weather: &mut watch::Receiver<Weather>, bytes: usize) {
    let now = *weather.borrow();
    network.count(|stress| {
        stress.bytes += bytes as u64;
        stress.torn += u64::from(now.torn);
        stress.holds += u64::from(now.held);
    });
    if now.delay_ms_max > 0 {
        let busy = Busy::new(network);
        network.count(|stress| stress.delays += 1);
        sleep(Duration::from_millis(network.random(0..=now.delay_ms_max))).await;
        drop(busy);
    }
    // A network that is gone holds nothing any more.
    let _gone = weather.wait_for(|weather| !weather.held).await;
}

/// Bytes are under way while it lives.
struct Busy<'a>(&'a Network);

impl<'a> Busy<'a> {
    fn new(network: &'a Network) -> Self {
        network.lock().busy += 1;
        Self(network)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
    }
}

/// Follows length prefixes, to know whether a stream of bytes stands between two frames.
#[derive(Debug, Default)]
struct FrameCounter {
    prefix: Vec<u8>,
    left: usize,
}

impl FrameCounter {
    fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.prefix.push(bytes[0]);
            bytes = &bytes[1..];
            if let Ok(prefix) = <[u8; 4]>::try_from(self.prefix.as_slice()) {
                self.left = u32::from_le_bytes(prefix) as usize;
                self.prefix.clear();
            }
        }
    }

    fn is_in_a_frame(&self) -> bool {
        self.left > 0 || !self.prefix.is_empty()
    }
}
