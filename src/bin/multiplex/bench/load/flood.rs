//! A closed loop: what was heard makes room for the next shout.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::{
    super::{
        Wrong,
        job::{Job, Latency, Sample},
        machine::{Moment, resident_bytes},
    },
    crowd::Crowd,
};

/// Keeps `window` shouts outstanding, and measures what they cost once that has gone on for a
/// while. At the end every leaf must have got every byte.
pub(super) fn run(
    job: &Job,
    window: usize,
    shouters: usize,
    objects: usize,
) -> Result<Sample, Wrong> {
    let before = resident_bytes(job.servers[0])?;
    let mut crowd = Crowd::enter(job, objects)?;
    let held = resident_bytes(job.servers[0])?.saturating_sub(before);
    let mut flood = Flood::new(job, shouters, objects)?;
    flood.begin(window);
    flood.run_for(&mut crowd, job.measure_ms / 3)?;
    let (begin, heard) = (Moment::now(&job.servers, &job.cores)?, flood.heard);
    flood.latencies.reset();
    flood.run_for(&mut crowd, job.measure_ms)?;
    let spent = begin.until(&Moment::now(&job.servers, &job.cores)?);
    let deliveries = (flood.heard - heard) * job.leaves as u64;
    let latency = latency(&flood.latencies);
    flood.end(&mut crowd)?;
    let memory_bytes = (objects > 1).then_some(held as f64 / objects as f64);
    Ok(Sample { latency, memory_bytes, ..spent.on(deliveries) })
}

/// Shouts so often at each of these objects in turn, always at each once.
pub(super) fn fill(job: &Job, objects: usize, shouts: u64) -> Result<Sample, Wrong> {
    let begin = Moment::now(&job.servers, &job.cores)?;
    let mut crowd = Crowd::enter(job, objects)?;
    let mut flood = Flood::new(job, 1, objects)?;
    flood.begin(objects);
    while flood.heard < shouts {
        flood.run_for(&mut crowd, 100)?;
    }
    flood.end(&mut crowd)?;
    Ok(begin.until(&Moment::now(&job.servers, &job.cores)?).on(flood.heard))
}

struct Flood {
    born: Instant,
    payload: Vec<u8>,
    objects: usize,
    next_object: usize,
    /// Shouts that each shouter has to make.
    due: Vec<usize>,
    shouted: u64,
    heard: u64,
    patience: Patience,
    latencies: Histogram<u64>,
}

impl Flood {
    fn new(job: &Job, shouters: usize, objects: usize) -> Result<Self, Wrong> {
        Ok(Self {
            born: Instant::now(),
            payload: payload(job.bytes),
            objects,
            next_object: 0,
            due: vec![0; shouters],
            shouted: 0,
            heard: 0,
            patience: Patience::new(),
            latencies: histogram()?,
        })
    }

    fn begin(&mut self, window: usize) {
        let shouters = self.due.len();
        for shout in 0..window {
            self.due[shout % shouters] += 1;
        }
    }

    /// Goes on for so long, and until something is heard: a slow server is heard seconds apart, and
    /// what it has spent on that lies between two such moments.
    fn run_for(&mut self, crowd: &mut Crowd, ms: u64) -> Result<(), Wrong> {
        let end = Instant::now() + Duration::from_millis(ms);
        loop {
            self.shout(crowd)?;
            let heard = self.heard;
            self.hear(crowd)?;
            if self.heard > heard && Instant::now() >= end {
                return Ok(());
            }
            self.patience.with(self.heard)?;
        }
    }

    /// Waits until all that was shouted was heard by everybody, as long as more and more is.
    fn end(&mut self, crowd: &mut Crowd) -> Result<(), Wrong> {
        let bytes = self.payload.len() as u64;
        loop {
            let least = crowd.least().map_or(self.shouted, |dropped| dropped / bytes);
            if self.heard.min(least) >= self.shouted {
                return Ok(());
            }
            self.patience.with(self.heard + least).map_err(|error| {
                let Self { heard, shouted, .. } = self;
                format!("of {shouted} shouts {heard} were heard, {least} by every leaf: {error}")
            })?;
            self.hear(crowd)?;
        }
    }

    fn hear(&mut self, crowd: &mut Crowd) -> Result<(), Wrong> {
        let Self { born, due, heard, latencies, .. } = self;
        let mut now = None;
        crowd.turn(Duration::from_millis(100), &mut |payload| {
            // One look at the clock for all that came at once.
            let now = *now.get_or_insert_with(|| born.elapsed().as_nanos() as u64);
            let (at, shouter) = read_payload(payload);
            latencies.saturating_record(now.saturating_sub(at));
            due[shouter] += 1;
            *heard += 1;
        })
    }

    fn shout(&mut self, crowd: &mut Crowd) -> Result<(), Wrong> {
        let now = self.born.elapsed().as_nanos() as u64;
        for shouter in 0..self.due.len() {
            let due = std::mem::take(&mut self.due[shouter]);
            if due == 0 {
                continue;
            }
            write_payload(&mut self.payload, now, shouter);
            for _ in 0..due {
                crowd.shout(shouter, self.next_object, &self.payload);
                self.next_object = (self.next_object + 1) % self.objects;
            }
            self.shouted += due as u64;
            crowd.send(shouter)?;
        }
        Ok(())
    }
}

/// Waits as long as there is progress.
struct Patience {
    progress: u64,
    at: Instant,
}

impl Patience {
    fn new() -> Self {
        Self { progress: 0, at: Instant::now() }
    }

    fn with(&mut self, progress: u64) -> Result<(), Wrong> {
        if self.progress != progress {
            *self = Self { progress, at: Instant::now() };
        } else if self.at.elapsed() > SILENCE_MAX {
            return Err(format!("nothing was heard for {} s", SILENCE_MAX.as_secs()).into());
        }
        Ok(())
    }
}

/// A payload: when it was shouted, by whom, and nothing.
pub(super) fn payload(bytes: usize) -> Vec<u8> {
    vec![0; bytes.max(12)]
}

pub(super) fn write_payload(payload: &mut [u8], at_ns: u64, shouter: usize) {
    payload[..8].copy_from_slice(&at_ns.to_le_bytes());
    payload[8..12].copy_from_slice(&(shouter as u32).to_le_bytes());
}

pub(super) fn read_payload(payload: &[u8]) -> (u64, usize) {
    let at = payload.first_chunk().map_or(0, |at| u64::from_le_bytes(*at));
    let shouter = payload.get(8..12).and_then(|four| four.first_chunk());
    (at, shouter.map_or(0, |shouter| u32::from_le_bytes(*shouter) as usize))
}

/// Nanoseconds up to a minute, to three digits.
pub(super) fn histogram() -> Result<Histogram<u64>, Wrong> {
    Ok(Histogram::new_with_bounds(1, 60_000_000_000, 3)?)
}

pub(super) fn latency(latencies: &Histogram<u64>) -> Option<Latency> {
    let us = |quantile| latencies.value_at_quantile(quantile) as f64 / 1e3;
    let quantiles = Latency { p50: us(0.5), p99: us(0.99), p999: us(0.999) };
    (!latencies.is_empty()).then_some(quantiles)
}

/// The slowest server takes seconds for what it has read at once.
const SILENCE_MAX: Duration = Duration::from_secs(20);
