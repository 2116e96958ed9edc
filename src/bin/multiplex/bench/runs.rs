//! The runs of a case: its peers one after the other, over and over.
//!
//! What stands beside each other in one run is compared; a run from which others have taken too
//! much time is measured again, and dropped if that does not help.

use std::{
    io::{Write, stderr},
    net::Ipv4Addr,
    process::{Child, Output, Stdio},
};

use serde::de::DeserializeOwned;

use super::{
    Wrong,
    case::Case,
    durable,
    job::{Job, Reading, Sample, Work},
    machine::Cores,
    peer::{Peer, Server, myself, pinned},
};

/// What the runs of one case have brought for one peer.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) name: String,
    /// One for each run; none where it was dropped.
    pub(super) runs: Vec<Option<Sample>>,
}

/// Measures a case.
pub(super) fn measure(case: &Case, runs: usize, cores: &Cores) -> Result<Vec<Measured>, Wrong> {
    let mut all: Vec<Measured> = Vec::new();
    for run in 0..runs {
        for turn in 0..case.peers.len() {
            // Another one goes first in each run.
            let peer = case.peers[(turn + run) % case.peers.len()];
            for (name, sample) in undisturbed(case, peer, run, cores)? {
                let at = all.iter().position(|measured| measured.name == name);
                let at = at.unwrap_or_else(|| {
                    all.push(Measured { name, runs: vec![None; runs] });
                    all.len() - 1
                });
                all[at].runs[run] = sample;
            }
        }
    }
    Ok(all)
}

/// One run, again if it was disturbed.
fn undisturbed(
    case: &Case,
    peer: Peer,
    run: usize,
    cores: &Cores,
) -> Result<Vec<(String, Option<Sample>)>, Wrong> {
    let failed = |error: Wrong| format!("{} with {}: {error}", case.name, peer.name());
    let mut samples = once(case, peer, run, cores).map_err(failed)?;
    for _ in 1..TRIES {
        if !samples.iter().any(|(_, sample)| is_disturbed(sample)) {
            break;
        }
        writeln!(stderr(), "  {}: others took more than 5 % of the time, again", peer.name())?;
        samples = once(case, peer, run, cores).map_err(failed)?;
    }
    let kept = samples.into_iter().map(|(name, sample)| {
        let sample = (!is_disturbed(&sample)).then_some(sample);
        (name, sample)
    });
    Ok(kept.collect())
}

fn is_disturbed(sample: &Sample) -> bool {
    sample.stolen > STOLEN_MAX
}

fn once(
    case: &Case,
    peer: Peer,
    run: usize,
    cores: &Cores,
) -> Result<Vec<(String, Sample)>, Wrong> {
    if let Work::Slow { per_s, .. } = case.work {
        return beside_a_slow_leaf(case, peer, per_s, run, cores);
    }
    match case.work {
        Work::Durable { .. } => return durable::keep(case, cores),
        Work::Recovery { .. } => return durable::recover(case, cores),
        _ => {}
    }
    let server = peer.start(cores.server)?;
    let job = job(case, peer, &server, cores);
    if let Work::Bursts { .. } = case.work {
        return hear(&job, cores);
    }
    let sample = read("load", part("load", &job, cores)?)?;
    Ok(vec![(peer.name().to_owned(), sample)])
}

fn job(case: &Case, peer: Peer, server: &Server, cores: &Cores) -> Job {
    let (protocol, address, servers) = (peer.protocol(), server.address, server.processes());
    Job { protocol, address, servers, ..job_of(case, cores) }
}

/// What a case does, to a server that is not known yet.
pub(super) fn job_of(case: &Case, cores: &Cores) -> Job {
    Job {
        protocol: Peer::Multiplex.protocol(),
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        servers: vec![0],
        cores: cores.both(),
        leaves: case.leaves,
        bytes: case.bytes,
        work: case.work,
        measure_ms: case.measure_ms,
    }
}

/// The same load at servers of their own, where one leaf reads all, nothing, or a tenth: that for so
/// long that it is resynced more than once.
fn beside_a_slow_leaf(
    case: &Case,
    peer: Peer,
    per_s: u32,
    run: usize,
    cores: &Cores,
) -> Result<Vec<(String, Sample)>, Wrong> {
    let mut samples = Vec::new();
    let mut variants = [
        (peer.name(), Reading::All, 1),
        ("one reads nothing", Reading::Nothing, 1),
        ("one reads a tenth", Reading::Tenth, 5),
    ];
    // Another one goes first in each run.
    variants.rotate_left(run % 3);
    for (name, reading, times) in variants {
        let server = peer.start(cores.server)?;
        let (work, measure_ms) = (Work::Slow { per_s, reading }, times * case.measure_ms);
        let job = Job { work, measure_ms, ..job(case, peer, &server, cores) };
        samples.push((name.to_owned(), read("load", part("load", &job, cores)?)?));
    }
    Ok(samples)
}

/// The load shouts, and a leaf in a process of its own is what is measured.
fn hear(job: &Job, cores: &Cores) -> Result<Vec<(String, Sample)>, Wrong> {
    let load = part("load", job, cores)?;
    let samples = read("leaf", part("leaf", job, cores)?);
    let (_load, samples): (Sample, _) = (read("load", load)?, samples?);
    Ok(samples)
}

pub(super) fn part(part: &str, job: &Job, cores: &Cores) -> Result<Child, Wrong> {
    let arguments = ["bench-part", part, &job.write()?];
    Ok(pinned(cores.load, &myself()?, arguments).stdout(Stdio::piped()).spawn()?)
}

/// What a part prints in the end. What has gone wrong in it stands on standard error already.
pub(super) fn read<T: DeserializeOwned>(name: &str, part: Child) -> Result<T, Wrong> {
    let Output { status, stdout, .. } = part.wait_with_output()?;
    if !status.success() {
        return Err(format!("the {name} has failed, as told above: {status}").into());
    }
    Ok(serde_json::from_slice(&stdout)?)
}

const STOLEN_MAX: f64 = 0.05;
const TRIES: usize = 3;
