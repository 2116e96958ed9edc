//! The actor on the hub that stands for one client: all the leaves at the other end of its
//! connection.
//!
//! In come bursts of frames; out go messages to the directory and to repeaters. It authenticates
//! (the handshake), admits (every wish goes through one admission) and meters (the shout window,
//! the inward bound). It never sees what is sent down: repeaters push that onto the connection's
//! queue themselves.

mod asks;
mod below;
mod changes;
mod grades;
mod greeting;
mod outliving;
mod place;
mod slow;
mod snapshots;
mod volatile;
mod wishes;

pub(crate) use self::place::Metered;

use std::{collections::HashMap, sync::Arc};

use actix::{
    Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message, StreamHandler, Supervised,
};
use tokio::sync::oneshot;

use self::{
    below::{Below, is_of_links},
    greeting::Greeting,
    outliving::Estate,
    place::Place,
};
use super::{
    Env,
    admission::Identity,
    contact::{Contact, Pending},
    directory::End,
    repeater::{Forget, Repeater},
    turn::{Turn, let_others_run},
    volley::{Gathering, Subject},
};
use crate::{
    connection::{Burst, Closed, Held, Inward, Queue, Reader},
    limits::{INWARD_BYTES_MAX, REQUEST_BYTES_MIN},
    object::{HubId, ObjectId, SessionId},
    wire::{Bar, EndReason, Ended, Frame, Incoming, PlainShout, Request, ShoutFrame},
};

/// One client.
#[derive(Debug)]
pub(crate) struct Session {
    env: Arc<Env>,
    contact: Contact,
    client: Arc<Identity>,
    inward: Arc<Inward>,
    reader: Option<Reader>,
    greeting: Greeting,
    /// Whether the client has asked to go on with a session.
    is_resuming: bool,
    /// How the connection has ended, while that was being decided.
    lost: Option<Closed>,
    /// What has ended meanwhile.
    ended_early: Vec<ObjectEnded>,
    /// Who waits to stand for the session.
    heir: Option<oneshot::Sender<Estate>>,
    /// The objects that it has joined or attached to, is about to, or has shouted at before.
    places: HashMap<ObjectId, Place>,
    /// The hub that it has asked to be the link of.
    claimant: Option<HubId>,
    /// For whom it speaks, for a link.
    below: Option<Box<Below>>,
    /// Listings that are not decided, each with those who want its watch to end.
    listings: Vec<(Request, Vec<Pending>)>,
    /// The state that the client is telling, if it is a large one.
    incoming: Incoming,
    /// What was read since others ran.
    turn: Turn,
    /// Held while the hub stops, so that nothing more is read.
    quiet: Option<Held>,
}

/// An object is no more. Without a reason the session has been refused already.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct ObjectEnded {
    pub(crate) object: ObjectId,
    pub(crate) reason: Option<EndReason>,
}

/// An object at which the session has shouted is back.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Revisit {
    /// The session, or one below it.
    pub(crate) session: SessionId,
    pub(crate) object: ObjectId,
    pub(crate) repeater: Addr<Repeater>,
}

/// Read nothing more; what was read goes on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Quiet;

/// A claim of a hub below is decided.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Decided {
    pub(crate) number: u32,
    pub(crate) decision: Result<(), Bar>,
}

/// End, for this reason.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Finish(pub(crate) Closed);

impl Session {
    pub(crate) fn new(
        env: Arc<Env>,
        session: SessionId,
        peer: String,
        reader: Reader,
        queue: Arc<Queue>,
    ) -> Self {
        Self::over(env, session, peer, Some(reader), queue)
    }

    fn over(
        env: Arc<Env>,
        session: SessionId,
        peer: String,
        reader: Option<Reader>,
        queue: Arc<Queue>,
    ) -> Self {
        Self {
            env,
            contact: Contact { session, queue, is_below: false },
            client: Arc::new(Identity { peer, ..Identity::default() }),
            inward: reader.as_ref().map(|reader| reader.inward().clone()).unwrap_or_default(),
            reader,
            greeting: Greeting::Awaited,
            is_resuming: false,
            lost: None,
            ended_early: Vec::new(),
            heir: None,
            places: HashMap::new(),
            claimant: None,
            below: None,
            listings: Vec::new(),
            incoming: Incoming::default(),
            turn: Turn::default(),
            quiet: None,
        }
    }

