//! The outward queue: frames for one peer, bounded in bytes, in the order in which they came.
//!
//! Repeaters on any arbiter push to it directly; one writer takes from it. It also is where a
//! connection's end is decided: whoever closes it first says why, and reader and writer see it.
//!
//! Where a hub has said so, it does not close at its bound of batches: the object with most bytes of
//! them gives way. Its frames are dropped, and what was dropped is given again as the peer reads.

mod pieces;
mod pulls;
mod slow;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

pub(crate) use self::{pieces::Fed, pulls::Pull, slow::Strain};
use self::{pulls::Pulls, slow::Tell};
use super::{Closed, Closer, Gate, Held, gate::Broken};
use crate::{
    limits::{
        ASKS_QUEUED_BYTES_MAX, CONTROL_BYTES_MAX, LINK_CONTROL_BYTES_MAX, OUTWARD_BYTES_MAX,
        TURN_BYTES, VOLATILE_QUEUED_BYTES_MAX, WRITE_SLICES_MAX,
    },
    wire::{self, CloseCode, Frame},
};

/// What a frame counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A batch, or members of an object: shared bytes, bounded by [`OUTWARD_BYTES_MAX`], or by
    /// what a hub has [said](Queue::pull_past). Then they may be dropped, to be given again.
    Batch,
    /// As a batch, but never dropped: past the bound the connection is closed.
    Firm,
    /// Anything else, bounded by [`CONTROL_BYTES_MAX`].
    Control,
}

/// A frame that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsent {
    #[error("the connection is closing")]
    Closing,
    /// What follows what was taken of its object is given when there is room.
    #[error("the peer is too slow for the object")]
    Pulled,
}

/// Frames for one peer.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    frames: VecDeque<(Class, Bytes)>,
    load: Load,
    batch_bytes_max: usize,
    control_bytes_max: usize,
    /// Who is told of a slow peer, if somebody keeps what is dropped.
    tell: Option<Tell>,
    /// What a slow peer is not sent as it comes; none while it is not slow.
    pulls: Option<Box<Pulls>>,
    /// In a box, since it is seldom there: what each frame touches stays close together.
    closed: Option<Box<Closed>>,
    /// The writer, once it has waited for frames.
    writer: Option<Waker>,
    /// Whether it waits for frames now.
    is_idle: bool,
    /// A writer that waits for the peer to read.
    stuck_writer: Option<Waker>,
    reader: Option<Waker>,
    /// What goes out beside the frames, one with each write.
    pieces: VecDeque<Bytes>,
    /// What the writer waits for, where there is a journal.
    gate: Option<Arc<Gate>>,
    /// The change that must be committed before what was queued last may leave.
    awaited: u64,
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
    /// Write these, once the change `awaited` is committed. When `is_all`, nothing else waited, and
    /// what comes from now on wakes the writer.
    Frames { is_all: bool, awaited: u64 },
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
            *load.account(*class) += frame.len();
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

    fn account(&mut self, class: Class) -> &mut usize {
        match class {
            Class::Batch | Class::Firm => &mut self.batch_bytes,
            Class::Control => &mut self.control_bytes,
        }
    }
}

impl Queue {
    /// An empty one. With a gate, nothing of it is written that is not yet committed.
    pub(super) fn behind(gate: Option<Arc<Gate>>) -> Self {
        Self { state: Mutex::new(State { gate, ..State::default() }) }
    }

    /// Adds a frame behind all others.
    ///
    /// # Errors
    /// [`Unsent::Closing`] when the connection is closing, also because this frame would have
    /// passed the bound: then it closes as too slow. [`Unsent::Pulled`] when frames of its object are
    /// not taken now.
    pub(crate) fn push(&self, class: Class, frame: Bytes) -> Result<(), Unsent> {
        self.lock().push(class, frame)
    }

    /// Adds a frame that can be done without, among the batches, if it leaves the room that the
    /// windows of shouts may need. `false`: it was not added.
    pub(crate) fn push_spare(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        state.has_room_to_spare(frame.len()) && state.push_whole(frame).is_ok()
    }

    /// Adds a volatile message, if little enough is queued before it. `false`: it was not added.
    pub(crate) fn push_volatile(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        let has_room = state.load.batch_bytes + frame.len() <= VOLATILE_QUEUED_BYTES_MAX;
        has_room && state.push(Class::Batch, frame).is_ok()
    }

    /// Adds a control frame behind all others. Closing is seen elsewhere.
    pub(crate) fn tell<H: wire::Header>(&self, header: &H) {
        self.tell_with(header, &[]);
    }

    /// As [`tell`](Self::tell), with a payload.
    pub(crate) fn tell_with<H: wire::Header>(&self, header: &H, payload: &[u8]) {
        let _closing = self.push(Class::Control, wire::encode_with(header, payload));
    }

    /// Has room for what many sessions are told, for a hub below.
    pub(crate) fn widen(&self) {
        self.lock().control_bytes_max = LINK_CONTROL_BYTES_MAX;
    }

    /// Takes whatever comes: it counts elsewhere until it is written.
    pub(crate) fn bound_elsewhere(&self) {
        self.lock().batch_bytes_max = usize::MAX;
    }

