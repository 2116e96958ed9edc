//! The directory, as a client sees it.

mod watch;

use actix::{Handler, Message};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

pub(super) use self::watch::Watch;
use super::{Asked, Driver, mismatch};
use crate::{
    connection::Closed,
    leaf::client::{KeepError, ListError, NameError},
    object::{Name, ObjectId},
    wire::{
        Change, Changed, Destroy, Entry, List, Listed, NameObject, Pin, Refusal, Request, Unwatch,
        encode,
    },
};

type ListReply = oneshot::Sender<Result<(Vec<Entry>, Request), ListError>>;

/// Call an object something.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct NameIt {
    pub(crate) object: ObjectId,
    pub(crate) name: Name,
    pub(crate) reply: oneshot::Sender<Result<(), NameError>>,
}

/// Pin an object, unpin it, or destroy it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct KeepIt {
    pub(crate) object: ObjectId,
    pub(crate) how: Keeping,
    pub(crate) reply: oneshot::Sender<Result<(), KeepError>>,
}

/// Whether an object is to be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keeping {
    /// As long as it is pinned; or as any other, when it is not.
    Pinned(bool),
    /// No longer.
    Destroyed,
}

/// List names, and perhaps watch them.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct ListNames {
    pub(crate) prefix: String,
    pub(crate) watch: Option<mpsc::Sender<Change>>,
    pub(crate) reply: ListReply,
}

/// Watch no more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct EndWatch(pub(crate) Request);

/// A listing that comes in pieces.
pub(super) struct Listing {
    prefix: String,
    entries: Vec<Entry>,
    watch: Option<mpsc::Sender<Change>>,
    reply: ListReply,
}

impl Listing {
    /// The hub is asked once more, for all of it.
    pub(super) fn begin_again(&mut self) {
        self.entries.clear();
    }

    /// What asks for it.
    fn frame(&self, request: Request) -> Bytes {
        let (prefix, watch) = (self.prefix.clone(), self.watch.is_some());
        encode(&List { request, prefix, watch })
    }

    pub(super) fn refuse(self, refusal: Refusal) {
        let _nobody_waits = self.reply.send(Err(ListError::Refused(refusal)));
    }
}

impl Driver {
    pub(super) fn listed(&mut self, listed: Listed) -> Result<(), Closed> {
        let Listed { request, entries, last } = listed;
        let mut listing = match self.recall(request)? {
            Asked::List(listing) => listing,
            Asked::ListAgain(known) => {
                self.listed_again(request, known, entries, last);
                return Ok(());
            }
            _ => return Err(mismatch(request)),
        };
        listing.entries.extend(entries);
        if !last {
            self.await_more(request, Asked::List(listing));
            return Ok(());
        }
        let is_watch = listing.watch.is_some();
        if let Some(watch) = listing.watch {
            let watch = Watch::new(listing.prefix, &listing.entries, watch);
            self.watches.insert(request, watch);
        }
        let is_taken = listing.reply.send(Ok((listing.entries, request))).is_ok();
        if is_watch && !is_taken {
            self.end_watch(request);
        }
        Ok(())
    }

    pub(super) fn changed(&mut self, changed: Changed) {
        let Changed { request, change } = changed;
        let Some(watch) = self.watches.get_mut(&request) else { return };
        if !watch.tell(change) {
            tracing::warn!("a watch of the directory is not read: it ends");
            self.end_watch(request);
        }
    }

    /// Tells the hub of an object that lived offline.
    fn publish(&self, object: ObjectId) {
        if let Some(entry) = self.entries.get(&object) {
            entry.channel.publish();
        }
    }

    pub(super) fn end_watch(&mut self, list: Request) {
        if self.watches.remove(&list).is_some() {
            self.ask(Asked::Nothing, |request| Unwatch { request, list });
        }
    }
}

impl Handler<NameIt> for Driver {
    type Result = ();

    fn handle(&mut self, name_it: NameIt, _: &mut Self::Context) {
        // Without a reply the caller is told why the connection is no more.
        if self.is_closed() {
            return;
        }
        let NameIt { object, name, reply } = name_it;
        self.publish(object);
        let asked = Asked::Name(object, name.clone(), reply);
        self.ask(asked, |request| NameObject { request, object, name });
    }
}

impl Handler<KeepIt> for Driver {
    type Result = ();

    fn handle(&mut self, keep: KeepIt, _: &mut Self::Context) {
        if self.is_closed() {
            return;
        }
        let KeepIt { object, how, reply } = keep;
        self.publish(object);
        let asked = Asked::Keep(object, how, reply);
        match how {
            Keeping::Pinned(pinned) => self.ask(asked, |request| Pin { request, object, pinned }),
            Keeping::Destroyed => self.ask(asked, |request| Destroy { request, object }),
        };
    }
}

impl Handler<ListNames> for Driver {
    type Result = ();

    fn handle(&mut self, list: ListNames, _: &mut Self::Context) {
        if self.is_closed() {
            return;
        }
        let ListNames { prefix, watch, reply } = list;
        let is_watch = watch.is_some();
        let listing = Listing { prefix: prefix.clone(), entries: Vec::new(), watch, reply };
        self.ask(Asked::List(listing), |request| List { request, prefix, watch: is_watch });
    }
}

impl Handler<EndWatch> for Driver {
    type Result = ();

    fn handle(&mut self, EndWatch(list): EndWatch, _: &mut Self::Context) {
        self.end_watch(list);
    }
}
