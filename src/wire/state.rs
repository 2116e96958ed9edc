//! States on the wire: in the frame that tells of them, or ahead of it in pieces.
//!
//! One state at a time comes in pieces over a connection, each direction for itself. Other frames
//! may come in between, so that nobody waits for a large state who has nothing to do with it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Create, Header, Snapshot, encode_with, link::via};
use crate::{
    limits::{STATE_BYTES_MAX, STATE_PIECE_BYTES},
    object::{Carried, ObjectId, SessionId},
};

/// Where the state is that a frame may tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StateIs {
    /// There is none.
    Absent,
    /// It is the payload.
    Payload,
    /// It has come in pieces, ahead of the frame. The payload is empty.
    Pieces,
}

/// A piece of a state, ahead of the frame that tells of it. The payload is the piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatePiece {
    /// The object.
    pub object: ObjectId,
    /// How many bytes of the state have come before. 0 begins a state; of one that has not come as a
    /// whole by then nothing more comes.
    pub at: u32,
    /// How many bytes it has.
    pub of: u32,
}

/// A state that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct Incoming(Option<(StatePiece, Vec<u8>)>);

impl StateIs {
    /// Where a state of so many bytes is to be, in a frame that says that it carries these.
    pub(crate) fn of(bytes: usize, carried: &[Carried]) -> Self {
        let is_large = bytes + Carried::bytes_of(carried) > piece_bytes();
        if is_large { Self::Pieces } else { Self::Payload }
    }

    /// Whether there is one.
    pub fn is_present(self) -> bool {
        self != Self::Absent
    }

    pub(super) fn check(self, payload: &[u8], carried: &[Carried]) -> Result<(), &'static str> {
        match self {
            Self::Absent if !payload.is_empty() => Err("a state where there is none"),
            Self::Absent if !carried.is_empty() => Err("no state, and it carries objects"),
            Self::Pieces if !payload.is_empty() => Err("a state in pieces, and in the payload"),
            _ => Ok(()),
        }
    }
}

/// Whether there is one, in the payload.
impl From<bool> for StateIs {
    fn from(is_there: bool) -> Self {
        if is_there { Self::Payload } else { Self::Absent }
    }
}

impl StatePiece {
    /// The piece of a state that comes behind so many bytes. `None`: there is no more.
    pub(crate) fn next(object: ObjectId, state: &[u8], at: usize) -> Option<(Bytes, usize)> {
        let end = state.len().min(at + piece_bytes());
        let piece = Self { object, at: at as u32, of: state.len() as u32 };
        (at < end).then(|| (encode_with(&piece, &state[at..end]), end))
    }

    pub(super) fn check(&self, payload: &[u8]) -> Result<(), &'static str> {
        if payload.is_empty() {
            return Err("a piece without bytes");
        }
        if self.of as usize > STATE_BYTES_MAX {
            return Err("a state that is too large");
        }
        let end = self.at as usize + payload.len();
        (end <= self.of as usize).then_some(()).ok_or("a piece goes beyond its state")
    }
}

impl Incoming {
    /// Takes a piece.
    ///
    /// # Errors
    /// It is not the next one.
    pub(crate) fn add(&mut self, piece: StatePiece, payload: &[u8]) -> Result<(), String> {
        if piece.at == 0 {
            self.0 = Some((piece, payload.to_vec()));
            return Ok(());
        }
        let StatePiece { object, at, of } = piece;
        let next = self.0.as_mut().filter(|(first, bytes)| {
            (first.object, first.of, bytes.len()) == (object, of, at as usize)
        });
        let (_, bytes) = next.ok_or_else(|| {
            format!(
                "a piece of the state of {object} from byte {at} on does not follow the last one"
            )
        })?;
        bytes.extend_from_slice(payload);
        Ok(())
    }

    /// The state that a frame tells of, with this payload.
    ///
    /// # Errors
    /// It is in pieces that have not all come.
    pub(crate) fn state(
        &mut self,
        object: ObjectId,
        state: StateIs,
        payload: Bytes,
    ) -> Result<Bytes, String> {
        if state != StateIs::Pieces {
            return Ok(payload);
        }
        let all = self
            .0
            .take_if(|(first, bytes)| (first.object, first.of as usize) == (object, bytes.len()));
        // What it has more room than it needs is given back: a state is kept.
        let all = all.map(|(_, bytes)| Bytes::from(bytes.into_boxed_slice()));
        all.ok_or_else(|| format!("not all pieces of the state of {object} have come"))
    }
}

impl Create {
    /// Writes the frame with the object's state, behind the pieces that this is in if it is large.
    pub(crate) fn encode(&self, state: &[u8]) -> Bytes {
        let mut frames = self.frames(state);
        match frames.len() {
            1 => frames.remove(0),
            _ => frames.concat().into(),
        }
    }

