//! Leaves come and go: made, seated, published, parted.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    Asked, Asking, Driver,
    entry::{Entry, Leaf, Pace},
    hold::Until,
    mismatch,
};
use crate::{
    connection::Closed,
    leaf::{
        channel::{Channel, Link, Unborn},
        class::{AnyClass, Begin, Opening, SeatError, Seated, Seating},
        client::{AnySeat, JoinError, Keep},
        inbox::Given,
        progress::Progress,
    },
    object::{
        Carried, Cursor, Encoded, InterfaceId, Kind, Missing, Name, ObjectId, Op, Resync,
        ResyncReason, Seq,
    },
    wire::{Create, Join, Joined, Part, Refusal, Request, StateIs, Target},
};

type Reply = oneshot::Sender<Result<AnySeat, JoinError>>;

/// A state, and what it carries.
type State = (Bytes, Vec<Carried>);

/// Make a leaf of this class.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Enter {
    pub(crate) class: Arc<dyn AnyClass>,
    pub(crate) how: How,
    pub(crate) keep: Arc<Keep>,
    pub(crate) reply: Reply,
}

/// Of which object.
#[derive(Debug)]
pub(crate) enum How {
    /// A new one that nobody else knows of.
    Offline { state: Encoded, here: bool },
    /// A new one, or perhaps the one of that name.
    Create { name: Name, state: Encoded, or_join: bool, here: bool },
    /// The one of that name.
    Join { name: Name },
}

/// A leaf's last handle is gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Unseat {
    pub(crate) object: ObjectId,
    pub(crate) generation: u64,
}

/// A leaf has stopped, or panicked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct LeafGone {
    pub(crate) object: ObjectId,
    pub(crate) generation: u64,
    pub(crate) panicked: Option<String>,
}

/// A leaf that is to be made when the hub has answered.
pub(super) struct Entering {
    class: Arc<dyn AnyClass>,
    reply: Reply,
    name: Name,
    /// The object that the request would make, and its state.
    new: Option<(ObjectId, Encoded)>,
}

impl Entering {
    pub(super) fn refuse(self, refusal: Refusal) {
        let _nobody_waits = self.reply.send(Err(JoinError::refused(self.name, refusal)));
    }
}

impl Handler<Enter> for Driver {
    type Result = ();

    fn handle(&mut self, enter: Enter, ctx: &mut Self::Context) {
        // Without a reply the caller is told why the connection is no more.
        let Some(link) = self.link.clone().filter(|_| !self.is_closed()) else { return };
        let Enter { class, how, keep, reply } = enter;
        self.keep = Arc::downgrade(&keep);
        match how {
            How::Offline { state, here } => {
                let seat = self.live_offline(link, class, keep, (state, here), ctx);
                let _nobody_waits = reply.send(seat);
            }
            How::Create { name, mut state, or_join, here } => {
                link.pack(&mut state.carried);
                let object = ObjectId::random(&mut self.random);
                let create = create(&*class, object, Some(name.clone()), or_join, here);
                let (payload, carried) = (state.payload.clone(), state.carried.clone());
                let entering = Entering { class, reply, name, new: Some((object, state)) };
                let request = self.number();
                let frame = create(request, carried).encode(&payload);
                self.send(request, Asked::Enter(entering), frame);
            }
            How::Join { name } => {
                let (interface, answers) = (class.interface(), class.answers());
                let target = Target::Name(name.clone());
                let entering = Entering { class, reply, name, new: None };
                self.ask(Asked::Enter(entering), |request| {
                    join(request, target, interface, answers, None)
                });
            }
        }
    }
}

