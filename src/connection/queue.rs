//! The outward queue: frames for one peer, bounded in bytes, in the order in which they came.
//!
//! Repeaters on any arbiter push to it directly; one writer takes from it. It also is where a
//! connection's end is decided: whoever closes it first says why, and reader and writer see it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use super::{Closed, Closer};
use crate::{
    limits::{
        CONTROL_BYTES_MAX, OUTWARD_BYTES_MAX, VOLATILE_QUEUED_BYTES_MAX, WINDOW_TOTAL_BYTES,
        WRITE_SLICES_MAX,
    },
    wire::{self, CloseCode, Fault, Frame},
};

/// What a frame counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A batch, or members of an object: shared bytes, bounded by [`OUTWARD_BYTES_MAX`].
    Batch,
    /// Anything else, bounded by [`CONTROL_BYTES_MAX`].
    Control,
}

/// The connection is closing and takes no more frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closing")]
pub(crate) struct Closing;

/// Frames for one peer.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<(Class, Bytes)>,
    load: Load,
    /// In a box, since it is seldom there: what each frame touches stays close together.
    closed: Option<Box<Closed>>,
    /// The writer, once it has waited for frames.
    writer: Option<Waker>,
    /// Whether it waits for frames now.
    is_idle: bool,
    /// A writer that waits for the peer to read.
    stuck_writer: Option<Waker>,
    reader: Option<Waker>,
}

/// Bytes that count against the bounds.
#[derive(Debug, Default)]
pub(super) struct Load {
    batch_bytes: usize,
    control_bytes: usize,
}

/// What the writer is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// Write these. When `is_all`, nothing else waited, and what comes from now on wakes the writer.
    Frames { is_all: bool },
    /// Write this Goodbye if there is one, and end.
    End(Option<Bytes>),
}

/// What is still said to a peer when the connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All that is queued, and the Goodbye.
    Whole,
    /// The frame that is begun, and the Goodbye: the peer is too slow for more.
    Short,
    /// Nothing: the peer is gone, or going.
    Silent,
}

impl Load {
    fn of(frames: &VecDeque<(Class, Bytes)>) -> Self {
        let mut load = Self::default();
        for (class, frame) in frames {
            *load.account(*class).0 += frame.len();
        }
        load
    }

    fn add(&mut self, other: &Self) {
        self.batch_bytes += other.batch_bytes;
        self.control_bytes += other.control_bytes;
    }

    fn take_off(&mut self, other: &Self) {
        self.batch_bytes -= other.batch_bytes;
        self.control_bytes -= other.control_bytes;
    }

    fn account(&mut self, class: Class) -> (&mut usize, usize) {
        match class {
            Class::Batch => (&mut self.batch_bytes, OUTWARD_BYTES_MAX),
            Class::Control => (&mut self.control_bytes, CONTROL_BYTES_MAX),
        }
    }
}

impl Queue {
    /// Adds a frame behind all others.
    ///
    /// # Errors
    /// [`Closing`] when the connection is closing, also because this frame would have passed the
    /// bound: then it closes as too slow.
    pub(crate) fn push(&self, class: Class, frame: Bytes) -> Result<(), Closing> {
        self.lock().push(class, frame)
    }

    /// Adds a frame that can be done without, among the batches, if it leaves the room that the
    /// windows of shouts may need. `false`: it was not added.
    pub(crate) fn push_spare(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        let has_room =
            state.load.batch_bytes + frame.len() <= OUTWARD_BYTES_MAX - WINDOW_TOTAL_BYTES;
        has_room && state.push(Class::Batch, frame).is_ok()
    }

    /// Adds a volatile message, if little enough is queued before it. `false`: it was not added.
    pub(crate) fn push_volatile(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        let has_room = state.load.batch_bytes + frame.len() <= VOLATILE_QUEUED_BYTES_MAX;
        has_room && state.push(Class::Batch, frame).is_ok()
    }

    /// Adds a control frame behind all others. Closing is seen elsewhere.
    pub(crate) fn tell<H: wire::Header>(&self, header: &H) {
        let _closing = self.push(Class::Control, wire::encode(header));
    }

