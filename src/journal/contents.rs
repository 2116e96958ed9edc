//! What a journal holds, read back: of the hub, its sessions and its objects.
//!
//! In comes every record; each is checked. One of an object that is not whole quarantines that
//! object, one of a session drops that session, with a word; where the journal's own record is not
//! whole, nothing is served.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{
    Definition, Entry, Journal, JournalError, Marks, ResumeKeys, State,
    change::{FORMAT, Header},
    record::{Key, Value, open},
};
use crate::{
    object::{HubId, ObjectId, Seq, SessionId},
    wire::Resume,
};

/// What a journal holds.
///
/// ```
/// use actix_multiplex::journal::{Contents, Memory};
/// let contents = Contents::of(&mut Memory::default())?;
/// assert_eq!(contents.objects().count(), 0);
/// # Ok::<(), actix_multiplex::journal::JournalError>(())
/// ```
#[derive(Debug, Default)]
pub struct Contents {
    pub(crate) hub: Option<HubId>,
    pub(crate) sessions: BTreeMap<SessionId, ResumeKeys>,
    /// The hub above, and with what the link's session is gone on.
    pub(crate) above: Option<(HubId, Resume)>,
    /// The sessions below links, and these.
    pub(crate) below: BTreeMap<SessionId, SessionId>,
    /// Objects that are no more, by their place among those.
    pub(crate) ended: BTreeMap<u64, ObjectId>,
    pub(crate) objects: BTreeMap<ObjectId, Kept>,
    /// Objects that are no more and have records: what was submitted behind their end. They can go,
    /// by another change that says the same.
    pub(crate) leftovers: Vec<ObjectId>,
    /// The number of the latest change.
    pub(crate) number: u64,
    records: u64,
    /// Records that are of no object and not whole.
    damage: Vec<String>,
}

/// What a journal holds of one object.
///
/// ```
/// use actix_multiplex::journal::{Contents, Memory};
/// for kept in Contents::of(&mut Memory::default())?.objects() {
///     println!("{} {}", kept.id(), kept.damage().unwrap_or("is whole"));
/// }
/// # Ok::<(), actix_multiplex::journal::JournalError>(())
/// ```
#[derive(Debug)]
pub struct Kept {
    pub(super) object: ObjectId,
    pub(crate) definition: Option<Definition>,
    pub(crate) state: Option<State>,
    pub(crate) marks: Marks,
    /// Without a gap.
    pub(crate) entries: Vec<Entry>,
    /// The number of the latest change of it.
    pub(super) number: u64,
    /// Behind the highest number of an entry.
    pub(super) behind: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) damage: Option<String>,
}

impl Contents {
    /// Reads a journal.
    ///
    /// # Errors
    /// [`JournalError`]: it cannot be read, or is of a newer format, or says nothing of itself.
    pub fn of(journal: &mut impl Journal) -> Result<Self, JournalError> {
        Self::read(journal, |_| {})
    }

    /// As [`of`](Self::of); `progress` is told how many records were read, now and then.
    ///
    /// # Errors
    /// As there.
    pub fn read(
        journal: &mut (impl Journal + ?Sized),
        progress: impl FnMut(u64),
    ) -> Result<Self, JournalError> {
        let contents = Self::gather(journal, progress)?;
        if contents.hub.is_none() && contents.records > 0 {
            return Err(damaged("the journal's first record", "it is not there"));
        }
        Ok(contents)
    }

    /// As [`read`](Self::read), and the record that says whose all is may be lost.
    pub(super) fn gather(
        journal: &mut (impl Journal + ?Sized),
        mut progress: impl FnMut(u64),
    ) -> Result<Self, JournalError> {
        let mut contents = Self::default();
        let mut refused = Ok(());
        journal.read(&mut |key, value| {
            contents.records += 1;
            if contents.records.is_multiple_of(PROGRESS_RECORDS) {
                progress(contents.records);
            }
            if refused.is_ok() {
                refused = contents.take(key, value);
            }
        })?;
        refused?;
        contents.part_with_leftovers();
        contents.objects.values_mut().for_each(Kept::check);
        Ok(contents)
    }

    /// The hub that wrote it; none for a journal in which nothing was written.
    pub fn hub(&self) -> Option<HubId> {
        self.hub
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many sessions can be gone on with.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Its objects, in the order of their ids.
    pub fn objects(&self) -> impl Iterator<Item = &Kept> {
        self.objects.values()
    }

    /// What is not whole and of no object, in words.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), JournalError> {
        let whole = open(value).filter(|value| value.key == key);
        let Some(place) = Key::decode(key) else {
            self.damage.push(format!("a record has a key that is none: {key:02x?}"));
            return Ok(());
        };
        match (place, whole) {
            (Key::Hub, whole) => self.hub = Some(read_header(whole)?.hub),
            (_, Some(value)) => {
                self.number = self.number.max(value.number);
                if self.enter(place, value).is_none() {
                    self.note(place, "is whole, and cannot be understood");
                }
            }
            (_, None) => self.note(place, "fails its checksum"),
        }
        // Whose key was damaged is not whole either.
        let other = open(value).filter(|value| value.key != key);
        if let Some(other) = other.and_then(|value| Key::decode(value.key)) {
            self.note(other, "is under another key");
        }
        if let Some(object) = place.object() {
            let kept = self.object(object);
            kept.records += 1;
            kept.bytes += (key.len() + value.len()) as u64;
            kept.number = kept.number.max(whole.map_or(0, |value| value.number));
            if let Key::Entry(_, number) = place {
                kept.behind = kept.behind.max(number.saturating_add(1));
            }
        }
        Ok(())
    }

