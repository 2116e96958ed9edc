//! The shout window: how much may be under way, counted in shouts and bytes.
//!
//! Semaphores, because they are fair: who waits longer sends first, so that a voice's shouts keep
//! their order also when they wait.

use std::sync::Arc;

use tokio::sync::{AcquireError, Semaphore, TryAcquireError};

/// The window at one object, within the client's window in all.
#[derive(Debug)]
pub(super) struct Room {
    shouts: Semaphore,
    bytes: Semaphore,
    total: Arc<Semaphore>,
}

/// Room for one shout. It is given back by [`Room::give_back`]; dropped, it is free at once.
pub(super) struct Permit<'a>([tokio::sync::SemaphorePermit<'a>; 3]);

impl Room {
    pub(super) fn new(shouts: usize, bytes: usize, total: Arc<Semaphore>) -> Self {
        Self { shouts: Semaphore::new(shouts), bytes: Semaphore::new(bytes), total }
    }

    /// Waits for room for one shout of `bytes`.
    ///
    /// # Cancel safety
    /// Dropped while it waits, it has taken nothing.
    pub(super) async fn wait(&self, bytes: usize) -> Result<Permit<'_>, AcquireError> {
        let bytes = bytes as u32;
        Ok(Permit([
            self.shouts.acquire().await?,
            self.bytes.acquire_many(bytes).await?,
            self.total.acquire_many(bytes).await?,
        ]))
    }

    /// Room for one shout of `bytes`, if there is room now.
    pub(super) fn take(&self, bytes: usize) -> Result<Permit<'_>, TryAcquireError> {
        let bytes = bytes as u32;
        Ok(Permit([
            self.shouts.try_acquire()?,
            self.bytes.try_acquire_many(bytes)?,
            self.total.try_acquire_many(bytes)?,
        ]))
    }

    /// The outcome of a shout of `bytes` is known.
    pub(super) fn give_back(&self, bytes: usize) {
        self.shouts.add_permits(1);
        self.bytes.add_permits(bytes);
        self.total.add_permits(bytes);
    }

    /// Nobody needs to wait any more.
    pub(super) fn close(&self) {
        self.shouts.close();
        self.bytes.close();
    }
}

impl Permit<'_> {
    /// The shout is under way.
    pub(super) fn keep(self) {
        self.0.into_iter().for_each(tokio::sync::SemaphorePermit::forget);
    }
}
