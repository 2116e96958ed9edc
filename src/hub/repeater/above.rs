//! A copy: the repeater of an object whose home is a hub above.
//!
//! It gives nothing its place. What comes down goes into its history, and on to every leaf here, as
//! the same bytes; who joins is let in when the home has answered for him, with the state and the
//! tail that are here. While the way to the home is cut, what is here is all there is: leaves are told
//! that they wait, and when it is open again that they are to join once more.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use actix::{AsyncContext, Context, Handler, Message};
use bytes::Bytes;

use super::{
    Repeater,
    ahead::Later,
    entrants::{Entrant, Entry},
    upward::withdrawal,
};
use crate::{
    connection::Held,
    hub::{
        contact::Contact,
        history::{History, Snapshot},
        roster::{Hearing, Way},
        upward::Upward,
    },
    limits::FETCH_REST,
    object::{Cursor, Op, Seq, SessionId},
    wire::{Answer, Batch, Fetched, Frame, Refusal, Rejoin, Replied, Request, Resynced, Stalled},
};

/// What a copy has beside what every repeater has.
#[derive(Debug)]
pub(super) struct Above {
    pub(super) upward: Arc<Upward>,
    /// Whether what goes up arrives at the home, as far as is known.
    pub(super) flows: bool,
    /// Who waits to be let in.
    pub(super) entrants: BTreeMap<SessionId, Entrant>,
    /// A history that is to take the place of the one there is, and the last seq of when it was sent.
    coming: Option<(Box<History>, Seq)>,
    /// Whether there is a history yet.
    has_begun: bool,
    /// Who has left since the way was cut, and in which way.
    pub(super) unsaid: BTreeSet<(SessionId, Way)>,
    /// The fetch that is not answered.
    fetching: Option<Request>,
    /// Whether the hub above wants a newer state.
    pub(super) is_state_wanted: bool,
}

/// The way to the home is open, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub(crate) enum Flow {
    Begins,
    Ends,
}

/// The hub above says something about the object.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Told {
    pub(crate) what: Word,
    /// Its bytes count against the inward bound of the link until it is handled.
    pub(crate) held: Held,
}

/// What the hub above says about an object.
#[derive(Debug)]
pub(crate) enum Word {
    /// A frame of the object's stream: with its length, and read.
    Streamed(Bytes, Frame),
    /// The stream begins, with this state if there is one.
    Fetched(Fetched, Bytes),
    /// It does not, for now.
    Unfetched,
    /// The stream goes on elsewhere, with this state if there is one.
    Resynced(Resynced, Bytes),
    /// A session is let in.
    Enrolled(SessionId, Request, Op),
    /// A session is not.
    Refused(SessionId, Request, Refusal),
    /// A whole frame for a session.
    Via(SessionId, Bytes, Box<Frame>),
    /// A newer state is wanted.
    SnapshotWanted,
    /// The home's repeater was made anew, or the way to it is open again.
    Rejoin,
    /// The way from there to the home is cut.
    Stalled,
}

impl Above {
    pub(super) fn new(upward: Arc<Upward>) -> Self {
        Self {
            flows: upward.is_up(),
            upward,
            entrants: BTreeMap::new(),
            coming: None,
            has_begun: false,
            unsaid: BTreeSet::new(),
            fetching: None,
            is_state_wanted: false,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.has_begun && self.coming.is_none()
    }

    /// What a session that waits has said.
    pub(super) fn behind(&mut self, session: SessionId) -> Option<&mut VecDeque<Later>> {
        self.entrants.get_mut(&session).map(|entrant| &mut entrant.behind)
    }
}

impl Repeater {
    /// Everybody is to join once more.
    pub(super) fn call_back(&mut self) {
        let roster = std::mem::take(&mut self.roster);
        self.members.iter_mut().for_each(|members| members.begin_anew());
        for member in roster.members() {
            self.strayed.get_or_insert_default().0.insert(member.session);
            if member.through.is_none() {
                member.contact.queue.unpull(self.object);
                member.contact.queue.tell(&Rejoin { object: self.object });
            }
        }
        self.begin_states_anew();
        self.tell_of_leaves();
    }

    fn flow(&mut self, flow: Flow, ctx: &mut Context<Self>) {
        match flow {
            Flow::Begins => self.begin_to_flow(),
            Flow::Ends => self.stall(ctx),
        }
    }

