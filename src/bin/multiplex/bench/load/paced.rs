//! An open loop: so many shouts a second, whatever comes back.
//!
//! A latency is counted from when a shout was due, so that a server that stalls is not forgiven
//! what it has held up. The load never sleeps: it looks at its first connection all the time, and
//! at one of the others now and then, so that its own turns add nothing to a latency.

use std::time::{Duration, Instant};

use super::{
    super::{
        Wrong,
        job::{Job, Sample},
        leaf,
        machine::Moment,
    },
    crowd::Crowd,
    flood::{histogram, latency, payload, read_payload, write_payload},
};

/// Shouts at this pace and measures how long each takes to be heard by its shouter.
pub(super) fn run(job: &Job, per_s: u32) -> Result<Sample, Wrong> {
    Ok(measure(&mut Crowd::enter(job, 1)?, job, per_s)?.0)
}

/// The same with a crowd that is there; and how many shouts there were.
pub(super) fn measure(crowd: &mut Crowd, job: &Job, per_s: u32) -> Result<(Sample, u64), Wrong> {
    let mut pace = Pace::new(job, Duration::from_secs(1) / per_s)?;
    pace.run_for(crowd, job.measure_ms / 3)?;
    let (begin, heard) = (Moment::now(&job.servers, &job.cores)?, pace.heard);
    pace.latencies.reset();
    pace.run_for(crowd, job.measure_ms)?;
    let spent = begin.until(&Moment::now(&job.servers, &job.cores)?);
    let deliveries = (pace.heard - heard) * job.leaves as u64;
    let sample = Sample { latency: latency(&pace.latencies), ..spent.on(deliveries) };
    Ok((sample, pace.shouts))
}

/// Shouts so many at once every 4 ms, and sleeps in between.
pub(super) fn bursts(job: &Job, shouts: usize) -> Result<Sample, Wrong> {
    let mut crowd = Crowd::enter(job, 1)?;
    let payload = leaf::payload()?;
    let begin = Moment::now(&job.servers, &job.cores)?;
    let end = Instant::now() + leaf::HEARING_MAX;
    while Instant::now() < end {
        for _ in 0..shouts {
            crowd.shout(0, 0, &payload);
        }
        crowd.send(0)?;
        let next = Instant::now() + Duration::from_millis(4);
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            crowd.turn(left, &mut |_| {})?;
        }
    }
    Ok(begin.until(&Moment::now(&job.servers, &job.cores)?).on_nothing())
}

struct Pace {
    born: Instant,
    payload: Vec<u8>,
    interval: Duration,
    /// When the next shout is due, since the beginning.
    due: Duration,
    /// When the next of the other leaves is looked at.
    look: Instant,
    leaf: usize,
    shouts: u64,
    heard: u64,
    latencies: hdrhistogram::Histogram<u64>,
}

impl Pace {
    fn new(job: &Job, interval: Duration) -> Result<Self, Wrong> {
        Ok(Self {
            born: Instant::now(),
            payload: payload(job.bytes),
            interval,
            due: Duration::ZERO,
            look: Instant::now(),
            leaf: 0,
            shouts: 0,
            heard: 0,
            latencies: histogram()?,
        })
    }

    fn run_for(&mut self, crowd: &mut Crowd, ms: u64) -> Result<(), Wrong> {
        let end = Instant::now() + Duration::from_millis(ms);
        while Instant::now() < end {
            self.shout(crowd)?;
            self.hear(crowd)?;
            self.look(crowd)?;
        }
        Ok(())
    }

    fn shout(&mut self, crowd: &mut Crowd) -> Result<(), Wrong> {
        while self.due <= self.born.elapsed() {
            write_payload(&mut self.payload, self.due.as_nanos() as u64, 0);
            crowd.shout(0, 0, &self.payload);
            self.due += self.interval;
            self.shouts += 1;
        }
        crowd.send(0)
    }

    fn hear(&mut self, crowd: &mut Crowd) -> Result<(), Wrong> {
        let Self { born, heard, latencies, .. } = self;
        for ear in 0..crowd.ears() {
            crowd.listen(ear, &mut |payload| {
                let (at, _) = read_payload(payload);
                let took = born.elapsed().as_nanos() as u64;
                latencies.saturating_record(took.saturating_sub(at));
                *heard += u64::from(ear == 0);
            })?;
        }
        Ok(())
    }

    /// Drops what one of the other leaves has got; each has its turn within `ROUND`.
    fn look(&mut self, crowd: &mut Crowd) -> Result<(), Wrong> {
        let now = Instant::now();
        if crowd.len() == 1 || now < self.look {
            return Ok(());
        }
        crowd.stay_alive()?;
        self.look = now + ROUND / crowd.len() as u32;
        self.leaf = self.leaf % (crowd.len() - 1) + 1;
        crowd.drop_bytes(self.leaf)
    }
}

const ROUND: Duration = Duration::from_millis(5);
