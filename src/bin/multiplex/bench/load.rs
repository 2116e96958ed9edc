//! The load: all clients of one server, in one thread.
//!
//! One connection, the first, is listened to and paces the load; the others are leaves whose bytes
//! are counted and dropped in the kernel (`MSG_TRUNC`), so that the load is not what limits.

mod crowd;
mod flood;
mod joins;
mod paced;
mod slow;
mod speech;

use std::{thread::sleep, time::Duration};

use self::crowd::Crowd;
pub(super) use self::speech::multiplex;
use super::{
    Wrong,
    job::{Job, Sample, Work},
    machine::{Moment, resident_bytes},
};

/// Does a job.
pub(super) fn run(job: &Job) -> Result<Sample, Wrong> {
    match job.work {
        Work::Flood { window, shouters, objects } => flood::run(job, window, shouters, objects),
        Work::Paced { per_s } => paced::run(job, per_s),
        Work::Bursts { shouts } => paced::bursts(job, shouts),
        Work::Slow { per_s, reading } => slow::run(job, per_s, reading),
        Work::Durable { shouters } => flood::run(job, shouters, job.leaves, 1),
        Work::Recovery { objects, shouts } => flood::fill(job, objects, shouts),
        Work::Joins => joins::run(job),
        Work::Idle => idle(job),
    }
}

/// What the connections of leaves hold that do nothing.
fn idle(job: &Job) -> Result<Sample, Wrong> {
    let before = resident_bytes(job.servers[0])?;
    let begin = Moment::now(&job.servers, &job.cores)?;
    let crowd = Crowd::enter(job, 1)?;
    sleep(Duration::from_secs(1));
    let held = resident_bytes(job.servers[0])?.saturating_sub(before);
    let spent = begin.until(&Moment::now(&job.servers, &job.cores)?);
    drop(crowd);
    let memory_bytes = Some(held as f64 / job.leaves as f64);
    Ok(Sample { memory_bytes, ..spent.on_nothing() })
}
