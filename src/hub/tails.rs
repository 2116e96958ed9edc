//! How much the tails of all objects hold together, and what each may keep when that is too much.
//!
//! Every repeater has a share in one account, on whatever arbiter it is. While the account is
//! within its bound a tail is bounded by itself alone. Past it, a tail that grows is cut to an
//! equal part; tails that are left alone keep what they have.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use crate::limits::TAILS_BYTES_MAX;

/// What all tails hold.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    bytes: AtomicUsize,
    /// How many of them hold anything.
    count: AtomicUsize,
}

/// What one tail holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    tails: Arc<Tails>,
    bytes: usize,
}

impl Share {
    /// The share of a tail that holds nothing.
    pub(crate) fn new(tails: Arc<Tails>) -> Self {
        Self { tails, bytes: 0 }
    }

    /// The tail holds so many bytes now.
    pub(crate) fn set(&mut self, bytes: usize) {
        let Tails { bytes: all, count } = &*self.tails;
        match (self.bytes, bytes) {
            (0, 1..) => count.fetch_add(1, Ordering::Relaxed),
            (1.., 0) => count.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
        // Wraps where it shrinks: the sum is right all the same.
        all.fetch_add(bytes.wrapping_sub(self.bytes), Ordering::Relaxed);
        self.bytes = bytes;
    }

    /// How many bytes the tail may keep, if there is not enough for all.
    pub(crate) fn allowance(&self) -> Option<usize> {
        let is_tight = self.tails.bytes.load(Ordering::Relaxed) > TAILS_BYTES_MAX;
        is_tight.then(|| TAILS_BYTES_MAX / self.tails.count.load(Ordering::Relaxed).max(1))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_may_keep_all_up_to_the_bound_and_equal_parts_past_it() {
        let tails = Arc::new(Tails::default());
        let [mut large, mut small] = [(); 2].map(|()| Share::new(tails.clone()));
        large.set(TAILS_BYTES_MAX - 10);
        small.set(10);
        assert_eq!(small.allowance(), None);
        small.set(11);
        assert_eq!(small.allowance(), Some(TAILS_BYTES_MAX / 2));
        large.set(0);
        assert_eq!(small.allowance(), None);
        large.set(TAILS_BYTES_MAX);
        assert_eq!(large.allowance(), Some(TAILS_BYTES_MAX / 2));
        drop(small);
        assert_eq!(large.allowance(), None);
        drop(large);
        assert_eq!([&tails.bytes, &tails.count].map(|each| each.load(Ordering::Relaxed)), [0, 0]);
    }
}
