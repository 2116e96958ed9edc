//! What is carried and has not gone on: into a chunk, or to the directory.

use crate::{
    hub::life::{Ids, ListChange},
    object::{Carried, ObjectId},
};

/// What is carried, and has not gone on to where it belongs.
#[derive(Debug, Default)]
pub(super) struct News {
    /// By shouts that are in no chunk yet.
    pub(super) open: Vec<ObjectId>,
    /// What the directory does not know of yet.
    pub(super) change: ListChange,
}

impl News {
    pub(super) fn of_state(carried: Ids) -> Self {
        let change = ListChange { state: Some(carried), ..ListChange::default() };
        Self { open: Vec::new(), change }
    }

    /// What shouts carried is carried by a chunk now.
    pub(super) fn seal(&mut self) -> Option<Ids> {
        let carried = distinct(std::mem::take(&mut self.open));
        self.change.added.extend(carried.clone());
        carried
    }
}

pub(super) fn ids(carried: &[Carried]) -> Option<Ids> {
    distinct(carried.iter().map(|each| each.object).collect())
}

/// Each once; none for nothing.
pub(super) fn distinct(mut ids: Vec<ObjectId>) -> Option<Ids> {
    ids.sort_unstable();
    ids.dedup();
    (!ids.is_empty()).then(|| ids.into())
}
