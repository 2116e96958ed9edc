//! Tests of newer states: which are taken, what goes, and what joiners are given then.

use super::*;
use crate::hub::history::tests::{
    ALEC, ALL, EPOCH, big_offer, carrying, cursor, filled, seqs, shout, stateful, stateless,
};
use crate::hub::history::{Decision, Offer};
use crate::hub::life::ListChange;
use crate::limits::TAIL_SHOUTS_MAX;
use crate::object::{Op, Resync, ResyncReason};

const NEWER: Bytes = Bytes::from_static(b"newer");

fn at(seq: u64) -> Cursor {
    Cursor { epoch: EPOCH, seq: Seq(seq) }
}

fn take(history: &mut History, seq: u64) -> Result<(), Unfit> {
    let taken = history.take_snapshot(at(seq), NEWER, Vec::new());
    assert!(history.is_sound(), "at {seq}");
    taken
}

/// Whether everything that a joiner is given is as it was.
fn is_untouched(history: &History, before: &History) -> bool {
    history.catch_up(None, ALL) == before.catch_up(None, ALL)
        && history.tail_bytes == before.tail_bytes
}

#[test]
fn g4_a_state_of_another_history_is_not_taken() {
    let mut history = filled(stateful(), 10, 3);
    let other = Cursor { epoch: Epoch([9; 8]), seq: Seq(6) };
    let taken = history.take_snapshot(other, NEWER, Vec::new());
    assert_eq!(taken, Err(Unfit::Epoch(Epoch([9; 8]))));
    assert!(is_untouched(&history, &filled(stateful(), 10, 3)));
}

#[test]
fn g4_a_state_that_is_not_newer_is_not_taken() {
    let mut history = filled(stateful(), 10, 3);
    assert_eq!(take(&mut history, 0), Err(Unfit::NotNewer { at: Seq(0), present: Seq(0) }));
    assert!(is_untouched(&history, &filled(stateful(), 10, 3)));
    assert_eq!(take(&mut history, 6), Ok(()));
    for seq in [5, 6] {
        let older = Unfit::NotNewer { at: Seq(seq), present: Seq(6) };
        assert_eq!(take(&mut history, seq), Err(older));
    }
    assert_eq!(take(&mut history, 7), Ok(()));
}

#[test]
fn g4_a_state_of_shouts_that_nobody_can_have_heard_is_not_taken() {
    let mut history = filled(stateful(), 10, 3);
    assert_eq!(shout(&mut history, ALEC, 11), Decision::Sequenced(Seq(11)));
    for seq in [11, 12, u64::MAX] {
        assert_eq!(take(&mut history, seq), Err(Unfit::Unheard { at: Seq(seq), last: Seq(10) }));
    }
    assert_eq!(take(&mut history, 10), Ok(()));
    history.seal(0);
    assert_eq!(take(&mut history, 11), Ok(()));
}

#[test]
fn an_object_without_state_takes_none() {
    let mut history = filled(stateless(), 10, 3);
    assert_eq!(take(&mut history, 5), Err(Unfit::Stateless));
    assert_eq!(history.filled_eighths(), None);
}

#[test]
fn g4_whole_chunks_go_with_their_bytes_and_one_that_straddles_stays() {
    // Chunks of 1 to 3, 4 to 6, 7 to 9 and 10.
    for (seq, left) in [(2, 4), (3, 3), (5, 3), (6, 2), (8, 2), (9, 1), (10, 0)] {
        let mut history = filled(stateful(), 10, 3);
        assert_eq!(take(&mut history, seq), Ok(()));
        assert_eq!(history.tail.len(), left, "at {seq}");
        let bytes: usize = history.tail.iter().map(|chunk| chunk.frame.len()).sum();
        assert_eq!(history.tail_bytes, bytes, "at {seq}");
        assert_eq!(shout(&mut history, ALEC, 11), Decision::Sequenced(Seq(11)));
        history.seal(0);
        assert!(history.is_sound(), "at {seq}");
    }
}

#[test]
fn g4_a_joiner_is_given_the_newer_state_and_all_since_wherever_it_lies() {
    for seq in 1..=10 {
        let mut history = filled(stateful(), 10, 3);
        assert_eq!(take(&mut history, seq), Ok(()));
        let catch_up = history.catch_up(None, ALL);
        assert_eq!((catch_up.start, catch_up.resync), (Seq(seq), None));
        assert_eq!(
            catch_up.restore,
            Some(Snapshot { seq: Seq(seq), state: NEWER, carried: vec![] })
        );
        let seqs = seqs(&catch_up.chunks);
        assert!(seqs.first().is_none_or(|first| *first <= seq + 1), "at {seq}: {seqs:?}");
        assert_eq!(seqs.last().copied().unwrap_or(seq), 10);
    }
}

