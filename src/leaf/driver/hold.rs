//! What messages and states carry: leaves of it are made and restored before the carrier is handed
//! over.
//!
//! A hold is one carrier that waits. It names the objects that are carried; those that the client
//! has no leaf of are joined, and what their states carry is followed to the end. When all are made,
//! states may be restored; when all are restored, and those that the message itself carries have
//! heard what its sender had heard of them, the message is handed over. What cannot be had, or not
//! in time, holds nothing up: the reference says why. Only the carrier's own inbox waits.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use actix::{AsyncContext, Context, Handler, Message};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use super::{Asked, Driver, enter::join};
use crate::{
    leaf::{
        class::AnyClass,
        client::{AnySeat, Keep},
        progress::Progress,
    },
    limits::{CARRY_HOLD_MAX, CARRY_TIMEOUT, REPEATER_RESTARTS},
    object::{Brought, Carried, Missing, ObjectId, Seq, Tag},
    wire::{Refusal, Target},
};

/// Resolves when what is carried is there, or given up.
pub(crate) type Hold = oneshot::Receiver<Arrived>;

/// What is there of what is carried. Its leaves are kept while it is.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    _seats: Vec<AnySeat>,
    missing: BTreeMap<ObjectId, Arc<Missing>>,
}

/// What a carrier waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// A state: all leaves are made.
    Made,
    /// A message: all leaves have their states, and have heard what its sender had.
    Heard,
}

/// Make a leaf of an object, or wait until the one that is there has heard up to `seq`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Bring {
    pub(crate) object: ObjectId,
    pub(crate) seq: Seq,
    pub(crate) class: Arc<dyn AnyClass>,
    pub(crate) keep: Arc<Keep>,
    pub(crate) reply: oneshot::Sender<Arrived>,
}

/// Carriers that wait, and what they wait for.
#[derive(Default)]
pub(super) struct Holds {
    waiting: BTreeMap<u64, Waiting>,
    next: u64,
    /// Whether a timer runs for the first of them.
    is_watched: bool,
    /// Objects that are being joined, and the holds that wait for each.
    fetching: HashMap<ObjectId, Vec<u64>>,
}

/// A leaf that is to be made of an object that is carried.
pub(super) struct Fetching {
    pub(super) object: ObjectId,
    pub(super) class: Arc<dyn AnyClass>,
    /// How often the hub's part of the object has failed over it.
    retries: u32,
}

/// One carrier.
struct Waiting {
    carried: Vec<Carried>,
    until: Until,
    deadline: Instant,
    seen: BTreeSet<ObjectId>,
    absent: BTreeSet<ObjectId>,
    made: Vec<Made>,
    missing: BTreeMap<ObjectId, Arc<Missing>>,
    reply: oneshot::Sender<Arrived>,
}

/// A leaf that is there.
#[derive(Clone)]
struct Made {
    object: ObjectId,
    seat: AnySeat,
    progress: Arc<Progress>,
    /// What its state carries, if that is not restored yet.
    carries: Vec<Carried>,
}

/// What is known of an object that a hold wants.
enum Found {
    Made(Made),
    Coming,
    Missing(Missing),
}

impl Arrived {
    /// The carried objects as their references are to tell of them.
    pub(crate) fn brought(&self, carried: Vec<Carried>) -> Vec<Brought> {
        let brought = carried.into_iter().map(|carried| {
            let missing = self.missing.get(&carried.object).cloned();
            Brought { carried, missing }
        });
        brought.collect()
    }

    /// Why there is no leaf of an object.
    pub(crate) fn missing(&self, object: ObjectId) -> Option<&Missing> {
        self.missing.get(&object).map(|missing| &**missing)
    }
}

impl Driver {
    /// Has a carrier wait for what it carries.
    pub(super) fn hold(
        &mut self,
        carried: Vec<Carried>,
        until: Until,
        ctx: &mut Context<Self>,
    ) -> Hold {
        let (reply, hold) = oneshot::channel();
        self.hold_for(carried, until, reply, ctx);
        hold
    }

    /// As [`hold`](Self::hold), with the other end of it.
    pub(super) fn hold_for(
        &mut self,
        carried: Vec<Carried>,
        until: Until,
        reply: oneshot::Sender<Arrived>,
        ctx: &mut Context<Self>,
    ) {
        let id = self.holds.next;
        self.holds.next += 1;
        self.holds.waiting.insert(id, Waiting::new(carried.clone(), until, reply));
        self.want(id, carried);
        if !self.hand_over(id) {
            self.watch(ctx);
        }
    }

