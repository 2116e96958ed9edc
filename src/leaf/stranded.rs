//! Leaves that live on alone since their hub was restarted, by the names that their objects had.
//!
//! The driver adds them; whoever opens a name makes the new object from the state of such a leaf.

use std::{
    any::TypeId,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::inbox::Asker;
use crate::object::{Encoded, Name};

/// Leaves that live on alone.
#[derive(Debug, Default)]
pub(crate) struct Stranded(Mutex<BTreeMap<Name, (TypeId, Asker)>>);

impl Stranded {
    /// A leaf of that class lives on alone.
    pub(crate) fn add(&self, name: Name, class: TypeId, leaf: Asker) {
        self.lock().insert(name, (class, leaf));
    }

    /// The name has an object again.
    pub(crate) fn forget(&self, name: &Name) {
        self.lock().remove(name);
    }

    /// The present state of the leaf of that class and name, if it is there and can tell it.
    pub(crate) async fn state(&self, name: &Name, class: TypeId) -> Option<Encoded> {
        let leaf = self.find(name, class)?;
        leaf.state().await?.ok()?
    }

    fn find(&self, name: &Name, class: TypeId) -> Option<Asker> {
        let leaves = self.lock();
        leaves.get(name).filter(|(there, _)| *there == class).map(|(_, leaf)| leaf.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, (TypeId, Asker)>> {
        // Nothing that is done under the lock can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
