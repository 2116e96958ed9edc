//! What is decided here goes to the hub's journal at the end of the turn, before anything is told.

use std::sync::Arc;

use super::Repeater;
use crate::{
    connection::Held,
    hub::{history::History, keeper::Keeper, session::Metered},
    journal::Change,
    object::ObjectId,
};

/// The way to the journal, for an object whose hub has one.
#[derive(Debug)]
pub(super) struct Keeping {
    keeper: Arc<Keeper>,
    /// Of shouts and states that are handled when they are committed.
    under_way: Vec<(Held, Option<Metered>)>,
}

impl Keeping {
    pub(super) fn of(keeper: Option<Arc<Keeper>>) -> Option<Box<Self>> {
        keeper.map(|keeper| Box::new(Self { keeper, under_way: Vec::new() }))
    }

    /// Submits what the history has decided since.
    fn keep(&mut self, object: ObjectId, history: &mut History) {
        let changes = history.unkept(object);
        if !changes.is_empty() {
            self.keeper.keep(changes);
            history.kept_all();
        }
        if !self.under_way.is_empty() {
            self.keeper.hold(Box::new(std::mem::take(&mut self.under_way)));
        }
    }
}

impl Repeater {
    /// What was decided is on its way to the journal; what is told from now on waits for it.
    pub(super) fn keep(&mut self) {
        if let Some(keeping) = &mut self.keeping {
            keeping.keep(self.object, &mut self.history);
        }
    }

    /// Shouts, or a state, are handled, or will be when they are committed: until then they count.
    pub(super) fn is_handled(&mut self, held: Held, metered: Option<Metered>) {
        if let Some(keeping) = &mut self.keeping {
            keeping.under_way.push((held, metered));
        }
    }

    /// A newer state was taken: it is on its way to the journal at once, and until it is there it
    /// counts.
    pub(super) fn keep_state(&mut self, held: Held) {
        if self.keeping.is_some() {
            self.is_handled(held, None);
            self.flush();
        }
    }

    /// The object is no more, and nothing is kept of it.
    pub(super) fn keep_nothing(&mut self) {
        if let Some(keeping) = self.keeping.take() {
            keeping.keeper.keep([Change::Cleared(self.object)]);
        }
    }

    /// What was in hand is not handled.
    pub(super) fn drop_guards(&mut self) {
        self.keeping.iter_mut().for_each(|keeping| keeping.under_way.clear());
    }
}
