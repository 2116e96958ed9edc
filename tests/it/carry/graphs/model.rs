//! What must have come of a schedule: judged by what was written down alone.

use std::collections::{BTreeMap, BTreeSet};

use actix_multiplex::{BindError, ObjectId};

use super::{
    book::{Bound, Entry, Found, LATE, Life, Outcome, Page, Said},
    nodes::{Any, Fold},
    stage::Story,
};

/// One object as one leaf has heard it from the beginning on.
struct Object<'a> {
    entries: &'a [Entry],
    /// The folds after 0, 1, 2, ... shouts.
    folds: Vec<Fold>,
    /// What its first state carries.
    carries: Vec<ObjectId>,
}

/// What is wrong with a story.
pub(super) fn judge(page: &Page, story: &Story) -> Vec<String> {
    let objects = objects(page);
    let judge = Judge { page, refused: &story.refused, objects };
    let mut wrong = Vec::new();
    wrong.extend(judge.orders());
    wrong.extend(page.leaves.iter().filter_map(|life| judge.leaf(life).err()));
    let said = page.said.iter().enumerate();
    wrong.extend(said.filter_map(|(word, said)| judge.said(word as u64, said).err()));
    let bounds = page.bounds.iter().filter_map(|bound| Some((bound, judge.bound(bound).err()?)));
    wrong.extend(bounds.map(|(bound, why)| format!("{why}: {bound:?}")));
    wrong
}

struct Judge<'a> {
    page: &'a Page,
    refused: &'a BTreeSet<ObjectId>,
    objects: BTreeMap<ObjectId, Object<'a>>,
}

/// The objects as their makers' leaves have heard them; of those that were opened by name, and of
/// those whose maker was cut off, as the leaf has that has heard most.
fn objects(page: &Page) -> BTreeMap<ObjectId, Object<'_>> {
    let mut observers = BTreeMap::<ObjectId, &Life>::new();
    for life in &page.leaves {
        let Some((_, start)) = &life.start else { continue };
        let observer = observers.entry(life.object).or_insert(life);
        let is_observed = page.is_observed(life.object);
        if !is_observed && start.fold.count == 0 && life.entries.len() > observer.entries.len() {
            *observer = life;
        }
    }
    observers.into_iter().map(|(object, life)| (object, Object::of(life))).collect()
}

impl Page {
    /// Whether an object's maker was there all the time.
    fn is_observed(&self, object: ObjectId) -> bool {
        let maker = self.makers.get(&object);
        maker.is_some_and(|maker| self.clients[*maker].cut.is_none())
    }
}

impl<'a> Object<'a> {
    fn of(observer: &'a Life) -> Self {
        let mut folds = vec![Fold::default()];
        for entry in &observer.entries {
            folds.push(folds[folds.len() - 1].then(entry.seq, entry.word));
        }
        Self { entries: &observer.entries, folds, carries: carried(observer) }
    }

    /// What the state carries after so many shouts.
    fn carries_after(&self, count: usize) -> Vec<ObjectId> {
        let put = self.entries.iter().take(count).flat_map(|entry| &entry.put);
        self.carries.iter().chain(put).copied().collect()
    }
}

fn carried(life: &Life) -> Vec<ObjectId> {
    let start = life.start.as_ref();
    start.map(|(_, tally)| tally.carries.iter().map(Any::object).collect()).unwrap_or_default()
}

