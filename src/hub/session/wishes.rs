//! What a client wants of the hub: each wish is admitted, carried out and answered once.
//!
//! Wishes are decided side by side, but what follows an undecided Create, Join or Attach at an
//! object that it names by id waits at that object's place.

use std::{collections::HashMap, sync::Arc};

use actix::{ActorFutureExt, Addr, AsyncContext, Context, WrapFuture};
use bytes::Bytes;

use super::{
    Session,
    place::{Place, Waiting},
};
use crate::{
    connection::Closed,
    hub::{
        Env,
        admission::{Identity, Rights, Visit, Wish, decide},
        contact::{Contact, Pending},
        directory::{Directory, EndWatch, Find, Found, Made, Make, Reservation, TellNames},
        repeater::{Attach as Attaching, Disown, Forget, Join as Joining, Leave, Manner, Repeater},
        roster::Way,
    },
    limits::SESSION_OBJECTS_MAX,
    object::{Cursor, InterfaceId, Kind, ObjectId, Seq, SessionId},
    wire::{
        self, Attach, Create, Detach, Frame, Join, List, Part, Refusal, Request, Target, Unwatch,
    },
};

/// What an admission and the directory have agreed to.
pub(super) type Granted = Result<(Rights, Found), Refusal>;

impl Session {
    /// Carries out a request, perhaps later.
    pub(super) fn wish(
        &mut self,
        frame: Frame,
        bytes: usize,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        let Some((request, object)) = subject(&frame) else {
            return Err(Closed::protocol(format!(
                "a {:?} frame may not come from a client",
                frame.frame_type()
            )));
        };
        let (frame, bytes) = match frame {
            Frame::Create(create, payload) => {
                let Create { object, state, .. } = create;
                let state = self.take_state(object, state, &payload, &create.carried)?;
                let bytes = bytes.max(state.len());
                (Frame::Create(create, state), bytes)
            }
            frame => (frame, bytes),
        };
        let pending = self.pend(request, bytes);
        self.in_turn(object, frame, pending, ctx);
        Ok(())
    }

    /// Carries out a wish when those before it about the same object are decided.
    fn in_turn(
        &mut self,
        object: Option<ObjectId>,
        frame: Frame,
        pending: Pending,
        ctx: &mut Context<Self>,
    ) {
        let now = match object.and_then(|object| self.places.get_mut(&object)) {
            Some(place) => place.postpone(frame, pending),
            None => Some((frame, pending)),
        };
        if let Some((frame, pending)) = now {
            self.carry_out(frame, pending, ctx);
        }
    }

    fn carry_out(&mut self, frame: Frame, pending: Pending, ctx: &mut Context<Self>) {
        match frame {
            Frame::Create(create, state) => self.create(create, state, pending, ctx),
            Frame::Join(join) => self.join(join, pending, ctx),
            Frame::Fetch(fetch) => self.fetch(fetch, pending, ctx),
            Frame::Enroll(enroll) => self.enroll(enroll, pending, ctx),
            Frame::Attach(attach) => self.attach(attach, pending, ctx),
            Frame::Part(Part { object, .. }) => self.leave(object, Way::Joined, pending),
            Frame::Detach(Detach { object, .. }) => self.leave(object, Way::Attached, pending),
            Frame::NameObject(name) => self.name(name, pending, ctx),
            Frame::Pin(pin) => self.pin(&pin, pending, ctx),
            Frame::Destroy(destroy) => self.destroy(&destroy, pending, ctx),
            Frame::List(list) => self.list(list, pending, ctx),
            Frame::Unwatch(Unwatch { list, .. }) => self.unwatch(list, pending),
            // `subject` has let nothing else through.
            _ => {}
        }
    }

    fn create(&mut self, create: Create, state: Bytes, pending: Pending, ctx: &mut Context<Self>) {
        let (request, object) = (create.request, create.object);
        if self.places.get(&object).is_some_and(Place::is_joined) {
            // It was made by this very request, and the answer was lost with a connection.
            let Create { interface, answers, .. } = create;
            let target = Target::Object(object);
            let join = Join { request, target, interface, cursor: None, answers };
            return self.join(join, pending, ctx);
        }
        // Before anything that follows is passed on: who hears of the object can ask for it. Not
        // while this wish waits itself, perhaps behind one that asks for the object.
        let pending = pending.reserving(Reservation::new(&self.env, object, create.here));
        let enter = as_a_leaf(None, self.client.clone(), create.answers.clone());
        let granting = self.creating(create, state, self.contact.session);
        self.grant((Some(object), Way::Joined), pending, granting, enter, ctx);
    }

