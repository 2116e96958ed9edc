//! The machine: its cores, what processes spend and hold on it, and what others take of it.

use std::{
    fs,
    io::{self, ErrorKind},
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    param::clock_ticks_per_second,
    process::{
        Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
    },
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use super::{Wrong, job::Sample};

/// Where server and load run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cores {
    pub(super) server: usize,
    pub(super) load: usize,
}

/// A moment, and what had been spent until then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    at: Instant,
    server: Duration,
    load: Duration,
    stolen: [Duration; 2],
}

/// What was spent between two moments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spent {
    seconds: f64,
    /// CPU time of the server, in microseconds.
    server_us: f64,
    /// How much of the time this process was busy.
    busy: f64,
    /// How much of a core's time others took: of that which they took more of.
    stolen: f64,
}

impl Cores {
    /// Two cores that this process may use, of different physical cores if there are such.
    pub(super) fn pick() -> Result<Self, Wrong> {
        let allowed = sched_getaffinity(None)?;
        let cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).collect();
        let [server, second, ..] = cores[..] else {
            return Err(
                "a benchmark needs two cores, one for the server and one for the load".into()
            );
        };
        let siblings = siblings(server);
        let load = cores[1..].iter().copied().find(|core| !siblings.contains(core));
        Ok(Self { server, load: load.unwrap_or(second) })
    }

    pub(super) fn both(self) -> [usize; 2] {
        [self.server, self.load]
    }
}

impl Moment {
    /// Now, for the process of a server and this one.
    pub(super) fn now(servers: &[u32], cores: &[usize; 2]) -> Result<Self, Wrong> {
        Ok(Self {
            server: servers.iter().map(|server| cpu_time(*server)).sum::<Result<_, _>>()?,
            load: own_cpu_time(),
            stolen: stolen(cores)?,
            at: Instant::now(),
        })
    }

    /// What was spent from this moment to a later one.
    pub(super) fn until(&self, later: &Self) -> Spent {
        let passed = later.at - self.at;
        let share = |of: Duration| of.as_secs_f64() / passed.as_secs_f64();
        Spent {
            seconds: passed.as_secs_f64(),
            server_us: later.server.saturating_sub(self.server).as_secs_f64() * 1e6,
            busy: share(later.load.saturating_sub(self.load)),
            stolen: [0, 1]
                .map(|core| share(later.stolen[core].saturating_sub(self.stolen[core])))
                .into_iter()
                .fold(0.0, f64::max),
        }
    }
}

impl Spent {
    /// What that was for each of so many deliveries.
    pub(super) fn on(&self, deliveries: u64) -> Sample {
        Sample {
            deliveries_per_s: deliveries as f64 / self.seconds,
            cpu_us: self.server_us / deliveries as f64,
            ..self.on_nothing()
        }
    }

    /// The same where nothing was delivered.
    pub(super) fn on_nothing(&self) -> Sample {
        Sample { busy: self.busy, stolen: self.stolen, ..Sample::default() }
    }
}

/// CPU time of this process.
pub(super) fn own_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::from_secs(time.tv_sec.cast_unsigned())
        + Duration::from_nanos(time.tv_nsec.cast_unsigned())
}

/// Memory of a process that is in RAM, in bytes.
pub(super) fn resident_bytes(process: u32) -> Result<u64, Wrong> {
    let statm = fs::read_to_string(format!("/proc/{process}/statm"))?;
    let pages: u64 = statm.split(' ').nth(1).ok_or("no resident pages in statm")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Keeps this process, and what it becomes or starts, on one core.
pub(super) fn pin(core: usize) -> Result<(), Wrong> {
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}

/// This process is killed when the one that started it ends, or fails if that has ended already.
pub(super) fn end_with_parent(parent: u32) -> Result<(), Wrong> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let is_there = getppid().is_some_and(|now| now.as_raw_pid() == parent.cast_signed());
    if is_there { Ok(()) } else { Err("the benchmark has ended".into()) }
}

/// As many open files as this user may have: each leaf is one, in the server and in the load.
pub(super) fn raise_open_files() -> Result<(), Wrong> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

/// The processor and the kernel, for a person.
pub(super) fn description() -> String {
    let kernel = rustix::system::uname();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let model =
        model.map_or("an unnamed processor", |model| model.trim_start_matches(['\t', ':', ' ']));
    format!(
        "{model}, {} {}",
        kernel.sysname().to_string_lossy(),
        kernel.release().to_string_lossy()
    )
}

/// CPU time of all threads of a process: the first number of each thread's `schedstat`, in ns. A
/// thread that ends takes its time along; the servers keep theirs.
fn cpu_time(process: u32) -> Result<Duration, Wrong> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let spent = match fs::read_to_string(thread?.path().join("schedstat")) {
            Err(error) if has_ended(&error) => continue,
            spent => spent?,
        };
        nanoseconds += spent.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Whether a thread was listed and then not there, or not any more when it was read.
fn has_ended(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// Time that each core was wanted and not given, by `/proc/stat`.
fn stolen(cores: &[usize; 2]) -> Result<[Duration; 2], Wrong> {
    let stat = fs::read_to_string("/proc/stat")?;
    let of = |core| {
        let ticks = steal_of(&stat, core).ok_or("no stolen time in /proc/stat")?;
        Ok::<_, Wrong>(Duration::from_secs_f64(ticks as f64 / clock_ticks_per_second() as f64))
    };
    Ok([of(cores[0])?, of(cores[1])?])
}

fn steal_of(stat: &str, core: usize) -> Option<u64> {
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
    line.split(' ').nth(7)?.parse().ok()
}

/// The cores that share a physical one with this one, itself too.
fn siblings(core: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
    let list = fs::read_to_string(path).unwrap_or_default();
    let ranges = list.trim().split(',').filter_map(|range| {
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        Some(low.parse::<usize>().ok()?..=high.parse().ok()?)
    });
    ranges.flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    #[test]
    fn stolen_time_is_the_eighth_number_of_a_core() {
        let stat = "cpu  1 2 3 4 5 6 7 9 0 0\ncpu1 1 2 3 4 5 6 7 8 0 0\n";
        assert_eq!(steal_of(stat, 1), Some(8));
        assert_eq!(steal_of(stat, 0), None);
    }

    /// Killed also where the test fails.
    struct Worker(Child);

    impl Drop for Worker {
        fn drop(&mut self) {
            self.0.kill().expect("it can be killed");
            self.0.wait().expect("it has ended");
        }
    }

    /// A process of its own: here, threads of other tests end and take their time along.
    #[test]
    fn a_process_that_works_is_seen_to_spend_and_to_hold() {
        let worker = Command::new("sh").args(["-c", "while :; do :; done"]).spawn();
        let worker = Worker(worker.expect("a shell starts"));
        let before = cpu_time(worker.0.id()).expect("is there");
        let has_spent = || cpu_time(worker.0.id()).expect("is there") > before;
        while !has_spent() {
            std::thread::yield_now();
        }
        assert!(resident_bytes(std::process::id()).expect("is there") > 100_000);
    }
}
