//! Finding objects: those that are there, and those that are about to be made.
//!
//! An object is *pending* while a session awaits the verdict on its Create. Who asks for it by its
//! id meanwhile is answered when that is known; nobody else waits for anything here.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix::{Addr, Handler, Message};
use tokio::sync::oneshot;

use super::{Directory, Object};
use crate::{
    hub::{
        Env,
        repeater::{Disown, Repeater},
        upward::Upward,
    },
    object::{Codec, Epoch, InterfaceId, Name, ObjectId, SessionId},
    wire::{Refusal, Target},
};

/// An object, as it is found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) object: ObjectId,
    pub(crate) repeater: Addr<Repeater>,
    pub(crate) interface: InterfaceId,
    pub(crate) codec: Codec,
    pub(crate) name: Option<Name>,
    /// Of an object that was made just now.
    pub(crate) made: Option<Arc<Made>>,
}

/// An object that was made for a session, which is about to join it. Dropped before it does, the
/// object is told that its maker is no leaf.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) epoch: Epoch,
    repeater: Addr<Repeater>,
    maker: SessionId,
    has_joined: AtomicBool,
}

impl Made {
    pub(crate) fn new(epoch: Epoch, repeater: Addr<Repeater>, maker: SessionId) -> Self {
        Self { epoch, repeater, maker, has_joined: AtomicBool::new(false) }
    }

    /// The maker's join is on its way.
    pub(crate) fn joins(&self) {
        self.has_joined.store(true, Ordering::Relaxed);
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !*self.has_joined.get_mut() {
            self.repeater.do_send(Disown { session: self.maker, refused: None });
        }
    }
}

/// Find an object of an interface; which renews its linger.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Find {
    pub(crate) target: Target,
    pub(crate) interface: Option<InterfaceId>,
    /// Whether whoever asks is the one that others wait for, and has made it above.
    is_made: bool,
    pub(crate) reply: oneshot::Sender<Result<Found, Refusal>>,
}

/// An object that is about to be made; dropped when that has been decided.
#[derive(Debug)]
pub(crate) struct Reservation {
    directory: Addr<Directory>,
    object: ObjectId,
    /// Where it is about to be made, if not here.
    upward: Option<Arc<Upward>>,
}

/// An object is about to be made.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Reserve(ObjectId);

/// It was made, or was not.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Release(ObjectId);

/// Objects that are pending, and who asks for them.
#[derive(Debug, Default)]
pub(super) struct Reservations(HashMap<ObjectId, Reserved>);

#[derive(Debug, Default)]
struct Reserved {
    /// Requests that are about to make it: all but one will be refused.
    count: usize,
    /// Bounded by the inward bounds of those that ask.
    waiting: Vec<Find>,
}

impl Reservation {
    /// It is about to be made here, or above if its home is there.
    pub(crate) fn new(env: &Env, object: ObjectId, here: bool) -> Self {
        let directory = env.directory.clone();
        directory.do_send(Reserve(object));
        let upward = Some(env.upward.clone()).filter(|upward| !here && upward.is_linked());
        if let Some(upward) = &upward {
            upward.reserve(object);
        }
        Self { directory, object, upward }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(upward) = &self.upward {
            upward.release(self.object);
        }
        self.directory.do_send(Release(self.object));
    }
}

impl Find {
    /// Asks the directory. It is only ever gone when the hub is.
    pub(crate) async fn ask(
        directory: &Addr<Directory>,
        target: Target,
        interface: Option<InterfaceId>,
    ) -> Result<Found, Refusal> {
        Self::put(directory, target, interface, false).await
    }

    /// Asks for an object that was made above.
    pub(crate) async fn ask_for_made(
        directory: &Addr<Directory>,
        object: ObjectId,
        interface: InterfaceId,
    ) -> Result<Found, Refusal> {
        Self::put(directory, Target::Object(object), Some(interface), true).await
    }

    /// Whether nobody waits for the answer.
    pub(super) fn is_over(&self) -> bool {
        self.reply.is_closed()
    }

