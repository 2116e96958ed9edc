//! What was measured, for people as tables, for machines as lines of JSON.

use std::io::{Write, stderr, stdout};

use serde::Serialize;

use super::{
    Wrong,
    case::Case,
    job::{Sample, Work},
    machine::{Cores, description},
    peer::Peer,
    runs::Measured,
};

/// Where results go.
#[derive(Debug)]
pub(super) struct Report {
    is_json: bool,
    runs: usize,
}

/// A line of JSON.
#[derive(Debug, Serialize)]
struct Line<'a> {
    case: &'a str,
    leaves: usize,
    bytes: usize,
    window: Option<usize>,
    peer: &'a str,
    deliveries_per_s: Option<f64>,
    cpu_us_per_delivery: Option<f64>,
    p50_us: Option<f64>,
    p99_us: Option<f64>,
    p999_us: Option<f64>,
    memory_bytes: Option<f64>,
    /// Runs that count.
    runs: usize,
    /// Resyncs of a slow leaf.
    resyncs: Option<f64>,
    /// Shouts in a commit to disk.
    shouts_per_commit: Option<f64>,
    /// Records that a hub has gone on with.
    records: Option<f64>,
    /// That peer's CPU time, or memory where there are no deliveries, over ours; beside a slow leaf,
    /// the p99; of shouts that are kept, our rate over that of the store alone.
    ratio: Option<f64>,
    busy: Option<f64>,
}

/// The runs of one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Report {
    pub(super) fn new(is_json: bool, runs: usize) -> Self {
        Self { is_json, runs }
    }

    /// Says what is measured, where, and how.
    pub(super) fn begin(&self, cores: &Cores, peers: &[Peer], is_quick: bool) -> Result<(), Wrong> {
        let versions: Vec<_> = peers.iter().filter_map(|peer| peer.version()).collect();
        let Cores { server, load } = cores;
        let mut out: Box<dyn Write> =
            if self.is_json { Box::new(stderr()) } else { Box::new(stdout()) };
        writeln!(out, "{}", description())?;
        writeln!(out, "servers: {}", versions.join("; "))?;
        writeln!(out, "server on core {server}, load on core {load}; loopback TCP, nodelay")?;
        writeln!(
            out,
            "{} runs of each, one peer after the other: median (least to most)",
            self.runs
        )?;
        writeln!(out, "ratio: that peer's CPU time over ours in the same run; busy: of the load")?;
        if is_quick {
            writeln!(out, "a quick look: fewer runs, fewer cases; leave out --quick for all")?;
        }
        Ok(())
    }

    /// Tells of a case.
    pub(super) fn tell(&mut self, case: &Case, all: &[Measured]) -> Result<(), Wrong> {
        if !self.is_json {
            writeln!(stdout(), "\n{}: {}", case.name, headline(case))?;
            let (peer, cpu, rate, latency) = ("", "CPU-us each", "a second", "p50/p99/p99.9 us");
            writeln!(
                stdout(),
                "  {peer:<22} {cpu:>25} {rate:>26} {latency:>22} {:>9} {:>6} {:>5} {:>4}",
                "memory",
                "ratio",
                "busy",
                "runs"
            )?;
        }
        let ours = all.iter().find(|measured| measured.name == Peer::Multiplex.name());
        for measured in all {
            let ratio = ours.and_then(|ours| ratio(measured, ours));
            if self.is_json {
                let line = serde_json::to_string(&line(case, measured, ratio))?;
                writeln!(stdout(), "{line}")?;
            } else {
                writeln!(stdout(), "{}", row(measured, ratio))?;
            }
        }
        Ok(())
    }
}

fn headline(case: &Case) -> String {
    let Case { leaves, bytes, what, .. } = case;
    let how = match case.work {
        Work::Flood { window, shouters, objects } => {
            format!("{window} outstanding, of {shouters} at {objects} (shouters, objects)")
        }
        Work::Paced { per_s } => format!("{per_s} shouts a second"),
        Work::Idle => "which do nothing".to_owned(),
        Work::Joins => "as often as can be".to_owned(),
        Work::Slow { per_s, .. } => format!("{per_s} shouts a second, the ratio is of p99"),
        Work::Durable { shouters } => {
            format!("{shouters} outstanding, kept by redb; the ratio is of shouts a second")
        }
        Work::Recovery { objects, .. } => format!("{objects} objects, after SIGKILL"),
        Work::Bursts { shouts } => format!("{shouts} shouts every 4 ms"),
    };
    format!("{leaves} leaves, {bytes} B, {how}; each is {what}")
}

fn row(measured: &Measured, ratio: Option<f64>) -> String {
    let name = &measured.name;
    let cpu = cpu_us(measured).map_or(String::new(), |cpu| cpu.write(4));
    let rate = spread(measured, |sample| positive(sample.deliveries_per_s))
        .map_or(String::new(), |rate| rate.write(0));
    let latency = quantiles(measured)
        .map_or(String::new(), |[p50, p99, p999]| format!("{p50:.0}/{p99:.0}/{p999:.0}"));
    let memory = spread(measured, |sample| sample.memory_bytes)
        .map_or(String::new(), |memory| format!("{:.0} B", memory.median));
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    let resyncs = spread(measured, |sample| sample.resyncs.map(|resyncs| resyncs as f64))
        .map_or(String::new(), |resyncs| format!(", resyncs {}", resyncs.write(0)));
    let more = [
        (", shouts a commit", spread(measured, |sample| sample.shouts_per_commit)),
        (", records", spread(measured, |sample| sample.records)),
    ];
    let more =
        more.map(|(what, of)| of.map_or(String::new(), |of| format!("{what} {}", of.write(0))));
    let more = more.concat();
    let busy = spread(measured, |sample| Some(sample.busy)).map_or(0.0, |busy| 100.0 * busy.median);
    let kept = kept(measured);
    format!(
        "  {name:<22} {cpu:>25} {rate:>26} {latency:>22} {memory:>9} {ratio:>6} {busy:>4.0}% {kept:>4}{resyncs}{more}"
    )
}

