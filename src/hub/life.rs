//! Which objects are needed, and which nobody needs any more.
//!
//! A value: no actor, no clock, no await. In comes what each object is to others: whether it has
//! leaves, whether it is pinned, which ids its state and tail list, when it was last carried or
//! asked for. Out come those that have lingered long enough. Ids that it does not know are of no
//! consequence: whoever lists one keeps nothing by it.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::Arc,
};

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
    /// Whether an object that was due has been asked for since.
    revived: bool,
    tombstones: Tombstones,
}

/// Why an object may be needed, and what it needs itself.
#[derive(Debug)]
struct Need {
    joined: bool,
    pinned: bool,
    state: Option<Ids>,
    tail: VecDeque<Ids>,
    /// When it was last made, carried, found, parted from or unpinned.
    renewed_ms: u64,
    /// When it was first seen to be needed by nobody.
    unneeded_ms: Option<u64>,
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
    }

    /// An object ends: its id is not used again.
    pub(crate) fn end(&mut self, object: ObjectId) {
        let Some(need) = self.objects.remove(&object) else { return };
        self.loose -= usize::from(need.is_loose());
        self.tombstones.add(object);
    }

    /// An object has leaves, or has none any more.
    pub(crate) fn set_joined(&mut self, object: ObjectId, joined: bool, now_ms: u64) {
        self.change(object, now_ms, |need| need.joined = joined);
    }

    /// An object is pinned, or is not any more.
    pub(crate) fn set_pinned(&mut self, object: ObjectId, pinned: bool, now_ms: u64) {
        self.change(object, now_ms, |need| need.pinned = pinned);
    }

    /// An object is asked for.
    pub(crate) fn renew(&mut self, object: ObjectId, now_ms: u64) {
        self.change(object, now_ms, |_| {});
    }

    /// The list of an object has changed. What it carries from now on is renewed.
    pub(crate) fn list(&mut self, object: ObjectId, change: ListChange, now_ms: u64) {
        let ListChange { state, added, dropped } = change;
        for id in state.iter().chain(&added).flat_map(|ids| ids.iter()) {
            self.renew(*id, now_ms);
        }
        let Some(need) = self.objects.get_mut(&object) else { return };
        need.tail.extend(added);
        need.tail.drain(..dropped.min(need.tail.len()));
        if state.is_some() {
            need.state = state;
        }
    }

    /// The objects that have lingered long enough, in the order of their ids.
    ///
    /// One that lingers keeps what it lists, as it may be joined yet.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<ObjectId> {
        self.revived = false;
        let mut kept = HashSet::new();
        mark(&mut kept, self.ids_where(|need| !need.is_loose()), |object| self.listed_by(object));
        for (object, need) in &mut self.objects {
            if kept.contains(object) {
                need.unneeded_ms = None;
            } else {
                need.unneeded_ms.get_or_insert(now_ms);
            }
        }
        let lingers = self.ids_where(|need| need.is_loose() && need.lingers(now_ms));
        mark(&mut kept, lingers, |object| self.listed_by(object));
        self.objects.keys().filter(|object| !kept.contains(object)).copied().collect()
    }

    /// Whether an object that was due has been asked for since: then it may keep others that were.
    pub(crate) fn has_revived(&self) -> bool {
        self.revived
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
        self.revived |= need.is_loose() && !need.lingers(now_ms);
        self.loose -= usize::from(need.is_loose());
        change(need);
        need.renewed_ms = now_ms;
        self.loose += usize::from(need.is_loose());
    }

    fn ids_where(&self, is_so: impl Fn(&Need) -> bool) -> impl Iterator<Item = ObjectId> {
        self.objects.iter().filter(move |(_, need)| is_so(need)).map(|(object, _)| *object)
    }

    fn listed_by(&self, object: ObjectId) -> impl Iterator<Item = ObjectId> {
        let need = self.objects.get(&object).into_iter();
        need.flat_map(|need| need.state.iter().chain(&need.tail))
            .flat_map(|ids| ids.iter().copied())
    }
}

impl Need {
    fn new(now_ms: u64) -> Self {
        Self {
            joined: false,
            pinned: false,
            state: None,
            tail: VecDeque::new(),
            renewed_ms: now_ms,
            unneeded_ms: None,
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

/// Adds the roots to `kept`, and everything that lists lead to from them. Each id is looked at
/// once, so cycles end, and the work is that of going through all lists once.
fn mark<L: Iterator<Item = ObjectId>>(
    kept: &mut HashSet<ObjectId>,
    roots: impl Iterator<Item = ObjectId>,
    listed_by: impl Fn(ObjectId) -> L,
) {
    let mut found: Vec<_> = roots.filter(|root| kept.insert(*root)).collect();
    while let Some(object) = found.pop() {
        found.extend(listed_by(object).filter(|id| kept.insert(*id)));
    }
}

#[cfg(test)]
mod tests;
