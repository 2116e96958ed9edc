//! Histories that begin anew: what is gone on with, and what is left out.

use super::*;
use crate::{
    journal::rebase::Rebased,
    object::Kind,
    wire::{Batch, BatchBuilder, Frame},
};

const NEW: Epoch = Epoch([0x9e; 8]);
const AMY: SessionId = SessionId([0xa2; 16]);

/// Shouts of Alec and Amy in turn, from `first` on, with their seqs as payloads.
fn shouts(object: ObjectId, number: u64, first: u64, count: u64) -> Change {
    let mut batch = BatchBuilder::new(object, Epoch([0xe0; 8]), Seq(first));
    for seq in first..first + count {
        let session = if seq % 2 == 0 { ALEC } else { AMY };
        let tag = "pond.blot".parse().expect("is a tag");
        let carried = [Carried { object: BLOT, tag, seq: Seq(77) }];
        let payload = seq.to_le_bytes();
        batch.push_asking(session, Op(seq + 100), Kind(3), &carried, &payload, true);
    }
    let (last, frame) = (Seq(first + count - 1), batch.seal(1_234));
    let entry = Entry::Chunk { first: Seq(first), last, frame };
    Change::Entry { object, number, entry }
}

fn rebased(changes: &[Change]) -> Rebased {
    let begun = [begun(), defined(KERMIT, true)];
    after(&[&begun, changes].concat()).objects[&KERMIT].rebase(NEW).expect("can be gone on with")
}

