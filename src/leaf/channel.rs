//! A client's way to one object: the window, the ops, and what is under way.
//!
//! Handles and voices on any thread shout into it; the client's driver settles what it hears of.
//! The op and the place in the queue are given under one lock, so that the order of ops is the
//! order on the wire.

mod error;
mod room;

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

pub(crate) use self::error::Failure;
pub use self::error::{Gone, ShoutError};
use self::room::{Permit, Room};
use crate::{
    connection::{Class, Closed, Queue},
    object::{Kind, ObjectId, Op, Receipt, Seq, SessionId},
    wire::{Limits, Verdict, encode_shout},
};

/// What all channels of a client share.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) queue: Arc<Queue>,
    pub(crate) session: SessionId,
    limits: Limits,
    /// Bytes of shouts that may be under way at all objects together.
    total: Arc<Semaphore>,
}

/// A client's way to one object.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) object: ObjectId,
    link: Arc<Link>,
    room: Room,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    next_op: Op,
    flights: VecDeque<Flight>,
}

#[derive(Debug)]
enum Phase {
    /// The hub does not know the object: this frame makes it.
    Offline(Bytes),
    /// Shouts go on the wire.
    Open,
    /// Shouts wait until the hub has said where to go on.
    Paused,
    /// No more shouts.
    Ended(Gone),
}

/// A shout without an outcome, or one behind such a shout.
#[derive(Debug)]
struct Flight {
    frame: Bytes,
    /// What it takes of the window.
    bytes: usize,
    /// Taken when the outcome is known.
    answer: Option<oneshot::Sender<Result<Receipt, Failure>>>,
}

impl Link {
    pub(crate) fn new(queue: Arc<Queue>, session: SessionId, limits: Limits) -> Self {
        let total = Arc::new(Semaphore::new(limits.window_total_bytes as usize));
        Self { queue, session, limits, total }
    }
}

impl Channel {
    /// The way to an object that the hub knows, which awaits `next_op`.
    pub(crate) fn open(object: ObjectId, link: Arc<Link>, next_op: Op) -> Self {
        Self::new(object, link, Phase::Open, next_op)
    }

    /// The way to an object that nobody else knows of. `create` is sent before the first shout.
    pub(crate) fn offline(object: ObjectId, link: Arc<Link>, create: Bytes) -> Self {
        Self::new(object, link, Phase::Offline(create), Op(1))
    }

    fn new(object: ObjectId, link: Arc<Link>, phase: Phase, next_op: Op) -> Self {
        let Limits { window_shouts, window_bytes, .. } = link.limits;
        let room = Room::new(window_shouts as usize, window_bytes as usize, link.total.clone());
        let state = Mutex::new(State { phase, next_op, flights: VecDeque::new() });
        Self { object, link, room, state }
    }

    /// Shouts when there is room.
    ///
    /// # Cancel safety
    /// Dropped before the first poll that finds room, nothing was sent.
    pub(crate) async fn send(&self, kind: Kind, payload: &[u8]) -> Result<Receipted, Failure> {
        match self.room.wait(bytes_on_wire(payload)).await {
            Ok(permit) => self.launch(permit, kind, payload),
            Err(_) => Err(self.failure()),
        }
    }

    /// Shouts if there is room.
    pub(crate) fn try_send(&self, kind: Kind, payload: &[u8]) -> Result<Receipted, Failure> {
        match self.room.take(bytes_on_wire(payload)) {
            Ok(permit) => self.launch(permit, kind, payload),
            Err(tokio::sync::TryAcquireError::NoPermits) => Err(Failure::Full),
            Err(tokio::sync::TryAcquireError::Closed) => Err(self.failure()),
        }
    }

    /// Tells the hub of an object that it does not know. `false`: it does, or did.
    pub(crate) fn publish(&self) -> bool {
        self.lock().publish(&self.link)
    }

