//! The line to the hub above: asked for, granted, put up and cut.

use std::sync::Arc;

use actix::Addr;
use bytes::Bytes;

use super::{By, Line, State, Upward};
use crate::{
    connection::{Class, Queue},
    hub::{
        grants::Decision,
        repeater::Flow,
        session::{Decided, Session},
    },
    journal::Change,
    limits::BELOW_SESSIONS_MAX,
    object::{HubId, SessionId},
    wire::{Bar, Below, Claim, Refusal, Reserve, Resume, Target, encode},
};

impl Upward {
    /// A hub would be linked below this one: the session is told what becomes of that.
    pub(crate) fn claim(&self, claim: Claim, session: Addr<Session>) {
        let mut state = self.lock();
        let decision = state.grants.claim(claim, session);
        state.carry_out([decision]);
    }

    /// The hub above has decided about a hub below.
    pub(crate) fn decided(&self, number: u32, decision: Result<(), Bar>) {
        let mut state = self.lock();
        if let Some((number, session)) = state.grants.decided(number, decision.is_ok()) {
            state.carry_out([Decision::Answer(number, session, decision)]);
        }
    }

    /// This hub asks to be linked. Returns how many hubs are below it, one below the other.
    pub(crate) fn begin_claim(&self) -> u8 {
        self.lock().grants.begin()
    }

    /// It is, or is not.
    pub(crate) fn end_claim(&self, is_granted: bool) {
        let mut state = self.lock();
        let decisions = state.grants.end(is_granted);
        state.carry_out(decisions);
    }

    /// The hub above, and with what the link's session is gone on.
    pub(crate) fn known(&self) -> Option<(HubId, Resume)> {
        self.lock().known.clone()
    }

    /// The hub above is this one, and this is what the link's session is gone on with.
    pub(crate) fn know(&self, hub: HubId, resume: Resume) {
        self.lock().known = Some((hub, resume.clone()));
        self.keep(Change::Linked { hub, resume });
    }

    fn keep(&self, change: Change) {
        if let Some(keeper) = &self.keeper {
            keeper.keep([change]);
        }
    }

    /// There will be no hub above. Returns what is looked for there, in vain.
    pub(crate) fn unlink(&self) -> Vec<Target> {
        let mut state = self.lock();
        (state.line, state.known, state.is_driven) = (Line::None, None, false);
        self.keep(Change::Unlinked);
        let mut decisions = state.grants.cut();
        decisions.extend(state.grants.end(false));
        state.carry_out(decisions);
        let mut sought = Vec::new();
        for asked in std::mem::take(&mut state.asked).into_values() {
            match asked.by {
                By::Seekers(target) => sought.push(target),
                By::Task(reply) => drop(reply.send(Err(not_linked()))),
                By::Nobody | By::Copy(_) | By::Entrant(..) => {}
            }
        }
        sought
    }

    /// There is to be a hub above. `false`: there is one.
    pub(crate) fn link(&self) -> bool {
        let mut state = self.lock();
        if matches!(state.line, Line::None) {
            state.line = Line::Cut;
        }
        !std::mem::replace(&mut state.is_driven, true)
    }

    /// There is a connection. Who is below is said first, then what was not answered.
    pub(crate) fn come_up(&self, queue: Arc<Queue>, sessions: &[SessionId]) {
        let mut state = self.lock();
        for frame in all_below(sessions) {
            let _closing = queue.push(Class::Firm, frame);
        }
        let reserved = state.reserved.iter().filter(|(_, reserved)| !reserved.is_made);
        for (object, _) in reserved {
            let _closing = queue.push(Class::Firm, encode(&Reserve { object: *object }));
        }
        state.asked.retain(|_, asked| asked.by.is_kept());
        for asked in state.asked.values() {
            let _closing = queue.push(Class::Firm, asked.frame.clone());
        }
        state.line = Line::Up(queue);
        state.copies.values().for_each(|copy| copy.do_send(Flow::Begins));
        let decisions = state.grants.flow();
        state.carry_out(decisions);
    }

    /// There is none any more.
    pub(crate) fn go_down(&self) {
        let mut state = self.lock();
        if matches!(state.line, Line::Up(_)) {
            state.line = Line::Cut;
            state.copies.values().for_each(|copy| copy.do_send(Flow::Ends));
        }
        let decisions = state.grants.cut();
        state.carry_out(decisions);
    }
}

impl State {
    fn carry_out(&self, decisions: impl IntoIterator<Item = Decision<Addr<Session>>>) {
        for decision in decisions {
            match decision {
                Decision::Answer(number, session, decision) => {
                    session.do_send(Decided { number, decision });
                }
                Decision::Pass(claim) => {
                    if let Line::Up(queue) = &self.line {
                        let _closing = queue.push(Class::Firm, encode(&claim));
                    }
                }
                Decision::Held => {}
            }
        }
    }
}

fn all_below(sessions: &[SessionId]) -> Vec<Bytes> {
    let pieces: Vec<_> = sessions.chunks(BELOW_SESSIONS_MAX).collect();
    let count = pieces.len().max(1);
    let piece = |at: usize| pieces.get(at).map_or_else(Vec::new, |piece| piece.to_vec());
    (0..count).map(|at| encode(&Below { sessions: piece(at), more: at + 1 < count })).collect()
}

/// Why nothing comes of what was asked of the hub above.
pub(crate) fn not_linked() -> Refusal {
    Refusal::Failed("the hub is not linked to one above it any more".to_owned())
}
