//! Tests of the one order, of exactly once, and of catching up.

use super::*;
use crate::{
    limits::{TAIL_SHOUTS_MAX, WINDOW_SHOUTS},
    wire::Frame,
};

const OBJECT: ObjectId = ObjectId([1; 16]);
pub(super) const EPOCH: Epoch = Epoch([2; 8]);
pub(super) const ALEC: SessionId = SessionId([3; 16]);
/// Bytes of more than there is.
pub(super) const ALL: usize = usize::MAX;
const AMY: SessionId = SessionId([4; 16]);

pub(super) fn stateless() -> History {
    History::new(OBJECT, EPOCH, None)
}

pub(super) fn stateful() -> History {
    History::new(OBJECT, EPOCH, Some((Bytes::from_static(b"state"), Vec::new())))
}

fn offer(op: u64, payload: &[u8]) -> Offer<'_> {
    let (op, kind, carried) = (Op(op), Kind(1), Vec::new());
    Offer { op, kind, handled_within_ms: None, carried, payload }
}

pub(super) fn shout(history: &mut History, session: SessionId, op: u64) -> Decision {
    history.offer(session, &offer(op, b"croak"))
}

/// One that fills a chunk by itself.
pub(super) fn big_offer() -> Offer<'static> {
    static PAYLOAD: [u8; 60_000] = [0; 60_000];
    offer(1, &PAYLOAD)
}

/// `count` shouts of Alec's, `chunk` to a chunk.
pub(super) fn filled(mut history: History, count: u64, chunk: u64) -> History {
    for op in 1..=count {
        assert_eq!(shout(&mut history, ALEC, op), Decision::Sequenced(Seq(op)));
        if op % chunk == 0 {
            history.seal(0);
        }
    }
    history.seal(0);
    history
}

#[expect(clippy::unnecessary_wraps, reason = "as a joiner has it")]
pub(super) fn cursor(seq: u64) -> Option<Cursor> {
    Some(Cursor { epoch: EPOCH, seq: Seq(seq) })
}

pub(super) fn seqs(chunks: &[Bytes]) -> Vec<u64> {
    let seqs = |chunk: &Bytes| match Frame::decode(&chunk.slice(4..)) {
        Ok(Frame::Batch(batch)) => batch.first_seq.0..=batch.last_seq().0,
        other => panic!("no batch: {other:?}"),
    };
    chunks.iter().flat_map(seqs).collect()
}

/// A shout that carries these objects.
pub(super) fn carrying(op: u64, objects: &[u8]) -> Offer<'static> {
    let carried = objects.iter().map(|n| Carried {
        object: ObjectId([*n; 16]),
        tag: "pond.blot".parse().expect("a tag"),
        seq: Seq(0),
    });
    Offer { carried: carried.collect(), ..offer(op, b"draw") }
}

fn listed(objects: &[u8]) -> Ids {
    objects.iter().map(|n| ObjectId([*n; 16])).collect()
}

#[test]
fn g1_the_sequence_is_dense_over_all_sessions() {
    let mut history = stateless();
    assert_eq!(history.last(), Seq(0));
    assert_eq!(shout(&mut history, ALEC, 1), Decision::Sequenced(Seq(1)));
    assert_eq!(shout(&mut history, AMY, 1), Decision::Sequenced(Seq(2)));
    history.seal(0);
    assert_eq!(shout(&mut history, ALEC, 2), Decision::Sequenced(Seq(3)));
    assert_eq!(history.last(), Seq(3));
}

