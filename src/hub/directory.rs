//! The actor that knows every object of a hub, by id and by name, and every session.
//!
//! It makes objects (their repeaters), finds them, names them, and tells those who watch. It
//! never touches a shout.

mod above;
mod endings;
mod failing;
mod find;
mod keeping;
mod names;
mod rescue;
mod sessions;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, SpawnHandle, Supervised};
use bytes::Bytes;
use rand::rngs::StdRng;

pub use self::failing::RetryError;
use self::{
    above::Sought,
    failing::{Failed, Failure},
    find::{Reservations, fit},
    keeping::{Beginning, Quarantine},
    names::Watch,
    sessions::Sessions,
};
pub(crate) use self::{
    above::{Below, Copied, EndedAbove, Originate, Unsought},
    endings::{Carried, Destroy, Occupied, SetPin, TellEnded},
    failing::Remains,
    find::{Find, Found, Made, Reservation},
    keeping::{Ready, Restore},
    names::{EndWatch, SetName, TellNames},
    sessions::{Begin, End, GoOn, Prove, Unwatched},
};
use super::{
    clock::Clock,
    history::History,
    keeper::Keeper,
    life::Life,
    repeater::{Manner, Repeater},
    session::Session,
    tails::{Share, Tails},
    turn::{Turn, let_others_run},
    upward::Upward,
};
use crate::{
    journal::{Change, Definition},
    limits::{OBJECTS_MAX, REPEATER_RESTARTS, REPEATER_RESTARTS_WITHIN},
    object::{self, Codec, Epoch, HubId, InterfaceId, Name, ObjectId, SessionId},
    supervise::{self, Event, Placement, RestartLimit},
    wire::{self, Refusal, Target},
};

/// Every object and session of a hub.
#[derive(Debug)]
pub(crate) struct Directory {
    random: StdRng,
    clock: Clock,
    places: Arc<[Placement]>,
    objects: HashMap<ObjectId, Object>,
    names: BTreeMap<Name, ObjectId>,
    pub(super) sessions: Sessions,
    watches: Vec<Watch>,
    reservations: Reservations,
    /// The way to the hub above.
    upward: Arc<Upward>,
    /// Who looks for objects that are not here.
    sought: Sought,
    /// The sessions below links, and these.
    origins: BTreeMap<SessionId, SessionId>,
    /// The link of each hub below.
    links: BTreeMap<HubId, SessionId>,
    life: Life,
    /// The next look for objects that nobody needs.
    sweep: Option<SpawnHandle>,
    /// What was done for sessions since others ran.
    turn: Turn,
    tails: Arc<Tails>,
    /// What is to be kept, if the hub has a journal.
    keeper: Option<Arc<Keeper>>,
    /// How many objects have ended, as the journal counts them.
    ended: u64,
    /// Objects that the journal has not whole.
    quarantine: Quarantine,
    beginning: Beginning,
    stopping: bool,
}

#[derive(Debug)]
struct Object {
    repeater: Addr<Repeater>,
    interface: InterfaceId,
    codec: Codec,
    name: Option<Name>,
    /// Who made it here, if anybody did since the hub's start.
    maker: Option<SessionId>,
    /// Whether its home is a hub above.
    is_copy: bool,
    failed: Option<Box<Failure>>,
    /// What the journal has, if the hub has one.
    kept: Option<Box<Definition>>,
}

/// Make an object; or find the one of that name, if that will do.
#[derive(Debug, Message)]
#[rtype(result = "Result<Found, Refusal>")]
pub(crate) struct Make {
    pub(crate) object: ObjectId,
    pub(crate) name: Option<Name>,
    pub(crate) or_find: bool,
    pub(crate) interface: InterfaceId,
    pub(crate) codec: Codec,
    pub(crate) state: Option<(Bytes, Vec<object::Carried>)>,
    pub(crate) manner: Manner,
    /// Who makes it.
    pub(crate) owner: SessionId,
}

/// Let nobody in any more; answers with all that has to be brought to an end.
#[derive(Debug, Message)]
#[rtype(result = "Everyone")]
pub(crate) struct Stop;

/// All sessions and repeaters of a hub.
#[derive(Debug, Default, actix::MessageResponse)]
pub(crate) struct Everyone {
    pub(crate) sessions: Vec<Addr<Session>>,
    pub(crate) repeaters: Vec<Addr<Repeater>>,
}

impl Directory {
    pub(crate) fn new(
        random: StdRng,
        clock: Clock,
        places: Arc<[Placement]>,
        keeper: Option<Arc<Keeper>>,
        upward: Arc<Upward>,
    ) -> Self {
        Self {
            random,
            clock,
            places,
            objects: HashMap::new(),
            names: BTreeMap::new(),
            sessions: Sessions::default(),
            watches: Vec::new(),
            reservations: Reservations::default(),
            upward,
            sought: Sought::default(),
            origins: BTreeMap::new(),
            links: BTreeMap::new(),
            life: Life::default(),
            sweep: None,
            turn: Turn::default(),
            tails: Arc::default(),
            keeper,
            ended: 0,
            quarantine: Quarantine::default(),
            beginning: Beginning::Awaited,
            stopping: false,
        }
    }

