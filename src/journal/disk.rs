//! A journal in one file of its own directory, by redb.
//!
//! redb keeps a tree of pages with checksums, changed by copying: a commit that did not come to its
//! end never was. What it refuses is told with the file's name, and so is what it panics at.

use std::{
    fmt, fs,
    io::{self, ErrorKind},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata,
    StorageBackend, Table, TableDefinition, TableError,
};

use super::{Edit, Journal, JournalError, record::open};
use crate::limits::JOURNAL_CACHE_BYTES;

/// Records in a file.
///
/// ```
/// use actix_multiplex::{Hub, journal::Redb};
/// # let directory = std::env::temp_dir().join(format!("multiplex-doc-{}", std::process::id()));
/// # actix::System::new().block_on(async {
/// let hub = Hub::builder().journal(Redb::open(&directory)?).start()?;
/// hub.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # std::fs::remove_dir_all(directory).unwrap();
/// ```
pub struct Redb {
    /// None only while it is dropped.
    database: Option<Database>,
    /// Where it is, for whoever is told what went wrong.
    place: String,
    /// What redb finds wrong with it: not all of its pages are what was written.
    suspicion: Option<String>,
    /// The records that are not whole, as they are: written again they are at least redb's own, which
    /// would else refuse all of it after a crash.
    mending: Vec<Edit>,
}

impl Redb {
    /// Opens the journal in this directory, and makes both if they are not there. The whole of it is
    /// looked through, which takes a second for each million records or so.
    ///
    /// Where some pages are not what was written, it is opened nevertheless if it can be, and
    /// [`read`](Journal::read) tells whether that is the fault of records alone.
    ///
    /// # Errors
    /// [`JournalError::InUse`] while another process has it open; [`JournalError::Damaged`] where
    /// the file cannot be what was written; [`JournalError::Io`] where the operating system does
    /// not give it.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, JournalError> {
        let directory = directory.as_ref();
        if !Self::file(directory).exists() {
            begin(directory)?;
        }
        let opened = Self::existing(directory)?;
        sync_names(directory)?;
        Ok(opened)
    }

    /// Opens the journal in this directory, which is there.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`JournalError::Io`] where there is none.
    pub fn existing(directory: impl AsRef<Path>) -> Result<Self, JournalError> {
        let file = Self::file(directory);
        let is_empty = fs::metadata(&file).is_ok_and(|file| file.is_file() && file.len() == 0);
        if is_empty {
            // One is put in its place when it is whole, so this one was cut off.
            let place = file.display().to_string();
            return Err(JournalError::Damaged { place, why: "it is empty".to_owned() });
        }
        Self::at(&file.display().to_string(), |builder| builder.open(&file))
    }

    /// Opens a journal that is stored elsewhere than in a file of its own: `backend` gives what it
    /// is read and written by, once more where the first is of no use.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_at<B: StorageBackend>(
        place: &str,
        mut backend: impl FnMut() -> B,
    ) -> Result<Self, JournalError> {
        Self::at(place, |builder| builder.create_with_backend(backend()))
    }

    /// The file in which the journal of a directory is.
    pub fn file(directory: impl AsRef<Path>) -> PathBuf {
        directory.as_ref().join("journal.redb")
    }

    /// How many records it has.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn records(&self) -> Result<u64, JournalError> {
        guard(&self.place, || {
            let reading = self.database()?.begin_read().map_err(redb::Error::from)?;
            match reading.open_table(RECORDS) {
                Ok(table) => Ok(table.len().map_err(redb::Error::from)?),
                Err(TableError::TableDoesNotExist(_)) => Ok(0),
                Err(error) => Err(redb::Error::from(error).into()),
            }
        })
    }

    /// Whether every page of it is what was written, as of when it was opened.
    ///
    /// # Errors
    /// [`JournalError::Damaged`]: some page is not.
    pub fn verify(&self) -> Result<(), JournalError> {
        let (place, why) = (self.place.clone(), self.suspicion.clone());
        why.map_or(Ok(()), |why| Err(JournalError::Damaged { place, why }))
    }

    /// With every page checked, or else without: a page of records that is not whole does not stand
    /// in the way of the others.
    fn at(
        place: &str,
        mut open: impl FnMut(&Builder) -> Result<Database, DatabaseError>,
    ) -> Result<Self, JournalError> {
        let mut builder = Builder::new();
        builder.set_cache_size(JOURNAL_CACHE_BYTES).set_check_integrity_on_open(true);
        let checked = guard(place, || opened(place, open(&builder)));
        let (database, suspicion) = match checked {
            Err(JournalError::Damaged { why, .. }) => {
                builder.set_check_integrity_on_open(false);
                (guard(place, || opened(place, open(&builder)))?, Some(why))
            }
            checked => (checked?, None),
        };
        Ok(Self {
            database: Some(database),
            place: place.to_owned(),
            suspicion,
            mending: Vec::new(),
        })
    }

    fn database(&self) -> Result<&Database, redb::Error> {
        self.database.as_ref().ok_or(redb::Error::DatabaseClosed)
    }

    fn write(&self, before: &[Edit], edits: &[Edit]) -> Result<(), redb::Error> {
        let writing = self.database()?.begin_write()?;
        let mut table = writing.open_table(RECORDS)?;
        for edit in before.iter().chain(edits) {
            apply(&mut table, edit)?;
        }
        drop(table);
        Ok(writing.commit()?)
    }

    /// Calls `each`; returns the records that are not whole, where it is not known that all are.
    fn look(&self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<Vec<Edit>, Said> {
        let reading = self.database()?.begin_read().map_err(redb::Error::from)?;
        let table = match reading.open_table(RECORDS) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            Err(error) => return Err(redb::Error::from(error).into()),
        };
        let (mut last, mut count, mut damaged) = (Vec::new(), 0, Vec::new());
        for record in table.iter().map_err(redb::Error::from)? {
            let (key, value) = record.map_err(redb::Error::from)?;
            let (key, value) = (key.value(), value.value());
            if key <= &last[..] {
                return Err(disorder("its records are not in their order"));
            }
            last.clear();
            last.extend_from_slice(key);
            count += 1;
            if self.suspicion.is_some() && open(value).is_none_or(|value| value.key != key) {
                let value = Bytes::copy_from_slice(value);
                damaged.push(Edit::Put { key: key.to_vec(), value });
            }
            each(key, value);
        }
        let is_all = count == table.len().map_err(redb::Error::from)?;
        if is_all { Ok(damaged) } else { Err(disorder("records of it cannot be found")) }
    }
}