    /// Shouts wait from now on.
    pub(crate) fn pause(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Paused;
        }
    }

    /// Shouts go on; what the hub awaits from `next_op` on is sent again.
    pub(crate) fn resume(&self, next_op: Op) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Paused) {
            state.phase = Phase::Open;
            state.send_again(&self.link, next_op);
        }
    }

    /// The hub tells what became of shouts from `op` on.
    pub(crate) fn settle(&self, op: Op, verdict: Verdict) {
        let mut state = self.lock();
        match verdict {
            Verdict::Sequenced { seq, count } => {
                let mut answers = 0..u64::from(count);
                // What is not under way is not waited for, whatever the count says.
                let _all = answers.all(|each| {
                    let receipt = Receipt::Sequenced { seq: seq.plus(each) };
                    self.land(&mut state, op.plus(each), Ok(receipt))
                });
            }
            Verdict::Refused { reason } => {
                self.land(&mut state, op, Err(Failure::Refused(reason)));
            }
            Verdict::Gap => state.send_again(&self.link, op),
        }
    }

    /// A shout of this client's own was heard: that is its receipt.
    pub(crate) fn heard(&self, op: Op, seq: Seq) {
        self.land(&mut self.lock(), op, Ok(Receipt::Sequenced { seq }));
    }

    /// No more shouts. Those under way have no outcome any more.
    pub(crate) fn end(&self, gone: &Gone) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Ended(_)) {
            return;
        }
        state.phase = Phase::Ended(gone.clone());
        self.room.close();
        for flight in state.flights.drain(..) {
            let Some(answer) = flight.answer else { continue };
            self.room.give_back(flight.bytes);
            let failure = match gone {
                // The hub has said so: it never gave the object a place, so nothing was heard.
                Gone::Refused(refusal) => Failure::Refused(refusal.to_string()),
                other => Failure::Unknown(other.clone()),
            };
            let _nobody_waits = answer.send(Err(failure));
        }
    }

    /// Whether the hub does not know the object yet.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(self.lock().phase, Phase::Offline(_))
    }

    /// Why shouts fail, if they do.
    pub(crate) fn gone(&self) -> Option<Gone> {
        match &self.lock().phase {
            Phase::Ended(gone) => Some(gone.clone()),
            _ => None,
        }
    }

    fn launch(&self, permit: Permit<'_>, kind: Kind, payload: &[u8]) -> Result<Receipted, Failure> {
        let mut state = self.lock();
        if let Phase::Ended(gone) = &state.phase {
            return Err(Failure::Gone(gone.clone()));
        }
        state.publish(&self.link);
        let frame = encode_shout(self.object, state.next_op, kind, payload);
        permit.keep();
        state.next_op = state.next_op.next();
        let (answer, receipted) = oneshot::channel();
        // Closing is told by the driver, which ends this channel.
        if matches!(state.phase, Phase::Open) {
            let _closing = self.link.queue.push(Class::Batch, frame.clone());
        }
        let bytes = bytes_on_wire(payload);
        state.flights.push_back(Flight { frame, bytes, answer: Some(answer) });
        Ok(Receipted { answer: receipted })
    }

    /// A shout has its outcome. `false`: it is not under way.
    fn land(&self, state: &mut State, op: Op, outcome: Result<Receipt, Failure>) -> bool {
        let Some(place) = op.0.checked_sub(state.first_op().0) else { return false };
        let Some(flight) = state.flights.get_mut(place as usize) else { return false };
        if let Some(answer) = flight.answer.take() {
            self.room.give_back(flight.bytes);
            let _nobody_waits = answer.send(outcome);
        }
        while state.flights.front().is_some_and(|flight| flight.answer.is_none()) {
            state.flights.pop_front();
        }
        true
    }

    fn failure(&self) -> Failure {
        // Room is closed only when the channel has ended.
        Failure::Gone(self.gone().unwrap_or(Gone::Parted))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn publish(&mut self, link: &Link) -> bool {
        let Phase::Offline(_) = self.phase else { return false };
        if let Phase::Offline(create) = std::mem::replace(&mut self.phase, Phase::Open) {
            let _closing = link.queue.push(Class::Control, create);
        }
        true
    }

    fn send_again(&self, link: &Link, next_op: Op) {
        if !matches!(self.phase, Phase::Open) {
            return;
        }
        let skip = next_op.0.saturating_sub(self.first_op().0) as usize;
        for flight in self.flights.iter().skip(skip).filter(|flight| flight.answer.is_some()) {
            let _closing = link.queue.push(Class::Batch, flight.frame.clone());
        }
    }

    /// The op of the first flight.
    fn first_op(&self) -> Op {
        Op(self.next_op.0 - self.flights.len() as u64)
    }
}

/// The receipt of a shout, when it comes. Dropping it takes nothing back.
///
/// ```no_run
/// # use actix_multiplex::{Handle, Leaf, Shout, ShoutAt, ShoutError};
/// # async fn example<A: Leaf, M: ShoutAt<A::Interface>>(kermit: Handle<A>, one: M, two: M)
/// #     -> Result<(), ShoutError<()>> {
/// let first = kermit.try_send(Shout(one)).expect("has room");
/// let second = kermit.try_send(Shout(two)).expect("has room");
/// assert!(first.await?.seq() < second.await?.seq());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a receipt tells whether the shout was heard; to shout and not care, drop it"]
pub struct Receipted {
    answer: oneshot::Receiver<Result<Receipt, Failure>>,
}

impl Receipted {
    /// The receipt, or why there is none; the caller has the message.
    pub(crate) async fn outcome(self) -> Result<Receipt, Failure> {
        self.answer.await.unwrap_or(Err(Failure::Unknown(Gone::Parted)))
    }
}

impl Future for Receipted {
    type Output = Result<Receipt, ShoutError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(cx).map(|answer| {
            let outcome = answer.unwrap_or(Err(Failure::Unknown(Gone::Parted)));
            outcome.map_err(|failure| failure.with(()))
        })
    }
}

impl From<Closed> for Gone {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

/// The most that a shout of this payload takes on the wire: the window counts frames.
fn bytes_on_wire(payload: &[u8]) -> usize {
    payload.len() + SHOUT_FRAME_BYTES
}

/// A Shout frame's bytes beside its payload, at most: length, type, object, op, kind, flags.
const SHOUT_FRAME_BYTES: usize = 4 + 1 + 16 + 10 + 3 + 3;
