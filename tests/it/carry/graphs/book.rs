//! What a schedule's leaves and its admission write down. Nothing here asks the library anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_multiplex::{
    BindError, Gone, JoinError, KeepError, ObjectId, Receipt, Receipted, SessionId, ShoutError,
    wire::EndReason,
};
use rand::{SeedableRng, rngs::StdRng};
use tokio::time::Instant;

use super::nodes::{Any, Fold, Hand, Sort, Tally, Told, Words};

/// What one schedule has brought so far. Clones are the same book.
#[derive(Clone)]
pub(super) struct Book(Arc<Mutex<Page>>);

/// One client's way into the book.
#[derive(Clone)]
pub(super) struct Desk {
    book: Book,
    client: usize,
}

pub(super) struct Page {
    began: Instant,
    /// Whether the schedule is done: what stops from now on does so for want of it.
    pub(super) is_over: bool,
    pub(super) random: StdRng,
    pub(super) clients: Vec<Guest>,
    /// Every leaf that was ever made.
    pub(super) leaves: Vec<Life>,
    /// The leaf of an object at a client.
    pub(super) seated: BTreeMap<(usize, ObjectId), usize>,
    pub(super) bounds: Vec<Bound>,
    pub(super) decisions: Vec<Decision>,
    pub(super) said: Vec<Said>,
    pub(super) endings: Vec<Ending>,
    pub(super) met: Vec<Met>,
    /// Who made an object; nobody in particular made one that was opened by name.
    pub(super) makers: BTreeMap<ObjectId, usize>,
    /// Objects that were dropped before anybody was told of them.
    pub(super) strangers: BTreeSet<ObjectId>,
    pub(super) drags: u64,
    /// Opaque references that were bound when their class was known.
    pub(super) bound_later: u64,
}

/// A client, and what was done to it.
#[derive(Default)]
pub(super) struct Guest {
    pub(super) session: Option<SessionId>,
    /// When it learned napkins and blots.
    pub(super) knows: BTreeMap<Sort, u64>,
    /// From when to when its line was held.
    pub(super) held: Vec<(u64, Option<u64>)>,
    pub(super) cut: Option<u64>,
    /// What it holds, and whether it does so to the end.
    pub(super) hands: BTreeMap<ObjectId, (Hand, bool)>,
    /// References that it has heard.
    pub(super) heard: Vec<Any>,
}

/// One leaf, from when it was made.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) client: usize,
    pub(super) object: ObjectId,
    /// What it began with, and when.
    pub(super) start: Option<(u64, Tally)>,
    pub(super) fold: Fold,
    pub(super) entries: Vec<Entry>,
    pub(super) was_bound: bool,
    pub(super) stopped: Option<Stop>,
}

/// When a leaf stopped, and whether it was held by a handle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) at: u64,
    pub(super) was_held: bool,
}

/// One shout as a leaf heard it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) word: u64,
    /// What it left in the state.
    pub(super) put: Vec<ObjectId>,
}

/// Where a reference was found.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Heard(&'a Told),
    Restored(&'a Any),
}

/// What became of binding a reference there and then.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) at: u64,
    pub(super) client: usize,
    pub(super) object: ObjectId,
    pub(super) sort: Sort,
    pub(super) is_in_a_state: bool,
    /// What the shouter's client had heard of it, if it was a leaf.
    pub(super) told: Option<Fold>,
    pub(super) outcome: Result<Found, BindError>,
}

/// A leaf that was bound, as it was then.
#[derive(Debug)]
pub(super) struct Found {
    /// None: it had no state yet.
    pub(super) fold: Option<Fold>,
    /// Whether it was restored at that very moment.
    pub(super) is_fresh: bool,
    /// What its state carries and a handle is held of, and whether that has a state.
    pub(super) beyond: Vec<(ObjectId, bool)>,
    /// Whether something that its state carries carries it.
    pub(super) is_in_a_circle: bool,
}

/// What the admission decided.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) client: usize,
    /// The object to be joined; none for one to be made.
    pub(super) object: Option<ObjectId>,
    pub(super) from: u64,
    /// None: not yet.
    pub(super) to: Option<u64>,
    pub(super) is_refused: bool,
}

/// An object that a client ends.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) client: usize,
    pub(super) object: ObjectId,
    pub(super) from: u64,
    /// When it was answered, and how.
    pub(super) answer: Option<(u64, Result<(), KeepError>)>,
}

/// The object that was found by a name, if any, and when it was asked for.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) client: usize,
    pub(super) name: usize,
    pub(super) object: Result<ObjectId, JoinError>,
    pub(super) from: u64,
}

/// A shout that was tried.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) at: u64,
    pub(super) client: usize,
    pub(super) object: ObjectId,
    pub(super) outcome: Outcome,
}

