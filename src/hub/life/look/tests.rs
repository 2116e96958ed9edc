//! Tests of looks between whose turns everything changes.

use std::collections::{BTreeSet, VecDeque};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::hub::life::{
    ListChange,
    tests::{LINGER_MS, added, id, ids, life},
};

/// Makes turns until the look ends, and drops what is due.
fn end_look(life: &mut Life, now_ms: u64) -> Vec<ObjectId> {
    let mut all = Vec::new();
    loop {
        let turn = life.look(1, now_ms);
        turn.due.iter().for_each(|object| life.drop_due(*object));
        all.extend(turn.due);
        if turn.ended {
            return all;
        }
    }
}

/// A look in which 0 was found due and dropped, and 1 to 3 were not come to yet: nobody needs them.
fn dropping(lists: &[(usize, &[usize])]) -> Life {
    let mut life = life(4, lists);
    end_look(&mut life, 0);
    loop {
        let turn = life.look(1, LINGER_MS);
        if turn.due == [id(0)] {
            life.drop_due(id(0));
            return life;
        }
    }
}

#[test]
fn what_is_due_and_asked_for_between_two_turns_stays_with_all_it_leads_to() {
    for ask in [
        |life: &mut Life| life.set_joined(id(3), true, LINGER_MS),
        |life: &mut Life| life.set_pinned(id(3), true, LINGER_MS),
        |life: &mut Life| life.renew(id(3), LINGER_MS),
    ] {
        let mut life = dropping(&[(0, &[1, 2, 3]), (3, &[2])]);
        ask(&mut life);
        assert_eq!(end_look(&mut life, LINGER_MS), [id(1)]);
    }
}

#[test]
fn what_is_carried_between_two_turns_stays_though_it_was_due() {
    let mut life = dropping(&[]);
    life.list(id(1), added(&[3]), LINGER_MS);
    assert_eq!(end_look(&mut life, LINGER_MS), [id(1), id(2)]);
}

#[test]
fn what_a_needed_object_carries_during_a_look_lingers_from_when_it_is_not_listed_any_more() {
    let mut life = life(2, &[]);
    life.set_joined(id(0), true, 0);
    end_look(&mut life, 0);
    assert!(!life.look(1, LINGER_MS - 1).ended);
    life.list(id(0), added(&[1]), LINGER_MS - 1);
    assert_eq!(end_look(&mut life, LINGER_MS - 1), []);
    let dropped = ListChange { dropped: 1, ..ListChange::default() };
    life.list(id(0), dropped, 2 * LINGER_MS - 1);
    assert_eq!(end_look(&mut life, 2 * LINGER_MS), []);
    assert_eq!(end_look(&mut life, 3 * LINGER_MS), [id(1)]);
}

#[test]
fn what_was_listed_when_the_look_began_is_kept_until_the_next() {
    let replaced = ListChange { state: Some(ids(&[])), dropped: 1, ..ListChange::default() };
    let dropped = ListChange { dropped: 1, ..ListChange::default() };
    for change in [replaced, dropped] {
        let mut life = life(2, &[(1, &[0])]);
        end_look(&mut life, 0);
        life.set_joined(id(1), true, LINGER_MS);
        assert!(!life.look(1, LINGER_MS).ended);
        life.list(id(1), change, LINGER_MS);
        assert_eq!(end_look(&mut life, LINGER_MS), []);
        assert_eq!(end_look(&mut life, 2 * LINGER_MS), []);
        assert_eq!(end_look(&mut life, 3 * LINGER_MS), [id(0)]);
    }
}

#[test]
fn what_an_object_listed_that_is_destroyed_during_a_look_is_kept_until_the_next() {
    let mut life = life(2, &[(1, &[0])]);
    end_look(&mut life, 0);
    life.set_joined(id(1), true, LINGER_MS);
    assert!(!life.look(1, LINGER_MS).ended);
    life.end(id(1));
    assert_eq!(end_look(&mut life, LINGER_MS), []);
    assert_eq!(end_look(&mut life, 2 * LINGER_MS), []);
    assert_eq!(end_look(&mut life, 3 * LINGER_MS), [id(0)]);
}

#[test]
fn an_object_that_begins_during_a_look_is_not_due_in_it() {
    let mut life = dropping(&[]);
    life.begin(id(7), LINGER_MS);
    assert_eq!(end_look(&mut life, LINGER_MS), [id(1), id(2), id(3)]);
}

