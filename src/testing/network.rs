//! A network on one thread: lines between clients and the hub that can be cut, also in one
//! direction, held, delayed, slowed, torn, haunted and mended.
//!
//! Each connection is two relays, one in each direction, between two in-process pipes. A relay
//! knows bytes, and counts frames only to tell whether a cut fell into one.

mod watched;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, duplex, split},
    task::spawn_local,
    time::sleep,
};

use self::watched::Watched;
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
    /// Where all lines lead.
    hub: MemoryConnector,
    lines: BTreeMap<String, Line>,
    stress: Stress,
    /// Whether nothing passes on any line.
    stalled: bool,
    /// Relays that hold bytes at this moment, other than held ones.
    busy: usize,
}

/// How one client's line behaves.
#[derive(Clone)]
struct Line {
    weather: Watched<Weather>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    held: bool,
    stalled: bool,
    torn: bool,
    /// Bytes that go this way vanish.
    lost: Option<Way>,
    /// Of what the client reads; 0 for any.
    bytes_per_s_max: u64,
    delay_ms_max: u64,
    /// Counts cuts: a connection of an earlier count is dead.
    cuts: u64,
    /// Counts hauntings: the client's end of an earlier connection is gone, the hub's is not.
    ghosts: u64,
}

/// A direction on a line.
///
/// ```
/// use actix_multiplex::testing::Way;
/// assert_ne!(Way::Up, Way::Down);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a line has two ends")]
pub enum Way {
    /// From the client to the hub.
    Up,
    /// From the hub to the client.
    Down,
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
    /// Pieces that vanished on a line that was dead in their direction.
    pub lost: u64,
    /// Pieces that came late because their line was slow.
    pub slowed: u64,
    /// Connections that the hub had beside the client's next one.
    pub ghosts: u64,
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
        self.lost += more.lost;
        self.slowed += more.slowed;
        self.ghosts += more.ghosts;
    }
}

