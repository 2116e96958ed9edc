//! An object's history: the one place where shouts get their seq.
//!
//! A value: no actor, no clock, no await. In come shouts with their session and op; out come
//! decisions, and chunks that are the same bytes for every leaf. What it keeps is what remains
//! when the repeater around it panics: marks (who is at which op, with the outcomes), the tail of
//! chunks for those who catch up, and the state that the tail follows.

mod copied;
mod keeping;
mod marks;
mod news;
mod owner;
mod restore;
mod snapshots;

use std::collections::VecDeque;

use bytes::Bytes;

pub(crate) use self::marks::Run;
use self::{
    keeping::Keeping,
    marks::Mark,
    news::{News, ids},
    owner::Ownership,
};
use super::{
    by_session::BySession,
    life::{Ids, ListChange},
};
use crate::{
    limits::{CHUNK_BYTES, TAIL_BYTES_MAX},
    object::{Carried, Cursor, Epoch, Kind, ObjectId, Op, Resync, ResyncReason, Seq, SessionId},
    wire::BatchBuilder,
};

/// What an object is, given its order and its past.
#[derive(Debug)]
pub(crate) struct History {
    epoch: Epoch,
    /// The state that the tail follows; none for `state none`.
    snapshot: Option<Box<Snapshot>>,
    tail: VecDeque<Chunk>,
    tail_bytes: usize,
    /// Shouts that have their seq and are in no chunk yet.
    open: BatchBuilder,
    /// What they carry, and the directory does not know of; none where nothing is carried.
    news: Option<Box<News>>,
    marks: BySession<Mark>,
    /// Who owns it; none without asks.
    ownership: Option<Box<Ownership>>,
    /// What is to be in the journal; none for a hub without one.
    keeping: Option<Box<Keeping>>,
}

/// A state, and the last seq that it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) seq: Seq,
    pub(crate) state: Bytes,
    pub(crate) carried: Vec<Carried>,
}

/// Consecutive shouts as one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) first: Seq,
    pub(crate) last: Seq,
    pub(crate) frame: Bytes,
    /// The objects that it carries, if any.
    pub(crate) carried: Option<Ids>,
}

/// A shout that asks for its place.
#[derive(Debug)]
pub(crate) struct Offer<'a> {
    pub(crate) op: Op,
    pub(crate) kind: Kind,
    /// Whether it asks who has handled it, and by when.
    pub(crate) handled_within_ms: Option<u32>,
    pub(crate) carried: Vec<Carried>,
    pub(crate) payload: &'a [u8],
}

/// What became of a shout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It has its place now.
    Sequenced(Seq),
    /// It had its place before; it is not heard again.
    Duplicate(Seq),
    /// It was refused before; it still is.
    RefusedBefore,
    /// It is not the next one: nothing is used up.
    Gap(Op),
    /// It is not the next one, and the session has been told which one is.
    GapAgain,
    /// The tail is at its bound and nobody has made a newer state: the op is used up.
    TailFull,
}

/// What a leaf is given when it joins, of one and the same moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CatchUp {
    /// Where its hearing begins.
    pub(crate) start: Seq,
    /// The state to restore first, which is the one at `start`.
    pub(crate) restore: Option<Snapshot>,
    /// Whether it has been given that already.
    pub(crate) is_ahead: bool,
    /// What it missed for good.
    pub(crate) resync: Option<Resync>,
    /// What it hears first, perhaps with shouts at or below `start` at the beginning.
    pub(crate) chunks: Vec<Bytes>,
    /// The last shout of these, or `start`: it is behind if that is not the last of all.
    pub(crate) end: Seq,
}

impl CatchUp {
    /// It stays where it is.
    pub(crate) fn nothing(at: Seq) -> Self {
        let (restore, is_ahead, resync, chunks) = (None, false, None, Vec::new());
        Self { start: at, restore, is_ahead, resync, chunks, end: at }
    }
}

impl History {
    /// An object without a past. `state` is what it begins with, none for `state none`.
    pub(crate) fn new(
        object: ObjectId,
        epoch: Epoch,
        state: Option<(Bytes, Vec<Carried>)>,
    ) -> Self {
        let listed = state.as_ref().and_then(|(_, carried)| ids(carried));
        let news = listed.map(|state| Box::new(News::of_state(state)));
        Self {
            epoch,
            snapshot: state
                .map(|(state, carried)| Box::new(Snapshot { seq: Seq(0), state, carried })),
            tail: VecDeque::new(),
            tail_bytes: 0,
            open: BatchBuilder::new(object, epoch, Seq(1)),
            news,
            marks: BySession::default(),
            ownership: None,
            keeping: None,
        }
    }

    /// One that begins anew with its last state.
    pub(crate) fn renewed(self, object: ObjectId, epoch: Epoch) -> Self {
        let owner = self.ownership.as_ref().map(|_| self.owner());
        let state = self.snapshot.map(|snapshot| (snapshot.state, snapshot.carried));
        let mut renewed = Self::new(object, epoch, state);
        if let Some(owner) = owner {
            renewed.own(owner);
        }
        renewed
    }

