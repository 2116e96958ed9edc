//! What must have come of a schedule: judged by what was written down alone.

use std::collections::BTreeMap;

use actix_multiplex::{BindError, JoinError, KeepError, ObjectId, wire::EndReason};

use super::{
    book::{Bound, Ending, Entry, Found, LATE, Life, Met, Outcome, Page, Said},
    nodes::{Any, Fold},
    stage::Story,
};

/// One object as its leaves have heard it from the beginning on.
struct Object {
    entries: Vec<Entry>,
    /// The folds after 0, 1, 2, ... shouts.
    folds: Vec<Fold>,
    /// What its first state carries.
    carries: Vec<ObjectId>,
}

/// What is wrong with a story.
pub(super) fn judge(page: &Page, story: &Story) -> Vec<String> {
    let objects = objects(page);
    let judge = Judge { page, story, objects };
    let mut wrong = Vec::new();
    wrong.extend(judge.orders());
    wrong.extend(page.leaves.iter().filter_map(|life| judge.leaf(life).err()));
    wrong.extend(page.leaves.iter().filter_map(|life| judge.stop(life).err()));
    let said = page.said.iter().enumerate();
    wrong.extend(said.filter_map(|(word, said)| judge.said(word as u64, said).err()));
    let bounds = page.bounds.iter().filter_map(|bound| Some((bound, judge.bound(bound).err()?)));
    wrong.extend(bounds.map(|(bound, why)| format!("{why}: {bound:?}")));
    wrong.extend(page.endings.iter().filter_map(|ending| judge.ending(ending).err()));
    wrong.extend(page.met.iter().filter_map(|met| judge.met(met).err()));
    wrong
}

struct Judge<'a> {
    page: &'a Page,
    story: &'a Story,
    objects: BTreeMap<ObjectId, Object>,
}

/// The objects as their makers' leaves have heard them; of those that were opened by name, and of
/// those whose maker was cut off, as the leaf has that has heard most. Of one that was destroyed a
/// later leaf may have heard more than all that were there from the beginning on.
fn objects(page: &Page) -> BTreeMap<ObjectId, Object> {
    let mut observers = BTreeMap::<ObjectId, &Life>::new();
    for life in &page.leaves {
        let Some((_, start)) = &life.start else { continue };
        let observer = observers.entry(life.object).or_insert(life);
        let is_observed = page.is_observed(life.object);
        if !is_observed && start.fold.count == 0 && life.entries.len() > observer.entries.len() {
            *observer = life;
        }
    }
    let mut objects: BTreeMap<_, _> =
        observers.into_iter().map(|(object, life)| (object, Object::of(life))).collect();
    for life in page.leaves.iter().filter(|life| page.ended(life.object).is_some()) {
        if let Some(object) = objects.get_mut(&life.object) {
            object.go_on(life);
        }
    }
    objects
}

impl Page {
    /// Whether an object's maker was there all the time.
    fn is_observed(&self, object: ObjectId) -> bool {
        let maker = self.makers.get(&object);
        maker.is_some_and(|maker| self.clients[*maker].cut.is_none())
    }
}

impl Object {
    fn of(observer: &Life) -> Self {
        let (entries, folds) = (Vec::new(), vec![Fold::default()]);
        let mut object = Self { entries, folds, carries: carried(observer) };
        object.extend(&observer.entries);
        object
    }

    /// What a leaf has heard that heard further.
    fn go_on(&mut self, life: &Life) {
        let Some((_, start)) = &life.start else { return };
        let known = self.entries.len().checked_sub(start.fold.count as usize);
        if let Some(more) = known.and_then(|known| life.entries.get(known..)) {
            self.extend(more);
        }
    }

    fn extend(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.folds.push(self.folds[self.folds.len() - 1].then(entry.seq, entry.word));
            self.entries.push(entry.clone());
        }
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
        let is_alone = self.page.clients[client].cut.is_some() || self.story.refused.contains(&id);
        let Some((_, start)) = &life.start else {
            let is_fine = life.stopped.is_some() || is_alone;
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
        let was_held = life.stopped.is_none_or(|stop| stop.was_held);
        let is_back = self.story.panicked.contains(&id) && life.stopped.is_some();
        holds(!was_held || is_alone || is_back || to == object.entries.len(), || {
            format!("the leaf of {id} at {client} heard {to} of {}", object.entries.len())
        })
    }

    /// A leaf that is held stops when its object is destroyed, and then it does.
    fn stop(&self, life: &Life) -> Result<(), String> {
        let (id, client) = (life.object, life.client);
        let is_alone = self.page.clients[client].cut.is_some() || self.story.refused.contains(&id);
        let is_fine = match life.stopped {
            None => self.page.ended(id).is_none(),
            Some(stop) => !stop.was_held || self.page.is_ending(id, stop.at),
        };
        holds(is_fine || is_alone, || format!("the leaf of {id} at {client}: {:?}", life.stopped))
    }

    /// Whether somebody has destroyed an object, and asked once.
    fn has_destroyed(&self, ending: &Ending) -> bool {
        matches!(ending.answer, Some((_, Ok(())))) && self.page.clients[ending.client].cut.is_none()
    }

