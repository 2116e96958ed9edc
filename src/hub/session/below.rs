//! A client that is a hub: a link, and for whom it speaks.
//!
//! The hub below is a leaf of an object as any client is. Beside that it says who is below it at the
//! object, and passes on what they say, each with the session that says it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use actix::{ActorFutureExt, Addr, AsyncContext, Context, Handler, WrapFuture};
use bytes::Bytes;

use super::{
    Decided, Metered, Session,
    place::Place,
    wishes::{by_id, join_wish},
};
use crate::{
    connection::{Closed, Held},
    hub::{
        admission::{Identity, Wish, decide},
        contact::{Contact, Pending},
        directory::{Below as BelowTold, Found, Originate, Reservation},
        repeater::{
            Acknowledge, Away, Enrolling, Forget, Join as Joining, Leave, Linked, PassAsk,
            PassReply, Relay, Repeater, Shouts, Spend,
        },
        roster::Way,
        volley::Volley,
    },
    limits::{BELOW_MAX, REQUEST_BYTES_MIN, RESERVED_MAX},
    object::{ObjectId, SessionId},
    wire::{
        self, Bar, Barred, Claim, Enroll, Fetch, Frame, Granted, Made, Refusal, Spent, Withdraw,
    },
};

/// For whom a link speaks.
#[derive(Debug, Default)]
pub(super) struct Below {
    /// The sessions below it, and where they are or have been.
    origins: BTreeMap<SessionId, BTreeMap<ObjectId, Addr<Repeater>>>,
    /// Objects that are about to be made.
    reserved: BTreeMap<ObjectId, Vec<Reservation>>,
    /// Those that it tells are below it, as far as it has.
    told: BTreeSet<SessionId>,
    /// Sessions of which the directory is asked whether they are below it, and how often.
    coming: BTreeMap<SessionId, usize>,
}

impl Below {
    /// Of before the hub's restart.
    pub(super) fn of(link: SessionId, sessions: &[SessionId]) -> Self {
        let below = sessions.iter().filter(|session| **session != link);
        let origins = below.map(|session| (*session, BTreeMap::new())).collect();
        Self { origins, ..Self::default() }
    }
}

impl Session {
    /// The connection is to be a link, or one below it is.
    pub(super) fn claim(&mut self, claim: Claim, ctx: &mut Context<Self>) -> Result<(), Closed> {
        if (claim.path.len() == 1) != self.below.is_none() {
            return Err(Closed::protocol("a claim of a hub that it is not for"));
        }
        if !self.places.is_empty() && self.below.is_none() {
            return Err(Closed::protocol("a client that has joined objects is no link"));
        }
        if self.below.is_some() {
            self.env.upward.claim(claim, ctx.address());
            return Ok(());
        }
        if self.claimant.replace(claim.path[0]).is_some() {
            return Err(Closed::protocol("a second claim came before the first was decided"));
        }
        let (visit, env) = (self.visit(Wish::Link), self.env.clone());
        let deciding = async move { decide(&*env.admission, visit).await };
        ctx.spawn(deciding.into_actor(self).map(move |decided, session, ctx| match decided {
            Ok(_) => session.env.upward.claim(claim, ctx.address()),
            Err(refusal) => {
                let (number, reason) = (claim.number, wire::reason(&refusal.to_string()));
                session.contact.queue.tell(&Barred { number, why: Bar::Denied { reason } });
            }
        }));
        Ok(())
    }

    /// What only a link says.
    pub(super) fn hear_below(
        &mut self,
        frame: Frame,
        bytes: usize,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        if self.below.is_none() {
            let kind = frame.frame_type();
            return Err(Closed::protocol(format!("a {kind:?} frame came over what is no link")));
        }
        match frame {
            Frame::Via(via, frame) => return self.hear_via(via.session, &frame, bytes, ctx),
            Frame::Spent(spent) => self.spend(spent),
            Frame::Withdraw(withdraw) => self.withdraw(&withdraw),
            Frame::Absent(absent) => {
                self.tell(absent.session, absent.object, Away(absent.session));
            }
            Frame::Reserve(reserve) => return self.reserve(reserve.object),
            Frame::Release(release) => self.release(release.object),
            Frame::Over(over) => self.forget_below(over.session),
            Frame::Below(below) => return self.know_below(below.sessions, below.more),
            frame => return self.wish(frame, bytes, ctx),
        }
        Ok(())
    }

