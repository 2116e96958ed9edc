//! A client's way to one object: the window, the ops, and what is under way.
//!
//! Handles and voices on any thread shout into it; the client's driver settles what it hears of.
//! The op and the place in the queue are given under one lock, so that the order of ops is the
//! order on the wire.

mod asks;
mod error;
mod grades;
mod line;
mod receipted;
mod room;
mod unborn;
mod volatile;
mod waiting;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::AtomicBool},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use self::{
    asks::Asks,
    room::{Room, Total},
    waiting::{Place, Waiting},
};
pub(crate) use self::{
    asks::{Replied, Unreplied},
    error::Failure,
    line::Line,
    unborn::Unborn,
    waiting::Overdue,
};
pub use self::{
    error::{AskError, Gone, ShoutError},
    receipted::Receipted,
};
use super::{seats::Seats, stranded::Stranded};
use crate::{
    connection::{Class, Queue},
    object::{Kind, ObjectId, Op, Receipt, Seq},
    wire::{Draft, Limits, Refusal, Verdict},
};

/// What all channels of a client share.
#[derive(Debug)]
pub(crate) struct Link {
    line: Mutex<Line>,
    limits: Limits,
    /// Bytes of shouts that may be under way at all objects together.
    total: Total,
    asks: asks::Total,
    /// The client's leaves.
    pub(crate) seats: Seats,
    /// Those that live on alone since their hub was restarted.
    pub(crate) stranded: Stranded,
    /// Held while the hub is told of objects that it does not know, and while the connection
    /// changes. Counts those that it was told of.
    publishing: Mutex<u64>,
}

/// A client's way to one object.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) object: ObjectId,
    link: Arc<Link>,
    /// Itself, to be found again when what all share has room.
    me: Weak<Self>,
    /// Whether the hub is still to be told of the object.
    is_unborn: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Where shouts go: the connection's, and none other while shouts go on the wire.
    queue: Arc<Queue>,
    /// What tells the hub of the object, and which of those it is, until it is answered.
    birth: Option<(u64, Bytes)>,
    next_op: Op,
    flights: VecDeque<Flight>,
    /// Asks without an answer; none until somebody has asked.
    asks: Option<Box<Asks>>,
    /// Shouts that have their place, and are to be told who has handled them.
    graded: BTreeMap<Op, (Seq, Answer)>,
    room: Room,
    /// What those with an outcome took of what all objects share, as far as it was not given back.
    landed_bytes: usize,
    /// Shouts for which there is no room, in the order of their tickets.
    waiting: VecDeque<Waiting>,
    next_ticket: u64,
    /// Whether the first of them waits for what all objects share.
    in_total: bool,
}

#[derive(Debug)]
enum Phase {
    /// The hub does not know the object yet.
    Offline(Box<Unborn>),
    /// Shouts go on the wire.
    Open,
    /// Shouts wait until the hub has said where to go on.
    Paused,
    /// The client is leaving: no more shouts, and those under way may still have their outcome.
    Leaving(Gone),
    /// No more shouts.
    Ended(Gone),
}

/// A shout without an outcome, or one behind such a shout.
#[derive(Debug)]
struct Flight {
    frame: Bytes,
    /// What it takes of the window.
    bytes: usize,
    /// Whether it was ever sent; not, while shouts wait for the hub.
    is_sent: bool,
    /// Whether it asked who has handled it, and may be told.
    is_graded: bool,
    /// Whether somebody waits for as long as `send` does.
    is_awaited: bool,
    /// Taken when the outcome is known.
    answer: Option<Answer>,
}

type Answer = oneshot::Sender<Result<Receipt, Failure>>;

impl Link {
    pub(crate) fn new(line: Line, limits: Limits) -> Self {
        let total = Total::new(limits.window_total_bytes as usize);
        let (line, publishing) = (Mutex::new(line), Mutex::new(0));
        let (seats, stranded, asks) = Default::default();
        Self { line, limits, total, asks, seats, stranded, publishing }
    }

