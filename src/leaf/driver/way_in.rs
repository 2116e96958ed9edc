//! Voices without a leaf: attached, and detached when the last is dropped.

use std::sync::Arc;

use actix::{AsyncContext, Context, Handler, Message};
use tokio::sync::oneshot;

use super::{Asked, Driver, mismatch};
use crate::{
    connection::Closed,
    leaf::{channel::Channel, client::JoinError, voice::Attachment},
    object::{InterfaceId, Name, ObjectId},
    wire::{self, Attached, Refusal, Target},
};

type Reply = oneshot::Sender<Result<AttachedTo, JoinError>>;

/// Give a voice for the object of that name.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Attach {
    pub(crate) name: Name,
    pub(crate) interface: InterfaceId,
    pub(crate) reply: Reply,
}

/// What a voice is made of.
#[derive(Debug)]
pub(crate) struct AttachedTo {
    pub(crate) channel: Arc<Channel>,
    pub(crate) attachment: Arc<Attachment>,
}

/// The last voice without a leaf is gone.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Detach(pub(crate) ObjectId);

/// A voice that is to be given when the hub has answered.
pub(super) struct Attaching {
    name: Name,
    interface: InterfaceId,
    reply: Reply,
}

impl Attaching {
    pub(super) fn refuse(self, refusal: Refusal) {
        let _nobody_waits = self.reply.send(Err(JoinError::refused(self.name, refusal)));
    }
}

impl Driver {
    pub(super) fn attached(
        &mut self,
        attached: &Attached,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        match self.recall(attached.request)? {
            Asked::Attach(attaching) => self.attach(attaching, attached, ctx),
            Asked::Reattach(object) => {
                if let Some(entry) = self.entries.get_mut(&object) {
                    entry.go_on(attached.next_op);
                }
                self.tell_forgotten(object);
            }
            _ => return Err(mismatch(attached.request)),
        }
        Ok(())
    }

    fn attach(&mut self, attaching: Attaching, attached: &Attached, ctx: &mut Context<Self>) {
        let Some(link) = self.link.clone() else { return };
        let Attaching { interface, reply, .. } = attaching;
        let (object, next_op) = (attached.object, attached.next_op);
        let mut entry = self.take_entry(object, link, next_op, interface);
        entry.come_in();
        entry.is_attached = true;
        let attachment = entry
            .attachment
            .upgrade()
            .unwrap_or_else(|| Arc::new(Attachment { object, driver: ctx.address() }));
        entry.attachment = Arc::downgrade(&attachment);
        let channel = entry.channel.clone();
        self.entries.insert(object, entry);
        let _nobody_waits = reply.send(Ok(AttachedTo { channel, attachment }));
    }
}

impl Handler<Attach> for Driver {
    type Result = ();

    fn handle(&mut self, attach: Attach, _: &mut Self::Context) {
        // Without a reply the caller is told why the connection is no more.
        if self.is_closed() {
            return;
        }
        let Attach { name, interface, reply } = attach;
        let target = Target::Name(name.clone());
        let attaching = Attaching { name, interface: interface.clone(), reply };
        self.ask(Asked::Attach(attaching), |request| wire::Attach { request, target, interface });
    }
}

impl Handler<Detach> for Driver {
    type Result = ();

    fn handle(&mut self, detach: Detach, _: &mut Self::Context) {
        let Detach(object) = detach;
        let is_closed = self.is_closed();
        let Some(entry) = self.entries.get_mut(&object) else { return };
        // Another voice may have been given since, or this was said already.
        if entry.attachment.strong_count() > 0 || !std::mem::take(&mut entry.is_attached) {
            return;
        }
        if is_closed {
            return self.forget_idle(object);
        }
        entry.leave();
        self.ask(Asked::Part(object), |request| wire::Detach { request, object });
    }
}
