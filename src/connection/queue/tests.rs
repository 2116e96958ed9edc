//! Queues as values: what counts, what is refused, and what gives way.

use std::sync::mpsc;

use super::*;
use crate::{
    limits::{FRAME_BYTES_MAX, STATE_PIECE_BYTES, WINDOW_TOTAL_BYTES},
    object::{Epoch, Kind, ObjectId, Op, Seq, SessionId},
    wire::{BatchBuilder, Fault},
};

const KERMIT: ObjectId = ObjectId([1; 16]);
const NAPKIN: ObjectId = ObjectId([2; 16]);

fn frame(bytes: usize) -> Bytes {
    Bytes::from(vec![0; bytes])
}

/// Writes at least so many frames.
fn take(queue: &Queue, frames: usize) {
    let mut taken = 0;
    while taken < frames {
        let (cx, mut writing) = (Context::from_waker(Waker::noop()), VecDeque::new());
        let work = queue.poll_work(&cx, &mut writing, &mut Load::default());
        assert!(matches!(work, Poll::Ready(Work::Frames { .. })));
        taken += writing.len();
    }
}

#[test]
fn what_is_taken_counts_again_while_the_peer_does_not_take_it() {
    let (queue, cx) = (Queue::default(), Context::from_waker(Waker::noop()));
    let (mut writing, mut counted) = (VecDeque::new(), Load::default());
    queue.push(Class::Batch, frame(100)).expect("has room");
    queue.push(Class::Control, frame(10)).expect("has room");
    assert!(queue.poll_work(&cx, &mut writing, &mut counted).is_ready());
    assert_eq!(queue.bytes(), 0);
    assert!(!queue.poll_stuck(&cx, &writing, &mut counted));
    assert_eq!(queue.bytes(), 110);
    writing.pop_front();
    queue.count(&writing, &mut counted);
    assert_eq!(queue.bytes(), 10);
    writing.clear();
    assert!(queue.poll_work(&cx, &mut writing, &mut counted).is_pending());
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn a_queue_filled_to_its_bound_is_fine_and_one_byte_more_closes_it_as_too_slow() {
    let queue = Queue::default();
    for _ in 0..OUTWARD_BYTES_MAX / 65_536 {
        queue.push(Class::Batch, frame(65_536)).expect("has room");
    }
    queue.push(Class::Control, frame(1)).expect("has a bound of its own");
    assert_eq!(queue.bytes(), OUTWARD_BYTES_MAX + 1);
    assert_eq!(queue.closed(), None);
    assert_eq!(queue.push(Class::Batch, frame(1)), Err(Unsent::Closing));
    let closed = queue.closed().expect("was closed");
    assert_eq!((closed.code, closed.fault), (CloseCode::TooSlow, Fault::Receiver));
}

#[test]
fn a_frame_that_can_be_done_without_leaves_room_for_the_windows_and_closes_nothing() {
    let queue = Queue::default();
    for _ in 0..(OUTWARD_BYTES_MAX - WINDOW_TOTAL_BYTES) / 65_536 {
        assert!(queue.push_spare(frame(65_536)));
    }
    assert!(!queue.push_spare(frame(1)));
    for _ in 0..WINDOW_TOTAL_BYTES / 65_536 {
        queue.push(Class::Batch, frame(65_536)).expect("has room");
    }
    assert_eq!(queue.closed(), None);
    take(&queue, 1 + WINDOW_TOTAL_BYTES / 65_536);
    assert!(queue.push_spare(frame(65_536)));
    queue.close(Closed::done("enough"));
    take(&queue, 1);
    assert!(!queue.push_spare(frame(1)));
}

/// The bytes of the frames of each write.
fn writes(queue: &Queue) -> Vec<Vec<usize>> {
    let (cx, mut counted) = (Context::from_waker(Waker::noop()), Load::default());
    let mut writes = Vec::new();
    let mut writing = VecDeque::new();
    while queue.poll_work(&cx, &mut writing, &mut counted).is_ready() {
        writes.push(writing.drain(..).map(|(_, frame)| frame.len()).collect());
    }
    writes
}

#[test]
fn a_piece_goes_out_with_each_write_behind_what_else_there_is() {
    let queue = Queue::default();
    assert!(queue.push_pieces(vec![frame(11), frame(12), frame(13)]));
    for bytes in [1, 2] {
        queue.push(Class::Batch, frame(bytes)).expect("has room");
    }
    assert_eq!(writes(&queue), [vec![1, 2, 11], vec![12], vec![13]]);
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn frames_that_are_several_go_out_behind_the_pieces_before_them_and_before_those_behind_them() {
    let (queue, several) = (Queue::default(), 5 + FRAME_BYTES_MAX);
    queue.push(Class::Batch, frame(TURN_BYTES)).expect("has room");
    assert!(queue.push_pieces(vec![frame(11), frame(12)]));
    assert!(queue.push_spare(frame(several)));
    assert!(queue.push_pieces(vec![frame(13), frame(14)]));
    // A single frame goes its way.
    assert!(queue.push_spare(frame(1)));
    assert_eq!(writes(&queue), [vec![TURN_BYTES], vec![11, 12, several, 1, 13], vec![14]]);
}

#[test]
fn pieces_leave_room_for_the_windows_and_are_taken_all_or_none() {
    let queue = Queue::default();
    let room = OUTWARD_BYTES_MAX - WINDOW_TOTAL_BYTES;
    assert!(queue.push_pieces(vec![frame(room - 10)]));
    assert!(!queue.push_pieces(vec![frame(5), frame(6)]));
    assert!(queue.push_pieces(vec![frame(5), frame(5)]));
    assert_eq!(writes(&queue).len(), 3);
    queue.close(Closed::done("enough"));
    assert!(!queue.push_pieces(vec![frame(1)]));
}

#[test]
fn pieces_that_were_not_sent_go_with_the_connection() {
    let queue = Queue::default();
    assert!(queue.push_pieces(vec![frame(11)]));
    queue.close(Closed::done("enough"));
    let (cx, mut writing) = (Context::from_waker(Waker::noop()), VecDeque::new());
    let work = queue.poll_work(&cx, &mut writing, &mut Load::default());
    assert!(matches!(work, Poll::Ready(Work::End(Some(_)))), "{work:?}");
}

/// The object and the number of the first byte of each piece that is queued.
fn told(queue: &Queue) -> Vec<(ObjectId, u32)> {
    let (cx, mut counted) = (Context::from_waker(Waker::noop()), Load::default());
    let (mut told, mut writing) = (Vec::new(), VecDeque::new());
    while queue.poll_work(&cx, &mut writing, &mut counted).is_ready() {
        for (_, frame) in writing.drain(..) {
            match Frame::decode(&frame.slice(4..)) {
                Ok(Frame::StatePiece(piece, _)) => told.push((piece.object, piece.at)),
                other => panic!("{other:?}"),
            }
        }
    }
    told
}

#[test]
fn one_state_at_a_time_is_told_and_the_next_one_when_that_has_ended() {
    let (queue, large) = (Queue::default(), frame(2 * STATE_PIECE_BYTES));
    let second = STATE_PIECE_BYTES as u32;
    let feed = |object| queue.feed_state(object, &large);
    assert_eq!((feed(KERMIT), feed(NAPKIN)), (Ok(Fed::Piece), Ok(Fed::Later)));
    assert_eq!((feed(KERMIT), feed(NAPKIN)), (Ok(Fed::All), Ok(Fed::Later)));
    queue.end_state(KERMIT);
    assert_eq!((feed(NAPKIN), feed(KERMIT)), (Ok(Fed::Piece), Ok(Fed::Later)));
    // One that ends in the middle begins anew.
    queue.unpull(NAPKIN);
    assert_eq!((feed(KERMIT), feed(NAPKIN)), (Ok(Fed::Piece), Ok(Fed::Later)));
    assert_eq!(told(&queue), [(KERMIT, 0), (KERMIT, second), (NAPKIN, 0), (KERMIT, 0)]);
    queue.close(Closed::done("enough"));
    assert_eq!(feed(KERMIT), Err(Unsent::Closing));
}

#[test]
fn the_first_reason_to_close_stands() {
    let queue = Queue::default();
    queue.close(Closed::done("first"));
    queue.close(Closed::transport("second"));
    assert_eq!(queue.closed(), Some(Closed::done("first")));
    assert_eq!(queue.push(Class::Control, frame(1)), Err(Unsent::Closing));
}

/// A batch of one shout of 60,000 bytes.
fn batch(object: ObjectId, seq: u64) -> Bytes {
    let mut builder = BatchBuilder::new(object, Epoch([0; 8]), Seq(seq));
    builder.push(SessionId([0; 16]), Op(1), Kind(1), &[], &vec![0; 60_000]);
    builder.seal(1)
}

/// A queue with room for ten batches, and what it tells.
fn pulling() -> (Queue, mpsc::Receiver<Strain>) {
    let (queue, (sender, told)) = (Queue::default(), mpsc::channel());
    queue.pull_past(10 * batch(KERMIT, 1).len(), move |strain| {
        let _nobody_reads = sender.send(strain);
    });
    (queue, told)
}

fn after(queue: &Queue, object: ObjectId) -> Option<Seq> {
    queue.pulled(object).and_then(|pull| pull.after)
}

#[test]
fn a_peer_too_slow_for_batches_is_told_which_object_has_most_of_them() {
    let queue = Queue::default();
    queue.push(Class::Batch, batch(KERMIT, 1)).expect("has room");
    while queue.push(Class::Batch, batch(NAPKIN, 1)).is_ok() {}
    let reason = queue.closed().expect("was closed").reason;
    assert!(reason.contains(&NAPKIN.to_string()), "{reason}");
    assert!(!reason.contains(&KERMIT.to_string()), "{reason}");
}

#[test]
fn the_object_with_most_bytes_gives_way_and_the_others_are_taken() {
    let (queue, told) = pulling();
    for seq in 1..=6 {
        queue.push(Class::Batch, batch(NAPKIN, seq)).expect("has room");
    }
    for seq in 1..=5 {
        queue.push(Class::Batch, batch(KERMIT, seq)).expect("there is room, or it is made");
    }
    let size = batch(KERMIT, 1).len();
    assert_eq!(
        told.try_recv(),
        Ok(Strain::Lags { object: NAPKIN, of_object: 6 * size, bytes: 11 * size, max: 10 * size })
    );
    assert_eq!(queue.bytes(), 5 * size);
    assert_eq!(after(&queue, NAPKIN), Some(Seq(0)));
    assert_eq!(queue.push(Class::Batch, batch(NAPKIN, 7)), Err(Unsent::Pulled));
    assert_eq!(after(&queue, NAPKIN), Some(Seq(0)));
    assert_eq!((queue.pulled(KERMIT), queue.closed()), (None, None));
}

#[test]
fn an_object_that_gives_way_to_itself_is_behind_from_its_first_dropped_shout_on() {
    let (queue, _told) = pulling();
    for seq in 1..=10 {
        queue.push(Class::Batch, batch(KERMIT, seq)).expect("has room");
    }
    take(&queue, 1);
    // Four were taken: a writer takes no more than a turn's worth.
    assert_eq!(queue.bytes() / batch(KERMIT, 1).len(), 5);
    for seq in 11..=15 {
        queue.push(Class::Batch, batch(KERMIT, seq)).expect("has room");
    }
    assert_eq!(queue.push(Class::Batch, batch(KERMIT, 16)), Err(Unsent::Pulled));
    assert_eq!((after(&queue, KERMIT), queue.bytes()), (Some(Seq(5)), 0));
    queue.push(Class::Control, frame(1)).expect("control frames are taken");
}

#[test]
fn who_keeps_what_was_dropped_is_asked_for_it_when_the_peer_has_read_and_only_once() {
    let (queue, told) = pulling();
    while queue.push(Class::Batch, batch(KERMIT, 1)).is_ok() {}
    assert!(matches!(told.try_recv(), Ok(Strain::Lags { .. })));
    // Nothing else is queued, so there is room at once, when the writer looks.
    let cx = Context::from_waker(Waker::noop());
    for _ in 0..2 {
        let work = queue.poll_work(&cx, &mut VecDeque::new(), &mut Load::default());
        assert!(work.is_pending());
    }
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Strain::HasRoom(KERMIT)]);
    queue.feed(KERMIT, Class::Batch, vec![batch(KERMIT, 1)], Seq(1)).expect("is open");
    assert_eq!(after(&queue, KERMIT), Some(Seq(1)));
    queue.rouse(KERMIT);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [Strain::HasRoom(KERMIT)]);
    queue.rest(KERMIT);
    take(&queue, 1);
    assert_eq!(told.try_iter().next(), None);
    queue.unpull(KERMIT);
    queue.push(Class::Batch, batch(KERMIT, 2)).expect("is taken as it comes");
}

#[test]
fn what_may_not_be_dropped_closes_the_connection() {
    let (queue, told) = pulling();
    queue.push(Class::Batch, batch(NAPKIN, 1)).expect("has room");
    while queue.push(Class::Firm, batch(KERMIT, 1)).is_ok() {}
    assert_eq!(told.try_iter().next(), None);
    let closed = queue.closed().expect("was closed");
    assert_eq!(closed.code, CloseCode::TooSlow);
    assert!(closed.reason.contains(&KERMIT.to_string()), "{}", closed.reason);
}
