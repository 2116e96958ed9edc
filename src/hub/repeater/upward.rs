//! What is said at a copy goes up to the object's home.
//!
//! Nothing is kept of it here. While it cannot go up it is dropped: whoever said it is told that it
//! waits, and says it again.

use bytes::Bytes;

use super::{PassAsk, PassReply, Relay, Repeater, Shouts};
use crate::{
    connection::Held,
    hub::{
        contact::Contact,
        history::Offer,
        roster::{Member, Way},
        upward::Upward,
    },
    limits::SHOUT_BYTES_MAX,
    object::{self, Carried, ObjectId, Op, Seq, SessionId},
    wire::{
        self, Absent, Answer, Ask, Asked, Heard, Replied, Reply, ShoutFrame, Snapshot, Spent,
        StateIs, Unpassed, Volatile, Withdraw, encode, put_below,
    },
};

impl Repeater {
    /// The way up, for a copy whose way is open.
    fn way_up(&self) -> Option<&Upward> {
        self.above.as_ref().filter(|above| above.flows).map(|above| &*above.upward)
    }

    /// Passes shouts up, with those that are refused here among them in their places.
    pub(super) fn pass_up(&mut self, shouts: Shouts) {
        let Shouts { session, volley, held, metered } = shouts;
        // It is told when the object ends.
        self.history.remember(session);
        let (Some(upward), Some(_)) = (self.way_up(), self.roster.get(session)) else {
            return tracing::debug!(object = %self.object, %session, "shouts are dropped here");
        };
        let mut frames = Vec::with_capacity(volley.bytes() + volley.count() * ORIGIN_BYTES);
        volley.each(|offer| self.put_up(&mut frames, session, offer));
        upward.say(frames.into(), Some(held));
        drop(metered);
    }

    fn put_up(&self, frames: &mut Vec<u8>, session: SessionId, offer: &Offer<'_>) {
        let object = self.object;
        if let Some(why) = self.unfit(session, offer) {
            let spent = Spent { object, session, op: offer.op, why };
            return frames.extend_from_slice(&encode(&spent));
        }
        let Offer { op, kind, handled_within_ms, ref carried, payload } = *offer;
        let (origin, carried) = (Some(session), carried.clone());
        let shout = ShoutFrame { object, op, kind, handled_within_ms, origin, carried };
        put_below(frames, &shout, payload);
    }

    /// Why a shout goes no further.
    fn unfit(&self, session: SessionId, offer: &Offer<'_>) -> Option<Unpassed> {
        let member = self.roster.get(session)?;
        if let Some(reason) = refusal(member, offer) {
            return Some(Unpassed::Refused { reason });
        }
        let carried = self.above.as_ref()?.upward.below_home(&offer.carried)?;
        Some(Unpassed::CarriedBelowHome { carried })
    }

    /// Why the home cannot be told of these.
    pub(super) fn below_home(&self, carried: &[Carried]) -> Option<String> {
        let own = self.above.as_ref()?.upward.below_home(carried)?;
        Some(wire::carried_below_home(own, self.object))
    }

    pub(super) fn spend_above(&self, session: SessionId, op: Op, why: Unpassed) {
        if let Some(upward) = self.way_up() {
            upward.say(encode(&Spent { object: self.object, session, op, why }), None);
        }
    }

    pub(super) fn ask_above(&self, asking: PassAsk) {
        let PassAsk { session, ask, payload, held } = asking;
        let Some(member) = self.roster.get(session) else { return };
        if let Some(reason) = self.refusal_to_ask(member, &ask, payload.len()) {
            let (object, ask, answer) = (self.object, ask.ask, Answer::Refused { reason });
            let carried = Vec::new();
            return member.contact.say(&Replied { object, ask, answer, carried });
        }
        if let Some(upward) = self.way_up() {
            upward.say_for(session, &ask, &payload, Some(held));
        }
    }

    /// Why an ask goes no further.
    fn refusal_to_ask(
        &self,
        member: &Member<Contact>,
        ask: &Ask,
        payload_bytes: usize,
    ) -> Option<String> {
        if !member.rights.may_shout(ask.kind) {
            return Some(format!("no right to ask message {} of this object", ask.kind));
        }
        let bytes = payload_bytes + Carried::bytes_of(&ask.carried);
        if bytes > SHOUT_BYTES_MAX {
            return Some(format!("ask of {bytes} bytes exceeds the limit of {SHOUT_BYTES_MAX}"));
        }
        self.below_home(&ask.carried)
    }

