//! The actor that *is* an object on the hub: it orders shouts and sends them to every leaf.
//!
//! In come sessions that join, attach, shout and leave, one message for all that one read of a
//! socket brought. Out go chunks, straight onto the connections' queues, at the end of the turn.
//! It decides nothing that the values do not compute: [`History`] orders and keeps, [`Roster`]
//! knows who is here, [`Fanout`] sends. The directory is told what the object's life hangs on:
//! whether it has leaves, and which objects its state and tail list.
//!
//! It runs under our own supervisor. After a panic its history is what remains: everything else
//! is made anew, and every session is told to join again from where it is.

mod above;
mod ahead;
mod asks;
mod below;
mod catch_up;
mod due;
mod ending;
mod entrants;
mod fatal;
mod grades;
mod hearing;
mod judging;
mod keeping;
mod leaving;
mod presence;
mod snapshots;
mod upward;
mod volatile;

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, Message, Supervised, WeakAddr};

use self::{
    above::Above,
    ahead::{Ahead, Later},
    asks::Questions,
    catch_up::Resyncs,
    entrants::Entry,
    fatal::{Fatal, InHand},
    grades::Grading,
    judging::Judge,
    keeping::Keeping,
    leaving::Strayed,
    snapshots::Asking,
    volatile::Relays,
};
pub(crate) use self::{
    above::{Flow, Told, Word},
    asks::{Disown, PassAsk, PassReply},
    below::{Enrolling, Spend},
    catch_up::{Feed, Join, Linked, Pull},
    ending::Retire,
    grades::Acknowledge,
    hearing::Shouts,
    judging::SetAuthority,
    leaving::{Forget, Leave},
    presence::Away,
    snapshots::TakeSnapshot,
    volatile::Relay,
};
use super::{
    admission::Rights,
    authority::AuthorityBox,
    clock::Clock,
    contact::{Contact, Pending},
    directory::Directory,
    fanout::Fanout,
    history::{History, Run},
    keeper::Keeper,
    members::Members,
    roster::{Roster, Way},
    slow_leaves::SlowLeaves,
    tails::Share,
    turn::{Turn, let_others_run},
    upward::Upward,
};
use crate::{
    connection::Class,
    object::{Kind, ObjectId, Seq},
    wire::{EndReason, Outcome, Verdict},
};

/// One object.
#[derive(Debug)]
pub(crate) struct Repeater {
    object: ObjectId,
    clock: Clock,
    /// Weak: it holds its repeaters, and both end when the hub does.
    directory: WeakAddr<Directory>,
    history: History,
    /// The way to its home, for a copy.
    above: Option<Box<Above>>,
    /// The way to the journal, if the hub has one.
    keeping: Option<Box<Keeping>>,
    /// Of what all tails may hold.
    share: Share,
    roster: Roster<Contact>,
    /// Whether the directory was told that there are leaves.
    occupied: bool,
    /// Who was told to join again, and has not.
    strayed: Option<Box<Strayed>>,
    /// Who is about to enter: it holds itself for a leaf, and is told if a panic comes first.
    entering: Option<Box<Contact>>,
    fanout: Fanout,
    /// Who is told to be here, for an object with presence.
    members: Option<Box<Members>>,
    /// The shouts that asked who has handled them.
    grading: Option<Box<Grading>>,
    /// What is asked of its owner; none without asks.
    questions: Option<Box<Questions>>,
    /// What is to be relayed at the end of the turn.
    volatile: Option<Box<Relays>>,
    /// Whether its shouts are dropped for a leaf that is too slow, to be given later.
    slow_leaves: SlowLeaves,
    /// Who judges what is shouted, for an object with an authority.
    judge: Option<Box<Judge>>,
    /// States that go ahead of what tells of them.
    ahead: Option<Box<Ahead>>,
    /// Who was told that shouts are missed.
    resyncs: Option<Box<Resyncs>>,
    /// Who is asked for a newer state.
    asking: Option<Box<Asking>>,
    /// Why the object is no more, if it is.
    ended: Option<Box<EndReason>>,
    /// Whether a flush is due at the end of this turn.
    dirty: bool,
    /// What was done since others ran.
    turn: Turn,
    /// Whose op is in hand: after a panic, it is the one to blame.
    in_hand: InHand,
    /// Ops that lives have ended at.
    fatal: Option<Box<Fatal>>,
    #[cfg(feature = "testing")]
    pub(super) sabotage: super::sabotage::Sabotage,
}

