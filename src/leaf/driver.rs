//! The actor at the client's end of a connection: the hub's session's other half.
//!
//! In come bursts of frames, and what handles and clients want; out go requests, and batches into
//! the leaves' inboxes. It knows leaves as inboxes and channels, never as classes.

mod anew;
mod asks;
mod catch_up;
mod enter;
mod entry;
mod grades;
mod hear;
mod hold;
mod members;
mod names;
mod reconnect;
mod refusals;
mod stalled;
mod volatile;
mod way_in;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Weak},
};

use actix::{Actor, ActorContext, Context, Handler, Message, StreamHandler, Supervised};
use bytes::Bytes;
use rand::rngs::StdRng;
use tokio::sync::{oneshot, watch};

pub(crate) use self::{
    asks::Answered,
    enter::{Enter, How, LeafGone, Unseat},
    hear::Drained,
    hold::{Arrived, Bring, Hold},
    names::{EndWatch, KeepIt, Keeping, ListNames, NameIt},
    reconnect::wait_before,
    way_in::{Attach, Detach},
};
use self::{
    asks::Questions,
    enter::Entering,
    entry::Entry,
    hold::{Fetching, Holds},
    names::{Listing, Watch},
    reconnect::Dial,
    way_in::Attaching,
};
use super::{
    channel::{self, Gone, Link},
    client::{ConnectionEvent, Keep, KeepError, NameError, Teller},
};
use crate::{
    connection::{Burst, Closed, Queue},
    object::{Missing, Name, ObjectId, SessionId},
    transport::{Connector, Duplex},
    wire::{
        self, Done, EndReason, Ended, Frame, Header, Hello, Incoming, Outcome, Refusal, Refused,
        Request, Welcome,
    },
};

/// A first connection to be driven, how others are made, and who waits for what comes of it.
pub(crate) struct Line {
    pub(crate) duplex: Duplex,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) hello: Hello,
    /// Told once: welcomed, or turned away.
    pub(crate) welcomed: oneshot::Sender<Result<Arc<Link>, Closed>>,
    /// Why there will be no connection any more, once it is so.
    pub(crate) closed: watch::Sender<Option<Closed>>,
    /// Connections on which something is still to be sent.
    pub(crate) writing: watch::Sender<usize>,
    pub(crate) events: Arc<Teller>,
}

/// The client's end of its connections, one after the other.
pub(crate) struct Driver {
    /// The first, until it is taken apart.
    duplex: Option<Duplex>,
    dial: Dial,
    queue: Arc<Queue>,
    /// Requests for which the queue has no room.
    unsent: VecDeque<Bytes>,
    session: SessionId,
    events: Arc<Teller>,
    welcomed: Option<oneshot::Sender<Result<Arc<Link>, Closed>>>,
    closed: watch::Sender<Option<Closed>>,
    /// None until the hub has welcomed the client.
    link: Option<Arc<Link>>,
    random: StdRng,
    entries: BTreeMap<ObjectId, Entry>,
    requests: BTreeMap<Request, Asking>,
    next_request: Request,
    watches: BTreeMap<Request, Watch>,
    next_generation: u64,
    /// What carried objects are made leaves with.
    keep: Weak<Keep>,
    holds: Holds,
    /// What others ask its leaves.
    questions: Questions,
    /// The state that the hub is telling, if it is a large one.
    incoming: Incoming,
    /// Whether it looks after objects whose homes are out of reach.
    is_watching_stalled: bool,
}

/// A request without an answer.
struct Asking {
    asked: Asked,
    /// What is sent again over another connection; empty while the object's channel sends it.
    frame: Bytes,
    /// Whether a hub may have it.
    is_sent: bool,
    /// Whether it was sent over more than one connection.
    is_again: bool,
}

