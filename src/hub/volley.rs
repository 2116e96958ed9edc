//! Consecutive shouts of one session at one object, out of one burst.
//!
//! A value. The session gathers them as it reads; the repeater takes them, one by one. They stay
//! the frames that were read, so that no shout has a part of its own: to read a frame twice costs
//! less than to keep what was read.

use super::history::Offer;
use crate::{
    connection::Burst,
    object::{ObjectId, Op, SessionId},
    wire::{Frame, PlainShout, ShoutFrame},
};

/// An object, and on a link the session that shouts at it.
pub(crate) type Subject = (ObjectId, Option<SessionId>);

/// Shouts at one object, as they are gathered: consecutive frames of a burst.
#[derive(Debug)]
pub(crate) struct Gathering {
    pub(crate) subject: Subject,
    /// Where in the burst they begin.
    begin: usize,
    count: usize,
}

/// Shouts at one object: frames that were read once, and are Shout frames.
#[derive(Debug)]
pub(crate) struct Volley {
    frames: Burst,
    count: usize,
}

impl Gathering {
    /// None yet; the first is the next frame of `burst`.
    pub(crate) fn new(subject: Subject, burst: &Burst) -> Self {
        Self { subject, begin: burst.at(), count: 0 }
    }

    /// Adds the next frame of the burst.
    pub(crate) fn add(&mut self) {
        self.count += 1;
    }

    /// Those whose frames end where the next of `burst` begins.
    pub(crate) fn finish(&self, burst: &Burst) -> Volley {
        Volley { frames: burst.since(self.begin), count: self.count }
    }
}

impl Volley {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of their frames.
    pub(crate) fn bytes(&self) -> usize {
        self.frames.bytes()
    }

    /// Their ops.
    pub(crate) fn ops(self) -> Vec<Op> {
        let mut ops = Vec::with_capacity(self.count);
        self.each(|offer| ops.push(offer.op));
        ops
    }

    /// Hands over each to `hear`, in order.
    pub(crate) fn each(self, mut hear: impl FnMut(&Offer<'_>)) {
        let mut frames = self.frames;
        while let Some(frame) = frames.peek() {
            let bytes = frame.len();
            if let Some(PlainShout { op, kind, payload_at, .. }) = PlainShout::read(frame) {
                let (handled_within_ms, carried) = (None, Vec::new());
                let payload = &frame[payload_at..];
                hear(&Offer { op, kind, handled_within_ms, carried, payload });
            } else if let Ok(Frame::Shout(shout, payload)) = frames.decode() {
                let ShoutFrame { op, kind, handled_within_ms, carried, .. } = shout;
                hear(&Offer { op, kind, handled_within_ms, carried, payload: &payload });
            }
            frames.pass_over(bytes);
        }
    }
}
