//! A disk in memory that does what disks do: it loses what was not synced, tears what it was
//! writing when the power went, fails, and is full.
//!
//! In come the writes of a store; out come images of what would be found on the disk afterwards. It
//! knows bytes and their places, not what they mean.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use redb::StorageBackend;

/// A disk that can lose its power. Clones are the same disk.
///
/// ```
/// use actix_multiplex::{journal::{Journal, Redb}, testing::Disk};
/// let disk = Disk::new(7);
/// drop(Redb::open_at("a disk", || disk.clone())?);
/// disk.lose_power_at(3);
/// assert!(Redb::open_at("a disk", || disk.clone()).is_err());
/// let found = disk.after_power_loss();
/// Redb::open_at("a disk", || found.clone())?.read(&mut |key, _| panic!("{key:?} was never written"))?;
/// # Ok::<(), actix_multiplex::journal::JournalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    random: StdRng,
    /// What survives whatever comes.
    synced: Vec<u8>,
    /// What is read.
    written: Vec<u8>,
    /// What makes the one of the other, in its order.
    pending: Vec<Pending>,
    /// Writes, changes of the length and syncs so far.
    points: u64,
    faults: Faults,
    /// A sync has failed: the kernel has let go of what it could not write, and says nothing more.
    is_lying: bool,
    /// Something has gone wrong.
    has_failed: bool,
    /// What was found after the power was lost.
    found: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
enum Pending {
    Length(usize),
    Write { at: usize, bytes: Vec<u8> },
}

/// What goes wrong, and at which point.
#[derive(Debug, Default)]
struct Faults {
    power_at: Option<u64>,
    write_at: Option<u64>,
    sync_from: Option<u64>,
    bytes_max: Option<usize>,
}

impl Disk {
    /// An empty disk; what becomes of it is decided by `seed`.
    pub fn new(seed: u64) -> Self {
        Self::with(Vec::new(), seed)
    }

    /// A disk that says it has synced and has not.
    pub fn lying(seed: u64) -> Self {
        let disk = Self::new(seed);
        disk.lock().is_lying = true;
        disk
    }

    /// A disk on which there are these bytes.
    pub fn with(bytes: Vec<u8>, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            random: StdRng::seed_from_u64(seed),
            written: bytes.clone(),
            synced: bytes,
            pending: Vec::new(),
            points: 0,
            faults: Faults::default(),
            is_lying: false,
            has_failed: false,
            found: None,
        })))
    }

    /// Loses its power in the `point`th write from now, counting changes of the length and syncs:
    /// from then on everything fails.
    pub fn lose_power_at(&self, point: u64) {
        let mut inner = self.lock();
        inner.faults.power_at = Some(inner.points + point);
    }

    /// Fails once, at the first write that is the `point`th from now or later.
    pub fn fail_write_at(&self, point: u64) {
        let mut inner = self.lock();
        inner.faults.write_at = Some(inner.points + point);
    }

    /// Fails once, at the first sync that is the `point`th write from now or later. What waited for
    /// it, and what comes later, is on the disk only by chance.
    pub fn fail_sync_at(&self, point: u64) {
        let mut inner = self.lock();
        inner.faults.sync_from = Some(inner.points + point);
    }

    /// Is full at so many bytes.
    pub fn fill_at(&self, bytes: usize) {
        self.lock().faults.bytes_max = Some(bytes);
    }

    /// Writes, changes of the length and syncs so far.
    pub fn points(&self) -> u64 {
        self.lock().points
    }

    /// Whether it has lost its power.
    pub fn has_lost_power(&self) -> bool {
        self.lock().found.is_some()
    }

    /// Whether anything has gone wrong.
    pub fn has_failed(&self) -> bool {
        self.lock().has_failed
    }

    /// A disk with what is found on this one after it has lost its power: then, or else now.
    #[must_use]
    pub fn after_power_loss(&self) -> Self {
        let mut inner = self.lock();
        let found = inner.found.clone().unwrap_or_else(|| inner.survivors());
        Self::with(found, inner.random.random())
    }

    /// A disk with what is found on this one when only the program that wrote to it was killed: all
    /// that it wrote, and what was not synced is not yet safe. Where a sync had failed, the next one
    /// is taken to write what that did not: systems differ in this.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let mut inner = self.lock();
        let killed = Self::with(inner.synced.clone(), inner.random.random());
        let mut next = killed.lock();
        next.written.clone_from(&inner.written);
        next.pending.clone_from(&inner.pending);
        drop(next);
        killed
    }

    /// All that was written.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().written.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let inner = self.lock();
        inner.powered()?;
        Ok(inner.written.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.lock();
        inner.powered()?;
        let from = inner.written.get(offset as usize..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof).map_err(io::Error::from)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.lock().write(Pending::Length(len as usize))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.lock().sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let write = Pending::Write { at: offset as usize, bytes: data.to_vec() };
        self.lock().write(write)
    }
}

