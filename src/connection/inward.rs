//! The inward bound: how much was read, handed on and not yet handled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;

use crate::limits::INWARD_BYTES_MAX;

/// Counts the bytes of one connection that are handed on and not yet handled. At
/// [`INWARD_BYTES_MAX`] the reader stops, so that every mailbox is bounded by its sessions.
#[derive(Debug, Default)]
pub(crate) struct Inward {
    held: AtomicUsize,
    reader: AtomicWaker,
}

impl Inward {
    /// Counts `bytes` until what is returned is dropped: it travels along with them.
    pub(crate) fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Held { inward: self.clone(), bytes }
    }

    /// Bytes handed on and not yet handled.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    /// Whether the reader has to stop; it is woken when it may go on.
    pub(super) fn is_full(&self, waker: &Waker) -> bool {
        if self.held() < INWARD_BYTES_MAX {
            return false;
        }
        self.reader.register(waker);
        // What was released between the look and the registration is seen by the second look.
        self.held() >= INWARD_BYTES_MAX
    }

    fn release(&self, bytes: usize) {
        let before = self.held.fetch_sub(bytes, Ordering::AcqRel);
        if before >= INWARD_BYTES_MAX && before - bytes < INWARD_BYTES_MAX {
            self.reader.wake();
        }
    }
}

/// Bytes on their way; dropped when they are handled, or never will be.
#[derive(Debug)]
pub(crate) struct Held {
    inward: Arc<Inward>,
    bytes: usize,
}

impl Held {
    /// How many they count as.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.inward.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_full_reader_is_woken_when_the_bound_is_left_and_not_before() {
        let inward = Arc::new(Inward::default());
        let flag = Arc::new(Flag::default());
        let first = inward.hold(INWARD_BYTES_MAX);
        let second = inward.hold(1);
        assert!(inward.is_full(&flag.clone().into()));
        drop(second);
        assert!(!flag.0.load(Ordering::SeqCst));
        drop(first);
        assert!(flag.0.load(Ordering::SeqCst));
        assert_eq!(inward.held(), 0);
        assert!(!inward.is_full(&flag.into()));
    }
}
