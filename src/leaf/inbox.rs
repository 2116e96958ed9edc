//! What a leaf is about to hear: one shout at a time, in order, within a bound.
//!
//! It runs inside the leaf's own actor, as a future of its context. The next shout is handed over
//! when the answer to the one before has resolved, so that async handlers of every kind keep the
//! order; local messages and other mail are handled meanwhile. A shout that carries objects waits
//! until they are there, and keeps them until its answer has resolved.

mod asked;
mod members;
mod parcel;
mod snapshot;
mod thanks;
mod volatile;

use std::{
    collections::VecDeque,
    marker::PhantomData,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context as Task, Poll, ready},
};

use actix::{ActorContext, ActorFuture, Addr, AsyncContext, Context};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::asked::Owed;
use self::{
    asked::Asking,
    members::{Latest, News},
    parcel::{Next, Parcel, Reading},
    snapshot::{Telling, Wanted},
    thanks::Thanks,
};
use super::{
    channel::Link,
    driver::{Arrived, Drained, Driver, Hold},
    progress::Progress,
};
use crate::{
    limits::{BATCH_BYTES_MIN, INBOX_BYTES_MAX},
    object::{
        Carried, Cursor, Dispatch, DispatchError, Done, EncodeError, Encoded, Glimpse, Leaf,
        Members, ObjectId, OwnerChange, Resync, ResyncReason, Seq, SessionId,
    },
    wire::Batch,
};

/// Something that a leaf is given.
#[derive(Debug)]
pub(crate) enum Item {
    /// Shouts.
    Heard(Parcel),
    /// A gap, and the state after it if there is one.
    Resynced(Gap, Option<Given>),
    /// Somebody wants to know the state.
    Tell(oneshot::Sender<Result<Option<Encoded>, EncodeError>>),
    /// The hub wants to know it.
    Wanted(Wanted),
    /// Who is at the object.
    Members(Members, Weight),
    /// A volatile message.
    Glimpse(Box<(Glimpse, Weight)>),
    /// A question.
    Asked(Box<Asking>),
}

/// Shouts that are missed, and who owns the object behind them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gap {
    pub(crate) resync: Resync,
    pub(crate) owner: Option<SessionId>,
}

/// A state on its way to a leaf.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) state: Bytes,
    pub(crate) carried: Vec<Carried>,
    /// Resolves when leaves of what it carries are made; none if it carries nothing.
    pub(crate) hold: Option<Hold>,
}

/// The driver's end of an inbox. Dropped, the leaf stops when it has heard what is in it.
#[derive(Debug)]
pub(crate) struct Delivery {
    items: mpsc::UnboundedSender<Item>,
    gauge: Arc<Gauge>,
    /// A wish for the leaf's state that waits.
    wanted: Weak<()>,
    latest: Arc<Latest>,
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
pub(crate) struct Weight {
    bytes: usize,
    gauge: Arc<Gauge>,
}

/// The leaf's end of an inbox.
pub(crate) struct Inbox<A> {
    items: mpsc::UnboundedReceiver<Item>,
    /// The shout before, and its answer.
    busy: Option<(Seq, Done)>,
    /// The batch in hand.
    reading: Option<Reading>,
    /// What waits for the objects that it carries.
    held: Option<(Held, Hold)>,
    /// What the shout or state in hand carries; kept until its answer has resolved.
    kept: Option<Arrived>,
    progress: Arc<Progress>,
    /// Whether those who wait for the leaf's progress are to be told of it.
    has_moved: bool,
    telling: Telling,
    thanks: Thanks,
    /// Shouts over which leaves in whose place this one was made have panicked.
    skips: Vec<Seq>,
    news: News,
    leaf: PhantomData<fn(A)>,
}

/// What waits for the objects that it carries.
enum Held {
    /// The shout in hand.
    Shout(Vec<Carried>),
    Resync(Gap, Bytes, Vec<Carried>),
    Asked(Box<Asking>),
}

/// Asks a leaf for its state, as long as its inbox is there, and knows whom it was told of.
#[derive(Clone, Debug)]
pub(crate) struct Asker(mpsc::WeakUnboundedSender<Item>, Arc<Latest>);

impl Asker {
    /// The leaf's state, in its turn among the shouts; none when the leaf is gone.
    pub(crate) async fn state(&self) -> Option<Result<Option<Encoded>, EncodeError>> {
        let (reply, state) = oneshot::channel();
        self.0.upgrade()?.send(Item::Tell(reply)).ok()?;
        state.await.ok()
    }