#[test]
fn a_turn_visits_no_more_than_it_may_however_much_one_object_lists() {
    let (objects, chunks, chunk_ids) = (2_000, 100, 20);
    let mut life = life(objects, &[]);
    life.set_joined(id(0), true, 0);
    for chunk in 0..chunks {
        let listed: Vec<_> = (0..chunk_ids).map(|n| chunk * chunk_ids + n).collect();
        life.list(id(0), added(&listed), 0);
    }
    let (visits_max, mut turns) = (7, 1_usize);
    while !life.look(visits_max, 0).ended {
        turns += 1;
    }
    // Three walks over all, every list and every id in it, each with a step that finds the end. A
    // turn that had visited more would leave less to the others.
    let visits: usize = 3 * (objects + 1) + (chunks + 1) + chunks * (chunk_ids + 1);
    assert_eq!(turns, visits.div_ceil(visits_max));
}

#[test]
fn a_turn_hands_out_no_more_than_is_dropped_at_a_time() {
    let mut life = life(10 * SWEEP_DROPS, &[]);
    end_look(&mut life, 0);
    let turn = life.look(100 * SWEEP_DROPS, LINGER_MS);
    assert_eq!((turn.due.len(), turn.ended), (SWEEP_DROPS, false));
}

#[test]
fn lists_that_change_all_the_time_neither_pile_up_nor_keep_a_look_from_its_end() {
    let mut life = life(100, &[]);
    let full: Vec<_> = (0..100).collect();
    life.list(id(0), added(&full), 0);
    let mut turns = 0;
    while !life.look(1, 0).ended {
        let change = ListChange { dropped: 1, ..added(&full) };
        life.list(id(0), change, 0);
        let waiting = life.look.as_ref().map_or(0, |look| look.follow.len());
        assert!(waiting < 10, "{waiting} lists wait");
        turns += 1;
        assert!(turns < 10_000, "the look does not end");
    }
}

/// What is told to a life, kept as plainly as can be.
struct Model {
    random: StdRng,
    life: Life,
    now_ms: u64,
    objects: Vec<Plain>,
    /// Who was needed, or lingered, or was led to by such a one, at any moment of this look.
    needed: BTreeSet<usize>,
    /// What may have kept something in each look: the latest last.
    looks: VecDeque<Seen>,
    dropped: usize,
}

#[derive(Default)]
struct Plain {
    alive: bool,
    joined: bool,
    renewed_ms: u64,
    lists: VecDeque<Vec<usize>>,
}

#[derive(Clone, Default)]
struct Seen {
    roots: BTreeSet<usize>,
    edges: BTreeSet<(usize, usize)>,
}

impl Model {
    fn new(random: StdRng) -> Self {
        Self {
            random,
            life: Life::default(),
            now_ms: 0,
            objects: Vec::new(),
            needed: BTreeSet::new(),
            looks: VecDeque::from([Seen::default()]),
            dropped: 0,
        }
    }

    fn any(&mut self) -> usize {
        self.random.random_range(0..self.objects.len())
    }

    fn begin(&mut self) {
        self.life.begin(id(self.objects.len()), self.now_ms);
        let renewed_ms = self.now_ms;
        self.objects.push(Plain { alive: true, renewed_ms, ..Plain::default() });
    }

    fn change(&mut self) {
        let n = self.any();
        if !self.objects[n].alive {
            return;
        }
        match self.random.random_range(0..24) {
            0 => self.begin(),
            1..4 => self.join(n),
            4 => self.renew(n),
            5..9 => self.carry(n),
            9..13 => self.shorten(n),
            13 => self.destroy(n),
            _ => {}
        }
        self.note();
    }

    fn join(&mut self, n: usize) {
        // Most have no leaf.
        let joined = !self.objects[n].joined && self.random.random_range(0..3) == 0;
        self.objects[n].joined = joined;
        self.objects[n].renewed_ms = self.now_ms;
        self.life.set_joined(id(n), joined, self.now_ms);
    }

    fn renew(&mut self, n: usize) {
        self.objects[n].renewed_ms = self.now_ms;
        self.life.renew(id(n), self.now_ms);
    }

    fn carry(&mut self, n: usize) {
        let listed: Vec<_> = (0..self.random.random_range(1..3)).map(|_| self.any()).collect();
        for n in &listed {
            self.objects[*n].renewed_ms = self.now_ms;
        }
        self.life.list(id(n), added(&listed), self.now_ms);
        self.objects[n].lists.push_back(listed);
    }

