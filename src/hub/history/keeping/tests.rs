//! What is kept of a history is the history.

use std::collections::BTreeMap;

use bytes::Bytes;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use super::super::*;
use crate::{
    journal::{Change, Committer, Contents, Definition, Held, Memory, ResumeKeys, Writer},
    object::{Codec, HubId, InterfaceId},
};

const OBJECT: ObjectId = ObjectId([1; 16]);
const EPOCH: Epoch = Epoch([2; 8]);

/// A history and the journal that it is kept in.
struct Kept {
    history: History,
    journal: Memory,
    writer: Writer,
    committer: Committer,
    /// The next op of each session.
    ops: BTreeMap<SessionId, u64>,
}

impl Kept {
    fn new(state: Option<Bytes>) -> Self {
        let journal = Memory::default();
        let (writer, committer) = Writer::new(Box::new(journal.clone()), 0);
        let definition = Definition {
            epoch: EPOCH,
            interface: InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 },
            codec: Codec::POSTCARD,
            owner: session(0),
            name: None,
            pinned: false,
            presence: false,
            stateful: state.is_some(),
            handover: true,
            asks: vec![Kind(2)],
        };
        let mut history = History::new(OBJECT, EPOCH, state.map(|state| (state, Vec::new())));
        history.own(session(0));
        history.keep();
        let state = history.state().map(|state| Change::State { object: OBJECT, state });
        let defined = Change::Defined { object: OBJECT, definition: Box::new(definition) };
        let keys = ResumeKeys { fresh: Held { hash: [0; 32], attempt: 0 }, used: None };
        let sessions = (0..4).map(|n| Change::Session { session: session(n), keys });
        writer.submit([Change::Begun(HubId([9; 16])), defined]);
        writer.submit(sessions.chain(state));
        Self { history, journal, writer, committer, ops: BTreeMap::new() }
    }

    /// A shout that is next in turn, or not.
    fn shout(&mut self, random: &mut StdRng) {
        let session = session(random.random_range(0..4));
        let op = self.ops.entry(session).or_insert(1);
        let payload = vec![7; random.random_range(0..40_000)];
        let (carried, kind) = (Vec::new(), Kind(1));
        let offer =
            Offer { op: Op(*op), kind, handled_within_ms: None, carried, payload: &payload };
        if !self.history.has_room(&offer) {
            self.history.seal(1);
        }
        let refused = random.random_ratio(1, 5);
        if refused {
            self.history.refuse(session, Op(*op));
        } else {
            self.history.offer(session, &offer);
        }
        *op += 1;
    }

    /// Another session owns the object, or nobody.
    fn hand_over(&mut self, random: &mut StdRng) {
        self.flush();
        let owners = [session(0), session(1), session(2), SessionId::OF_HUB];
        self.history.hand_over(owners[random.random_range(0..owners.len())]);
    }

    /// What happens at the end of a turn.
    fn flush(&mut self) {
        self.history.seal(1);
        self.writer.submit(self.history.unkept(OBJECT));
        self.history.kept_all();
    }

    fn snapshot(&mut self, random: &mut StdRng) {
        let last = self.history.last().0;
        let at = Cursor { epoch: EPOCH, seq: Seq(random.random_range(0..=last)) };
        let state = Bytes::from(random.next_u64().to_le_bytes().to_vec());
        let _unfit = self.history.take_snapshot(at, state, Vec::new());
    }

    fn restored(&mut self) -> History {
        self.committer.commit();
        let contents = Contents::of(&mut self.journal).expect("it is whole");
        let kept = &contents.objects[&OBJECT];
        History::restored(OBJECT, kept, |_| true).expect("it is sound")
    }
}

fn session(n: u8) -> SessionId {
    SessionId([n + 10; 16])
}

type Told = (Seq, Option<Snapshot>, BTreeMap<SessionId, (Op, Vec<Run>)>);

/// All that a history tells, but for the beginning of its tail.
fn told(history: &History) -> Told {
    let mark = |session| (history.next_op(session), history.outcomes(session).collect());
    let marks = history.shouters().map(|session| (session, mark(session))).collect();
    (history.last(), history.snapshot.as_deref().cloned(), marks)
}

/// The tail that is kept may reach further back.
fn assert_same(restored: &History, history: &History) {
    assert!(restored.is_sound());
    assert_eq!(told(restored), told(history));
    let further = restored.tail.len().checked_sub(history.tail.len()).expect("as long a tail");
    assert!(restored.tail.iter().skip(further).eq(&history.tail), "another tail");
    assert_eq!(restored.owner(), history.owner());
    let begin = history.tail.front().map_or(history.last(), |chunk| Seq(chunk.first.0 - 1));
    for seq in (begin.0..=history.last().0).map(Seq) {
        assert_eq!(restored.owner_at(seq), history.owner_at(seq), "at {seq}");
    }
}

#[test]
fn g9_refusals_alone_do_not_make_a_journal_grow_without_end() {
    let mut kept = Kept::new(None);
    for op in 1..=50_000 {
        kept.history.refuse(session(1), Op(op));
        kept.flush();
        if op % 1_000 == 0 {
            kept.committer.commit();
        }
    }
    let contents = Contents::of(&mut kept.journal).expect("it is whole");
    assert!(contents.records() < 12_000, "{} records", contents.records());
    assert_eq!(kept.restored().next_op(session(1)), Op(50_001));
}

#[test]
fn g10_a_history_is_restored_as_it_was_whatever_happened_to_it() {
    for seed in 0..200 {
        let random = &mut StdRng::seed_from_u64(seed);
        let state = random.random_bool(0.5).then(|| Bytes::from_static(b"state"));
        let mut kept = Kept::new(state);
        for _ in 0..random.random_range(1..400) {
            match random.random_range(0..100) {
                0..70 => kept.shout(random),
                70..95 => kept.flush(),
                95 => kept.hand_over(random),
                96 => kept.history.shorten(random.random_range(0..500_000)),
                97 => kept.snapshot(random),
                _ => {
                    kept.flush();
                    let mut restored = kept.restored();
                    assert_same(&restored, &kept.history);
                    let _known = restored.list_change();
                    kept.history = restored;
                }
            }
        }
    }
}