    /// Tells an object something of a session that is below, and is there.
    fn tell<M>(&self, session: SessionId, object: ObjectId, message: M)
    where
        M: actix::Message<Result = ()> + Send + 'static,
        Repeater: Handler<M>,
    {
        let there = self.below.as_ref().and_then(|below| below.origins.get(&session)?.get(&object));
        if let Some(repeater) = there {
            repeater.do_send(message);
        } else {
            tracing::debug!(%object, %session, "a link speaks for who is not there");
        }
    }

    /// Passes on shouts of a session below. One whose object has ended meanwhile is told so.
    pub(super) fn shout_below(
        &self,
        session: SessionId,
        object: ObjectId,
        volley: Volley,
        held: Held,
    ) {
        self.tell(session, object, Shouts { session, volley, held, metered: Metered::not() });
    }

    fn spend(&self, spent: Spent) {
        let Spent { object, session, op, why } = spent;
        self.tell(session, object, Spend { session, op, why });
    }

    fn withdraw(&self, withdraw: &Withdraw) {
        let Withdraw { object, session, leaf } = *withdraw;
        let way = if leaf { Way::Joined } else { Way::Attached };
        self.tell(session, object, Leave { session, way, pending: None });
    }

    fn hear_via(
        &mut self,
        session: SessionId,
        frame: &Bytes,
        bytes: usize,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        let held = self.inward.hold(bytes.max(REQUEST_BYTES_MIN));
        // What waits must not hold the rest of the burst.
        let copy = |payload: &Bytes| Bytes::copy_from_slice(payload);
        match Frame::decode(frame)? {
            Frame::Create(create, payload) => {
                let state =
                    self.take_state(create.object, create.state, &payload, &create.carried)?;
                let pending = self.pend(create.request, bytes.max(state.len()));
                self.create_below(session, create, state, pending, ctx);
            }
            Frame::Ask(ask, payload) => {
                let payload = copy(&payload);
                self.tell(session, ask.object, PassAsk { session, ask, payload, held });
            }
            Frame::Reply(reply, payload) => {
                let payload = copy(&payload);
                self.tell(session, reply.object, PassReply { session, reply, payload, held });
            }
            Frame::Heard(heard) => {
                self.tell(session, heard.object, Acknowledge { session, seq: heard.seq, held });
            }
            Frame::Volatile(volatile, payload) => {
                let (kind, payload) = (volatile.kind, copy(&payload));
                self.tell(session, volatile.object, Relay { session, kind, payload, held });
            }
            other => {
                let kind = other.frame_type();
                return Err(Closed::protocol(format!("a {kind:?} frame came for another session")));
            }
        }
        Ok(())
    }

    /// Makes an object for a session below, or finds the one of that name.
    fn create_below(
        &mut self,
        session: SessionId,
        create: wire::Create,
        state: Bytes,
        pending: Pending,
        ctx: &mut Context<Self>,
    ) {
        let object = create.object;
        if self.was_made(session, object) {
            let (request, epoch) = (pending.request(), None);
            return pending.answer(&Made { request, object, epoch }, &[]);
        }
        let pending = pending.reserving(Reservation::new(&self.env, object, create.here));
        let known = self.originate(session);
        let creating = self.creating(create, state, session);
        let granting = async move {
            known.await?;
            creating.await
        };
        ctx.spawn(granting.into_actor(self).map(move |granted, link, ctx| {
            let is_here = link.has_come(session);
            match granted {
                Ok((_, found)) if is_here => link.made_below(session, &found, pending),
                Ok(_) => pending.refuse(Refusal::NotJoined),
                Err(refusal) => link.refuse_below(refusal, pending, ctx),
            }
        }));
    }

