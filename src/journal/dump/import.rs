//! What was exported, put into another journal: the same objects on another hub.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use bytes::Bytes;
use rand::Rng;

use super::{BEGIN, END};
use crate::{
    journal::{Change, Contents, Edit, Journal, JournalError, Kept, Memory, record::open},
    object::{Epoch, HubId, ObjectId},
};

/// What was imported.
///
/// ```
/// use actix_multiplex::journal::{Memory, export, import};
/// use rand::{SeedableRng, rngs::StdRng};
/// let mut file = Vec::new();
/// export(&mut Memory::default(), &mut file, |_| {})?;
/// let mut random = StdRng::seed_from_u64(7);
/// let imported = import(&mut &file[..], &mut Memory::default(), &mut random, |_| {})?;
/// assert_eq!((imported.objects, imported.left_out.len()), (0, 0));
/// # Ok::<(), actix_multiplex::journal::JournalError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// How many objects there are.
    pub objects: u64,
    /// What could not be gone on with, in words.
    pub left_out: Vec<String>,
}

/// Changes that are committed together.
struct Commits<'a, J> {
    journal: &'a mut J,
    number: u64,
    edits: Vec<Edit>,
}

/// Puts what was exported into a journal in which nothing was written: objects with their states,
/// names and pins, each with the shouts that follow its state, in an epoch of its own; and the ids
/// of those that are no more. No sessions. `progress` is told how many objects are done.
///
/// # Errors
/// It is no export, or is not whole; the journal is not empty, or cannot be written. What is in it
/// then is of no use.
pub fn import(
    from: &mut impl Read,
    journal: &mut impl Journal,
    random: &mut impl Rng,
    mut progress: impl FnMut(u64),
) -> Result<Imported, JournalError> {
    let mut is_empty = true;
    journal.read(&mut |_, _| is_empty = false)?;
    if !is_empty {
        return Err(JournalError::Occupied);
    }
    let mut contents = Contents::gather(&mut read(from)?, |_| {})?;
    let mut imported = Imported { left_out: contents.damage().to_vec(), ..Imported::default() };
    imported.left_out.extend(unname(&mut contents.objects));
    let mut commits = Commits { journal, number: 0, edits: Vec::new() };
    for (place, object) in contents.ended {
        commits.add(&Change::Ended { object, place })?;
    }
    for (object, kept) in contents.objects {
        let rebased = kept.rebase(Epoch::random(random));
        let said = |why: &str| format!("{}: {why}", called(object, &kept));
        match rebased {
            Ok(rebased) => {
                imported.left_out.extend(rebased.left_out.iter().map(|why| said(why)));
                imported.objects += 1;
                rebased.kept.changes().try_for_each(|change| commits.add(&change))?;
            }
            Err(why) => imported.left_out.push(said(why)),
        }
        progress(imported.objects);
    }
    commits.end(HubId::random(random))?;
    Ok(imported)
}

impl<J: Journal> Commits<'_, J> {
    fn add(&mut self, change: &Change) -> Result<(), JournalError> {
        self.number += 1;
        change.edits(self.number, &mut self.edits);
        if self.edits.len() >= COMMIT_EDITS { self.commit() } else { Ok(()) }
    }

    /// What says that it is a journal comes last: without it no hub takes one.
    fn end(&mut self, hub: HubId) -> Result<(), JournalError> {
        self.add(&Change::Begun(hub))?;
        self.commit()
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        self.journal.commit(&self.edits)?;
        self.edits.clear();
        Ok(())
    }
}

/// Every record of an export.
fn read(from: &mut impl Read) -> Result<Memory, JournalError> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).map_err(JournalError::io("the export cannot be read"))?;
    let foreign = || JournalError::Foreign("what is to be imported".to_owned());
    let mut rest = bytes.strip_prefix(BEGIN).ok_or_else(foreign)?;
    let mut edits = Vec::new();
    while let Some(value) = open(rest) {
        rest = &rest[value.bytes.len()..];
        let (key, value) = (value.key.to_vec(), Bytes::copy_from_slice(value.bytes));
        edits.push(Edit::Put { key, value });
    }
    let count = edits.len();
    if rest.strip_prefix(END) != Some(&(count as u64).to_le_bytes()) {
        let why = if rest.is_empty() { "it is cut off" } else { "it fails its checksum" };
        let place = format!("record {} of the export", count + 1);
        return Err(JournalError::Damaged { place, why: why.to_owned() });
    }
    let mut records = Memory::default();
    records.commit(&edits)?;
    Ok(records)
}

/// Takes the names of all but the latest from objects that have the same, as can be where what was
/// no more has been salvaged; and says of which.
fn unname(objects: &mut BTreeMap<ObjectId, Kept>) -> Vec<String> {
    let mut by_age: Vec<_> = objects.values_mut().collect();
    by_age.sort_by_key(|kept| std::cmp::Reverse(kept.number));
    let (mut taken, mut said) = (BTreeSet::new(), Vec::new());
    for kept in by_age {
        let (object, Some(definition)) = (kept.object, &mut kept.definition) else { continue };
        let again = definition.name.take_if(|name| !taken.insert(name.clone()));
        said.extend(again.map(|name| format!("{object}: its name {name}, which a later one has")));
    }
    said
}

fn called(object: ObjectId, kept: &Kept) -> String {
    kept.name().map_or(object.to_string(), |name| format!("{object} ({name})"))
}

/// Edits in one commit, at least.
const COMMIT_EDITS: usize = 10_000;
