//! Where witnesses write down what they say and hear.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::transcript::{Event, Transcript};
use crate::object::{ObjectId, Seq, SessionId};

/// Shared by all witnesses of a simulation. Clones are the same book.
#[derive(Clone, Default)]
pub(super) struct Book(Arc<Mutex<Pages>>);

/// What is written.
#[derive(Default)]
struct Pages {
    /// What sessions are called.
    names: BTreeMap<SessionId, String>,
    /// How often each voice has shouted at each object.
    said: BTreeMap<(String, ObjectId), u64>,
    /// What was said, and what came of it.
    voices: Vec<Event<String>>,
    /// One page a leaf.
    leaves: Vec<Page>,
    /// Of whom a hub has forgotten what he had shouted.
    forgotten: Option<String>,
}

/// What one leaf has heard.
struct Page {
    client: String,
    object: ObjectId,
    after: u64,
    heard: Vec<Event<String>>,
    parted: bool,
    /// Tells whether its connection has ended.
    is_gone: Box<dyn Fn() -> bool + Send>,
}

/// Names a leaf's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageNumber(usize);

impl Book {
    /// A session is called so.
    pub(super) fn name(&self, session: SessionId, name: &str) {
        self.lock().names.insert(session, name.to_owned());
    }

    /// What a session is called.
    pub(super) fn name_of(&self, session: SessionId) -> String {
        self.lock().names.get(&session).cloned().unwrap_or_else(|| session.to_string())
    }

    /// A new page for a leaf of a client.
    pub(super) fn open(
        &self,
        client: &str,
        object: ObjectId,
        start: Seq,
        is_gone: impl Fn() -> bool + Send + 'static,
    ) -> PageNumber {
        let (client, is_gone) = (client.to_owned(), Box::new(is_gone));
        let (after, heard, parted) = (start.0, Vec::new(), false);
        let mut pages = self.lock();
        pages.leaves.push(Page { client, object, after, heard, parted, is_gone });
        PageNumber(pages.leaves.len() - 1)
    }

    /// A hub has forgotten what a client had shouted.
    pub(super) fn forget(&self, client: &str) {
        self.lock().forgotten.get_or_insert_with(|| client.to_owned());
    }

    /// Of whom that is so, if it is of anybody.
    pub(super) fn forgotten(&self) -> Option<String> {
        self.lock().forgotten.clone()
    }

    /// A leaf has heard a shout.
    pub(super) fn heard(&self, page: PageNumber, seq: u64, voice: String, text: String) {
        let event = |leaf, object| Event::Heard { leaf, object, seq, voice, text };
        self.lock().leaves[page.0].hear(page, event);
    }

    /// A leaf was told of a gap.
    pub(super) fn resynced(&self, page: PageNumber, from: u64, to: u64) {
        let event = |leaf, object| Event::Resynced { leaf, object, from, to };
        self.lock().leaves[page.0].hear(page, event);
    }

    /// A leaf's state contains all up to a seq.
    pub(super) fn stands(&self, page: PageNumber, seq: u64, state: String) {
        let event = |leaf, object| Event::Stands { leaf, object, seq, state };
        self.lock().leaves[page.0].hear(page, event);
    }

    /// A leaf has parted, of itself or because its connection has ended.
    pub(super) fn parted(&self, page: PageNumber) {
        self.lock().leaves[page.0].parted = true;
    }

    /// A voice says something; returns how many things it has said at the object.
    pub(super) fn said(&self, voice: &str, object: ObjectId, text: String) -> u64 {
        let mut pages = self.lock();
        let count = pages.said.entry((voice.to_owned(), object)).or_default();
        *count += 1;
        let n = *count;
        let (voice, object) = (voice.to_owned(), object.to_string());
        pages.voices.push(Event::Said { voice, object, n, text });
        n
    }

    /// What came of something that was said.
    pub(super) fn outcome(&self, event: Event<String>) {
        self.lock().voices.push(event);
    }

    /// Everything, as the checker takes it.
    pub(super) fn transcript(&self) -> Transcript {
        let pages = self.lock();
        let mut transcript = Transcript::new();
        pages.voices.iter().for_each(|event| transcript.record(event));
        for (number, page) in pages.leaves.iter().enumerate() {
            page.write(PageNumber(number), &mut transcript);
        }
        transcript
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn hear(&mut self, number: PageNumber, event: impl FnOnce(String, String) -> Event<String>) {
        self.heard.push(event(self.leaf(number), self.object.to_string()));
    }

    fn write(&self, number: PageNumber, transcript: &mut Transcript) {
        let (leaf, object) = (self.leaf(number), self.object.to_string());
        let after = self.after;
        transcript.record(&Event::Joined { leaf: leaf.clone(), object: object.clone(), after });
        self.heard.iter().for_each(|event| transcript.record(event));
        if self.parted || (self.is_gone)() {
            transcript.record(&Event::Parted { leaf, object });
        }
    }

    /// One client may have several leaves of an object, one after the other.
    fn leaf(&self, number: PageNumber) -> String {
        format!("{}/{}", self.client, number.0)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Book").field("leaves", &self.lock().leaves.len()).finish_non_exhaustive()
    }
}
