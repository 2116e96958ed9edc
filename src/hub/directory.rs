//! The actor that knows every object of a hub, by id and by name, and every session.
//!
//! It makes objects (their repeaters), finds them, names them, and tells those who watch. It
//! never touches a shout.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, Supervised};
use bytes::Bytes;
use rand::rngs::StdRng;

use super::{
    clock::Clock,
    contact::{Contact, Pending},
    history::History,
    repeater::Repeater,
    session::{ObjectFailed, Session},
};
use crate::{
    limits::{
        FRAME_BYTES_MAX, LISTING_BYTES_MAX, OBJECTS_MAX, REPEATER_RESTARTS,
        REPEATER_RESTARTS_WITHIN, SESSION_WATCHES_MAX, SESSIONS_MAX,
    },
    object::{Epoch, InterfaceId, Name, ObjectId, SessionId},
    supervise::{self, Event, Placement, RestartLimit},
    wire::{self, Carried, Change, Changed, Entry, Listed, Refusal, Request, Target},
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

#[derive(Debug)]
struct Watch {
    contact: Contact,
    request: Request,
    prefix: String,
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

/// Call an object something.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Refusal>")]
pub(crate) struct SetName {
    pub(crate) object: ObjectId,
    pub(crate) name: Name,
}

/// Tell the names that begin so, and perhaps their changes from then on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TellNames {
    pub(crate) pending: Pending,
    pub(crate) contact: Contact,
    pub(crate) prefix: String,
    pub(crate) watch: bool,
}

/// Tell a watcher no more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct EndWatch {
    pub(crate) pending: Pending,
    pub(crate) session: SessionId,
    pub(crate) list: Request,
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

    fn set_name(&mut self, object: ObjectId, name: Name) -> Result<(), Refusal> {
        let known = self.objects.get_mut(&object).ok_or(Refusal::Unknown)?;
        match &known.name {
            Some(there) if *there == name => return Ok(()),
            Some(there) => return Err(Refusal::HasName(there.clone())),
            None if self.names.contains_key(&name) => return Err(Refusal::NameTaken(name)),
            None => {}
        }
        known.name = Some(name.clone());
        let entry = Entry { name: name.clone(), object, interface: known.interface.clone() };
        self.names.insert(name, object);
        self.tell_watchers(&Change::Added(entry));
        Ok(())
    }

    fn tell_watchers(&mut self, change: &Change) {
        let name = match change {
            Change::Added(entry) => &entry.name,
            Change::Removed(name) => name,
        };
        for watch in &self.watches {
            if name.as_str().starts_with(&watch.prefix) {
                let (request, change) = (watch.request, change.clone());
                watch.contact.queue.tell(&Changed { request, change });
            }
        }
    }

    fn end_watch(&mut self, session: SessionId, list: Request) {
        self.watches.retain(|watch| watch.contact.session != session || watch.request != list);
    }

    fn entries<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Entry> + 'a {
        // Names are compared as texts, so those that begin so stand together.
        let from = prefix.parse::<Name>().map_or(Bound::Unbounded, Bound::Included);
        let all = self.names.range((from, Bound::Unbounded));
        all.take_while(move |(name, _)| name.as_str().starts_with(prefix)).filter_map(
            |(name, object)| {
                let interface = self.objects.get(object)?.interface.clone();
                Some(Entry { name: name.clone(), object: *object, interface })
            },
        )
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

impl Handler<SetName> for Directory {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, set: SetName, _: &mut Self::Context) -> Self::Result {
        self.set_name(set.object, set.name)
    }
}

impl Handler<TellNames> for Directory {
    type Result = ();

    fn handle(&mut self, tell: TellNames, _: &mut Self::Context) {
        let TellNames { pending, contact, prefix, watch } = tell;
        let (session, request) = (contact.session, pending.request());
        // A watch under this number is replaced.
        let others = self
            .watches
            .iter()
            .filter(|watch| watch.contact.session == session && watch.request != request);
        if watch && let Err(refusal) = limit("watches", others.count(), SESSION_WATCHES_MAX) {
            return pending.refuse(refusal);
        }
        let mut pieces = Vec::new();
        let mut piece = Listing::new(request);
        for entry in self.entries(&prefix) {
            pieces.extend(piece.add(entry));
            if let Err(refusal) =
                limit(TOO_MANY_NAMES, pieces.len() * PIECE_BYTES, LISTING_BYTES_MAX)
            {
                return pending.refuse(refusal);
            }
        }
        for piece in pieces {
            contact.queue.tell(&piece);
        }
        pending.answer(&piece.last(), &[]);
        if watch {
            self.end_watch(session, request);
            self.watches.push(Watch { contact, request, prefix });
        }
    }
}

impl Handler<EndWatch> for Directory {
    type Result = ();

    fn handle(&mut self, end: EndWatch, _: &mut Self::Context) {
        self.end_watch(end.session, end.list);
        end.pending.done();
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
        self.watches.retain(|watch| watch.contact.session != session);
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

/// A listing on its way into frames.
struct Listing {
    frame: Listed,
    bytes: usize,
}

impl Listing {
    fn new(request: Request) -> Self {
        Self { frame: Listed { request, entries: Vec::new(), last: false }, bytes: 0 }
    }

    /// Adds an entry; returns the frame that it no longer fitted into.
    fn add(&mut self, entry: Entry) -> Option<Listed> {
        let bytes = entry.name.as_str().len() + entry.interface.tag.as_str().len() + 24;
        let is_full = self.bytes + bytes > PIECE_BYTES;
        let full = is_full.then(|| std::mem::replace(self, Self::new(self.frame.request)).frame);
        self.bytes += bytes;
        self.frame.entries.push(entry);
        full
    }

    fn last(self) -> Listed {
        Listed { last: true, ..self.frame }
    }
}

/// Bytes of names in one frame of a listing: far from a whole frame, whatever is around them.
const PIECE_BYTES: usize = FRAME_BYTES_MAX / 2;
const TOO_MANY_NAMES: &str = "bytes of names in a listing; ask for a longer prefix";

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
