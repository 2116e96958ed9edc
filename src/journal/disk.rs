//! A journal in one file of its own directory, by redb.
//!
//! redb keeps a tree of pages with checksums, changed by copying: a commit that did not come to its
//! end never was. What it refuses is told with the file's name, and so is what it panics at.

use std::{
    fmt, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use redb::{
    Builder, CommitError, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, TableError,
};

use super::{Edit, Journal, JournalError};

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
    database: Database,
    /// Where it is, for whoever is told what went wrong.
    place: String,
}

impl Redb {
    /// Opens the journal in this directory, and makes both if they are not there. After a crash the
    /// whole of it is looked through, which takes a second for each million records or so.
    ///
    /// # Errors
    /// [`JournalError::InUse`] while another process has it open; [`JournalError::Damaged`] where
    /// the file cannot be what was written.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, JournalError> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory).map_err(JournalError::io(format!(
            "the directory {} cannot be made",
            directory.display()
        )))?;
        let file = Self::file(directory);
        let place = file.display().to_string();
        let database = guard(&place, || opened(&file, Builder::new().create(&file)))?;
        Ok(Self { database, place })
    }

    /// Opens a journal that is stored elsewhere than in a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_at(place: &str, backend: impl StorageBackend) -> Result<Self, JournalError> {
        let file = PathBuf::from(place);
        let open = || opened(&file, Builder::new().create_with_backend(backend));
        Ok(Self { database: guard(place, open)?, place: place.to_owned() })
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
        use redb::ReadableTableMetadata;
        guard(&self.place, || {
            let reading = self.database.begin_read().map_err(redb::Error::from);
            match reading?.open_table(RECORDS) {
                Ok(table) => Ok(table.len().map_err(redb::Error::from)?),
                Err(TableError::TableDoesNotExist(_)) => Ok(0),
                Err(error) => Err(redb::Error::from(error).into()),
            }
        })
    }

    fn write(&self, edits: &[Edit]) -> Result<(), redb::Error> {
        let writing = self.database.begin_write()?;
        {
            let mut table = writing.open_table(RECORDS)?;
            for edit in edits {
                match edit {
                    Edit::Put { key, value } => drop(table.insert(&key[..], &value[..])?),
                    Edit::Remove { from, to } => {
                        table.retain_in::<&[u8], _>(&from[..]..&to[..], |_, _| false)?;
                    }
                }
            }
        }
        writing.commit().map_err(|error: CommitError| error.into())
    }
}

impl Journal for Redb {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        guard(&self.place, || Ok(self.write(edits)?))
    }

    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        guard(&self.place, || {
            let reading = self.database.begin_read().map_err(redb::Error::from)?;
            let table = match reading.open_table(RECORDS) {
                Ok(table) => table,
                Err(TableError::TableDoesNotExist(_)) => return Ok(()),
                Err(error) => return Err(redb::Error::from(error).into()),
            };
            for record in table.iter().map_err(redb::Error::from)? {
                let (key, value) = record.map_err(redb::Error::from)?;
                each(key.value(), value.value());
            }
            Ok(())
        })
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

fn opened(file: &Path, opened: Result<Database, DatabaseError>) -> Result<Database, Said> {
    opened.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => Said::Ours(JournalError::InUse(file.to_owned())),
        error => Said::Redb(error.into()),
    })
}

/// Redb panics at some damage.
fn guard<T>(place: &str, call: impl FnOnce() -> Result<T, Said>) -> Result<T, JournalError> {
    let damaged = |why| JournalError::Damaged { place: place.to_owned(), why };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Said::Ours(error))) => Err(error),
        Ok(Err(Said::Redb(error))) => Err(match error {
            redb::Error::Corrupted(why) => damaged(why),
            redb::Error::Io(source) if is_foreign(&source) => damaged(source.to_string()),
            redb::Error::Io(source) => JournalError::Io { what: place.to_owned(), source },
            other => JournalError::Store(format!("{place}: {other}")),
        }),
        Err(_) => Err(damaged("its store panicked".to_owned())),
    }
}

/// Redb says so of a file whose beginning is not its own.
fn is_foreign(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData
}

const RECORDS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("records");
