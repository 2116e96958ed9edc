//! Faults that tests put into a hub on purpose. Only with feature `testing`.

use std::{collections::BTreeMap, sync::mpsc, time::Duration};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};

use super::{
    Hub,
    directory::{Directory, Find},
    repeater::Repeater,
    session::Session,
};
use crate::{
    object::{Kind, ObjectId, SessionId},
    wire::Target,
};

/// Where an actor of the hub is made to panic.
///
/// ```
/// use actix_multiplex::{Kind, testing::Trouble};
/// let poison = Trouble::Shout { kind: Kind(3), times: 2 };
/// assert_ne!(poison, Trouble::Handler);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
#[non_exhaustive]
pub enum Trouble {
    /// In the handler of a message.
    Handler,
    /// In the handler of a message that it sends itself.
    Notify,
    /// In a future that it has spawned.
    Future,
    /// When a timer fires.
    Timer,
    /// When what the next turn has brought is about to be sent, and has its places.
    Flush,
    /// In `started`, when it is made anew after a panic in a handler.
    Start,
    /// In a handler, with a history that is damaged: the object cannot be made anew.
    History,
    /// At the next shouts of this message that reach it, before they have their seq.
    Shout {
        /// The message.
        kind: Kind,
        /// How often.
        times: u32,
    },
    /// When the next session has been told that it is in, and is not yet.
    Entry,
}

/// What is armed in one actor.
#[derive(Debug, Default)]
pub(crate) struct Sabotage {
    start: bool,
    flush: bool,
    entry: bool,
    shouts: BTreeMap<Kind, u32>,
}

impl Sabotage {
    pub(crate) fn at_a_start(&mut self) {
        assert!(!std::mem::take(&mut self.start), "sabotaged in started");
    }

    pub(crate) fn at_a_flush(&mut self) {
        assert!(!std::mem::take(&mut self.flush), "sabotaged at a flush");
    }

    pub(crate) fn at_an_entry(&mut self) {
        assert!(!std::mem::take(&mut self.entry), "sabotaged at an entry");
    }

    pub(crate) fn at_a_shout(&mut self, kind: Kind) {
        let Some(times) = self.shouts.get_mut(&kind).filter(|times| **times > 0) else { return };
        *times -= 1;
        panic!("sabotaged at message {kind}");
    }
}

fn strike<A>(trouble: Trouble, sabotage: &mut Sabotage, ctx: &mut Context<A>)
where
    A: Actor<Context = Context<A>> + Handler<Trouble>,
{
    match trouble {
        Trouble::Handler | Trouble::History => panic!("sabotaged in a handler"),
        Trouble::Notify => ctx.notify(Trouble::Handler),
        Trouble::Future => {
            ctx.spawn(actix::fut::wrap_future(async { panic!("sabotaged in a future") }));
        }
        Trouble::Timer => {
            ctx.run_later(Duration::from_millis(1), |_, _| panic!("sabotaged in a timer"));
        }
        Trouble::Flush => sabotage.flush = true,
        Trouble::Start => {
            sabotage.start = true;
            panic!("sabotaged in a handler, then in started");
        }
        Trouble::Shout { kind, times } => {
            sabotage.shouts.insert(kind, times);
        }
        Trouble::Entry => sabotage.entry = true,
    }
}

impl Handler<Trouble> for Repeater {
    type Result = ();

    fn handle(&mut self, trouble: Trouble, ctx: &mut Self::Context) {
        if trouble == Trouble::History {
            self.damage_history();
        }
        strike(trouble, &mut self.sabotage, ctx);
    }
}

impl Handler<Trouble> for Session {
    type Result = ();

    fn handle(&mut self, trouble: Trouble, ctx: &mut Self::Context) {
        strike(trouble, &mut Sabotage::default(), ctx);
    }
}

impl Hub {
    /// Makes an object's repeater panic. `false`: there is no such object.
    pub async fn sabotage(&self, object: ObjectId, trouble: Trouble) -> bool {
        let Some(repeater) = self.repeater_of(object).await else { return false };
        repeater.do_send(trouble);
        true
    }

    /// Ends the hub as a loss of power does: nothing more is committed, and nothing more leaves it.
    /// Lines that are not cut before may bring its goodbye.
    pub fn lose_power(&self) {
        if let Some(keeper) = &self.env.keeper {
            keeper.lose();
        }
        let hub = self.clone();
        tokio::task::spawn_local(async move { hub.stop().await });
    }

    /// Makes the actor of a session panic. `false`: there is no such session.
    pub async fn sabotage_session(&self, session: SessionId, trouble: Trouble) -> bool {
        let Ok(Some(found)) = self.env.directory.send(FindSession(session)).await else {
            return false;
        };
        found.do_send(trouble);
        true
    }

    /// Holds up everything on an object's arbiter until what is returned is dropped. Only for a
    /// hub with arbiters: it stops a thread.
    pub async fn hold_up(&self, object: ObjectId) -> Option<HeldUp> {
        let (held, until) = mpsc::channel();
        self.repeater_of(object).await?.do_send(HoldUp(until));
        Some(HeldUp { _held: held })
    }

    async fn repeater_of(&self, object: ObjectId) -> Option<Addr<Repeater>> {
        let found = Find::ask(&self.env.directory, Target::Object(object), None).await;
        Some(found.ok()?.repeater)
    }
}

/// An arbiter that stands still.
#[derive(Debug)]
pub struct HeldUp {
    _held: mpsc::Sender<()>,
}

#[derive(Debug, Message)]
#[rtype(result = "Option<Addr<Session>>")]
struct FindSession(SessionId);

impl Handler<FindSession> for Directory {
    type Result = Option<Addr<Session>>;

    fn handle(&mut self, FindSession(session): FindSession, _: &mut Self::Context) -> Self::Result {
        self.sessions.get(session).cloned()
    }
}

/// Holds up everything on the actor's arbiter until the sender is dropped.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct HoldUp(mpsc::Receiver<()>);

impl Handler<HoldUp> for Repeater {
    type Result = ();

    fn handle(&mut self, HoldUp(until): HoldUp, _: &mut Self::Context) {
        // An arbiter of its own stands still for real; that is the point.
        let _dropped = until.recv();
    }
}