impl Driver {
    fn live_offline(
        &mut self,
        link: Arc<Link>,
        class: Arc<dyn AnyClass>,
        keep: Arc<Keep>,
        (state, here): (Encoded, bool),
        ctx: &mut Context<Self>,
    ) -> Result<AnySeat, JoinError> {
        let object = ObjectId::random(&mut self.random);
        let create = create(&*class, object, None, false, here);
        let request = self.number();
        let asking = Asking::new(Asked::Publish(object), Bytes::new());
        self.requests.insert(request, asking);
        let Encoded { payload, carried } = state;
        let state = Bytes::from(payload);
        let unborn = Unborn { create: create(request, carried.clone()), state: state.clone() };
        let mut entry = Entry::new(Channel::offline(object, link, unborn), class.interface());
        entry.publish = Some(request);
        let given = class.is_stateful().then_some((state, carried));
        let seat = self.seat(entry, class, keep, given, None, ctx);
        if seat.is_err() {
            self.entries.remove(&object);
            self.requests.remove(&request);
        }
        seat
    }

    /// The hub has let a leaf in.
    pub(super) fn joined(
        &mut self,
        joined: &Joined,
        payload: Bytes,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        let state = self.incoming.state(joined.object, joined.state, payload);
        let state = state.map_err(Closed::protocol)?;
        match self.recall(joined.request)? {
            Asked::Enter(entering) => self.enter(entering, joined, state, ctx),
            Asked::Publish(object) => self.published(object, joined, state, ctx),
            Asked::Rejoin(object, generation) => {
                self.rejoined(object, generation, joined, state, ctx);
            }
            Asked::Fetch(fetching) => {
                self.fetch_answered();
                let seat = self.bring_in(fetching.class, joined, state, ctx);
                self.fetched(fetching.object, seat);
            }
            _ => return Err(mismatch(joined.request)),
        }
        Ok(())
    }

    fn enter(
        &mut self,
        entering: Entering,
        joined: &Joined,
        payload: Bytes,
        ctx: &mut Context<Self>,
    ) {
        let Entering { class, reply, new, .. } = entering;
        // Nobody keeps the client any more: it is about to say goodbye.
        let Some(keep) = self.keep.upgrade() else { return };
        let mine = new.filter(|(id, _)| *id == joined.object);
        let mine = mine.map(|(_, state)| (state.payload.into(), state.carried));
        let theirs = joined.state.is_present().then(|| (payload, joined.carried.clone()));
        let seat = self.let_in(class, keep, theirs.or(mine), joined, ctx);
        let _nobody_waits = reply.send(seat);
    }

    /// The hub has let a leaf in of an object that is carried.
    fn bring_in(
        &mut self,
        class: Arc<dyn AnyClass>,
        joined: &Joined,
        payload: Bytes,
        ctx: &mut Context<Self>,
    ) -> Result<AnySeat, Missing> {
        let Some(keep) = self.keep.upgrade() else {
            self.ask(Asked::Nothing, |request| Part { request, object: joined.object });
            return Err(Missing::Late);
        };
        let state = joined.state.is_present().then(|| (payload, joined.carried.clone()));
        self.let_in(class, keep, state, joined, ctx)
            .map_err(|error| Missing::Refused(error.to_string()))
    }

    /// Makes a leaf, if there is none.
    fn let_in(
        &mut self,
        class: Arc<dyn AnyClass>,
        keep: Arc<Keep>,
        state: Option<State>,
        joined: &Joined,
        ctx: &mut Context<Self>,
    ) -> Result<AnySeat, JoinError> {
        let Some(link) = self.link.clone() else {
            return Err(Closed::protocol("let in before the Welcome").into());
        };
        let object = joined.object;
        let mut entry = self.take_entry(object, link, joined.next_op, class.interface());
        entry.come_in();
        entry.name.clone_from(&joined.name);
        if joined.stale {
            entry.stall();
        }
        let there = present(&entry, &*class);
        let is_behind =
            there.is_some() && entry.leaf.as_mut().is_some_and(|leaf| leaf.lags(joined));
        let seat = if let Some(there) = there {
            self.entries.insert(object, entry);
            there
        } else {
            let given = state.filter(|_| class.is_stateful());
            self.seat(entry, class, keep, given, Some(joined), ctx)
        };
        if self.entries.get(&object).is_some_and(|entry| entry.leaf.is_none()) {
            self.part(object);
        } else if is_behind {
            self.ask_from_cursor(object);
        }
        seat
    }