    /// The largest shout that the hub's window has room for at all.
    fn shout_bytes_max(&self) -> usize {
        self.limits.window_bytes.min(self.limits.window_total_bytes) as usize
    }
}

impl Channel {
    /// The way to an object that the hub knows, which awaits `next_op`.
    pub(crate) fn open(object: ObjectId, link: Arc<Link>, next_op: Op) -> Arc<Self> {
        Self::new(object, link, Phase::Open, next_op)
    }

    /// The way to an object that nobody else knows of. The hub is told of it before the first shout.
    pub(crate) fn offline(object: ObjectId, link: Arc<Link>, unborn: Unborn) -> Arc<Self> {
        Self::new(object, link, Phase::Offline(Box::new(unborn)), Op(1))
    }

    fn new(object: ObjectId, link: Arc<Link>, phase: Phase, next_op: Op) -> Arc<Self> {
        let Limits { window_shouts, window_bytes, .. } = link.limits;
        let is_unborn = matches!(phase, Phase::Offline(_));
        let state = Mutex::new(State {
            phase,
            queue: link.line().queue,
            birth: None,
            next_op,
            flights: VecDeque::new(),
            asks: None,
            graded: BTreeMap::new(),
            room: Room::new(window_shouts as usize, window_bytes as usize),
            landed_bytes: 0,
            waiting: VecDeque::new(),
            next_ticket: 0,
            in_total: false,
        });
        Arc::new_cyclic(|me| {
            let (me, is_unborn) = (me.clone(), AtomicBool::new(is_unborn));
            Self { object, link, me, is_unborn, state }
        })
    }

    /// Shouts when there is room, and waits for the outcome.
    ///
    /// # Ordering
    /// Its place is that of its first poll. A shout that waits for room is sent as soon as there
    /// is some, polled again or not: nobody who sends behind it waits for its task.
    ///
    /// # Cancel safety
    /// Dropped while it waits for room, it is not sent and has taken nothing.
    pub(crate) async fn send(&self, kind: Kind, said: Draft) -> Result<Receipt, Failure> {
        let (ticket, receipted) = self.line_up(kind, said)?;
        let _withdrawn = ticket.map(|ticket| Place { channel: self, ticket });
        receipted.outcome().await
    }

    /// Shouts if there is room.
    pub(crate) fn try_send(&self, kind: Kind, mut said: Draft) -> Result<Receipted, Failure> {
        self.prepare(&mut said);
        let mut state = self.lock();
        state.check()?;
        let bytes = said.frame_bytes();
        let fits = state.waiting.is_empty() && state.room.fits(bytes);
        if !fits || !self.link.total.try_take(bytes) {
            return Err(Failure::Full);
        }
        let (answer, receipted) = oneshot::channel();
        self.launch(&mut state, kind, said, (answer, false));
        Ok(Receipted { answer: receipted })
    }

    /// Shouts if there is room; else the shout waits, under the ticket that comes back.
    fn line_up(&self, kind: Kind, mut said: Draft) -> Result<(Option<u64>, Receipted), Failure> {
        self.prepare(&mut said);
        let mut state = self.lock();
        state.check()?;
        let (bytes, max) = (said.frame_bytes(), self.link.shout_bytes_max());
        if bytes > max {
            let why = format!("a shout of {bytes} bytes exceeds the hub's window of {max}");
            return Err(Failure::Refused(why));
        }
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        let (answer, receipted) = oneshot::channel();
        state.waiting.push_back(Waiting { ticket, kind, said, answer });
        self.send_waiting(&mut state);
        let waits = state.waiting.back().is_some_and(|last| last.ticket == ticket);
        Ok((waits.then_some(ticket), Receipted { answer: receipted }))
    }

    /// The hub is told of this object, and of what the shout carries, before it comes.
    fn prepare(&self, said: &mut Draft) {
        self.publish();
        if !said.carried.is_empty() {
            self.link.pack(&mut said.carried);
        }
    }

    /// Gives up an object that the hub does not know. `false`: it does.
    pub(crate) fn abandon(&self, why: &Gone) -> bool {
        self.end_if(why, false, |phase| matches!(phase, Phase::Offline(_)))
    }

