//! Processes that this one starts, leads and ends.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use tokio::{sync::mpsc, time::timeout};

/// Time for one step of a run, on a slow machine. Nothing is waited for longer.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// A process and its lines. Killed when dropped.
pub(super) struct Program {
    name: String,
    process: std::process::Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Program {
    pub(super) fn start(name: &str, command: &mut Command) -> Self {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process can be started");
        let out = process.stdout.take().expect("was piped");
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _nobody_listens = sender.send(line);
            }
        });
        Self { name: name.to_owned(), process, lines }
    }

    pub(super) fn tell(&mut self, word: &str) {
        let input = self.process.stdin.as_mut().expect("was piped");
        writeln!(input, "{word}").unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    pub(super) async fn expect(&mut self, word: &str) {
        match timeout(2 * PATIENCE, self.line()).await {
            Ok(line) => {
                assert!(line.starts_with(word), "{} said `{line}`, not `{word}`", self.name);
            }
            Err(late) => panic!("{} did not say `{word}`: {late}", self.name),
        }
    }

    /// Whether it has said a line by now.
    pub(super) fn has_spoken(&mut self) -> bool {
        self.lines.try_recv().is_ok()
    }

    /// Kills it, as SIGKILL does, and waits until it is no more.
    pub(super) fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it is our child");
    }

    /// Asks it to end.
    pub(super) fn terminate(&mut self) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("there is a `kill`").success());
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        let lines = async { while self.lines.recv().await.is_some() {} };
        let in_time = timeout(PATIENCE, lines).await;
        assert!(in_time.is_ok(), "{} does not end", self.name);
        self.process.wait().expect("it is our child")
    }

    async fn line(&mut self) -> String {
        if let Some(line) = self.lines.recv().await {
            return line;
        }
        let status = self.process.wait().expect("it is our child");
        panic!("{} ended ({status})", self.name);
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Where a hub listens, and keeps what it keeps.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) address: String,
    /// Seconds that it keeps sessions.
    pub(super) grace: u64,
}

impl Place {
    /// An empty directory of this test's own, and a port.
    pub(super) fn new(name: &str) -> Self {
        let name = format!("survive-{name}-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _none = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("a directory can be made");
        Self { directory, address: format!("tcp://127.0.0.1:{}", free_port()), grace: 60 }
    }

    /// The program, by which other program it is started if by one.
    pub(super) fn hub(&self, before: &[&str], arbiters: u64) -> Program {
        let words = [before, &[env!("CARGO_BIN_EXE_multiplex"), "hub"]].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["--listen", &self.address, "--grace", &self.grace.to_string()])
            .args(["--arbiters", &arbiters.to_string()])
            .arg("--data-dir")
            .arg(self.data())
            .env("RUST_LOG", "info")
            .stderr(self.log());
        Program::start("the hub", &mut command)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// What all its hubs have logged.
    pub(super) fn logged(&self) -> String {
        let log = std::fs::read(self.directory.join("hub.log")).expect("there is a log");
        String::from_utf8_lossy(&log).into_owned()
    }

    fn log(&self) -> File {
        let log = OpenOptions::new().create(true).append(true).open(self.directory.join("hub.log"));
        log.expect("a file can be written")
    }

    /// What was good need not be looked at.
    pub(super) fn clear(self) {
        std::fs::remove_dir_all(self.directory).expect("it is this test's own");
    }
}

/// A port that no client is given while the hub is away: those are above.
fn free_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|range| range.split_whitespace().next()?.parse().ok());
    let first: u16 = first.unwrap_or(32_768);
    let from = 10_000 + (std::process::id() % 10_000) as u16;
    let mut ports = (from..first).chain(1_024..from);
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(is_free).expect("a port is free")
}