impl Inner {
    fn write(&mut self, write: Pending) -> io::Result<()> {
        self.powered()?;
        self.points += 1;
        if self.faults.write_at.take_if(|at| *at <= self.points).is_some() {
            self.has_failed = true;
            return Err(io::Error::other("the disk does not write"));
        }
        if self.faults.bytes_max.is_some_and(|max| write.end() > max) {
            self.has_failed = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        write.apply(&mut self.written);
        self.pending.push(write);
        self.pass()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.powered()?;
        self.points += 1;
        self.pass()?;
        if self.faults.sync_from.take_if(|from| *from <= self.points).is_some() {
            (self.is_lying, self.has_failed) = (true, true);
            return Err(io::Error::other("the disk does not sync"));
        }
        if !self.is_lying {
            self.pending.drain(..).for_each(|write| write.apply(&mut self.synced));
        }
        Ok(())
    }

    /// Loses the power if this is the point at which it is lost.
    fn pass(&mut self) -> io::Result<()> {
        if self.faults.power_at.is_some_and(|at| at <= self.points) {
            self.has_failed = true;
            self.found = Some(self.survivors());
        }
        self.powered()
    }

    fn powered(&self) -> io::Result<()> {
        match self.found {
            Some(_) => Err(io::Error::other("the disk has no power")),
            None => Ok(()),
        }
    }

    /// What was synced, and some of what was not: each write is there, is lost, or in part there.
    fn survivors(&mut self) -> Vec<u8> {
        let Self { random, synced, pending, .. } = self;
        let mut found = synced.clone();
        // How many of a hundred writes are whole, and how many of the others are lost.
        let whole = *[0, 10, 50, 90, 100].choose(random).expect("is not empty");
        let lost = *[0, 50, 100].choose(random).expect("is not empty");
        // What a disk writes at once or not at all: a byte, a sector, a page.
        let unit = *[1, 512, 4_096].choose(random).expect("is not empty");
        for write in pending {
            if random.random_range(0..100) < whole {
                write.apply(&mut found);
            } else if random.random_range(0..100) >= lost {
                write.tear(&mut found, unit, random);
            }
        }
        found
    }
}

impl Pending {
    /// Behind the last byte that it makes.
    fn end(&self) -> usize {
        match self {
            Self::Length(length) => *length,
            Self::Write { at, bytes } => at + bytes.len(),
        }
    }

    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Length(length) => to.resize(*length, 0),
            Self::Write { at, bytes } => put(to, *at, bytes),
        }
    }

    /// Applies some of its units: those before one or behind it, or each by chance.
    fn tear(&self, to: &mut [u8], unit: usize, random: &mut StdRng) {
        let Self::Write { at, bytes } = self else { return };
        let (style, cut) = (random.random_range(0..3), random.random_range(0..=bytes.len()));
        for (place, part) in bytes.chunks(unit).enumerate() {
            let is_there = match style {
                0 => place * unit < cut,
                1 => place * unit >= cut,
                _ => random.random(),
            };
            if is_there {
                put(to, at + place * unit, part);
            }
        }
    }
}

/// There is nothing behind the end of a file: what was to make it longer may be lost.
fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    let end = to.len().min(at + bytes.len());
    if at < end {
        to[at..end].copy_from_slice(&bytes[..end - at]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with ten bytes that are synced, and a write of 20 that is not.
    fn disk(seed: u64) -> Disk {
        let disk = Disk::new(seed);
        disk.set_len(2_000).expect("has room");
        disk.write(0, &[1; 10]).expect("writes");
        disk.sync_data().expect("syncs");
        disk.write(5, &[2; 1_000]).expect("writes");
        disk
    }

    #[test]
    fn what_was_written_is_read_and_survives_a_kill() {
        for disk in [disk(1), disk(1).after_kill()] {
            let mut found = [0; 6];
            disk.read(4, &mut found).expect("reads");
            assert_eq!(found, [1, 2, 2, 2, 2, 2]);
        }
    }

    #[test]
    fn a_loss_of_power_takes_all_some_or_none_of_what_was_not_synced() {
        let mut seen = [false; 3];
        for seed in 0..200 {
            let found = disk(seed).after_power_loss().bytes();
            assert_eq!(found[..5], [1; 5]);
            let written = &found[5..1_005];
            let (all, none) = (written == [2; 1_000], !written.contains(&2));
            seen[if all { 1 } else { 2 - 2 * usize::from(none) }] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn nothing_can_be_done_without_power_and_what_is_found_stays_the_same() {
        let disk = disk(3);
        disk.lose_power_at(2);
        disk.write(0, &[3]).expect("writes");
        assert!(disk.sync_data().is_err() && disk.has_lost_power());
        assert!(disk.write(0, &[3]).is_err() && disk.len().is_err());
        let found = disk.after_power_loss().bytes();
        assert_eq!(found, disk.after_power_loss().bytes());
    }

    #[test]
    fn a_write_fails_once_a_full_disk_until_there_is_room() {
        let disk = disk(4);
        disk.fail_write_at(1);
        assert!(disk.write(0, &[3]).is_err());
        assert!(disk.write(0, &[3]).is_ok());
        disk.fill_at(2_000);
        assert!(disk.write(1_990, &[3; 10]).is_ok());
        assert!(disk.set_len(2_001).is_err());
    }

    #[test]
    fn after_a_sync_has_failed_nothing_is_certain() {
        let lost = (0..200).any(|seed| {
            let disk = disk(seed);
            disk.fail_sync_at(1);
            assert!(disk.sync_data().is_err());
            disk.sync_data().expect("says so");
            !disk.after_power_loss().bytes().contains(&2)
        });
        assert!(lost);
    }
}
