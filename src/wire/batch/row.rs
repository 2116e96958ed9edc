//! A shout as it stands in the body of a batch, read by hand: it is what is read most.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    limits::CARRIED_MAX,
    object::{Carried, Kind},
    wire::codec::{bounded, take_varint, written_bytes},
};

/// A shout as it stands in the body of a batch.
#[derive(Debug)]
pub(crate) struct Row {
    /// Who shouted it, as an index into [`Batch::sessions`](super::Batch::sessions).
    pub(crate) session: usize,
    /// Its op beyond the first of that session in the batch.
    pub(super) op_offset: u64,
    /// The number of the message in the interface.
    pub(crate) kind: Kind,
    /// The objects that the payload carries.
    pub(crate) carried: Vec<Carried>,
    /// Where the message lies in the body.
    pub(crate) payload: Range<usize>,
}

impl Row {
    /// Reads the shout at byte `at` of a body; moves `at` behind it. `None` when it is malformed: a
    /// number that is not in its shortest form, a list of nothing, or cut short.
    #[inline]
    pub(super) fn read(body: &[u8], at: &mut usize) -> Option<Self> {
        let (session, rest) = take_varint(body.get(*at..)?)?;
        let (op_offset, rest) = take_varint(rest)?;
        let (kind, rest) = take_varint(rest)?;
        let (carried, rest) = match rest {
            [0, rest @ ..] => (Vec::new(), rest),
            [1, rest @ ..] => take_carried(rest)?,
            _ => return None,
        };
        let (bytes, rest) = take_varint(rest)?;
        let begin = body.len() - rest.len();
        let end = begin + usize::try_from(bytes).ok().filter(|bytes| *bytes <= rest.len())?;
        *at = end;
        let session = u16::try_from(session).ok()?.into();
        let kind = Kind(u16::try_from(kind).ok()?);
        Some(Self { session, op_offset, kind, carried, payload: begin..end })
    }
}

/// Reads a list of carried objects with something in it, and what follows.
#[cold]
fn take_carried(bytes: &[u8]) -> Option<(Vec<Carried>, &[u8])> {
    let (list, rest) = postcard::take_from_bytes::<CarriedList>(bytes).ok()?;
    let is_fine = !list.0.is_empty() && written_bytes(&list) == bytes.len() - rest.len();
    is_fine.then_some((list.0, rest))
}

#[derive(Serialize, Deserialize)]
struct CarriedList(#[serde(deserialize_with = "bounded::<_, _, CARRIED_MAX>")] Vec<Carried>);