/// What a request was for.
enum Asked {
    /// A leaf is to be made.
    Enter(Entering),
    /// An object that lived offline is made known.
    Publish(ObjectId),
    /// A leaf, of this generation, goes on from its cursor.
    Rejoin(ObjectId, u64),
    /// A leaf is to be made of an object that is carried.
    Fetch(Fetching),
    /// A leaf parts.
    Part(ObjectId),
    /// A voice is given.
    Attach(Attaching),
    /// A voice goes on.
    Reattach(ObjectId),
    /// An object is named.
    Name(ObjectId, Name, oneshot::Sender<Result<(), NameError>>),
    /// An object is pinned, unpinned or destroyed.
    Keep(ObjectId, Keeping, oneshot::Sender<Result<(), KeepError>>),
    /// Names are listed.
    List(Listing),
    /// A watch goes on.
    ListAgain(Vec<wire::Entry>),
    /// Nobody waits for the answer.
    Nothing,
}

/// Who is at an object.
#[derive(Clone, Copy, Debug)]
enum Way {
    Leaf,
    Voice,
}

/// Say goodbye; and `stop` when nobody needs the leaves any more either.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Close {
    pub(crate) stop: bool,
}

impl Driver {
    pub(crate) fn new(line: Line, random: StdRng) -> Self {
        let Line { duplex, connector, hello, welcomed, closed, writing, events } = line;
        Self {
            duplex: Some(duplex),
            dial: Dial::new(connector, hello, writing),
            queue: Arc::default(),
            unsent: VecDeque::new(),
            session: SessionId([0; 16]),
            events,
            welcomed: Some(welcomed),
            closed,
            link: None,
            random,
            entries: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 1,
            watches: BTreeMap::new(),
            next_generation: 1,
            keep: Weak::new(),
            holds: Holds::default(),
            questions: Questions::default(),
            incoming: Incoming::default(),
            is_watching_stalled: false,
        }
    }

    fn take(&mut self, burst: Burst, ctx: &mut Context<Self>) -> Result<(), Closed> {
        for frame in burst {
            let (frame, _) = frame?;
            match frame {
                Frame::Batch(batch) => self.hear(batch, ctx)?,
                Frame::Heartbeat => {}
                Frame::Goodbye(goodbye) => return Err(Closed::remote(goodbye)),
                Frame::Welcome(welcome) => self.welcome(&welcome, ctx)?,
                frame if !self.dial.is_up() => {
                    return Err(unexpected(&frame, "came before the Welcome"));
                }
                frame => self.answer(frame, ctx)?,
            }
        }
        self.send_unsent();
        Ok(())
    }

