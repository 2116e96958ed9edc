//! What a hub keeps, so that it survives its own end: `kill -9`, and loss of power.
//!
//! In come changes, from a hub's directory and its repeaters; a writer commits them in groups,
//! off the arbiters. Out comes what was committed, when the next hub starts: its [`Contents`].
//! Where records are stored is a [`Journal`]: [`Memory`], or a file by [`Redb`]. What a shout says is
//! not looked at, and what leaves the hub when is not decided here: the hub's gate waits for the
//! numbers that the writer tells.
//!
//! Every record carries its key, its number and a checksum of ours, whatever the store has.

mod change;
mod contents;
#[cfg(feature = "redb")]
mod disk;
mod dump;
mod memory;
mod rebase;
mod record;
#[cfg(test)]
mod tests;
mod writer;

use std::{io, path::PathBuf};

use bytes::Bytes;

#[cfg(feature = "redb")]
pub use self::disk::Redb;
pub(crate) use self::{
    change::{Change, Definition, Entry, Held, MarkOf, Marks, ResumeKeys, State},
    writer::{Committer, Progress, Writer},
};
pub use self::{
    contents::{Contents, Kept},
    dump::{Imported, export, import, salvage, salvage_file},
    memory::Memory,
};

/// Where records are kept: an ordered map from keys to values, changed in atomic commits.
///
/// A hub calls it from one thread at a time, not from an arbiter, so it may block. What the keys
/// and values are is the hub's affair.
///
/// ```
/// use actix_multiplex::journal::{Edit, Journal, JournalError, Memory};
///
/// /// Tells how much is written to another journal.
/// struct Counted<J>(J);
///
/// impl<J: Journal> Journal for Counted<J> {
///     fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
///         eprintln!("{} edits", edits.len());
///         self.0.commit(edits)
///     }
///
///     fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
///         self.0.read(each)
///     }
/// }
///
/// # actix::System::new().block_on(async {
/// let hub = actix_multiplex::Hub::builder().journal(Counted(Memory::default())).start()?;
/// hub.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub trait Journal: Send + 'static {
    /// Makes these edits, in their order, all or none. When it returns, they survive a loss of
    /// power.
    ///
    /// # Errors
    /// Nothing more is committed after the first error: the hub stops.
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError>;

    /// Calls `each` with every key and its value, in the order of the keys' bytes.
    ///
    /// # Errors
    /// Whatever cannot be read: the hub does not start.
    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError>;
}

/// One edit of a commit. See [`Journal`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// This value is at this key from now on.
    Put {
        /// At most 25 bytes.
        key: Vec<u8>,
        /// At most about 1 MiB, but for an object at which very many sessions shout.
        value: Bytes,
    },
    /// Nothing is at any key from `from` on and before `to`.
    Remove {
        /// The first that is removed.
        from: Vec<u8>,
        /// The first that stays.
        to: Vec<u8>,
    },
}

/// Why a journal does not do what it is asked.
///
/// ```
/// use actix_multiplex::journal::JournalError;
/// let error = JournalError::Newer { found: 7, known: 1 };
/// assert!(error.to_string().contains("newer"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Local: another process has it open.
    #[error("{} is in use by another process: stop that one, or name another directory", .0.display())]
    InUse(PathBuf),
    /// Local: it was written by a later version of this program.
    #[error(
        "the journal has format {found}, which is newer than {known}, the newest that this \
         program reads: use the program that wrote it, or a later one"
    )]
    Newer {
        /// The format it has.
        found: u16,
        /// The newest that is read.
        known: u16,
    },
    /// Local: what there is can not be what was written.
    #[error(
        "{place} is damaged: {why}; `multiplex journal export --salvage` brings out what can be \
         read"
    )]
    Damaged {
        /// The file, or the record.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// Local: it is no journal, or no export of one.
    #[error("{0} is no journal, nor an export of one")]
    Foreign(String),
    /// Local: what is imported would be mixed with what is there.
    #[error("the journal is not empty: import into a directory that has none")]
    Occupied,
    /// Local: the operating system does not do it.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, and with which file.
        what: String,
        /// What it says.
        source: io::Error,
    },
    /// Local: the store does not do it.
    #[error("{0}")]
    Store(String),
}

impl JournalError {
    fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}
