//! What hub and children have in common: the interface, the leaf that writes down what it hears,
//! and how long they wait for each other.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Heard, Leaf, Resync, interface,
    testing::transcript::{Event, Transcript},
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// The object that all shout at.
pub(crate) const KERMIT: &str = "kermit";

/// Time for one step of a run, on a slow machine. Nothing is waited for longer.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// One shout of many: who says it, and which of theirs it is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Croak {
    pub(crate) who: String,
    pub(crate) n: u64,
}

/// The last shout, by the hub's process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Night;

interface! {
    /// A frog that croaks until the night.
    pub(crate) Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
        2 => Night,
    }
}

/// What a process saw.
pub(crate) type Notes = Arc<Mutex<Transcript>>;

/// Adds an event to the notes.
pub(crate) fn note(notes: &Notes, event: &Event<&str>) {
    notes.lock().unwrap_or_else(PoisonError::into_inner).record(event);
}

/// A leaf that writes down what it hears.
pub(crate) struct Witness {
    pub(crate) name: String,
    pub(crate) notes: Notes,
    /// Told the seq of the night.
    pub(crate) night: mpsc::UnboundedSender<u64>,
}

impl Witness {
    fn heard(&self, seq: u64, voice: &str, text: &str) {
        let heard = Event::Heard { leaf: &*self.name, object: KERMIT, seq, voice, text };
        note(&self.notes, &heard);
    }
}

impl Actor for Witness {
    type Context = Context<Self>;
}

impl Supervised for Witness {}

impl Leaf for Witness {
    type Interface = Frog;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        let (from, to) = (resync.from.0, resync.to.0);
        note(&self.notes, &Event::Resynced { leaf: &*self.name, object: KERMIT, from, to });
    }
}

impl Handler<Heard<Croak>> for Witness {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        assert_eq!(croak.is_mine(), croak.who == self.name, "who shouted {croak:?}?");
        self.heard(croak.seq().0, &croak.who, &croak.n.to_string());
    }
}

impl Handler<Heard<Night>> for Witness {
    type Result = ();

    fn handle(&mut self, night: Heard<Night>, _: &mut Self::Context) {
        self.heard(night.seq().0, "night", "falls");
        let _nobody_waits = self.night.send(night.seq().0);
    }
}