    /// Shouts wait from now on.
    pub(crate) fn pause(&self) {
        let mut state = self.lock();
        state.settle_for_less();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Paused;
        }
    }

    /// No more shouts: the hub is about to be told that the client leaves.
    pub(crate) fn leave(&self, why: &Gone) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Open | Phase::Paused) {
            state.phase = Phase::Leaving(why.clone());
            state.end_asks(why, true);
            self.turn_away(&mut state, why);
        }
        drop(state);
        self.link.total.serve();
    }

    /// The client is back before it was gone: shouts wait until the hub has said where to go on.
    pub(crate) fn come_back(&self) {
        let mut state = self.lock();
        state.settle_for_less();
        if matches!(state.phase, Phase::Open | Phase::Leaving(_)) {
            state.phase = Phase::Paused;
        }
    }

    /// The hub tells what became of shouts from `op` on.
    pub(crate) fn settle(&self, op: Op, verdict: Verdict) {
        let mut state = self.lock();
        match verdict {
            Verdict::Sequenced { seq, count } => {
                // What is known already is passed over, and what is not under way not waited for,
                // whatever the count says.
                let known = state.first_op().0.saturating_sub(op.0);
                let mut answers = known..u64::from(count);
                let _all = answers.all(|each| {
                    let receipt = Receipt::Sequenced { seq: seq.plus(each) };
                    state.land(op.plus(each), Ok(receipt))
                });
            }
            Verdict::Refused { reason } => {
                state.land(op, Err(Failure::Refused(reason)));
            }
            Verdict::CarriedBelowHome { carried } => {
                let object = self.object;
                state.land(op, Err(Failure::CarriedBelowHome { carried, object }));
            }
            // It is about a shout that was lost on the way; if its outcome is known, it was not.
            Verdict::Gap if op >= state.first_op() => state.send_again(op),
            Verdict::Gap => {}
        }
        self.go_on(state);
    }

    /// Shouts of this client's own were heard: that is their receipt.
    pub(crate) fn heard(&self, shouts: impl Iterator<Item = (Op, Seq)>) {
        let mut state = self.lock();
        for (op, seq) in shouts {
            state.land(op, Ok(Receipt::Sequenced { seq }));
        }
        self.go_on(state);
    }

    /// No more shouts. Those under way have no outcome any more.
    pub(crate) fn end(&self, gone: &Gone) {
        self.end_if(gone, false, |phase| !matches!(phase, Phase::Ended(_)));
    }

    /// No more shouts: the hub did not take the object, so nobody has heard those under way.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.end_if(&Gone::Refused(refusal), true, |phase| !matches!(phase, Phase::Ended(_)));
    }

    /// What all channels of the client share.
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Whether there will be no more shouts.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.lock().phase, Phase::Ended(_))
    }

    /// Why shouts fail, if they do.
    pub(crate) fn gone(&self) -> Option<Gone> {
        self.lock().check().err().and_then(|failure| match failure {
            Failure::Gone(gone) => Some(gone),
            _ => None,
        })
    }

    /// Sends what waits for room in what all objects share. `false`: nothing waits for that now.
    fn is_still_waiting(&self) -> bool {
        let mut state = self.lock();
        self.send_waiting(&mut state);
        state.in_total
    }

    fn end_if(&self, gone: &Gone, unheard: bool, is_due: impl Fn(&Phase) -> bool) -> bool {
        let mut state = self.lock();
        if !is_due(&state.phase) {
            return false;
        }
        state.phase = Phase::Ended(gone.clone());
        state.birth = None;
        state.settle_for_less();
        state.end_asks(gone, true);
        self.turn_away(&mut state, gone);
        for flight in std::mem::take(&mut state.flights) {
            let Some(answer) = flight.answer else { continue };
            state.room.give_back(flight.bytes);
            self.link.total.give_back(flight.bytes);
            let failure = match (unheard, flight.is_sent) {
                (true, true) => Failure::Refused(gone.to_string()),
                (false, true) => Failure::Unknown(gone.clone()),
                (_, false) => Failure::Gone(gone.clone()),
            };
            let _nobody_waits = answer.send(Err(failure));
        }
        drop(state);
        self.link.total.serve();
        true
    }

    /// Whoever waits for room waits for nothing.
    fn turn_away(&self, state: &mut State, gone: &Gone) {
        for waiting in std::mem::take(&mut state.waiting) {
            let _nobody_waits = waiting.answer.send(Err(Failure::Gone(gone.clone())));
        }
        self.link.total.leave(&self.me, &mut state.in_total);
    }

    /// Room has come back, perhaps.
    fn go_on(&self, mut state: MutexGuard<'_, State>) {
        self.link.total.give_back(std::mem::take(&mut state.landed_bytes));
        self.send_waiting(&mut state);
        drop(state);
        self.link.total.serve();
    }

    /// Sends what waits, in order, as far as there is room.
    fn send_waiting(&self, state: &mut State) {
        while let Some(first) = state.waiting.front() {
            let bytes = first.said.frame_bytes();
            if !state.room.fits(bytes) {
                break;
            }
            if !self.link.total.take_in_turn(bytes, &self.me, &mut state.in_total) {
                return;
            }
            let Some(Waiting { kind, said, answer, .. }) = state.waiting.pop_front() else {
                break;
            };
            self.launch(state, kind, said, (answer, true));
        }
        self.link.total.leave(&self.me, &mut state.in_total);
    }

    /// Sends a shout, for which the room in all is taken. It is awaited, or its receipt is kept.
    fn launch(
        &self,
        state: &mut State,
        kind: Kind,
        said: Draft,
        (answer, is_awaited): (Answer, bool),
    ) {
        let (bytes, is_graded) = (said.frame_bytes(), said.handled_within_ms.is_some());
        state.room.take(bytes);
        let frame = said.frame(self.object, state.next_op, kind);
        state.next_op = state.next_op.next();
        // A queue that is closing takes none: the driver is about to pause this channel, or end it.
        let is_sent = matches!(state.phase, Phase::Open)
            && state.queue.push(Class::Batch, frame.clone()).is_ok();
        let answer = Some(answer);
        let flight = Flight { frame, bytes, is_sent, is_graded, is_awaited, answer };
        state.flights.push_back(flight);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether there are shouts any more.
    fn check(&self) -> Result<(), Failure> {
        match &self.phase {
            Phase::Ended(gone) | Phase::Leaving(gone) => Err(Failure::Gone(gone.clone())),
            _ => Ok(()),
        }
    }

    /// A shout has its outcome. `false`: it is not under way. What it took in all is given back
    /// when all that is told together has landed.
    fn land(&mut self, op: Op, outcome: Result<Receipt, Failure>) -> bool {
        let Some(place) = op.0.checked_sub(self.first_op().0) else { return false };
        let Some(flight) = self.flights.get_mut(place as usize) else { return false };
        if let Some(answer) = flight.answer.take() {
            self.room.give_back(flight.bytes);
            self.landed_bytes += flight.bytes;
            match outcome {
                Ok(Receipt::Sequenced { seq }) if flight.is_graded => {
                    self.await_grade(op, seq, answer);
                }
                outcome => {
                    let _nobody_waits = answer.send(outcome);
                }
            }
        }
        while self.flights.front().is_some_and(|flight| flight.answer.is_none()) {
            self.flights.pop_front();
        }
        true
    }

    fn send_again(&mut self, next_op: Op) {
        if !matches!(self.phase, Phase::Open) {
            return;
        }
        let skip = next_op.0.saturating_sub(self.first_op().0) as usize;
        let lost = self.flights.iter_mut().skip(skip).filter(|flight| flight.answer.is_some());
        for flight in lost {
            flight.is_sent |= self.queue.push(Class::Batch, flight.frame.clone()).is_ok();
        }
    }

    /// The op of the first flight.
    fn first_op(&self) -> Op {
        Op(self.next_op.0 - self.flights.len() as u64)
    }
}
