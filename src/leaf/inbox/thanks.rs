//! What a leaf is done with, said to the hub where a shout asked for it: at most once a turn, for all
//! up to the last that asked.
//!
//! What is said into a connection that is lost is said again over the next one, by the driver.

use std::sync::Arc;

use crate::{
    leaf::channel::Link,
    object::{ObjectId, Seq},
    wire::Heard,
};

/// What is to be said.
#[derive(Debug, Default)]
pub(super) struct Thanks {
    /// The shout in hand asks.
    in_hand: Option<(ObjectId, Arc<Link>)>,
    owed: Option<(Heard, Arc<Link>)>,
}

impl Thanks {
    /// The shout in hand asks to be told of.
    pub(super) fn ask(&mut self, object: ObjectId, link: Arc<Link>) {
        self.in_hand = Some((object, link));
    }

    /// The leaf is done with the shout in hand.
    pub(super) fn finish(&mut self, seq: Seq) {
        if let Some((object, link)) = self.in_hand.take() {
            self.owed = Some((Heard { object, seq }, link));
        }
    }

    /// Says what is owed.
    pub(super) fn say(&mut self) {
        if let Some((heard, link)) = self.owed.take() {
            link.line().queue.tell(&heard);
        }
    }
}