    /// Who owns the object, as the leaf was last told.
    pub(crate) fn owner(&self) -> Option<SessionId> {
        self.1.owner()
    }

    /// Who is at the object, as the leaf was last told.
    pub(crate) fn members(&self) -> Members {
        self.1.get()
    }
}

/// An inbox for the leaf of an object.
pub(crate) fn inbox<A>(
    object: ObjectId,
    generation: u64,
    driver: Addr<Driver>,
    progress: Arc<Progress>,
) -> (Delivery, Inbox<A>) {
    let (sender, items) = mpsc::unbounded_channel();
    let (bytes, is_full) = (AtomicUsize::new(0), AtomicBool::new(false));
    let gauge = Arc::new(Gauge { object, generation, driver, bytes, is_full });
    let (busy, reading, held, kept, has_moved) = (None, None, None, None, false);
    let (telling, thanks, skips, leaf) =
        (Telling::default(), Thanks::default(), Vec::new(), PhantomData);
    let latest = Arc::<Latest>::default();
    let news = News::new(latest.clone());
    let inbox = Inbox {
        items,
        busy,
        reading,
        held,
        kept,
        progress,
        has_moved,
        telling,
        thanks,
        skips,
        news,
        leaf,
    };
    (Delivery { items: sender, gauge, wanted: Weak::new(), latest }, inbox)
}

impl Delivery {
    /// Who owns the object, as the leaf was last told.
    pub(crate) fn owner(&self) -> Option<SessionId> {
        self.latest.owner()
    }

    /// The hub has told who owns an object of which nothing was heard.
    pub(crate) fn set_owner(&self, owner: Option<SessionId>) {
        self.latest.set_owner(owner);
    }

    /// Whether there is room for a batch. If there is none, the driver is told when there is.
    pub(crate) fn has_room(&self, batch: &Batch) -> bool {
        self.has_room_for(batch.bytes())
    }

    /// Whether half of it is free. If it is not, the driver is told when it is.
    pub(crate) fn has_room_for_more(&self) -> bool {
        self.has_room_for(INBOX_BYTES_MAX / 2)
    }

    fn has_room_for(&self, bytes: usize) -> bool {
        let Gauge { bytes: waiting, is_full, .. } = &*self.gauge;
        let fits = || {
            let waiting = waiting.load(Ordering::SeqCst);
            waiting == 0 || waiting + bytes <= INBOX_BYTES_MAX
        };
        if fits() {
            return true;
        }
        is_full.store(true, Ordering::SeqCst);
        // On another thread it may have been emptied meanwhile, by somebody who saw nothing to tell.
        waiting.load(Ordering::SeqCst) == 0 && is_full.swap(false, Ordering::SeqCst)
    }

    /// Puts a batch into the inbox, which [has room](Self::has_room) for it.
    pub(crate) fn hear(
        &self,
        batch: Batch,
        after: Seq,
        past: Seq,
        me: SessionId,
        holds: VecDeque<(Seq, Hold)>,
        asked: Option<Arc<Link>>,
    ) {
        let weight = self.weigh(batch.bytes());
        self.give(Item::Heard(Parcel { batch, after, past, me, holds, asked, _weight: weight }));
    }

    /// Tells who is at the object, if there is room. If there is none, the driver is told when there
    /// is.
    pub(crate) fn members(&self, members: &Members) -> bool {
        // What is listed is shared, but for its tree.
        let bytes = BATCH_BYTES_MIN + LISTED_BYTES * members.iter().count();
        let has_room = self.has_room_for(bytes);
        if has_room {
            self.give(Item::Members(members.clone(), self.weigh(bytes)));
        }
        has_room
    }