    fn answer(&mut self, frame: Frame, ctx: &mut Context<Self>) -> Result<(), Closed> {
        match frame {
            Frame::Joined(joined, state) => {
                self.joined(&joined, state, ctx)?;
                if joined.stale {
                    self.watch_stalled(ctx);
                }
            }
            Frame::Attached(attached) => self.attached(&attached, ctx)?,
            Frame::Done(done) => self.done(&done)?,
            Frame::Refused(refused) => self.refused(refused)?,
            Frame::Listed(listed) => self.listed(listed)?,
            Frame::Changed(changed) => self.changed(changed),
            Frame::Outcome(Outcome { object, op, verdict }) => {
                if let Some(entry) = self.entries.get(&object) {
                    entry.channel.settle(op, verdict);
                }
            }
            Frame::StatePiece(piece, bytes) => {
                self.incoming.add(piece, &bytes).map_err(Closed::protocol)?;
            }
            Frame::Resynced(resynced, state) => self.resynced(&resynced, state, ctx)?,
            Frame::Pulled(pulled) => self.pulled(&pulled),
            Frame::Rejoin(rejoin) => self.rejoin(rejoin.object),
            Frame::Stalled(stalled) => self.stall(stalled.object, ctx),
            Frame::Ended(Ended { object, reason }) => self.ended(object, reason),
            Frame::SnapshotWanted(wanted) => self.want_state(wanted.object),
            Frame::Members(members) => self.members(members)?,
            Frame::MembersChanged(changed) => self.members_changed(changed)?,
            Frame::Handled(handled) => self.handled(handled),
            Frame::Asked(asked, payload) => self.asked(asked, &payload, ctx),
            Frame::Replied(replied, payload) => self.replied(replied, &payload, ctx),
            Frame::VolatileHeard(heard, payload) => self.hear_volatile(&heard, &payload),
            other => return Err(unexpected(&other, "may not come from a hub")),
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: &Welcome, ctx: &mut Context<Self>) -> Result<(), Closed> {
        if self.dial.is_up() {
            return Err(Closed::protocol("a second Welcome came"));
        }
        if let Some(link) = self.link.clone() {
            return self.welcomed_back(&link, welcome, ctx);
        }
        let Some(waiting) = self.welcomed.take() else { return Ok(()) };
        let Welcome { session, hub, .. } = *welcome;
        let present = channel::Line { queue: self.queue.clone(), session, hub, is_up: true };
        let link = Arc::new(Link::new(present, welcome.limits));
        self.link = Some(link.clone());
        self.session = session;
        self.dial.come_up(welcome);
        tracing::info!(%hub, %session, "connected");
        self.events.tell(ConnectionEvent::Connected);
        waiting.send(Ok(link)).map_err(|_| Closed::done("nobody waits for the connection any more"))
    }

    /// Sends a request; its answer finds `asked`.
    fn ask<H: Header>(&mut self, asked: Asked, header: impl FnOnce(Request) -> H) -> Request {
        let request = self.number();
        self.send(request, asked, wire::encode(&header(request)));
        request
    }

    /// Sends a request, as soon as there is a connection.
    fn send(&mut self, request: Request, asked: Asked, frame: Bytes) {
        let is_sent = self.dial.is_up();
        let asking = Asking { is_sent, ..Asking::new(asked, frame.clone()) };
        self.requests.insert(request, asking);
        self.say(frame);
    }

    /// A number for a request that is about to be sent.
    fn number(&mut self) -> Request {
        let mut request = self.next_request;
        // Four thousand million requests later, an object that lives offline may still wait.
        while self.requests.contains_key(&request) || self.watches.contains_key(&request) {
            request = request.wrapping_add(1);
        }
        self.next_request = request.wrapping_add(1);
        request
    }

    /// What the answer to a request is for.
    fn recall(&mut self, request: Request) -> Result<Asked, Closed> {
        self.requests.remove(&request).map(|asking| asking.asked).ok_or_else(|| {
            Closed::protocol(format!("an answer came to request {request}, which nobody made"))
        })
    }

    fn done(&mut self, done: &Done) -> Result<(), Closed> {
        match self.recall(done.request)? {
            Asked::Part(object) => self.parted(object),
            Asked::Name(object, name, reply) => {
                if let Some(entry) = self.entries.get_mut(&object) {
                    entry.name = Some(name);
                }
                let _nobody_waits = reply.send(Ok(()));
            }
            Asked::Keep(_, _, reply) => {
                let _nobody_waits = reply.send(Ok(()));
            }
            Asked::Nothing => {}
            _ => return Err(mismatch(done.request)),
        }
        Ok(())
    }

    fn refused(&mut self, refused: Refused) -> Result<(), Closed> {
        let Refused { request, refusal } = refused;
        let asking = self.requests.get(&request);
        let is_again = asking.is_some_and(|asking| asking.is_again);
        if let Some(asking) = asking.filter(|it| it.asked.is_way_in())
            && refusal == Refusal::NotJoined
        {
            // Another leaf of the object has parted meanwhile: this one still wants in.
            self.say(asking.frame.clone());
            return Ok(());
        }
        match self.recall(request)? {
            Asked::Enter(entering) => entering.refuse(refusal),
            Asked::Attach(attaching) => attaching.refuse(refusal),
            Asked::Name(object, _, reply) => {
                let _nobody_waits = reply.send(Err(self.why_not(object, refusal).into()));
            }
            // It was carried out before, or by somebody else.
            Asked::Keep(_, Keeping::Destroyed, reply)
                if is_again && matches!(refusal, Refusal::Gone | Refusal::NotJoined) =>
            {
                let _nobody_waits = reply.send(Ok(()));
            }
            Asked::Keep(object, _, reply) => {
                let _nobody_waits = reply.send(Err(self.why_not(object, refusal).into()));
            }
            Asked::List(listing) => listing.refuse(refusal),
            Asked::ListAgain(_) => self.end_watch(request),
            Asked::Publish(object) => self.untaken(object, refusal),
            Asked::Fetch(fetching) => self.not_fetched(fetching, refusal),
            Asked::Rejoin(object, generation) => {
                let there = self.entries.get(&object).and_then(|entry| entry.leaf.as_ref());
                // A leaf that has come since was let in; one that has gone need not be.
                let has_gone = there.is_none() && refusal == Refusal::NotJoined;
                if !has_gone && there.is_none_or(|leaf| leaf.generation == generation) {
                    self.not_let_back(object, Way::Leaf, refusal);
                }
            }
            Asked::Reattach(object) => self.not_let_back(object, Way::Voice, refusal),
            Asked::Part(object) => self.parted(object),
            Asked::Nothing => {}
        }
        Ok(())
    }

    /// The object is no more: its leaf stops.
    fn ended(&mut self, object: ObjectId, reason: EndReason) {
        if self.entries.contains_key(&object) {
            tracing::warn!(%object, %reason, "an object has ended");
            self.let_go(object, &Gone::Ended(reason));
        }
    }

    /// Nothing is to be had of an object any more: its leaf stops.
    fn let_go(&mut self, object: ObjectId, gone: &Gone) {
        let Some(entry) = self.entries.remove(&object) else { return };
        if let Some(leaf) = &entry.leaf {
            leaf.progress.end(Missing::Gone);
        }
        entry.channel.end(gone);
    }

    /// There is no connection any more. Leaves live on for local messages, until their handles go.
    fn end(&mut self, closed: &Closed, ctx: &mut Context<Self>) {
        if self.is_closed() {
            return;
        }
        tracing::info!(%closed, "disconnected for good");
        self.give_up_dialing(ctx);
        self.queue.close(closed.clone());
        self.closed.send_replace(Some(closed.clone()));
        for entry in self.entries.values_mut() {
            entry.cut_off(closed);
        }
        self.entries.retain(|_, entry| !entry.is_idle());
        self.requests.clear();
        self.unsent.clear();
        self.watches.clear();
        self.give_up_all();
        self.events.tell(ConnectionEvent::Closed { why: closed.clone() });
        if let Some(waiting) = self.welcomed.take() {
            let _nobody_waits = waiting.send(Err(closed.clone()));
            ctx.stop();
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.borrow().is_some()
    }
}

impl Actor for Driver {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(duplex) = self.duplex.take() {
            self.open(duplex, ctx);
        }
    }

    fn stopped(&mut self, ctx: &mut Self::Context) {
        self.end(&Closed::done("the client has stopped"), ctx);
    }
}

impl Supervised for Driver {}

impl StreamHandler<(u64, Result<Burst, Closed>)> for Driver {
    fn handle(&mut self, (number, item): (u64, Result<Burst, Closed>), ctx: &mut Self::Context) {
        if number != self.dial.number {
            return;
        }
        let taken = item.and_then(|burst| self.take(burst, ctx));
        if let Err(closed) = taken {
            self.lose(&closed, ctx);
        }
    }

