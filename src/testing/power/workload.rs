//! Changes like those of a hub, by chance, each of which fits what came before.

use std::collections::BTreeMap;

use bytes::Bytes;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use crate::{
    journal::{Change, Contents, Definition, Entry, Held, Marks, ResumeKeys, State},
    object::{Codec, Epoch, HubId, InterfaceId, ObjectId, Op, Seq, SessionId},
};

/// What the next changes have to fit.
#[derive(Debug, Default)]
pub(super) struct Workload {
    is_begun: bool,
    sessions: Vec<SessionId>,
    objects: BTreeMap<ObjectId, Place>,
    /// Of the ended objects, the first that is remembered, and the next.
    ended: (u64, u64),
}

/// How far an object has come.
#[derive(Clone, Copy, Debug)]
struct Place {
    stateful: bool,
    /// Of the next entry.
    number: u64,
    last: Seq,
}

impl Workload {
    /// What goes on behind these.
    pub(super) fn of(contents: &Contents) -> Self {
        let objects = contents.objects.values().filter_map(|kept| {
            let stateful = kept.definition.as_ref()?.stateful;
            let number = kept.marks.first + kept.entries.len() as u64;
            Some((kept.id(), Place { stateful, number, last: kept.last() }))
        });
        let ended = &contents.ended;
        let next = ended.last_key_value().map_or(0, |(place, _)| place + 1);
        Self {
            is_begun: contents.hub.is_some(),
            sessions: contents.sessions.keys().copied().collect(),
            objects: objects.collect(),
            ended: (ended.first_key_value().map_or(next, |(place, _)| *place), next),
        }
    }

    /// What waits for the next commit.
    pub(super) fn next(&mut self, random: &mut StdRng) -> Vec<Change> {
        let mut changes = Vec::new();
        if !self.is_begun {
            self.is_begun = true;
            changes.push(Change::Begun(HubId::random(random)));
        }
        let count = if random.random_range(0..4) == 0 { 40 } else { 4 };
        for _ in 0..random.random_range(1..=count) {
            self.change(random, &mut changes);
        }
        changes
    }

    fn change(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        match random.random_range(0..20) {
            0 => self.begin_session(random, changes),
            1 => self.end_session(random, changes),
            2 | 3 => self.make(random, changes),
            4 => self.end(random, changes),
            5 => self.forget(random, changes),
            6 | 7 => self.take_state(random, changes),
            _ => self.shout(random, changes),
        }
    }

    fn begin_session(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        let session = SessionId::random(random);
        self.sessions.push(session);
        let fresh = Held { hash: random.random(), attempt: random.random_range(0..3) };
        changes.push(Change::Session { session, keys: ResumeKeys { fresh, used: None } });
    }

    fn end_session(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        if !self.sessions.is_empty() {
            let place = random.random_range(0..self.sessions.len());
            changes.push(Change::SessionEnded(self.sessions.swap_remove(place)));
        }
    }

    fn make(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        let (object, stateful) = (ObjectId::random(random), random.random());
        let definition = definition(random, stateful);
        changes.push(Change::Defined { object, definition: Box::new(definition) });
        if stateful {
            changes.push(Change::State { object, state: state(Seq(0), random) });
        }
        self.objects.insert(object, Place { stateful, number: 0, last: Seq(0) });
    }

    fn end(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        if let Some((object, _)) = self.any(random) {
            self.objects.remove(&object);
            changes.push(Change::Ended { object, place: self.ended.1 });
            self.ended.1 += 1;
        }
    }

    fn forget(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        let before = random.random_range(self.ended.0..=self.ended.1);
        self.ended.0 = before;
        changes.push(Change::Unremembered { before });
    }

    /// With a state or without one, what is behind it can be cut.
    fn take_state(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        let Some((object, place)) = self.any(random) else { return };
        if place.stateful {
            changes.push(Change::State { object, state: state(place.last, random) });
        }
        let (first, last, marks) = (place.number, place.last, Vec::new());
        changes.push(Change::Cut {
            object,
            marks: Marks { first, next: first, last, marks, owner: None },
        });
    }

    fn shout(&mut self, random: &mut StdRng, changes: &mut Vec<Change>) {
        let Some((object, place)) = self.any(random) else { return };
        let number = place.number;
        let (first, count) = (place.last.next(), random.random_range(1..5));
        let entry = if random.random_range(0..8) == 0 {
            Entry::Refused { session: SessionId::random(random), op: Op(number), count: 1 }
        } else {
            let (last, frame) = (place.last.plus(count), some_bytes(3_000, random));
            self.objects.insert(object, Place { last, ..place });
            Entry::Chunk { first, last, frame }
        };
        self.objects.entry(object).and_modify(|place| place.number += 1);
        changes.push(Change::Entry { object, number, entry });
    }

    fn any(&self, random: &mut StdRng) -> Option<(ObjectId, Place)> {
        let place = random.random_range(0..self.objects.len().max(1));
        self.objects.iter().nth(place).map(|(object, place)| (*object, *place))
    }
}

/// A hub with one object, which has no state.
pub(super) fn beginning() -> [Change; 2] {
    let definition = definition(&mut StdRng::seed_from_u64(0), false);
    let defined = Change::Defined { object: MEASURED, definition: Box::new(definition) };
    [Change::Begun(HubId([1; 16])), defined]
}

/// A shout at it.
pub(super) fn entry(number: u64) -> Change {
    let place = Seq(number + 1);
    let entry = Entry::Chunk { first: place, last: place, frame: Bytes::from_static(&[7; 100]) };
    Change::Entry { object: MEASURED, number, entry }
}

fn definition(random: &mut StdRng, stateful: bool) -> Definition {
    Definition {
        handover: false,
        asks: Vec::new(),
        epoch: Epoch::random(random),
        interface: InterfaceId { tag: "pond.frog".parse().expect("is a tag"), version: 1 },
        codec: Codec::POSTCARD,
        owner: SessionId::random(random),
        name: None,
        pinned: random.random(),
        presence: false,
        stateful,
    }
}

/// Some are of the largest size.
fn state(seq: Seq, random: &mut StdRng) -> State {
    let bytes_max = if random.random_range(0..20) == 0 { 1_048_576 } else { 20_000 };
    State { seq, carried: Vec::new(), bytes: some_bytes(bytes_max, random) }
}

fn some_bytes(bytes_max: usize, random: &mut StdRng) -> Bytes {
    let mut bytes = vec![0; random.random_range(0..bytes_max)];
    random.fill_bytes(&mut bytes);
    bytes.into()
}

const MEASURED: ObjectId = ObjectId([2; 16]);