    /// Decides on a shout. The caller has made [`room`](Self::has_room) for it.
    ///
    /// Everything that can fail comes before the first change.
    pub(crate) fn offer(&mut self, session: SessionId, offer: &Offer<'_>) -> Decision {
        let full = self.is_full();
        let mark = self.marks.get_or_insert_with(session, || Mark::new(session));
        if let Some(decision) = mark.out_of_turn(offer.op) {
            return decision;
        }
        if full {
            mark.settle(Seq(0));
            self.keep_refusal(session, offer.op);
            return Decision::TailFull;
        }
        let seq = self.open.next_seq();
        let Offer { op, kind, payload, .. } = *offer;
        let asks = offer.handled_within_ms.is_some();
        self.open.push_asking(session, op, kind, &offer.carried, payload, asks);
        if !offer.carried.is_empty() {
            let news = self.news.get_or_insert_default();
            news.open.extend(offer.carried.iter().map(|each| each.object));
        }
        mark.settle(seq);
        Decision::Sequenced(seq)
    }

    /// Refuses a shout: if it is the next one, its op is used up.
    pub(crate) fn refuse(&mut self, session: SessionId, op: Op) -> Decision {
        let mark = self.marks.get_or_insert_with(session, || Mark::new(session));
        if let Some(decision) = mark.out_of_turn(op) {
            return decision;
        }
        mark.settle(Seq(0));
        self.keep_refusal(session, op);
        Decision::RefusedBefore
    }

    /// Gives a word of the hub's own its place, whatever the tail holds. The chunk before it is
    /// sealed. Its op is its seq: no mark is needed.
    pub(crate) fn say(&mut self, kind: Kind, payload: &[u8]) {
        let op = Op(self.open.next_seq().0);
        self.open.push(SessionId::OF_HUB, op, kind, &[], payload);
    }

    /// Whether the tail is not full, so that the hub can say what others may have it say again and
    /// again.
    pub(crate) fn has_room_to_say(&self) -> bool {
        !self.is_full()
    }

    /// Whether the open chunk has room for this shout; else [`seal`](Self::seal) first.
    pub(crate) fn has_room(&self, offer: &Offer<'_>) -> bool {
        self.open.has_room(offer.payload.len(), &offer.carried)
    }

    /// Closes the open chunk, if there is anything in it.
    pub(crate) fn seal(&mut self, hub_time_ms: u64) -> Option<Bytes> {
        if self.open.count() == 0 {
            return None;
        }
        let (first, last) = (self.sealed().next(), self.last());
        let frame = self.open.seal(hub_time_ms);
        self.tail_bytes += frame.len();
        let carried = self.news.as_mut().and_then(|news| news.seal());
        let chunk = Chunk { first, last, frame: frame.clone(), carried };
        if let Some(keeping) = &mut self.keeping {
            keeping.seal(&chunk);
        }
        self.tail.push_back(chunk);
        self.drop_oldest_while(Self::is_over);
        Some(frame)
    }

    /// Lets the tail hold no more than so many bytes, unless it follows a state.
    pub(crate) fn shorten(&mut self, bytes: usize) {
        self.drop_oldest_while(|history| history.held_bytes() > bytes);
    }

    /// Bytes that the tail takes, about.
    pub(crate) fn held_bytes(&self) -> usize {
        self.tail_bytes + self.tail.len() * CHUNK_BYTES
    }

    /// How the list of what its state and tail carry has changed since this was last asked.
    pub(crate) fn list_change(&mut self) -> Option<ListChange> {
        let News { open, change } = *self.news.take_if(|news| !news.change.is_empty())?;
        if !open.is_empty() {
            self.news().open = open;
        }
        Some(change)
    }

    /// What a leaf with this cursor, or none, is given: of so many bytes, or one chunk. The open
    /// chunk has been sealed.
    pub(crate) fn catch_up(&self, cursor: Option<Cursor>, bytes: usize) -> CatchUp {
        #[cfg(feature = "testing")]
        let cursor = super::faults::misread(cursor, self.last());
        let catch_up = self.catch_up_from(cursor, bytes);
        #[cfg(feature = "testing")]
        let catch_up = super::faults::spoil(cursor, catch_up);
        catch_up
    }

    fn catch_up_from(&self, cursor: Option<Cursor>, bytes: usize) -> CatchUp {
        let oldest = self.tail.front().map_or(self.last().next(), |chunk| chunk.first);
        match cursor {
            Some(Cursor { epoch, seq }) if epoch != self.epoch || seq > self.last() => {
                self.start_over(Some((ResyncReason::Epoch, Seq(0))), bytes)
            }
            Some(Cursor { seq, .. }) if seq.next() >= oldest => self.follow(seq, None, bytes),
            Some(Cursor { seq, .. }) if self.snapshot.is_none() => {
                let start = Seq(oldest.0 - 1);
                self.follow(start, Some(missed(ResyncReason::Missed, seq, start)), bytes)
            }
            Some(Cursor { seq, .. }) => self.start_over(Some((ResyncReason::Missed, seq)), bytes),
            None => self.start_over(None, bytes),
        }
    }

