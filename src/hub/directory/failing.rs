//! Objects that have failed, and how they are brought back.
//!
//! A repeater that is given up leaves its history here. When somebody tries again the object goes
//! on where it was; if its history is not whole, it begins anew with the last state that is, and
//! says so by another epoch.

use std::sync::Arc;

use actix::{Actor, Context, Handler, Message};

use super::{Directory, Object};
use crate::{
    hub::{
        Env, Hub,
        history::History,
        life::ListChange,
        repeater::{Disown, Manner},
        session::ObjectEnded,
    },
    object::{Epoch, ObjectId},
    wire::{EndReason, Refusal},
};

/// An object that has failed, or is about to say so.
#[derive(Debug, Default)]
pub(super) struct Failure {
    reason: Option<String>,
    remains: Option<(History, Manner)>,
    /// Whether it was pinned.
    pinned: bool,
}

/// An object's repeater has given up.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Failed {
    pub(super) object: ObjectId,
    pub(super) reason: String,
}

/// What a repeater leaves that ends before its object.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Remains {
    pub(crate) object: ObjectId,
    pub(crate) history: History,
    pub(crate) manner: Manner,
}

/// Bring an object back.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), RetryError>")]
struct Retry {
    object: ObjectId,
    env: Arc<Env>,
}

/// Why an object is not brought back.
///
/// ```
/// use actix_multiplex::{Hub, ObjectId, RetryError};
/// # actix::System::new().block_on(async {
/// let hub = Hub::builder().start()?;
/// let nobody = ObjectId([7; 16]);
/// assert_eq!(hub.retry(nobody).await, Err(RetryError::Unknown(nobody)));
/// hub.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetryError {
    /// There is no such object.
    #[error("there is no object {0}")]
    Unknown(ObjectId),
    /// It has not failed.
    #[error("object {0} has not failed")]
    Sound(ObjectId),
    /// Nothing of it is left.
    #[error("object {object} cannot be brought back: {why}")]
    Lost {
        /// The object.
        object: ObjectId,
        /// Why not.
        why: String,
    },
    /// The hub is stopping.
    #[error("the hub is stopping")]
    Stopping,
}

impl Hub {
    /// Brings back an object that has failed: its repeater panicked too often, or its journal is
    /// damaged. It goes on under its id and name, and whoever wants a leaf of it joins anew. If its
    /// history is whole so is its order; else it begins anew with what is left, in a new epoch.
    ///
    /// # Errors
    /// [`RetryError`]; nothing has changed then.
    pub async fn retry(&self, object: ObjectId) -> Result<(), RetryError> {
        let retry = Retry { object, env: self.env.clone() };
        self.env.directory.send(retry).await.unwrap_or(Err(RetryError::Stopping))
    }
}

impl Failure {
    /// What is said of the object, if it has failed.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl Object {
    /// Why it cannot be had, if it has failed.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.as_ref().and_then(|failure| failure.reason())
    }

    fn failure(&mut self) -> &mut Failure {
        self.failed.get_or_insert_default()
    }
}

impl Directory {
    fn retry(&mut self, retry: &Retry, ctx: &mut Context<Self>) -> Result<(), RetryError> {
        let object = retry.object;
        if self.stopping {
            return Err(RetryError::Stopping);
        }
        if self.quarantine.why(object).is_some() {
            return self.rescue(object, &retry.env, ctx);
        }
        let known = self.objects.get_mut(&object).ok_or(RetryError::Unknown(object))?;
        let failure = known.failed.as_mut().filter(|failure| failure.reason.is_some());
        let failure = failure.ok_or(RetryError::Sound(object))?;
        let lost = |why: &str| RetryError::Lost { object, why: why.to_owned() };
        let place = &self.places[usize::from(object.0[0]) % self.places.len()];
        place.check().map_err(|why| lost(&why.to_string()))?;
        let (history, manner) = failure.remains.take().ok_or_else(|| lost("nothing is left"))?;
        let history = if history.is_sound() { history } else { self.renew(object, history) };
        self.bring_back(object, history, manner, ctx).map_err(|why| lost(&why.to_string()))
    }

    /// An object begins anew, with its last state.
    fn renew(&mut self, object: ObjectId, past: History) -> History {
        let epoch = Epoch::random(&mut self.random);
        tracing::warn!(%object, %epoch, "an object's history is damaged: it begins anew");
        let mut history = past.renewed(object, epoch);
        // What the lost tail carried is needed no more; the repeater tells of the state's list.
        let lost = ListChange { dropped: usize::MAX, ..ListChange::default() };
        self.life.list(object, lost, self.clock.now_ms());
        if self.keep_anew(object, epoch, &history) {
            history.keep();
        }
        history
    }

    /// Puts a repeater in the place of the one that has failed.
    pub(super) fn bring_back(
        &mut self,
        object: ObjectId,
        history: History,
        manner: Manner,
        ctx: &mut Context<Self>,
    ) -> Result<(), Refusal> {
        let (involved, owner) = (history.involved().collect::<Vec<_>>(), history.owner());
        let repeater = self.start_repeater(object, history, manner, false, ctx)?;
        // Its leaf has stopped, as all have.
        repeater.do_send(Disown { session: owner, refused: None });
        let failed = self.objects.get_mut(&object).and_then(|known| {
            known.repeater = repeater;
            known.failed.take()
        });
        self.revisit(object, &involved);
        let is_pinned = failed.is_some_and(|failure| failure.pinned);
        tracing::info!(%object, "an object that had failed is back");
        self.life.set_pinned(object, is_pinned, self.clock.now_ms());
        self.sweep_later(ctx);
        Ok(())
    }
}

impl Handler<Failed> for Directory {
    type Result = ();

    fn handle(&mut self, failed: Failed, ctx: &mut Self::Context) {
        let Failed { object, reason } = failed;
        tracing::error!(%object, reason, "an object has failed");
        if self.objects.get(&object).is_some_and(|known| known.is_copy) {
            return self.fail_copy(object, reason);
        }
        let pinned = self.life.is_pinned(object);
        if let Some(known) = self.objects.get_mut(&object) {
            let failure = known.failure();
            (failure.reason, failure.pinned) = (Some(reason.clone()), pinned);
        }
        // Nobody is a leaf of it any more, so nobody could take its pin out. What is kept must not go
        // for that: it stays until it is back, as it is at the latest with the next start.
        let is_kept = self.keeper.is_some();
        self.life.set_joined(object, false, self.clock.now_ms());
        self.life.set_pinned(object, is_kept, self.clock.now_ms());
        self.sweep_later(ctx);
        let reason = Some(EndReason::Failed(reason));
        for session in self.sessions.addrs() {
            session.do_send(ObjectEnded { object, reason: reason.clone() });
        }
    }
}

impl Handler<Remains> for Directory {
    type Result = ();

    fn handle(&mut self, remains: Remains, _: &mut <Self as Actor>::Context) {
        let Remains { object, history, manner } = remains;
        if let Some(known) = self.objects.get_mut(&object) {
            known.failure().remains = Some((history, manner));
        }
    }
}

impl Handler<Retry> for Directory {
    type Result = Result<(), RetryError>;

    fn handle(&mut self, retry: Retry, ctx: &mut Self::Context) -> Self::Result {
        self.retry(&retry, ctx)
    }
}