    fn enter(&mut self, place: Key, value: Value<'_>) -> Option<()> {
        let body = || Bytes::copy_from_slice(value.body);
        match place {
            // It has been read.
            Key::Hub => {}
            Key::Session(session) => {
                self.sessions.insert(session, plain(value.body)?);
            }
            Key::Above => self.above = Some(plain(value.body)?),
            Key::Below(session) => {
                self.below.insert(session, plain(value.body)?);
            }
            Key::Ended(place) => {
                self.ended.insert(place, plain(value.body)?);
            }
            Key::Definition(object) => {
                self.object(object).definition = Some(Definition::decode(value.body)?);
            }
            Key::State(object) => self.object(object).state = Some(State::decode(&body())?),
            Key::Marks(object) => self.object(object).marks = Marks::decode(value.body)?,
            Key::Entry(object, number) => {
                let entry = Entry::decode(&body())?;
                self.object(object).add(number, entry);
            }
        }
        Some(())
    }

    fn part_with_leftovers(&mut self) {
        let ended: BTreeSet<_> = self.ended.values().copied().collect();
        self.leftovers = self.objects.keys().filter(|id| ended.contains(*id)).copied().collect();
        self.objects.retain(|id, _| !ended.contains(id));
    }

    fn object(&mut self, object: ObjectId) -> &mut Kept {
        self.objects.entry(object).or_insert_with(|| Kept::new(object))
    }

    fn note(&mut self, place: Key, what: &str) {
        let why = format!("{place:?} {what}");
        match place.object() {
            Some(object) => drop(self.object(object).damage.get_or_insert(why)),
            None => self.damage.push(why),
        }
    }
}

impl Kept {
    pub(super) fn new(object: ObjectId) -> Self {
        Self {
            object,
            definition: None,
            state: None,
            marks: Marks::default(),
            entries: Vec::new(),
            number: 0,
            behind: 0,
            records: 0,
            bytes: 0,
            damage: None,
        }
    }

    /// The object's id.
    pub fn id(&self) -> ObjectId {
        self.object
    }

    /// What it is called, if it has a name.
    pub fn name(&self) -> Option<&str> {
        Some(self.definition.as_ref()?.name.as_ref()?.as_str())
    }

    /// Its interface, as `pond.frog v1`.
    pub fn interface(&self) -> Option<String> {
        Some(self.definition.as_ref()?.interface.to_string())
    }

    /// The last shout that is kept.
    pub fn last(&self) -> Seq {
        let chunks = self.entries.iter().rev();
        let last = chunks.filter_map(|entry| match entry {
            Entry::Chunk { last, .. } => Some(*last),
            Entry::Refused { .. } => None,
        });
        let state = self.state.as_ref().map(|state| state.seq);
        last.chain(state).chain([self.marks.last]).max().unwrap_or_default()
    }

    /// Whether it stays when nobody needs it.
    pub fn is_pinned(&self) -> bool {
        self.definition.as_ref().is_some_and(|definition| definition.pinned)
    }

    /// How many records it has.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many bytes these are, keys included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is not whole of it, in words: then a hub does not serve it.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// Its state and the entries behind it, a line each.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let state = self
            .state
            .iter()
            .map(|state| format!("state at {}, {} bytes", state.seq, state.bytes.len()));
        let entries = self.entries.iter().zip(self.marks.first..);
        state.chain(entries.map(|(entry, number)| match entry {
            Entry::Chunk { first, last, frame } => {
                format!("entry {number}: shouts {first} to {last}, {} bytes", frame.len())
            }
            Entry::Refused { session, op, count } => {
                format!("entry {number}: {count} refused of session {session}, from op {}", op.0)
            }
        }))
    }

    /// Entries come in their order; the first is the one that the marks say.
    fn add(&mut self, number: u64, entry: Entry) {
        if number < self.marks.first {
            return;
        }
        let awaited = self.marks.first + self.entries.len() as u64;
        if number != awaited {
            self.damage.get_or_insert(format!("entry {awaited} is missing before {number}"));
        }
        self.entries.push(entry);
    }

    /// Whether its records agree with each other.
    fn check(&mut self) {
        let damage = match &self.definition {
            None => Some("its definition is missing".to_owned()),
            Some(definition) if definition.stateful != self.state.is_some() => {
                Some("its state is missing".to_owned())
            }
            Some(_) => self.gap(),
        };
        if let Some(damage) = damage {
            self.damage.get_or_insert(damage);
        }
    }

    /// Where its chunks do not follow each other, or its state.
    fn gap(&self) -> Option<String> {
        let mut next = None;
        for entry in &self.entries {
            let Entry::Chunk { first, last, .. } = entry else { continue };
            let state = self.state.as_ref().map(|state| state.seq.next());
            let fits =
                next.map_or(state.is_none_or(|state| *first <= state), |next| *first == next);
            if !fits || last < first {
                return Some(format!("shout {first} does not follow those before it"));
            }
            next = Some(last.next());
        }
        None
    }
}

fn read_header(value: Option<Value<'_>>) -> Result<Header, JournalError> {
    let place = "the journal's first record";
    let value = value.ok_or_else(|| damaged(place, "it fails its checksum"))?;
    let (found, _) = postcard::take_from_bytes::<u16>(value.body)
        .map_err(|_| damaged(place, "it names no format"))?;
    // What is older is read here, when there is such a thing: format 1 is the first.
    if found > FORMAT {
        return Err(JournalError::Newer { found, known: FORMAT });
    }
    plain(value.body).ok_or_else(|| damaged(place, "it names no hub"))
}

fn damaged(place: &str, why: &str) -> JournalError {
    JournalError::Damaged { place: place.to_owned(), why: why.to_owned() }
}

fn plain<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    postcard::from_bytes(body).ok()
}

/// Records between two words of progress.
const PROGRESS_RECORDS: u64 = 1_024;
