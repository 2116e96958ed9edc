//! How far a leaf has come: restored, given a shout, done with it.
//!
//! Its inbox writes it; whoever carries the object, or waits for what is carried, reads it. Those
//! who wait have tasks on the leaf's own thread: they are told once for all shouts of a turn.

use std::{
    pin::pin,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

use crate::object::{Missing, Seq};

/// How far one leaf has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// 0: it has no state yet. n + 1: its answer to the shout n has resolved.
    done: AtomicU64,
    /// The last shout that its handlers were given.
    given: AtomicU64,
    /// The last shout that those in whose place it was made were given.
    former: AtomicU64,
    /// Why it comes no further, since its client has let go of it.
    over: OnceLock<Missing>,
    moved: Notify,
}

impl Progress {
    /// The leaf has its state, which contains everything up to `start`.
    pub(crate) fn begin(&self, start: Seq) {
        self.give(start);
        self.finish(start);
        self.tell();
    }

    /// A shout is about to be handed over.
    pub(crate) fn give(&self, seq: Seq) {
        self.given.store(seq.0, Ordering::Release);
    }

    /// The answer to a shout has resolved. Whoever waits is still to be [told](Self::tell).
    pub(crate) fn finish(&self, seq: Seq) {
        self.done.store(seq.0.saturating_add(1), Ordering::Release);
    }

    /// Tells those who wait how far it has come.
    pub(crate) fn tell(&self) {
        self.moved.notify_waiters();
    }

    /// The client has let go of the leaf: nobody waits for it any more. The first reason stands.
    pub(crate) fn end(&self, why: Missing) {
        let _known = self.over.set(why);
        self.tell();
    }

    /// Why it comes no further, if it does not.
    pub(crate) fn over(&self) -> Option<&Missing> {
        self.over.get()
    }

    /// Another leaf is made in its place, which has no state yet.
    pub(crate) fn start_over(&self) {
        self.former.store(self.heard().0, Ordering::Release);
        self.done.store(0, Ordering::Release);
    }

    /// The object has a new history: what was heard of the former one counts no more.
    pub(crate) fn forget_former(&self) {
        self.former.store(0, Ordering::Release);
    }

    /// The last shout that its handlers were given.
    pub(crate) fn given(&self) -> Seq {
        Seq(self.given.load(Ordering::Acquire))
    }

    /// The last shout that its client has heard of the object, by this leaf or a former one.
    pub(crate) fn heard(&self) -> Seq {
        self.given().max(Seq(self.former.load(Ordering::Acquire)))
    }

    /// The shout that its handlers have in hand.
    pub(crate) fn in_hand(&self) -> Option<Seq> {
        let given = self.given();
        (self.has_begun() && !self.has_done(given)).then_some(given)
    }

    /// Whether it has its state.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_done(Seq(0))
    }

    /// Whether it has its state and is done with everything up to `seq`.
    pub(crate) fn has_done(&self, seq: Seq) -> bool {
        self.done.load(Ordering::Acquire) > seq.0
    }

    /// The last shout that it is done with, if it is done with any.
    pub(crate) fn done(&self) -> Option<Seq> {
        self.done.load(Ordering::Acquire).checked_sub(1).filter(|seq| *seq > 0).map(Seq)
    }

    /// Waits until it is, or will never be.
    pub(crate) async fn until_done(&self, seq: Seq) {
        loop {
            let mut moved = pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.has_done(seq) || self.over().is_some() {
                return;
            }
            moved.await;
        }
    }
}
