//! A map by sessions, for where a shout passes.
//!
//! A session's id is 16 random bytes that the hub made, so any eight of them are as good a hash as
//! can be computed, and no client can choose them to collide.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::object::SessionId;

/// What belongs to each session.
pub(crate) type BySession<T> = HashMap<SessionId, T, BuildHasherDefault<FirstBytes>>;

/// Takes the first eight bytes of an id for its hash.
#[derive(Debug, Default)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    }

    /// How long the id is says nothing.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_told_apart_also_where_their_hashes_are_one() {
        let ids = [[1; 16], [2; 16], [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]];
        let map: BySession<usize> = ids.map(SessionId).into_iter().zip(0..).collect();
        assert_eq!(ids.map(|id| map[&SessionId(id)]), [0, 1, 2]);
    }
}
