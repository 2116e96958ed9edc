//! The keys that a session is gone on with: each good until a later one was used.
//!
//! A value. A Welcome gives out a fresh key. It may be lost on its way, so the key that led to it
//! stays good until the fresh one is used. Tries with one key are counted by the client: one that
//! is not the latest was late on its way, and its connection has been given up.
//!
//! What is held are hashes, so that neither memory nor journal gives a key away.

use sha2::{Digest, Sha256};

use crate::journal::{Held, ResumeKeys};

/// A key, as it is given out.
pub(crate) type Key = [u8; 16];

/// The keys of one session.
#[derive(Debug)]
pub(crate) struct Keys {
    used: Option<Tried>,
    fresh: Tried,
}

/// A key, and the latest try with it.
#[derive(Clone)]
struct Tried {
    hash: [u8; 32],
    attempt: u32,
}

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, actix::MessageResponse)]
pub(crate) enum Proof {
    /// The session is gone on with.
    Good,
    /// A later try came before this one.
    Late,
    /// It is no key of this session, or no more.
    None,
}

impl Keys {
    pub(crate) fn new(fresh: Key) -> Self {
        Self { used: None, fresh: Tried::of(&fresh, 0) }
    }

    /// What this key is good for now.
    pub(crate) fn prove(&self, key: &Key, attempt: u32) -> Proof {
        let known = [Some(&self.fresh), self.used.as_ref()];
        let shown = Tried::of(key, attempt);
        let tried = known.into_iter().flatten().find(|tried| tried.is(&shown));
        match tried {
            None => Proof::None,
            Some(tried) if attempt > tried.attempt => Proof::Good,
            Some(_) => Proof::Late,
        }
    }

    /// Uses a key that is good; `next` is the fresh one from here on.
    pub(crate) fn turn(&mut self, key: &Key, attempt: u32, next: Key) {
        self.used = Some(Tried::of(key, attempt));
        self.fresh = Tried::of(&next, 0);
    }
}

impl Tried {
    fn of(key: &Key, attempt: u32) -> Self {
        Self { hash: Sha256::digest(key).into(), attempt }
    }

    /// Compares all bytes, so that the time tells nothing of where they differ.
    fn is(&self, shown: &Self) -> bool {
        let pairs = self.hash.iter().zip(&shown.hash);
        pairs.fold(0, |differs, (ours, theirs)| differs | (ours ^ theirs)) == 0
    }
}

impl From<&Keys> for ResumeKeys {
    fn from(keys: &Keys) -> Self {
        let held = |tried: &Tried| Held { hash: tried.hash, attempt: tried.attempt };
        Self { fresh: held(&keys.fresh), used: keys.used.as_ref().map(held) }
    }
}

impl From<ResumeKeys> for Keys {
    fn from(keys: ResumeKeys) -> Self {
        let tried = |Held { hash, attempt }| Tried { hash, attempt };
        Self { fresh: tried(keys.fresh), used: keys.used.map(tried) }
    }
}

/// A key is a secret, and nothing of it is printed.
impl std::fmt::Debug for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tried").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Key = [1; 16];
    const SECOND: Key = [2; 16];
    const THIRD: Key = [3; 16];

    #[test]
    fn a_key_is_good_until_the_one_that_it_led_to_was_used() {
        let mut keys = Keys::new(FIRST);
        assert_eq!(keys.prove(&FIRST, 1), Proof::Good);
        keys.turn(&FIRST, 1, SECOND);
        assert_eq!(keys.prove(&FIRST, 2), Proof::Good);
        keys.turn(&SECOND, 1, THIRD);
        assert_eq!(keys.prove(&FIRST, 3), Proof::None);
        assert_eq!(keys.prove(&SECOND, 2), Proof::Good);
        assert_eq!(keys.prove(&THIRD, 1), Proof::Good);
    }

    #[test]
    fn a_fresh_key_that_was_lost_on_its_way_is_good_for_nothing_when_another_was_given_out() {
        let mut keys = Keys::new(FIRST);
        keys.turn(&FIRST, 1, SECOND);
        keys.turn(&FIRST, 2, THIRD);
        assert_eq!(keys.prove(&SECOND, 1), Proof::None);
        assert_eq!(keys.prove(&THIRD, 1), Proof::Good);
    }

    #[test]
    fn a_try_that_is_not_the_latest_with_its_key_comes_too_late() {
        let mut keys = Keys::new(FIRST);
        assert_eq!(keys.prove(&FIRST, 0), Proof::Late);
        keys.turn(&FIRST, 3, SECOND);
        assert_eq!(
            [2, 3, 4].map(|attempt| keys.prove(&FIRST, attempt)),
            [Proof::Late, Proof::Late, Proof::Good]
        );
    }

    #[test]
    fn what_is_printed_tells_no_key() {
        let text = format!("{:?}", Keys::new([0xab; 16]));
        assert!(text.contains("attempt") && !text.contains("171"), "{text}");
    }
}
