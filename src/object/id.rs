//! Identities and positions: who, which object, which shout.
//!
//! All are plain numbers. Random ones are made from a generator that the caller hands in.

use std::fmt;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::limits::KIND_MAX;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident, $bytes:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// A new id out of `random`.
            pub fn random(random: &mut impl Rng) -> Self {
                let mut bytes = [0; $bytes];
                random.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

id! {
    /// Names an object for all time, wherever it is: 16 random bytes made by its creator.
    ///
    /// ```
    /// use actix_multiplex::ObjectId;
    /// assert_eq!(ObjectId([0xab; 16]).to_string(), "ab".repeat(16));
    /// ```
    ObjectId, 16
}

id! {
    /// Names a client over however many connections: 16 random bytes made by its hub.
    ///
    /// ```
    /// use actix_multiplex::SessionId;
    /// assert!(SessionId([1; 16]) < SessionId([2; 16]));
    /// ```
    SessionId, 16
}

impl SessionId {
    /// Who shouts what a hub says itself in an object's order. No client has it.
    pub const OF_HUB: Self = Self([0; 16]);
}

id! {
    /// Names a hub: 16 random bytes made when it starts.
    ///
    /// ```
    /// use actix_multiplex::HubId;
    /// assert_ne!(HubId([1; 16]), HubId([2; 16]));
    /// ```
    HubId, 16
}

id! {
    /// Names one unbroken history of an object: 8 random bytes made by its home hub. A seq means
    /// nothing without it.
    ///
    /// ```
    /// use actix_multiplex::Epoch;
    /// assert_eq!(Epoch([0; 8]).to_string(), "0000000000000000");
    /// ```
    Epoch, 8
}

/// The place of a shout in its object's one order: 1, 2, 3, and so on without a gap. 0 is before
/// the first.
///
/// ```
/// use actix_multiplex::Seq;
/// assert_eq!(Seq(4).next(), Seq(5));
/// assert_eq!(Seq(4).to_string(), "#4");
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Seq(pub u64);

impl Seq {
    /// The seq after this one.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The seq `count` places later.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Counts one session's shouts at one object, from 1. With session and object it names a shout
/// before it has a seq, and is what makes a shout that is sent twice be heard once.
///
/// ```
/// use actix_multiplex::Op;
/// assert_eq!(Op(1).next(), Op(2));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Op(pub u64);

impl Op {
    /// The op after this one.
    #[must_use]
    pub fn next(self) -> Self {
        self.plus(1)
    }

    /// The op `count` places later.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

/// The number of a message in its interface: what the wire carries instead of a type.
///
/// ```
/// use actix_multiplex::Kind;
/// assert_eq!(Kind(7).to_string(), "7");
/// assert!(Kind::DESTROYED.is_of_hubs() && !Kind(7).is_of_hubs());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u16);

impl Kind {
    /// The last word in the order of an object that was destroyed, said by its hub.
    pub const DESTROYED: Self = Self(KIND_MAX + 1);
    /// In an object's order: it has another owner from here on, said by its hub.
    pub const OWNER_CHANGED: Self = Self(KIND_MAX + 2);

    /// Whether it is a hub that says this, and no leaf.
    pub fn is_of_hubs(self) -> bool {
        self.0 > KIND_MAX
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How far into an object's history a leaf has heard: what it needs next is `seq.next()`.
///
/// ```
/// use actix_multiplex::{Cursor, Epoch, Seq};
/// let heard_nothing = Cursor { epoch: Epoch([7; 8]), seq: Seq(0) };
/// assert_eq!(heard_nothing.seq.next(), Seq(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Cursor {
    /// The history it is a place in.
    pub epoch: Epoch,
    /// The last seq heard, or contained in the state.
    pub seq: Seq,
}
