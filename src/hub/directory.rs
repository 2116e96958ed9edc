//! The actor that knows every object of a hub, by id and by name, and every session.
//!
//! It makes objects (their repeaters), finds them, names them, and tells those who watch. It
//! never touches a shout.

mod names;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, Supervised};
use bytes::Bytes;
use rand::rngs::StdRng;

use self::names::Watch;
pub(crate) use self::names::{EndWatch, SetName, TellNames};
use super::{
    clock::Clock,
    history::History,
    repeater::Repeater,
    session::{ObjectFailed, Session},
};
use crate::{
    limits::{OBJECTS_MAX, REPEATER_RESTARTS, REPEATER_RESTARTS_WITHIN, SESSIONS_MAX},
    object::{Epoch, InterfaceId, Name, ObjectId, SessionId},
    supervise::{self, Event, Placement, RestartLimit},
    wire::{self, Carried, Refusal, Target},
};

/// Every object and session of a hub.
#[derive(Debug)]
pub(crate) struct Directory {
    random: StdRng,
    clock: Clock,
    places: Arc<[Placement]>,
    objects: HashMap<ObjectId, Object>,
    names: BTreeMap<Name, ObjectId>,
    pub(super) sessions: BTreeMap<SessionId, Addr<Session>>,
    watches: Vec<Watch>,
    stopping: bool,
}

#[derive(Debug)]
struct Object {
    repeater: Addr<Repeater>,
    interface: InterfaceId,
    name: Option<Name>,
    failed: Option<String>,
}

/// An object, as it is found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) object: ObjectId,
    pub(crate) repeater: Addr<Repeater>,
    pub(crate) interface: InterfaceId,
    pub(crate) name: Option<Name>,
    /// The history of an object that was made just now.
    pub(crate) made: Option<Epoch>,
}

/// Make an object; or find the one of that name, if that will do.
#[derive(Debug, Message)]
#[rtype(result = "Result<Found, Refusal>")]
pub(crate) struct Make {
    pub(crate) object: ObjectId,
    pub(crate) name: Option<Name>,
    pub(crate) or_find: bool,
    pub(crate) interface: InterfaceId,
    pub(crate) state: Option<(Bytes, Vec<Carried>)>,
}

/// Find an object of an interface.
#[derive(Debug, Message)]
#[rtype(result = "Result<Found, Refusal>")]
pub(crate) struct Find {
    pub(crate) target: Target,
    pub(crate) interface: Option<InterfaceId>,
}

/// A session begins, if there is room.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Refusal>")]
pub(crate) struct Begin {
    pub(crate) session: SessionId,
    pub(crate) addr: Addr<Session>,
}

/// A session has ended.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct End(pub(crate) SessionId);

/// An object's repeater has given up.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Failed {
    object: ObjectId,
    reason: String,
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
    pub(crate) fn new(random: StdRng, clock: Clock, places: Arc<[Placement]>) -> Self {
        Self {
            random,
            clock,
            places,
            objects: HashMap::new(),
            names: BTreeMap::new(),
            sessions: BTreeMap::new(),
            watches: Vec::new(),
            stopping: false,
        }
    }

    fn find(&self, target: &Target) -> Result<Found, Refusal> {
        let object = match target {
            Target::Object(object) => object,
            Target::Name(name) => self.names.get(name).ok_or(Refusal::Unknown)?,
        };
        let known = self.objects.get(object).ok_or(Refusal::Unknown)?;
        if let Some(reason) = &known.failed {
            return Err(Refusal::Failed(reason.clone()));
        }
        Ok(known.found(*object))
    }

    fn make(&mut self, make: Make, ctx: &Context<Self>) -> Result<Found, Refusal> {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        if self.objects.contains_key(&make.object) {
            return Err(Refusal::Exists(make.object));
        }
        limit("objects", self.objects.len(), OBJECTS_MAX)?;
        let epoch = Epoch::random(&mut self.random);
        let history = History::new(make.object, epoch, make.state);
        let repeater = self.start_repeater(make.object, history, ctx)?;
        let Make { object, interface, .. } = make;
        self.objects.insert(object, Object { repeater, interface, name: None, failed: None });
        if let Some(name) = make.name {
            self.set_name(object, name)?;
        }
        let found = self.find(&Target::Object(object))?;
        Ok(Found { made: Some(epoch), ..found })
    }

    fn start_repeater(
        &self,
        object: ObjectId,
        history: History,
        ctx: &Context<Self>,
    ) -> Result<Addr<Repeater>, Refusal> {
        let limit = RestartLimit { restarts: REPEATER_RESTARTS, within: REPEATER_RESTARTS_WITHIN };
        // Weak, as the directory holds its repeaters: so that both end when the hub does.
        let (clock, directory) = (self.clock, ctx.address().downgrade());
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
            move |_| Repeater::new(object, history, clock),
            observe,
        )
        .map_err(|error| Refusal::Failed(error.to_string()))
    }

    /// Objects are spread over the arbiters by their ids, which are random.
    fn place_of(&self, object: ObjectId) -> &Placement {
        &self.places[usize::from(object.0[0]) % self.places.len()]
    }
}

