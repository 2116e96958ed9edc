//! What a leaf changes about its object as a whole: its name, its pin, its end.
//!
//! Each wish is admitted and passed on to the directory. They are decided side by side: who needs
//! one before the other waits for its answer.

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use bytes::Bytes;

use super::{Session, place::Place, wishes::send};
use crate::{
    hub::{
        admission::{Wish, decide},
        contact::Pending,
        directory::{Destroy as Destroying, Found, SetName, SetPin},
    },
    object::ObjectId,
    wire::{Destroy, NameObject, Pin, Refusal, Request, Target, encode},
};

impl Session {
    pub(super) fn name(&mut self, name: NameObject, pending: Pending, ctx: &mut Context<Self>) {
        let NameObject { object, name, .. } = name;
        let Some(pending) = self.of_a_leaf(object, pending) else { return };
        if self.env.upward.copy(object).is_some() {
            let naming = {
                let name = name.clone();
                move |request| encode(&NameObject { request, object, name })
            };
            let wish = Wish::Name { object, name };
            return self.change_above(wish, pending, naming, ctx);
        }
        let visit = self.visit(Wish::Name { object, name: name.clone() });
        let env = self.env.clone();
        let naming = async move {
            decide(&*env.admission, visit).await?;
            send(&env.directory, SetName { object, name }).await
        };
        ctx.spawn(naming.into_actor(self).map(|named, _, _| match named {
            Ok(()) => pending.done(),
            Err(refusal) => pending.refuse(refusal),
        }));
    }

    pub(super) fn pin(&mut self, pin: &Pin, pending: Pending, ctx: &mut Context<Self>) {
        let &Pin { object, pinned, .. } = pin;
        let wish = move |found: &Found| {
            let Found { object, name, interface, .. } = found.clone();
            Wish::Pin { object, name, interface, pinned }
        };
        self.change(object, pending, wish, ctx, move |session, pending, ctx| {
            if session.env.upward.copy(object).is_some() {
                return session.do_above(
                    pending,
                    move |request| encode(&Pin { request, object, pinned }),
                    ctx,
                );
            }
            session.env.directory.do_send(SetPin { object, pinned, pending });
        });
    }

    pub(super) fn destroy(&mut self, destroy: &Destroy, pending: Pending, ctx: &mut Context<Self>) {
        let object = destroy.object;
        let wish = |found: &Found| {
            let Found { object, name, interface, .. } = found.clone();
            Wish::Destroy { object, name, interface }
        };
        self.change(object, pending, wish, ctx, move |session, pending, ctx| {
            if session.env.upward.copy(object).is_some() {
                return session.do_above(
                    pending,
                    move |request| encode(&Destroy { request, object }),
                    ctx,
                );
            }
            session.env.directory.do_send(Destroying { object, pending });
        });
    }

    /// Does `then` when the session is a leaf of the object, and the admission has nothing against
    /// the wish.
    fn change(
        &self,
        object: ObjectId,
        pending: Pending,
        wish: impl FnOnce(&Found) -> Wish + 'static,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&Self, Pending, &mut Context<Self>) + 'static,
    ) {
        let Some(pending) = self.of_a_leaf(object, pending) else { return };
        let granting = self.found(Target::Object(object), None, wish);
        ctx.spawn(granting.into_actor(self).map(move |granted, session, ctx| match granted {
            Ok(_) => then(session, pending, ctx),
            Err(refusal) => pending.refuse(refusal),
        }));
    }

    /// Has something done at the object's home, if the admission has nothing against it.
    fn change_above(
        &self,
        wish: Wish,
        pending: Pending,
        frame: impl FnOnce(Request) -> Bytes + 'static,
        ctx: &mut Context<Self>,
    ) {
        let (visit, env) = (self.visit(wish), self.env.clone());
        let deciding = async move { decide(&*env.admission, visit).await };
        ctx.spawn(deciding.into_actor(self).map(move |decided, session, ctx| match decided {
            Ok(_) => session.do_above(pending, frame, ctx),
            Err(refusal) => pending.refuse(refusal),
        }));
    }

    /// Has something done at the object's home.
    fn do_above(
        &self,
        pending: Pending,
        frame: impl FnOnce(Request) -> Bytes + 'static,
        ctx: &mut Context<Self>,
    ) {
        let upward = self.env.upward.clone();
        let doing = async move { upward.request(frame).await };
        ctx.spawn(doing.into_actor(self).map(move |done, _, _| match done {
            Ok(()) => pending.done(),
            Err(refusal) => pending.refuse(refusal),
        }));
    }

    /// The request, if the session is a leaf of the object; else it is refused.
    fn of_a_leaf(&self, object: ObjectId, pending: Pending) -> Option<Pending> {
        if self.places.get(&object).is_some_and(Place::is_joined) {
            return Some(pending);
        }
        pending.refuse(Refusal::NotJoined);
        None
    }
}
