//! The servers that are measured: which are here, and how each is started and stopped.

pub(super) mod broadcast;
pub(super) mod floor;

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Write, stderr},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use super::{Wrong, job::Protocol};

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Our hub, as `multiplex hub` starts it.
    Multiplex,
    /// The same with two arbiters.
    MultiplexOnTwo,
    /// A hub below so many others, each below the next; the clients are at the lowest.
    MultiplexBelow(u8),
    Nats,
    Redis,
    Mosquitto,
    /// A hub of Perspective Broker, in Python.
    Twisted,
    /// The least that a server can do.
    Floor,
    Broadcast,
}

/// A server that runs; killed when dropped.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
    settings: Option<PathBuf>,
    /// The hubs above it, the nearest last.
    above: Vec<Self>,
}

impl Peer {
    /// Those that are here; who is not, and can be had, is named.
    pub(super) fn present(twisted: bool, broadcast: bool) -> Result<Vec<Self>, Wrong> {
        let mut present = vec![Self::Multiplex];
        let others = [Self::Nats, Self::Redis, Self::Mosquitto];
        for peer in others.into_iter().chain(twisted.then_some(Self::Twisted)) {
            if peer.version().is_some() {
                present.push(peer);
            } else {
                let (name, remedy) = (peer.name(), peer.remedy());
                writeln!(stderr(), "{name} is not here and is skipped: {remedy}")?;
            }
        }
        present.push(Self::Floor);
        present.extend(broadcast.then_some(Self::Broadcast));
        Ok(present)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Multiplex => "multiplex",
            Self::MultiplexOnTwo => "multiplex --arbiters 2",
            Self::MultiplexBelow(1) => "across 1 link",
            Self::MultiplexBelow(2) => "across 2 links",
            Self::MultiplexBelow(_) => "across 3 links",
            Self::Nats => "nats-server",
            Self::Redis => "redis-server",
            Self::Mosquitto => "mosquitto",
            Self::Twisted => "twisted pb",
            Self::Floor => "epoll floor",
            Self::Broadcast => "tokio broadcast",
        }
    }

    /// What it says of its version, if it is a server apart and is here.
    pub(super) fn version(self) -> Option<String> {
        let arguments: &[&str] = match self {
            Self::Nats | Self::Redis => &["--version"],
            Self::Mosquitto => &["-h"],
            Self::Twisted => &["-c", TWISTED_VERSION],
            Self::Multiplex => {
                return Some(concat!("multiplex ", env!("CARGO_PKG_VERSION")).into());
            }
            Self::MultiplexOnTwo | Self::MultiplexBelow(_) | Self::Floor | Self::Broadcast => {
                return None;
            }
        };
        let said = Command::new(find(self.program())?).args(arguments).output().ok()?.stdout;
        String::from_utf8(said).ok()?.lines().next().map(str::to_owned)
    }

    /// What gets it here.
    fn remedy(self) -> String {
        match self {
            Self::Twisted => "pip install twisted".to_owned(),
            _ => format!("apt-get install {}", self.name()),
        }
    }

    /// What is looked for, and run.
    fn program(self) -> &'static str {
        if self == Self::Twisted { "python3" } else { self.name() }
    }

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Multiplex | Self::MultiplexOnTwo | Self::MultiplexBelow(_) => Protocol::Multiplex,
            Self::Nats => Protocol::Nats,
            Self::Redis => Protocol::Redis,
            Self::Mosquitto => Protocol::Mqtt,
            Self::Twisted => Protocol::Perspective,
            Self::Floor | Self::Broadcast => Protocol::Plain,
        }
    }

    /// Starts it on one core, and waits until it listens.
    pub(super) fn start(self, core: usize) -> Result<Server, Wrong> {
        match self {
            Self::Multiplex => ours(core, &["hub", "--ephemeral", "--listen", "tcp://127.0.0.1:0"]),
            Self::MultiplexOnTwo => ours(
                core,
                &["hub", "--ephemeral", "--listen", "tcp://127.0.0.1:0", "--arbiters", "2"],
            ),
            Self::MultiplexBelow(links) => below(core, links),
            Self::Floor => ours(core, &["bench-part", "floor"]),
            Self::Broadcast => ours(core, &["bench-part", "broadcast"]),
            Self::Nats => self.other(core, &["-a", "127.0.0.1", "-p"], &[]),
            Self::Redis => {
                let limits = ["--client-output-buffer-limit", "pubsub 0 0 0"];
                let files = ["--save", "", "--appendonly", "no"];
                let rest = [&files[..], &limits].concat();
                self.other(core, &["--bind", "127.0.0.1", "--port"], &rest)
            }
            Self::Mosquitto => self.mosquitto(core),
            Self::Twisted => {
                let python = find(self.program()).ok_or("it is gone")?;
                that_says_where(pinned(core, &python, ["-c", PERSPECTIVE]))
            }
        }
    }

    /// A server that is told its port, between these arguments.
    fn other(self, core: usize, before: &[&str], after: &[&str]) -> Result<Server, Wrong> {
        let address = free_address()?;
        let port = address.port().to_string();
        let program = find(self.program()).ok_or("it is gone")?;
        let mut command = pinned(core, &program, [before, &[port.as_str()], after].concat());
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Server { process, address, settings: None, above: Vec::new() }.until_it_listens()
    }

    fn mosquitto(self, core: usize) -> Result<Server, Wrong> {
        let address = free_address()?;
        let settings = env::temp_dir().join(format!("multiplex-bench-{}.conf", address.port()));
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest none\n\
             set_tcp_nodelay true\nmax_queued_messages 0\nmax_queued_bytes 0\n",
            address.port()
        );
        fs::write(&settings, text)?;
        let program = find(self.program()).ok_or("it is gone")?;
        let mut command = pinned(core, &program, [OsStr::new("-c"), settings.as_os_str()]);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Server { process, address, settings: Some(settings), above: Vec::new() }.until_it_listens()
    }
}

