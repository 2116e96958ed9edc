//! Which objects are needed, and which nobody needs any more.
//!
//! A value: no actor, no clock, no await. In comes what each object is to others: whether it has
//! leaves, whether it is pinned, which ids its state and tail list, when it was last carried or
//! asked for. Out come those that have lingered long enough, a few at a time. Ids that it does not
//! know are of no consequence: whoever lists one keeps nothing by it.

mod look;

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
};

use self::look::{Look, Mark, Reach};
use crate::{
    limits::{LINGER, TOMBSTONES_MAX},
    object::ObjectId,
};

/// Ids that one state, or one chunk of a tail, carries.
pub(crate) type Ids = Arc<[ObjectId]>;

/// How the list of an object has changed: what its state and tail carry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ListChange {
    /// What another state carries.
    pub(crate) state: Option<Ids>,
    /// What chunks carry that are new at the end of the tail.
    pub(crate) added: Vec<Ids>,
    /// How many chunks that carried something have left the tail, oldest first.
    pub(crate) dropped: usize,
}

/// Every object of a hub, and who needs it.
#[derive(Debug, Default)]
pub(crate) struct Life {
    objects: BTreeMap<ObjectId, Need>,
    /// How many have neither leaf nor pin.
    loose: usize,
    /// The number of the latest look.
    looks: u64,
    /// The look that is under way.
    look: Option<Look>,
    tombstones: Tombstones,
}

/// Why an object may be needed, and what it needs itself.
#[derive(Debug)]
struct Need {
    joined: bool,
    pinned: bool,
    /// None while it lists nothing, as most do.
    lists: Option<Box<Lists>>,
    /// When it was last made, carried, found, parted from or unpinned.
    renewed_ms: u64,
    /// When it was first seen to be needed by nobody.
    unneeded_ms: Option<u64>,
    mark: Mark,
}

/// What an object lists. The state's list has number 0, those of the tail follow from 1 on; a
/// number is not used again.
#[derive(Debug, Default)]
struct Lists {
    state: Option<Ids>,
    tail: VecDeque<Ids>,
    /// How many have left the tail.
    dropped: u64,
}

/// Ids of objects that are no more, the latest ones.
#[derive(Debug, Default)]
struct Tombstones {
    order: VecDeque<ObjectId>,
    all: HashSet<ObjectId>,
}

impl ListChange {
    /// Whether nothing has changed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Life {
    /// An object begins, without a leaf.
    pub(crate) fn begin(&mut self, object: ObjectId, now_ms: u64) {
        if self.objects.insert(object, Need::new(now_ms)).is_none() {
            self.loose += 1;
        }
        self.raise(object, Reach::Lingering);
    }

    /// There was an object of this id, and is not any more.
    pub(crate) fn remember_end(&mut self, object: ObjectId) {
        self.tombstones.add(object);
    }

    /// An object ends at somebody's wish: its id is not used again. What it lists was needed up to
    /// now, perhaps.
    pub(crate) fn end(&mut self, object: ObjectId) {
        let Some(mut need) = self.remove(object) else { return };
        let reach = self.reach_of(&need);
        let Lists { state, tail, .. } = *need.lists.take().unwrap_or_default();
        self.follow_former(state.into_iter().chain(tail), reach);
    }

    /// An object ends that is due. Nobody needs what it lists for that.
    pub(crate) fn drop_due(&mut self, object: ObjectId) {
        self.remove(object);
    }

    /// A copy of an object goes, which is as it was elsewhere.
    pub(crate) fn let_go(&mut self, object: ObjectId) {
        if let Some(need) = self.objects.remove(&object) {
            self.loose -= usize::from(need.is_loose());
        }
    }

    /// An object has leaves, or has none any more.
    pub(crate) fn set_joined(&mut self, object: ObjectId, joined: bool, now_ms: u64) {
        self.change(object, now_ms, |need| need.joined = joined);
    }

    /// An object is pinned, or is not any more.
    pub(crate) fn set_pinned(&mut self, object: ObjectId, pinned: bool, now_ms: u64) {
        self.change(object, now_ms, |need| need.pinned = pinned);
    }

