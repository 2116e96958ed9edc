//! What a client knows of one object.

use std::{
    any::{Any, TypeId},
    sync::{Arc, Weak},
};

use crate::{
    connection::Closed,
    leaf::{
        channel::{Channel, Gone},
        inbox::Delivery,
        progress::Progress,
        voice::Attachment,
    },
    object::{Carried, Cursor, InterfaceId, Missing, Op, Seq},
    wire::Request,
};

/// An object that this client has a leaf of, or a voice for, or is just leaving.
pub(super) struct Entry {
    pub(super) channel: Arc<Channel>,
    pub(super) interface: InterfaceId,
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
}

/// The one leaf of an object at this client.
pub(super) struct Leaf {
    pub(super) class: TypeId,
    pub(super) class_name: &'static str,
    pub(super) seat: Weak<dyn Any + Send + Sync>,
    pub(super) generation: u64,
    pub(super) delivery: Delivery,
    /// How far the inbox has been filled; none until the hub knows the object.
    pub(super) cursor: Option<Cursor>,
    /// What is at or below it is the past.
    pub(super) past: Seq,
    /// Whether batches are dropped until the leaf has room and has joined again.
    pub(super) lagging: bool,
    pub(super) progress: Arc<Progress>,
    /// What its first state carries.
    pub(super) carries: Vec<Carried>,
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
            leaf: None,
            attachment: Weak::new(),
            is_attached: false,
            parting: 0,
            is_unsure: false,
            retries: 0,
            publish: None,
        }
    }

    /// Somebody has come in. While the hub has a request to part in hand, it may hold them for
    /// gone: then nobody shouts until it has said where to go on.
    pub(super) fn come_in(&mut self) {
        if self.parting > 0 {
            self.is_unsure = true;
            self.channel.come_back();
        }
    }

    /// The hub has said where to go on; if somebody parted since it was asked, it is asked again.
    pub(super) fn go_on(&mut self, next_op: Op) {
        self.retries = 0;
        if !self.is_unsure {
            self.channel.resume(next_op);
        }
    }

    /// A request to part is about to be sent. Who shouted behind it would be a stranger.
    pub(super) fn leave(&mut self) {
        self.parting += 1;
        if self.leaf.is_none() && !self.is_attached {
            self.channel.leave();
        }
    }

    /// The hub has answered a request to part. `true`: somebody has to say that they are here.
    pub(super) fn went(&mut self) -> bool {
        self.parting = self.parting.saturating_sub(1);
        self.parting == 0 && std::mem::take(&mut self.is_unsure)
    }

    /// The connection is no more: nothing is answered, and nobody shouts.
    pub(super) fn cut_off(&mut self, closed: &Closed) {
        self.channel.end(&Gone::Closed(closed.clone()));
        self.parting = 0;
        self.is_unsure = false;
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