    /// What is known of an object that the hub has let the client into. A channel that has ended
    /// is of no more use; nor is a leaf that lived on without the hub.
    pub(super) fn take_entry(
        &mut self,
        object: ObjectId,
        link: Arc<Link>,
        next_op: Op,
        interface: InterfaceId,
    ) -> Entry {
        let there = self.entries.remove(&object);
        let parting = there.as_ref().map_or(0, |entry| entry.parting);
        there.filter(|entry| !entry.channel.has_ended()).unwrap_or_else(|| {
            let channel = Channel::open(object, link, next_op);
            Entry { parting, ..Entry::new(channel, interface) }
        })
    }

    /// Makes a leaf and enters it.
    fn seat(
        &mut self,
        mut entry: Entry,
        class: Arc<dyn AnyClass>,
        keep: Arc<Keep>,
        state: Option<State>,
        joined: Option<&Joined>,
        ctx: &mut Context<Self>,
    ) -> Result<AnySeat, JoinError> {
        let generation = self.next_generation;
        self.next_generation += 1;
        let (channel, driver) = (entry.channel.clone(), ctx.address());
        let cursor = joined.map(|joined| joined.start);
        let owner = joined.and_then(|joined| joined.owner);
        let start = cursor.map_or(Seq(0), |cursor| cursor.seq);
        let carries = state.as_ref().map_or_else(Vec::new, |(_, carried)| carried.clone());
        let (release, hold) = oneshot::channel();
        let given = state.map(|(state, carried)| {
            let hold = (!carried.is_empty()).then_some(hold);
            Given { state, carried, hold }
        });
        let (object, progress) = (channel.object, Arc::<Progress>::default());
        let seating = Seating {
            channel,
            begin: Begin::Now(Opening { given, start, owner, skips: Vec::new() }),
            generation,
            driver,
            keep,
            progress: progress.clone(),
            seat: None,
        };
        let seated = class.clone().seat(seating).map(|Seated { seat, delivery }| {
            entry.leaf = Some(Leaf {
                class,
                seat: Arc::downgrade(&seat),
                generation,
                delivery,
                cursor,
                past: joined.map_or(Seq(0), |joined| joined.last),
                pace: Pace::Pushed,
                is_asked: false,
                progress,
                carries: carries.clone(),
                coming: None,
                lives: None,
                members: None,
            });
            entry.show();
            seat
        });
        self.entries.insert(object, entry);
        // Entered first: a state may carry its own object.
        if seated.is_ok() && !carries.is_empty() {
            let led_by = self.lead(object, &carries);
            self.hold_for(carries, Until::Made, led_by, release, ctx);
        }
        Ok(seated?)
    }

    /// A state as an inbox takes it.
    pub(super) fn given(
        &mut self,
        state: Bytes,
        carried: &[Carried],
        ctx: &mut Context<Self>,
    ) -> Given {
        let carried = carried.to_vec();
        let hold = (!carried.is_empty()).then(|| self.hold(carried.clone(), Until::Made, ctx));
        Given { state, carried, hold }
    }

    /// The hub knows an object that lived offline.
    fn published(
        &mut self,
        object: ObjectId,
        joined: &Joined,
        state: Bytes,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.publish = None;
        entry.channel.is_born();
        let Some(leaf) = &mut entry.leaf else { return entry.go_on_from(joined) };
        // It has heard nothing that could say otherwise.
        leaf.delivery.set_owner(joined.owner);
        if leaf.coming.is_some() {
            // It asks for the state that it begins with.
            return entry.go_on_from(joined);
        }
        let generation = leaf.generation;
        // The answer was lost, and the object has gone on: the leaf has missed what is in its state.
        let missed = (joined.start.seq > Seq(0)).then_some(Resync {
            reason: ResyncReason::Missed,
            from: Seq(1),
            to: joined.start.seq,
        });
        let joined = Joined { resync: joined.resync.or(missed), ..joined.clone() };
        self.rejoined(object, generation, &joined, state, ctx);
    }

