//! One chunk for all, and to each what is owed to it alone.
//!
//! A value for one turn of a repeater: decisions come in, and at the end of the turn everything
//! goes out in one order: the chunk to every leaf, its first shouter's first, then receipts,
//! refusals and gaps to those that have no other way to learn of them.

use bytes::Bytes;

use super::roster::{Hearing, Roster};
use crate::{
    connection::{Class, Unsent},
    object::{ObjectId, Op, Seq, SessionId},
    wire::{Outcome, Verdict},
};

/// Takes what one session is sent.
pub(crate) trait Sink {
    /// The session hears these shouts, if they can be sent now.
    fn hear(&self, class: Class, chunk: Bytes) -> Result<(), Unsent>;
    /// The session is told what became of its shout.
    fn tell(&self, outcome: &Outcome);
}

/// What a turn has to send.
#[derive(Debug, Default)]
pub(crate) struct Fanout {
    owed: Vec<(SessionId, Op, Verdict)>,
    first_shouter: Option<SessionId>,
}

impl Fanout {
    /// A shout has its place. A session that hears finds it in the chunk; one that does not is
    /// owed a receipt.
    pub(crate) fn sequenced(&mut self, session: SessionId, hears: bool, op: Op, seq: Seq) {
        self.first_shouter.get_or_insert(session);
        if hears {
            return;
        }
        #[cfg(feature = "testing")]
        if super::faults::Fault::OutcomeForgotten.is_armed() {
            return;
        }
        if let Some((last, first_op, Verdict::Sequenced { seq: first, count })) =
            self.owed.last_mut()
            && *last == session
            && first_op.plus(u64::from(*count)) == op
            && first.plus(u64::from(*count)) == seq
        {
            *count += 1;
            return;
        }
        self.owe(session, op, Verdict::Sequenced { seq, count: 1 });
    }

    /// A shout that has its place is of this session, which hears it.
    pub(crate) fn first_is(&mut self, session: SessionId) {
        self.first_shouter.get_or_insert(session);
    }

    /// A session is to be told what became of a shout.
    pub(crate) fn owe(&mut self, session: SessionId, op: Op, verdict: Verdict) {
        self.owed.push((session, op, verdict));
    }

    /// Sends the object's `chunk` and what is owed. Returns the sessions that were not sent the
    /// chunk.
    pub(crate) fn deliver<C: Sink>(
        &mut self,
        object: ObjectId,
        chunk: Option<&Bytes>,
        class: Class,
        roster: &Roster<C>,
    ) -> Vec<(SessionId, Unsent)> {
        let first = self.first_shouter.take();
        let mut unsent = Vec::new();
        if let Some(chunk) = chunk {
            let shouter = first.and_then(|session| roster.get(session));
            let others = roster.members().iter().filter(|member| Some(member.session) != first);
            let members = shouter.into_iter().chain(others);
            for leaf in members.filter(|member| member.hears == Hearing::Pushed) {
                if let Err(why) = leaf.contact.hear(class, chunk.clone()) {
                    unsent.push((leaf.session, why));
                }
            }
        }
        for (session, op, verdict) in self.owed.drain(..) {
            if let Some(member) = roster.get(session) {
                member.contact.tell(&Outcome { object, op, verdict });
            }
        }
        unsent
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::hub::{admission::Rights, roster::Way};

    const ALEC: SessionId = SessionId([1; 16]);
    const AMY: SessionId = SessionId([2; 16]);
    const VOICE: SessionId = SessionId([3; 16]);
    const OBJECT: ObjectId = ObjectId([0; 16]);

    type Log = Rc<RefCell<Vec<(&'static str, String)>>>;

    struct Recorder {
        name: &'static str,
        log: Log,
        going: bool,
    }

    impl Sink for Recorder {
        fn hear(&self, _: Class, chunk: Bytes) -> Result<(), Unsent> {
            self.log.borrow_mut().push((self.name, format!("{chunk:?}")));
            if self.going { Err(Unsent::Closing) } else { Ok(()) }
        }

        fn tell(&self, outcome: &Outcome) {
            self.log
                .borrow_mut()
                .push((self.name, format!("{} {:?}", outcome.op.0, outcome.verdict)));
        }
    }

    fn pond() -> (Roster<Recorder>, Log) {
        let (mut roster, log) = (Roster::default(), Log::default());
        for (session, name, way) in [
            (ALEC, "alec", Way::Joined),
            (AMY, "amy", Way::Joined),
            (VOICE, "voice", Way::Attached),
        ] {
            let contact = Recorder { name, log: log.clone(), going: name == "amy" };
            roster.enter(session, contact, Rights::ALL, way);
        }
        (roster, log)
    }

    fn deliver(
        fanout: &mut Fanout,
        chunk: Option<&Bytes>,
        roster: &Roster<Recorder>,
    ) -> Vec<(SessionId, Unsent)> {
        fanout.deliver(OBJECT, chunk, Class::Batch, roster)
    }

    #[test]
    fn a_leaf_that_is_pulled_is_sent_nothing_and_told_what_became_of_its_shouts() {
        let (mut roster, log) = pond();
        roster.set_pulled(ALEC);
        let mut fanout = Fanout::default();
        fanout.sequenced(ALEC, false, Op(1), Seq(1));
        deliver(&mut fanout, Some(&Bytes::from_static(b"chunk")), &roster);
        let told: Vec<_> = log.take().into_iter().filter(|(name, _)| *name == "alec").collect();
        assert_eq!(told, [("alec", "1 Sequenced { seq: Seq(1), count: 1 }".to_owned())]);
    }

    #[test]
    fn the_first_shouter_hears_first_and_who_only_shouts_is_told_in_runs() {
        let (roster, log) = pond();
        let mut fanout = Fanout::default();
        fanout.sequenced(AMY, true, Op(1), Seq(1));
        fanout.sequenced(VOICE, false, Op(1), Seq(2));
        fanout.sequenced(VOICE, false, Op(2), Seq(3));
        fanout.sequenced(ALEC, true, Op(1), Seq(4));
        fanout.sequenced(VOICE, false, Op(3), Seq(5));
        let unsent = deliver(&mut fanout, Some(&Bytes::from_static(b"chunk")), &roster);
        assert_eq!(unsent, [(AMY, Unsent::Closing)]);
        let log: Vec<_> = log.take();
        assert_eq!(log.len(), 4);
        assert_eq!([log[0].0, log[1].0], ["amy", "alec"]);
        assert_eq!(log[2], ("voice", "1 Sequenced { seq: Seq(2), count: 2 }".to_owned()));
        assert_eq!(log[3], ("voice", "3 Sequenced { seq: Seq(5), count: 1 }".to_owned()));
    }

    #[test]
    fn a_leaf_is_told_of_refusals_and_gaps_behind_the_chunk_and_only_once() {
        let (roster, log) = pond();
        let mut fanout = Fanout::default();
        fanout.owe(ALEC, Op(2), Verdict::Gap);
        fanout.sequenced(ALEC, true, Op(1), Seq(1));
        deliver(&mut fanout, Some(&Bytes::from_static(b"chunk")), &roster);
        assert_eq!(log.take().last(), Some(&("alec", "2 Gap".to_owned())));
        deliver(&mut fanout, None, &roster);
        assert!(log.take().is_empty());
    }
}