/// How an object is treated, from its beginning to its end.
#[derive(Debug, Default)]
pub(crate) struct Manner {
    /// Whether its leaves are told who else is one.
    pub(crate) presence: bool,
    pub(crate) slow_leaves: SlowLeaves,
    /// Who judges what is shouted at it.
    pub(crate) authority: Option<AuthorityBox>,
    /// Whether another leaf owns it when the owner is none any more.
    pub(crate) handover: bool,
    /// Its asks.
    pub(crate) asks: Vec<Kind>,
}

/// A session shouts without being a leaf.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Attach {
    pub(crate) pending: Pending,
    pub(crate) contact: Contact,
    pub(crate) rights: Rights,
}

/// Everything sent to the repeater before this has gone out when the answer comes.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Settle;

/// The end of a turn.
#[derive(Message)]
#[rtype(result = "()")]
struct Flush;

impl Repeater {
    pub(crate) fn new(
        object: ObjectId,
        history: History,
        clock: Clock,
        directory: WeakAddr<Directory>,
        share: Share,
        manner: Manner,
        keeper: Option<Arc<Keeper>>,
    ) -> Self {
        Self {
            object,
            clock,
            directory,
            history,
            above: None,
            keeping: Keeping::of(keeper),
            share,
            roster: Roster::default(),
            occupied: false,
            strayed: None,
            entering: None,
            fanout: Fanout::default(),
            members: manner.presence.then(|| Box::new(Members::new(object))),
            grading: None,
            questions: Questions::of(manner.handover, manner.asks),
            volatile: None,
            slow_leaves: manner.slow_leaves,
            judge: manner.authority.map(|authority| Box::new(Judge::new(authority))),
            ahead: None,
            resyncs: None,
            asking: None,
            ended: None,
            dirty: false,
            turn: Turn::default(),
            in_hand: InHand::NOTHING,
            fatal: None,
            #[cfg(feature = "testing")]
            sabotage: super::sabotage::Sabotage::default(),
        }
    }

    /// As one whose home is above.
    pub(crate) fn copying(mut self, upward: Arc<Upward>) -> Self {
        self.above = Some(Box::new(Above::new(upward)));
        self.members.iter_mut().for_each(|members| members.await_home());
        self
    }

    /// How many sessions it remembers.
    #[cfg(test)]
    pub(super) fn marks(&self) -> usize {
        self.history.shouters().count()
    }

    /// How many it told to join again that have not.
    #[cfg(all(test, feature = "testing"))]
    pub(super) fn strays(&self) -> usize {
        self.strayed.as_ref().map_or(0, |strayed| strayed.0.len())
    }

    #[cfg(feature = "testing")]
    pub(super) fn damage_history(&mut self) {
        self.history.damage();
    }

    /// Sends what the turn has brought.
    fn flush(&mut self) {
        self.dirty = false;
        let chunk = self.history.seal(self.clock.now_ms());
        self.keep();
        if chunk.is_some() {
            self.turn.pushed(self.roster.leaves());
            self.weigh();
        }
        self.tell_of_lists();
        let class = self.class();
        let unsent = self.fanout.deliver(self.object, chunk.as_ref(), class, &self.roster);
        self.unsent(unsent);
        self.tell_grades();
        self.relay();
        self.ask_for_a_snapshot();
    }

    /// Counts the tail among all others, and cuts it if they hold too much.
    fn weigh(&mut self) {
        self.share.set(self.history.held_bytes());
        if let Some(allowance) = self.share.allowance() {
            self.history.shorten(allowance);
            self.share.set(self.history.held_bytes());
        }
    }

    /// What its shouts are to a connection that is too slow for them.
    fn class(&self) -> Class {
        match self.slow_leaves {
            SlowLeaves::Resync => Class::Batch,
            SlowLeaves::Disconnect => Class::Firm,
        }
    }

