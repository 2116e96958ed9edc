//! A watch of the directory, over as many connections as it takes.
//!
//! It keeps the names that its program was told of. Over another connection they are listed once
//! more, and the program is told what has changed meanwhile.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::{Asked, Driver};
use crate::{
    leaf::driver::Asking,
    limits::WATCH_CHANGES_MAX,
    object::Name,
    wire::{Change, Entry, List, Request, encode},
};

/// A watch that is read by a program.
pub(in crate::leaf::driver) struct Watch {
    prefix: String,
    changes: mpsc::Sender<Change>,
    /// What the program was told of; none when there are more than are kept.
    known: Option<BTreeMap<Name, Entry>>,
}

impl Watch {
    pub(super) fn new(prefix: String, names: &[Entry], changes: mpsc::Sender<Change>) -> Self {
        let known = names.iter().map(|entry| (entry.name.clone(), entry.clone())).collect();
        let mut watch = Self { prefix, changes, known: Some(known) };
        watch.keep_bound();
        watch
    }

    /// Tells the program. `false`: it does not read.
    pub(super) fn tell(&mut self, change: Change) -> bool {
        match (&mut self.known, &change) {
            (Some(known), Change::Added(entry)) => {
                known.insert(entry.name.clone(), entry.clone());
            }
            (Some(known), Change::Removed(name)) => {
                known.remove(name);
            }
            (None, _) => {}
        }
        self.keep_bound();
        self.changes.try_send(change).is_ok()
    }

    /// Tells the program what is otherwise than it was. `false`: it does not read, or nobody knows
    /// what it was told.
    fn compare(&mut self, now: Vec<Entry>) -> bool {
        let Some(known) = &self.known else { return false };
        let now: BTreeMap<_, _> =
            now.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        let gone = known.iter().filter(|(name, entry)| now.get(name) != Some(entry));
        let gone = gone.map(|(name, _)| Change::Removed(name.clone()));
        let come = now.iter().filter(|(name, entry)| known.get(name) != Some(entry));
        let come = come.map(|(_, entry)| Change::Added(entry.clone()));
        let changes: Vec<_> = gone.chain(come).collect();
        changes.into_iter().all(|change| self.tell(change))
    }

    fn keep_bound(&mut self) {
        self.known.take_if(|known| known.len() > WATCH_CHANGES_MAX);
    }
}

impl Driver {
    /// Every watch asks for its names again, under the number that it has.
    pub(in crate::leaf::driver) fn list_again(&mut self) {
        let watches = self.watches.iter().map(|(request, watch)| (*request, watch.prefix.clone()));
        for (request, prefix) in watches.collect::<Vec<_>>() {
            let frame = encode(&List { request, prefix, watch: true });
            self.send(request, Asked::ListAgain(Vec::new()), frame);
        }
    }

    /// More of a listing is to come.
    pub(super) fn await_more(&mut self, request: Request, asked: Asked) {
        // A listing that has begun to come is asked for anew over another connection.
        let frame = match &asked {
            Asked::List(listing) => listing.frame(request),
            _ => bytes::Bytes::new(),
        };
        self.requests.insert(request, Asking::new(asked, frame));
    }

    pub(super) fn listed_again(
        &mut self,
        request: Request,
        mut names: Vec<Entry>,
        more: Vec<Entry>,
        last: bool,
    ) {
        names.extend(more);
        if !last {
            return self.await_more(request, Asked::ListAgain(names));
        }
        let Some(watch) = self.watches.get_mut(&request) else { return };
        if !watch.compare(names) {
            tracing::warn!("a watch of the directory is not read, or too large: it ends");
            self.end_watch(request);
        }
    }
}