#[test]
fn a_shout_sent_twice_gets_its_first_seq_and_a_later_one_a_gap() {
    let mut history = stateless();
    assert_eq!(shout(&mut history, ALEC, 2), Decision::Gap(Op(1)));
    assert_eq!(shout(&mut history, ALEC, 3), Decision::GapAgain);
    assert_eq!(shout(&mut history, ALEC, 1), Decision::Sequenced(Seq(1)));
    assert_eq!(shout(&mut history, AMY, 1), Decision::Sequenced(Seq(2)));
    assert_eq!(shout(&mut history, ALEC, 2), Decision::Sequenced(Seq(3)));
    assert_eq!(shout(&mut history, ALEC, 1), Decision::Duplicate(Seq(1)));
    assert_eq!(shout(&mut history, ALEC, 2), Decision::Duplicate(Seq(3)));
    assert_eq!(shout(&mut history, ALEC, 4), Decision::Gap(Op(3)));
    assert_eq!(history.last(), Seq(3));
}

#[test]
fn a_refused_op_is_used_up_and_stays_refused() {
    let mut history = stateless();
    assert_eq!(history.refuse(ALEC, Op(2)), Decision::Gap(Op(1)));
    assert_eq!(history.refuse(ALEC, Op(1)), Decision::RefusedBefore);
    assert_eq!(shout(&mut history, ALEC, 1), Decision::RefusedBefore);
    assert_eq!(shout(&mut history, ALEC, 2), Decision::Sequenced(Seq(1)));
    assert_eq!(history.refuse(ALEC, Op(2)), Decision::Duplicate(Seq(1)));
    let runs: Vec<_> = history.outcomes(ALEC).collect();
    let run = |op, seq| Run { op: Op(op), seq: Seq(seq), count: 1 };
    assert_eq!(runs, [run(1, 0), run(2, 1)]);
}

#[test]
fn outcomes_are_kept_in_runs_as_far_back_as_a_window() {
    let mut history = stateless();
    let window = WINDOW_SHOUTS as u64;
    for op in 1..=window {
        shout(&mut history, ALEC, op);
    }
    shout(&mut history, AMY, 1);
    assert_eq!(history.outcomes(ALEC).count(), 1);
    for op in window + 1..=3 * window {
        shout(&mut history, ALEC, op);
        history.seal(0);
    }
    assert_eq!(history.outcomes(ALEC).count(), 1);
    assert_eq!(shout(&mut history, ALEC, 2 * window + 1), Decision::Duplicate(Seq(2 * window + 2)));
    assert_eq!(shout(&mut history, ALEC, 1), Decision::RefusedBefore);
}

#[test]
fn a_long_run_of_outcomes_is_told_from_where_the_window_begins() {
    let window = WINDOW_SHOUTS as u64;
    let run = |op, seq, count| Run { op: Op(op), seq: Seq(seq), count };
    let mut refused = stateless();
    for op in 1..=26_000 {
        refused.refuse(ALEC, Op(op));
    }
    let told: Vec<_> = refused.outcomes(ALEC).collect();
    assert_eq!(told, [run(26_001 - window, 0, WINDOW_SHOUTS as u32)]);

    let mut mixed = filled(stateless(), window + 5, 100);
    mixed.refuse(ALEC, Op(window + 6));
    shout(&mut mixed, ALEC, window + 7);
    let told: Vec<_> = mixed.outcomes(ALEC).collect();
    let kept = WINDOW_SHOUTS as u32 - 2;
    assert_eq!(told, [run(8, 8, kept), run(window + 6, 0, 1), run(window + 7, window + 6, 1)]);
}

#[test]
fn alternating_outcomes_are_bounded_by_the_window_too() {
    let mut history = stateless();
    for op in 1..=20_000 {
        shout(&mut history, ALEC, op);
        history.offer(AMY, &offer(op, b""));
        if !history.has_room(&offer(1, b"croak")) {
            history.seal(0);
        }
    }
    assert!(history.outcomes(ALEC).count() <= WINDOW_SHOUTS);
}

#[test]
fn a_joiner_of_an_object_without_state_starts_at_now() {
    let history = filled(stateless(), 10, 3);
    let now = CatchUp::nothing(Seq(10));
    assert_eq!(history.catch_up(None, ALL), now);
}