    /// Asks whether a session is below this link, and nowhere else.
    fn originate(
        &mut self,
        session: SessionId,
    ) -> impl Future<Output = Result<(), Refusal>> + use<> {
        let Some(below) = &mut self.below else { unreachable!("only a link is asked for others") };
        let is_known = below.origins.contains_key(&session);
        *below.coming.entry(session).or_default() += 1;
        let (directory, link) = (self.env.directory.clone(), self.contact.session);
        async move {
            let is_below = is_known
                || directory
                    .send(Originate { session, link })
                    .await
                    .map_err(|_| Refusal::Stopping)?;
            let stranger = || Refusal::Denied(format!("session {session} is not below this link"));
            is_below.then_some(()).ok_or_else(stranger)
        }
    }

    /// What was asked of a session is answered. `false`: it has ended meanwhile.
    fn has_come(&mut self, session: SessionId) -> bool {
        let Some(below) = &mut self.below else { return false };
        let Some(count) = below.coming.get_mut(&session) else { return false };
        *count -= 1;
        if *count == 0 {
            below.coming.remove(&session);
        }
        true
    }

    /// A link that speaks for those who are elsewhere breaks the rules.
    fn refuse_below(&mut self, refusal: Refusal, pending: Pending, ctx: &mut Context<Self>) {
        let closed = matches!(refusal, Refusal::Denied(_)).then(|| Closed::protocol(&refusal));
        pending.refuse(refusal);
        if let Some(closed) = closed {
            self.lose(closed, ctx);
        }
    }

    /// Whether the answer to a Create was lost.
    fn was_made(&self, session: SessionId, object: ObjectId) -> bool {
        let places = self.below.as_ref().and_then(|below| below.origins.get(&session));
        places.is_some_and(|places| places.contains_key(&object))
    }

    fn made_below(&mut self, session: SessionId, found: &Found, pending: Pending) {
        let Found { object, ref repeater, ref made, .. } = *found;
        let epoch = made.as_ref().map(|made| {
            made.joins();
            made.epoch
        });
        self.knows_of(session, object, repeater.clone());
        let request = pending.request();
        pending.answer(&Made { request, object, epoch }, &[]);
    }

    /// A session below has been at an object before the hub's restart.
    pub(super) fn knows_of(
        &mut self,
        session: SessionId,
        object: ObjectId,
        repeater: Addr<Repeater>,
    ) {
        let below = self.below.get_or_insert_default();
        below.origins.entry(session).or_default().insert(object, repeater);
    }

    /// An object is no more: nobody is there.
    pub(super) fn forget_place_below(&mut self, object: ObjectId) {
        if let Some(below) = &mut self.below {
            below.origins.values_mut().for_each(|places| drop(places.remove(&object)));
        }
    }

    /// Is a leaf of an object for all below.
    pub(super) fn fetch(&mut self, fetch: Fetch, pending: Pending, ctx: &mut Context<Self>) {
        let Fetch { target, interface, cursor, .. } = fetch;
        let object = by_id(&target);
        let granting = self.found(target, interface, join_wish);
        let client = self.client.clone();
        let enter = move |found: &Found, pending, contact, rights| {
            let Found { interface, codec, name, .. } = found.clone();
            let (answers, known) = (Vec::new(), None);
            let link = Some(Linked { interface, codec, anew: cursor.is_none() });
            found.repeater.do_send(Joining {
                pending,
                contact,
                client,
                rights,
                name,
                cursor,
                answers,
                link,
                known,
            });
        };
        self.grant((object, Way::Joined), pending, granting, enter, ctx);
    }

    /// A session below is at an object.
    pub(super) fn enroll(&mut self, enroll: Enroll, pending: Pending, ctx: &mut Context<Self>) {
        let known = self.originate(enroll.session);
        ctx.spawn(known.into_actor(self).map(move |known, link, ctx| {
            let is_here = link.has_come(enroll.session);
            match known {
                Ok(()) if is_here => link.let_in_below(enroll, pending),
                Ok(()) => pending.refuse(Refusal::NotJoined),
                Err(refusal) => link.refuse_below(refusal, pending, ctx),
            }
        }));
    }

