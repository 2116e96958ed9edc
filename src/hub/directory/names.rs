//! The names of a hub's objects, and those who watch them.
//!
//! In come names, listings and watches; out go listings in pieces, and every change to those that
//! watch its beginning. It knows objects by their ids and interfaces only.

use std::ops::Bound;

use actix::{Handler, Message};

use super::{Directory, limit};
use crate::{
    hub::contact::{Contact, Pending},
    limits::{FRAME_BYTES_MAX, LISTING_BYTES_MAX, SESSION_WATCHES_MAX},
    object::{Name, ObjectId, SessionId},
    wire::{Change, Changed, Entry, Listed, Refusal, Request},
};

/// A session that is told of changes.
#[derive(Debug)]
pub(super) struct Watch {
    contact: Contact,
    request: Request,
    prefix: String,
}

/// Call an object something.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Refusal>")]
pub(crate) struct SetName {
    pub(crate) object: ObjectId,
    pub(crate) name: Name,
}

/// Tell the names that begin so, and perhaps their changes from then on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TellNames {
    pub(crate) pending: Pending,
    pub(crate) contact: Contact,
    pub(crate) prefix: String,
    pub(crate) watch: bool,
}

/// Tell a watcher no more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct EndWatch {
    pub(crate) pending: Pending,
    pub(crate) session: SessionId,
    pub(crate) list: Request,
}

impl Directory {
    pub(super) fn set_name(&mut self, object: ObjectId, name: Name) -> Result<(), Refusal> {
        let missing = self.missing(object);
        let known = self.objects.get_mut(&object).ok_or(missing)?;
        match &known.name {
            Some(there) if *there == name => return Ok(()),
            Some(there) => return Err(Refusal::HasName(there.clone())),
            None if self.names.contains_key(&name) => return Err(Refusal::NameTaken(name)),
            None => {}
        }
        known.name = Some(name.clone());
        let entry = Entry { name: name.clone(), object, interface: known.interface.clone() };
        self.names.insert(name.clone(), object);
        self.redefine(object, |definition| definition.name = Some(name));
        self.tell_watchers(&Change::Added(entry));
        Ok(())
    }

    pub(super) fn tell_watchers(&mut self, change: &Change) {
        self.turn.pushed(self.watches.len());
        let name = match change {
            Change::Added(entry) => &entry.name,
            Change::Removed(name) => name,
        };
        for watch in &self.watches {
            if name.as_str().starts_with(&watch.prefix) {
                let (request, change) = (watch.request, change.clone());
                watch.contact.queue.tell(&Changed { request, change });
            }
        }
    }

    fn end_watch(&mut self, session: SessionId, list: Request) {
        self.watches.retain(|watch| watch.contact.session != session || watch.request != list);
    }

    /// Tells a session that has ended no more.
    pub(super) fn end_watches(&mut self, session: SessionId) {
        self.watches.retain(|watch| watch.contact.session != session);
    }

    /// Answers a listing. Returns the bytes of the names that were looked at.
    fn tell_names(&mut self, tell: TellNames) -> usize {
        let TellNames { pending, contact, prefix, watch } = tell;
        let (session, request) = (contact.session, pending.request());
        // A watch under this number is replaced.
        let others = self
            .watches
            .iter()
            .filter(|watch| watch.contact.session == session && watch.request != request);
        if watch && let Err(refusal) = limit("watches", others.count(), SESSION_WATCHES_MAX) {
            pending.refuse(refusal);
            return 0;
        }
        let mut pieces = Vec::new();
        let mut piece = Listing::new(request);
        for entry in self.entries(&prefix) {
            pieces.extend(piece.add(entry));
            let bytes = pieces.len() * PIECE_BYTES;
            if let Err(refusal) = limit(TOO_MANY_NAMES, bytes, LISTING_BYTES_MAX) {
                pending.refuse(refusal);
                return bytes;
            }
        }
        let bytes = pieces.len() * PIECE_BYTES + piece.bytes;
        for piece in pieces {
            contact.queue.tell(&piece);
        }
        pending.answer(&piece.last(), &[]);
        if watch {
            self.end_watch(session, request);
            self.watches.push(Watch { contact, request, prefix });
        }
        bytes
    }

    fn entries<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Entry> + 'a {
        // Names are compared as texts, so those that begin so stand together.
        let from = prefix.parse::<Name>().map_or(Bound::Unbounded, Bound::Included);
        let all = self.names.range((from, Bound::Unbounded));
        all.take_while(move |(name, _)| name.as_str().starts_with(prefix)).filter_map(
            |(name, object)| {
                let interface = self.objects.get(object)?.interface.clone();
                Some(Entry { name: name.clone(), object: *object, interface })
            },
        )
    }
}

impl Handler<SetName> for Directory {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, set: SetName, ctx: &mut Self::Context) -> Self::Result {
        self.took(0, ctx);
        self.set_name(set.object, set.name)
    }
}

impl Handler<TellNames> for Directory {
    type Result = ();

    fn handle(&mut self, tell: TellNames, ctx: &mut Self::Context) {
        let bytes = self.tell_names(tell);
        self.took(bytes, ctx);
    }
}

impl Handler<EndWatch> for Directory {
    type Result = ();

    fn handle(&mut self, end: EndWatch, ctx: &mut Self::Context) {
        self.took(0, ctx);
        self.end_watch(end.session, end.list);
        end.pending.done();
    }
}

/// A listing on its way into frames.
struct Listing {
    frame: Listed,
    bytes: usize,
}

impl Listing {
    fn new(request: Request) -> Self {
        Self { frame: Listed { request, entries: Vec::new(), last: false }, bytes: 0 }
    }

    /// Adds an entry; returns the frame that it no longer fitted into.
    fn add(&mut self, entry: Entry) -> Option<Listed> {
        let bytes = entry.name.as_str().len() + entry.interface.tag.as_str().len() + 24;
        let is_full = self.bytes + bytes > PIECE_BYTES;
        let full = is_full.then(|| std::mem::replace(self, Self::new(self.frame.request)).frame);
        self.bytes += bytes;
        self.frame.entries.push(entry);
        full
    }

    fn last(self) -> Listed {
        Listed { last: true, ..self.frame }
    }
}

/// Bytes of names in one frame of a listing: far from a whole frame, whatever is around them.
const PIECE_BYTES: usize = FRAME_BYTES_MAX / 2;
const TOO_MANY_NAMES: &str = "bytes of names in a listing; ask for a longer prefix";