    /// The hub has answered for an object: there is a leaf of it now, or it cannot be had.
    pub(super) fn fetched(&mut self, object: ObjectId, seat: Result<AnySeat, Missing>) {
        let made = seat.map(|_kept| self.made(object)).map_err(Arc::new);
        for id in self.holds.fetching.remove(&object).unwrap_or_default() {
            let Some(waiting) = self.holds.waiting.get_mut(&id) else { continue };
            waiting.absent.remove(&object);
            match &made {
                Ok(Some(made)) => {
                    let carries = waiting.make(made.clone());
                    self.want(id, carries);
                }
                Ok(None) => {}
                Err(missing) => {
                    waiting.missing.insert(object, missing.clone());
                }
            }
            self.hand_over(id);
        }
    }

    /// Nobody waits any longer: the connection is no more.
    pub(super) fn give_up_all(&mut self) {
        self.holds.fetching.clear();
        let ids: Vec<_> = self.holds.waiting.keys().copied().collect();
        for id in ids {
            self.give_up(id);
        }
    }

    /// Asks for these objects, and for what the states of those that are there lead to.
    fn want(&mut self, id: u64, carried: Vec<Carried>) {
        let mut wanted = VecDeque::from(carried);
        while let Some(Carried { object, tag, .. }) = wanted.pop_front() {
            let is_new = self.holds.waiting.get_mut(&id).is_some_and(|hold| hold.admit(object));
            if !is_new {
                continue;
            }
            let found = self.find(id, object, &tag);
            let Some(waiting) = self.holds.waiting.get_mut(&id) else { return };
            match found {
                Found::Made(made) => wanted.extend(waiting.make(made)),
                Found::Coming => {
                    waiting.absent.insert(object);
                }
                Found::Missing(missing) => {
                    waiting.missing.insert(object, Arc::new(missing));
                }
            }
        }
    }

    /// Finds a leaf of an object, or sends for one.
    fn find(&mut self, id: u64, object: ObjectId, tag: &Tag) -> Found {
        if let Some(made) = self.made(object) {
            return Found::Made(made);
        }
        if !self.holds.fetching.contains_key(&object) {
            if self.is_closed() {
                return Found::Missing(Missing::Late);
            }
            let class = self.keep.upgrade().and_then(|keep| keep.class_for(tag));
            let Some(class) = class else { return Found::Missing(Missing::Opaque) };
            self.fetch(Fetching { object, class, retries: 0 });
        }
        self.holds.fetching.entry(object).or_default().push(id);
        Found::Coming
    }

    fn fetch(&mut self, fetching: Fetching) {
        let (object, interface) = (fetching.object, fetching.class.interface());
        self.holds.fetching.entry(object).or_default();
        let target = Target::Object(object);
        self.ask(Asked::Fetch(fetching), |request| join(request, target, interface, None));
    }

    /// The hub does not let a leaf in. An object that failed over the request itself is asked for
    /// again, as one that has failed for good says so too.
    pub(super) fn not_fetched(&mut self, fetching: Fetching, refusal: Refusal) {
        let Fetching { object, retries, .. } = fetching;
        if !matches!(refusal, Refusal::Failed(_)) || retries == REPEATER_RESTARTS {
            return self.fetched(object, Err(refusal.into()));
        }
        self.fetch(Fetching { retries: retries + 1, ..fetching });
    }

    /// The leaf of an object, if it is there to stay.
    fn made(&self, object: ObjectId) -> Option<Made> {
        let leaf = self.entries.get(&object)?.leaf.as_ref()?;
        let (seat, progress) = (leaf.seat.upgrade()?, leaf.progress.clone());
        let carries = if progress.has_begun() { Vec::new() } else { leaf.carries.clone() };
        Some(Made { object, seat, progress, carries })
    }

    /// Lets a carrier go on if it need not wait any more. `false`: it waits.
    fn hand_over(&mut self, id: u64) -> bool {
        let is_due = self.holds.waiting.get(&id).is_none_or(|hold| hold.absent.is_empty());
        if is_due && let Some(waiting) = self.holds.waiting.remove(&id) {
            if waiting.is_ready() {
                waiting.release();
            } else {
                tokio::task::spawn_local(waiting.hear());
            }
        }
        is_due
    }

