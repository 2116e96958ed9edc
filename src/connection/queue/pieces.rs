//! States in pieces, in both directions: beside other frames, and one state at a time.
//!
//! What a client tells waits here, and a piece goes out with each write. What a hub tells is cut
//! when there is room, since it may be told to many.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Class, Queue, State, Unsent};
use crate::{
    limits::{FRAME_BYTES_MAX, OUTWARD_BYTES_MAX, WINDOW_TOTAL_BYTES},
    object::ObjectId,
    wire::StatePiece,
};

/// How far a state is that is given in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fed {
    /// It waits until that of another object has gone.
    Later,
    /// There are more pieces.
    Piece,
    /// It is all queued.
    All,
}

impl Queue {
    /// Adds frames that can be done without, one of which goes out with each write, if all of them
    /// leave the room that the windows of shouts may need. `false`: none was added.
    pub(crate) fn push_pieces(&self, frames: Vec<Bytes>) -> bool {
        let mut state = self.lock();
        let has_room = state.has_room_to_spare(frames.iter().map(Bytes::len).sum());
        if state.closed.is_some() || !has_room {
            return false;
        }
        state.pieces.extend(frames);
        state.wake_writer();
        true
    }

    /// Adds a frame behind all others. It may be several, the pieces of a state among them: then it is
    /// behind all pieces too, and those that come later are behind it.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn push_whole(&self, frame: Bytes) -> Result<(), Unsent> {
        self.lock().push_whole(frame)
    }

    /// Adds the next piece of an object's state, if no other state is being told. That ends when
    /// frames of the object are [taken again](Queue::unpull), or with [`end_state`](Self::end_state).
    ///
    /// # Errors
    /// [`Unsent::Closing`].
    pub(crate) fn feed_state(&self, object: ObjectId, told: &Bytes) -> Result<Fed, Unsent> {
        let mut state = self.lock();
        if state.closed.is_some() {
            return Err(Unsent::Closing);
        }
        let pulls = state.pulls.get_or_insert_default();
        let Some(at) = pulls.told_of(object) else { return Ok(Fed::Later) };
        let piece = StatePiece::next(object, told, at);
        let end = piece.as_ref().map_or(told.len(), |(_, end)| *end);
        let is_all = end == told.len();
        pulls.tell_up_to(object, end);
        if let Some((piece, _)) = piece {
            state.add(Class::Firm, piece);
        }
        state.ask_for_more();
        Ok(if is_all { Fed::All } else { Fed::Piece })
    }

    /// An object's state, and the frame that tells of it, are queued.
    pub(crate) fn end_state(&self, object: ObjectId) {
        self.with_pulls(|pulls| pulls.end_state(object));
    }
}

impl State {
    /// One of the pieces follows what is written, unless there are others among what is queued.
    #[cold]
    pub(super) fn take_piece(&mut self, writing: &mut VecDeque<(Class, Bytes)>) {
        if self.frames.iter().any(|(_, frame)| is_several(frame)) {
            return;
        }
        writing.extend(self.pieces.pop_front().map(|piece| (Class::Batch, piece)));
    }

    pub(super) fn push_whole(&mut self, frame: Bytes) -> Result<(), Unsent> {
        if is_several(&frame) {
            for piece in std::mem::take(&mut self.pieces) {
                self.add(Class::Batch, piece);
            }
        }
        self.push(Class::Batch, frame)
    }

    /// Whether a frame of so many bytes leaves the room that the windows of shouts may need.
    pub(super) fn has_room_to_spare(&self, bytes: usize) -> bool {
        let pieces: usize = self.pieces.iter().map(Bytes::len).sum();
        self.load.batch_bytes + pieces + bytes <= OUTWARD_BYTES_MAX - WINDOW_TOTAL_BYTES
    }
}

/// Whether it is more than one frame.
fn is_several(frame: &Bytes) -> bool {
    frame.len() > 4 + FRAME_BYTES_MAX
}