#[test]
fn g4_a_joiner_of_an_object_with_state_is_given_the_state_and_all_since() {
    let history = filled(stateful(), 10, 3);
    let catch_up = history.catch_up(None, ALL);
    assert_eq!(catch_up.start, Seq(0));
    assert_eq!(catch_up.restore.map(|snapshot| snapshot.state), Some(Bytes::from_static(b"state")));
    assert_eq!(catch_up.resync, None);
    assert_eq!(seqs(&catch_up.chunks), (1..=10).collect::<Vec<_>>());
}

#[test]
fn who_comes_with_a_cursor_is_given_the_chunks_from_there_on() {
    let history = filled(stateful(), 10, 3);
    for heard in 0..=10 {
        let catch_up = history.catch_up(cursor(heard), ALL);
        assert_eq!((catch_up.start, catch_up.resync), (Seq(heard), None));
        let seqs = seqs(&catch_up.chunks);
        assert!(seqs.first().is_none_or(|first| *first <= heard + 1), "{heard}: {seqs:?}");
        assert_eq!(seqs.last().copied().unwrap_or(heard), 10);
    }
}

#[test]
fn a_cursor_older_than_the_tail_is_told_what_it_missed() {
    let history = filled(stateless(), TAIL_SHOUTS_MAX as u64 + 10_000, 1_000);
    let oldest = history.tail.front().expect("is long").first.0;
    assert!(oldest > 1 && history.last().0 - oldest < TAIL_SHOUTS_MAX as u64);

    let missed = Resync { reason: ResyncReason::Missed, from: Seq(4), to: Seq(oldest - 1) };
    let catch_up = history.catch_up(cursor(3), ALL);
    assert_eq!((catch_up.resync, catch_up.start), (Some(missed), Seq(oldest - 1)));
    assert_eq!(seqs(&catch_up.chunks).first(), Some(&oldest));
    assert_eq!(history.catch_up(cursor(oldest - 1), ALL).resync, None);
}

#[test]
fn g9_a_tail_without_state_keeps_what_it_may_and_one_with_state_all() {
    let mut stateless = filled(stateless(), 20, 2);
    let two = stateless.held_bytes() / 5;
    stateless.shorten(two);
    let missed = Resync { reason: ResyncReason::Missed, from: Seq(4), to: Seq(16) };
    assert_eq!(stateless.catch_up(cursor(3), ALL).resync, Some(missed));
    assert_eq!(seqs(&stateless.catch_up(cursor(16), ALL).chunks), [17, 18, 19, 20]);
    stateless.shorten(0);
    assert_eq!((stateless.held_bytes(), stateless.is_sound()), (0, true));
    assert_eq!(stateless.catch_up(cursor(20), ALL).resync, None);

    let mut stateful = filled(stateful(), 20, 2);
    stateful.shorten(0);
    assert_eq!(stateful.catch_up(None, ALL).chunks.len(), 10);
}

#[test]
fn a_cursor_of_another_history_starts_over() {
    let history = filled(stateful(), 5, 2);
    let other = Cursor { epoch: Epoch([9; 8]), seq: Seq(3) };
    for foreign in [Some(other), cursor(6)] {
        let catch_up = history.catch_up(foreign, ALL);
        let reason = catch_up.resync.map(|resync| resync.reason);
        assert_eq!((catch_up.start, reason), (Seq(0), Some(ResyncReason::Epoch)));
        assert_eq!(catch_up.chunks.len(), 3);
    }
}

#[test]
fn g9_a_tail_without_state_is_bounded_and_one_with_state_refuses_at_the_bound() {
    let big = big_offer();
    let fill = |history: &mut History| {
        (1..=200)
            .map(|op| {
                if !history.has_room(&big) {
                    history.seal(0);
                }
                history.offer(ALEC, &Offer { op: Op(op), ..offer(op, big.payload) })
            })
            .filter(|decision| *decision == Decision::TailFull)
            .count()
    };
    let mut stateless = stateless();
    assert_eq!(fill(&mut stateless), 0);
    assert!(stateless.tail_bytes <= TAIL_BYTES_MAX);
    let mut stateful = stateful();
    assert!(fill(&mut stateful) > 100);
    assert!(stateful.tail_bytes < TAIL_BYTES_MAX + 3 * 65_536);
    assert!(stateless.is_sound() && stateful.is_sound());
}