    /// Makes an object for a session, or finds the one of that name: here, or above if its home is
    /// there.
    pub(super) fn creating(
        &self,
        create: Create,
        state: Bytes,
        owner: SessionId,
    ) -> impl Future<Output = Granted> + 'static {
        let (name, interface) = (create.name.clone(), create.interface.clone());
        let visit = self.visit(Wish::Create { name, interface });
        let env = self.env.clone();
        async move {
            let rights = decide(&*env.admission, visit.clone()).await?;
            let found = if create.here || !env.upward.is_linked() {
                make_here(&env, create, state, owner).await?
            } else {
                make_above(&env, create, &state, owner).await?
            };
            if found.made.is_some() {
                return Ok((rights, found));
            }
            // The name was there: this is a join, and admitted as one.
            let wish = join_wish(&found);
            Ok((decide(&*env.admission, Visit { wish, ..visit }).await?, found))
        }
    }

    fn join(&mut self, join: Join, pending: Pending, ctx: &mut Context<Self>) {
        let Join { target, interface, cursor, answers, .. } = join;
        let object = by_id(&target);
        let granting = self.found(target, Some(interface), join_wish);
        let enter = as_a_leaf(cursor, self.client.clone(), answers);
        self.grant((object, Way::Joined), pending, granting, enter, ctx);
    }

    fn attach(&mut self, attach: Attach, pending: Pending, ctx: &mut Context<Self>) {
        let Attach { target, interface, .. } = attach;
        let object = by_id(&target);
        let granting = self.found(target, Some(interface), |found| {
            let Found { object, name, interface, .. } = found.clone();
            Wish::Attach { object, name, interface }
        });
        let enter = |found: &Found, pending, contact, rights| {
            found.repeater.do_send(Attaching { pending, contact, rights });
        };
        self.grant((object, Way::Attached), pending, granting, enter, ctx);
    }

    /// Finds an object and asks the admission what the session may do there.
    pub(super) fn found(
        &self,
        target: Target,
        interface: Option<InterfaceId>,
        wish: impl FnOnce(&Found) -> Wish + 'static,
    ) -> impl Future<Output = Granted> + 'static {
        let env = self.env.clone();
        let visit = self.visit(Wish::Connect);
        async move {
            let found = Find::ask(&env.directory, target, interface).await?;
            let wish = wish(&found);
            Ok((decide(&*env.admission, Visit { wish, ..visit }).await?, found))
        }
    }

    /// Lets the session in at an object when `granting` says so: `enter` tells the repeater.
    /// `object` waits meanwhile.
    pub(super) fn grant(
        &mut self,
        (object, way): (Option<ObjectId>, Way),
        pending: Pending,
        granting: impl Future<Output = Granted> + 'static,
        enter: impl FnOnce(&Found, Pending, Contact, Rights) + 'static,
        ctx: &mut Context<Self>,
    ) {
        self.await_place(object);
        ctx.spawn(granting.into_actor(self).map(move |granted, session, ctx| {
            let settled = match granted.and_then(|granted| session.has_room(granted)) {
                Ok((rights, found)) => {
                    enter(&found, pending, session.contact.clone(), rights);
                    Some((found.object, way, found.repeater))
                }
                Err(refusal) => {
                    // One that was a leaf and is not let back knows that it is none.
                    let place = object.and_then(|object| session.places.get(&object));
                    let there = place.and_then(Place::repeater).filter(|_| way == Way::Joined);
                    disown(there.cloned(), session.contact.session, pending, refusal);
                    None
                }
            };
            session.settle(object, settled, ctx);
        }));
    }

    pub(super) fn await_place(&mut self, object: Option<ObjectId>) {
        if let Some(object) = object {
            self.places.entry(object).or_default().wait();
        }
    }

    fn has_room(&self, granted: (Rights, Found)) -> Granted {
        if !has_room(&self.places, granted.1.object, SESSION_OBJECTS_MAX) {
            let what = "objects of one session".to_owned();
            return Err(Refusal::Limit { what, max: SESSION_OBJECTS_MAX as u32 });
        }
        Ok(granted)
    }

    /// Enters what was decided, and lets go on what waited for it.
    fn settle(
        &mut self,
        awaited: Option<ObjectId>,
        settled: Option<(ObjectId, Way, Addr<Repeater>)>,
        ctx: &mut Context<Self>,
    ) {
        // One that has given up has answered for itself, and the session has been told.
        let alive = settled.filter(|(_, _, repeater)| repeater.connected());
        if let Some((object, way, repeater)) = alive {
            self.places.entry(object).or_default().settle(Some((way, repeater)));
        }
        let Some(object) = awaited else { return };
        let waiting = self.places.get_mut(&object).map(Place::resume).unwrap_or_default();
        for each in waiting {
            match each {
                Waiting::Wish(frame, pending) => self.in_turn(Some(object), frame, pending, ctx),
                Waiting::Ask(ask) => self.ask(object, ask),
                Waiting::Shouts(shouts) => {
                    let back = match self.places.get_mut(&object) {
                        Some(place) => place.pass(shouts),
                        None => Some(shouts),
                    };
                    if let Some(back) = back {
                        self.contact.turn_away(object, back.volley);
                    }
                }
            }
        }
        self.tidy(object);
        self.hand_over(ctx);
    }

    fn leave(&mut self, object: ObjectId, way: Way, pending: Pending) {
        let session = self.contact.session;
        let place = self.places.get_mut(&object);
        let disowns = place.as_ref().and_then(|place| place.left_behind_at()).cloned();
        if let Some(repeater) = place.and_then(|place| place.leave(way)) {
            repeater.do_send(Leave { session, way, pending: Some(pending) });
        } else {
            disown(disowns.filter(|_| way == Way::Joined), session, pending, Refusal::NotJoined);
        }
        self.tidy(object);
    }

    pub(super) fn tidy(&mut self, object: ObjectId) {
        if self.places.get(&object).is_some_and(Place::is_empty)
            && let Some(place) = self.places.remove(&object)
            && let Some(repeater) = place.repeater()
        {
            // After a panic it may be waiting for the session to come back.
            repeater.do_send(Forget(self.contact.session));
        }
    }

    fn list(&mut self, list: List, pending: Pending, ctx: &mut Context<Self>) {
        let List { prefix, watch, .. } = list;
        let visit = self.visit(Wish::List { prefix: prefix.clone() });
        let env = self.env.clone();
        let deciding = async move { decide(&*env.admission, visit).await };
        let request = pending.request();
        self.listings.push((request, Vec::new()));
        ctx.spawn(deciding.into_actor(self).map(move |decided, session, _| {
            match decided {
                Ok(_) => {
                    let contact = session.contact.clone();
                    session.env.directory.do_send(TellNames { pending, contact, prefix, watch });
                }
                Err(refusal) => pending.refuse(refusal),
            }
            session.listed(request);
        }));
    }

    /// A listing is decided: now its watch can be ended.
    fn listed(&mut self, list: Request) {
        let Some(at) = self.listings.iter().position(|(request, _)| *request == list) else {
            return;
        };
        for pending in self.listings.swap_remove(at).1 {
            self.unwatch(list, pending);
        }
    }

    /// Ends a watch, after it has begun.
    fn unwatch(&mut self, list: Request, pending: Pending) {
        if let Some((_, ends)) = self.listings.iter_mut().find(|(request, _)| *request == list) {
            return ends.push(pending);
        }
        let session = self.contact.session;
        self.env.directory.do_send(EndWatch { pending, session, list });
    }
}

