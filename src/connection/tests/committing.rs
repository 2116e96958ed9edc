//! What waits for a journal, and what becomes of it.

use tokio::time::advance;

use super::*;
use crate::{
    connection::{Class, Gate},
    wire::CloseCode,
};

fn gated() -> (Near, Far, Arc<Gate>) {
    let gate = Arc::<Gate>::default();
    let (near_reader, far_writer) = duplex(PIPE_BYTES);
    let (far_reader, near_writer) = duplex(PIPE_BYTES);
    let near = Duplex::new(near_reader, near_writer, "far");
    let near = behind(near, Some(gate.clone()));
    (near, Far { reader: far_reader, writer: far_writer }, gate)
}

/// What has come, after all has come to rest.
async fn heard(far: &mut Far) -> Vec<u64> {
    let mut bytes = Vec::new();
    while let Ok(count) =
        tokio::time::timeout(Duration::from_millis(1), far.reader.read_buf(&mut bytes)).await
    {
        if count.expect("a pipe") == 0 {
            break;
        }
    }
    let is_shout = |frame: &Frame| matches!(frame, Frame::Shout(..));
    numbers(&decode(&bytes).into_iter().filter(is_shout).collect::<Vec<_>>())
}

#[tokio::test(start_paused = true)]
async fn a_frame_leaves_when_all_that_was_submitted_before_it_is_committed() {
    let (near, mut far, gate) = gated();
    near.queue.push(Class::Batch, shout(1, 0)).expect("is open");
    assert_eq!(heard(&mut far).await, [1], "nothing was submitted");
    gate.submit(2);
    near.queue.push(Class::Batch, shout(2, 0)).expect("is open");
    assert_eq!(heard(&mut far).await, [0; 0]);
    gate.submit(3);
    near.queue.push(Class::Batch, shout(3, 0)).expect("is open");
    gate.commit(1);
    assert_eq!(heard(&mut far).await, [0; 0]);
    gate.commit(2);
    assert_eq!(heard(&mut far).await, [2]);
    gate.commit(3);
    assert_eq!(heard(&mut far).await, [3]);
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_without_an_end_does_not_keep_what_is_committed() {
    let (near, mut far, gate) = gated();
    for n in 1..100 {
        gate.submit(n);
        near.queue.push(Class::Batch, shout(n, 0)).expect("is open");
        assert_eq!(heard(&mut far).await, if n > 1 { vec![n - 1] } else { Vec::new() });
        gate.commit(n);
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn heartbeats_go_out_while_a_commit_takes_long() {
    let (near, mut far, gate) = gated();
    gate.submit(1);
    near.queue.push(Class::Batch, shout(1, 0)).expect("is open");
    for _ in 0..3 {
        advance(HEARTBEAT).await;
        assert!(matches!(far.hear().await, Frame::Heartbeat));
    }
    gate.commit(1);
    assert_eq!(heard(&mut far).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_close_waits_for_the_commit_before_it_says_goodbye() {
    let (near, mut far, gate) = gated();
    gate.submit(1);
    near.queue.push(Class::Batch, shout(1, 0)).expect("is open");
    assert_eq!(heard(&mut far).await, [0; 0]);
    near.queue.push(Class::Batch, shout(2, 0)).expect("is open");
    near.queue.close(Closed::done("done"));
    assert_eq!(heard(&mut far).await, [0; 0]);
    gate.commit(1);
    let frames = far.hear_all().await;
    assert_eq!(numbers(&frames[..2]), [1, 2]);
    goodbye(frames.last());
}

#[test]
fn what_is_held_while_a_commit_is_told_on_another_thread_is_let_go_of() {
    let gate = Arc::<Gate>::default();
    for number in 1..2_000 {
        gate.submit(number);
        let (guard, free) = (Arc::new(()), gate.clone());
        let told = std::thread::spawn(move || free.commit(number));
        gate.hold(Box::new(guard.clone()));
        told.join().expect("does not panic");
        assert_eq!(Arc::strong_count(&guard), 1, "change {number} is committed");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_committed_never_leaves_and_the_goodbye_says_why() {
    let (near, mut far, gate) = gated();
    gate.submit(1);
    near.queue.push(Class::Batch, shout(1, 0)).expect("is open");
    assert_eq!(heard(&mut far).await, [0; 0]);
    near.queue.push(Class::Batch, shout(2, 0)).expect("is open");
    gate.break_down();
    let frames = far.hear_all().await;
    let [Frame::Goodbye(goodbye)] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!(goodbye.code, CloseCode::Internal);
    assert!(goodbye.reason.contains("journal"), "{goodbye:?}");
}
