//! States that are too large for the frame that tells of them: they go ahead of it in pieces, as the
//! connection takes them, and it is made when they have gone.
//!
//! A leaf that joins so is none before. What its session says meanwhile waits here behind the join,
//! within the session's inward bound, as if the join had come later. A leaf that has missed shouts
//! stays where it is until it is told.

use std::collections::{BTreeMap, VecDeque};

use actix::{Context, Handler};
use bytes::Bytes;

use super::{Attach, Away, Enrolling, Forget, Join, Leave, PassAsk, Pull, Repeater, Shouts};
use crate::{
    connection::Fed,
    hub::{
        contact::Contact,
        history::{CatchUp, Snapshot},
    },
    limits::{JOIN_BYTES, PULL_BYTES},
    object::{Carried, Resync, SessionId},
    wire::{Refusal, StateIs},
};

/// The states that are on their way to sessions.
pub(super) type Ahead = BTreeMap<SessionId, Going>;

/// A state on its way, and why.
#[derive(Debug)]
pub(super) struct Going {
    contact: Contact,
    snapshot: Snapshot,
    resync: Option<Resync>,
    /// The join that is answered then, and what comes behind it. None: a leaf is told of a resync.
    join: Option<(Join, VecDeque<Later>)>,
}

/// What a session has said behind a join that is not answered.
#[derive(Debug)]
pub(super) enum Later {
    Ask(PassAsk),
    Away(Away),
    Attach(Attach),
    Detach(Leave),
    Enroll(Enrolling),
    Forget(Forget),
    Join(Join),
    Pull(Pull),
    Shouts(Shouts),
}

/// What has become of a session's state on its way.
pub(super) enum Sent {
    /// None is.
    Nothing,
    /// It is still.
    Piece,
    /// All of it is queued, and this is the join behind it.
    Join(Box<Join>, VecDeque<Later>, CatchUp),
    /// All of it is queued, and this is to be told.
    Resync(CatchUp),
}

impl Later {
    /// The object is no more.
    pub(super) fn refuse(self) {
        match self {
            Self::Attach(Attach { pending, .. })
            | Self::Join(Join { pending, .. })
            | Self::Enroll(Enrolling { pending, .. }) => pending.refuse(Refusal::Gone),
            Self::Detach(leave) => leave.refuse(),
            Self::Ask(_) | Self::Away(_) | Self::Forget(_) | Self::Pull(_) | Self::Shouts(_) => {}
        }
    }
}

impl Repeater {
    /// Gives back what a session says, unless it waits behind a join. One over a connection that is no
    /// more holds nothing up.
    pub(super) fn or_later<M>(
        &mut self,
        session: SessionId,
        said: M,
        later: fn(M) -> Later,
    ) -> Option<M> {
        let Some(behind) = self.behind(session) else { return Some(said) };
        behind.push_back(later(said));
        None
    }

    /// Whether a session's join waits for its state to go.
    pub(super) fn waits(&mut self, session: SessionId) -> bool {
        self.behind(session).is_some()
    }

    fn behind(&mut self, session: SessionId) -> Option<&mut VecDeque<Later>> {
        if self.is_entrant(session) {
            return self.above.as_mut()?.behind(session);
        }
        let going = self.ahead.as_mut()?.get_mut(&session)?;
        let (_, behind) = going.join.as_mut().filter(|_| going.contact.queue.is_open())?;
        Some(behind)
    }

    /// Sends a large state ahead. What follows is asked for when there is room.
    pub(super) fn send_ahead(
        &mut self,
        contact: Contact,
        snapshot: Snapshot,
        resync: Option<Resync>,
        join: Option<Join>,
    ) {
        let (object, session, queue) = (self.object, contact.session, contact.queue.clone());
        let bytes = snapshot.state.len();
        tracing::debug!(%object, %session, bytes, "a state goes in pieces");
        // It begins with its first byte, whatever was told before.
        queue.end_state(object);
        if join.is_some() {
            queue.hold(object, snapshot.seq);
        }
        let join = join.map(|join| (join, VecDeque::new()));
        let going = Going { contact, snapshot, resync, join };
        self.ahead.get_or_insert_default().insert(session, going);
        queue.rouse(object);
    }

    /// Sends a piece of the state that is on its way to a session.
    pub(super) fn send_piece(&mut self, session: SessionId) -> Sent {
        let Some(ahead) = &mut self.ahead else { return Sent::Nothing };
        let Some(Going { contact, snapshot, .. }) = ahead.get(&session) else {
            return Sent::Nothing;
        };
        let queue = &contact.queue;
        if queue.due(self.object).is_none() {
            return Sent::Piece;
        }
        self.turn.pushed(1);
        match queue.feed_state(self.object, &snapshot.state) {
            Ok(Fed::All) => self.sent(session),
            Ok(Fed::Piece) => {
                queue.rouse(self.object);
                Sent::Piece
            }
            Ok(Fed::Later) | Err(_) => Sent::Piece,
        }
    }