    pub(super) fn reply_above(&self, replying: PassReply) {
        let PassReply { session, mut reply, mut payload, held } = replying;
        let bytes = payload.len() + Carried::bytes_of(&reply.carried);
        let unfit = match self.below_home(&reply.carried) {
            Some(reason) => Some(Answer::Unwritable { reason }),
            None if bytes > SHOUT_BYTES_MAX => Some(Answer::TooLarge { bytes: bytes as u32 }),
            None => None,
        };
        if let Some(answer) = unfit {
            (reply.answer, reply.carried, payload) = (answer, Vec::new(), Bytes::new());
        }
        if let Some(upward) = self.way_up() {
            upward.say_for(session, &reply, &payload, Some(held));
        }
    }

    /// A session here has too much to hear as it is to be asked.
    pub(super) fn is_busy_above(&self, session: SessionId, asked: &Asked) {
        let Asked { object, session: from, ask, .. } = *asked;
        let (answer, carried) = (Answer::Busy, Vec::new());
        let reply = Reply { object, session: from, ask, answer, carried };
        if let Some(upward) = self.way_up() {
            upward.say_for(session, &reply, &[], None);
        }
    }

    pub(super) fn acknowledge_above(&self, session: SessionId, seq: Seq, held: Held) {
        if let (Some(upward), Some(_)) = (self.way_up(), self.roster.get(session)) {
            upward.say_for(session, &Heard { object: self.object, seq }, &[], Some(held));
        }
    }

    pub(super) fn relay_above(&self, relay: Relay) {
        let Relay { session, kind, payload, held } = relay;
        if let Some(upward) = self.way_up() {
            let volatile = Volatile { object: self.object, kind };
            upward.say_for(session, &volatile, &payload, Some(held));
        }
    }

    pub(super) fn withdraw_above(&mut self, session: SessionId, way: Way) {
        let said = withdrawal(self.object, session, way);
        let is_said = self.way_up().is_some_and(|upward| upward.say(said, None));
        if let Some(above) = self.above.as_mut().filter(|_| !is_said) {
            above.unsaid.insert((session, way));
        }
    }

    pub(super) fn absent_above(&self, session: SessionId) {
        if let Some(upward) = self.way_up() {
            upward.say(encode(&Absent { object: self.object, session }), None);
        }
    }

    /// The hub above wants a newer state than it has: one of a leaf here.
    pub(super) fn want_state(&mut self) {
        if let Some(above) = &mut self.above {
            above.is_state_wanted = true;
        }
        self.ask_for_a_snapshot();
    }

    /// Nobody here can tell a newer state.
    pub(super) fn tell_no_state_above(&mut self) {
        let object = self.object;
        if let Some(above) = self.above.as_mut().filter(|above| above.is_state_wanted) {
            above.is_state_wanted = false;
            above.upward.say(encode(&Snapshot::unable(object)), None);
        }
    }

    /// A newer state has been told here.
    pub(super) fn tell_state_above(&mut self) {
        let Some(state) = self.history.snapshot() else { return };
        if self.below_home(&state.carried).is_some() {
            return self.tell_no_state_above();
        }
        let at = object::Cursor { epoch: self.history.epoch(), seq: state.seq };
        let Some(above) = self.above.as_mut().filter(|above| above.is_state_wanted) else { return };
        above.is_state_wanted = false;
        let is = StateIs::of(state.state.len(), &state.carried);
        let snapshot = Snapshot {
            object: self.object,
            at: Some(at),
            state: is,
            carried: state.carried.clone(),
        };
        above.upward.say(snapshot.frames(&state.state).concat().into(), None);
    }
}

/// Why a shout of a session is not even passed on.
#[inline]
pub(super) fn refusal(member: &Member<Contact>, offer: &Offer<'_>) -> Option<String> {
    if !member.rights.may_shout(offer.kind) {
        return Some(format!("no right to shout message {} at this object", offer.kind));
    }
    let bytes = offer.payload.len() + Carried::bytes_of(&offer.carried);
    (bytes > SHOUT_BYTES_MAX)
        .then(|| format!("shout of {bytes} bytes exceeds the limit of {SHOUT_BYTES_MAX}"))
}

pub(super) fn withdrawal(object: ObjectId, session: SessionId, way: Way) -> Bytes {
    encode(&Withdraw { object, session, leaf: way == Way::Joined })
}

/// Bytes that a shout has more with its origin.
const ORIGIN_BYTES: usize = 16;