    fn weigh(&self, bytes: usize) -> Weight {
        self.gauge.bytes.fetch_add(bytes, Ordering::Relaxed);
        Weight { bytes, gauge: self.gauge.clone() }
    }

    /// Asks the leaf for its state.
    pub(crate) fn asker(&self) -> Asker {
        Asker(self.items.downgrade(), self.latest.clone())
    }

    /// Tells of a gap.
    pub(crate) fn resync(&self, gap: Gap, given: Option<Given>) {
        self.give(Item::Resynced(gap, given));
    }

    /// Asks for the leaf's state, which goes to the hub. What was put into the inbox
    /// before ends at `at`. While a wish waits, it stands for later ones too.
    pub(crate) fn want_state(&mut self, at: Cursor, link: Arc<Link>) {
        if self.wanted.strong_count() > 0 {
            return;
        }
        let waits = Arc::new(());
        self.wanted = Arc::downgrade(&waits);
        self.give(Item::Wanted(Wanted {
            object: self.gauge.object,
            at,
            link,
            _waits: waits,
            is_told: false,
        }));
    }

    fn give(&self, item: Item) {
        // A leaf that is gone is told of by its runner.
        let _gone = self.items.send(item);
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        let left = self.gauge.bytes.fetch_sub(self.bytes, Ordering::SeqCst) - self.bytes;
        if left <= INBOX_BYTES_MAX / 2 && self.gauge.is_full.swap(false, Ordering::SeqCst) {
            let Gauge { object, generation, driver, .. } = &*self.gauge;
            driver.do_send(Drained { object: *object, generation: *generation });
        }
    }
}

impl<A: Leaf> Inbox<A> {
    /// These shouts are not handed over.
    pub(crate) fn skip(&mut self, skips: Vec<Seq>) {
        self.skips = skips;
    }

    /// Who owns the object where its hearing begins.
    pub(crate) fn begin_with(&self, owner: Option<SessionId>) {
        self.news.set_owner(owner);
    }

    /// Hands over the shout in hand.
    fn hear(&mut self, leaf: &mut A, carried: Vec<Carried>, ctx: &mut Context<A>) {
        let Some(reading) = &mut self.reading else { return };
        if !carried.is_empty() {
            reading.bring(self.kept.get_or_insert_default().brought(carried));
        }
        let seq = reading.seq();
        if let Some((object, link)) = reading.asker() {
            self.thanks.ask(object, link);
        }
        self.progress.give(seq);
        let packet = reading.packet();
        let handed = if self.skips.contains(&seq) {
            Err(DispatchError::Panicked(packet.kind()))
        } else {
            A::Interface::dispatch(leaf, packet, ctx)
        };
        let done = handed.unwrap_or_else(|error| {
            self.telling.has_missed = true;
            leaf.unheard(seq, error, ctx);
            Done::AT_ONCE
        });
        self.busy = Some((seq, done));
    }

    /// Tells of another owner, in its place.
    fn hear_of_owner(&mut self, leaf: &mut A, change: &OwnerChange, ctx: &mut Context<A>) {
        let seq = change.seq();
        self.progress.give(seq);
        self.news.set_owner(change.to());
        if !self.skips.contains(&seq) {
            leaf.owner_changed(change, ctx);
        }
        self.progress.finish(seq);
        self.has_moved = true;
    }

    /// Waits for the answer to the shout before.
    fn poll_answer(&mut self, task: &mut Task<'_>) -> Poll<()> {
        let Some((seq, done)) = &mut self.busy else { return Poll::Ready(()) };
        ready!(done.poll(task));
        self.progress.finish(*seq);
        self.thanks.finish(*seq);
        self.has_moved = true;
        self.busy = None;
        self.kept = None;
        Poll::Ready(())
    }