    /// Leaves outlive the connection, and this actor with them.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl Handler<Close> for Driver {
    type Result = ();

    fn handle(&mut self, close: Close, ctx: &mut Self::Context) {
        self.end(&Closed::done("the client left"), ctx);
        if close.stop {
            ctx.stop();
        }
    }
}

impl Asking {
    fn new(asked: Asked, frame: Bytes) -> Self {
        Self { asked, frame, is_sent: false, is_again: false }
    }

    /// What is sent again over another connection, if it is not the object's channel that does.
    fn again(&mut self) -> Option<Bytes> {
        if let Asked::List(listing) = &mut self.asked {
            listing.begin_again();
        }
        self.is_again |= std::mem::replace(&mut self.is_sent, true);
        (!self.frame.is_empty()).then(|| self.frame.clone())
    }
}

impl Asked {
    /// Whether a leaf is to be made of what it is answered.
    fn is_way_in(&self) -> bool {
        matches!(self, Self::Enter(_) | Self::Fetch(_))
    }

    /// Whether it is asked for anew over another connection.
    fn is_way_back(&self) -> bool {
        matches!(self, Self::Rejoin(..) | Self::Reattach(_) | Self::ListAgain(_))
    }
}

fn unexpected(frame: &Frame, why: &str) -> Closed {
    Closed::protocol(format!("a {:?} frame {why}", frame.frame_type()))
}

fn mismatch(request: Request) -> Closed {
    Closed::protocol(format!("the answer to request {request} does not fit it"))
}
