//! What the directory has kept: what objects are, and which are no more. And what it goes on with
//! when a hub starts with a journal.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use actix::{ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, WrapFuture};

use super::{Directory, Make, Object};
use crate::{
    hub::{
        Env,
        history::History,
        past::Past,
        repeater::{Forget, Manner, Repeater},
        session::{Revisit, Session},
    },
    journal::{self, Change, Definition, Kept, ResumeKeys},
    limits::{TOMBSTONES_FORGOTTEN, TOMBSTONES_MAX},
    object::{Epoch, ObjectId, SessionId},
    supervise::{self, RestartLimit},
    wire::{Refusal, reason},
};

/// Go on with this. The first that a directory hears.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Restore {
    pub(crate) past: Past,
    pub(crate) env: Arc<Env>,
}

/// Answered when what a hub goes on with is there.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Ready;

/// Objects that a journal has not whole, and why not.
#[derive(Debug, Default)]
pub(super) struct Quarantine(HashMap<ObjectId, (Kept, String)>);

/// How far the hub has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// What it goes on with is not there.
    Awaited,
    /// It is, and nobody can connect yet.
    Quiet,
    /// Clients can be back.
    Over,
}

impl Quarantine {
    /// Why an object cannot be had, if it is here.
    pub(super) fn why(&self, object: ObjectId) -> Option<&str> {
        self.0.get(&object).map(|(_, why)| why.as_str())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What there is of it.
    pub(super) fn kept(&self, object: ObjectId) -> Option<&Kept> {
        self.0.get(&object).map(|(kept, _)| kept)
    }

    /// It is whole.
    pub(super) fn end(&mut self, object: ObjectId) {
        self.0.remove(&object);
    }
}

impl Directory {
    /// Has changes kept, if the hub has a journal.
    pub(super) fn keep(&self, changes: impl IntoIterator<Item = Change>) {
        if let Some(keeper) = &self.keeper {
            keeper.keep(changes);
        }
    }

    /// Whether there is an object of this id, whole or not.
    pub(super) fn knows(&self, object: ObjectId) -> bool {
        self.objects.contains_key(&object) || self.quarantine.why(object).is_some()
    }

    /// Whether an object was made by this very request, and the answer was lost with a connection or a
    /// hub.
    pub(super) fn was_made_so(&self, make: &Make) -> bool {
        let Some(known) = self.objects.get(&make.object) else { return false };
        let maker = known.maker.or_else(|| known.kept.as_ref().map(|kept| kept.owner));
        maker == Some(make.owner) && known.interface == make.interface
    }

    /// Has an object kept that is about to begin.
    pub(super) fn keep_new(&self, epoch: Epoch, make: &Make) -> Option<Box<Definition>> {
        self.keeper.as_ref()?;
        let object = make.object;
        let definition = Box::new(Definition {
            epoch,
            interface: make.interface.clone(),
            codec: make.codec,
            owner: make.owner,
            name: make.name.clone(),
            pinned: false,
            presence: make.manner.presence,
            stateful: make.state.is_some(),
            handover: make.manner.handover,
            asks: make.manner.asks.clone(),
        });
        let state = make.state.clone().map(|(bytes, carried)| {
            let state = journal::State { seq: crate::object::Seq(0), carried, bytes };
            Change::State { object, state }
        });
        let defined = Change::Defined { object, definition: definition.clone() };
        self.keep([defined].into_iter().chain(state));
        Some(definition)
    }

    /// Has an object kept that begins anew. `false`: the hub has no journal.
    pub(super) fn keep_anew(&mut self, object: ObjectId, epoch: Epoch, history: &History) -> bool {
        let known = self.objects.get_mut(&object);
        let Some(definition) = known.and_then(|known| known.kept.as_mut()) else { return false };
        definition.epoch = epoch;
        let definition = definition.clone();
        let defined = [Change::Cleared(object), Change::Defined { object, definition }];
        let state = history.state().map(|state| Change::State { object, state });
        self.keep(defined.into_iter().chain(state));
        true
    }

    /// Has an object's definition kept as it is now, after a change of it.
    pub(super) fn redefine(&mut self, object: ObjectId, change: impl FnOnce(&mut Definition)) {
        let known = self.objects.get_mut(&object);
        let Some(there) = known.and_then(|known| known.kept.as_mut()) else { return };
        let mut definition = there.clone();
        change(&mut definition);
        if definition != *there {
            there.clone_from(&definition);
            self.keep([Change::Defined { object, definition }]);
        }
    }

    /// An object is no more. Those that are forgotten are not kept either.
    pub(super) fn keep_end(&mut self, object: ObjectId) {
        let place = self.ended;
        self.ended += 1;
        self.keep([Change::Ended { object, place }]);
        if self.ended.is_multiple_of(TOMBSTONES_FORGOTTEN) {
            let before = self.ended.saturating_sub(TOMBSTONES_MAX as u64);
            self.keep([Change::Unremembered { before }]);
        }
    }