async fn make_here(
    env: &Env,
    create: Create,
    state: Bytes,
    owner: SessionId,
) -> Result<Found, Refusal> {
    let Create { object, name, or_join, interface, codec, presence, carried, .. } = create;
    let Create { handover, asks, .. } = create;
    let authority = env.authorities.of(&interface, name.as_ref()).map_err(Refusal::Failed)?;
    let slow_leaves = env.slow_leaves.of(&interface, name.as_ref());
    let state = create.state.is_present().then_some((state, carried));
    let manner = Manner { presence, slow_leaves, authority, handover, asks };
    let make = Make { object, name, or_find: or_join, interface, codec, state, manner, owner };
    send(&env.directory, make).await
}

async fn make_above(
    env: &Env,
    create: Create,
    state: &[u8],
    owner: SessionId,
) -> Result<Found, Refusal> {
    if let Some(carried) = env.upward.below_home(&create.carried) {
        return Err(Refusal::CarriedBelowHome { carried, object: create.object });
    }
    let interface = create.interface.clone();
    let wire::Made { object, epoch, .. } = env.upward.make(owner, create, state).await?;
    let found = Find::ask_for_made(&env.directory, object, interface).await?;
    let made = epoch.map(|epoch| Arc::new(Made::new(epoch, found.repeater.clone(), owner)));
    Ok(Found { made, ..found })
}

