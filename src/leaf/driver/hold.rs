//! What messages and states carry: leaves of it are made and restored before the carrier is handed
//! over.
//!
//! A hold is one carrier that waits. It names the objects that are carried; those that the client
//! has no leaf of are joined, and what their states carry is followed to the end. When all are made,
//! states may be restored; when all are restored, and those that the message itself carries have
//! heard what its sender had heard of them, the message is handed over. What cannot be had, or not
//! in time, holds nothing up: the reference says why. Only the carrier's own inbox waits.

mod uptime;
mod waiting;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, atomic::AtomicUsize},
};

use actix::{AsyncContext, Context, Handler, Message};
use tokio::sync::oneshot;

use self::uptime::Uptime;
pub(super) use self::waiting::Until;
pub(crate) use self::waiting::{Arrived, Hold};
use self::waiting::{Counted, Made, Waiting};
use super::{Asked, Driver, enter::join};
use crate::{
    leaf::{
        channel::Gone,
        class::AnyClass,
        client::{AnySeat, Keep},
    },
    limits::{CARRY_JOINS_MAX, REPEATER_RESTARTS},
    object::{Carried, Missing, ObjectId, Seq, Tag},
    wire::{Refusal, Target},
};

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
    /// Joins under way, and those that wait for them to be answered.
    sent: usize,
    unsent: VecDeque<Fetching>,
    /// By which they wait.
    uptime: Uptime,
    /// What all carriers wait for.
    objects: Arc<AtomicUsize>,
}

/// A leaf that is to be made of an object that is carried.
pub(super) struct Fetching {
    pub(super) object: ObjectId,
    pub(super) class: Arc<dyn AnyClass>,
    /// Whether the program named the class.
    is_chosen: bool,
    /// How often the hub's part of the object has failed over it.
    retries: u32,
}