    fn shorten(&mut self, n: usize) {
        let Some(former) = self.objects[n].lists.pop_front() else { return };
        self.looks.back_mut().expect("the latest").roots.extend(former);
        let change = ListChange { dropped: 1, ..ListChange::default() };
        self.life.list(id(n), change, self.now_ms);
    }

    fn destroy(&mut self, n: usize) {
        let former = std::mem::take(&mut self.objects[n]).lists;
        self.looks.back_mut().expect("the latest").roots.extend(former.into_iter().flatten());
        self.life.end(id(n));
    }

    fn edges(&self) -> BTreeSet<(usize, usize)> {
        let all = self.objects.iter().enumerate();
        all.flat_map(|(n, plain)| plain.lists.iter().flatten().map(move |to| (n, *to))).collect()
    }

    /// Those that have a leaf or linger since they were renewed.
    fn roots(&self) -> BTreeSet<usize> {
        let is_root = |plain: &Plain| {
            plain.alive && (plain.joined || self.now_ms < plain.renewed_ms + LINGER_MS)
        };
        (0..self.objects.len()).filter(|n| is_root(&self.objects[*n])).collect()
    }

    /// Notes who is needed at this moment.
    fn note(&mut self) {
        let now = Seen { roots: self.roots(), edges: self.edges() };
        self.needed.extend(now.reached());
        let latest = self.looks.back_mut().expect("the latest");
        latest.roots.extend(now.roots);
        latest.edges.extend(now.edges);
    }

    /// A turn, what it drops, and whether that was right.
    fn turn(&mut self) -> bool {
        let visits_max = self.random.random_range(1..4);
        let turn = self.life.look(visits_max, self.now_ms);
        assert!(turn.due.len() <= visits_max);
        for object in turn.due {
            let n = (0..self.objects.len()).find(|n| id(*n) == object).expect("is known");
            assert!(!self.needed.contains(&n), "{n} was needed in this look");
            self.objects[n] = Plain::default();
            self.life.drop_due(object);
            self.dropped += 1;
        }
        turn.ended
    }

    fn look(&mut self) {
        self.looks.push_back(Seen::default());
        self.needed.clear();
        self.note();
        let mut changes = 30;
        while !self.turn() {
            if changes > 0 && self.random.random() {
                changes -= 1;
                self.change();
            }
        }
    }

    /// Who was needed in none of the latest looks is gone.
    fn check_gone(&self, looks: usize) {
        let mut all = Seen::default();
        for seen in self.looks.iter().rev().take(looks) {
            all.roots.extend(&seen.roots);
            all.edges.extend(&seen.edges);
        }
        let kept = all.reached();
        let stays = |n: &usize| self.objects[*n].alive && !kept.contains(n);
        assert_eq!((0..self.objects.len()).find(stays), None, "nobody needs it");
    }
}

impl Seen {
    /// By fixed point: what one that is reached lists is reached, until nothing changes.
    fn reached(&self) -> BTreeSet<usize> {
        let mut reached = self.roots.clone();
        loop {
            let before = reached.len();
            let more = self.edges.iter().filter(|(from, _)| reached.contains(from));
            let more: Vec<_> = more.map(|(_, to)| *to).collect();
            reached.extend(more);
            if reached.len() == before {
                return reached;
            }
        }
    }
}

#[test]
fn in_a_thousand_graphs_that_change_between_turns_goes_who_is_not_needed_and_nobody_else() {
    let seed = std::env::var("SEED").map_or(1, |seed| seed.parse().expect("a number"));
    eprintln!("SEED={seed}");
    let (mut random, mut dropped) = (StdRng::seed_from_u64(seed), 0);
    for _ in 0..1_000 {
        let mut model = Model::new(StdRng::seed_from_u64(random.random()));
        (0..model.random.random_range(2..24)).for_each(|_| model.begin());
        (0..60).for_each(|_| model.change());
        // Two whole looks a linger apart, or three half a linger apart.
        let looks = model.random.random_range(2..4);
        for n in 1..=8 {
            model.now_ms += LINGER_MS / (looks as u64 - 1);
            model.look();
            if n >= looks {
                model.check_gone(looks);
            }
        }
        dropped += model.dropped;
    }
    assert!(dropped > 1_000, "{dropped} went");
}