    fn begin_to_flow(&mut self) {
        let cursor = self.cursor();
        let (object, Some(above)) = (self.object, &mut self.above) else { return };
        above.flows = true;
        tracing::trace!(%object, ?cursor, "the way to an object's home is open");
        above.coming = None;
        above.fetching = Some(above.upward.fetch(object, cursor));
        for (session, way) in std::mem::take(&mut above.unsaid) {
            above.upward.say(withdrawal(object, session, way), None);
        }
        for (session, entrant) in &mut above.entrants {
            let enroll = entrant.entry.as_ref().and_then(|it| it.enroll(object, *session));
            if let Some(enroll) = enroll {
                entrant.next_op = None;
                entrant.told.clear();
                entrant.request = Some(above.upward.enroll(enroll));
            }
        }
        self.call_back();
    }

    /// From where on the copy is to be given what follows.
    fn cursor(&self) -> Option<Cursor> {
        let has_begun = self.above.as_ref().is_some_and(|above| above.has_begun);
        has_begun.then(|| Cursor { epoch: self.history.epoch(), seq: self.history.last() })
    }

    fn stall(&mut self, ctx: &mut Context<Self>) {
        let Some(above) = self.above.as_mut().filter(|above| above.flows) else { return };
        (above.flows, above.fetching) = (false, None);
        above.entrants.values_mut().for_each(|entrant| {
            if entrant.entry.as_ref().is_some_and(Entry::is_enrolled) {
                (entrant.request, entrant.next_op) = (None, None);
            }
        });
        tracing::debug!(object = %self.object, "the way to an object's home is cut");
        for member in self.roster.members().iter().filter(|member| member.through.is_none()) {
            member.contact.queue.tell(&Stalled { object: self.object });
        }
        self.let_entrants_in(ctx);
    }

    /// A hub below that comes when the way is cut is to know.
    pub(super) fn tell_of_stall(&self, contact: &Contact) {
        if self.above.as_ref().is_some_and(|above| !above.flows) {
            contact.queue.tell(&Stalled { object: self.object });
        }
    }

    /// Asks for all there is once more.
    pub(super) fn fetch_anew(&mut self, cursor: Option<Cursor>) {
        let above = self.above.as_mut().filter(|above| above.flows && above.fetching.is_none());
        if let Some(above) = above {
            above.fetching = Some(above.upward.fetch(self.object, cursor));
        }
    }

    fn begin_coming(
        &mut self,
        start: Cursor,
        last: Seq,
        state: Option<Snapshot>,
        owner: SessionId,
    ) {
        let history = Box::new(History::copied(self.object, start, state, owner));
        if let Some(above) = &mut self.above {
            above.coming = Some((history, last));
        }
        self.has_come();
    }

    /// The history that was to come is whole, perhaps.
    fn has_come(&mut self) {
        let Some(above) = &mut self.above else { return };
        let Some((history, _)) = above.coming.take_if(|(history, last)| history.last() >= *last)
        else {
            return;
        };
        above.has_begun = true;
        self.history = *history;
        self.weigh();
        // Whoever was here is somewhere in the history before.
        self.call_back();
    }

    /// Takes in shouts that have their place.
    fn take_batch(&mut self, frame: &Bytes, batch: &Batch) {
        let Some(above) = &mut self.above else { return };
        let is_coming = above.coming.is_some();
        let history = match &mut above.coming {
            Some((history, _)) => history,
            None => &mut self.history,
        };
        if batch.epoch != history.epoch() || batch.last_seq() <= history.last() {
            return;
        }
        if batch.first_seq > history.last().next() {
            let (object, after, first) = (self.object, history.last(), batch.first_seq);
            tracing::warn!(%object, %after, %first, "shouts are missing on a link: asked for again");
            let cursor = self.cursor();
            return self.fetch_anew(cursor);
        }
        let frame = history.append(self.object, frame, batch);
        if is_coming { self.has_come() } else { self.pass_down(&frame, batch) }
    }

    /// Sends shouts to every leaf here, and what became of theirs to those who do not hear them.
    fn pass_down(&mut self, frame: &Bytes, batch: &Batch) {
        for (index, (session, _)) in batch.sessions.iter().enumerate() {
            match self.roster.get(*session).map(|_| self.roster.hears(*session)) {
                None => {}
                Some(Hearing::Pushed) => self.fanout.first_is(*session),
                Some(_) => {
                    for (op, seq) in batch.ops_of(index) {
                        self.fanout.sequenced(*session, false, op, seq);
                    }
                }
            }
        }
        self.turn.pushed(self.roster.leaves());
        let class = self.class();
        let unsent = self.fanout.deliver(self.object, Some(frame), class, &self.roster);
        self.unsent(unsent);
        self.weigh();
        self.ask_for_a_snapshot();
        if self.history.is_overfull() {
            self.fetch_anew(None);
        }
    }

