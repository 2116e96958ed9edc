//! Tests of who is needed: the mark, the linger, and ids that are not used again.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;

pub(super) const LINGER_MS: u64 = LINGER.as_millis() as u64;

pub(super) fn id(n: usize) -> ObjectId {
    let mut object = ObjectId([0; 16]);
    object.0[..8].copy_from_slice(&(n as u64).to_be_bytes());
    object
}

pub(super) fn ids(objects: &[usize]) -> Ids {
    objects.iter().map(|n| id(*n)).collect()
}

pub(super) fn added(objects: &[usize]) -> ListChange {
    ListChange { added: vec![ids(objects)], ..ListChange::default() }
}

/// Objects 0 to `count`, made at 0; each list is that of one of them.
pub(super) fn life(count: usize, lists: &[(usize, &[usize])]) -> Life {
    let mut life = Life::default();
    for n in 0..count {
        life.begin(id(n), 0);
    }
    for (object, listed) in lists {
        life.list(id(*object), added(listed), 0);
    }
    life
}

/// What a whole look in which nothing changes finds due.
fn look(life: &mut Life, now_ms: u64) -> Vec<ObjectId> {
    let mut due = Vec::new();
    loop {
        let turn = life.look(1_000, now_ms);
        due.extend(turn.due);
        if turn.ended {
            return due;
        }
    }
}

/// What is due when everybody has lingered long enough.
fn due(life: &mut Life, now_ms: u64) -> Vec<usize> {
    look(life, now_ms);
    let due = look(life, now_ms + LINGER_MS);
    (0..100).filter(|n| due.contains(&id(*n))).collect()
}

fn kept(roots: &[usize], lists: &[Vec<usize>]) -> Vec<usize> {
    let lists: Vec<_> = lists.iter().map(Vec::as_slice).enumerate().collect();
    let mut life = life(lists.len(), &lists);
    for root in roots {
        life.set_joined(id(*root), true, 0);
    }
    let due = due(&mut life, 0);
    (0..lists.len()).filter(|n| !due.contains(n)).collect()
}

#[test]
fn a_chain_is_kept_from_its_root_on_and_not_against_its_direction() {
    let lists = [vec![1], vec![2], vec![3], vec![]];
    assert_eq!(kept(&[0], &lists), [0, 1, 2, 3]);
    assert_eq!(kept(&[2], &lists), [2, 3]);
    assert_eq!(kept(&[], &lists), []);
}

#[test]
fn a_cycle_is_kept_by_a_root_that_leads_to_it_and_not_by_itself() {
    let lists = [vec![1], vec![2], vec![1, 2], vec![3]];
    assert_eq!(kept(&[0], &lists), [0, 1, 2]);
    assert_eq!(kept(&[3], &lists), [3]);
}

#[test]
fn a_chain_of_a_hundred_thousand_is_marked() {
    let mut life = Life::default();
    for n in 0..100_000 {
        life.begin(id(n), 0);
        life.list(id(n), added(&[n + 1]), 0);
    }
    life.set_joined(id(50_000), true, 0);
    look(&mut life, 0);
    let due = look(&mut life, LINGER_MS);
    assert_eq!((due.len(), due.last()), (50_000, Some(&id(49_999))));
}

/// By fixed point: what a kept one lists is kept, until nothing changes.
fn naively(roots: &[usize], lists: &[Vec<usize>]) -> Vec<usize> {
    let mut kept: Vec<bool> = (0..lists.len()).map(|n| roots.contains(&n)).collect();
    loop {
        let before = kept.clone();
        for (n, listed) in lists.iter().enumerate().filter(|(n, _)| before[*n]) {
            assert!(before[n]);
            listed.iter().filter(|n| **n < lists.len()).for_each(|n| kept[*n] = true);
        }
        if kept == before {
            return (0..lists.len()).filter(|n| kept[*n]).collect();
        }
    }
}

