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
    /// Whether the leaves are to say when they are done with it.
    pub(crate) asks: bool,
    /// Where the list of the objects that it carries lies in the body; empty if there are none.
    pub(super) carried: Range<usize>,
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
        let (carried_bytes, asks, rest) = match rest {
            [0, rest @ ..] => (0, false, rest),
            rest => flags(rest)?,
        };
        let carried = body.len() - rest.len();
        let (bytes, rest) = take_varint(&rest[carried_bytes..])?;
        let payload = body.len() - rest.len();
        let end = payload + usize::try_from(bytes).ok().filter(|bytes| *bytes <= rest.len())?;
        *at = end;
        Some(Self {
            session: u16::try_from(session).ok()?.into(),
            op_offset,
            kind: Kind(u16::try_from(kind).ok()?),
            asks,
            carried: carried..carried + carried_bytes,
            payload: payload..end,
        })
    }

    /// The objects that its payload carries, out of the body that it was read from.
    #[inline]
    pub(crate) fn carried(&self, body: &[u8]) -> Vec<Carried> {
        if self.carried.is_empty() {
            return Vec::new();
        }
        postcard::from_bytes::<CarriedList>(&body[self.carried.clone()])
            .map_or_else(|_| Vec::new(), |list| list.0)
    }
}

/// Reads the byte that tells what a shout has beside its message: bytes of the list of carried
/// objects behind it, whether it asks, and what follows.
#[cold]
fn flags(bytes: &[u8]) -> Option<(usize, bool, &[u8])> {
    let (flags, rest) = bytes.split_first().filter(|(flags, _)| **flags <= 3)?;
    let carried_bytes = if flags & 1 == 1 { bytes_of_list(rest)? } else { 0 };
    Some((carried_bytes, flags & 2 == 2, rest))
}

/// Bytes of a list of carried objects with something in it.
fn bytes_of_list(bytes: &[u8]) -> Option<usize> {
    let (list, rest) = postcard::take_from_bytes::<CarriedList>(bytes).ok()?;
    let taken = bytes.len() - rest.len();
    (!list.0.is_empty() && written_bytes(&list) == taken).then_some(taken)
}

#[derive(Serialize, Deserialize)]
struct CarriedList(#[serde(deserialize_with = "bounded::<_, _, CARRIED_MAX>")] Vec<Carried>);
