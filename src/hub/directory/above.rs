//! Objects whose home is a hub above: copies of them are made here when somebody asks.
//!
//! Who looks for an object that is not here waits until the hub above has answered. A copy is there as
//! long as anybody is at it, or an object of this hub's own lists it, and for the linger time after
//! that; then it goes, and only here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use actix::{Addr, Context, Handler, Message};

use super::{Directory, Find, Object};
use crate::{
    connection::{Closed, Queue},
    hub::{
        history::History,
        repeater::{Manner, Repeater, Retire},
        session::{Finish, ObjectEnded},
    },
    journal::{Change, ResumeKeys},
    limits::SOUGHT_MAX,
    object::{Epoch, HubId, Name, ObjectId, SessionId},
    wire::{CloseCode, EndReason, Fault, Fetched, Refusal, Target},
};

/// Objects above, and who looks for them.
#[derive(Debug, Default)]
pub(super) struct Sought {
    /// Bounded by the inward bounds of those that ask.
    waiting: HashMap<Target, Vec<Find>>,
    /// The names of copies.
    names: BTreeMap<Name, ObjectId>,
}

/// The hub above sends an object. Answered by what takes it in.
#[derive(Debug, Message)]
#[rtype(result = "Option<Addr<Repeater>>")]
pub(crate) struct Copied {
    pub(crate) fetched: Fetched,
    pub(crate) target: Target,
}

/// The hub above does not.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Unsought {
    pub(crate) target: Target,
    pub(crate) refusal: Refusal,
}

/// An object is no more, says the hub above.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct EndedAbove {
    pub(crate) object: ObjectId,
    pub(crate) reason: EndReason,
}

/// A session is below a link, or is one. `false`: it is somewhere else.
#[derive(Debug, Message)]
#[rtype(result = "bool")]
pub(crate) struct Originate {
    pub(crate) session: SessionId,
    pub(crate) link: SessionId,
}

/// What becomes of sessions below a link.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) enum Below {
    /// One has ended for good.
    Over(SessionId),
    /// This is the link of a hub from now on: one that it had before has ended.
    Linked { hub: HubId, session: SessionId },
    /// There is a connection to the hub above: it is told of all that are.
    Tell(Arc<Queue>),
}

impl Sought {
    /// The copy of that name.
    pub(super) fn named(&self, name: &Name) -> Option<ObjectId> {
        self.names.get(name).copied()
    }

    fn answered(&mut self, object: ObjectId, name: Option<&Name>) -> Vec<Find> {
        let by_name = name.cloned().map(Target::Name);
        let targets = by_name.into_iter().chain([Target::Object(object)]);
        targets.filter_map(|target| self.waiting.remove(&target)).flatten().collect()
    }
}

impl Directory {
    /// Looks above for what is not here. Gives it back if it is, or there is no hub above.
    pub(super) fn seek(&mut self, find: Find) -> Option<Find> {
        let is_unknown = matches!(self.find(&find.target), Err(Refusal::Unknown));
        if !is_unknown || !self.upward.is_linked() {
            return Some(find);
        }
        let is_full = self.sought.waiting.len() >= SOUGHT_MAX;
        if is_full && !self.sought.waiting.contains_key(&find.target) {
            let what = "objects that are looked for above".to_owned();
            find.refuse(Refusal::Limit { what, max: SOUGHT_MAX as u32 });
            return None;
        }
        let target = find.target.clone();
        let waiting = self.sought.waiting.entry(target.clone()).or_default();
        let is_new = waiting.is_empty();
        if waiting.len() == waiting.capacity() {
            // Sessions that have ended ask no more.
            waiting.retain(|find| !find.is_over());
        }
        waiting.push(find);
        if is_new {
            self.upward.seek(target, None);
        }
        None
    }

    fn copy(&mut self, fetched: &Fetched, ctx: &mut Context<Self>) -> Option<Addr<Repeater>> {
        let Fetched { object, ref name, ref interface, codec, presence, .. } = *fetched;
        if let Some(known) = self.objects.get_mut(&object) {
            if known.is_copy
                && let Some(name) = name
            {
                // It was named since.
                known.name = Some(name.clone());
                self.sought.names.insert(name.clone(), object);
            }
            return known.is_copy.then(|| known.repeater.clone());
        }
        let manner = Manner { presence, ..Manner::default() };
        // Whatever it holds is about to come.
        let history = History::new(object, Epoch([0; 8]), None);
        let repeater = match self.start_repeater(object, history, manner, true, ctx) {
            Ok(repeater) => repeater,
            Err(refusal) => {
                tracing::error!(%object, %refusal, "a copy does not start");
                return None;
            }
        };
        let known = Object {
            repeater: repeater.clone(),
            interface: interface.clone(),
            codec,
            name: name.clone(),
            maker: None,
            is_copy: true,
            failed: None,
            kept: None,
        };
        self.objects.insert(object, known);
        self.upward.add_copy(object, repeater.clone());
        if let Some(name) = name.clone() {
            self.sought.names.insert(name, object);
        }
        self.life.begin(object, self.clock.now_ms());
        self.sweep_later(ctx);
        Some(repeater)
    }

