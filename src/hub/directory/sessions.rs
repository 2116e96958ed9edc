//! The sessions of a hub: who they are, by which actor they are reached, and what they are gone on
//! with.
//!
//! A session that goes on over another connection has another actor from then on. It is told who
//! stood for the session before, and is handed over what that one had.

use std::collections::BTreeMap;

use actix::{Addr, Handler, Message};

use super::{Directory, limit};
use crate::{
    hub::{
        keys::{Key, Keys, Proof},
        session::Session,
    },
    journal::{Change, ResumeKeys},
    limits::SESSIONS_MAX,
    object::SessionId,
    wire::{Refusal, Resume},
};

/// All sessions, also those that are away.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: BTreeMap<SessionId, Known>,
}

#[derive(Debug)]
struct Known {
    addr: Addr<Session>,
    keys: Keys,
}

/// A session begins, if there is room.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Refusal>")]
pub(crate) struct Begin {
    pub(crate) session: SessionId,
    pub(crate) addr: Addr<Session>,
    pub(crate) key: Key,
}

/// What a key is good for that a client shows to go on with a session.
#[derive(Debug, Message)]
#[rtype(result = "Proof")]
pub(crate) struct Prove(pub(crate) Resume);

/// A session goes on: this actor stands for it from now on. Answered by the one that did.
#[derive(Debug, Message)]
#[rtype(result = "Result<Addr<Session>, Proof>")]
pub(crate) struct GoOn {
    pub(crate) resume: Resume,
    pub(crate) addr: Addr<Session>,
    pub(crate) next: Key,
}

/// A session is told of no more names: its connection has ended.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Unwatched(pub(crate) SessionId);

/// A session has ended, if this actor still stands for it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct End {
    pub(crate) session: SessionId,
    pub(crate) addr: Addr<Session>,
}

impl Sessions {
    /// By what a session is reached.
    pub(crate) fn get(&self, session: SessionId) -> Option<&Addr<Session>> {
        self.all.get(&session).map(|known| &known.addr)
    }

    /// Their ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = SessionId> {
        self.all.keys().copied()
    }

    /// By what all are reached, in the order of their ids.
    pub(crate) fn addrs(&self) -> impl Iterator<Item = &Addr<Session>> {
        self.all.values().map(|known| &known.addr)
    }

    fn prove(&self, resume: &Resume) -> Proof {
        let known = self.all.get(&resume.session);
        known.map_or(Proof::None, |known| known.keys.prove(&resume.key, resume.attempt))
    }

    /// Puts `addr` in the place of who stood for the session.
    fn go_on(&mut self, go_on: GoOn) -> Result<Addr<Session>, Proof> {
        let GoOn { resume, addr, next } = go_on;
        let proof = self.prove(&resume);
        let known = self.all.get_mut(&resume.session).filter(|_| proof == Proof::Good);
        let known = known.ok_or(proof)?;
        known.keys.turn(&resume.key, resume.attempt, next);
        Ok(std::mem::replace(&mut known.addr, addr))
    }

    /// A session that is gone on with after the hub's restart, and is away.
    pub(super) fn revive(&mut self, session: SessionId, addr: Addr<Session>, keys: ResumeKeys) {
        self.all.insert(session, Known { addr, keys: keys.into() });
    }

    fn keys(&self, session: SessionId) -> Option<ResumeKeys> {
        self.all.get(&session).map(|known| (&known.keys).into())
    }
}

impl Directory {
    /// With what a session is gone on is to be kept as it is now.
    fn keep_session(&self, session: SessionId) {
        let keys = self.sessions.keys(session);
        self.keep(keys.map(|keys| Change::Session { session, keys }));
    }
}

impl Handler<Begin> for Directory {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, begin: Begin, _: &mut Self::Context) -> Self::Result {
        if self.stopping {
            return Err(Refusal::Stopping);
        }
        let Begin { session, addr, key } = begin;
        let all = &mut self.sessions.all;
        limit("sessions", all.len(), SESSIONS_MAX)?;
        all.insert(session, Known { addr, keys: Keys::new(key) });
        self.keep_session(session);
        Ok(())
    }
}

impl Handler<Prove> for Directory {
    type Result = Proof;

    fn handle(&mut self, Prove(resume): Prove, _: &mut Self::Context) -> Proof {
        self.sessions.prove(&resume)
    }
}

impl Handler<GoOn> for Directory {
    type Result = Result<Addr<Session>, Proof>;

    fn handle(&mut self, go_on: GoOn, _: &mut Self::Context) -> Self::Result {
        let session = go_on.resume.session;
        let before = self.sessions.go_on(go_on)?;
        self.keep_session(session);
        Ok(before)
    }
}

impl Handler<Unwatched> for Directory {
    type Result = ();

    fn handle(&mut self, Unwatched(session): Unwatched, _: &mut Self::Context) {
        self.end_watches(session);
    }
}

impl Handler<End> for Directory {
    type Result = ();

    fn handle(&mut self, End { session, addr }: End, _: &mut Self::Context) {
        if self.sessions.get(session) == Some(&addr) {
            self.sessions.all.remove(&session);
            self.end_watches(session);
            if self.origins.remove(&session).is_some() {
                self.links.retain(|_, link| *link != session);
                self.keep([Change::BelowEnded(session)]);
            }
            self.upward.is_over(session);
            self.keep([Change::SessionEnded(session)]);
        }
    }
}