    fn let_in_below(&mut self, enroll: Enroll, pending: Pending) {
        let Enroll { object, session, leaf, answers, name, info, .. } = enroll;
        let place = self.places.get(&object).filter(|place| place.is_joined());
        let Some(repeater) = place.and_then(Place::repeater).cloned() else {
            return pending.refuse(Refusal::NotJoined);
        };
        self.knows_of(session, object, repeater.clone());
        let queue = self.contact.queue.clone();
        let client = Arc::new(Identity { name, info, ..Identity::default() });
        let way = if leaf { Way::Joined } else { Way::Attached };
        let contact = Contact { session, queue, is_below: true };
        let link = self.contact.session;
        repeater.do_send(Enrolling { pending, contact, link, way, client, answers });
    }

    fn reserve(&mut self, object: ObjectId) -> Result<(), Closed> {
        let reservation = Reservation::new(&self.env, object, false);
        let Some(below) = &mut self.below else { return Ok(()) };
        below.reserved.entry(object).or_default().push(reservation);
        if below.reserved.len() > RESERVED_MAX || below.reserved[&object].len() > 1 {
            return Err(Closed::protocol("a link reserves more than it may"));
        }
        Ok(())
    }

    fn release(&mut self, object: ObjectId) {
        let Some(below) = &mut self.below else { return };
        if let Some(reserved) = below.reserved.get_mut(&object) {
            reserved.pop();
            if reserved.is_empty() {
                below.reserved.remove(&object);
            }
        }
    }

    /// A session below has ended for good.
    fn forget_below(&mut self, session: SessionId) {
        let Some(below) = &mut self.below else { return };
        below.coming.remove(&session);
        for repeater in below.origins.remove(&session).unwrap_or_default().into_values() {
            repeater.do_send(Forget(session));
        }
        self.env.directory.do_send(BelowTold::Over(session));
    }

    /// Who is below is told at the beginning of a connection: others have ended.
    fn know_below(&mut self, sessions: Vec<SessionId>, more: bool) -> Result<(), Closed> {
        let Some(below) = &mut self.below else { return Ok(()) };
        below.told.extend(sessions);
        if below.told.len() > BELOW_MAX {
            let why = format!("a link tells of more than {BELOW_MAX} sessions below it");
            return Err(Closed::protocol(why));
        }
        if more {
            return Ok(());
        }
        // What was about to be made is said again.
        below.reserved.clear();
        let told = std::mem::take(&mut below.told);
        let gone: Vec<_> =
            below.origins.keys().filter(|session| !told.contains(session)).copied().collect();
        for session in gone {
            self.forget_below(session);
        }
        Ok(())
    }

    /// All that a link has spoken for, when it has ended for good.
    pub(super) fn end_below(&mut self) -> Vec<(SessionId, Addr<Repeater>)> {
        let Some(below) = self.below.take() else { return Vec::new() };
        let mut all = Vec::new();
        for (session, places) in below.origins {
            self.env.directory.do_send(BelowTold::Over(session));
            all.extend(places.into_values().map(|repeater| (session, repeater)));
        }
        all
    }
}

impl Handler<Decided> for Session {
    type Result = ();

    fn handle(&mut self, decided: Decided, _: &mut Self::Context) {
        let Decided { number, decision } = decided;
        match decision {
            Ok(()) => {
                // The first is its own, the others are of hubs below it.
                if self.below.is_none() {
                    self.below = Some(Box::default());
                    self.contact.queue.widen();
                    let session = self.contact.session;
                    self.env.directory.do_send(Originate { session, link: session });
                    if let Some(hub) = self.claimant {
                        self.env.directory.do_send(BelowTold::Linked { hub, session });
                    }
                }
                self.contact.queue.tell(&Granted { number });
            }
            Err(why) => self.contact.queue.tell(&Barred { number, why }),
        }
    }
}

/// Whether a frame may come over links only.
pub(super) fn is_of_links(frame: &Frame) -> bool {
    matches!(
        frame,
        Frame::Via(..)
            | Frame::Spent(_)
            | Frame::Withdraw(_)
            | Frame::Absent(_)
            | Frame::Reserve(_)
            | Frame::Release(_)
            | Frame::Over(_)
            | Frame::Below(_)
            | Frame::Fetch(_)
            | Frame::Enroll(_)
    )
}