/// What is known of an object that a hold wants.
enum Found {
    Made(Made),
    Coming,
    Missing(Missing),
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
        self.hold_for(carried, until, Vec::new(), reply, ctx);
        hold
    }

    /// As [`hold`](Self::hold), with the other end of it.
    pub(super) fn hold_for(
        &mut self,
        carried: Vec<Carried>,
        until: Until,
        led_by: Vec<u64>,
        reply: oneshot::Sender<Arrived>,
        ctx: &mut Context<Self>,
    ) {
        let id = self.holds.next;
        self.holds.next += 1;
        let counted = Counted::among(&self.holds.objects);
        let now = self.holds.uptime.now();
        let waiting = Waiting::new(carried.clone(), until, led_by, now, counted, reply);
        self.holds.waiting.insert(id, waiting);
        self.want(id, carried);
        if !self.hand_over(id) {
            self.watch(ctx);
        }
    }

    /// The state of an object lists these: those who wait for it send for them, and are told.
    pub(super) fn lead(&mut self, object: ObjectId, carries: &[Carried]) -> Vec<u64> {
        let leaders = self.holds.fetching.get(&object).cloned().unwrap_or_default();
        for id in &leaders {
            self.want(*id, carries.to_vec());
        }
        leaders
    }

    /// The hub has answered for an object: there is a leaf of it now, or it cannot be had.
    pub(super) fn fetched(&mut self, object: ObjectId, seat: Result<AnySeat, Missing>) {
        // One that the program made meanwhile is there, whatever was answered to this request.
        let made = match (self.made(object), seat) {
            (Some(Found::Made(made)), _) => Ok(Some(made)),
            (Some(Found::Missing(missing)), _) | (_, Err(missing)) => Err(Arc::new(missing)),
            (_, Ok(_going)) => Ok(None),
        };
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
                    waiting.miss(object, missing.clone());
                }
            }
            self.hand_over(id);
        }
    }

    /// There is a connection again: who waits goes on waiting.
    pub(super) fn go_on_waiting(&mut self, ctx: &mut Context<Self>) {
        self.holds.uptime.go_on();
        self.watch(ctx);
    }

    /// Nobody waits any longer: there is no connection any more.
    pub(super) fn give_up_all(&mut self) {
        self.holds.fetching.clear();
        self.holds.unsent.clear();
        let ids: Vec<_> = self.holds.waiting.keys().copied().collect();
        for id in ids {
            self.give_up(id);
        }
    }

    /// Asks for these objects, and for what the states of those that are there lead to.
    fn want(&mut self, id: u64, carried: Vec<Carried>) {
        let mut wanted = VecDeque::from(carried);
        while let Some(Carried { object, tag, .. }) = wanted.pop_front() {
            if !self.holds.waiting.get_mut(&id).is_some_and(|hold| hold.admit(object)) {
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
                    waiting.miss(object, missing);
                }
            }
        }
    }

    /// Finds a leaf of an object, or sends for one.
    fn find(&mut self, id: u64, object: ObjectId, tag: &Tag) -> Found {
        if let Some(made) = self.made(object) {
            return made;
        }
        if let Some(ids) = self.holds.fetching.get_mut(&object) {
            ids.push(id);
            return Found::Coming;
        }
        if self.is_closed() {
            return Found::Missing(Missing::Late);
        }
        if let Some(missing) = self.holds.led(id, object) {
            return Found::Missing(missing);
        }
        let class = self.keep.upgrade().and_then(|keep| keep.class_for(tag));
        let Some(class) = class else { return Found::Missing(Missing::Opaque) };
        self.holds.fetching.insert(object, vec![id]);
        self.fetch(Fetching { object, class, is_chosen: false, retries: 0 });
        Found::Coming
    }

    fn fetch(&mut self, fetching: Fetching) {
        self.holds.unsent.push_back(fetching);
        self.send_for();
    }

    /// Sends for what is wanted, as far as may be under way.
    fn send_for(&mut self) {
        while self.holds.sent < CARRY_JOINS_MAX {
            let Some(fetching) = self.holds.unsent.pop_front() else { return };
            if !fetching.is_chosen && !self.holds.is_awaited(fetching.object) {
                self.holds.fetching.remove(&fetching.object);
                continue;
            }
            self.holds.sent += 1;
            let (target, interface) = (Target::Object(fetching.object), fetching.class.interface());
            let (answers, asked) = (fetching.class.answers(), Asked::Fetch(fetching));
            self.ask(asked, |request| join(request, target, interface, answers, None));
        }
    }

    /// A request for a carried object was answered: the next may go.
    pub(super) fn fetch_answered(&mut self) {
        self.holds.sent = self.holds.sent.saturating_sub(1);
        self.send_for();
    }

    /// The hub does not let a leaf in. An object that failed over the request itself is asked for
    /// again, as one that has failed for good says so too.
    pub(super) fn not_fetched(&mut self, fetching: Fetching, refusal: Refusal) {
        self.fetch_answered();
        let Fetching { object, retries, .. } = fetching;
        if let Some(class) = self.class_there(&fetching, &refusal) {
            return self.fetch(Fetching { class, retries: retries + 1, ..fetching });
        }
        if !matches!(refusal, Refusal::Failed(_)) || retries == REPEATER_RESTARTS {
            return self.fetched(object, Err(refusal.into()));
        }
        self.fetch(Fetching { retries: retries + 1, ..fetching });
    }

    /// The class for the version that an object is of, where the first class for its tag was for
    /// another one.
    fn class_there(&self, fetching: &Fetching, refusal: &Refusal) -> Option<Arc<dyn AnyClass>> {
        let Refusal::Interface { wanted, there } = refusal else { return None };
        if wanted.tag != there.tag {
            return None;
        }
        let keep = self.keep.upgrade().filter(|_| !fetching.is_chosen && fetching.retries == 0)?;
        keep.class_for_interface(there)
    }

    /// What is known of an object whose leaf is there to stay.
    fn made(&self, object: ObjectId) -> Option<Found> {
        let entry = self.entries.get(&object)?;
        let leaf = entry.leaf.as_ref()?;
        let (seat, progress) = (leaf.seat.upgrade()?, leaf.progress.clone());
        // One that lives on alone hears nothing more.
        if let Some(Gone::Refused(refusal)) = entry.channel.gone().filter(|_| leaf.cursor.is_some())
        {
            return Some(Found::Missing(refusal.into()));
        }
        let carries = if progress.has_begun() { Vec::new() } else { leaf.carries.clone() };
        Some(Found::Made(Made { object, seat, progress, carries }))
    }

    /// Lets a carrier go on if it need not wait any more. `false`: it waits.
    fn hand_over(&mut self, id: u64) -> bool {
        let is_due = self.holds.waiting.get(&id).is_none_or(|hold| hold.absent.is_empty());
        if is_due && let Some(waiting) = self.holds.waiting.remove(&id) {
            if waiting.is_ready() {
                waiting.release();
            } else {
                tokio::task::spawn_local(waiting.hear(self.holds.uptime.hands()));
            }
        }
        is_due
    }

    /// What is absent still comes too late for this carrier.
    fn give_up(&mut self, id: u64) {
        let Some(waiting) = self.holds.waiting.get_mut(&id) else { return };
        for object in std::mem::take(&mut waiting.absent) {
            tracing::debug!(%object, "a carried object is late");
            waiting.miss(object, Missing::Late);
        }
        self.hand_over(id);
    }

    /// Sees to it that carriers do not wait for too long. Their deadlines come in their order.
    fn watch(&mut self, ctx: &mut Context<Self>) {
        let Some(first) = self.holds.waiting.values().next() else { return };
        if self.holds.uptime.runs() && !std::mem::replace(&mut self.holds.is_watched, true) {
            let rest = first.deadline.saturating_sub(self.holds.uptime.now());
            ctx.run_later(rest, |driver, ctx| {
                driver.holds.is_watched = false;
                driver.give_up_late();
                driver.watch(ctx);
            });
        }
    }

    fn give_up_late(&mut self) {
        let now = self.holds.uptime.now();
        let late = self.holds.waiting.iter().take_while(|(_, hold)| hold.deadline <= now);
        let late: Vec<_> = late.map(|(id, _)| *id).collect();
        for id in late {
            self.give_up(id);
        }
    }
}

impl Holds {
    /// There is no connection: nobody's time runs.
    pub(super) fn stand_still(&self) {
        self.uptime.stop();
    }

    /// Why a carrier that is led does not send for an object: what those who lead it know. Of one
    /// that they had, and that has gone since, it asks the hub.
    fn led(&self, id: u64, object: ObjectId) -> Option<Missing> {
        let led_by = &self.waiting.get(&id).filter(|hold| !hold.led_by.is_empty())?.led_by;
        let leaders = led_by.iter().filter_map(|leader| self.waiting.get(leader));
        let mut known = leaders.map(|leader| leader.missing(object)).peekable();
        if known.peek().is_none() {
            return Some(Missing::Late);
        }
        known.flatten().next().cloned()
    }

    /// Whether a carrier waits for an object still.
    fn is_awaited(&self, object: ObjectId) -> bool {
        let ids = self.fetching.get(&object);
        ids.is_some_and(|ids| ids.iter().any(|id| self.waiting.contains_key(id)))
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
            self.holds.fetching.insert(object, Vec::new());
            self.fetch(Fetching { object, class, is_chosen: true, retries: 0 });
        }
        self.hold_for(vec![Carried { object, tag, seq }], Until::Heard, Vec::new(), reply, ctx);
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
