//! What a leaf is about to hear: one shout at a time, in order, within a bound.
//!
//! It runs inside the leaf's own actor, as a future of its context. The next shout is handed over
//! when the answer to the one before has resolved, so that async handlers of every kind keep the
//! order; local messages and other mail are handled meanwhile.

use std::{
    marker::PhantomData,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context as Task, Poll, ready},
};

use actix::{ActorContext, ActorFuture, Addr, AsyncContext, Context};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::driver::{Drained, Driver};
use crate::{
    limits::INBOX_BYTES_MAX,
    object::{
        Brought, Circumstance, Cursor, Dispatch, Done, Leaf, ObjectId, Packet, Resync, Seq,
        SessionId,
    },
    wire::{Batch, Shouted},
};

/// Something that a leaf is given.
#[derive(Debug)]
pub(crate) enum Item {
    /// Shouts.
    Heard(Parcel),
    /// A gap, and the state after it if there is one.
    Resynced(Resync, Option<Bytes>),
}

/// A batch on its way to a leaf.
#[derive(Debug)]
pub(crate) struct Parcel {
    batch: Batch,
    /// What is at or below it was heard already.
    after: Seq,
    /// What is at or below it is the past.
    past: Seq,
    me: SessionId,
    _weight: Weight,
}

/// The driver's end of an inbox. Dropped, the leaf stops when it has heard what is in it.
#[derive(Debug)]
pub(crate) struct Delivery {
    items: mpsc::UnboundedSender<Item>,
    gauge: Arc<Gauge>,
}

/// Bytes that wait in an inbox, and whether the driver waits for them to become fewer.
#[derive(Debug)]
struct Gauge {
    object: ObjectId,
    generation: u64,
    driver: Addr<Driver>,
    bytes: AtomicUsize,
    is_full: AtomicBool,
}

/// Bytes that count until they are dropped.
#[derive(Debug)]
struct Weight {
    bytes: usize,
    gauge: Arc<Gauge>,
}

/// The leaf's end of an inbox.
pub(crate) struct Inbox<A> {
    items: mpsc::UnboundedReceiver<Item>,
    /// The answer to the shout before.
    busy: Option<Done>,
    /// The batch in hand: where in it the next shout is, and which one it is.
    reading: Option<(Parcel, usize, u64)>,
    leaf: PhantomData<fn(A)>,
}

/// An inbox for the leaf of an object.
pub(crate) fn inbox<A>(
    object: ObjectId,
    generation: u64,
    driver: Addr<Driver>,
) -> (Delivery, Inbox<A>) {
    let (sender, items) = mpsc::unbounded_channel();
    let (bytes, is_full) = (AtomicUsize::new(0), AtomicBool::new(false));
    let gauge = Arc::new(Gauge { object, generation, driver, bytes, is_full });
    let inbox = Inbox { items, busy: None, reading: None, leaf: PhantomData };
    (Delivery { items: sender, gauge }, inbox)
}

impl Delivery {
    /// Puts a batch into the inbox, unless it is full: then the driver is told when there is room.
    pub(crate) fn hear(&self, batch: Batch, after: Seq, past: Seq, me: SessionId) -> bool {
        let bytes = batch.bytes();
        let waiting = self.gauge.bytes.load(Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > INBOX_BYTES_MAX {
            self.gauge.is_full.store(true, Ordering::Relaxed);
            return false;
        }
        self.gauge.bytes.fetch_add(bytes, Ordering::Relaxed);
        let weight = Weight { bytes, gauge: self.gauge.clone() };
        self.give(Item::Heard(Parcel { batch, after, past, me, _weight: weight }));
        true
    }

    /// Tells of a gap.
    pub(crate) fn resync(&self, resync: Resync, state: Option<Bytes>) {
        self.give(Item::Resynced(resync, state));
    }

    fn give(&self, item: Item) {
        // A leaf that is gone is told of by its runner.
        let _gone = self.items.send(item);
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        let left = self.gauge.bytes.fetch_sub(self.bytes, Ordering::Relaxed) - self.bytes;
        if left <= INBOX_BYTES_MAX / 2 && self.gauge.is_full.swap(false, Ordering::Relaxed) {
            let Gauge { object, generation, driver, .. } = &*self.gauge;
            driver.do_send(Drained { object: *object, generation: *generation });
        }
    }
}

impl<A: Leaf> Inbox<A> {
    fn hear(&mut self, leaf: &mut A, shouted: &Shouted, ctx: &mut Context<A>) {
        let Some((parcel, ..)) = &self.reading else { return };
        let packet = parcel.packet(shouted);
        match A::Interface::dispatch(leaf, &packet, ctx) {
            Ok(done) => self.busy = Some(done),
            Err(error) => {
                leaf.unheard(shouted.seq, error, ctx);
                self.busy = Some(answered());
            }
        }
    }

    fn resync(leaf: &mut A, resync: Resync, state: Option<&Bytes>, ctx: &mut Context<A>) {
        if let Some(Err(error)) = state.map(|state| A::Interface::restore(leaf, state, &[], ctx)) {
            tracing::error!(%error, "the state of a resync cannot be read: the leaf stops");
            return ctx.stop();
        }
        leaf.resynced(resync, ctx);
    }

    /// The next shout of the batch in hand that was not heard before.
    fn next_shout(&mut self) -> Option<Shouted> {
        let (parcel, at, place) = self.reading.as_mut()?;
        while *place < u64::from(parcel.batch.count) {
            let shouted = parcel.batch.take(at, *place)?;
            *place += 1;
            if shouted.seq > parcel.after {
                return Some(shouted);
            }
        }
        None
    }
}

impl<A: Leaf> ActorFuture<A> for Inbox<A> {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        leaf: &mut A,
        ctx: &mut Context<A>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        loop {
            if let Some(done) = &mut self.busy {
                // An error is an answer that never comes: its future panicked, or was cancelled.
                let _answered = ready!(Pin::new(done).poll(task));
                self.busy = None;
            }
            if ctx.waiting() {
                return Poll::Pending;
            }
            if let Some(shouted) = self.next_shout() {
                self.hear(leaf, &shouted, ctx);
                continue;
            }
            self.reading = None;
            match ready!(self.items.poll_recv(task)) {
                Some(Item::Heard(parcel)) => self.reading = Some((parcel, 0, 0)),
                Some(Item::Resynced(resync, state)) => {
                    Self::resync(leaf, resync, state.as_ref(), ctx);
                }
                None => {
                    ctx.stop();
                    return Poll::Ready(());
                }
            }
        }
    }
}

/// An answer that is there already. To take it counts as work like to take any other, so that many
/// shouts that cannot be heard leave turns to other tasks too.
fn answered() -> Done {
    let (done, wait) = oneshot::channel();
    let _waits = done.send(());
    wait
}

impl Parcel {
    fn packet(&self, shouted: &Shouted) -> Packet {
        let (session, _) = self.batch.sessions[shouted.session];
        let circumstance = Circumstance {
            cursor: Cursor { epoch: self.batch.epoch, seq: shouted.seq },
            shouter: session,
            mine: session == self.me,
            replayed: shouted.seq <= self.past,
            hub_time_ms: self.batch.hub_time_ms,
        };
        let carried = shouted.carried.iter();
        let brought = carried.map(|each| Brought { carried: each.clone() });
        let (kind, payload) = (shouted.kind, shouted.payload.clone());
        Packet { kind, payload, brought: brought.collect(), circumstance }
    }
}