impl Server {
    /// Its process, and those of the hubs above it.
    pub(super) fn processes(&self) -> Vec<u32> {
        let above = self.above.iter().map(|hub| hub.process.id());
        [self.process.id()].into_iter().chain(above).collect()
    }

    fn until_it_listens(mut self) -> Result<Self, Wrong> {
        let began = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.process.try_wait()? {
                return Err(format!("it ended before it listened: {status}").into());
            }
            if began.elapsed() > START_MAX {
                return Err(format!("it does not listen at {}", self.address).into());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(self)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
        if let Some(settings) = &self.settings {
            let _already_gone = fs::remove_file(settings);
        }
    }
}

/// This program in another role, on one core.
pub(super) fn pinned(
    core: usize,
    program: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Command {
    let mut command = Command::new("/proc/self/exe");
    let (core, parent) = (core.to_string(), std::process::id().to_string());
    command.args(["bench-part", "pinned", &core, &parent]).arg(program).args(arguments);
    command.env("RUST_LOG", "warn").stdin(Stdio::null());
    command
}

/// The program that this process runs.
pub(super) fn myself() -> Result<PathBuf, Wrong> {
    Ok(env::current_exe()?)
}

/// A server of this program.
pub(super) fn ours(core: usize, arguments: &[&str]) -> Result<Server, Wrong> {
    that_says_where(pinned(core, &myself()?, arguments))
}

/// A hub below so many others, all on one core. Each is granted its link before it listens.
fn below(core: usize, links: u8) -> Result<Server, Wrong> {
    let listen = ["hub", "--ephemeral", "--listen", "tcp://127.0.0.1:0"];
    let mut above = vec![ours(core, &listen)?];
    for _ in 1..links {
        let next = format!("tcp://{}", above[above.len() - 1].address);
        above.push(ours(core, &[&listen[..], &["--link", &next]].concat())?);
    }
    let next = format!("tcp://{}", above[above.len() - 1].address);
    let mut lowest = ours(core, &[&listen[..], &["--link", &next]].concat())?;
    lowest.above = above;
    Ok(lowest)
}

/// A server that says where it listens.
fn that_says_where(mut command: Command) -> Result<Server, Wrong> {
    let mut process = command.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    if let Some(said) = process.stdout.take() {
        BufReader::new(said).read_line(&mut line)?;
    }
    let address = line.trim().rsplit(['/', ' ']).next().unwrap_or_default().parse();
    let address = address.map_err(|_| format!("it did not say where it listens, but {line:?}"))?;
    Ok(Server { process, address, settings: None, above: Vec::new() })
}

/// Where a program is, also in the places of servers that not every user's path has.
fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places.map(|place| place.join(program)).find(|program| program.is_file())
}

fn free_address() -> Result<SocketAddr, Wrong> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

const PERSPECTIVE: &str = include_str!("peer/perspective.py");
const TWISTED_VERSION: &str = "import twisted, sys; \
    print('Twisted', twisted.__version__, 'on Python', sys.version.split()[0])";
const START_MAX: Duration = Duration::from_secs(10);