#[test]
fn g4_a_cursor_just_before_the_tail_misses_nothing_and_one_further_back_starts_at_the_state() {
    let mut history = filled(stateful(), 10, 3);
    assert_eq!(take(&mut history, 8), Ok(()));
    // The chunk of 7 to 9 is still there.
    for heard in 6..=10 {
        let catch_up = history.catch_up(cursor(heard), ALL);
        assert_eq!((catch_up.start, catch_up.resync), (Seq(heard), None));
        assert_eq!(catch_up.restore, None);
    }
    for heard in 0..=5 {
        let catch_up = history.catch_up(cursor(heard), ALL);
        let missed = Resync { reason: ResyncReason::Missed, from: Seq(heard + 1), to: Seq(8) };
        assert_eq!((catch_up.start, catch_up.resync), (Seq(8), Some(missed)));
        assert_eq!(catch_up.restore.map(|snapshot| snapshot.state), Some(NEWER));
        assert_eq!(seqs(&catch_up.chunks), [7, 8, 9, 10]);
    }
}

#[test]
fn g4_a_full_tail_takes_shouts_again_once_a_newer_state_has_come() {
    let mut history = stateful();
    let mut op = 0;
    let mut fill = |history: &mut History| {
        let first = op + 1;
        loop {
            history.seal(0);
            op += 1;
            let offer = Offer { op: Op(op), ..big_offer() };
            if history.offer(ALEC, &offer) == Decision::TailFull {
                return op - first;
            }
        }
    };
    let taken = fill(&mut history);
    assert_eq!(history.filled_eighths(), Some(8));
    assert!(taken > 50, "{taken}");
    assert_eq!(take(&mut history, taken), Ok(()));
    assert_eq!((history.filled_eighths(), history.tail_bytes), (Some(0), 0));
    assert_eq!(fill(&mut history), taken);
    assert_eq!(take(&mut history, taken + taken / 2), Ok(()));
    assert_eq!(history.filled_eighths(), Some(4));
}

#[test]
fn g4_a_tail_of_many_small_shouts_fills_as_well() {
    let mut history = filled(stateful(), TAIL_SHOUTS_MAX as u64 / 2, 1_024);
    assert_eq!(history.filled_eighths(), Some(4));
    assert_eq!(take(&mut history, 1_024), Ok(()));
    assert_eq!(history.filled_eighths(), Some(3));
}

#[test]
fn a_tail_that_does_not_follow_its_state_is_noticed() {
    let mut holed = filled(stateful(), 10, 3);
    let oldest = holed.tail.pop_front().expect("is there");
    holed.tail_bytes -= oldest.frame.len();
    assert!(!holed.is_sound());
    let mut ahead = filled(stateful(), 10, 3);
    ahead.snapshot = Some(Box::new(Snapshot { seq: Seq(11), state: NEWER, carried: vec![] }));
    assert!(!ahead.is_sound());
}

#[test]
fn a_newer_state_lists_what_it_carries_in_place_of_what_goes() {
    let mut history = stateful();
    for (op, objects) in [(1, vec![7]), (2, vec![]), (3, vec![8])] {
        history.offer(ALEC, &carrying(op, &objects));
        history.seal(0);
    }
    history.list_change();
    let carried = carrying(1, &[7, 9]).carried;
    let listed = ids(&carried);
    assert_eq!(history.take_snapshot(at(2), NEWER, carried), Ok(()));
    let change = ListChange { state: listed, dropped: 1, ..ListChange::default() };
    assert_eq!(history.list_change(), Some(change));
    // A state that carries nothing ends what the one before kept.
    assert_eq!(take(&mut history, 3), Ok(()));
    let change = ListChange { state: Some([].into()), dropped: 1, ..ListChange::default() };
    assert_eq!(history.list_change(), Some(change));
}

#[test]
fn a_shout_would_be_taken_if_it_is_the_next_and_there_is_room() {
    let next = |history: &History| (0..9).filter(|op| history.would_take(ALEC, Op(*op))).collect();
    let (of_nothing, of_three): (Vec<u64>, Vec<u64>) =
        (next(&stateful()), next(&filled(stateless(), 3, 1)));
    assert_eq!((of_nothing, of_three), (vec![1], vec![4]));
    let mut history = stateful();
    let mut op = 1;
    while history.would_take(ALEC, Op(op)) {
        let decision = history.offer(ALEC, &Offer { op: Op(op), ..big_offer() });
        assert_eq!(decision, Decision::Sequenced(Seq(op)));
        history.seal(0);
        op += 1;
    }
    let full = history.offer(ALEC, &Offer { op: Op(op), ..big_offer() });
    assert_eq!(full, Decision::TailFull);
}
