//! Who owns an object, at each place of its order.

use std::collections::VecDeque;

use super::History;
use crate::{
    object::{Kind, Seq, SessionId},
    wire::{Batch, OwnerChanged},
};

/// Who owns an object with asks, and who did at each place of the tail.
#[derive(Debug)]
pub(super) struct Ownership {
    owner: SessionId,
    /// Where it changed, and from whom.
    changes: VecDeque<(Seq, SessionId)>,
}

impl History {
    /// It is owned from its beginning on.
    pub(crate) fn own(&mut self, owner: SessionId) {
        self.ownership = Some(Box::new(Ownership { owner, changes: VecDeque::new() }));
    }

    /// Who owns it. [`SessionId::OF_HUB`]: nobody.
    pub(crate) fn owner(&self) -> SessionId {
        self.ownership.as_ref().map_or(SessionId::OF_HUB, |ownership| ownership.owner)
    }

    /// The sessions that have a mark, and the owner's.
    pub(crate) fn involved(&self) -> impl Iterator<Item = SessionId> {
        let owner = Some(self.owner()).filter(|owner| *owner != SessionId::OF_HUB);
        self.shouters().chain(owner)
    }

    /// Who owned it when all up to `seq` had its place, if somebody did.
    pub(crate) fn owner_at(&self, seq: Seq) -> Option<SessionId> {
        let Ownership { owner, changes } = self.ownership.as_deref()?;
        let later = changes.iter().find(|(at, _)| *at > seq);
        Some(later.map_or(*owner, |(_, from)| *from)).filter(|owner| *owner != SessionId::OF_HUB)
    }

    /// Gives a change of its owner its place.
    pub(crate) fn hand_over(&mut self, to: SessionId) {
        let seq = self.last().next();
        let Some(ownership) = &mut self.ownership else { return };
        let from = std::mem::replace(&mut ownership.owner, to);
        ownership.changes.push_back((seq, from));
        self.say(Kind::OWNER_CHANGED, &OwnerChanged { from, to }.encode());
    }

    /// Chunks up to this seq are gone.
    pub(super) fn forget_owners(&mut self, last: Seq) {
        if let Some(ownership) = &mut self.ownership {
            let changes = &mut ownership.changes;
            // A few more are remembered: a state that goes in pieces may be of before the tail.
            while changes.len() > CHANGES_KEPT
                && changes.pop_front_if(|(at, _)| *at <= last).is_some()
            {}
        }
    }

    /// A chunk of the tail may say that the owner has changed.
    pub(super) fn restore_owners(&mut self, batch: &Batch) {
        let Some(ownership) = &mut self.ownership else { return };
        for shout in batch.shouts() {
            if let Some(OwnerChanged { from, to }) = OwnerChanged::read(shout.kind, &shout.payload)
            {
                ownership.owner = to;
                ownership.changes.push_back((shout.seq, from));
            }
        }
    }
}

/// Changes that are remembered beyond the tail.
const CHANGES_KEPT: usize = 16;
