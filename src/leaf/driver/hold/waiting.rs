//! One carrier that waits, what it waits for, and what has arrived for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::uptime::Hands;
use crate::{
    leaf::{client::AnySeat, progress::Progress},
    limits::{CARRY_HOLD_MAX, CARRY_TIMEOUT, CARRY_WAITS_MAX},
    object::{Brought, Carried, Missing, ObjectId, Seq},
};

/// Resolves when what is carried is there, or given up.
pub(crate) type Hold = oneshot::Receiver<Arrived>;

/// What is there of what is carried. Its leaves are kept while it is.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    _seats: Vec<AnySeat>,
    missing: BTreeMap<ObjectId, Arc<Missing>>,
}

/// What a carrier waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::leaf::driver) enum Until {
    /// A state: all leaves are made.
    Made,
    /// A message: all leaves have their states, and have heard what its sender had.
    Heard,
}

/// One carrier.
pub(super) struct Waiting {
    carried: Vec<Carried>,
    until: Until,
    /// Those that wait for the leaf whose state this is. They have sent for what it carries, as far
    /// as their bounds reach, and it sends for nothing itself. Empty: nobody does.
    pub(super) led_by: Vec<u64>,
    /// Until when it waits, by the time that runs while there is a connection.
    pub(super) deadline: Duration,
    seen: BTreeSet<ObjectId>,
    pub(super) absent: BTreeSet<ObjectId>,
    made: Vec<Made>,
    missing: BTreeMap<ObjectId, Arc<Missing>>,
    counted: Counted,
    reply: oneshot::Sender<Arrived>,
}

/// Objects that count among those that all carriers wait for, until this is dropped.
pub(super) struct Counted {
    all: Arc<AtomicUsize>,
    mine: usize,
}

/// A leaf that is there.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) object: ObjectId,
    pub(super) seat: AnySeat,
    pub(super) progress: Arc<Progress>,
    /// What its state carries, if that is not restored yet.
    pub(super) carries: Vec<Carried>,
}

impl Arrived {
    /// The carried objects as their references are to tell of them.
    pub(crate) fn brought(&self, carried: Vec<Carried>) -> Vec<Brought> {
        let brought = carried.into_iter().map(|carried| {
            let missing = self.missing.get(&carried.object).cloned();
            Brought { carried, missing }
        });
        brought.collect()
    }

    /// Why there is no leaf of an object.
    pub(crate) fn missing(&self, object: ObjectId) -> Option<&Missing> {
        self.missing.get(&object).map(|missing| &**missing)
    }
}

impl Waiting {
    pub(super) fn new(
        carried: Vec<Carried>,
        until: Until,
        led_by: Vec<u64>,
        now: Duration,
        counted: Counted,
        reply: oneshot::Sender<Arrived>,
    ) -> Self {
        Self {
            carried,
            until,
            led_by,
            deadline: now + CARRY_TIMEOUT,
            seen: BTreeSet::new(),
            absent: BTreeSet::new(),
            made: Vec::new(),
            missing: BTreeMap::new(),
            counted,
            reply,
        }
    }

    /// Whether an object is one more to wait for.
    pub(super) fn admit(&mut self, object: ObjectId) -> bool {
        if self.seen.contains(&object) {
            return false;
        }
        if self.seen.len() == CARRY_HOLD_MAX || self.counted.is_full() {
            self.miss(object, Missing::Limit);
            return false;
        }
        self.counted.add();
        self.seen.insert(object)
    }

    /// Why there will be no leaf of an object.
    pub(super) fn missing(&self, object: ObjectId) -> Option<&Missing> {
        self.missing.get(&object).map(|missing| &**missing)
    }

    /// There will be no leaf of an object.
    pub(super) fn miss(&mut self, object: ObjectId, why: impl Into<Arc<Missing>>) {
        self.missing.insert(object, why.into());
    }

    /// A leaf is there; what its state carries is wanted too.
    pub(super) fn make(&mut self, mut made: Made) -> Vec<Carried> {
        let carries = std::mem::take(&mut made.carries);
        self.made.push(made);
        carries
    }

    /// What a leaf must have heard before the carrier is handed over.
    fn seq_of(&self, object: ObjectId) -> Seq {
        let carried = self.carried.iter().find(|each| each.object == object);
        carried.map(|each| each.seq).unwrap_or_default()
    }

    pub(super) fn is_ready(&self) -> bool {
        let mut made = self.made.iter();
        self.until == Until::Made
            || made.all(|made| made.progress.has_done(self.seq_of(made.object)))
    }

    /// Waits until every leaf has heard what it must.
    pub(super) async fn hear(mut self, mut hands: Hands) {
        for made in &self.made {
            let heard = made.progress.until_done(self.seq_of(made.object));
            let is_late = tokio::select! {
                biased;
                () = heard => false,
                () = hands.until(self.deadline) => true,
            };
            if is_late {
                tracing::debug!(object = %made.object, "a carried object is late");
                self.missing.insert(made.object, Arc::new(Missing::Late));
            } else if let Some(why) = made.progress.over().cloned() {
                self.missing.insert(made.object, Arc::new(why));
            }
        }
        self.release();
    }

    pub(super) fn release(self) {
        let seats = self.made.into_iter().map(|made| made.seat).collect();
        // Nobody waits when the carrier's leaf is gone.
        let _gone = self.reply.send(Arrived { _seats: seats, missing: self.missing });
    }
}

impl Counted {
    pub(super) fn among(all: &Arc<AtomicUsize>) -> Self {
        Self { all: all.clone(), mine: 0 }
    }

    fn is_full(&self) -> bool {
        self.all.load(Ordering::Relaxed) >= CARRY_WAITS_MAX
    }

    fn add(&mut self) {
        self.mine += 1;
        self.all.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.all.fetch_sub(self.mine, Ordering::Relaxed);
    }
}