    /// It is not found.
    pub(super) fn refuse(self, refusal: Refusal) {
        let _nobody_waits = self.reply.send(Err(refusal));
    }

    async fn put(
        directory: &Addr<Directory>,
        target: Target,
        interface: Option<InterfaceId>,
        is_made: bool,
    ) -> Result<Found, Refusal> {
        let (reply, found) = oneshot::channel();
        directory.do_send(Self { target, interface, is_made, reply });
        found.await.unwrap_or(Err(Refusal::Stopping))
    }
}

impl Directory {
    pub(super) fn find(&self, target: &Target) -> Result<Found, Refusal> {
        let object = match target {
            Target::Object(object) => *object,
            Target::Name(name) => {
                let above = || self.sought.named(name);
                self.names.get(name).copied().or_else(above).ok_or(Refusal::Unknown)?
            }
        };
        let known = self.objects.get(&object).ok_or_else(|| self.missing(object))?;
        if let Some(reason) = known.failed() {
            return Err(Refusal::Failed(reason.to_owned()));
        }
        Ok(known.found(object))
    }

    /// What is said of an object that is not there.
    pub(super) fn missing(&self, object: ObjectId) -> Refusal {
        if let Some(why) = self.quarantine.why(object) {
            return Refusal::Failed(why.to_owned());
        }
        if self.life.has_ended(object) { Refusal::Gone } else { Refusal::Unknown }
    }

    pub(super) fn answer(&mut self, find: Find) {
        let Find { target, interface, reply, .. } = find;
        let found = self.find(&target).and_then(|found| fit(found, interface));
        if let Ok(found) = &found {
            self.life.renew(found.object, self.clock.now_ms());
        }
        let _nobody_waits = reply.send(found);
    }
}

impl Reservations {
    /// Keeps a question until it can be answered. Gives it back if that is now.
    fn wait(&mut self, object: ObjectId, find: Find) -> Option<Find> {
        let Some(reserved) = self.0.get_mut(&object) else { return Some(find) };
        if reserved.waiting.len() == reserved.waiting.capacity() {
            // Sessions that have ended ask no more.
            reserved.waiting.retain(|find| !find.is_over());
        }
        reserved.waiting.push(find);
        None
    }

    /// One request less is about to make it. What comes back can be answered now.
    fn release(&mut self, object: ObjectId) -> Vec<Find> {
        let Some(reserved) = self.0.get_mut(&object) else { return Vec::new() };
        reserved.count -= 1;
        if reserved.count > 0 {
            return Vec::new();
        }
        self.0.remove(&object).map(|reserved| reserved.waiting).unwrap_or_default()
    }
}

impl Object {
    fn found(&self, object: ObjectId) -> Found {
        Found {
            object,
            repeater: self.repeater.clone(),
            interface: self.interface.clone(),
            codec: self.codec,
            name: self.name.clone(),
            made: None,
        }
    }
}

impl Handler<Find> for Directory {
    type Result = ();

    fn handle(&mut self, find: Find, ctx: &mut Self::Context) {
        self.took(0, ctx);
        let now = match find.target {
            Target::Object(object) if !find.is_made && !self.objects.contains_key(&object) => {
                self.reservations.wait(object, find)
            }
            _ => Some(find),
        };
        if let Some(find) = now.and_then(|find| self.seek(find)) {
            self.answer(find);
        }
    }
}

impl Handler<Reserve> for Directory {
    type Result = ();

    fn handle(&mut self, Reserve(object): Reserve, _: &mut Self::Context) {
        self.reservations.0.entry(object).or_default().count += 1;
    }
}

impl Handler<Release> for Directory {
    type Result = ();

    fn handle(&mut self, Release(object): Release, _: &mut Self::Context) {
        for find in self.reservations.release(object) {
            if let Some(find) = self.seek(find) {
                self.answer(find);
            }
        }
    }
}

pub(super) fn fit(found: Found, wanted: Option<InterfaceId>) -> Result<Found, Refusal> {
    match wanted {
        Some(wanted) if wanted != found.interface => {
            Err(Refusal::Interface { wanted, there: found.interface })
        }
        _ => Ok(found),
    }
}
