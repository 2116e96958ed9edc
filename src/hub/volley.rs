//! Consecutive shouts of one session at one object, out of one burst.
//!
//! A value. The session gathers them as it reads; the repeater takes them, one by one. The bytes
//! stay as they were read: a payload is a place in them, so that no shout has a part of its own.

use bytes::Bytes;

use super::history::Offer;
use crate::{
    connection::Burst,
    object::{Carried, Kind, ObjectId, Op},
};

/// Shouts at one object, as they are gathered. Its frames stand one behind the other in the burst.
#[derive(Debug)]
pub(crate) struct Gathering {
    object: ObjectId,
    /// Where in the burst its frames begin.
    begin: usize,
    said: Vec<Said>,
}

/// Shouts at one object.
#[derive(Debug)]
pub(crate) struct Volley {
    bytes: Bytes,
    said: Vec<Said>,
}

#[derive(Debug)]
struct Said {
    op: Op,
    kind: Kind,
    carried: Vec<Carried>,
    /// Where the payload begins in the bytes, and where it ends.
    payload: (u32, u32),
}

impl Gathering {
    /// None yet; the first is the next frame of `burst`, and the others are about as long.
    pub(crate) fn new(object: ObjectId, burst: &Burst) -> Self {
        let begin = burst.at();
        let frame = burst.peek().map_or(0, <[u8]>::len) + 4;
        let about = (burst.bytes().len() - begin) / frame;
        Self { object, begin, said: Vec::with_capacity(about) }
    }

    /// The object that they are at.
    pub(crate) fn object(&self) -> ObjectId {
        self.object
    }

    /// Adds a shout, whose payload stands in the burst from `begin` to `end`.
    #[inline]
    pub(crate) fn push(
        &mut self,
        op: Op,
        kind: Kind,
        carried: Vec<Carried>,
        (begin, end): (usize, usize),
    ) {
        let payload = ((begin - self.begin) as u32, (end - self.begin) as u32);
        self.said.push(Said { op, kind, carried, payload });
    }

    /// Those whose frames end where the next of `burst` begins. The few of a large burst are copied
    /// out of it: they may wait for long, and must not hold the rest.
    pub(crate) fn finish(self, burst: &Burst) -> Volley {
        let frames = self.begin..burst.at();
        let bytes = if frames.len() < burst.bytes().len() / 2 {
            Bytes::copy_from_slice(&burst.bytes()[frames])
        } else {
            burst.bytes().slice(frames)
        };
        let mut said = self.said;
        // Room that was made for more must not be multiplied by bursts that change objects.
        said.shrink_to_fit();
        Volley { bytes, said }
    }
}

impl Volley {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.said.len()
    }

    /// Bytes of their frames.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Their ops.
    pub(crate) fn ops(&self) -> impl Iterator<Item = Op> + '_ {
        self.said.iter().map(|said| said.op)
    }

    /// Hands over each to `hear`, in order.
    pub(crate) fn each(self, mut hear: impl FnMut(&Offer<'_>)) {
        let Self { bytes, said } = self;
        for Said { op, kind, carried, payload: (begin, end) } in said {
            let payload = &bytes[begin as usize..end as usize];
            hear(&Offer { op, kind, carried, payload });
        }
    }
}
