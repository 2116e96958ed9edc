//! A journal brought out into one file and back, and what is left of one that cannot be read.
//!
//! An export is a mark and then every value, each of which says its own key. What can be salvaged is
//! found by looking for values in the bytes of the file, whatever they are around them.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
};

use bytes::Bytes;

use super::{
    Edit, Journal, JournalError,
    record::{Key, MARK, open},
};

/// Writes every record of a journal, and returns how many there were.
///
/// # Errors
/// What cannot be read, or a record that is not whole: [`salvage`] leaves those out. What cannot be
/// written.
pub fn export(
    journal: &mut impl Journal,
    to: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<u64, JournalError> {
    let (mut count, mut done) = (0, to.write_all(DUMP).map_err(written));
    journal.read(&mut |key, value| {
        if done.is_ok() {
            done = check(key, value).and_then(|()| to.write_all(value).map_err(written));
            count += 1;
            progress(count);
        }
    })?;
    done.and_then(|()| to.flush().map_err(written))?;
    Ok(count)
}

/// Puts what was exported into a journal, and returns how many records there were.
///
/// # Errors
/// It is no export, or is not whole: then nothing of it is in the journal that is to be used.
pub fn import(
    from: &mut impl Read,
    journal: &mut impl Journal,
    mut progress: impl FnMut(u64),
) -> Result<u64, JournalError> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).map_err(JournalError::io("the export cannot be read"))?;
    let foreign = || JournalError::Foreign("what is to be imported".to_owned());
    let mut rest = bytes.strip_prefix(DUMP).ok_or_else(foreign)?;
    let (mut edits, mut count) = (Vec::new(), 0);
    while !rest.is_empty() {
        let value = open(rest).ok_or_else(|| JournalError::Damaged {
            place: format!("record {} of the export", count + 1),
            why: "it fails its checksum".to_owned(),
        })?;
        rest = &rest[value.bytes.len()..];
        count += 1;
        edits.push(put(value.key, value.bytes));
        if edits.len() == IMPORT_RECORDS || rest.is_empty() {
            journal.commit(&edits)?;
            edits.clear();
            progress(count);
        }
    }
    Ok(count)
}

/// Looks for records in the bytes of a journal's file that cannot be opened, and writes an export of
/// those that are whole: the latest of each key. Returns how many there were.
///
/// What had been done away with and not overwritten yet may be among them.
///
/// # Errors
/// What cannot be written.
pub fn salvage(file: &[u8], to: &mut impl Write) -> Result<u64, JournalError> {
    let mut found = BTreeMap::<&[u8], (u64, &[u8])>::new();
    let mut at = 0;
    while let Some(next) = file[at..].windows(MARK.len()).position(|bytes| bytes == MARK) {
        at += next;
        match open(&file[at..]).filter(|value| Key::decode(value.key).is_some()) {
            Some(value) => {
                let latest = found.entry(value.key).or_insert((value.number, value.bytes));
                *latest = (*latest).max((value.number, value.bytes));
                at += value.bytes.len();
            }
            None => at += 1,
        }
    }
    to.write_all(DUMP).map_err(written)?;
    for (_, value) in found.values() {
        to.write_all(value).map_err(written)?;
    }
    to.flush().map_err(written)?;
    Ok(found.len() as u64)
}

fn check(key: &[u8], value: &[u8]) -> Result<(), JournalError> {
    if open(value).is_some_and(|value| value.key == key) {
        return Ok(());
    }
    let place = Key::decode(key).map_or(format!("{key:02x?}"), |key| format!("{key:?}"));
    Err(JournalError::Damaged { place, why: "it fails its checksum".to_owned() })
}

fn put(key: &[u8], value: &[u8]) -> Edit {
    Edit::Put { key: key.to_vec(), value: Bytes::copy_from_slice(value) }
}

fn written(error: io::Error) -> JournalError {
    JournalError::io("the export cannot be written")(error)
}

/// What an export begins with.
const DUMP: &[u8; 8] = b"mpxdump\x01";
/// Records in one commit of an import.
const IMPORT_RECORDS: usize = 10_000;
