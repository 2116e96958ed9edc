//! What a client knows of one object.

use std::{
    any::Any,
    sync::{Arc, Weak},
};

use tokio::sync::oneshot;

use super::{anew::Lives, members::Told};
use crate::{
    connection::Closed,
    leaf::{
        channel::{Channel, Gone, Link, Overdue},
        class::{AnyClass, Opening},
        inbox::Delivery,
        progress::Progress,
        seats,
        voice::Attachment,
    },
    object::{Carried, Cursor, InterfaceId, Kind, Missing, Name, Op, Seq},
    wire::{Joined, Request},
};

/// An object that this client has a leaf of, or a voice for, or is just leaving.
pub(super) struct Entry {
    pub(super) channel: Arc<Channel>,
    pub(super) interface: InterfaceId,
    /// What the hub calls it, as far as this client was told.
    pub(super) name: Option<Name>,
    pub(super) leaf: Option<Leaf>,
    /// The claim of the voices without a leaf.
    pub(super) attachment: Weak<Attachment>,
    /// Whether the hub was not told yet that they are gone.
    pub(super) is_attached: bool,
    /// Requests to part or detach that are not answered.
    pub(super) parting: u32,
    /// Whether somebody came in meanwhile: which of the two did the hub hear of last?
    pub(super) is_unsure: bool,
    /// How often the hub's part of the object has failed over a request to be let back in.
    pub(super) retries: u32,
    /// The request that makes an object known which lives offline.
    pub(super) publish: Option<Request>,
    /// Whether the object's home has forgotten the session, and nobody was told.
    pub(super) is_forgotten: bool,
    /// While the way to the object's home is cut: who has waited long enough to be told.
    pub(super) stalled: Option<Overdue>,
    /// Why the last leaf is no more, if it failed.
    pub(super) failed: Option<Gone>,
}

/// How a leaf is given what is shouted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// As it comes.
    Pushed,
    /// It waits to be told where it goes on: what comes until then is dropped.
    Joining,
    /// It has no room, and the hub was told so: what does not follow what it has is dropped.
    Stopped,
    /// It has asked for as much as it has room for.
    Pulling,
}

/// The one leaf of an object at this client.
pub(super) struct Leaf {
    pub(super) class: Arc<dyn AnyClass>,
    pub(super) seat: Weak<dyn Any + Send + Sync>,
    pub(super) generation: u64,
    pub(super) delivery: Delivery,
    /// How far the inbox has been filled; none until the hub knows the object.
    pub(super) cursor: Option<Cursor>,
    /// What is at or below it is the past.
    pub(super) past: Seq,
    pub(super) pace: Pace,
    /// Whether a shout that it was given asks to be told of.
    pub(super) is_asked: bool,
    pub(super) progress: Arc<Progress>,
    /// What its first state carries.
    pub(super) carries: Vec<Carried>,
    /// Where it takes its state, if it was made anew and the hub is still to tell it.
    pub(super) coming: Option<oneshot::Sender<Opening>>,
    /// None until it has panicked.
    pub(super) lives: Option<Box<Lives>>,
    /// Who is at the object, if the hub tells.
    pub(super) members: Option<Box<Told>>,
}

/// Whoever waits for it waits no longer.
impl Drop for Leaf {
    fn drop(&mut self) {
        self.progress.end(Missing::Refused("its leaf has stopped".to_owned()));
    }
}

impl Entry {
    pub(super) fn new(channel: Arc<Channel>, interface: InterfaceId) -> Self {
        Self {
            channel,
            interface,
            name: None,
            leaf: None,
            attachment: Weak::new(),
            is_attached: false,
            parting: 0,
            is_unsure: false,
            retries: 0,
            publish: None,
            is_forgotten: false,
            stalled: None,
            failed: None,
        }
    }

    /// Somebody has come in. While the hub has a request to part in hand, it may hold them for
    /// gone: then nobody shouts until it has said where to go on.
    pub(super) fn come_in(&mut self) {
        self.failed = None;
        if self.parting > 0 {
            self.is_unsure = true;
            self.channel.come_back();
        }
    }