    /// Counts what a session asked for; after much at once others run.
    fn took(&mut self, bytes: usize, ctx: &mut Context<Self>) {
        self.turn.took(1, bytes);
        if self.turn.is_over() {
            self.turn = Turn::default();
            let_others_run(self, ctx);
        }
    }

    fn make(&mut self, make: Make, ctx: &mut Context<Self>) -> Result<Found, Refusal> {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        if self.was_made_so(&make) {
            return self.find(&Target::Object(make.object));
        }
        if self.knows(make.object) || self.life.has_ended(make.object) {
            return Err(Refusal::Exists(make.object));
        }
        limit("objects", self.objects.len(), OBJECTS_MAX)?;
        let epoch = Epoch::random(&mut self.random);
        let kept = self.keep_new(epoch, &make);
        let mut history = History::new(make.object, epoch, make.state);
        if !make.manner.asks.is_empty() {
            history.own(make.owner);
        }
        if kept.is_some() {
            history.keep();
        }
        let list_change = history.list_change().unwrap_or_default();
        let Make { object, name, interface, codec, manner, owner: maker, .. } = make;
        let started = self.start_repeater(object, history, manner, false, ctx);
        let repeater = started.inspect_err(|_| self.keep([Change::Cleared(object)]))?;
        let (name_now, is_copy, failed) = (None, false, None);
        let known = Object {
            repeater,
            interface,
            codec,
            name: name_now,
            maker: Some(maker),
            is_copy,
            failed,
            kept,
        };
        self.objects.insert(object, known);
        self.upward.set_own(object, true);
        let now_ms = self.clock.now_ms();
        self.life.begin(object, now_ms);
        self.life.list(object, list_change, now_ms);
        self.sweep_later(ctx);
        if let Some(name) = name {
            self.set_name(object, name)?;
        }
        let found = self.find(&Target::Object(object))?;
        let fresh = Made::new(epoch, found.repeater.clone(), maker);
        Ok(Found { made: Some(Arc::new(fresh)), ..found })
    }

    fn start_repeater(
        &self,
        object: ObjectId,
        history: History,
        manner: Manner,
        is_copy: bool,
        ctx: &Context<Self>,
    ) -> Result<Addr<Repeater>, Refusal> {
        let limit = RestartLimit { restarts: REPEATER_RESTARTS, within: REPEATER_RESTARTS_WITHIN };
        // Weak, as the directory holds its repeaters: so that both end when the hub does.
        let (clock, directory) = (self.clock, ctx.address().downgrade());
        let (reports, share) = (directory.clone(), Share::new(self.tails.clone()));
        // A copy is fetched again, and kept nowhere.
        let keeper = self.keeper.clone().filter(|_| !is_copy);
        let upward = is_copy.then(|| self.upward.clone());
        let observe = move |event| match event {
            Event::Panicked { reason } => tracing::error!(%object, reason, "a repeater panicked"),
            Event::GaveUp { reason } => {
                if let Some(directory) = directory.upgrade() {
                    directory.do_send(Failed { object, reason: wire::reason(&reason) });
                }
            }
            _ => {}
        };
        // A mailbox takes what is sent with `do_send` whatever its size; the inward bounds hold.
        supervise::start(
            self.place_of(object),
            1,
            limit,
            move |_| {
                let new = Repeater::new(object, history, clock, reports, share, manner, keeper);
                match upward {
                    Some(upward) => new.copying(upward),
                    None => new,
                }
            },
            observe,
        )
        .map_err(|error| Refusal::Failed(error.to_string()))
    }

    /// Objects are spread over the arbiters by their ids, which are random.
    fn place_of(&self, object: ObjectId) -> &Placement {
        &self.places[usize::from(object.0[0]) % self.places.len()]
    }
}

impl Actor for Directory {
    type Context = Context<Self>;
}

impl Supervised for Directory {
    /// A panic has cancelled its timers.
    fn restarting(&mut self, ctx: &mut Self::Context) {
        self.begin_anew();
        self.sweep = None;
        self.sweep_later(ctx);
    }
}

impl Handler<Make> for Directory {
    type Result = Result<Found, Refusal>;

    fn handle(&mut self, make: Make, ctx: &mut Self::Context) -> Self::Result {
        self.took(0, ctx);
        let taken = make.name.clone().filter(|name| self.names.contains_key(name));
        match taken {
            None => self.make(make, ctx),
            Some(_) if self.was_made_so(&make) => self.make(make, ctx),
            Some(name) if make.or_find => {
                let found = fit(self.find(&Target::Name(name))?, Some(make.interface))?;
                self.life.renew(found.object, self.clock.now_ms());
                Ok(found)
            }
            Some(name) => Err(Refusal::NameTaken(name)),
        }
    }
}

impl Handler<Stop> for Directory {
    type Result = Everyone;

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Everyone {
        self.stopping = true;
        if let Some(sweep) = self.sweep.take() {
            ctx.cancel_future(sweep);
        }
        Everyone {
            sessions: self.sessions.addrs().cloned().collect(),
            repeaters: self.objects.values().map(|object| object.repeater.clone()).collect(),
        }
    }
}

fn limit(what: &str, there: usize, max: usize) -> Result<(), Refusal> {
    if there < max {
        return Ok(());
    }
    Err(Refusal::Limit { what: what.to_owned(), max: max as u32 })
}
