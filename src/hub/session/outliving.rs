//! A session outlives its connection: away, and gone on with over another.
//!
//! Each connection has an actor of its own. The one that stands for a session whose connection has
//! died keeps its places for the grace time. When the client comes over another connection, the
//! actor of that one takes them over, so that repeaters hear of the session in one order: first
//! what was read of the old connection, then what the new one brings.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::{
    ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, WrapFuture,
};
use tokio::{sync::oneshot, time::sleep};

use super::{Session, below::Below, greeting::Greeting, place::Place};
use crate::{
    connection::{Closed, Closer, Queue},
    hub::{
        Env,
        directory::Unwatched,
        repeater::{Away, Repeater},
    },
    limits::HAND_OVER_MAX,
    object::{ObjectId, SessionId},
    wire::{CloseCode, Fault},
};

/// What a session has, whatever connection it goes on over.
#[derive(Debug, Default)]
pub(super) struct Estate {
    places: HashMap<ObjectId, Place>,
    below: Option<Box<Below>>,
}

/// The session goes on over another connection: hand over what it has.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct HandOver(pub(super) oneshot::Sender<Estate>);

/// Asks who stood for a session before. `None`: the session has ended meanwhile.
pub(super) async fn inherit(from: &Addr<Session>) -> Option<Estate> {
    let (sender, estate) = oneshot::channel();
    from.do_send(HandOver(sender));
    estate.await.ok()
}

impl Session {
    /// The connection has ended. The session goes with it, or waits for another one.
    pub(super) fn lose(&mut self, closed: Closed, ctx: &mut Context<Self>) {
        let grace = self.grace();
        match self.greeting {
            // It may stand for a session by now: that is known when all is decided.
            Greeting::Deciding if self.is_resuming => {
                self.contact.queue.close(closed.clone());
                self.lost = Some(closed);
            }
            Greeting::Open if !grace.is_zero() && self.can_outlive(&closed) => {
                let (session, peer) = (self.contact.session, &self.client.peer);
                tracing::info!(%session, peer, %closed, ?grace, "a session is away");
                self.contact.queue.close(closed);
                self.greeting = Greeting::Away;
                self.env.directory.do_send(Unwatched(session));
                for repeater in self.repeaters() {
                    repeater.do_send(Away(session));
                }
                ctx.run_later(grace, Self::expire);
            }
            Greeting::Away => {}
            _ => self.end(closed, ctx),
        }
    }

    /// How long the session outlives its connection.
    fn grace(&self) -> Duration {
        if self.below.is_some() { self.env.link_grace } else { self.env.grace }
    }

    /// A session of before the hub's restart, at these objects: it is away.
    pub(crate) fn revived(
        env: Arc<Env>,
        session: SessionId,
        objects: Vec<(ObjectId, Addr<Repeater>)>,
        below: &[SessionId],
    ) -> Self {
        let queue = Arc::<Queue>::default();
        queue.close(Closed::transport("the hub was restarted"));
        let places = objects.into_iter().map(|(object, at)| (object, Place::left_behind(at)));
        Self {
            greeting: Greeting::Away,
            places: places.collect(),
            below: (!below.is_empty()).then(|| Box::new(Below::of(session, below))),
            ..Self::over(env, session, String::new(), None, queue)
        }
    }

    /// Waits for its client, from when the hub listens.
    pub(super) fn await_return(&self, ctx: &mut Context<Self>) {
        let mut listening = self.env.listening.subscribe();
        let grace = self.grace();
        let waiting = async move {
            let _ends = listening.wait_for(|listening| *listening).await;
            sleep(grace).await;
        };
        ctx.spawn(waiting.into_actor(self).map(|(), session, ctx| session.expire(ctx)));
    }

    fn expire(&mut self, ctx: &mut Context<Self>) {
        if self.heir.is_some() {
            // It goes on, when all is decided.
            return;
        }
        self.end(Closed::done("the client did not come back in time"), ctx);
    }

    /// Takes over what another actor had of this session.
    pub(super) fn take_over(&mut self, estate: Estate) {
        self.below = estate.below;
        if self.below.is_some() {
            self.contact.queue.widen();
        }
        let revisited = std::mem::replace(&mut self.places, estate.places);
        for (object, place) in revisited {
            self.places.entry(object).or_insert(place);
        }
        for object in std::mem::take(&mut self.ended_early) {
            self.object_ended(object);
        }
    }

    /// Hands over what the session has, if somebody waits for it and all is decided: what is being
    /// decided ends in a place of this actor's.
    pub(super) fn hand_over(&mut self, ctx: &mut Context<Self>) {
        let stands_for_it = matches!(self.greeting, Greeting::Open | Greeting::Away);
        if !stands_for_it || self.places.values().any(Place::is_awaited) {
            return;
        }
        let Some(heir) = self.heir.take() else { return };
        let estate = Estate { places: std::mem::take(&mut self.places), below: self.below.take() };
        if let Err(estate) = heir.send(estate) {
            // The other actor is gone, and so is the session.
            self.places = estate.places;
            self.below = estate.below;
        }
        ctx.stop();
    }
}

impl Handler<HandOver> for Session {
    type Result = ();

    fn handle(&mut self, HandOver(heir): HandOver, ctx: &mut Self::Context) {
        let why = "the session goes on over another connection";
        self.contact.queue.close(Closed::local(CloseCode::Superseded, Fault::Nobody, why));
        self.env.directory.do_send(Unwatched(self.contact.session));
        self.heir = Some(heir);
        self.hand_over(ctx);
        if self.heir.is_some() {
            // What waits for a hub above may wait for long; the client says it all again.
            ctx.run_later(HAND_OVER_MAX, |session, ctx| {
                session.places.values_mut().for_each(Place::give_up);
                session.hand_over(ctx);
            });
        }
    }
}

impl Session {
    /// A hub below that stops, and is started again, is who it was.
    fn can_outlive(&self, closed: &Closed) -> bool {
        let is_hub = self.below.is_some() && closed.code == CloseCode::ShuttingDown;
        is_hub || can_outlive(closed)
    }
}

/// Whether a session may go on after this end of its connection: who said goodbye, or broke the
/// rules, does not come back as the same.
fn can_outlive(closed: &Closed) -> bool {
    let is_trouble =
        matches!(closed.code, CloseCode::Silent | CloseCode::TooSlow | CloseCode::Internal);
    closed.by == Closer::Transport || is_trouble
}