    /// Becomes a leaf once more of an object that was made here.
    pub(super) fn ask_for_own(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get(&object) else { return };
        let (target, interface) = (Target::Object(object), entry.interface.clone());
        let (asked, answers) = (Asked::Publish(object), entry.answers());
        let request = self.ask(asked, |request| join(request, target, interface, answers, None));
        if let Some(entry) = self.entries.get_mut(&object) {
            entry.publish = Some(request);
        }
    }

    /// A leaf has let go: its inbox ends, and the hub is told if it knows of it.
    pub(super) fn part(&mut self, object: ObjectId) {
        let is_closed = self.is_closed();
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.leaf = None;
        if is_closed || entry.channel.abandon(&entry.why()) {
            return self.forget_idle(object);
        }
        entry.leave();
        self.ask(Asked::Part(object), |request| Part { request, object });
    }

    /// The hub has told everything that was said before a leaf parted.
    pub(super) fn parted(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if entry.went() && !entry.is_idle() {
            return self.rejoin(object);
        }
        self.forget_idle(object);
    }

    pub(super) fn forget_idle(&mut self, object: ObjectId) {
        if self.entries.get(&object).is_some_and(Entry::is_idle)
            && let Some(entry) = self.entries.remove(&object)
        {
            entry.channel.end(&entry.why());
            let _unsent = entry.publish.and_then(|request| self.requests.remove(&request));
        }
    }
}

impl Handler<Unseat> for Driver {
    type Result = ();

    fn handle(&mut self, unseat: Unseat, _: &mut Self::Context) {
        let Unseat { object, generation } = unseat;
        if self.entries.get_mut(&object).and_then(|entry| entry.leaf_of(generation)).is_some() {
            self.part(object);
        }
    }
}

impl Handler<LeafGone> for Driver {
    type Result = ();

    fn handle(&mut self, gone: LeafGone, ctx: &mut Self::Context) {
        let LeafGone { object, generation, panicked } = gone;
        if let Some(reason) = panicked
            && self.make_anew(object, generation, &reason, ctx)
        {
            return;
        }
        if let Some(link) = &self.link {
            // Not before: a leaf that has parted may still hear, and pass what it has heard.
            link.seats.leave(object, generation);
        }
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if entry.leaf_of(generation).is_some() {
            self.part(object);
        }
    }
}

/// The leaf that is there already, if it is of this class; a leaf that is just going is none.
fn present(entry: &Entry, class: &dyn AnyClass) -> Option<Result<AnySeat, JoinError>> {
    let leaf = entry.leaf.as_ref()?;
    let seat = leaf.seat.upgrade()?;
    if leaf.class.class() == class.class() {
        return Some(Ok(seat));
    }
    let (object, wanted, there) = (entry.channel.object, class.name(), leaf.class.name());
    Some(Err(JoinError::OtherClass { object, wanted, there }))
}

fn create(
    class: &dyn AnyClass,
    object: ObjectId,
    name: Option<Name>,
    or_join: bool,
    here: bool,
) -> impl FnOnce(Request, Vec<Carried>) -> Create + use<> {
    let (interface, codec) = (class.interface(), class.codec());
    let (presence, handover) = (class.has_presence(), class.hands_over());
    let (asks, answers) = (class.asks(), class.answers());
    let state = StateIs::from(class.is_stateful());
    move |request, carried| Create {
        request,
        object,
        name,
        or_join,
        here,
        interface,
        codec,
        state,
        presence,
        handover,
        asks,
        answers,
        carried,
    }
}

pub(super) fn join(
    request: Request,
    target: Target,
    interface: InterfaceId,
    answers: Vec<Kind>,
    cursor: Option<Cursor>,
) -> Join {
    Join { request, target, interface, cursor, answers }
}

impl From<SeatError> for JoinError {
    fn from(error: SeatError) -> Self {
        match error {
            SeatError::State(error) => Self::State(error),
            SeatError::Start(error) => Self::Place(error),
        }
    }
}
