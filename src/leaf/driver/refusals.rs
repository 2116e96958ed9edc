//! What a hub does not let a client do with an object that it has already: be known, be let back in.

use super::{Driver, Way};
use crate::{leaf::channel::Gone, limits::REPEATER_RESTARTS, object::ObjectId, wire::Refusal};

impl Driver {
    /// The hub does not take an object that lived offline. Its leaf lives on alone.
    pub(super) fn untaken(&mut self, object: ObjectId, refusal: Refusal) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if matches!(refusal, Refusal::Exists(_)) && self.dial.lost.is_some() {
            // It was told of it before, by a session that is no more.
            entry.channel.is_born();
            return self.ask_for_own(object);
        }
        tracing::warn!(%object, %refusal, "the hub does not take an object");
        entry.publish = None;
        entry.channel.refuse(refusal);
    }

    /// A leaf, or the voices without one, were refused on their way back to an object.
    ///
    /// An object that fails over a request says the same as one that has failed: to ask again tells
    /// the one from the other. Either it lets them in, or its end is told meanwhile.
    pub(super) fn not_let_back(&mut self, object: ObjectId, who: Way, refusal: Refusal) {
        if refusal == Refusal::Gone {
            // It ended while nobody was there to be told so.
            return self.let_go(object, &Gone::Refused(refusal));
        }
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if !matches!(refusal, Refusal::Failed(_)) || entry.retries == REPEATER_RESTARTS {
            return self.shut_out(object, who, refusal);
        }
        entry.retries += 1;
        match who {
            Way::Leaf => self.ask_from_cursor(object),
            Way::Voice => self.attach_again(object),
        }
    }

    /// The hub does not let a leaf, or the voices without one, back to an object. With nobody
    /// there the channel ends, and the leaf lives on alone.
    pub(super) fn shut_out(&mut self, object: ObjectId, who: Way, refusal: Refusal) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        tracing::warn!(%object, ?who, %refusal, "an object is out of reach");
        entry.is_attached &= matches!(who, Way::Leaf);
        match who {
            Way::Leaf if entry.is_attached => entry.leaf = None,
            Way::Voice if entry.leaf.is_some() => {}
            _ => {
                entry.channel.end(&Gone::Refused(refusal));
                entry.leave_unmade();
            }
        }
    }

    /// Why a leaf could not change its object. One that the hub did not take in the first place is
    /// not just one that the client is no leaf of.
    pub(super) fn why_not(&self, object: ObjectId, refusal: Refusal) -> Refusal {
        let gone = self.entries.get(&object).and_then(|entry| entry.channel.gone());
        match (refusal, gone) {
            (Refusal::NotJoined, Some(Gone::Refused(first))) => first,
            (refusal, _) => refusal,
        }
    }
}