    /// An object is destroyed once, and whoever comes later is told so.
    fn ending(&self, ending: &Ending) -> Result<(), String> {
        let Ending { client, object, from, answer } = ending;
        let is_cut = self.page.clients[*client].cut.is_some();
        let others = self.page.endings.iter().filter(|it| it.object == *object);
        let others: Vec<_> = others.filter(|it| !std::ptr::eq(*it, ending)).collect();
        let is_refused = self.story.refused.contains(object);
        let is_fine = match answer {
            None | Some((_, Err(KeepError::Closed(_)))) => is_cut,
            // Who has asked twice cannot tell whose wish it was.
            Some((_, Ok(()))) => is_cut || !others.iter().any(|it| self.has_destroyed(it)),
            Some((at, Err(KeepError::Gone))) => {
                is_refused || others.iter().any(|it| it.from <= *at)
            }
            Some((_, Err(_))) => is_refused || self.story.panicked.contains(object),
        };
        holds(is_fine, || format!("nothing explains what came of it from {from} on: {ending:?}"))
    }

    /// Nobody finds what was destroyed, and what has a name has it alone.
    fn met(&self, met: &Met) -> Result<(), String> {
        let object = match &met.object {
            Ok(object) => *object,
            Err(JoinError::Gone { .. }) => return self.is_under_way(met),
            Err(_) => return Ok(()),
        };
        let is_there = self.page.ended(object).is_none_or(|ended| met.from <= ended);
        holds(is_there, || format!("it was destroyed before: {met:?}"))?;
        let is_kept = |object| !self.page.is_ending(object, u64::MAX);
        let others = self.page.met.iter().filter(|it| it.name == met.name);
        let mut others = others.filter_map(|it| it.object.as_ref().ok());
        let is_alone = others.all(|it| *it == object || !is_kept(*it));
        holds(is_alone || !is_kept(object), || format!("two have one name: {met:?}"))
    }

    /// Whoever asks for a name is told that its object is gone while it is being destroyed, and at
    /// no other time.
    fn is_under_way(&self, met: &Met) -> Result<(), String> {
        let named = self.page.met.iter().filter(|it| it.name == met.name);
        let mut named = named.filter_map(|it| it.object.as_ref().ok());
        let is_fine = named.any(|object| {
            self.page.endings.iter().any(|ending| {
                let answered = ending.answer.as_ref().map_or(u64::MAX, |(at, _)| *at);
                ending.object == *object && met.from <= answered
            })
        });
        let is_cut = self.page.clients[met.client].cut.is_some();
        holds(is_fine || is_cut, || format!("its name is free: {met:?}"))
    }

    /// A shout has its receipt's place, or none.
    fn said(&self, word: u64, said: &Said) -> Result<(), String> {
        let is_cut = self.page.clients[said.client].cut.is_some();
        let entries = self.objects.get(&said.object).map_or(&[][..], |it| &it.entries);
        let mut places = entries.iter().filter(|entry| entry.word == word).map(|entry| entry.seq);
        let (place, again) = (places.next(), places.next());
        let is_fine = again.is_none()
            && match &said.outcome {
                // Nobody observes an object that lost its maker.
                Outcome::Heard(seq) => {
                    place == Some(*seq) || place.is_none() && !self.page.is_observed(said.object)
                }
                Outcome::UnderWay => is_cut,
                Outcome::NotSent => place.is_none(),
                Outcome::Ended(at, EndReason::Destroyed) => {
                    let is_known = place.is_none() || self.story.panicked.contains(&said.object);
                    is_known && self.page.is_ending(said.object, *at)
                }
                Outcome::Ended(..) => false,
                Outcome::Lost => true,
            };
        let is_late = self.page.ended(said.object).is_some_and(|ended| ended < said.at);
        let is_fine = is_fine && !(is_late && place.is_some());
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
        let has_ended = self.page.is_ending(bound.object, bound.at);
        let Some(there) = found.fold else {
            return holds(has_ended, || "it has no state".into());
        };
        if let Some(heard) = bound.told {
            let object = self.objects.get(&bound.object).ok_or("nobody observes it")?;
            let is_prefix = object.folds.get(heard.count as usize) == Some(&heard);
            holds(is_prefix, || "its shouter had heard something else".into())?;
            holds(there.count >= heard.count, || "its shouter had heard more of it".into())?;
        }
        let is_whole = !found.is_fresh
            || found.beyond.iter().all(|(it, has)| *has || self.page.is_ending(*it, bound.at))
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
            // It was heard before the class was known, and handed over since; or its leaf, that
            // was there, has ended since.
            BindError::NotHere => {
                let is_new = learned.is_some_and(|learned| learned > 0 && since <= learned);
                is_new || self.page.is_ending(object, at)
            }
            BindError::Gone => {
                // Whoever is cut off while the hub decides on his object has not made it.
                let maker = self.page.makers.get(&object);
                let is_cut = maker.is_some_and(|maker| self.page.was_cut(*maker, at));
                let is_nowhere =
                    self.page.strangers.contains(&object) || self.story.refused.contains(&object);
                is_cut || is_nowhere || self.page.is_ending(object, at)
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