    /// An object that is in the journal. Nobody needs it from `since_ms` on, so far. Returns who has
    /// shouted there, or owns it.
    pub(super) fn restore(
        &mut self,
        env: &Env,
        (object, definition, mut history): (ObjectId, Definition, History),
        since_ms: u64,
        ctx: &Context<Self>,
    ) -> Result<Vec<SessionId>, Refusal> {
        let involved = history.involved().collect();
        let list_change = history.list_change().unwrap_or_default();
        let Definition { interface, codec, name, pinned, presence, handover, asks, .. } =
            definition.clone();
        let slow_leaves = env.slow_leaves.of(&interface, name.as_ref());
        let authority = env.authorities.of_restored(&interface, name.as_ref());
        let manner = Manner { presence, slow_leaves, authority, handover, asks };
        let repeater = self.start_repeater(object, history, manner, false, ctx)?;
        self.life.begin(object, since_ms);
        self.life.set_pinned(object, pinned, since_ms);
        self.life.list(object, list_change, since_ms);
        if let Some(name) = name.clone() {
            self.names.insert(name, object);
        }
        let kept = Some(Box::new(definition));
        let (is_copy, failed) = (false, None);
        let known = Object { repeater, interface, codec, name, maker: None, is_copy, failed, kept };
        self.objects.insert(object, known);
        self.upward.set_own(object, true);
        Ok(involved)
    }

    /// An object is back: those that have shouted there, or own it, are to tell it when they end. Who
    /// has ended meanwhile is forgotten there.
    pub(super) fn revisit(&self, object: ObjectId, involved: &[SessionId]) {
        let Some(known) = self.objects.get(&object) else { return };
        for session in involved {
            self.visit(*session, object, known.repeater.clone());
        }
    }

    /// A session, or the link that it is below, is to tell an object when it ends. One that has ended
    /// is forgotten there.
    fn visit(&self, session: SessionId, object: ObjectId, repeater: Addr<Repeater>) {
        let link = self.origins.get(&session).copied().unwrap_or(session);
        match self.sessions.get(link) {
            Some(addr) => addr.do_send(Revisit { session, object, repeater }),
            None => repeater.do_send(Forget(session)),
        }
    }

    fn quarantine(&mut self, kept: Kept, why: &str) {
        let name = kept.definition.as_ref().and_then(|definition| definition.name.clone());
        if let Some(name) = name {
            self.names.entry(name).or_insert(kept.id());
        }
        self.quarantine.0.insert(kept.id(), (kept, reason(why)));
    }

    /// A panic has come in between. A hub that has not all that its journal has must not write it.
    pub(super) fn begin_anew(&mut self) {
        let before = std::mem::replace(&mut self.beginning, Beginning::Over);
        if let Some(keeper) = self.keeper.as_ref().filter(|_| before == Beginning::Awaited) {
            keeper.fail("going on with what it holds has panicked");
        }
    }

    /// Nobody is back before the hub listens, and sessions have their grace time from then on: until
    /// that is over nobody can say what is not needed.
    fn await_clients(&mut self, env: &Env, ctx: &mut Context<Self>) {
        self.beginning = Beginning::Quiet;
        let (mut listening, grace) = (env.listening.subscribe(), env.grace);
        let listens = async move {
            let _hub_ends = listening.wait_for(|listening| *listening).await;
        };
        ctx.spawn(listens.into_actor(self).map(move |(), directory, ctx| {
            directory.beginning = Beginning::Over;
            let since_ms = directory.clock.now_ms() + grace.as_millis() as u64;
            directory.objects.keys().for_each(|object| directory.life.renew(*object, since_ms));
            directory.sweep_later(ctx);
        }));
    }

    /// A session of before the hub's restart.
    fn revive(
        &mut self,
        env: &Arc<Env>,
        (session, keys): (SessionId, ResumeKeys),
        objects: Vec<(ObjectId, Addr<Repeater>)>,
        below: Vec<SessionId>,
    ) {
        let place = env.place_of(session);
        let env = env.clone();
        let make = move |_: &mut Context<Session>| Session::revived(env, session, objects, &below);
        match supervise::start(&place, 1, RestartLimit::NEVER, make, |_| {}) {
            Ok(addr) => self.sessions.revive(session, addr, keys),
            Err(error) => tracing::error!(%session, %error, "a session finds no arbiter"),
        }
    }
}

impl Handler<Ready> for Directory {
    type Result = ();

    fn handle(&mut self, _: Ready, _: &mut Self::Context) {}
}

impl Handler<Restore> for Directory {
    type Result = ();

    fn handle(&mut self, Restore { past, env }: Restore, ctx: &mut Self::Context) {
        let Past { objects, quarantined, sessions, below, ended, .. } = past;
        self.ended = ended.last_key_value().map_or(0, |(place, _)| place + 1);
        for object in ended.values() {
            self.life.remember_end(*object);
        }
        let mut places = BTreeMap::<_, Vec<_>>::new();
        let count = objects.len();
        let since_ms = self.clock.now_ms();
        for restored in objects {
            let object = restored.0;
            let involved = self.restore(&env, restored, since_ms, ctx).unwrap_or_else(|why| {
                tracing::error!(%object, %why, "an object does not start");
                Vec::new()
            });
            let Some(known) = self.objects.get(&object) else { continue };
            for session in involved {
                places.entry(session).or_default().push((object, known.repeater.clone()));
            }
        }
        for (kept, why) in quarantined {
            self.quarantine(kept, &why);
        }
        tracing::info!(objects = count, sessions = sessions.len(), "the journal is gone on with");
        self.restore_below(below, &sessions);
        for (session, keys) in sessions {
            let objects = places.remove(&session).unwrap_or_default();
            let below = self.below_of(session);
            self.revive(&env, (session, keys), objects, below);
        }
        // Who owns an object may have ended, which nobody else tells it.
        for (session, objects) in places {
            for (object, repeater) in objects {
                self.visit(session, object, repeater);
            }
        }
        self.await_clients(&env, ctx);
    }
}