    /// A session has shouted, whatever became of that.
    pub(crate) fn remember(&mut self, session: SessionId) {
        self.marks.get_or_insert_with(session, || Mark::new(session));
    }

    /// Forgets a session that has ended for good.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.marks.remove(session);
    }

    /// The sessions that have a mark.
    pub(crate) fn shouters(&self) -> impl Iterator<Item = SessionId> {
        self.marks.all().iter().map(|mark| mark.session)
    }

    /// The op that is awaited from a session.
    pub(crate) fn next_op(&self, session: SessionId) -> Op {
        #[cfg(feature = "testing")]
        if super::faults::Fault::DedupOff.is_armed() {
            let next = self.marks.get(session).map_or(1, |mark| mark.next.0);
            return Op(next.saturating_sub(1).max(1));
        }
        self.marks.get(session).map_or(Op(1), |mark| mark.next)
    }

    /// The outcomes of a session's earlier ops, as far back as a window reaches.
    pub(crate) fn outcomes(&self, session: SessionId) -> impl Iterator<Item = Run> + '_ {
        self.marks.get(session).into_iter().flat_map(Mark::outcomes)
    }

    /// Whether chunks, seqs and bytes agree with each other: asked after a panic.
    pub(crate) fn is_sound(&self) -> bool {
        let mut next = self.tail.front().map_or(self.sealed().next(), |chunk| chunk.first);
        for chunk in &self.tail {
            if chunk.first != next || chunk.last < chunk.first {
                return false;
            }
            next = chunk.last.next();
        }
        next == self.sealed().next()
            && self.follows_its_snapshot()
            && self.tail_bytes == self.tail.iter().map(|chunk| chunk.frame.len()).sum::<usize>()
    }

    /// Makes chunks, seqs and bytes disagree.
    #[cfg(feature = "testing")]
    pub(super) fn damage(&mut self) {
        self.tail_bytes += 1;
    }

    /// Its history's name.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The last seq given.
    pub(crate) fn last(&self) -> Seq {
        Seq(self.open.next_seq().0 - 1)
    }

    /// The last seq in a chunk.
    fn sealed(&self) -> Seq {
        Seq(self.last().0 - u64::from(self.open.count()))
    }

    fn follow(&self, start: Seq, resync: Option<Resync>, bytes: usize) -> CatchUp {
        let behind = self.tail.partition_point(|chunk| chunk.last <= start);
        let (mut chunks, mut end, mut given) = (Vec::new(), start, 0);
        for chunk in self.tail.range(behind..) {
            given += chunk.frame.len();
            if given > bytes && !chunks.is_empty() {
                break;
            }
            chunks.push(chunk.frame.clone());
            end = chunk.last;
        }
        CatchUp { start, restore: None, is_ahead: false, resync, chunks, end }
    }

    fn start_over(&self, gap: Option<(ResyncReason, Seq)>, bytes: usize) -> CatchUp {
        let start = self.snapshot.as_ref().map_or(self.last(), |snapshot| snapshot.seq);
        let resync = gap.map(|(reason, heard)| missed(reason, heard, start));
        CatchUp { restore: self.snapshot.as_deref().cloned(), ..self.follow(start, resync, bytes) }
    }

    /// With a state, the tail is needed to make the present out of it.
    fn is_full(&self) -> bool {
        self.snapshot.is_some() && self.is_over()
    }

    fn is_over(&self) -> bool {
        self.tail_bytes > TAIL_BYTES_MAX || self.kept() > tail_shouts_max() as u64
    }

    /// Shouts since the beginning of the tail.
    fn kept(&self) -> u64 {
        self.tail.front().map_or(0, |chunk| self.last().0 + 1 - chunk.first.0)
    }

    /// With a state, every chunk is needed.
    fn drop_oldest_while(&mut self, is_over: impl Fn(&Self) -> bool) {
        while self.snapshot.is_none() && is_over(self) && !self.tail.is_empty() {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some(chunk) = self.tail.pop_front() else { return };
        self.tail_bytes -= chunk.frame.len();
        self.forget_owners(chunk.last);
        if let Some(keeping) = &mut self.keeping {
            keeping.drop_oldest(chunk.frame.len());
        }
        if chunk.carried.is_some() {
            self.news().change.dropped += 1;
        }
    }

    fn keep_refusal(&mut self, session: SessionId, op: Op) {
        if let Some(keeping) = &mut self.keeping {
            keeping.refuse(session, op);
        }
    }

    fn news(&mut self) -> &mut News {
        self.news.get_or_insert_default()
    }
}

/// The bound, which simulations make smaller.
#[cfg(feature = "testing")]
fn tail_shouts_max() -> usize {
    super::faults::tail_shouts_max()
}

#[cfg(not(feature = "testing"))]
fn tail_shouts_max() -> usize {
    crate::limits::TAIL_SHOUTS_MAX
}

fn missed(reason: ResyncReason, heard: Seq, start: Seq) -> Resync {
    Resync { reason, from: heard.next(), to: start }
}

#[cfg(test)]
mod tests;