    /// Closes the connection, unless it is closing already: the first reason stands. What is
    /// queued is still sent, unless the peer is gone or too slow to take it.
    pub(crate) fn close(&self, closed: Closed) {
        self.lock().close(closed);
    }

    /// Why the connection is closing, if it is.
    #[cfg(test)]
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.lock().closed.as_deref().cloned()
    }

    /// Bytes queued and not yet written.
    pub(crate) fn bytes(&self) -> usize {
        let Load { batch_bytes, control_bytes } = self.lock().load;
        batch_bytes + control_bytes
    }

    /// Moves frames to `writing`, which is empty, when there are any. What was taken counts no
    /// more, unless the peer does not take it: see [`poll_stuck`](Self::poll_stuck). `counted` is
    /// what has counted since, and was written.
    pub(super) fn poll_work(
        &self,
        cx: &Context<'_>,
        writing: &mut VecDeque<(Class, Bytes)>,
        counted: &mut Load,
    ) -> Poll<Work> {
        let mut state = self.lock();
        state.load.take_off(&std::mem::take(counted));
        if !state.frames.is_empty() {
            state.take_frames(writing);
            let is_all = state.frames.is_empty() && state.closed.is_none();
            state.is_idle = is_all && state.knows(cx);
            return Poll::Ready(Work::Frames { is_all: state.is_idle });
        }
        if let Some(closed) = &state.closed {
            let goodbye = closed.goodbye().map(|goodbye| wire::encode(&goodbye));
            return Poll::Ready(Work::End(goodbye));
        }
        state.is_idle = true;
        if !state.knows(cx) {
            state.writer = Some(cx.waker().clone());
        }
        if state.frames.capacity() > IDLE_FRAMES_MAX {
            state.frames.shrink_to(WRITE_SLICES_MAX);
        }
        Poll::Pending
    }

    /// How the connection ends.
    pub(super) fn ending(&self) -> Ending {
        match &self.lock().closed {
            Some(closed) if closed.by != Closer::Local => Ending::Silent,
            Some(closed) if closed.code == CloseCode::TooSlow => Ending::Short,
            _ => Ending::Whole,
        }
    }

    /// The writer stops in the middle: what is left of `writing` counts again, as `counted` says.
    pub(super) fn count(&self, writing: &VecDeque<(Class, Bytes)>, counted: &mut Load) {
        self.lock().count(writing, counted);
    }

    /// The peer takes nothing more for now. Returns whether the connection is closing; a writer
    /// that waits for the peer is woken when it does, and no frame wakes it.
    pub(super) fn poll_stuck(
        &self,
        cx: &Context<'_>,
        writing: &VecDeque<(Class, Bytes)>,
        counted: &mut Load,
    ) -> bool {
        let mut state = self.lock();
        state.count(writing, counted);
        state.is_idle = false;
        state.stuck_writer = Some(cx.waker().clone());
        state.closed.is_some()
    }

    /// Why the connection is closing; the reader is woken when it does.
    pub(super) fn poll_closed(&self, cx: &Context<'_>) -> Poll<Closed> {
        let mut state = self.lock();
        if let Some(closed) = &state.closed {
            return Poll::Ready((**closed).clone());
        }
        remember(&mut state.reader, cx);
        Poll::Pending
    }

    /// Nobody writes any more: what is queued is for nobody. A session that is away holds the queue
    /// of its last connection for long.
    pub(super) fn empty(&self) {
        let mut state = self.lock();
        (state.frames, state.load) = (VecDeque::new(), Load::default());
    }

    /// A heartbeat is no one's answer: it takes no room and is sent only when nothing waits.
    pub(super) fn heartbeat() -> (Class, Bytes) {
        (Class::Control, Bytes::from_static(Frame::HEARTBEAT))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, class: Class, frame: Bytes) -> Result<(), Closing> {
        if self.closed.is_some() {
            return Err(Closing);
        }
        let (queued, max) = self.load.account(class);
        if *queued + frame.len() > max {
            let reason = too_slow(class, *queued + frame.len(), max);
            self.close(Closed::local(CloseCode::TooSlow, Fault::Receiver, reason));
            return Err(Closing);
        }
        *queued += frame.len();
        self.frames.push_back((class, frame));
        if std::mem::take(&mut self.is_idle)
            && let Some(writer) = &self.writer
        {
            writer.wake_by_ref();
        }
        Ok(())
    }

    /// As many as one write takes. The whole queue is exchanged for `writing`, if it is no more
    /// than that and has not grown beyond what is kept.
    fn take_frames(&mut self, writing: &mut VecDeque<(Class, Bytes)>) {
        let count = self.frames.len().min(WRITE_SLICES_MAX);
        if count == self.frames.len() && self.frames.capacity() <= IDLE_FRAMES_MAX {
            std::mem::swap(&mut self.frames, writing);
            self.load = Load::default();
        } else {
            writing.extend(self.frames.drain(..count));
            self.load.take_off(&Load::of(writing));
        }
    }

    fn count(&mut self, writing: &VecDeque<(Class, Bytes)>, counted: &mut Load) {
        self.load.take_off(counted);
        *counted = Load::of(writing);
        self.load.add(counted);
    }

    /// Whether frames wake the task that is polled.
    fn knows(&self, cx: &Context<'_>) -> bool {
        self.writer.as_ref().is_some_and(|writer| writer.will_wake(cx.waker()))
    }

    fn close(&mut self, closed: Closed) {
        if self.closed.is_some() {
            return;
        }
        if closed.goodbye().is_none() || closed.code == CloseCode::TooSlow {
            self.frames.clear();
        }
        self.closed = Some(Box::new(closed));
        let wakers = [self.writer.take(), self.stuck_writer.take(), self.reader.take()];
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

fn remember(waker: &mut Option<Waker>, cx: &Context<'_>) {
    match waker {
        Some(waker) => waker.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
}

/// Frames that an idle queue keeps room for: more than a turn brings, less than a lag.
const IDLE_FRAMES_MAX: usize = 16 * WRITE_SLICES_MAX;

fn too_slow(class: Class, bytes: usize, max: usize) -> String {
    let what = match class {
        Class::Batch => "batches",
        Class::Control => "control frames",
    };
    format!("{bytes} bytes of {what} are queued, more than the limit of {max}: read faster")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Bytes {
        Bytes::from(vec![0; bytes])
    }

    /// Writes at least so many frames.
    fn take(queue: &Queue, frames: usize) {
        for _ in 0..frames.div_ceil(WRITE_SLICES_MAX) {
            let cx = Context::from_waker(Waker::noop());
            let work = queue.poll_work(&cx, &mut VecDeque::new(), &mut Load::default());
            assert!(matches!(work, Poll::Ready(Work::Frames { .. })));
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
        assert_eq!(queue.push(Class::Batch, frame(1)), Err(Closing));
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

    #[test]
    fn a_volatile_message_finds_room_behind_little_and_closes_nothing() {
        let queue = Queue::default();
        assert!(queue.push_volatile(frame(1_000)));
        queue.push(Class::Batch, frame(VOLATILE_QUEUED_BYTES_MAX - 2_000)).expect("has room");
        assert!(queue.push_volatile(frame(1_000)));
        assert!(!queue.push_volatile(frame(1)));
        queue.push(Class::Control, frame(1)).expect("has a bound of its own");
        assert_eq!((queue.bytes(), queue.closed()), (VOLATILE_QUEUED_BYTES_MAX + 1, None));
        queue.close(Closed::done("enough"));
        take(&queue, 1);
        assert!(!queue.push_volatile(frame(1)));
    }

    #[test]
    fn the_first_reason_to_close_stands() {
        let queue = Queue::default();
        queue.close(Closed::done("first"));
        queue.close(Closed::transport("second"));
        assert_eq!(queue.closed(), Some(Closed::done("first")));
        assert_eq!(queue.push(Class::Control, frame(1)), Err(Closing));
    }
}
