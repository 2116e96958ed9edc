//! The leaves of a client by their objects, for those that carry or bind one on any thread.
//!
//! The driver enters them and takes them out; nobody else changes it.

use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{channel::Channel, client::AnySeat, progress::Progress};
use crate::object::{Carried, ObjectId};

/// The leaves of a client.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<HashMap<ObjectId, Seated>>);

/// A leaf, its type forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Seated {
    pub(crate) channel: Weak<Channel>,
    pub(crate) seat: Weak<dyn Any + Send + Sync>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) class_name: &'static str,
    pub(crate) generation: u64,
}

impl Seats {
    /// A leaf is made, in place of one that is just going.
    pub(crate) fn enter(&self, object: ObjectId, seated: Seated) {
        self.lock().insert(object, seated);
    }

    /// The leaf of that generation is gone.
    pub(crate) fn leave(&self, object: ObjectId, generation: u64) {
        let mut seats = self.lock();
        if seats.get(&object).is_some_and(|seated| seated.generation == generation) {
            seats.remove(&object);
        }
    }

    /// The leaf of an object.
    pub(crate) fn find(&self, object: ObjectId) -> Option<Seated> {
        self.lock().get(&object).cloned()
    }

    /// The way to an object that the client has a leaf of.
    pub(crate) fn channel(&self, object: ObjectId) -> Option<Arc<Channel>> {
        self.lock().get(&object)?.channel.upgrade()
    }

    /// Says of each object how far this client has heard it.
    pub(crate) fn date(&self, carried: &mut [Carried]) {
        let seats = self.lock();
        for each in carried {
            let given = seats.get(&each.object).map(|seated| seated.progress.heard());
            each.seq = each.seq.max(given.unwrap_or_default());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, Seated>> {
        // Nothing that is done under the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    /// The leaf's seat, unless its last handle is gone.
    pub(crate) fn seat(&self) -> Option<AnySeat> {
        self.seat.upgrade()
    }
}
