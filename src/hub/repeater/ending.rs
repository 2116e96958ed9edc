//! How an object's life hangs on its repeater, and how the repeater lets go at its end.
//!
//! Out go reports to the directory, which alone decides who is needed. In comes its word that the
//! object is no more: what is in hand is sent, the last word said, everything let go of.

use actix::{Handler, Message};

use super::{Manner, Repeater};
use crate::{
    hub::{
        contact::Pending,
        directory::{Carried, Directory, Occupied, Remains, TellEnded},
        fanout::Fanout,
        history::History,
        roster::Roster,
    },
    object::{Kind, SessionId},
    wire::{EndReason, Refusal},
};

/// The object is no more. One that is destroyed says so in its own order first, and `done` is
/// answered behind that.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Retire {
    pub(crate) reason: EndReason,
    pub(crate) done: Option<Pending>,
}

impl Repeater {
    /// Tells the directory which objects the state and the tail carry now.
    pub(super) fn tell_of_lists(&mut self) {
        if let Some(change) = self.history.list_change().filter(|_| self.above.is_none()) {
            self.tell_directory(Carried { object: self.object, change });
        }
    }

    /// Tells the directory when the first leaf has come, or the last has gone.
    pub(super) fn tell_of_leaves(&mut self) {
        // A copy is there as long as anybody is at it.
        let joined = self.roster.has_leaves()
            || self.above.is_some() && !self.roster.members().is_empty()
            || self.has_entrants();
        if std::mem::replace(&mut self.occupied, joined) != joined {
            self.tell_directory(Occupied { object: self.object, joined });
        }
    }

    pub(super) fn tell_directory<M>(&self, message: M)
    where
        M: Message<Result = ()> + Send + 'static,
        Directory: Handler<M>,
    {
        if let Some(directory) = self.directory.upgrade() {
            directory.do_send(message);
        }
    }

    /// Turns away who was on the way to an object that is no more.
    pub(super) fn turn_away(&self, session: SessionId, pending: Pending) {
        pending.refuse(Refusal::Gone);
        let (object, sessions) = (self.object, vec![session]);
        self.tell_directory(TellEnded { object, sessions, reason: None });
    }

    /// Lets go of all that it holds; whoever has a place here is told.
    fn let_go(&mut self, reason: EndReason) {
        let mut sessions = self.strayed.take().unwrap_or_default().0;
        sessions.extend(self.history.involved());
        sessions.extend(self.roster.members().iter().map(|member| member.session));
        self.history = History::new(self.object, self.history.epoch(), None);
        self.keep_nothing();
        self.weigh();
        self.turn_all_away();
        self.turn_entrants_away(&mut sessions);
        self.roster = Roster::default();
        self.fanout = Fanout::default();
        self.members = None;
        let sessions = sessions.into_iter().collect();
        self.tell_directory(TellEnded { object: self.object, sessions, reason: Some(reason) });
    }
}

impl Handler<Retire> for Repeater {
    type Result = ();

    fn handle(&mut self, retire: Retire, _: &mut Self::Context) {
        let Retire { reason, done } = retire;
        self.ended = Some(Box::new(reason.clone()));
        self.flush();
        if reason == EndReason::Destroyed && self.above.is_none() {
            self.history.say(Kind::DESTROYED, &[]);
            self.flush();
        }
        self.end_grades();
        if let Some(done) = done {
            done.done();
        }
        self.let_go(reason);
    }
}

/// One that is given up leaves its history, for whoever tries again.
impl Drop for Repeater {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let epoch = self.history.epoch();
            let history =
                std::mem::replace(&mut self.history, History::new(self.object, epoch, None));
            let presence = self.members.is_some();
            let authority = self.judge.take().map(|judge| judge.into_authority());
            let questions = self.questions.take().map(|questions| questions.into_manner());
            let (handover, asks) = questions.unwrap_or_default();
            let slow_leaves = self.slow_leaves;
            let manner = Manner { presence, slow_leaves, authority, handover, asks };
            self.tell_directory(Remains { object: self.object, history, manner });
        }
    }
}