    fn take(&mut self, mut burst: Burst, ctx: &mut Context<Self>) -> Result<(), Closed> {
        let mut gathering = None;
        while let Some(frame) = burst.peek() {
            let bytes = frame.len();
            self.turn.took(1, 4 + bytes);
            match self.subject_of(frame, &burst)? {
                Ok(subject) => {
                    self.gather(&mut gathering, subject, &burst)?.add();
                    burst.pass_over(bytes);
                }
                Err(other) => {
                    self.forward(gathering.take(), &burst)?;
                    burst.pass_over(bytes);
                    self.obey(other, 4 + bytes, ctx)?;
                }
            }
        }
        self.forward(gathering, &burst)
    }

    /// The object of the next frame if that is a shout, and for whom it is; another frame, read.
    #[inline]
    fn subject_of(&self, frame: &[u8], burst: &Burst) -> Result<Result<Subject, Frame>, Closed> {
        let is_open = self.greeting == Greeting::Open;
        if is_open
            && let Some(shout) = PlainShout::read(frame)
            && shout.origin.is_some() == self.below.is_some()
        {
            return Ok(Ok((shout.object, shout.origin)));
        }
        match burst.decode()? {
            Frame::Shout(ShoutFrame { origin: Some(_), .. }, _)
                if is_open && self.below.is_none() =>
            {
                let why = "a Shout frame names an origin, which only links between hubs do";
                Err(Closed::protocol(why))
            }
            Frame::Shout(ShoutFrame { origin: None, .. }, _) if is_open && self.below.is_some() => {
                Err(Closed::protocol("a Shout frame on a link names no origin"))
            }
            Frame::Shout(shout, _) if is_open => Ok(Ok((shout.object, shout.origin))),
            other => Ok(Err(other)),
        }
    }

