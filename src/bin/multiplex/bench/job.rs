//! What one process of the benchmark is told to do, and what it has measured.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Wrong;

/// What the load does to a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
    /// The server's process, and those of the hubs above it.
    pub(super) servers: Vec<u32>,
    /// The cores whose stolen time counts.
    pub(super) cores: [usize; 2],
    /// Connections; each is a leaf of every object.
    pub(super) leaves: usize,
    /// Bytes of a message's payload.
    pub(super) bytes: usize,
    pub(super) work: Work,
    pub(super) measure_ms: u64,
}

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Protocol {
    Multiplex,
    Nats,
    Redis,
    Mqtt,
    /// Twisted's Perspective Broker.
    Perspective,
    /// A length and a payload, copied to everybody.
    Plain,
}

/// A kind of load.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Work {
    /// Always so many shouts outstanding, spread over the shouters and objects.
    Flood { window: usize, shouters: usize, objects: usize },
    /// So many shouts a second, whatever comes back.
    Paced { per_s: u32 },
    /// Nothing, once the connections are there.
    Idle,
    /// Every connection joins and parts, over and over.
    Joins,
    /// So many shouts a second, beside one leaf that reads like this.
    Slow { per_s: u32, reading: Reading },
    /// So many shouters of an object, each with one shout outstanding.
    Durable { shouters: usize },
    /// So many shouts, spread over so many objects, one by one.
    Recovery { objects: usize, shouts: u64 },
    /// So many shouts at once every 4 ms, for others to hear.
    Bursts { shouts: usize },
}

/// How much of what comes a leaf reads, until it has to catch up.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Reading {
    All,
    Nothing,
    Tenth,
}

/// What one run has measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sample {
    /// Deliveries a second; 0 where nothing is delivered.
    pub(super) deliveries_per_s: f64,
    /// CPU time of what is measured, for each delivery.
    pub(super) cpu_us: f64,
    /// From a shout to the shouter's own hearing of it.
    pub(super) latency: Option<Latency>,
    /// Memory that the server took, for each connection or object; in all, beside a slow leaf.
    pub(super) memory_bytes: Option<f64>,
    /// How often the slow leaf was given the state.
    pub(super) resyncs: Option<u64>,
    /// How many shouts a commit to disk had.
    pub(super) shouts_per_commit: Option<f64>,
    /// How many records a hub has gone on with.
    pub(super) records: Option<f64>,
    /// How much of the time the load was busy, 0 to 1.
    pub(super) busy: f64,
    /// How much of its time others took from the core they took most from, 0 to 1.
    pub(super) stolen: f64,
}

/// Quantiles of a latency, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Latency {
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

impl Job {
    /// A job, as [`write`](Self::write) has written it.
    pub(super) fn read(text: &str) -> Result<Self, Wrong> {
        Ok(serde_json::from_str(text)?)
    }

    /// One argument for a process.
    pub(super) fn write(&self) -> Result<String, Wrong> {
        Ok(serde_json::to_string(self)?)
    }
}
