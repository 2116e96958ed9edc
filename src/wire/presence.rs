//! Who is at an object: the members of it, whole and as they change.

use serde::{Deserialize, Serialize};

use super::codec::{bounded, bounded_text};
use crate::{
    limits,
    object::{ObjectId, Seq, SessionId},
};

/// Who is at an object, whole. What does not fit one frame comes in several, without a batch of the
/// object between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// The object.
    pub object: ObjectId,
    /// Which version of the members these are.
    pub version: u64,
    /// The last shout before them.
    pub after: Seq,
    /// How many members there are, whether they are listed or not.
    pub count: u32,
    /// Whether they are listed: not, while there are too many.
    pub listed: bool,
    /// Who they are, in ascending order of their sessions.
    #[serde(deserialize_with = "bounded::<_, _, { limits::MEMBERS_LISTED_MAX }>")]
    pub members: Vec<Member>,
    /// Whether this is the last frame of this version.
    pub last: bool,
}

impl Members {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        check_version(self.version)?;
        let is_bare = self.members.is_empty() && self.last;
        if !self.listed && !is_bare {
            return Err("members that are not listed");
        }
        if self.members.len() > self.count as usize {
            return Err("more members than there are");
        }
        Ok(())
    }
}

/// How the members of an object have changed since the version before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersChanged {
    /// The object.
    pub object: ObjectId,
    /// Which version of the members this makes.
    pub version: u64,
    /// The last shout before it.
    pub after: Seq,
    /// How many members there are now.
    pub count: u32,
    /// Whether they are listed: not, while there are too many. Then only their number is told, until
    /// a [`Members`] comes.
    pub listed: bool,
    /// What has changed, at most once for each session.
    #[serde(deserialize_with = "bounded::<_, _, { 2 * limits::MEMBERS_LISTED_MAX }>")]
    pub changes: Vec<MemberChange>,
}

impl MembersChanged {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        check_version(self.version)?;
        match (self.listed, self.changes.is_empty()) {
            (true, true) => Err("a change of nothing"),
            (false, false) => Err("changes of members that are not listed"),
            _ => Ok(()),
        }
    }
}

/// A session that is a leaf of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The session.
    pub session: SessionId,
    /// What its Hello called it; at most 64 bytes.
    #[serde(deserialize_with = "bounded_text::<_, { limits::MEMBER_NAME_BYTES_MAX }>")]
    pub name: String,
    /// What its Hello said of it, opaque to the library; at most 1,024 bytes.
    #[serde(deserialize_with = "bounded::<_, _, { limits::MEMBER_INFO_BYTES_MAX }>")]
    pub info: Vec<u8>,
    /// Since when it is a leaf, in milliseconds since 1970 by the hub's clock.
    pub since_ms: u64,
    /// Whether it has no connection at present.
    pub away: bool,
}

/// How one member has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MemberChange {
    /// It is a leaf now; if it was one before, it has parted and come again.
    Came(Member),
    /// It has lost its connection.
    Away {
        /// Its session.
        session: SessionId,
    },
    /// It has a connection again.
    Back {
        /// Its session.
        session: SessionId,
    },
    /// It is a leaf no more.
    Parted {
        /// Its session.
        session: SessionId,
    },
}

fn check_version(version: u64) -> Result<(), &'static str> {
    (version != 0).then_some(()).ok_or("versions count from 1")
}