#[test]
fn a_damaged_history_is_noticed() {
    let sound = || filled(stateful(), 10, 3);
    assert!(sound().is_sound() && stateless().is_sound());
    let mut holed = sound();
    holed.tail.remove(1);
    assert!(!holed.is_sound());
    let mut miscounted = sound();
    miscounted.tail_bytes += 1;
    assert!(!miscounted.is_sound());
    let mut short = sound();
    let last = short.tail.pop_back().expect("is there");
    short.tail_bytes -= last.frame.len();
    assert!(!short.is_sound());
}

#[test]
fn a_session_that_has_ended_begins_anew() {
    let mut history = filled(stateless(), 5, 5);
    assert_eq!(history.next_op(ALEC), Op(6));
    history.forget(ALEC);
    assert_eq!(history.next_op(ALEC), Op(1));
}

#[test]
fn what_state_and_tail_carry_is_told_chunk_by_chunk_each_id_once() {
    let state = carrying(1, &[9, 8, 9]).carried;
    let mut history = History::new(OBJECT, EPOCH, Some((Bytes::new(), state)));
    let state = Some(listed(&[8, 9]));
    assert_eq!(history.list_change(), Some(ListChange { state, ..ListChange::default() }));
    assert_eq!(history.list_change(), None);
    shout(&mut history, ALEC, 1);
    history.seal(0);
    assert_eq!(history.list_change(), None, "carries nothing");
    history.offer(ALEC, &carrying(2, &[3, 5]));
    history.offer(AMY, &carrying(2, &[7]));
    history.offer(AMY, &carrying(1, &[4, 3]));
    assert_eq!(history.list_change(), None, "is not in the tail yet");
    history.seal(0);
    let added = vec![listed(&[3, 4, 5])];
    assert_eq!(history.list_change(), Some(ListChange { added, ..ListChange::default() }));
}

#[test]
fn a_tail_that_drops_its_oldest_tells_how_many_of_them_carried_something() {
    let mut history = stateless();
    let payload = vec![0; 60_000];
    let mut dropped = 0;
    let chunks = 10 + (TAIL_BYTES_MAX / payload.len()) as u64;
    for op in 1..=chunks {
        // Every other one carries something.
        let carried = if op % 2 == 0 { carrying(op, &[1]).carried } else { Vec::new() };
        history.offer(ALEC, &Offer { carried, ..offer(op, &payload) });
        history.seal(0);
        let change = history.list_change().unwrap_or_default();
        assert_eq!(change.added.len() as u64, (op + 1) % 2);
        dropped += change.dropped as u64;
    }
    let first = history.tail.front().map_or(0, |chunk| chunk.first.0);
    assert!(first > 5);
    assert_eq!(dropped, (first - 1) / 2);
}

#[test]
fn the_hubs_last_word_has_its_seq_also_behind_a_tail_that_is_full() {
    let payload = vec![0; 60_000];
    let mut history = stateful();
    let mut op = 1;
    while let Decision::Sequenced(_) = history.offer(ALEC, &offer(op, &payload)) {
        history.seal(0);
        op += 1;
    }
    let last = history.last();
    history.say(Kind::DESTROYED, &[]);
    let frame = history.seal(0).expect("something was said");
    let Ok(Frame::Batch(batch)) = Frame::decode(&frame.slice(4..)) else { panic!("no batch") };
    assert_eq!((batch.first_seq, batch.count), (last.next(), 1));
    let op = Op(last.next().0);
    assert_eq!(batch.sessions, [(SessionId::OF_HUB, op)], "its op is its seq");
    let said: Vec<_> = batch.shouts().map(|shouted| (shouted.kind, shouted.op)).collect();
    assert_eq!(said, [(Kind(0xff00), op)]);
}