/// Makes the journal of a directory that has none. It has its name when it is whole and not before.
fn begin(directory: &Path) -> Result<(), JournalError> {
    let shown = directory.display();
    fs::create_dir_all(directory)
        .map_err(JournalError::io(format!("the directory {shown} cannot be made")))?;
    let (file, new) = (Redb::file(directory), directory.join("journal.redb.new"));
    let place = new.display().to_string();
    let create = || Redb::at(&place, |builder| builder.create(&new));
    let created = create().or_else(|error| match error {
        // What a crash has left of an earlier attempt.
        JournalError::Damaged { .. } => {
            fs::remove_file(&new).map_err(JournalError::io(place.clone()))?;
            create()
        }
        error => Err(error),
    })?;
    // Whoever else makes one at this moment was kept out, or has made it.
    if !file.exists() {
        fs::rename(&new, &file).map_err(JournalError::io(place.clone()))?;
    }
    drop(created);
    Ok(())
}

/// Has the names of a journal and of the directories above it survive a loss of power, as what is
/// committed has to. Whoever made them may have come no further; above what this process may look at
/// they are older than it.
fn sync_names(directory: &Path) -> Result<(), JournalError> {
    let shown = directory.display();
    sync(directory).map_err(JournalError::io(format!("the directory {shown} cannot be synced")))?;
    for above in directory.ancestors().skip(1) {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        let _older_than_this = sync(above);
    }
    Ok(())
}

/// Has the names in a directory survive a loss of power.
#[cfg(unix)]
fn sync(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Other systems have no such thing.
#[cfg(not(unix))]
fn sync(_directory: &Path) -> io::Result<()> {
    Ok(())
}

fn apply(table: &mut Table<'_, &[u8], &[u8]>, edit: &Edit) -> Result<(), redb::Error> {
    match edit {
        Edit::Put { key, value } => drop(table.insert(&key[..], &value[..])?),
        Edit::Remove { from, to } if to.strip_prefix(&from[..]) == Some(&[0]) => {
            drop(table.remove(&from[..])?);
        }
        Edit::Remove { from, to } => {
            table.retain_in::<&[u8], _>(&from[..]..&to[..], |_, _| false)?;
        }
    }
    Ok(())
}

impl Journal for Redb {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        guard(&self.place, || Ok(self.write(&self.mending, edits)?))?;
        self.mending.clear();
        Ok(())
    }

    /// # Errors
    /// [`JournalError::Damaged`] also where pages are not what was written and all records are: it is
    /// not known then what else is not so.
    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        self.mending = guard(&self.place, || self.look(each))?;
        if self.mending.is_empty() { self.verify() } else { Ok(()) }
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        // Redb writes when it is closed, and what is wrong then may make it panic. All that was
        // committed is safe without that.
        let database = self.database.take();
        let _closed = guard(&self.place, || {
            drop(database);
            Ok(())
        });
    }
}

impl fmt::Debug for Redb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redb").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What redb says, before it is known of which file.
enum Said {
    Redb(redb::Error),
    Ours(JournalError),
}

impl From<redb::Error> for Said {
    fn from(error: redb::Error) -> Self {
        Self::Redb(error)
    }
}

fn opened(place: &str, opened: Result<Database, DatabaseError>) -> Result<Database, Said> {
    opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            Said::Ours(JournalError::InUse(place.into()))
        }
        error => Said::Redb(error.into()),
    })
}

fn disorder(why: &str) -> Said {
    Said::Redb(redb::Error::Corrupted(why.to_owned()))
}

/// Redb panics at some damage.
fn guard<T>(place: &str, call: impl FnOnce() -> Result<T, Said>) -> Result<T, JournalError> {
    let damaged = |why| JournalError::Damaged { place: place.to_owned(), why };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Said::Ours(error))) => Err(error),
        Ok(Err(Said::Redb(error))) => Err(match error {
            redb::Error::Corrupted(why) => damaged(why),
            // No journal was ever of an older one.
            redb::Error::UpgradeRequired(version) => {
                damaged(format!("its store has format {version}"))
            }
            redb::Error::Io(source) if is_damage(&source) => damaged(source.to_string()),
            redb::Error::Io(source) => JournalError::Io { what: place.to_owned(), source },
            other => JournalError::Store(format!("{place}: {other}")),
        }),
        Err(_) => Err(damaged("its store panicked".to_owned())),
    }
}

/// What redb says of a file that is none of its own, or ends before its time.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof)
}

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