fn batches(kept: &Kept) -> Vec<Batch> {
    let frames = kept.entries.iter().map(|entry| match entry {
        Entry::Chunk { frame, .. } => frame.slice(4..),
        Entry::Refused { .. } => panic!("nothing is refused anew"),
    });
    frames
        .map(|frame| match Frame::decode(&frame) {
            Ok(Frame::Batch(batch)) => batch,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The new seqs with the old ones.
fn places(kept: &Kept) -> Vec<(u64, u64)> {
    let batches = batches(kept);
    let shouts = batches.iter().flat_map(Batch::shouts);
    shouts
        .map(|shout| {
            let old = shout.payload[..].try_into().expect("has eight bytes");
            (shout.seq.0, u64::from_le_bytes(old))
        })
        .collect()
}

#[test]
fn shouts_behind_the_state_count_from_1_in_the_new_epoch() {
    let changes = [
        state(KERMIT, 5, b"green"),
        shouts(KERMIT, 0, 1, 4),
        shouts(KERMIT, 1, 5, 3),
        refused(KERMIT, 2),
        shouts(KERMIT, 3, 8, 2),
    ];
    let Rebased { kept, left_out } = rebased(&changes);
    assert_eq!(left_out, [""; 0]);
    assert_eq!(kept.damage(), None);
    assert_eq!(kept.definition, Some(Definition { epoch: NEW, ..definition(true) }));
    let state = kept.state.as_ref().expect("has one");
    assert_eq!((state.seq, &state.bytes[..]), (Seq(0), &b"green"[..]));
    assert_eq!(places(&kept), [(1, 6), (2, 7), (3, 8), (4, 9)]);
    for batch in batches(&kept) {
        assert_eq!((batch.object, batch.epoch, batch.hub_time_ms), (KERMIT, NEW, 1_234));
        assert!(batch.sessions.iter().all(|(session, _)| ![ALEC, AMY].contains(session)));
        assert!(batch.shouts().all(|shout| shout.kind == Kind(3) && !shout.asks));
    }
}

#[test]
fn whoever_shouted_stays_one_and_their_ops_count_from_1() {
    let Rebased { kept, .. } =
        rebased(&[state(KERMIT, 0, b""), shouts(KERMIT, 0, 1, 3), shouts(KERMIT, 1, 4, 3)]);
    let mut ops = std::collections::BTreeMap::<_, Vec<_>>::new();
    for batch in batches(&kept) {
        for shout in batch.shouts() {
            ops.entry(batch.sessions[shout.session].0).or_default().push(shout.op.0);
        }
    }
    assert_eq!(ops.into_values().collect::<Vec<_>>(), [[1, 2, 3], [1, 2, 3]]);
    assert_eq!(kept.marks.marks, []);
}

#[test]
fn what_is_carried_waits_for_no_seq_of_a_history_that_is_no_more() {
    let Rebased { kept, .. } = rebased(&[state(KERMIT, 0, b""), shouts(KERMIT, 0, 1, 2)]);
    let carried = &kept.state.as_ref().expect("has one").carried;
    assert_eq!((carried[0].object, carried[0].seq), (BLOT, Seq(0)));
    for shout in batches(&kept)[0].shouts() {
        assert_eq!((shout.carried[0].object, shout.carried[0].seq), (BLOT, Seq(0)));
    }
}

#[test]
fn without_a_state_the_tail_begins_with_what_is_left_of_it() {
    let changes = [begun(), defined(KERMIT, false), cut(KERMIT, 2, 6), shouts(KERMIT, 2, 7, 2)];
    let Rebased { kept, left_out } =
        after(&changes).objects[&KERMIT].rebase(NEW).expect("can be gone on with");
    assert_eq!((places(&kept), left_out.len()), (vec![(1, 7), (2, 8)], 0));
}

#[test]
fn a_gap_ends_the_tail_and_is_told() {
    let changes = [
        state(KERMIT, 0, b""),
        shouts(KERMIT, 0, 1, 2),
        shouts(KERMIT, 2, 5, 2),
        shouts(KERMIT, 3, 7, 2),
    ];
    let Rebased { kept, left_out } = rebased(&changes);
    assert_eq!(places(&kept), [(1, 1), (2, 2)]);
    assert_eq!(left_out, ["entry 1 is missing before 2", "the shouts #3 to #8 are left out"]);
}

#[test]
fn what_is_no_batch_is_a_gap() {
    let changes = [state(KERMIT, 0, b""), shouts(KERMIT, 0, 1, 2), chunk(KERMIT, 1, 3, 4)];
    let Rebased { kept, left_out } = rebased(&changes);
    assert_eq!(places(&kept), [(1, 1), (2, 2)]);
    assert_eq!(left_out, ["the shouts #3 to #4 are left out"]);
}

#[test]
fn an_object_without_its_definition_or_state_cannot_be_gone_on_with() {
    let without = |changes: &[Change]| {
        after(changes).objects[&KERMIT].rebase(NEW).map(drop).expect_err("is lost")
    };
    assert_eq!(without(&[begun(), state(KERMIT, 0, b"")]), "its definition is lost");
    assert_eq!(without(&[begun(), defined(KERMIT, true)]), "its state is lost");
}

#[test]
fn its_changes_make_a_journal_that_holds_it_in_place_of_the_old_one() {
    let changes = [begun(), defined(KERMIT, true), state(KERMIT, 2, b"g"), shouts(KERMIT, 0, 3, 2)];
    let mut journal = Memory::default();
    committed(&mut journal, &changes, 0);
    let Rebased { kept, .. } =
        read(&mut journal).objects[&KERMIT].rebase(NEW).expect("can be gone on with");
    let expected = format!("{:?} {:?}", kept.entries, kept.marks);
    let anew: Vec<_> = kept.changes().collect();
    committed(&mut journal, &anew, 4);
    let contents = read(&mut journal);
    let found = &contents.objects[&KERMIT];
    assert_eq!(found.damage(), None);
    assert_eq!(format!("{:?} {:?}", found.entries, found.marks), expected);
    assert_eq!((found.last(), found.records()), (Seq(2), 4));
}

#[test]
fn the_largest_batches_and_shouts_come_through() {
    let mut batch = BatchBuilder::new(KERMIT, Epoch([0xe0; 8]), Seq(u64::MAX / 2));
    let payload = [7; 600];
    while batch.has_room(payload.len(), &[]) {
        let who = SessionId([batch.count() as u8; 16]);
        batch.push(who, Op(u64::MAX / 2 + u64::from(batch.count())), Kind(1), &[], &payload);
    }
    let (first, count) = (Seq(u64::MAX / 2), u64::from(batch.count()));
    let last = Seq(first.0 + count - 1);
    let entry = Entry::Chunk { first, last, frame: batch.seal(1) };
    let changes =
        [begun(), defined(KERMIT, false), Change::Entry { object: KERMIT, number: 0, entry }];
    let Rebased { kept, left_out } =
        after(&changes).objects[&KERMIT].rebase(NEW).expect("can be gone on with");
    assert_eq!((kept.last(), left_out.len(), kept.entries.len()), (Seq(count), 0, 1));
}
