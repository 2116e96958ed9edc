//! What belongs to each session, for where a shout passes.
//!
//! Few are looked through, which is one place in memory; many have a map beside them. A session's
//! id is 16 random bytes that the hub made, so any eight of them are as good a hash as can be
//! computed, and no client can choose them to collide.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::object::SessionId;

/// Knows its session.
pub(crate) trait OfSession {
    /// The session that it belongs to.
    fn session(&self) -> SessionId;
}

/// At most one `T` for each session, in the order in which they came as far as none was removed.
#[derive(Debug)]
pub(crate) struct BySession<T> {
    all: Vec<T>,
    /// Where each is; none while they are few.
    places: Option<Box<Places>>,
}

type Places = HashMap<SessionId, usize, BuildHasherDefault<FirstBytes>>;

/// Takes the first eight bytes of an id for its hash.
#[derive(Debug, Default)]
pub(crate) struct FirstBytes(u64);

impl<T: OfSession> BySession<T> {
    /// What belongs to `session`; made and kept if there is nothing.
    pub(crate) fn get_or_insert_with(
        &mut self,
        session: SessionId,
        make: impl FnOnce() -> T,
    ) -> &mut T {
        let place = self.place(session).unwrap_or_else(|| self.push(make()));
        &mut self.all[place]
    }

    /// Puts one in the place of the one before, if there is one.
    pub(crate) fn insert(&mut self, new: T) {
        match self.place(new.session()) {
            Some(place) => self.all[place] = new,
            None => drop(self.push(new)),
        }
    }

    /// What belongs to `session`.
    pub(crate) fn get_mut(&mut self, session: SessionId) -> Option<&mut T> {
        let place = self.place(session)?;
        self.all.get_mut(place)
    }

    /// Takes out what belongs to `session`.
    pub(crate) fn remove(&mut self, session: SessionId) -> Option<T> {
        let place = self.place(session)?;
        let removed = self.all.swap_remove(place);
        if let Some(places) = &mut self.places {
            places.remove(&session);
            if let Some(moved) = self.all.get(place) {
                places.insert(moved.session(), place);
            }
            self.places.take_if(|places| places.is_empty());
        }
        Some(removed)
    }

    /// What belongs to `session`.
    pub(crate) fn get(&self, session: SessionId) -> Option<&T> {
        self.all.get(self.place(session)?)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[T] {
        &self.all
    }

    fn place(&self, session: SessionId) -> Option<usize> {
        match &self.places {
            None => self.all.iter().position(|each| each.session() == session),
            Some(places) => places.get(&session).copied(),
        }
    }

    fn push(&mut self, new: T) -> usize {
        let place = self.all.len();
        if place == FEW && self.places.is_none() {
            self.places = Some(Box::new(self.all.iter().map(T::session).zip(0..).collect()));
        }
        if let Some(places) = &mut self.places {
            places.insert(new.session(), place);
        }
        if place == 0 {
            // Most objects have one.
            self.all.reserve_exact(1);
        }
        self.all.push(new);
        place
    }
}

impl<T> Default for BySession<T> {
    fn default() -> Self {
        Self { all: Vec::new(), places: None }
    }
}

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

/// So many are looked through in less time than one is hashed and found.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Each(SessionId, u32);

    impl OfSession for Each {
        fn session(&self) -> SessionId {
            self.0
        }
    }

    /// Some of them have the same hash.
    fn id(number: u8) -> SessionId {
        let mut id = [number / 2; 16];
        id[15] = number;
        SessionId(id)
    }

    #[test]
    fn it_holds_what_a_map_would_hold_while_few_and_many_come_and_go() {
        let mut random = StdRng::seed_from_u64(4);
        let (mut ours, mut map) = (BySession::default(), BTreeMap::new());
        let mut most = 0;
        for step in 0..20_000 {
            // Waves: more come than go, then more go than come.
            let session = id(random.random_range(0..40));
            if random.random_ratio(if step / 500 % 2 == 0 { 3 } else { 1 }, 4) {
                ours.get_or_insert_with(session, || Each(session, 0)).1 += 1;
                *map.entry(session).or_insert(0) += 1;
            } else {
                assert_eq!(ours.remove(session).map(|each| each.1), map.remove(&session));
            }
            let (session, count) = (id(random.random_range(0..40)), ours.all().len());
            assert_eq!(ours.get(session).map(|each| each.1), map.get(&session).copied());
            assert_eq!(count, map.len());
            most = most.max(count);
        }
        assert!(most > 2 * FEW);
    }
}