#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    UnderWay,
    Heard(u64),
    NotSent,
    /// Its object had ended by then.
    Ended(u64, EndReason),
    Lost,
}

impl Book {
    pub(super) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Page {
            began: Instant::now(),
            is_over: false,
            random: StdRng::seed_from_u64(seed ^ 0xb007),
            clients: Vec::new(),
            leaves: Vec::new(),
            seated: BTreeMap::new(),
            bounds: Vec::new(),
            decisions: Vec::new(),
            said: Vec::new(),
            endings: Vec::new(),
            met: Vec::new(),
            makers: BTreeMap::new(),
            strangers: BTreeSet::new(),
            drags: 0,
            bound_later: 0,
        })))
    }

    pub(super) fn see<T>(&self, look: impl FnOnce(&mut Page) -> T) -> T {
        look(&mut self.0.lock().expect("nobody panics over the book"))
    }

    pub(super) fn desk(&self, client: usize) -> Desk {
        Desk { book: self.clone(), client }
    }
}

impl Page {
    /// Virtual milliseconds since the schedule began.
    pub(super) fn now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    pub(super) fn client_of(&self, session: SessionId) -> Option<usize> {
        self.clients.iter().position(|guest| guest.session == Some(session))
    }

    /// How far the leaf of an object has come at a client; none without a state.
    pub(super) fn fold(&self, client: usize, object: ObjectId) -> Option<Fold> {
        let life = &self.leaves[*self.seated.get(&(client, object))?];
        life.start.is_some().then_some(life.fold)
    }

    /// What the leaf of an object began with carries.
    fn carries(&self, client: usize, object: ObjectId) -> Vec<ObjectId> {
        let life = self.seated.get(&(client, object)).map(|leaf| &self.leaves[*leaf]);
        let start = life.and_then(|life| life.start.as_ref());
        start.map(|(_, tally)| tally.carries.iter().map(Any::object).collect()).unwrap_or_default()
    }

    fn found(&self, client: usize, object: ObjectId) -> Found {
        let life = self.seated.get(&(client, object)).map(|leaf| &self.leaves[*leaf]);
        let start = life.and_then(|life| life.start.as_ref());
        let carries = self.carries(client, object);
        let held = carries.iter().filter(|each| self.clients[client].hands.contains_key(each));
        let beyond = held.map(|each| (*each, self.fold(client, *each).is_some()));
        let mut around = carries.iter().flat_map(|each| self.carries(client, *each));
        Found {
            fold: self.fold(client, object),
            is_fresh: start.is_some_and(|(at, _)| *at == self.now()),
            beyond: beyond.collect(),
            is_in_a_circle: around.any(|each| each == object),
        }
    }
}

impl Desk {
    pub(super) fn client(&self) -> usize {
        self.client
    }

    /// A leaf is made; tells which it is.
    pub(super) fn made(&self, object: ObjectId) -> usize {
        self.book.see(|page| {
            let (start, fold, entries) = (None, Fold::default(), Vec::new());
            let (client, was_bound, stopped) = (self.client, false, None);
            let life = Life { client, object, start, fold, entries, was_bound, stopped };
            page.leaves.push(life);
            page.seated.insert((client, object), page.leaves.len() - 1);
            page.leaves.len() - 1
        })
    }

    pub(super) fn restored(&self, leaf: usize, tally: &Tally) {
        self.book.see(|page| {
            let at = page.now();
            let life = &mut page.leaves[leaf];
            life.fold = tally.fold;
            life.start = Some((at, tally.clone()));
        });
    }

    pub(super) fn heard(&self, leaf: usize, seq: u64, words: &Words, put: Vec<ObjectId>) {
        self.book.see(|page| {
            let life = &mut page.leaves[leaf];
            life.fold = life.fold.then(seq, words.word);
            life.entries.push(Entry { seq, word: words.word, put });
            let heard = words.told().map(|told| told.what.clone());
            page.clients[self.client].heard.extend(heard);
        });
    }

    pub(super) fn stopped(&self, leaf: usize) {
        self.book.see(|page| {
            if page.is_over {
                return;
            }
            let (at, client, object) = (page.now(), self.client, page.leaves[leaf].object);
            let is_seated = page.seated.get(&(client, object)) == Some(&leaf);
            if is_seated {
                page.seated.remove(&(client, object));
            }
            let was_held = is_seated && page.clients[client].hands.contains_key(&object);
            page.leaves[leaf].stopped = Some(Stop { at, was_held });
        });
    }