    /// Where the next shout of `burst` goes. Those gathered for another object are passed on.
    #[inline]
    fn gather<'a>(
        &mut self,
        gathering: &'a mut Option<Gathering>,
        subject: Subject,
        burst: &Burst,
    ) -> Result<&'a mut Gathering, Closed> {
        if gathering.as_ref().is_some_and(|shouts| shouts.subject != subject) {
            self.forward(gathering.take(), burst)?;
        }
        Ok(gathering.get_or_insert_with(|| Gathering::new(subject, burst)))
    }

    /// Passes on shouts at one object as one message.
    fn forward(&mut self, gathering: Option<Gathering>, burst: &Burst) -> Result<(), Closed> {
        let Some(gathering) = gathering else { return Ok(()) };
        let (session, (object, origin)) = (self.contact.session, gathering.subject);
        let volley = gathering.finish(burst);
        let held = self.inward.hold(volley.bytes().max(REQUEST_BYTES_MIN));
        if let Some(origin) = origin {
            self.shout_below(origin, object, volley, held);
            return Ok(());
        }
        let turned_away = match self.places.get_mut(&object) {
            None => Some(volley),
            Some(place) => place.shout(session, volley, held)?.map(|shouts| shouts.volley),
        };
        if let Some(volley) = turned_away {
            self.contact.turn_away(object, volley);
        }
        Ok(())
    }

    fn obey(&mut self, frame: Frame, bytes: usize, ctx: &mut Context<Self>) -> Result<(), Closed> {
        match (self.greeting, frame) {
            (_, Frame::Heartbeat) => Ok(()),
            (_, Frame::Goodbye(goodbye)) => Err(Closed::remote(goodbye)),
            (Greeting::Awaited, Frame::Hello(hello)) => self.greet(hello, ctx),
            (Greeting::Awaited, frame) => Err(Closed::protocol(format!(
                "a {:?} frame came before the Hello",
                frame.frame_type()
            ))),
            (Greeting::Deciding, frame) => Err(Closed::protocol(format!(
                "a {:?} frame came before the Welcome",
                frame.frame_type()
            ))),
            (_, Frame::Hello(_)) => Err(Closed::protocol("a second Hello came")),
            (_, Frame::StatePiece(piece, bytes)) => {
                self.incoming.add(piece, &bytes).map_err(Closed::protocol)
            }
            (_, Frame::Snapshot(snapshot, state)) => self.tell_state(snapshot, &state, bytes),
            (_, Frame::Volatile(volatile, payload)) => {
                self.pass_volatile(&volatile, &payload, bytes);
                Ok(())
            }
            (_, Frame::Heard(heard)) => {
                self.pass_heard(&heard);
                Ok(())
            }
            (_, Frame::Ask(ask, payload)) => {
                self.pass_ask(ask, &payload, bytes);
                Ok(())
            }
            (_, Frame::Reply(reply, payload)) => {
                self.pass_reply(reply, payload, bytes);
                Ok(())
            }
            (_, Frame::Claim(claim)) => self.claim(claim, ctx),
            (_, frame) if is_of_links(&frame) => self.hear_below(frame, bytes, ctx),
            (_, Frame::Pull(pull)) => {
                self.pull(&pull, bytes);
                Ok(())
            }
            (_, frame) => self.wish(frame, bytes, ctx),
        }
    }

    fn object_ended(&mut self, ended: ObjectEnded) {
        let ObjectEnded { object, reason } = ended;
        let was_here = self.places.get_mut(&object).is_some_and(Place::end);
        self.tidy(object);
        self.forget_place_below(object);
        self.contact.queue.unpull(object);
        if let Some(reason) = reason.filter(|_| was_here) {
            self.contact.queue.tell(&Ended { object, reason });
        }
    }

    /// A request's number and its promise to be answered.
    fn pend(&self, request: Request, bytes: usize) -> Pending {
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
        Pending::new(request, self.contact.queue.clone(), held)
    }

    /// Those of the objects at which the session has a place.
    fn repeaters(&self) -> Vec<Addr<Repeater>> {
        let mut places: Vec<_> = self.places.iter().collect();
        // One order, whatever the map's is.
        places.sort_unstable_by_key(|(object, _)| **object);
        places.into_iter().filter_map(|(_, place)| place.repeater().cloned()).collect()
    }

    fn end(&mut self, closed: Closed, ctx: &mut Context<Self>) {
        let (session, peer) = (self.contact.session, &self.client.peer);
        tracing::info!(%session, peer, %closed, "a session has ended");
        self.contact.queue.close(closed);
        ctx.stop();
    }
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if self.greeting == Greeting::Away {
            return self.await_return(ctx);
        }
        self.watch_queue(ctx);
        if let Some(reader) = self.reader.take() {
            ctx.add_stream(reader);
        }
        self.await_hello(ctx);
    }

    fn stopped(&mut self, ctx: &mut Self::Context) {
        if *self.env.stopping.borrow() {
            // It may be gone on with when the hub is started again.
            return;
        }
        let session = self.contact.session;
        let end = self.env.directory.send(End { session, addr: ctx.address() });
        let repeaters = self.repeaters();
        let below = self.end_below();
        // What is kept of it goes first: nobody can come back when its ops are forgotten.
        tokio::task::spawn_local(async move {
            let _ended = end.await;
            for repeater in repeaters {
                repeater.do_send(Forget(session));
            }
            for (session, repeater) in below {
                repeater.do_send(Forget(session));
            }
        });
    }
}

impl Supervised for Session {}

impl StreamHandler<Result<Burst, Closed>> for Session {
    fn handle(&mut self, item: Result<Burst, Closed>, ctx: &mut Self::Context) {
        if self.heir.is_some() {
            // The other connection alone speaks for the client.
            return;
        }
        let taken = item.and_then(|burst| self.take(burst, ctx));
        if let Err(closed) = taken {
            self.lose(closed, ctx);
        }
        if self.turn.is_over() {
            self.turn = Turn::default();
            let_others_run(self, ctx);
        }
    }

    /// The session may outlive its connection.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl Handler<ObjectEnded> for Session {
    type Result = ();

    fn handle(&mut self, ended: ObjectEnded, _: &mut Self::Context) {
        if self.greeting == Greeting::Deciding {
            return self.ended_early.push(ended);
        }
        self.object_ended(ended);
    }
}

impl Handler<Revisit> for Session {
    type Result = ();

    fn handle(&mut self, revisit: Revisit, _: &mut Self::Context) {
        let Revisit { session, object, repeater } = revisit;
        if session != self.contact.session {
            return self.knows_of(session, object, repeater);
        }
        self.places.entry(object).or_default().leave_behind(repeater);
    }
}

impl Handler<Quiet> for Session {
    type Result = ();

    fn handle(&mut self, _: Quiet, _: &mut Self::Context) {
        self.quiet.get_or_insert_with(|| self.inward.hold(INWARD_BYTES_MAX));
    }
}

impl Handler<Finish> for Session {
    type Result = ();

    fn handle(&mut self, Finish(closed): Finish, ctx: &mut Self::Context) {
        self.end(closed, ctx);
    }
}
