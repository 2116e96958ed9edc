//! Journals that note, fail, or are not what was written.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actix_multiplex::journal::{Edit, Journal, JournalError, Memory};

/// Fails from a commit on.
#[derive(Clone, Debug)]
pub(crate) struct Failing {
    pub(crate) memory: Memory,
    /// How many commits are left.
    pub(crate) left: Arc<AtomicU64>,
    pub(crate) panics: bool,
}

impl Journal for Failing {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        if self.left.load(Ordering::SeqCst) == 0 {
            assert!(!self.panics, "the disk is on fire");
            let source = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(JournalError::Io { what: "the disk".to_owned(), source });
        }
        self.left.fetch_sub(1, Ordering::SeqCst);
        self.memory.commit(edits)
    }

    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        self.memory.read(each)
    }
}

/// Reads records of one kind, by the first byte of their keys, with a bit flipped.
#[derive(Clone, Debug)]
pub(crate) struct Flipped(pub(crate) Memory, pub(crate) u8);

impl Journal for Flipped {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        self.0.commit(edits)
    }

    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        let kind = self.1;
        self.0.read(&mut |key, value| {
            let mut value = value.to_vec();
            if key[0] == kind {
                *value.last_mut().expect("no value is empty") ^= 1;
            }
            each(key, &value);
        })
    }
}

/// Counts what is put.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted(pub(crate) Memory, pub(crate) Arc<AtomicU64>);

impl Counted {
    pub(crate) fn puts(&self) -> u64 {
        self.1.load(Ordering::SeqCst)
    }
}

impl Journal for Counted {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        self.1.fetch_add(edits.len() as u64, Ordering::SeqCst);
        self.0.commit(edits)
    }

    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        self.0.read(each)
    }
}
