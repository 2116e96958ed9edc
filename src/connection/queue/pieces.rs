//! States in pieces, in both directions: beside other frames, and one state at a time.
//!
//! What a client tells waits here, and a piece goes out with each write. What a hub tells is cut
//! when there is room, since it may be told to many.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Class, Queue, State, Unsent};
use crate::{
    limits::{OUTWARD_BYTES_MAX, WINDOW_TOTAL_BYTES},
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
        let bytes: usize = state.pieces.iter().chain(&frames).map(Bytes::len).sum();
        let has_room = state.load.batch_bytes + bytes <= OUTWARD_BYTES_MAX - WINDOW_TOTAL_BYTES;
        if state.closed.is_some() || !has_room {
            return false;
        }
        state.pieces.extend(frames);
        state.wake_writer();
        true
    }

    /// Adds a frame behind all others, also behind the pieces: it may itself be several, which are
    /// not to be parted.
    pub(crate) fn push_behind_pieces(&self, frame: Bytes) -> Result<(), Unsent> {
        let mut state = self.lock();
        state.add_pieces();
        state.push(Class::Batch, frame)
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
    /// One of the pieces follows what is written.
    #[cold]
    pub(super) fn take_piece(&mut self, writing: &mut VecDeque<(Class, Bytes)>) {
        writing.extend(self.pieces.pop_front().map(|piece| (Class::Batch, piece)));
    }

    /// The pieces keep their place before what comes.
    pub(super) fn add_pieces(&mut self) {
        for piece in std::mem::take(&mut self.pieces) {
            self.add(Class::Batch, piece);
        }
    }
}
