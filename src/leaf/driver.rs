//! The actor at the client's end of a connection: the hub's session's other half.
//!
//! In come bursts of frames, and what handles and clients want; out go requests, and batches into
//! the leaves' inboxes. It knows leaves as inboxes and channels, never as classes.

mod anew;
mod enter;
mod entry;
mod hear;
mod hold;
mod members;
mod names;
mod way_in;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Weak},
};

use actix::{
    Actor, ActorContext, AsyncContext, Context, Handler, Message, StreamHandler, Supervised,
};
use rand::rngs::StdRng;
use tokio::sync::{mpsc, oneshot, watch};

use self::{
    enter::Entering,
    entry::Entry,
    hold::{Fetching, Holds},
    names::Listing,
    way_in::Attaching,
};
pub(crate) use self::{
    enter::{Enter, How, LeafGone, Unseat},
    hear::Drained,
    hold::{Arrived, Bring, Hold},
    names::{EndWatch, KeepIt, Keeping, ListNames, NameIt},
    way_in::{Attach, Detach},
};
use super::{
    channel::{Gone, Link},
    client::{Keep, KeepError, NameError},
};
use crate::{
    connection::{self, Burst, Closed, Queue, Reader},
    limits::REPEATER_RESTARTS,
    object::{HubId, Missing, ObjectId},
    transport::Duplex,
    wire::{
        Change, Done, EndReason, Ended, Frame, Header, Hello, Limits, Outcome, Refusal, Refused,
        Request, Welcome,
    },
};

/// A connection to be driven, and who waits for what comes of it.
pub(crate) struct Line {
    pub(crate) duplex: Duplex,
    pub(crate) hello: Hello,
    /// Told once: welcomed, or turned away.
    pub(crate) welcomed: oneshot::Sender<Result<Welcomed, Closed>>,
    /// Why the connection is no more, once it is.
    pub(crate) closed: watch::Sender<Option<Closed>>,
    /// Whether everything that was to be sent has been.
    pub(crate) flushed: watch::Sender<bool>,
}

/// What the hub's Welcome settled.
#[derive(Debug)]
pub(crate) struct Welcomed {
    pub(crate) link: Arc<Link>,
    pub(crate) hub: HubId,
}

/// The client's end of a connection.
pub(crate) struct Driver {
    reader: Option<Reader>,
    queue: Arc<Queue>,
    hello: Option<Hello>,
    welcomed: Option<oneshot::Sender<Result<Welcomed, Closed>>>,
    closed: watch::Sender<Option<Closed>>,
    /// None until the hub has welcomed the client.
    link: Option<Arc<Link>>,
    random: StdRng,
    entries: BTreeMap<ObjectId, Entry>,
    requests: HashMap<Request, Asked>,
    next_request: Request,
    watches: HashMap<Request, mpsc::Sender<Change>>,
    next_generation: u64,
    /// What carried objects are made leaves with.
    keep: Weak<Keep>,
    holds: Holds,
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
    Name(ObjectId, oneshot::Sender<Result<(), NameError>>),
    /// An object is pinned, unpinned or destroyed.
    Keep(ObjectId, oneshot::Sender<Result<(), KeepError>>),
    /// Names are listed.
    List(Listing),
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
    /// Takes the connection apart, on the arbiter that this is called on.
    pub(crate) fn new(line: Line, random: StdRng) -> Self {
        let Line { duplex, hello, welcomed, closed, flushed } = line;
        let connection = connection::open(duplex, Limits::default());
        tokio::task::spawn_local(async move {
            connection.writer.await;
            flushed.send_replace(true);
        });
        Self {
            reader: Some(connection.reader),
            queue: connection.queue,
            hello: Some(hello),
            welcomed: Some(welcomed),
            closed,
            link: None,
            random,
            entries: BTreeMap::new(),
            requests: HashMap::new(),
            next_request: 1,
            watches: HashMap::new(),
            next_generation: 1,
            keep: Weak::new(),
            holds: Holds::default(),
        }
    }

