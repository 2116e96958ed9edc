//! A journal in memory: it outlives a hub, and no process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use super::{Edit, Journal, JournalError};

/// Records in memory. Clones are the same journal: what one hub has committed, the next one that is
/// started with a clone goes on with.
///
/// ```
/// # actix::System::new().block_on(async {
/// use actix_multiplex::{Hub, journal::Memory};
/// let journal = Memory::default();
/// let hub = Hub::builder().journal(journal.clone()).start()?;
/// let id = hub.id();
/// hub.stop().await;
/// let again = Hub::builder().journal(journal).start()?;
/// assert_eq!(again.id(), id);
/// again.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<BTreeMap<Vec<u8>, Bytes>>>);

impl Journal for Memory {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        // Nothing that is done under the lock can panic half-way.
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for edit in edits.iter().cloned() {
            match edit {
                Edit::Put { key, value } => drop(records.insert(key, value)),
                Edit::Remove { from, to } => {
                    let gone: Vec<_> =
                        records.range(from..to).map(|(key, _)| key.clone()).collect();
                    for key in gone {
                        records.remove(&key);
                    }
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        let records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        records.iter().for_each(|(key, value)| each(key, value));
        Ok(())
    }
}
