//! Who is a leaf of an object with presence, told to its leaves at the end of a turn, behind the
//! turn's shouts.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};

use super::{Flush, Repeater, ahead::Later};
use crate::{hub::admission::Identity, object::SessionId};

/// A session has lost its connection.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Away(pub(crate) SessionId);

impl Repeater {
    /// A session has become a leaf, or is one again.
    pub(super) fn has_joined(&mut self, session: SessionId, client: Arc<Identity>) {
        let is_home = self.above.is_none();
        match &mut self.members {
            Some(members) if is_home => members.join(session, client, self.clock.now_ms()),
            // Who is here the home says.
            Some(members) => members.tell_all(session),
            None => {}
        }
    }

    /// A session's connection is going. It may come back over another one, and join again.
    pub(super) fn is_away(&mut self, session: SessionId) {
        self.roster.set_away(session);
        self.unask(session);
        let below = self.roster.below(session);
        let is_home = self.above.is_none();
        if let Some(members) = self.members.as_mut().filter(|_| is_home) {
            below.iter().chain([&session]).for_each(|session| members.away(*session));
        }
        below.iter().chain([&session]).for_each(|session| self.absent_above(*session));
    }

    /// A session is a leaf no more.
    pub(super) fn has_parted(&mut self, session: SessionId) {
        let is_home = self.above.is_none();
        if let Some(members) = self.members.as_mut().filter(|_| is_home) {
            members.part(session);
        }
    }

    /// The end of a turn: tells what was shouted, and behind it who has come and gone.
    pub(super) fn finish(&mut self) {
        self.flush();
        self.tell_of_members();
    }

    /// Sees to it that the turn has an end, if there is something to tell.
    pub(super) fn finish_later(&mut self, ctx: &mut Context<Self>) {
        if self.members.as_mut().is_some_and(|members| members.needs_end()) {
            ctx.notify(Flush);
        }
    }

    /// Tells who has come and gone, when all shouts of the turn are sent. Whoever is found to be
    /// going has gone too.
    pub(super) fn tell_of_members(&mut self) {
        let class = self.class();
        while let Some(members) = self.members.as_mut().filter(|members| members.has_news()) {
            self.turn.pushed(self.roster.leaves());
            let unsent = members.tell(self.history.last(), class, &self.roster);
            self.unsent(unsent);
        }
    }
}

impl Handler<Away> for Repeater {
    type Result = ();

    fn handle(&mut self, away: Away, ctx: &mut Self::Context) {
        let session = away.0;
        // At a copy it is about to be let in, and goes again.
        let is_entrant = self.is_entrant(session);
        let now = if is_entrant { self.or_later(session, away, Later::Away) } else { Some(away) };
        if now.is_none() {
            return;
        }
        self.is_away(session);
        self.ask_for_a_snapshot();
        self.took(1, 0, ctx);
    }
}
