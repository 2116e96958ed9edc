//! Receipts of a higher grade: who has handled a shout that asked.

use serde::{Deserialize, Serialize};

use super::codec::bounded;
use crate::{
    limits,
    object::{ObjectId, Op, Seq, SessionId},
};

/// The leaf is done with everything up to a seq: said where a shout asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// The object.
    pub object: ObjectId,
    /// The last shout whose handler's answer has resolved.
    pub seq: Seq,
}

impl Heard {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        (self.seq != Seq(0)).then_some(()).ok_or("seqs count from 1")
    }
}

/// Who has handled a shout that asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// The object.
    pub object: ObjectId,
    /// The op that asked.
    pub op: Op,
    /// Its place.
    pub seq: Seq,
    /// How many leaves have handled it.
    pub by: u32,
    /// How many there were when it got its place.
    pub of: u32,
    /// Of those that have not, as many as are named.
    #[serde(deserialize_with = "bounded::<_, _, { limits::GRADE_MISSING_MAX }>")]
    pub missing: Vec<SessionId>,
    /// How many more have not.
    pub more: u32,
}

impl Handled {
    pub(super) fn check(&self, _: &[u8]) -> Result<(), &'static str> {
        let missing = u64::from(self.more) + self.missing.len() as u64;
        match self {
            Self { op: Op(0), .. } => Err("ops count from 1"),
            Self { seq: Seq(0), .. } => Err("seqs count from 1"),
            _ if u64::from(self.by) + missing != u64::from(self.of) => {
                Err("those who handled it and those missing are not all")
            }
            _ => Ok(()),
        }
    }
}