impl Network {
    pub(super) fn new(random: &mut impl Rng, hub: MemoryConnector) -> Self {
        let random = StdRng::from_rng(random);
        let (lines, stress) = (BTreeMap::new(), Stress::default());
        let inner = Inner { random, hub, lines, stress, stalled: false, busy: 0 };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Cuts all lines, which lead to another hub from now on.
    pub(super) fn lead_to(&self, hub: MemoryConnector) {
        let mut inner = self.lock();
        inner.hub = hub;
        for line in inner.lines.values() {
            line.weather.change(|weather| weather.cuts += 1);
        }
    }

    /// A connector over the line of this name.
    pub(super) fn connector(&self, name: &str) -> SimConnector {
        SimConnector { network: self.clone(), name: name.to_owned() }
    }

    /// Cuts a line: its connection is dead, and bytes under way are lost. A new connection works.
    pub fn cut(&self, name: &str) {
        self.line(name).weather.change(|weather| weather.cuts += 1);
    }

    /// Holds a line: nothing passes until it is mended, and nothing is lost.
    pub fn hold(&self, name: &str) {
        self.line(name).weather.change(|weather| weather.held = true);
    }

    /// Delays each piece on a line by up to this long.
    pub fn delay(&self, name: &str, max: Duration) {
        let delay_ms_max = max.as_millis() as u64;
        self.line(name).weather.change(|weather| weather.delay_ms_max = delay_ms_max);
    }

    /// Tears everything on a line into single bytes.
    pub fn tear(&self, name: &str) {
        self.line(name).weather.change(|weather| weather.torn = true);
    }

    /// Cuts one direction of a line: bytes that go this way vanish, and nobody sees an end. A
    /// connection that has lost a byte never gets well; a new one works when the line is mended.
    pub fn lose(&self, name: &str, way: Way) {
        self.line(name).weather.change(|weather| weather.lost = Some(way));
    }

    /// Lets the client at the end of a line read no more than so many bytes a second.
    pub fn slow(&self, name: &str, bytes_per_s_max: u64) {
        self.line(name).weather.change(|weather| weather.bytes_per_s_max = bytes_per_s_max);
    }

    /// Ends a line's connection for the client alone: the hub sees no end, and what the client had
    /// sent comes late, perhaps after what it says on its next connection.
    pub fn haunt(&self, name: &str) {
        self.line(name).weather.change(|weather| weather.ghosts += 1);
    }

    /// Lets nothing pass on any line, as if the hub stood still, or ends that.
    pub fn stall(&self, stalled: bool) {
        let mut inner = self.lock();
        inner.stalled = stalled;
        for line in inner.lines.values() {
            line.weather.change(|weather| weather.stalled = stalled);
        }
    }

    /// Ends all on a line but what ended a connection: holding, losing, delaying, slowing, tearing.
    pub fn mend(&self, name: &str) {
        self.line(name).weather.change(|weather| {
            let Weather { cuts, ghosts, stalled, .. } = *weather;
            *weather = Weather { stalled, cuts, ghosts, ..Weather::default() };
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
        let stalled = inner.stalled;
        let weather = Weather { stalled, ..Weather::default() };
        let fresh = || Line { weather: Watched::new(weather) };
        inner.lines.entry(name.to_owned()).or_insert_with(fresh).clone()
    }

    fn count(&self, count: impl FnOnce(&mut Stress)) {
        count(&mut self.lock().stress);
    }

    /// How much is passed on at once: pieces are of any size where there is weather at all.
    fn room(&self, now: Weather) -> usize {
        match now {
            Weather { torn: true, .. } => 1,
            Weather { delay_ms_max: 0, bytes_per_s_max: 0, .. } => MEMORY_PIPE_BYTES_MAX,
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
}

impl Connector for SimConnector {
    fn connect(&self) -> Opening<'_, Duplex> {
        Box::pin(async {
            let hub = self.network.lock().hub.clone();
            let far = hub.connect().await?;
            let (near, middle) = duplex(MEMORY_PIPE_BYTES_MAX);
            let (from_client, to_client) = split(middle);
            let weather = self.network.line(&self.name).weather;
            self.network.count(|stress| stress.connections += 1);
            let relay = |way| Relay::new(self.network.clone(), weather.clone(), way);
            spawn_local(relay(Way::Up).run(from_client, far.writer));
            spawn_local(relay(Way::Down).run(far.reader, to_client));
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
    weather: Watched<Weather>,
    way: Way,
    /// What was counted when the connection was opened.
    opened: Weather,
    /// Whether bytes have vanished: those behind them would make no sense.
    is_dead: bool,
    frames: FrameCounter,
}

impl Relay {
    fn new(network: Network, weather: Watched<Weather>, way: Way) -> Self {
        let opened = weather.get();
        Self { network, weather, way, opened, is_dead: false, frames: FrameCounter::default() }
    }

    async fn run(mut self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
        let weather = self.weather.clone();
        let (opened, is_down) = (self.opened, self.way == Way::Down);
        tokio::select! {
            biased;
            () = weather.wait_for(|weather| weather.cuts > opened.cuts) => {
                let mid_frame = u64::from(self.frames.is_in_a_frame());
                return self.network.count(|stress| {
                    stress.cuts += 1;
                    stress.cuts_mid_frame += mid_frame;
                });
            }
            () = weather.wait_for(|weather| is_down && weather.ghosts > opened.ghosts) => {}
            _ = self.relay(&mut from, &mut to) => return,
        }
        self.network.count(|stress| stress.ghosts += 1);
        let _gone = to.shutdown().await;
        // Nobody reads what the hub still says; when it ends the connection, that is the end.
        let _ended = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    }

    /// Passes bytes on until either side ends.
    async fn relay(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
    ) -> std::io::Result<()> {
        let mut buffer = vec![0; MEMORY_PIPE_BYTES_MAX];
        loop {
            let now = self.weather.get();
            let room = self.network.room(now);
            let read = from.read(&mut buffer[..room]).await?;
            if read == 0 {
                if self.is_ghost() {
                    sleep(GHOST_LIFE).await;
                }
                return to.shutdown().await;
            }
            self.pass(read).await;
            if self.is_dead {
                continue;
            }
            let _busy = Busy::new(&self.network);
            to.write_all(&buffer[..read]).await?;
            self.frames.pass(&buffer[..read]);
        }
    }

    /// Lets the weather have its way with a piece.
    async fn pass(&mut self, bytes: usize) {
        let now = self.weather.get();
        self.is_dead |= now.lost == Some(self.way);
        let (lost, wait) = (u64::from(self.is_dead), self.wait(now, bytes));
        self.network.count(|stress| {
            stress.bytes += bytes as u64;
            stress.torn += u64::from(now.torn);
            stress.holds += u64::from(now.held || now.stalled);
            stress.lost += lost;
        });
        if !wait.is_zero() {
            let _busy = Busy::new(&self.network);
            sleep(wait).await;
        }
        self.weather.wait_for(|weather| !weather.held && !weather.stalled).await;
    }

    /// How much later a piece comes.
    fn wait(&self, now: Weather, bytes: usize) -> Duration {
        let mut ms = 0;
        if now.delay_ms_max > 0 {
            self.network.count(|stress| stress.delays += 1);
            ms += self.network.random(0..=now.delay_ms_max);
        }
        if now.bytes_per_s_max > 0 && self.way == Way::Down {
            self.network.count(|stress| stress.slowed += 1);
            ms += bytes as u64 * 1_000 / now.bytes_per_s_max;
        }
        if self.is_ghost() {
            ms += self.network.random(0..=GHOST_LATE_MS_MAX);
        }
        Duration::from_millis(ms)
    }

    /// Whether the client has given this connection up, and the hub does not know.
    fn is_ghost(&self) -> bool {
        self.weather.get().ghosts > self.opened.ghosts
    }
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

/// Longer than silence lasts: the hub has noticed by then.
const GHOST_LIFE: Duration = Duration::from_secs(20);

/// Long enough for a client to be back before its old bytes are.
const GHOST_LATE_MS_MAX: u64 = 3_000;
