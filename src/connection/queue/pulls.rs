//! Objects whose frames a queue does not take as they come, because its peer is behind: which those
//! are, and whose turn it is when there is room again.
//!
//! A value. Each of them has a cursor: what follows it is given later, by whoever keeps it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::Class;
use crate::{
    object::{ObjectId, Seq},
    wire,
};

/// Objects whose frames are not taken.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    objects: BTreeMap<ObjectId, Held>,
    /// Those that more is to be given of, the next one first; and some that rest meanwhile.
    turns: VecDeque<ObjectId>,
    /// The one that more was asked of, and has not come.
    asked: Option<ObjectId>,
    /// The one whose state is being told, and how many bytes of it were.
    telling: Option<(ObjectId, usize)>,
    /// Those that have a state to be told too.
    untold: BTreeSet<ObjectId>,
}

/// An object whose frames are not taken.
#[derive(Debug)]
struct Held {
    pull: Pull,
    /// Whether more is to be given of it.
    is_due: bool,
}

/// How far an object's frames were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pull {
    /// The last shout before those that were not taken. `None`: all were, so far.
    pub(crate) after: Option<Seq>,
    /// Whether the peer asked to be given so much, and no more.
    pub(crate) by_peer: bool,
}

impl Pulls {
    /// Whether this frame is not taken now. Where it stands is remembered.
    pub(super) fn hold_back(&mut self, frame: &[u8]) -> bool {
        let object = wire::object_of(frame);
        let Some(Held { pull, .. }) = object.and_then(|object| self.objects.get_mut(&object))
        else {
            return false;
        };
        if let Some(Seq(first)) = wire::first_seq_of(frame) {
            // A leaf that joins again is given once more what comes before that which is queued.
            pull.after = pull.after.into_iter().chain([Seq(first - 1)]).min();
        }
        true
    }

    /// The frames of this object were dropped, and no more are taken until they were given again.
    pub(super) fn begin(&mut self, object: ObjectId, after: Option<Seq>) {
        let pull = Pull { after, by_peer: false };
        let Held { pull, .. } = self.objects.entry(object).or_insert(Held { pull, is_due: false });
        pull.after = pull.after.into_iter().chain(after).min();
        self.rouse(object);
    }

    /// The peer is to be given what follows `after`: all of it, or as much as it `asked` for.
    pub(super) fn set(&mut self, object: ObjectId, pull: Pull) {
        self.rest(object);
        self.objects.insert(object, Held { pull, is_due: false });
        self.rouse(object);
    }

    /// More can be given of this object.
    pub(super) fn rouse(&mut self, object: ObjectId) {
        self.asked.take_if(|asked| *asked == object);
        let Some(held) = self.objects.get_mut(&object) else { return };
        if !std::mem::replace(&mut held.is_due, true) {
            self.turns.push_back(object);
        }
        if self.turns.len() > 2 * self.objects.len() {
            // Those that rest are passed over; here they go, before they become many.
            let mut turns = std::mem::take(&mut self.turns);
            turns.retain(|each| self.take_due(*each));
            for each in &turns {
                self.set_due(*each);
            }
            self.turns = turns;
        }
    }

    /// Nothing is given of this object until it is roused.
    pub(super) fn rest(&mut self, object: ObjectId) {
        self.take_due(object);
        self.asked.take_if(|asked| *asked == object);
    }

    /// Frames of this object are taken again.
    pub(super) fn end(&mut self, object: ObjectId) {
        self.rest(object);
        self.objects.remove(&object);
        self.untold.remove(&object);
        self.end_state(object);
    }

    /// How many bytes of an object's state were told. `None`: it rests, since another one's is being
    /// told; it is roused when that is done.
    pub(super) fn told_of(&mut self, object: ObjectId) -> Option<usize> {
        let (told, at) = *self.telling.get_or_insert((object, 0));
        if told == object {
            return Some(at);
        }
        self.rest(object);
        self.untold.insert(object);
        None
    }

    /// So many bytes of an object's state were told.
    pub(super) fn tell_up_to(&mut self, object: ObjectId, at: usize) {
        self.telling = Some((object, at));
    }

    /// An object's state was told, or will not be: it is another one's turn.
    pub(super) fn end_state(&mut self, object: ObjectId) {
        self.telling.take_if(|(told, _)| *told == object);
        // Whoever was to be next may have ended before it began.
        if self.telling.is_none()
            && let Some(next) = self.untold.pop_first()
        {
            self.rouse(next);
        }
    }

    /// Frames up to here were given.
    pub(super) fn advance(&mut self, object: ObjectId, last: Seq) {
        if let Some(held) = self.objects.get_mut(&object) {
            held.pull.after = Some(last);
        }
    }

    /// How far an object's frames were taken, if they are not taken now.
    pub(super) fn get(&self, object: ObjectId) -> Option<Pull> {
        self.objects.get(&object).map(|held| held.pull)
    }

    /// The same, if it is the one that more was asked of.
    pub(super) fn due(&self, object: ObjectId) -> Option<Pull> {
        self.get(object).filter(|_| self.asked == Some(object))
    }

    /// Whose turn it is to give more, if nobody was asked before.
    pub(super) fn next(&mut self) -> Option<ObjectId> {
        if self.asked.is_some() {
            return None;
        }
        while let Some(object) = self.turns.pop_front() {
            if self.take_due(object) {
                self.asked = Some(object);
                break;
            }
        }
        self.asked
    }