/// Whether a session may be at this object too, which may have its place already.
fn has_room(places: &HashMap<ObjectId, Place>, object: ObjectId, max: usize) -> bool {
    let there = places.get(&object);
    let others = places.len() - usize::from(there.is_some());
    there.is_some_and(Place::is_settled) || others < max
}

/// The number of a request, and the object that it names by its id. `None`: no request.
fn subject(frame: &Frame) -> Option<(Request, Option<ObjectId>)> {
    Some(match frame {
        Frame::Create(create, _) => (create.request, Some(create.object)),
        Frame::Join(join) => (join.request, by_id(&join.target)),
        Frame::Attach(attach) => (attach.request, by_id(&attach.target)),
        Frame::Fetch(fetch) => (fetch.request, by_id(&fetch.target)),
        Frame::Enroll(enroll) => (enroll.request, Some(enroll.object)),
        Frame::Part(part) => (part.request, Some(part.object)),
        Frame::Detach(detach) => (detach.request, Some(detach.object)),
        Frame::NameObject(name) => (name.request, Some(name.object)),
        Frame::Pin(pin) => (pin.request, Some(pin.object)),
        Frame::Destroy(destroy) => (destroy.request, Some(destroy.object)),
        Frame::List(list) => (list.request, None),
        Frame::Unwatch(unwatch) => (unwatch.request, None),
        _ => return None,
    })
}

pub(super) fn by_id(target: &Target) -> Option<ObjectId> {
    match target {
        Target::Object(object) => Some(*object),
        Target::Name(_) => None,
    }
}

/// Tells the repeater of a leaf that has heard up to `cursor`; whoever made the object hears from
/// its first shout on.
fn as_a_leaf(
    cursor: Option<Cursor>,
    client: Arc<Identity>,
    answers: Vec<Kind>,
) -> impl FnOnce(&Found, Pending, Contact, Rights) {
    move |found, pending, contact, rights| {
        let made = found.made.as_ref().map(|made| {
            made.joins();
            Cursor { epoch: made.epoch, seq: Seq(0) }
        });
        let (name, cursor) = (found.name.clone(), made.or(cursor));
        let (link, known) = (None, None);
        let join = Joining { pending, contact, client, rights, name, cursor, answers, link, known };
        found.repeater.do_send(join);
    }
}

/// Refuses what a session wants that is no leaf of an object, behind what comes of that there.
fn disown(from: Option<Addr<Repeater>>, session: SessionId, pending: Pending, refusal: Refusal) {
    match from {
        Some(repeater) => {
            repeater.do_send(Disown { session, refused: Some((pending, refusal)) });
        }
        None => pending.refuse(refusal),
    }
}

pub(super) fn join_wish(found: &Found) -> Wish {
    let Found { object, name, interface, .. } = found.clone();
    Wish::Join { object, name, interface }
}

/// Asks the directory. It is only ever gone when the hub is.
pub(super) async fn send<M, T>(directory: &Addr<Directory>, message: M) -> Result<T, Refusal>
where
    M: actix::Message<Result = Result<T, Refusal>> + Send + 'static,
    T: Send + 'static,
    Directory: actix::Handler<M>,
{
    directory.send(message).await.map_err(|_| Refusal::Stopping)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_at_as_many_objects_as_it_may_be_gets_no_further_whoever_names_the_object() {
        let object = |n: u8| ObjectId([n; 16]);
        let mut places: HashMap<_, _> = (1..=3).map(|n| (object(n), Place::default())).collect();
        assert!(has_room(&places, object(4), 4));
        assert!(!has_room(&places, object(4), 3));
        // A wish that names an object by its id waits there before it is decided.
        places.entry(object(4)).or_default().wait();
        assert!(has_room(&places, object(4), 4));
        assert!(!has_room(&places, object(4), 3));
    }
}