impl Object {
    fn found(&self, object: ObjectId) -> Found {
        Found {
            object,
            repeater: self.repeater.clone(),
            interface: self.interface.clone(),
            name: self.name.clone(),
            made: None,
        }
    }
}

impl Actor for Directory {
    type Context = Context<Self>;
}

impl Supervised for Directory {}

impl Handler<Make> for Directory {
    type Result = Result<Found, Refusal>;

    fn handle(&mut self, make: Make, ctx: &mut Self::Context) -> Self::Result {
        let taken = make.name.clone().filter(|name| self.names.contains_key(name));
        match taken {
            None => self.make(make, ctx),
            Some(name) if make.or_find => {
                fit(self.find(&Target::Name(name))?, Some(make.interface))
            }
            Some(name) => Err(Refusal::NameTaken(name)),
        }
    }
}

impl Handler<Find> for Directory {
    type Result = Result<Found, Refusal>;

    fn handle(&mut self, find: Find, _: &mut Self::Context) -> Self::Result {
        fit(self.find(&find.target)?, find.interface)
    }
}

impl Handler<Begin> for Directory {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, begin: Begin, _: &mut Self::Context) -> Self::Result {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        limit("sessions", self.sessions.len(), SESSIONS_MAX)?;
        self.sessions.insert(begin.session, begin.addr);
        Ok(())
    }
}

impl Handler<End> for Directory {
    type Result = ();

    fn handle(&mut self, End(session): End, _: &mut Self::Context) {
        self.sessions.remove(&session);
        self.end_watches(session);
    }
}

impl Handler<Failed> for Directory {
    type Result = ();

    fn handle(&mut self, failed: Failed, _: &mut Self::Context) {
        let Failed { object, reason } = failed;
        tracing::error!(%object, reason, "an object has failed");
        if let Some(known) = self.objects.get_mut(&object) {
            known.failed = Some(reason.clone());
        }
        for session in self.sessions.values() {
            session.do_send(ObjectFailed { object, reason: reason.clone() });
        }
    }
}

impl Handler<Stop> for Directory {
    type Result = Everyone;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Everyone {
        self.stopping = true;
        Everyone {
            sessions: self.sessions.values().cloned().collect(),
            repeaters: self.objects.values().map(|object| object.repeater.clone()).collect(),
        }
    }
}

fn fit(found: Found, wanted: Option<InterfaceId>) -> Result<Found, Refusal> {
    match wanted {
        Some(wanted) if wanted != found.interface => {
            Err(Refusal::Interface { wanted, there: found.interface })
        }
        _ => Ok(found),
    }
}

fn limit(what: &str, there: usize, max: usize) -> Result<(), Refusal> {
    if there < max {
        return Ok(());
    }
    Err(Refusal::Limit { what: what.to_owned(), max: max as u32 })
}
