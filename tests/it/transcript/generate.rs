//! Good runs out of a seed: voices whose shouts are sequenced, refused or lost from sight, and
//! leaves that come late, go, come back and are resynced.
//!
//! Of each object, `leaf-0` and `leaf-1` hear all and stay, and `leaf-2` is resynced and stays, so
//! that there is a place for every mutation.

use actix_multiplex::testing::transcript::Event;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub(super) type Run = Vec<Event<String>>;

/// A good run, its witnesses' events interleaved at random.
pub(super) fn good_run(rng: &mut StdRng) -> Run {
    let objects = rng.random_range(1..=3);
    let mut witnesses: Vec<Run> = Vec::new();
    for object in 0..objects {
        witnesses.extend(good_object(&format!("object-{object}"), rng));
    }
    interleave(witnesses, rng)
}

pub(super) fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn good_object(object: &str, rng: &mut StdRng) -> Vec<Run> {
    let (voices, order) = shout(object, rng);
    let mut witnesses = vec![voices];
    for leaf in 0..rng.random_range(3..=6) {
        let mut ear = Ear { leaf: format!("leaf-{leaf}"), object, order: &order, events: vec![] };
        match leaf {
            0 | 1 => ear.hear_all(),
            2 => ear.be_resynced(),
            _ => ear.come_and_go(rng),
        }
        witnesses.push(ear.events);
    }
    if rng.random() {
        witnesses.push(vec![Event::Ended { object: object.into(), seq: order.len() as u64 }]);
    }
    witnesses
}

/// What the voices say and are told, and the order it comes to. The first eight are sequenced.
fn shout(object: &str, rng: &mut StdRng) -> (Run, Vec<(String, String)>) {
    let (mut events, mut order) = (Vec::new(), Vec::new());
    let mut said = vec![0; rng.random_range(1..=3)];
    for shout in 0..rng.random_range(8..40) {
        let who = rng.random_range(0..said.len());
        said[who] += 1;
        let (voice, object, n) = (format!("voice-{who}"), object.to_owned(), said[who]);
        let text = format!("shout {shout}");
        let name = (voice.clone(), object.clone());
        events.push(Event::Said { voice, object, n, text: text.clone() });
        let is_sequenced = shout < 8 || rng.random_bool(0.8);
        if is_sequenced {
            order.push((name.0.clone(), text));
        }
        events.push(outcome(name, n, is_sequenced.then_some(order.len() as u64), rng));
    }
    (events, order)
}

/// The first is receipted, so that every run has a receipt.
fn outcome(name: (String, String), n: u64, seq: Option<u64>, rng: &mut StdRng) -> Event<String> {
    let (voice, object) = name;
    match seq {
        Some(seq) if seq == 1 || rng.random_bool(0.8) => Event::Receipted { voice, object, n, seq },
        None if rng.random() => Event::Lost { voice, object, n, why: "vetoed".into() },
        _ => Event::Unknown { voice, object, n },
    }
}

/// One leaf of one object, and what it heard.
struct Ear<'o> {
    leaf: String,
    object: &'o str,
    order: &'o [(String, String)],
    events: Run,
}

impl Ear<'_> {
    fn hear_all(&mut self) {
        self.join(0);
        (1..=self.end()).for_each(|seq| self.hear(seq));
    }

    fn be_resynced(&mut self) {
        self.join(0);
        self.hear(1);
        self.resync(2, 3);
        (4..=self.end()).for_each(|seq| self.hear(seq));
    }

    fn come_and_go(&mut self, rng: &mut StdRng) {
        let mut at = self.join(rng.random_range(0..=self.end()));
        while at < self.end() {
            match rng.random_range(0..40) {
                0 => return self.part(),
                1 | 2 => {
                    self.part();
                    at = self.join(rng.random_range(0..=self.end()));
                }
                3 | 4 => {
                    let to = rng.random_range(at + 1..=self.end());
                    self.resync(at + 1, to);
                    at = to;
                }
                _ => {
                    at += 1;
                    self.hear(at);
                }
            }
        }
    }

    fn end(&self) -> u64 {
        self.order.len() as u64
    }

    fn name(&self) -> (String, String) {
        (self.leaf.clone(), self.object.to_owned())
    }

    fn join(&mut self, after: u64) -> u64 {
        let (leaf, object) = self.name();
        self.events.push(Event::Joined { leaf, object, after });
        after
    }

    fn hear(&mut self, seq: u64) {
        let (leaf, object) = self.name();
        let (voice, text) = self.order[usize::try_from(seq).unwrap() - 1].clone();
        self.events.push(Event::Heard { leaf, object, seq, voice, text });
    }

    fn resync(&mut self, from: u64, to: u64) {
        let (leaf, object) = self.name();
        self.events.push(Event::Resynced { leaf, object, from, to });
    }

    fn part(&mut self) {
        let (leaf, object) = self.name();
        self.events.push(Event::Parted { leaf, object });
    }
}

/// Any order that keeps each witness's own.
fn interleave(witnesses: Vec<Run>, rng: &mut StdRng) -> Run {
    let mut witnesses: Vec<_> = witnesses.into_iter().map(|it| it.into_iter().peekable()).collect();
    let mut run = Vec::new();
    while !witnesses.is_empty() {
        let next = rng.random_range(0..witnesses.len());
        run.extend(witnesses[next].next());
        witnesses.retain_mut(|witness| witness.peek().is_some());
    }
    run
}
