//! Who is at an object: its members, as each of its leaves is told of them.

use std::{collections::BTreeMap, sync::Arc};

use super::{Seq, SessionId};

/// A client that has a leaf of an object, as the other leaves are told of it.
///
/// Its name and info are what it says of itself when it connects: nobody vouches for them.
///
/// ```
/// use actix_multiplex::{Member, SessionId};
/// # #[cfg(feature = "testing")] {
/// let amy = Member::for_test(SessionId([3; 16]), "Amy");
/// assert_eq!((amy.name(), amy.is_me(), amy.is_away()), ("Amy", false, false));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub(crate) session: SessionId,
    pub(crate) name: String,
    pub(crate) info: Vec<u8>,
    pub(crate) since_ms: u64,
    pub(crate) away: bool,
    pub(crate) me: bool,
}

impl Member {
    /// A member that no hub knows, for testing a leaf's methods alone.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test(session: SessionId, name: &str) -> Self {
        let (name, info) = (name.to_owned(), Vec::new());
        Self { session, name, info, since_ms: 0, away: false, me: false }
    }

    /// Its session: the shouter of what it shouts.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// What it is [called](crate::ClientBuilder::name); perhaps nothing, and perhaps as another is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it tells [of itself](crate::ClientBuilder::info).
    pub fn info(&self) -> &[u8] {
        &self.info
    }

    /// Since when it has a leaf of the object, in milliseconds since 1970 by the hub's clock.
    pub fn since_ms(&self) -> u64 {
        self.since_ms
    }

    /// Whether it has lost its connection, and may come back.
    pub fn is_away(&self) -> bool {
        self.away
    }

    /// Whether it is this client.
    pub fn is_me(&self) -> bool {
        self.me
    }
}

/// The members of an object as a leaf was last told of them: see
/// [`Handle::members`](crate::Handle::members). A clone costs nothing.
///
/// ```
/// use actix_multiplex::Members;
/// let unheard_of = Members::default();
/// assert_eq!((unheard_of.version(), unheard_of.count()), (0, 0));
/// assert!(!unheard_of.is_listed());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Members {
    pub(crate) version: u64,
    pub(crate) after: Seq,
    pub(crate) count: u32,
    /// None when they are too many, or nothing was told.
    pub(crate) listed: Option<Arc<Listed>>,
}

/// The members that are listed.
pub(crate) type Listed = BTreeMap<SessionId, Arc<Member>>;

impl Members {
    /// Counts the changes of the members; 0 before anything was told, and for an interface without
    /// `presence`. Where two leaves have the same version, they have the same members.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The last shout before these were the members.
    pub fn after(&self) -> Seq {
        self.after
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Whether they are listed. Above 1,000 only their number is known.
    pub fn is_listed(&self) -> bool {
        self.listed.is_some()
    }

    /// Those that are listed, in the order of their sessions.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.listed.iter().flat_map(|listed| listed.values()).map(|member| &**member)
    }

    /// The member of that session, if it is listed.
    pub fn get(&self, session: SessionId) -> Option<&Member> {
        self.listed.as_ref()?.get(&session).map(|member| &**member)
    }
}
