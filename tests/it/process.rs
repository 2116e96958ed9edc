//! Programs of this package, run as a user runs them: their lines awaited, their ends seen.
//!
//! Nothing here sleeps: each wait is for a line, an end, or [`PATIENCE`] to run out.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

/// A program that runs, with what it says.
pub(super) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    errors: mpsc::Receiver<String>,
}

impl Program {
    /// Starts it. Its standard input is a pipe, open until [`end_input`](Self::end_input).
    pub(super) fn start(path: impl AsRef<OsStr>, arguments: &[&str]) -> Self {
        let mut child = Command::new(path)
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take();
        let errors = lines(child.stderr.take().expect("is piped"));
        let lines = lines(child.stdout.take().expect("is piped"));
        Self { child, input, lines, errors }
    }

    /// Says something on its standard input.
    pub(super) fn say(&mut self, text: &str) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(text.as_bytes()).expect("it reads");
    }

    pub(super) fn end_input(&mut self) {
        self.input = None;
    }

    /// Its next line.
    pub(super) fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line comes")
    }

    /// Its lines up to the first that holds `text`, that one too.
    pub(super) fn lines_to(&self, text: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while !seen.last().is_some_and(|line: &String| line.contains(text)) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with `{text}` came ({error}) after {seen:#?}"),
            }
        }
        seen
    }

    /// The next line of its standard error.
    pub(super) fn error(&self) -> String {
        self.errors.recv_timeout(PATIENCE).expect("an error comes")
    }

    /// The next line of its standard error that holds `text`.
    #[cfg(feature = "cli")]
    pub(super) fn error_with(&self, text: &str) -> String {
        loop {
            let line = self.error();
            if line.contains(text) {
                return line;
            }
        }
    }

    #[cfg(all(unix, feature = "cli"))]
    pub(super) fn signal(&self, name: &str) {
        let pid = self.child.id();
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
        assert!(sent.expect("a shell starts").success());
    }

    /// Ends it without a word, as SIGKILL does.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    /// Waits until it has ended, and every process that it started: each of them holds its
    /// standard error. Gives what was left to be read.
    pub(super) fn end(mut self) -> Ended {
        self.end_input();
        let (lines, errors) = (rest(&self.lines), rest(&self.errors));
        let status = self.child.wait().expect("it has ended");
        Ended { status, lines, errors }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What a program left behind.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) lines: Vec<String>,
    pub(super) errors: Vec<String>,
}

/// The path of an example. `cargo test` has built it, but `cargo test --test it` may have left an
/// old one: so it is built here, which costs nothing where it is new.
pub(super) fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    let test = env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/it");
    BUILT.get_or_init(|| {
        let name = profile.file_name().and_then(OsStr::to_str).expect("is named");
        build_examples(if name == "debug" { "dev" } else { name });
    });
    profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

fn build_examples(profile: &str) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--examples",
        "--profile",
        profile,
    ]);
    // As the test was built, so that nothing is built twice.
    for (feature, is_on) in [("cli", cfg!(feature = "cli")), ("testing", cfg!(feature = "testing"))]
    {
        if is_on {
            cargo.args(["--features", feature]);
        }
    }
    let built = cargo.stderr(Stdio::piped()).output().expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

fn lines(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn rest(lines: &mpsc::Receiver<String>) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => seen.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return seen,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end, after {seen:#?}"),
        }
    }
}

/// How long is waited for what would otherwise never come.
const PATIENCE: Duration = Duration::from_secs(30);