    /// Adds an ask or an answer, among the batches and never dropped, if little enough is queued
    /// before it. `false`: it was not added.
    pub(crate) fn push_asked(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        let Load { batch_bytes, control_bytes } = state.load;
        let has_room = batch_bytes + control_bytes + frame.len() <= ASKS_QUEUED_BYTES_MAX;
        if has_room {
            // One that is closing takes it for nobody.
            let _closing = state.push(Class::Batch, frame);
        }
        has_room
    }

    /// Closes the connection, unless it is closing already: the first reason stands. What is
    /// queued is still sent, unless the peer is gone or too slow to take it.
    pub(crate) fn close(&self, closed: Closed) {
        self.lock().close(closed);
    }

    /// Whether the connection is not closing.
    pub(crate) fn is_open(&self) -> bool {
        self.lock().closed.is_none()
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
        if !state.frames.is_empty() || !state.pieces.is_empty() {
            state.take_frames(writing);
            if !state.pieces.is_empty() {
                state.take_piece(writing);
            }
            state.ask_for_more();
            let is_done = state.frames.is_empty() && state.pieces.is_empty();
            let is_all = is_done && state.closed.is_none();
            state.is_idle = is_all && state.knows(cx);
            return Poll::Ready(Work::Frames { is_all: state.is_idle, awaited: state.awaited });
        }
        if let Some(closed) = &state.closed {
            let goodbye = closed.goodbye().map(|goodbye| wire::encode(&goodbye));
            return Poll::Ready(Work::End(goodbye));
        }
        state.ask_for_more();
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
        let state = self.lock();
        match &state.closed {
            Some(closed) if closed.by != Closer::Local => Ending::Silent,
            Some(closed) if state.gives_up(closed) => Ending::Short,
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

    /// Whether the change of this number is committed; if not, the task is woken when it is.
    pub(super) fn poll_committed(&self, cx: &Context<'_>, number: u64) -> Poll<Result<(), Broken>> {
        let gate = if number == 0 { None } else { self.lock().gate.clone() };
        gate.map_or(Poll::Ready(Ok(())), |gate| gate.poll_committed(cx, number))
    }

    /// Lets go of what counts against a bound, when all is committed that was submitted by now.
    pub(crate) fn let_go(&self, guard: Held) {
        let gate = self.lock().gate.clone();
        if let Some(gate) = gate {
            gate.hold(Box::new(guard));
        }
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
    #[inline]
    fn push(&mut self, class: Class, frame: Bytes) -> Result<(), Unsent> {
        if self.closed.is_some() {
            return Err(Unsent::Closing);
        }
        if class != Class::Control
            && let Some(pulls) = &mut self.pulls
            && pulls.hold_back(&frame)
        {
            return Err(Unsent::Pulled);
        }
        let max = self.max_of(class);
        if *self.load.account(class) + frame.len() > max {
            self.make_room(class, &frame, max)?;
        }
        self.add(class, frame);
        Ok(())
    }

    #[inline]
    fn add(&mut self, class: Class, frame: Bytes) {
        *self.load.account(class) += frame.len();
        self.frames.push_back((class, frame));
        self.wake_writer();
    }

    #[inline]
    fn wake_writer(&mut self) {
        if let Some(gate) = &self.gate {
            self.awaited = gate.submitted();
        }
        if std::mem::take(&mut self.is_idle)
            && let Some(writer) = &self.writer
        {
            writer.wake_by_ref();
        }
    }

    fn max_of(&self, class: Class) -> usize {
        match class {
            Class::Batch | Class::Firm => self.batch_bytes_max,
            Class::Control => self.control_bytes_max,
        }
    }

    /// As many as one write takes, and about as much as a turn. The whole queue is exchanged for
    /// `writing`, if it is no more than that and has not grown beyond what is kept.
    fn take_frames(&mut self, writing: &mut VecDeque<(Class, Bytes)>) {
        let is_little = self.load.batch_bytes + self.load.control_bytes <= TURN_BYTES;
        let is_short = self.frames.len() <= WRITE_SLICES_MAX;
        if is_little && is_short && self.frames.capacity() <= IDLE_FRAMES_MAX {
            std::mem::swap(&mut self.frames, writing);
            self.load = Load::default();
            return;
        }
        let mut bytes = 0;
        while bytes < TURN_BYTES
            && writing.len() < WRITE_SLICES_MAX
            && let Some(next) = self.frames.pop_front()
        {
            bytes += next.1.len();
            writing.push_back(next);
        }
        self.load.take_off(&Load::of(writing));
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

    /// Whether what is queued can not be sent any more.
    fn gives_up(&self, closed: &Closed) -> bool {
        closed.code == CloseCode::TooSlow || self.gate.as_ref().is_some_and(|gate| gate.is_broken())
    }

    fn close(&mut self, closed: Closed) {
        if self.closed.is_some() {
            return;
        }
        if closed.goodbye().is_none() || self.gives_up(&closed) {
            self.frames.clear();
        }
        self.pieces = VecDeque::new();
        self.closed = Some(Box::new(closed));
        let wakers = [self.writer.take(), self.stuck_writer.take(), self.reader.take()];
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            frames: VecDeque::new(),
            load: Load::default(),
            batch_bytes_max: OUTWARD_BYTES_MAX,
            control_bytes_max: CONTROL_BYTES_MAX,
            tell: None,
            pulls: None,
            closed: None,
            writer: None,
            is_idle: false,
            stuck_writer: None,
            reader: None,
            pieces: VecDeque::new(),
            gate: None,
            awaited: 0,
        }
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

#[cfg(test)]
mod tests;