    /// A reference was bound, or not. Some of what is bound is kept.
    pub(super) fn bound(&self, place: Place<'_>, bound: Result<Hand, BindError>) {
        let (what, told) = match place {
            Place::Heard(told) => (&told.what, told.heard),
            Place::Restored(what) => (what, None),
        };
        let is_in_a_state = matches!(place, Place::Restored(_));
        self.book.see(|page| {
            let (at, client, object) = (page.now(), self.client, what.object());
            let outcome = bound.map(|hand| {
                let found = page.found(client, object);
                page.keep(client, hand, (at + page.bounds.len() as u64).is_multiple_of(2));
                found
            });
            let sort = what.sort();
            page.bounds.push(Bound { at, client, object, sort, is_in_a_state, told, outcome });
        });
    }

    pub(super) fn dragged(&self, times: u64) {
        self.book.see(|page| page.drags += u64::from(times > 0));
    }

    /// What is said at an object: with each reference, what this client's leaf has heard of it.
    pub(super) fn words(&self, at: ObjectId, what: Vec<Any>, pass: Option<usize>) -> Words {
        self.book.see(|page| {
            let heard = |what: &Any| page.fold(self.client, what.object());
            let told = what.into_iter().map(|what| Told { heard: heard(&what), what }).collect();
            let (client, object, outcome) = (self.client, at, Outcome::UnderWay);
            page.said.push(Said { at: page.now(), client, object, outcome });
            Words::new(page.said.len() as u64 - 1, told, pass)
        })
    }

    /// Writes down what becomes of a shout; without a receipt it was not sent.
    pub(super) fn await_receipt(&self, word: u64, receipted: Option<Receipted>) {
        let book = self.book.clone();
        let settle = move |of: &dyn Fn(u64) -> Outcome| {
            book.see(|page| page.said[word as usize].outcome = of(page.now()));
        };
        let Some(receipted) = receipted else { return settle(&|_| Outcome::NotSent) };
        tokio::task::spawn_local(async move {
            let receipt = receipted.await;
            settle(&|now| Outcome::of(&receipt, now));
        });
    }
}

impl Outcome {
    fn of(receipt: &Result<Receipt, ShoutError<()>>, now: u64) -> Self {
        match receipt {
            Ok(receipt) => Self::Heard(receipt.seq().0),
            Err(
                ShoutError::Gone((), Gone::Ended(why)) | ShoutError::Unknown((), Gone::Ended(why)),
            ) => Self::Ended(now, why.clone()),
            Err(ShoutError::Unknown(..) | ShoutError::Refused(..)) => Self::Lost,
            Err(_) => Self::NotSent,
        }
    }
}

impl Page {
    /// A client ends an object; tells which ending it is.
    pub(super) fn destroy(&mut self, client: usize, object: ObjectId) -> usize {
        self.endings.push(Ending { client, object, from: self.now(), answer: None });
        self.endings.len() - 1
    }

    pub(super) fn answered(&mut self, ending: usize, answer: Result<(), KeepError>) {
        self.endings[ending].answer = Some((self.now(), answer));
    }

    /// Whether somebody was ending an object by then.
    pub(super) fn is_ending(&self, object: ObjectId, at: u64) -> bool {
        self.endings.iter().any(|ending| ending.object == object && ending.from <= at)
    }

    /// When the hub said that an object was destroyed.
    pub(super) fn ended(&self, object: ObjectId) -> Option<u64> {
        let mut endings = self.endings.iter().filter(|ending| ending.object == object);
        endings.find_map(|ending| match ending.answer {
            Some((at, Ok(()))) => Some(at),
            _ => None,
        })
    }

    /// What was destroyed.
    pub(super) fn destroyed(&self) -> BTreeSet<ObjectId> {
        let objects = self.endings.iter().map(|ending| ending.object);
        objects.filter(|object| self.ended(*object).is_some()).collect()
    }

    /// How often a name was found under which another object had been destroyed before.
    pub(super) fn anew(&self) -> usize {
        let was_ended = |met: &Met| {
            let mut before = self.met.iter().filter(|it| it.name == met.name);
            let ended = |it: &Met| self.ended(*it.object.as_ref().ok()?);
            before.any(|it| ended(it).is_some_and(|ended| ended < met.from))
        };
        self.met.iter().filter(|met| met.object.is_ok() && was_ended(met)).count()
    }

    /// A reference was bound outside a handler.
    pub(super) fn bound_later(&mut self, client: usize, object: ObjectId) {
        let was_opaque = self.bounds.iter().any(|bound| {
            (bound.client, bound.object) == (client, object)
                && matches!(bound.outcome, Err(BindError::NotImplemented { .. }))
        });
        self.bound_later += u64::from(was_opaque);
    }

    fn keep(&mut self, client: usize, hand: Hand, is_kept: bool) {
        let object = hand.object();
        if let Some(leaf) = self.seated.get(&(client, object)) {
            self.leaves[*leaf].was_bound |= is_kept;
        }
        if is_kept {
            self.clients[client].hands.entry(object).or_insert((hand, false));
        }
    }
}

/// Time after which what is carried is late, as the users are told.
pub(super) const LATE: Duration = Duration::from_secs(5);