    /// The hub has said where to go on; if somebody parted since it was asked, it is asked again.
    pub(super) fn go_on(&mut self, next_op: Op) {
        self.retries = 0;
        if !self.is_unsure {
            self.is_forgotten |= self.channel.resume(next_op);
        }
    }

    /// The hub has let its leaf in: as [`go_on`](Self::go_on), if it could say where.
    pub(super) fn go_on_from(&mut self, joined: &Joined) {
        if joined.stale {
            return self.stall();
        }
        self.go_on(joined.next_op);
    }

    /// Shouts wait until the way to the object's home is open.
    pub(super) fn stall(&mut self) {
        self.stalled.get_or_insert(Overdue::NOTHING);
        self.channel.pause();
    }

    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.is_some()
    }

    /// The way is open again, if it was not.
    pub(super) fn flow(&mut self) -> bool {
        self.stalled.take().is_some()
    }

    /// Tells those who have awaited a shout for long that the way is cut.
    pub(super) fn tell_of_stall(&mut self) {
        self.stalled = self.stalled.map(|overdue| self.channel.tell_of_stall(overdue));
    }

    /// A request to part is about to be sent. Who shouted behind it would be a stranger.
    pub(super) fn leave(&mut self) {
        self.parting += 1;
        if self.leaf.is_none() && !self.is_attached {
            self.channel.leave(&self.why());
        }
    }

    /// Why there is no leaf any more.
    pub(super) fn why(&self) -> Gone {
        self.failed.clone().unwrap_or(Gone::Parted)
    }

    /// The hub has answered a request to part. `true`: somebody has to say that they are here.
    pub(super) fn went(&mut self) -> bool {
        self.parting = self.parting.saturating_sub(1);
        self.parting == 0 && std::mem::take(&mut self.is_unsure)
    }

    /// The hub was restarted and does not know the object: its leaf lives on alone, and is found
    /// by the name that it had.
    pub(super) fn strand(&mut self, link: &Link) {
        self.channel.end(&Gone::HubRestarted);
        self.is_attached = false;
        if let (Some(leaf), Some(name)) = (&self.leaf, self.name.take()) {
            link.stranded.add(name, leaf.class.class(), leaf.delivery.asker());
        }
    }

    /// The asks that its leaf answers.
    pub(super) fn answers(&self) -> Vec<Kind> {
        self.leaf.as_ref().map_or_else(Vec::new, |leaf| leaf.class.answers())
    }

    /// Whether the hub knows that the client is there.
    pub(super) fn is_known(&self) -> bool {
        self.publish.is_none() && !self.channel.has_ended()
    }

    /// There is no connection any more: nothing is answered, and nobody shouts.
    pub(super) fn cut_off(&mut self, closed: &Closed) {
        self.channel.end(&Gone::Closed(closed.clone()));
        self.leave_unmade();
        self.parting = 0;
        self.is_unsure = false;
    }

    /// The leaf is there for those who carry or bind its object.
    pub(super) fn show(&self) {
        let Some(leaf) = &self.leaf else { return };
        let seated = seats::Seated {
            channel: Arc::downgrade(&self.channel),
            seat: leaf.seat.clone(),
            progress: leaf.progress.clone(),
            class_name: leaf.class.name(),
            generation: leaf.generation,
        };
        self.channel.link().seats.enter(self.channel.object, seated);
    }

    /// The hub will not tell a state any more: a leaf that waits for one is never made.
    pub(super) fn leave_unmade(&mut self) {
        if let Some(leaf) = &mut self.leaf {
            leaf.coming = None;
        }
    }

    /// Whether nobody needs it any more.
    pub(super) fn is_idle(&self) -> bool {
        self.leaf.is_none() && self.parting == 0 && !self.is_attached
    }

    /// The leaf, if it is still the one of that generation.
    pub(super) fn leaf_of(&mut self, generation: u64) -> Option<&mut Leaf> {
        self.leaf.as_mut().filter(|leaf| leaf.generation == generation)
    }
}