    fn take(&mut self, burst: Burst, ctx: &mut Context<Self>) -> Result<(), Closed> {
        for frame in burst {
            let (frame, _) = frame?;
            match frame {
                Frame::Batch(batch) => self.hear(batch, ctx)?,
                Frame::Heartbeat => {}
                Frame::Goodbye(goodbye) => return Err(Closed::remote(goodbye)),
                Frame::Welcome(welcome) => self.welcome(&welcome)?,
                frame if self.link.is_none() => {
                    return Err(unexpected(&frame, "came before the Welcome"));
                }
                frame => self.answer(frame, ctx)?,
            }
        }
        Ok(())
    }

    fn answer(&mut self, frame: Frame, ctx: &mut Context<Self>) -> Result<(), Closed> {
        match frame {
            Frame::Joined(joined, state) => self.joined(&joined, state, ctx)?,
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
            Frame::Rejoin(rejoin) => self.rejoin(rejoin.object),
            Frame::Ended(Ended { object, reason }) => self.ended(object, reason),
            Frame::SnapshotWanted(wanted) => self.want_state(wanted.object),
            Frame::Members(members) => self.members(members)?,
            Frame::MembersChanged(changed) => self.members_changed(changed)?,
            other => return Err(unexpected(&other, "may not come from a hub")),
        }
        Ok(())
    }

    fn welcome(&mut self, welcome: &Welcome) -> Result<(), Closed> {
        let Some(waiting) = self.welcomed.take() else {
            return Err(Closed::protocol("a second Welcome came"));
        };
        let link = Arc::new(Link::new(self.queue.clone(), welcome.session, welcome.limits));
        self.link = Some(link.clone());
        tracing::info!(hub = %welcome.hub, session = %welcome.session, "connected");
        waiting
            .send(Ok(Welcomed { link, hub: welcome.hub }))
            .map_err(|_| Closed::done("nobody waits for the connection any more"))
    }

    /// Sends a request; its answer finds `asked`.
    fn ask<H: Header>(&mut self, asked: Asked, header: impl FnOnce(Request) -> H) -> Request {
        let request = self.remember(asked);
        self.queue.tell(&header(request));
        request
    }

    /// A number for a request that is about to be sent.
    fn remember(&mut self, asked: Asked) -> Request {
        let mut request = self.next_request;
        // Four thousand million requests later, an object that lives offline may still wait.
        while self.requests.contains_key(&request) || self.watches.contains_key(&request) {
            request = request.wrapping_add(1);
        }
        self.next_request = request.wrapping_add(1);
        self.requests.insert(request, asked);
        request
    }

    /// What the answer to a request is for.
    fn recall(&mut self, request: Request) -> Result<Asked, Closed> {
        self.requests.remove(&request).ok_or_else(|| {
            Closed::protocol(format!("an answer came to request {request}, which nobody made"))
        })
    }

    fn done(&mut self, done: &Done) -> Result<(), Closed> {
        match self.recall(done.request)? {
            Asked::Part(object) => self.parted(object),
            Asked::Name(_, reply) => {
                let _nobody_waits = reply.send(Ok(()));
            }
            Asked::Keep(_, reply) => {
                let _nobody_waits = reply.send(Ok(()));
            }
            Asked::Nothing => {}
            _ => return Err(mismatch(done.request)),
        }
        Ok(())
    }

    fn refused(&mut self, refused: Refused) -> Result<(), Closed> {
        let Refused { request, refusal } = refused;
        match self.recall(request)? {
            Asked::Enter(entering) => entering.refuse(refusal),
            Asked::Attach(attaching) => attaching.refuse(refusal),
            Asked::Name(object, reply) => {
                let _nobody_waits = reply.send(Err(self.why_not(object, refusal).into()));
            }
            Asked::Keep(object, reply) => {
                let _nobody_waits = reply.send(Err(self.why_not(object, refusal).into()));
            }
            Asked::List(listing) => listing.refuse(refusal),
            Asked::Publish(object) => self.untaken(object, refusal),
            Asked::Fetch(fetching) => self.not_fetched(fetching, refusal),
            Asked::Rejoin(object, generation) => {
                let there = self.entries.get(&object).and_then(|entry| entry.leaf.as_ref());
                // A leaf that has come since was let in.
                if there.is_none_or(|leaf| leaf.generation == generation) {
                    self.not_let_back(object, Way::Leaf, refusal);
                }
            }
            Asked::Reattach(object) => self.not_let_back(object, Way::Voice, refusal),
            Asked::Part(object) => self.parted(object),
            Asked::Nothing => {}
        }
        Ok(())
    }