#[test]
fn a_thousand_random_graphs_are_marked_as_a_naive_reference_marks_them() {
    let seed = std::env::var("SEED").map_or(1, |seed| seed.parse().expect("a number"));
    eprintln!("SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut lost = 0;
    for _ in 0..1_000 {
        let count = random.random_range(1..40);
        let edges = random.random_range(0..2 * count);
        let mut lists = vec![Vec::new(); count];
        for _ in 0..edges {
            // Some ids are of no object.
            lists[random.random_range(0..count)].push(random.random_range(0..count + 2));
        }
        let roots: Vec<_> = (0..count).filter(|_| random.random_range(0..8) == 0).collect();
        let expected = naively(&roots, &lists);
        assert_eq!(kept(&roots, &lists), expected, "SEED={seed}");
        lost += count - expected.len();
    }
    assert!(lost > 1_000, "every graph was kept whole");
}

#[test]
fn what_is_joined_or_pinned_or_listed_by_such_a_one_is_never_due() {
    let mut life = life(6, &[(0, &[2]), (1, &[3]), (4, &[5])]);
    life.set_joined(id(0), true, 0);
    life.set_pinned(id(1), true, 0);
    assert_eq!(due(&mut life, 10 * LINGER_MS), [4, 5]);
    life.set_joined(id(0), false, 20 * LINGER_MS);
    assert_eq!(due(&mut life, 20 * LINGER_MS), [0, 2, 4, 5]);
    life.set_pinned(id(1), false, 30 * LINGER_MS);
    assert_eq!(due(&mut life, 30 * LINGER_MS), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn the_linger_counts_from_when_it_is_first_seen_that_nobody_needs_it() {
    let mut life = life(2, &[(0, &[1])]);
    life.set_joined(id(0), true, 0);
    assert_eq!(look(&mut life, 5 * LINGER_MS), []);
    let change = ListChange { dropped: 1, ..ListChange::default() };
    life.list(id(0), change, 5 * LINGER_MS + 1);
    let seen = 5 * LINGER_MS + 100;
    assert_eq!(look(&mut life, seen), []);
    assert_eq!(look(&mut life, seen + LINGER_MS - 1), []);
    assert_eq!(look(&mut life, seen + LINGER_MS), [id(1)]);
}

#[test]
fn to_be_carried_found_or_parted_from_renews_the_linger() {
    for renew in [
        |life: &mut Life, now_ms| life.renew(id(0), now_ms),
        |life: &mut Life, now_ms| life.list(id(1), added(&[0]), now_ms),
        |life: &mut Life, now_ms| life.set_joined(id(0), false, now_ms),
        |life: &mut Life, now_ms| {
            let state = Some(ids(&[0]));
            life.list(id(1), ListChange { state, ..ListChange::default() }, now_ms);
        },
    ] {
        let mut life = life(2, &[]);
        assert_eq!(look(&mut life, 0), []);
        renew(&mut life, 1_000);
        assert_eq!(look(&mut life, LINGER_MS), [id(1)]);
        assert_eq!(look(&mut life, LINGER_MS + 1_000), [id(0), id(1)]);
    }
}

#[test]
fn what_one_that_lingers_lists_lingers_with_it_and_a_cycle_does_not_for_ever() {
    let mut life = life(3, &[(0, &[1]), (1, &[2]), (2, &[1])]);
    assert_eq!(look(&mut life, 0), []);
    life.renew(id(0), LINGER_MS / 2);
    assert_eq!(look(&mut life, LINGER_MS), []);
    assert_eq!(look(&mut life, LINGER_MS * 3 / 2), [id(0), id(1), id(2)]);
}

#[test]
fn a_list_is_what_state_and_tail_carry_now() {
    let mut life = life(6, &[(0, &[1]), (0, &[2])]);
    life.set_joined(id(0), true, 0);
    let (state, added) = (Some(ids(&[3])), vec![ids(&[4])]);
    life.list(id(0), ListChange { state, added, dropped: 1 }, 0);
    assert_eq!(due(&mut life, 0), [1, 5]);
    life.list(id(0), ListChange { state: Some(ids(&[])), dropped: 7, ..ListChange::default() }, 0);
    assert_eq!(due(&mut life, 2 * LINGER_MS), [1, 2, 3, 4, 5]);
}

#[test]
fn a_hub_where_every_object_is_joined_or_pinned_is_settled() {
    let mut life = life(2, &[]);
    assert!(!life.is_settled());
    life.set_joined(id(0), true, 0);
    life.set_pinned(id(0), true, 0);
    life.set_pinned(id(1), true, 0);
    assert!(life.is_settled());
    life.set_joined(id(0), false, 0);
    assert!(life.is_settled());
    life.set_pinned(id(0), false, 0);
    assert!(!life.is_settled());
    life.end(id(0));
    life.end(id(1));
    life.end(id(1));
    assert!(life.is_settled());
}

#[test]
fn the_latest_ids_that_have_ended_are_remembered_and_no_more_than_that() {
    let mut life = Life::default();
    for n in 0..=TOMBSTONES_MAX {
        life.begin(id(n), 0);
        assert!(!life.has_ended(id(n)));
        life.end(id(n));
    }
    assert!(!life.has_ended(id(0)), "is forgotten");
    assert!(life.has_ended(id(1)) && life.has_ended(id(TOMBSTONES_MAX)));
    assert_eq!(life.tombstones.all.len(), TOMBSTONES_MAX);
    life.end(id(TOMBSTONES_MAX + 1));
    assert!(!life.has_ended(id(TOMBSTONES_MAX + 1)), "there was no such object");
}
