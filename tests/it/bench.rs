//! `multiplex bench`, as a user runs it: what it prints and where, what it refuses, and that nothing
//! of it stays behind.
//!
//! No figure is weighed here. Servers of others are measured too where they are installed.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command, Output, Stdio},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, pidfd_open},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use serde_json::{Map, Value};

/// A benchmark, in a process group that has its number: whatever it starts is of that group.
fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_multiplex"));
    command.arg("bench").args(arguments).process_group(0).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end: what it has said, and who is left of its group.
fn run(mut bench: Command) -> (Output, Vec<Pid>) {
    let bench = bench.spawn().expect("the program starts");
    let group = bench.id();
    let output = bench.wait_with_output().expect("it ends");
    (output, members(group))
}

/// Those of a process group who still run.
fn members(group: u32) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").expect("there is a /proc").flatten();
    let is_member = |stat: &str| {
        // Behind the name, which may hold anything: state, parent, group.
        let fields: Vec<_> = stat.rsplit(')').next()?.split_whitespace().collect();
        Some(fields.first()? != &"Z" && fields.get(2)?.parse() == Ok(group))
    };
    let running = processes.filter_map(|process| {
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        let number = process.file_name().to_str()?.parse().ok()?;
        if is_member(&stat)? { Pid::from_raw(number) } else { None }
    });
    running.collect()
}

fn lines(output: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(output).lines().map(str::to_owned).collect()
}

/// Whether a benchmark can run here; if not, it says so.
fn has_two_cores() -> bool {
    let has = sched_getaffinity(None).expect("is told").count() > 1;
    if !has {
        eprintln!("a benchmark needs two cores, and here is one: not tested");
    }
    has
}

#[test]
fn each_peer_of_a_case_is_a_line_of_json_and_ours_has_the_ratio_1() {
    if !has_two_cores() {
        return;
    }
    let (output, left) = run(bench(&["--quick", "--json", "64B-N1-"]));
    assert!(output.status.success(), "{output:?}");
    assert_eq!(left, []);

    let read = |line: String| serde_json::from_str(&line).expect("a line is a JSON object");
    let told: Vec<Map<String, Value>> = lines(&output.stdout).into_iter().map(read).collect();
    for line in &told {
        assert_eq!(line["case"], "64B-N1-W1024");
        let numbers = ["leaves", "bytes", "window"].map(|key| line[key].as_u64());
        assert_eq!(numbers, [Some(1), Some(64), Some(1024)]);
        is_measured(line);
    }
    let of = |peer| told.iter().filter(move |line| line["peer"] == peer).collect::<Vec<_>>();
    let ours = of("multiplex");
    let ([ours], [_floor]) = (&ours[..], &of("epoll floor")[..]) else { panic!("{told:#?}") };
    assert!(ours["runs"] == 0 || ours["ratio"] == 1.0, "{ours:#?}");

    let progress = lines(&output.stderr);
    assert!(progress.iter().any(|line| line == "1/1 64B-N1-W1024"), "{progress:#?}");
}

/// Every figure is one, unless each run was dropped because others took the machine.
fn is_measured(line: &Map<String, Value>) {
    let runs = line["runs"].as_u64().expect("is a number");
    assert!(runs <= 3, "{line:#?}");
    for key in ["deliveries_per_s", "cpu_us_per_delivery", "p50_us", "p99_us"] {
        let is_told = line[key].as_f64().is_some_and(|figure| figure > 0.0);
        assert_eq!(is_told, runs > 0, "{key}: {line:#?}");
    }
    assert!(line.contains_key("ratio"), "{line:#?}");
}

#[test]
fn a_case_that_is_not_there_is_an_error_that_lists_those_that_are() {
    if !has_two_cores() {
        return;
    }
    let (output, _) = run(bench(&["--json", "64B-N7-"]));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(lines(&output.stdout), [""; 0]);
    let errors = lines(&output.stderr);
    let error = errors.last().expect("is told");
    assert!(error.starts_with("multiplex: no case is called `64B-N7-`"), "{error}");
    for case in ["64B-N1-W1024", "64B-N1000-W128", "slow-leaf", "typed-leaf"] {
        assert!(error.contains(case), "{case}: {error}");
    }
}

#[test]
fn a_server_that_is_not_here_is_named_and_skipped() {
    if !has_two_cores() {
        return;
    }
    // There is no Python on this path, so that Twisted is not here on any machine.
    let mut bench = bench(&["--twisted", "no such case"]);
    bench.env("PATH", "/nowhere");
    let (output, _) = run(bench);
    let errors = lines(&output.stderr);
    let skipped = "twisted pb is not here and is skipped: pip install twisted";
    assert!(errors.iter().any(|line| line == skipped), "{errors:#?}");
    assert!(errors.last().is_some_and(|line| line.contains("no case")), "{errors:#?}");
}

#[test]
fn on_one_core_it_says_why_it_cannot() {
    let allowed = sched_getaffinity(None).expect("is told");
    let core = (0..CpuSet::MAX_CPU).find(|&core| allowed.is_set(core)).expect("one is allowed");
    // A child may run where the thread that starts it may.
    let on_one_core = thread::spawn(move || {
        let mut one = CpuSet::new();
        one.set(core);
        sched_setaffinity(None, &one).expect("is allowed");
        run(bench(&["--quick", "--json"]))
    });
    let (output, left) = on_one_core.join().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(lines(&output.stdout), [""; 0]);
    let why = "multiplex: a benchmark needs two cores, one for the server and one for the load";
    assert_eq!(lines(&output.stderr), [why]);
    assert_eq!(left, []);
}

#[test]
fn killed_in_the_middle_it_takes_server_and_load_along() {
    if !has_two_cores() {
        return;
    }
    let mut bench = bench(&["--quick", "--json", "64B-N100-W16"]).spawn().expect("it starts");
    let group = bench.id();
    let errors = BufReader::new(bench.stderr.take().expect("is piped"));
    let is_begun = |line: String| line == "1/1 64B-N100-W16";
    assert!(errors.lines().map_while(Result::ok).any(is_begun));
    // Itself, a server and the load.
    while members(group).len() < 3 {
        assert!(bench.try_wait().expect("is told").is_none(), "it has ended by itself");
        thread::yield_now();
    }
    bench.kill().expect("it can be killed");
    bench.wait().expect("it has ended");
    while let Some(&left) = members(group).first() {
        await_end(left);
    }
}

fn await_end(process: Pid) {
    let process = match pidfd_open(process, PidfdFlags::empty()) {
        Err(Errno::SRCH) => return,
        process => process.expect("can be watched"),
    };
    let patience = Timespec { tv_sec: 30, tv_nsec: 0 };
    let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience));
    assert_eq!(ended, Ok(1), "a process of it runs on");
}