    fn resync(&mut self, leaf: &mut A, gap: Gap, ctx: &mut Context<A>) {
        let Gap { resync, owner } = gap;
        self.news.set_owner(owner);
        if resync.reason == ResyncReason::Epoch {
            self.progress.forget_former();
            self.skips.clear();
        }
        self.progress.begin(resync.to);
        leaf.resynced(resync, ctx);
    }

    fn restore(
        &mut self,
        leaf: &mut A,
        gap: Gap,
        state: &[u8],
        carried: Vec<Carried>,
        ctx: &mut Context<A>,
    ) {
        let brought = self.kept.get_or_insert_default().brought(carried);
        if let Err(error) = A::Interface::restore(leaf, state, &brought, ctx) {
            tracing::error!(%error, "the state of a resync cannot be read: the leaf stops");
            return ctx.stop();
        }
        self.telling.has_missed = false;
        self.resync(leaf, gap, ctx);
        self.kept = None;
    }

    /// Goes on with what has waited for the objects that it carries.
    fn go_on(&mut self, leaf: &mut A, held: Held, ctx: &mut Context<A>) {
        match held {
            Held::Shout(carried) => self.hear(leaf, carried, ctx),
            Held::Resync(gap, state, carried) => self.restore(leaf, gap, &state, carried, ctx),
            Held::Asked(asking) => {
                let arrived = self.kept.take();
                Self::answer(leaf, *asking, arrived, ctx);
            }
        }
    }

    fn take(&mut self, leaf: &mut A, item: Item, ctx: &mut Context<A>) {
        match item {
            Item::Heard(parcel) => self.reading = Some(Reading::new(parcel)),
            Item::Resynced(gap, None) => self.resync(leaf, gap, ctx),
            Item::Resynced(gap, Some(Given { state, carried, hold: Some(hold) })) => {
                self.held = Some((Held::Resync(gap, state, carried), hold));
            }
            Item::Resynced(gap, Some(Given { state, carried, hold: None })) => {
                self.restore(leaf, gap, &state, carried, ctx);
            }
            Item::Tell(reply) => {
                let _nobody_waits = reply.send(A::Interface::state(leaf));
            }
            Item::Wanted(wanted) => self.telling.tell(leaf, wanted),
            Item::Members(members, _weight) => self.news.take(members),
            Item::Glimpse(item) => self.hear_volatile(leaf, &item.0, ctx),
            Item::Asked(mut asking) => match asking.hold.take() {
                Some(hold) => self.held = Some((Held::Asked(asking), hold)),
                None => Self::answer(leaf, *asking, None, ctx),
            },
        }
    }

    /// Gives the leaf what it is due, one after the other.
    fn go(&mut self, leaf: &mut A, ctx: &mut Context<A>, task: &mut Task<'_>) -> Poll<()> {
        loop {
            ready!(self.poll_answer(task));
            if ctx.waiting() {
                return Poll::Pending;
            }
            if let Some((_, hold)) = &mut self.held {
                // An error: the driver is gone, and nothing more will come.
                self.kept = ready!(Pin::new(hold).poll(task)).ok();
                if let Some((held, _)) = self.held.take() {
                    self.go_on(leaf, held, ctx);
                }
                continue;
            }
            if let Some(reading) = &mut self.reading {
                match reading.next() {
                    Some(Next::Shout(carried)) => match reading.hold() {
                        Some(hold) => self.held = Some((Held::Shout(carried), hold)),
                        None => self.hear(leaf, carried, ctx),
                    },
                    Some(Next::Owner(change)) => self.hear_of_owner(leaf, &change, ctx),
                    None => self.reading = None,
                }
                continue;
            }
            if self.news.tell(leaf, ctx) {
                continue;
            }
            let Some(item) = ready!(self.items.poll_recv(task)) else {
                ctx.stop();
                return Poll::Ready(());
            };
            self.take(leaf, item, ctx);
        }
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
        let polled = self.go(leaf, ctx, task);
        self.thanks.say();
        if std::mem::take(&mut self.has_moved) {
            self.progress.tell();
        }
        polled
    }
}

/// Bytes that a listed member takes of a tree, about.
const LISTED_BYTES: usize = 32;