    fn sent(&mut self, session: SessionId) -> Sent {
        let Some(going) = self.take_going(session) else { return Sent::Nothing };
        #[cfg(feature = "testing")]
        crate::hub::faults::count(|tally| tally.given_in_pieces += 1);
        let Going { snapshot, resync, join, .. } = going;
        let bytes = if join.is_some() { JOIN_BYTES } else { PULL_BYTES };
        let catch_up = self.history.catch_up_behind(snapshot, resync, bytes);
        match join {
            Some((join, behind)) => Sent::Join(Box::new(join), behind, catch_up),
            None => Sent::Resync(catch_up),
        }
    }

    /// What a session has said behind its join comes now.
    pub(super) fn hear_later(
        &mut self,
        session: SessionId,
        mut behind: VecDeque<Later>,
        ctx: &mut Context<Self>,
    ) {
        while let Some(later) = behind.pop_front() {
            self.hear_one(later, ctx);
            if let Some(waiting) = self.behind(session) {
                return waiting.append(&mut behind);
            }
        }
    }

    fn hear_one(&mut self, later: Later, ctx: &mut Context<Self>) {
        match later {
            Later::Ask(ask) => self.handle(ask, ctx),
            Later::Away(away) => self.handle(away, ctx),
            Later::Attach(attach) => self.handle(attach, ctx),
            Later::Detach(leave) => self.handle(leave, ctx),
            Later::Enroll(enrolling) => self.handle(enrolling, ctx),
            Later::Forget(forget) => self.handle(forget, ctx),
            Later::Join(join) => self.handle(join, ctx),
            Later::Pull(pull) => self.handle(pull, ctx),
            Later::Shouts(shouts) => self.handle(shouts, ctx),
        }
    }

    /// The state that is on its way to a session is not needed any more.
    pub(super) fn stop_state(&mut self, session: SessionId) {
        if let Some(Going { contact, .. }) = self.take_going(session) {
            contact.queue.end_state(self.object);
        }
    }

    /// A session parts: its joins that are not answered are refused.
    pub(super) fn call_off(&mut self, session: SessionId, ctx: &mut Context<Self>) {
        let Some(Going { contact, join, .. }) = self.take_going(session) else { return };
        contact.queue.unpull(self.object);
        let Some((join, behind)) = join else { return };
        // It has no other way to learn of its shouts before that.
        self.tell_earlier_outcomes(&contact);
        for later in [Later::Join(join)].into_iter().chain(behind) {
            match later {
                Later::Join(join) => join.pending.refuse(Refusal::NotJoined),
                Later::Shouts(shouts) if self.roster.get(session).is_none() => {
                    contact.turn_away(self.object, shouts.volley);
                }
                Later::Ask(ask) if self.roster.get(session).is_none() => {
                    contact.refuse_ask(&ask.ask);
                }
                other => self.hear_one(other, ctx),
            }
        }
    }

    /// After a panic, joins begin anew. Leaves that were about to be told of a resync join again.
    pub(super) fn begin_states_anew(&mut self) {
        let Some(ahead) = &mut self.ahead else { return };
        ahead.retain(|_, going| going.join.is_some());
        for going in ahead.values() {
            going.contact.queue.hold(self.object, going.snapshot.seq);
            going.contact.queue.rouse(self.object);
        }
    }

    /// Turns away all that wait for a state of an object that is no more.
    pub(super) fn turn_all_away(&mut self) {
        for (session, going) in self.ahead.take().into_iter().flat_map(|ahead| *ahead) {
            let Going { contact, join, .. } = going;
            contact.queue.unpull(self.object);
            let Some((join, behind)) = join else { continue };
            for later in [Later::Join(join)].into_iter().chain(behind) {
                match later {
                    Later::Attach(Attach { pending, .. }) | Later::Join(Join { pending, .. }) => {
                        self.turn_away(session, pending);
                    }
                    Later::Detach(leave) => leave.refuse(),
                    Later::Enroll(Enrolling { pending, .. }) => pending.refuse(Refusal::Gone),
                    Later::Ask(_)
                    | Later::Away(_)
                    | Later::Forget(_)
                    | Later::Pull(_)
                    | Later::Shouts(_) => {}
                }
            }
        }
    }

    fn take_going(&mut self, session: SessionId) -> Option<Going> {
        let ahead = self.ahead.as_mut()?;
        let going = ahead.remove(&session);
        self.ahead.take_if(|ahead| ahead.is_empty());
        going
    }
}

impl CatchUp {
    /// The state that is to go ahead of the rest, if it has not.
    pub(super) fn to_go_ahead(&self) -> Option<&Snapshot> {
        self.restore.as_ref().filter(|_| !self.is_ahead).filter(|snapshot| {
            StateIs::of(snapshot.state.len(), &snapshot.carried) == StateIs::Pieces
        })
    }

    /// The state as a frame tells it.
    pub(super) fn take_state(&mut self) -> (StateIs, Bytes, Vec<Carried>) {
        match self.restore.take() {
            None => (StateIs::Absent, Bytes::new(), Vec::new()),
            Some(Snapshot { carried, .. }) if self.is_ahead => {
                (StateIs::Pieces, Bytes::new(), carried)
            }
            Some(Snapshot { state, carried, .. }) => (StateIs::Payload, state, carried),
        }
    }
}