    /// The hub does not take an object that lived offline. Its leaf lives on alone.
    fn untaken(&mut self, object: ObjectId, refusal: Refusal) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        tracing::warn!(%object, %refusal, "the hub does not take an object");
        entry.publish = None;
        entry.channel.refuse(refusal);
    }

    /// A leaf, or the voices without one, were refused on their way back to an object.
    ///
    /// An object that fails over a request says the same as one that has failed: to ask again tells
    /// the one from the other. Either it lets them in, or its end is told meanwhile.
    fn not_let_back(&mut self, object: ObjectId, who: Way, refusal: Refusal) {
        if refusal == Refusal::Gone {
            // It ended while nobody was there to be told so.
            return self.let_go(object, &Gone::Refused(refusal));
        }
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if !matches!(refusal, Refusal::Failed(_)) || entry.retries == REPEATER_RESTARTS {
            return self.shut_out(object, who, refusal);
        }
        entry.retries += 1;
        match who {
            Way::Leaf => self.ask_from_cursor(object),
            Way::Voice => self.attach_again(object),
        }
    }

    /// The hub does not let a leaf, or the voices without one, back to an object. With nobody
    /// there the channel ends, and the leaf lives on alone.
    fn shut_out(&mut self, object: ObjectId, who: Way, refusal: Refusal) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        tracing::warn!(%object, ?who, %refusal, "an object is out of reach");
        entry.is_attached &= matches!(who, Way::Leaf);
        match who {
            Way::Leaf if entry.is_attached => entry.leaf = None,
            Way::Voice if entry.leaf.is_some() => {}
            _ => {
                entry.channel.end(&Gone::Refused(refusal));
                entry.leave_unmade();
            }
        }
    }

    /// Why a leaf could not change its object. One that the hub did not take in the first place is
    /// not just one that the client is no leaf of.
    fn why_not(&self, object: ObjectId, refusal: Refusal) -> Refusal {
        let gone = self.entries.get(&object).and_then(|entry| entry.channel.gone());
        match (refusal, gone) {
            (Refusal::NotJoined, Some(Gone::Refused(first))) => first,
            (refusal, _) => refusal,
        }
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

    /// The connection is no more. Leaves live on for local messages, until their handles go.
    fn end(&mut self, closed: &Closed, ctx: &mut Context<Self>) {
        if self.closed.borrow().is_some() {
            return;
        }
        tracing::info!(%closed, "disconnected");
        self.queue.close(closed.clone());
        self.closed.send_replace(Some(closed.clone()));
        for entry in self.entries.values_mut() {
            entry.cut_off(closed);
        }
        self.entries.retain(|_, entry| !entry.is_idle());
        self.requests.clear();
        self.watches.clear();
        self.give_up_all();
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
        if let Some(hello) = self.hello.take() {
            self.queue.tell(&hello);
        }
        if let Some(reader) = self.reader.take() {
            ctx.add_stream(reader);
        }
    }

    fn stopped(&mut self, ctx: &mut Self::Context) {
        self.end(&Closed::done("the client has stopped"), ctx);
    }
}

impl Supervised for Driver {}

impl StreamHandler<Result<Burst, Closed>> for Driver {
    fn handle(&mut self, item: Result<Burst, Closed>, ctx: &mut Self::Context) {
        let taken = item.and_then(|burst| self.take(burst, ctx));
        if let Err(closed) = taken {
            self.end(&closed, ctx);
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

fn unexpected(frame: &Frame, why: &str) -> Closed {
    Closed::protocol(format!("a {:?} frame {why}", frame.frame_type()))
}

fn mismatch(request: Request) -> Closed {
    Closed::protocol(format!("the answer to request {request} does not fit it"))
}