    /// Whether more was to be given of an object; now it is not.
    fn take_due(&mut self, object: ObjectId) -> bool {
        self.objects.get_mut(&object).is_some_and(|held| std::mem::take(&mut held.is_due))
    }

    fn set_due(&mut self, object: ObjectId) {
        if let Some(held) = self.objects.get_mut(&object) {
            held.is_due = true;
        }
    }

    /// Whether all frames are taken.
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// The object that most bytes are queued of among those of this class, with `new` behind them; and
/// how many.
pub(super) fn heaviest(
    frames: &VecDeque<(Class, Bytes)>,
    class: Class,
    new: &Bytes,
) -> Option<(ObjectId, usize)> {
    let mut bytes_of = BTreeMap::new();
    let alike = frames.iter().filter(|(each, _)| *each == class).map(|(_, frame)| frame);
    for frame in alike.chain([new]) {
        if let Some(object) = wire::object_of(frame) {
            *bytes_of.entry(object).or_default() += frame.len();
        }
    }
    bytes_of.into_iter().max_by_key(|(_, bytes)| *bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        object::{Epoch, Kind, Op, SessionId},
        wire::BatchBuilder,
    };

    const KERMIT: ObjectId = ObjectId([1; 16]);
    const NAPKIN: ObjectId = ObjectId([2; 16]);
    const BLOT: ObjectId = ObjectId([3; 16]);

    fn batch(object: ObjectId, seq: u64, bytes: usize) -> (Class, Bytes) {
        let mut builder = BatchBuilder::new(object, Epoch([1; 8]), Seq(seq));
        builder.push(SessionId([2; 16]), Op(1), Kind(1), &[], &vec![0; bytes]);
        (Class::Batch, builder.seal(1))
    }

    #[test]
    fn many_small_batches_of_one_object_outweigh_a_large_one_of_another() {
        let [small, large] = [batch(KERMIT, 1, 400), batch(NAPKIN, 1, 1_000)];
        let frames = [small.clone(), large.clone(), small.clone()];
        let found = |frames: &[(Class, Bytes)]| {
            heaviest(&frames.iter().cloned().collect(), Class::Batch, &small.1)
        };
        assert_eq!(found(&frames), Some((KERMIT, 3 * small.1.len())));
        assert_eq!(found(&frames[..2]), Some((NAPKIN, large.1.len())));
        // What may not be dropped is passed over.
        assert_eq!(found(&[(Class::Firm, large.1)]), Some((KERMIT, small.1.len())));
    }

    #[test]
    fn the_cursor_of_an_object_is_before_the_first_frame_that_was_not_taken() {
        let mut pulls = Pulls::default();
        assert!(!pulls.hold_back(&batch(KERMIT, 7, 1).1));
        pulls.begin(KERMIT, None);
        assert_eq!(pulls.get(KERMIT), Some(Pull { after: None, by_peer: false }));
        for seq in [7, 8] {
            assert!(pulls.hold_back(&batch(KERMIT, seq, 1).1));
            assert_eq!(pulls.get(KERMIT).and_then(|pull| pull.after), Some(Seq(6)));
        }
        pulls.hold_back(&batch(KERMIT, 3, 1).1);
        assert_eq!(pulls.get(KERMIT).and_then(|pull| pull.after), Some(Seq(2)));
        pulls.advance(KERMIT, Seq(8));
        // What was given once more is dropped once more.
        pulls.begin(KERMIT, Some(Seq(5)));
        assert_eq!(pulls.get(KERMIT).and_then(|pull| pull.after), Some(Seq(5)));
        pulls.end(KERMIT);
        assert!(pulls.is_empty() && !pulls.hold_back(&batch(KERMIT, 9, 1).1));
    }

    #[test]
    fn one_after_the_other_has_its_turn_and_who_rests_has_none() {
        let mut pulls = Pulls::default();
        for object in [KERMIT, NAPKIN, BLOT] {
            pulls.begin(object, Some(Seq(1)));
        }
        assert_eq!((pulls.next(), pulls.next()), (Some(KERMIT), None));
        pulls.rouse(KERMIT);
        pulls.rest(BLOT);
        assert_eq!(pulls.next(), Some(NAPKIN));
        pulls.end(NAPKIN);
        assert_eq!(pulls.next(), Some(KERMIT));
        pulls.rest(KERMIT);
        assert_eq!(pulls.next(), None);
        pulls.rouse(BLOT);
        pulls.rouse(NAPKIN);
        assert_eq!((pulls.next(), pulls.next()), (Some(BLOT), None));
    }

    #[test]
    fn who_rests_and_is_roused_over_and_over_has_one_turn() {
        let mut pulls = Pulls::default();
        for object in [KERMIT, NAPKIN] {
            pulls.begin(object, Some(Seq(1)));
        }
        for _ in 0..100 {
            pulls.rest(KERMIT);
            pulls.rouse(KERMIT);
        }
        assert!(pulls.turns.len() <= 5, "{:?}", pulls.turns);
        let mut had = [pulls.next(), None];
        pulls.rest(had[0].expect("one has its turn"));
        had[1] = pulls.next();
        had.sort_unstable();
        assert_eq!(had, [Some(KERMIT), Some(NAPKIN)]);
        pulls.rest(had[1].expect("the other has its turn"));
        pulls.end(KERMIT);
        pulls.end(NAPKIN);
        assert_eq!((pulls.next(), pulls.is_empty()), (None, true));
    }
}