    fn enter(&mut self, contact: Contact, rights: Rights, way: Way) {
        self.is_back(contact.session);
        #[cfg(feature = "testing")]
        self.sabotage.at_an_entry();
        self.entering = None;
        self.roster.enter(contact.session, contact, rights, way);
        self.tell_of_leaves();
    }

    /// Counts a message. After much at once others run, when all is flushed. Says whether they do.
    fn took(&mut self, shouts: usize, bytes: usize, ctx: &mut Context<Self>) -> bool {
        self.turn.took(shouts, bytes);
        let is_over = self.turn.is_over();
        if is_over {
            self.finish();
            self.turn = Turn::default();
            let_others_run(self, ctx);
        } else if self.members.is_some() {
            self.finish_later(ctx);
        }
        is_over
    }

    fn tell_earlier_outcomes(&mut self, contact: &Contact) {
        self.tell_outcomes(contact, Some);
    }

    /// Tells a session what `part` leaves of each run of its outcomes.
    fn tell_outcomes(&mut self, contact: &Contact, part: impl Fn(Run) -> Option<Run>) {
        let runs: Vec<_> = self.history.outcomes(contact.session).filter_map(part).collect();
        for run in runs {
            self.tell_run(contact, run);
        }
    }

    fn tell_run(&mut self, contact: &Contact, run: Run) {
        let object = self.object;
        self.turn.pushed(if run.seq == Seq(0) { run.count as usize } else { 1 });
        if run.seq == Seq(0) {
            for op in (0..run.count).map(|each| run.op.plus(each.into())) {
                let verdict = Verdict::Refused { reason: "refused before".to_owned() };
                contact.say(&Outcome { object, op, verdict });
            }
        } else {
            let verdict = Verdict::Sequenced { seq: run.seq, count: run.count };
            contact.say(&Outcome { object, op: run.op, verdict });
        }
    }
}

impl Actor for Repeater {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        #[cfg(feature = "testing")]
        self.sabotage.at_a_start();
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.finish();
    }
}

impl Supervised for Repeater {
    /// History remains, with the chunk that was open; the rest is made anew.
    fn restarting(&mut self, ctx: &mut Self::Context) {
        self.fatal.get_or_insert_default().add(self.in_hand);
        self.in_hand = InHand::NOTHING;
        #[cfg(feature = "testing")]
        super::faults::count(|tally| tally.rebuilt += 1);
        // Inside the boundary: an object whose history is damaged runs out of restarts and fails.
        assert!(self.history.is_sound(), "the object's history is damaged");
        self.grading = None;
        self.forget_asks();
        if let Some(contact) = self.entering.take() {
            self.roster.enter(contact.session, *contact, Rights::NONE, Way::Attached);
        }
        self.fanout = Fanout::default();
        self.volatile = None;
        self.drop_guards();
        self.asking = None;
        self.dirty = false;
        self.turn = Turn::default();
        self.call_back();
        self.let_go_of_entrants(ctx);
        if let Some(reason) = self.ended.as_deref().cloned() {
            ctx.notify(Retire { reason, done: None });
        }
    }
}

impl Handler<Attach> for Repeater {
    type Result = ();

    fn handle(&mut self, attach: Attach, ctx: &mut Self::Context) {
        let session = attach.contact.session;
        let Some(attach) = self.or_later(session, attach, Later::Attach) else { return };
        if self.ended.is_some() {
            return self.turn_away(session, attach.pending);
        }
        if self.above.is_some() {
            self.enter_above(session, Entry::Voice(attach), ctx);
        } else {
            let next_op = self.history.next_op(session);
            self.attach(attach, next_op);
        }
        self.took(1, 0, ctx);
    }
}

impl Handler<Settle> for Repeater {
    type Result = ();

    fn handle(&mut self, _: Settle, _: &mut Self::Context) {
        self.finish();
    }
}

impl Handler<Flush> for Repeater {
    type Result = ();

    fn handle(&mut self, _: Flush, _: &mut Self::Context) {
        self.turn = Turn::default();
        if self.dirty {
            #[cfg(feature = "testing")]
            self.sabotage.at_a_flush();
            self.flush();
        }
        self.tell_of_members();
    }
}