    /// What is absent still comes too late for this carrier.
    fn give_up(&mut self, id: u64) {
        let Some(waiting) = self.holds.waiting.get_mut(&id) else { return };
        for object in std::mem::take(&mut waiting.absent) {
            tracing::debug!(%object, "a carried object is late");
            waiting.missing.insert(object, Arc::new(Missing::Late));
        }
        self.hand_over(id);
    }

    /// Sees to it that carriers do not wait for too long. Their deadlines come in their order.
    fn watch(&mut self, ctx: &mut Context<Self>) {
        let Some(first) = self.holds.waiting.values().next() else { return };
        if !std::mem::replace(&mut self.holds.is_watched, true) {
            let rest = first.deadline.saturating_duration_since(Instant::now());
            ctx.run_later(rest, |driver, ctx| {
                driver.holds.is_watched = false;
                driver.give_up_late();
                driver.watch(ctx);
            });
        }
    }

    fn give_up_late(&mut self) {
        let now = Instant::now();
        let late = self.holds.waiting.iter().take_while(|(_, hold)| hold.deadline <= now);
        let late: Vec<_> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.give_up(id);
        }
    }
}

impl Waiting {
    fn new(carried: Vec<Carried>, until: Until, reply: oneshot::Sender<Arrived>) -> Self {
        Self {
            carried,
            until,
            deadline: Instant::now() + CARRY_TIMEOUT,
            seen: BTreeSet::new(),
            absent: BTreeSet::new(),
            made: Vec::new(),
            missing: BTreeMap::new(),
            reply,
        }
    }

    /// Whether an object is one more to wait for.
    fn admit(&mut self, object: ObjectId) -> bool {
        if self.seen.contains(&object) {
            return false;
        }
        if self.seen.len() == CARRY_HOLD_MAX {
            self.missing.insert(object, Arc::new(Missing::Limit));
            return false;
        }
        self.seen.insert(object)
    }

    /// A leaf is there; what its state carries is wanted too.
    fn make(&mut self, mut made: Made) -> Vec<Carried> {
        let carries = std::mem::take(&mut made.carries);
        self.made.push(made);
        carries
    }

    /// What a leaf must have heard before the carrier is handed over.
    fn seq_of(&self, object: ObjectId) -> Seq {
        let carried = self.carried.iter().find(|each| each.object == object);
        carried.map(|each| each.seq).unwrap_or_default()
    }

    fn is_ready(&self) -> bool {
        let mut made = self.made.iter();
        self.until == Until::Made
            || made.all(|made| made.progress.has_done(self.seq_of(made.object)))
    }

    /// Waits until every leaf has heard what it must.
    async fn hear(mut self) {
        for made in &self.made {
            let heard = made.progress.until_done(self.seq_of(made.object));
            if timeout_at(self.deadline, heard).await.is_err() {
                tracing::debug!(object = %made.object, "a carried object is late");
                self.missing.insert(made.object, Arc::new(Missing::Late));
            }
        }
        self.release();
    }

    fn release(self) {
        let seats = self.made.into_iter().map(|made| made.seat).collect();
        // Nobody waits when the carrier's leaf is gone.
        let _gone = self.reply.send(Arrived { _seats: seats, missing: self.missing });
    }
}

impl Handler<Bring> for Driver {
    type Result = ();

    fn handle(&mut self, bring: Bring, ctx: &mut Self::Context) {
        // Without a reply the caller is told why the connection is no more.
        if self.is_closed() {
            return;
        }
        let Bring { object, seq, class, keep, reply } = bring;
        self.keep = Arc::downgrade(&keep);
        let tag = class.interface().tag;
        let is_coming = self.holds.fetching.contains_key(&object);
        if self.made(object).is_none() && !is_coming {
            self.fetch(Fetching { object, class, retries: 0 });
        }
        self.hold_for(vec![Carried { object, tag, seq }], Until::Heard, reply, ctx);
    }
}

impl From<Refusal> for Missing {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Gone | Refusal::Unknown => Self::Gone,
            Refusal::Interface { wanted, there } if wanted.tag == there.tag => {
                Self::Version { wanted, there }
            }
            Refusal::Limit { .. } => Self::Limit,
            other => Self::Refused(other.to_string()),
        }
    }
}