    /// As [`encode`](Self::encode), for a session below a link.
    pub(crate) fn encode_for(&self, session: SessionId, state: &[u8]) -> Bytes {
        let mut frames = self.frames(state);
        if let Some(last) = frames.last_mut() {
            *last = via(session, last);
        }
        frames.concat().into()
    }

    fn frames(&self, state: &[u8]) -> Vec<Bytes> {
        let mut create = self.clone();
        if create.state.is_present() {
            create.state = StateIs::of(state.len(), &self.carried);
        }
        frames(self.object, &create, create.state, state)
    }
}

impl Snapshot {
    /// The frames that tell a state.
    pub(crate) fn frames(&self, state: &[u8]) -> Vec<Bytes> {
        frames(self.object, self, self.state, state)
    }
}

fn frames<H: Header>(object: ObjectId, header: &H, is: StateIs, state: &[u8]) -> Vec<Bytes> {
    if is != StateIs::Pieces {
        return vec![encode_with(header, state)];
    }
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some((piece, end)) = StatePiece::next(object, state, at) {
        frames.push(piece);
        at = end;
    }
    frames.push(encode_with(header, &[]));
    frames
}

#[cfg(not(feature = "testing"))]
fn piece_bytes() -> usize {
    STATE_PIECE_BYTES
}

#[cfg(feature = "testing")]
thread_local! {
    /// Simulations have small states, and smaller pieces.
    static PIECE_BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(STATE_PIECE_BYTES) };
}

#[cfg(feature = "testing")]
fn piece_bytes() -> usize {
    PIECE_BYTES.get()
}

/// Cuts states on this thread into pieces of so many bytes.
#[cfg(feature = "testing")]
pub(crate) fn set_piece_bytes(bytes: usize) {
    PIECE_BYTES.set(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERMIT: ObjectId = ObjectId([1; 16]);
    const NAPKIN: ObjectId = ObjectId([2; 16]);

    fn come(incoming: &mut Incoming, frames: &[Bytes]) -> Result<Bytes, String> {
        let mut state = Err("no frame tells of it".to_owned());
        for frame in frames {
            match crate::wire::Frame::decode(&frame.slice(4..)) {
                Ok(crate::wire::Frame::StatePiece(piece, bytes)) => incoming.add(piece, &bytes)?,
                Ok(crate::wire::Frame::Snapshot(told, payload)) => {
                    state = incoming.state(told.object, told.state, payload);
                }
                other => panic!("{other:?}"),
            }
        }
        state
    }

    fn told(object: ObjectId, state: &[u8]) -> Vec<Bytes> {
        let cursor = crate::object::Cursor {
            epoch: crate::object::Epoch([1; 8]),
            seq: crate::object::Seq(1),
        };
        let state_is = StateIs::of(state.len(), &[]);
        Snapshot { object, at: Some(cursor), state: state_is, carried: Vec::new() }.frames(state)
    }

    fn state(bytes: usize) -> Vec<u8> {
        (0..bytes).map(|at| (at / 7) as u8).collect()
    }

    #[test]
    fn a_state_of_any_size_comes_as_it_was_told() {
        // The list of what it carries is a byte.
        let sizes = [0, 1, STATE_PIECE_BYTES - 1, STATE_PIECE_BYTES, 3 * STATE_PIECE_BYTES];
        for (bytes, count) in sizes.into_iter().zip([1, 1, 1, 2, 4]) {
            let (state, mut incoming) = (state(bytes), Incoming::default());
            let frames = told(KERMIT, &state);
            assert_eq!(frames.len(), count);
            assert!(come(&mut incoming, &frames).is_ok_and(|came| came == state), "{bytes}");
        }
    }

    #[test]
    fn a_state_that_is_begun_takes_the_place_of_one_that_was_not_finished() {
        let (frames, others) = (told(KERMIT, &state(200_000)), told(NAPKIN, &state(100_000)));
        let mut incoming = Incoming::default();
        assert!(come(&mut incoming, &frames[..2]).is_err());
        assert!(come(&mut incoming, &others).is_ok_and(|came| came == state(100_000)));
        assert!(come(&mut incoming, &frames[2..]).is_err());
        assert!(come(&mut incoming, &frames).is_ok_and(|came| came == state(200_000)));
    }

    #[test]
    fn a_piece_that_does_not_follow_and_a_state_that_is_not_whole_are_refused() {
        let frames = told(KERMIT, &state(200_000));
        let without = |missing: usize| {
            let mut frames = frames.clone();
            frames.remove(missing);
            come(&mut Incoming::default(), &frames)
        };
        for missing in 0..4 {
            assert!(without(missing).is_err(), "{missing}");
        }
        let twice = [&frames[..2], &frames[1..]].concat();
        assert!(come(&mut Incoming::default(), &twice).is_err());
        // What has come is told once.
        let again = [&frames[..], &frames[4..]].concat();
        assert!(come(&mut Incoming::default(), &again).is_err());
    }
}
