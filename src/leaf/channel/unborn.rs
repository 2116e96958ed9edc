//! Objects that the hub does not know yet, and how it gets to know them: before anything that
//! carries them, and without a round trip.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;

use super::{Channel, Line, Link, Phase};
use crate::{
    object::{Carried, Encoded, ObjectId},
    wire::Create,
};

/// What the hub is to be told of an object.
#[derive(Debug)]
pub(crate) struct Unborn {
    pub(crate) create: Create,
    pub(crate) state: Bytes,
}

impl Link {
    /// Makes ready what a message or state carries: what the hub does not know is made known to it,
    /// and each object is dated by what this client has heard of it.
    pub(crate) fn pack(&self, carried: &mut [Carried]) {
        for each in &*carried {
            if let Some(channel) = self.seats.channel(each.object) {
                channel.publish();
            }
        }
        self.seats.date(carried);
    }
}

impl Channel {
    /// Tells the hub of an object that it does not know, and of those that its state carries.
    pub(crate) fn publish(&self) {
        if !self.is_unborn() {
            return;
        }
        // One at a time, so that nobody shouts at an object that another thread is about to tell of.
        let mut count = self.link.publishing();
        let line = self.link.line();
        let mut born = self.unborn();
        born.retain(|channel| channel.be_born(&line, &mut count));
        // Only now: whoever finds one of them known does not wait for the others.
        for channel in born {
            channel.is_unborn.store(false, Ordering::Release);
        }
    }

    /// An object that lives offline is to be told of with this state.
    pub(crate) fn amend(&self, state: Encoded) {
        // Not between what the state leads to being found and the hub being told of it.
        let _one = self.link.publishing();
        if let Phase::Offline(unborn) = &mut self.lock().phase {
            unborn.create.carried = state.carried;
            unborn.state = state.payload.into();
        }
    }

    /// Whether the hub was not told of the object yet.
    pub(crate) fn is_unborn(&self) -> bool {
        self.is_unborn.load(Ordering::Acquire)
    }

    /// The state that the hub is to be told, if it does not know the object yet.
    pub(crate) fn unborn_state(&self) -> Option<(Bytes, Vec<Carried>)> {
        match &self.lock().phase {
            Phase::Offline(unborn) => Some((unborn.state.clone(), unborn.create.carried.clone())),
            _ => None,
        }
    }

    /// This object and all that its state leads to, those that are carried first.
    fn unborn(&self) -> Vec<Arc<Self>> {
        let mut found: Vec<_> = self.me.upgrade().into_iter().collect();
        let mut seen = BTreeSet::from([self.object]);
        let mut at = 0;
        while let Some(channel) = found.get(at) {
            let fresh = channel.carried_unborn().into_iter().filter(|object| seen.insert(*object));
            let fresh: Vec<_> =
                fresh.filter_map(|object| self.link.seats.channel(object)).collect();
            found.extend(fresh);
            at += 1;
        }
        found.reverse();
        found
    }

    fn carried_unborn(&self) -> Vec<ObjectId> {
        match &self.lock().phase {
            Phase::Offline(unborn) => {
                unborn.create.carried.iter().map(|each| each.object).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Tells the hub of the object, if it lives offline still; while there is no connection, as
    /// soon as there is one.
    fn be_born(&self, line: &Line, count: &mut u64) -> bool {
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Offline(_)) {
            return false;
        }
        let next = if line.is_up { Phase::Open } else { Phase::Paused };
        let Phase::Offline(unborn) = std::mem::replace(&mut state.phase, next) else {
            return false;
        };
        let Unborn { mut create, state: payload } = *unborn;
        self.link.seats.date(&mut create.carried);
        let frame = create.encode(&payload);
        if line.is_up {
            let _closing = line.queue.push_whole(frame.clone());
        }
        state.queue = line.queue.clone();
        state.birth = Some((*count, frame));
        *count += 1;
        true
    }
}
