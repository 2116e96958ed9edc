//! A peer that is too slow for what it is sent: which object gives way, and when there is room for
//! what was dropped.

use std::fmt;

use bytes::Bytes;

use super::{
    Class, Pull, Queue, State, Unsent,
    pulls::{Pulls, heaviest},
};
use crate::{
    connection::Closed,
    limits::PULL_BYTES,
    object::{ObjectId, Seq},
    wire::{self, CloseCode, Fault},
};

/// What a queue tells of a slow peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strain {
    /// So many bytes of batches would have been queued, of an object so many: those were dropped.
    Lags { object: ObjectId, of_object: usize, bytes: usize, max: usize },
    /// There is room for more of this object.
    HasRoom(ObjectId),
}

/// Takes what a queue tells. It is called while the queue is locked.
pub(super) struct Tell(Box<dyn Fn(Strain) + Send>);

impl Queue {
    /// Lets objects give way when more than `max` bytes of batches are queued. `tell` is called with
    /// the queue locked: it must only pass on what it is told.
    pub(crate) fn pull_past(&self, max: usize, tell: impl Fn(Strain) + Send + 'static) {
        let mut state = self.lock();
        state.batch_bytes_max = max;
        state.tell = Some(Tell(Box::new(tell)));
    }

    /// How far frames of an object were taken, if they are not taken as they come.
    pub(crate) fn pulled(&self, object: ObjectId) -> Option<Pull> {
        self.lock().pulls.as_ref().and_then(|pulls| pulls.get(object))
    }

    /// Takes no frames of this object as they come: what follows is to be given.
    pub(crate) fn pull(&self, object: ObjectId, pull: Pull) {
        self.with_pulls(|pulls| pulls.set(object, pull));
    }

    /// Takes no frames of this object as they come, and is given none until it is
    /// [roused](Self::rouse): then what follows `after`, or was dropped before it.
    pub(crate) fn hold(&self, object: ObjectId, after: Seq) {
        self.with_pulls(|pulls| {
            pulls.begin(object, Some(after));
            pulls.rest(object);
        });
    }

    /// As [`pulled`](Self::pulled), if it is the object's turn to be given more of.
    pub(crate) fn due(&self, object: ObjectId) -> Option<Pull> {
        self.lock().pulls.as_ref().and_then(|pulls| pulls.due(object))
    }

    /// Whoever gives frames of this object is not told of room until it is [roused](Self::rouse).
    pub(crate) fn rest(&self, object: ObjectId) {
        self.with_pulls(|pulls| pulls.rest(object));
    }

    /// Whoever gives frames of this object is told when there is room, in its turn.
    pub(crate) fn rouse(&self, object: ObjectId) {
        self.with_pulls(|pulls| pulls.rouse(object));
    }

    /// Takes frames of this object as they come.
    pub(crate) fn unpull(&self, object: ObjectId) {
        let mut state = self.lock();
        if let Some(pulls) = &mut state.pulls {
            pulls.end(object);
            if pulls.is_empty() {
                state.pulls = None;
            }
            state.ask_for_more();
        }
    }

    /// Adds frames of an object that are not taken as they come, up to the shout `last`.
    ///
    /// # Errors
    /// [`Unsent::Closing`].
    pub(crate) fn feed(
        &self,
        object: ObjectId,
        class: Class,
        frames: Vec<Bytes>,
        last: Seq,
    ) -> Result<(), Unsent> {
        let mut state = self.lock();
        if state.closed.is_some() {
            return Err(Unsent::Closing);
        }
        for frame in frames {
            state.add(class, frame);
        }
        if let Some(pulls) = &mut state.pulls {
            pulls.advance(object, last);
        }
        Ok(())
    }

    pub(super) fn with_pulls(&self, change: impl FnOnce(&mut Pulls)) {
        let mut state = self.lock();
        change(state.pulls.get_or_insert_default());
        state.ask_for_more();
    }
}

impl State {
    /// Makes room for a frame that would pass the bound: the objects with most bytes give way until
    /// there is enough, perhaps its own. Where none may, the connection closes.
    #[cold]
    pub(super) fn make_room(
        &mut self,
        class: Class,
        frame: &Bytes,
        max: usize,
    ) -> Result<(), Unsent> {
        let mine = wire::object_of(frame);
        loop {
            let bytes = *self.load.account(class) + frame.len();
            if bytes <= max {
                return Ok(());
            }
            let heaviest = heaviest(&self.frames, class, frame);
            let (true, Some(tell), Some((object, of_object))) =
                (class == Class::Batch, &self.tell, heaviest)
            else {
                let reason = too_slow(class, bytes, max, heaviest);
                self.close(Closed::local(CloseCode::TooSlow, Fault::Receiver, reason));
                return Err(Unsent::Closing);
            };
            (tell.0)(Strain::Lags { object, of_object, bytes, max });
            self.drop_frames_of(object);
            if mine == Some(object) {
                self.pulls.get_or_insert_default().hold_back(frame);
                return Err(Unsent::Pulled);
            }
        }
    }

    /// Drops what is queued of an object, to be given again.
    fn drop_frames_of(&mut self, object: ObjectId) {
        let pulls = self.pulls.get_or_insert_default();
        pulls.begin(object, None);
        self.frames.retain(|(class, frame)| {
            let is_kept = *class != Class::Batch || wire::object_of(frame) != Some(object);
            if !is_kept {
                pulls.hold_back(frame);
                self.load.batch_bytes -= frame.len();
            }
            is_kept
        });
    }

    /// Asks for more of what a slow peer was not sent, if it has read so much that there is room.
    #[inline]
    pub(super) fn ask_for_more(&mut self) {
        if let Some(pulls) = &mut self.pulls
            && self.load.batch_bytes <= PULL_BYTES.min(self.batch_bytes_max / 2)
            && let Some(tell) = &self.tell
            && let Some(object) = pulls.next()
        {
            (tell.0)(Strain::HasRoom(object));
        }
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tell")
    }
}

fn too_slow(class: Class, bytes: usize, max: usize, heaviest: Option<(ObjectId, usize)>) -> String {
    let queued = |what| format!("{bytes} bytes of {what} are queued, more than the limit of {max}");
    match (class, heaviest) {
        (Class::Control, _) => format!("{}: read faster", queued("control frames")),
        (_, None) => format!("{}: read faster", queued("batches")),
        (_, Some((object, bytes))) => {
            format!("{}, {bytes} of them of object {object}: read faster", queued("batches"))
        }
    }
}
