//! A journal brought out into one file and back.
//!
//! An export is a mark, then every value, each of which says its own key, then a mark and how many
//! there were. What can be salvaged of a file that cannot be opened is found by looking for values
//! in its bytes, whatever they are around them; it is an export too.
//!
//! An import is another hub, with the same objects: what is told by the hub that wrote the export
//! after it was made may have been heard, so their histories begin anew, and no session goes on.

mod import;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

pub use self::import::{Imported, import};
use super::{
    Journal, JournalError,
    record::{Key, MARK, Value, open},
};

/// Writes every record of a journal, and returns how many there were.
///
/// # Errors
/// What cannot be read, or a record that is not whole: [`salvage`] leaves those out. What cannot be
/// written.
pub fn export(
    journal: &mut (impl Journal + ?Sized),
    to: &mut impl Write,
    progress: impl FnMut(u64),
) -> Result<u64, JournalError> {
    let why = "it fails its checksum; `multiplex journal export --salvage` leaves it out";
    write_all(journal, to, progress, |place| {
        Err(JournalError::Damaged { place, why: why.to_owned() })
    })
}

/// As [`export`](fn@export), without the records that are not whole: `left_out` is told of each.
///
/// # Errors
/// What cannot be read: then [`salvage_file`] finds what there is. What cannot be written.
pub fn salvage(
    journal: &mut (impl Journal + ?Sized),
    to: &mut impl Write,
    progress: impl FnMut(u64),
    mut left_out: impl FnMut(String),
) -> Result<u64, JournalError> {
    write_all(journal, to, progress, |place| {
        left_out(place);
        Ok(())
    })
}

/// Looks for records in the bytes of a journal's file that cannot be opened, and writes an export of
/// those that are whole: the latest of each key. Returns how many there were. `progress` is told how
/// many bytes were looked through.
///
/// What had been done away with and not overwritten yet may be among them.
///
/// # Errors
/// What cannot be written.
pub fn salvage_file(
    file: &[u8],
    to: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<u64, JournalError> {
    let mut found = BTreeMap::<&[u8], Value<'_>>::new();
    let mut at = 0;
    while let Some(next) = file[at..].windows(MARK.len()).position(|bytes| bytes == MARK) {
        at += next;
        let value = open(&file[at..]).filter(|value| Key::decode(value.key).is_some());
        if let Some(value) = value {
            let latest = found.entry(value.key).or_insert(value);
            if value.number > latest.number {
                *latest = value;
            }
        }
        at += value.map_or(1, |value| value.bytes.len());
        progress(at as u64);
    }
    to.write_all(BEGIN).map_err(written)?;
    for value in found.values() {
        to.write_all(value.bytes).map_err(written)?;
    }
    end(to, found.len() as u64)
}

fn write_all(
    journal: &mut (impl Journal + ?Sized),
    to: &mut impl Write,
    mut progress: impl FnMut(u64),
    mut damaged: impl FnMut(String) -> Result<(), JournalError>,
) -> Result<u64, JournalError> {
    let (mut count, mut done) = (0, to.write_all(BEGIN).map_err(written));
    journal.read(&mut |key, value| {
        if done.is_err() {
            return;
        }
        let is_whole = open(value).is_some_and(|value| value.key == key);
        done = if is_whole {
            count += 1;
            progress(count);
            to.write_all(value).map_err(written)
        } else {
            damaged(Key::decode(key).map_or(format!("{key:02x?}"), |key| format!("{key:?}")))
        };
    })?;
    done?;
    end(to, count)
}

fn end(to: &mut impl Write, count: u64) -> Result<u64, JournalError> {
    let bytes = [&END[..], &count.to_le_bytes()].concat();
    to.write_all(&bytes).and_then(|()| to.flush()).map_err(written)?;
    Ok(count)
}

fn written(error: io::Error) -> JournalError {
    JournalError::io("the export cannot be written")(error)
}

/// What an export begins with.
const BEGIN: &[u8; 8] = b"mpxdump\x01";
/// What stands before the number of records at its end.
const END: &[u8; 8] = b"mpxdone\x01";