    fn relay_down(&self, frame: &Bytes, sender: SessionId) {
        let leaves = self.roster.members().iter().filter(|leaf| leaf.hears == Hearing::Pushed);
        for leaf in leaves.filter(|leaf| leaf.session != sender) {
            let _dropped = !leaf.contact.queue.push_volatile(frame.clone());
        }
    }

    fn take_streamed(&mut self, bytes: &Bytes, frame: &Frame) {
        match frame {
            Frame::Batch(batch) => self.take_batch(bytes, batch),
            Frame::VolatileHeard(heard, _) => self.relay_down(bytes, heard.session),
            Frame::Members(members) => {
                if let Some(here) = &mut self.members {
                    here.take(members);
                }
                self.tell_of_members();
            }
            Frame::MembersChanged(changed) => {
                if let Some(here) = &mut self.members {
                    here.follow(changed);
                }
                self.tell_of_members();
            }
            _ => {}
        }
    }

    fn take_word(&mut self, word: Word, ctx: &mut Context<Self>) {
        match word {
            Word::Streamed(bytes, frame) => self.take_streamed(&bytes, &frame),
            Word::Fetched(fetched, state) => self.take_fetched(fetched, state),
            Word::Unfetched => {
                ctx.run_later(FETCH_REST, |copy, _| {
                    if copy.above.as_ref().is_some_and(|above| above.flows) {
                        copy.begin_to_flow();
                    }
                });
            }
            Word::Resynced(resynced, state) => {
                let Resynced { start, last, owner, carried, .. } = resynced;
                let state = resynced.state.is_present().then_some(Snapshot {
                    seq: start.seq,
                    state,
                    carried,
                });
                self.begin_coming(start, last, state, owner.unwrap_or(SessionId::OF_HUB));
            }
            Word::Enrolled(session, request, next_op) => {
                if let Some(entrant) = self.entrant(session, request) {
                    entrant.next_op = Some(next_op);
                }
            }
            Word::Refused(session, request, refusal) => {
                if self.entrant(session, request).is_some() {
                    self.refuse_entrant(session, refusal, ctx);
                }
            }
            Word::Via(session, bytes, frame) => self.pass_via(session, bytes, *frame),
            Word::SnapshotWanted => self.want_state(),
            Word::Rejoin => self.begin_to_flow(),
            Word::Stalled => self.stall(ctx),
        }
        self.let_entrants_in(ctx);
    }

    fn take_fetched(&mut self, fetched: Fetched, state: Bytes) {
        let Fetched { start, last, anew, owner, carried, .. } = fetched;
        tracing::trace!(object = %self.object, start = %start.seq, %last, anew, "a copy is fetched");
        let Some(above) = &mut self.above else { return };
        let is_mine = above.fetching.take_if(|fetching| *fetching == fetched.request).is_some();
        // What somebody looked for who did not know that it is here goes on where this is.
        let goes_on = self.history.epoch() == start.epoch && self.history.last() >= start.seq;
        if above.has_begun && (!anew || (!is_mine && goes_on)) {
            return;
        }
        let state =
            fetched.state.is_present().then_some(Snapshot { seq: start.seq, state, carried });
        self.begin_coming(start, last, state, owner.unwrap_or(SessionId::OF_HUB));
    }

    fn pass_via(&mut self, session: SessionId, bytes: Bytes, frame: Frame) {
        if let Some(above) = &mut self.above
            && let Some(entrant) = above.entrants.get_mut(&session)
        {
            return entrant.told.push(bytes);
        }
        let Some(member) = self.roster.get(session) else { return };
        match frame {
            Frame::Asked(asked, _) => {
                if !member.contact.pass_spare(bytes) {
                    self.is_busy_above(session, &asked);
                }
            }
            Frame::Replied(replied, _) => {
                if !member.contact.pass_spare(bytes) {
                    let (answer, carried) = (Answer::Busy, Vec::new());
                    member.contact.say(&Replied { answer, carried, ..replied });
                }
            }
            _ => member.contact.pass(bytes),
        }
    }
}

impl Handler<Flow> for Repeater {
    type Result = ();

    fn handle(&mut self, flow: Flow, ctx: &mut Context<Self>) {
        if self.ended.is_none() {
            self.flow(flow, ctx);
        }
        self.took(1, 0, ctx);
    }
}

impl Handler<Told> for Repeater {
    type Result = ();

    fn handle(&mut self, told: Told, ctx: &mut Context<Self>) {
        let Told { what, held } = told;
        if self.ended.is_none() {
            self.take_word(what, ctx);
        }
        self.took(1, held.bytes(), ctx);
    }
}