    /// A copy that nobody needs any more goes: the object stays.
    pub(super) fn drop_copy(&mut self, object: ObjectId) {
        tracing::debug!(%object, "nobody here needs a copy any more");
        if let Some(repeater) = self.take_copy_out(object) {
            repeater.do_send(Retire { reason: EndReason::Dropped, done: None });
        }
        self.life.let_go(object);
        self.upward.part(object);
    }

    /// A copy has failed, and the object has not: who asks for it again is given another copy.
    pub(super) fn fail_copy(&mut self, object: ObjectId, reason: String) {
        self.take_copy_out(object);
        self.life.let_go(object);
        self.upward.part(object);
        let reason = Some(EndReason::Failed(reason));
        for session in self.sessions.addrs() {
            session.do_send(ObjectEnded { object, reason: reason.clone() });
        }
    }

    fn take_copy_out(&mut self, object: ObjectId) -> Option<Addr<Repeater>> {
        let known = self.objects.remove(&object)?;
        self.upward.remove_copy(object);
        if let Some(name) = known.name
            && self.sought.names.get(&name) == Some(&object)
        {
            self.sought.names.remove(&name);
        }
        Some(known.repeater)
    }

    /// The sessions below links that have not ended.
    pub(super) fn restore_below(
        &mut self,
        below: BTreeMap<SessionId, SessionId>,
        sessions: &BTreeMap<SessionId, ResumeKeys>,
    ) {
        let (here, gone): (BTreeMap<_, _>, BTreeMap<_, _>) =
            below.into_iter().partition(|(_, link)| sessions.contains_key(link));
        self.origins = here;
        self.keep(gone.into_keys().map(Change::BelowEnded));
    }

    /// Those below a link.
    pub(super) fn below_of(&self, link: SessionId) -> Vec<SessionId> {
        let below = self.origins.iter().filter(|(_, it)| **it == link);
        below.map(|(session, _)| *session).collect()
    }

    fn tell_below(&self, queue: Arc<Queue>) {
        let below = self.origins.keys().copied();
        let sessions: Vec<_> = self.sessions.ids().chain(below).collect();
        self.upward.come_up(queue, &sessions);
    }
}

impl Handler<Copied> for Directory {
    type Result = Option<Addr<Repeater>>;

    fn handle(&mut self, copied: Copied, ctx: &mut Self::Context) -> Self::Result {
        let Copied { fetched, target } = copied;
        let repeater = self.copy(&fetched, ctx);
        let mut finds = self.sought.answered(fetched.object, fetched.name.as_ref());
        finds.extend(self.sought.waiting.remove(&target).unwrap_or_default());
        for find in finds {
            self.answer(find);
        }
        repeater
    }
}

impl Handler<Unsought> for Directory {
    type Result = ();

    fn handle(&mut self, unsought: Unsought, _: &mut Self::Context) {
        let Unsought { target, refusal } = unsought;
        for find in self.sought.waiting.remove(&target).unwrap_or_default() {
            let _nobody_waits = find.reply.send(Err(refusal.clone()));
        }
    }
}

impl Handler<EndedAbove> for Directory {
    type Result = ();

    fn handle(&mut self, ended: EndedAbove, _: &mut Self::Context) {
        let EndedAbove { object, reason } = ended;
        if !self.objects.get(&object).is_some_and(|known| known.is_copy) {
            return;
        }
        let is_for_good = matches!(reason, EndReason::Destroyed | EndReason::Dropped);
        if let Some(repeater) = self.take_copy_out(object) {
            repeater.do_send(Retire { reason, done: None });
        }
        if is_for_good {
            self.life.end(object);
        } else {
            // Its home may bring it back.
            self.life.let_go(object);
        }
    }
}

impl Handler<Originate> for Directory {
    type Result = bool;

    fn handle(&mut self, originate: Originate, _: &mut Self::Context) -> bool {
        let Originate { session, link } = originate;
        let is_here = session != link && self.sessions.get(session).is_some();
        if is_here {
            return false;
        }
        if !self.origins.contains_key(&session) {
            self.keep([Change::Below { session, link }]);
        }
        *self.origins.entry(session).or_insert(link) == link
    }
}

impl Handler<Below> for Directory {
    type Result = ();

    fn handle(&mut self, below: Below, _: &mut Self::Context) {
        match below {
            Below::Over(session) => {
                if self.origins.remove(&session).is_some() {
                    self.keep([Change::BelowEnded(session)]);
                    self.upward.is_over(session);
                }
            }
            Below::Linked { hub, session } => {
                let before = self.links.insert(hub, session).filter(|before| *before != session);
                if let Some(before) = before.and_then(|before| self.sessions.get(before)) {
                    let why = "the hub below has another link";
                    let code = CloseCode::Superseded;
                    before.do_send(Finish(Closed::local(code, Fault::Nobody, why)));
                }
            }
            Below::Tell(queue) => self.tell_below(queue),
        }
    }
}