    /// Whether an object is pinned.
    pub(crate) fn is_pinned(&self, object: ObjectId) -> bool {
        self.objects.get(&object).is_some_and(|need| need.pinned)
    }

    /// An object is asked for.
    pub(crate) fn renew(&mut self, object: ObjectId, now_ms: u64) {
        self.change(object, now_ms, |_| {});
    }

    /// The list of an object has changed. What it carries from now on is renewed.
    pub(crate) fn list(&mut self, object: ObjectId, change: ListChange, now_ms: u64) {
        if change.is_empty() {
            return;
        }
        let carried: Vec<_> = change.state.iter().chain(&change.added).cloned().collect();
        let ids = || carried.iter().flat_map(|ids| ids.iter());
        ids().for_each(|id| self.renew(*id, now_ms));
        let Some(need) = self.objects.get_mut(&object) else { return };
        let former = need.lists.get_or_insert_default().change(change);
        let reach = self.objects.get(&object).map_or(Reach::Lingering, |need| self.reach_of(need));
        ids().for_each(|id| self.raise(*id, reach));
        self.follow_former(former.into_iter(), reach);
        self.assist(ids().count());
    }

    /// Whether every object has a leaf or a pin: then nothing can be due.
    pub(crate) fn is_settled(&self) -> bool {
        self.loose == 0
    }

    /// Whether there was an object of that id which is no more, as far as is remembered.
    pub(crate) fn has_ended(&self, object: ObjectId) -> bool {
        self.tombstones.all.contains(&object)
    }

    fn change(&mut self, object: ObjectId, now_ms: u64, change: impl FnOnce(&mut Need)) {
        let Some(need) = self.objects.get_mut(&object) else { return };
        self.loose -= usize::from(need.is_loose());
        change(need);
        need.renewed_ms = now_ms;
        let is_loose = need.is_loose();
        self.loose += usize::from(is_loose);
        self.raise(object, if is_loose { Reach::Lingering } else { Reach::Needed });
    }

    fn remove(&mut self, object: ObjectId) -> Option<Need> {
        let need = self.objects.remove(&object)?;
        self.loose -= usize::from(need.is_loose());
        self.tombstones.add(object);
        Some(need)
    }
}

impl Need {
    fn new(now_ms: u64) -> Self {
        Self {
            joined: false,
            pinned: false,
            lists: None,
            renewed_ms: now_ms,
            unneeded_ms: None,
            mark: Mark::default(),
        }
    }

    fn is_loose(&self) -> bool {
        !self.joined && !self.pinned
    }

    fn lingers(&self, now_ms: u64) -> bool {
        let since_ms = self.unneeded_ms.unwrap_or(now_ms).max(self.renewed_ms);
        now_ms < since_ms + LINGER.as_millis() as u64
    }
}

impl Lists {
    /// Takes in a change. What is not listed any more comes back.
    fn change(&mut self, change: ListChange) -> Vec<Ids> {
        let ListChange { state, added, dropped } = change;
        self.tail.extend(added);
        let dropped = dropped.min(self.tail.len());
        self.dropped += dropped as u64;
        let former = self.tail.drain(..dropped);
        let former_state = if state.is_some() { self.state.take() } else { None };
        let former = former.chain(former_state).collect();
        self.state = state.or(self.state.take());
        former
    }

    /// The list of that number, or the next there is, and the number behind it.
    fn at(&self, number: u64) -> Option<(&Ids, u64)> {
        if let (0, Some(state)) = (number, &self.state) {
            return Some((state, 1));
        }
        let index = number.saturating_sub(1).saturating_sub(self.dropped);
        let ids = self.tail.get(index as usize)?;
        Some((ids, self.dropped + index + 2))
    }

    /// The number behind the last.
    fn end(&self) -> u64 {
        self.dropped + self.tail.len() as u64 + 1
    }

    fn is_empty(&self) -> bool {
        self.state.is_none() && self.tail.is_empty()
    }
}

impl Tombstones {
    fn add(&mut self, object: ObjectId) {
        if self.order.len() == TOMBSTONES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
        self.all.insert(object);
        self.order.push_back(object);
    }
}

#[cfg(test)]
mod tests;