impl Judge<'_> {
    /// Each object's order is dense.
    fn orders(&self) -> Vec<String> {
        let gaps = self.objects.iter().filter_map(|(id, object)| {
            let seqs = object.entries.iter().map(|entry| entry.seq);
            let is_dense = seqs.eq(1..=object.entries.len() as u64);
            (!is_dense).then(|| format!("the order of {id} is not dense: {:?}", object.entries))
        });
        gaps.collect()
    }

    /// A leaf has heard a piece of the order, to its end if it is still there.
    fn leaf(&self, life: &Life) -> Result<(), String> {
        let (id, client) = (life.object, life.client);
        let is_alone = self.page.clients[client].cut.is_some() || self.refused.contains(&id);
        let Some((_, start)) = &life.start else {
            let is_fine = life.has_stopped || is_alone;
            return holds(is_fine, || format!("a leaf of {id} at {client} has no state"));
        };
        let object = self.objects.get(&id).ok_or_else(|| format!("nobody observes {id}"))?;
        let from = start.fold.count as usize;
        let to = from + life.entries.len();
        holds(object.entries.get(from..to) == Some(&life.entries[..]), || {
            format!(
                "the leaf of {id} at {client} heard {:?}, of {:?}",
                life.entries, object.entries
            )
        })?;
        holds(object.folds[from] == start.fold && object.folds[to] == life.fold, || {
            format!("the leaf of {id} at {client} has {:?} after {start:?}", life.fold)
        })?;
        holds(object.carries_after(from) == carried(life), || {
            format!("the state of {id} at {client} carries something else: {start:?}")
        })?;
        holds(life.has_stopped || is_alone || to == object.entries.len(), || {
            format!("the leaf of {id} at {client} heard {to} of {}", object.entries.len())
        })
    }

    /// A shout has its receipt's place, or none.
    fn said(&self, word: u64, said: &Said) -> Result<(), String> {
        let is_cut = self.page.clients[said.client].cut.is_some();
        let entries = self.objects.get(&said.object).map_or(&[][..], |object| object.entries);
        let mut places = entries.iter().filter(|entry| entry.word == word).map(|entry| entry.seq);
        let (place, again) = (places.next(), places.next());
        let is_fine = again.is_none()
            && match &said.outcome {
                // Nobody observes an object that lost its maker.
                Outcome::Heard(seq) => {
                    place == Some(*seq) || place.is_none() && !self.page.is_observed(said.object)
                }
                Outcome::UnderWay => is_cut,
                Outcome::Lost(why) => place.is_none() || !why.starts_with("not sent"),
            };
        holds(is_fine, || format!("word {word} is at {place:?}, {again:?}: {said:?}"))
    }

    /// A carried object was ready, or there is a reason.
    fn bound(&self, bound: &Bound) -> Result<(), String> {
        if self.page.was_cut(bound.client, bound.at) {
            return Ok(());
        }
        match &bound.outcome {
            Ok(found) => self.found(bound, found),
            Err(error) => {
                holds(self.explains(bound, error), || "nothing explains why it is missing".into())
            }
        }
    }

    fn found(&self, bound: &Bound, found: &Found) -> Result<(), String> {
        if bound.is_in_a_state {
            return Ok(());
        }
        let there = found.fold.ok_or("it has no state")?;
        if let Some(heard) = bound.told {
            let object = self.objects.get(&bound.object).ok_or("nobody observes it")?;
            let is_prefix = object.folds.get(heard.count as usize) == Some(&heard);
            holds(is_prefix, || "its shouter had heard something else".into())?;
            holds(there.count >= heard.count, || "its shouter had heard more of it".into())?;
        }
        let is_whole = !found.is_fresh
            || found.beyond.iter().all(|(_, has_state)| *has_state)
            || self.page.was_slow(bound.client, since(bound.at), bound.at);
        holds(is_whole, || "what its state carries has no state".into())
    }

    fn explains(&self, bound: &Bound, error: &BindError) -> bool {
        let Bound { at, client, object, sort, .. } = *bound;
        let guest = &self.page.clients[client];
        let since = since(at);
        let learned = guest.knows.get(&sort).copied();
        match error {
            BindError::NotImplemented { .. } => learned.is_none_or(|learned| at <= learned),
            // It was heard before the class was known, and handed over since.
            BindError::NotHere => learned.is_some_and(|learned| learned > 0 && since <= learned),
            BindError::Gone => {
                // Whoever is cut off while the hub decides on his object has not made it.
                let maker = self.page.makers.get(&object);
                let is_cut = maker.is_some_and(|maker| self.page.was_cut(*maker, at));
                is_cut || self.page.strangers.contains(&object) || self.refused.contains(&object)
            }
            BindError::Refused(_) => self.page.decisions.iter().any(|decision| {
                let to = decision.to.unwrap_or(decision.from + LATE.as_millis() as u64);
                (decision.client, decision.object) == (client, Some(object))
                    && (decision.is_refused || decision.to.is_none())
                    && (since..=at).contains(&to)
            }),
            BindError::Late => self.page.was_slow(client, since, at),
            _ => false,
        }
    }
}

impl Page {
    /// Whether the hub was asked to take an object of this maker, and had not decided.
    pub(super) fn makes_wait(&self, object: ObjectId, since: u64, at: u64) -> bool {
        let maker = self.makers.get(&object).copied();
        self.decisions.iter().any(|decision| {
            decision.object.is_none()
                && Some(decision.client) == maker
                && decision.to != Some(decision.from)
                && decision.from <= at
                && decision.to.is_none_or(|to| since <= to)
        })
    }

    /// Whether a client was cut off by then.
    fn was_cut(&self, client: usize, at: u64) -> bool {
        self.clients[client].cut.is_some_and(|cut| cut <= at)
    }

    /// Whether something could keep a client waiting for 5 s.
    fn was_slow(&self, client: usize, since: u64, at: u64) -> bool {
        let mut held = self.clients[client].held.iter();
        let was_held = held.any(|(from, to)| *from <= at && to.is_none_or(|to| since <= to));
        was_held
            || self.decisions.iter().any(|decision| {
                let to = decision.to.unwrap_or(u64::MAX).min(at);
                decision.client == client && since <= to && to.saturating_sub(decision.from) > 1_000
            })
    }
}

fn holds(is_so: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(why()) }
}

/// From when on something may have kept a carrier waiting that is heard now.
fn since(at: u64) -> u64 {
    at.saturating_sub(LATE.as_millis() as u64 + MARGIN_MS)
}

/// Time in which what is told has passed the lines.
const MARGIN_MS: u64 = 1_000;