fn line<'a>(case: &'a Case, measured: &'a Measured, ratio: Option<f64>) -> Line<'a> {
    let [half, most, nearly_all] =
        quantiles(measured).map_or([None; 3], |quantiles| quantiles.map(Some));
    let median = |of: fn(&Sample) -> Option<f64>| spread(measured, of).map(|spread| spread.median);
    Line {
        case: &case.name,
        leaves: case.leaves,
        bytes: case.bytes,
        window: match case.work {
            Work::Flood { window, .. } => Some(window),
            _ => None,
        },
        peer: &measured.name,
        deliveries_per_s: median(|sample| positive(sample.deliveries_per_s)),
        cpu_us_per_delivery: cpu_us(measured).map(|cpu| cpu.median),
        p50_us: half,
        p99_us: most,
        p999_us: nearly_all,
        memory_bytes: median(|sample| sample.memory_bytes),
        resyncs: median(|sample| sample.resyncs.map(|resyncs| resyncs as f64)),
        shouts_per_commit: median(|sample| sample.shouts_per_commit),
        records: median(|sample| sample.records),
        runs: kept(measured),
        ratio,
        busy: median(|sample| Some(sample.busy)),
    }
}

/// The median of what stands beside each other in one run.
fn ratio(theirs: &Measured, ours: &Measured) -> Option<f64> {
    let pairs = theirs.runs.iter().zip(&ours.runs);
    let ratios = pairs.filter_map(|(theirs, ours)| {
        let (theirs, ours) = (theirs.as_ref()?, ours.as_ref()?);
        if theirs.resyncs.is_some() {
            return Some(theirs.latency?.p99 / ours.latency?.p99);
        }
        if ours.shouts_per_commit.is_some() {
            return Some(ours.deliveries_per_s / theirs.deliveries_per_s);
        }
        let cpu = positive(theirs.cpu_us).zip(positive(ours.cpu_us));
        let (theirs, ours) = cpu.or_else(|| theirs.memory_bytes.zip(ours.memory_bytes))?;
        Some(theirs / ours)
    });
    Spread::of(ratios.collect()).map(|ratios| ratios.median)
}

fn cpu_us(measured: &Measured) -> Option<Spread> {
    spread(measured, |sample| positive(sample.cpu_us))
}

fn quantiles(measured: &Measured) -> Option<[f64; 3]> {
    let quantile = |of: fn(&Sample) -> Option<f64>| spread(measured, of).map(|all| all.median);
    Some([
        quantile(|sample| sample.latency.map(|latency| latency.p50))?,
        quantile(|sample| sample.latency.map(|latency| latency.p99))?,
        quantile(|sample| sample.latency.map(|latency| latency.p999))?,
    ])
}

fn spread(measured: &Measured, of: impl Fn(&Sample) -> Option<f64>) -> Option<Spread> {
    Spread::of(measured.runs.iter().flatten().filter_map(of).collect())
}

fn kept(measured: &Measured) -> usize {
    measured.runs.iter().flatten().count()
}

/// None for a figure that the case does not have.
fn positive(figure: f64) -> Option<f64> {
    (figure > 0.0).then_some(figure)
}

impl Spread {
    fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let middle = figures.len() / 2;
        let median = match figures.len() {
            0 => return None,
            odd if odd % 2 == 1 => figures[middle],
            _ => f64::midpoint(figures[middle - 1], figures[middle]),
        };
        Some(Self { least: figures[0], median, most: figures[figures.len() - 1] })
    }

    fn write(self, digits: usize) -> String {
        let Self { least, median, most } = self;
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(cpu: &[Option<f64>]) -> Measured {
        let sample = |cpu_us| Sample { cpu_us, ..Sample::default() };
        let runs = cpu.iter().map(|cpu| cpu.map(sample)).collect();
        Measured { name: String::new(), runs }
    }

    #[test]
    fn a_spread_has_the_middle_of_its_figures() {
        let spread = Spread::of(vec![3.0, 1.0, 8.0]).expect("has figures");
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 3.0, 8.0));
        assert_eq!(Spread::of(vec![1.0, 2.0]).map(|spread| spread.median), Some(1.5));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_ratio_is_of_pairs_of_runs_and_a_dropped_run_has_none() {
        let ours = measured(&[Some(1.0), None, Some(2.0), Some(4.0)]);
        let theirs = measured(&[Some(3.0), Some(100.0), Some(4.0), None]);
        assert_eq!(ratio(&theirs, &ours), Some(2.5));
        assert_eq!(ratio(&measured(&[None]), &measured(&[Some(1.0)])), None);
    }
}
