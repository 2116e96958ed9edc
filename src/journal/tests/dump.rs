//! Journals brought out and in.

use rand::{SeedableRng, rngs::StdRng};

use super::*;
use crate::journal::{Imported, export, import, record::Key, salvage, salvage_file};

fn exported(changes: &[Change]) -> Vec<u8> {
    let (mut journal, mut file) = (Memory::default(), Vec::new());
    committed(&mut journal, changes, 0);
    export(&mut journal, &mut file, |_| {}).expect("is whole");
    file
}

fn imported(mut file: &[u8]) -> Result<(Contents, Imported), JournalError> {
    let mut journal = Memory::default();
    let imported = import(&mut file, &mut journal, &mut StdRng::seed_from_u64(7), |_| {})?;
    Ok((read(&mut journal), imported))
}

/// A name for two objects, and one without.
fn objects() -> Vec<Change> {
    let mut changes = every_kind();
    changes.truncate(5);
    let nameless = Definition { name: None, pinned: false, ..definition(false) };
    changes.push(Change::Defined { object: BLOT, definition: Box::new(nameless) });
    changes
}

#[test]
fn an_import_is_another_hub_with_the_same_objects_and_no_sessions() {
    let (contents, imported) = imported(&exported(&objects())).expect("is whole");
    assert_eq!(imported, Imported { objects: 2, left_out: Vec::new() });
    assert!(contents.hub().is_some_and(|hub| hub != HUB));
    assert_eq!(contents.sessions(), 0);
    assert_eq!(contents.ended, [(1, ObjectId([0xee; 16]))].into());
    let kermit = &contents.objects[&KERMIT];
    assert_eq!((kermit.name(), kermit.is_pinned(), kermit.damage()), (Some("kermit"), true, None));
    let state = kermit.state.as_ref().expect("has one");
    assert_eq!((state.seq, &state.bytes[..]), (Seq(0), &b"green"[..]));
    let epochs = contents.objects.values().map(|kept| kept.definition.as_ref().map(|is| is.epoch));
    let epochs: std::collections::BTreeSet<_> = epochs.map(|epoch| epoch.map(|is| is.0)).collect();
    assert!(epochs.len() == 2 && !epochs.contains(&Some([0xe0; 8])));
}

#[test]
fn an_export_that_is_cut_changed_or_none_is_refused() {
    let file = exported(&objects());
    for end in 0..file.len() {
        let error = imported(&file[..end]).map(drop).expect_err("is cut off");
        assert_eq!(matches!(error, JournalError::Foreign(_)), end < 8, "{end}: {error:?}");
        assert!(matches!(error, JournalError::Foreign(_) | JournalError::Damaged { .. }));
    }
    for at in 0..file.len() {
        let mut other = file.clone();
        other[at] ^= 1;
        assert!(imported(&other).is_err(), "byte {at} is another");
    }
    assert!(imported(&[&file[..], b"x"].concat()).is_err());
}

#[test]
fn an_import_goes_into_an_empty_journal_only() {
    let mut journal = Memory::default();
    committed(&mut journal, &[begun()], 0);
    let file = exported(&objects());
    let refused = import(&mut &file[..], &mut journal, &mut StdRng::seed_from_u64(1), |_| {});
    assert!(matches!(refused, Err(JournalError::Occupied)), "{refused:?}");
    assert_eq!(records(&mut journal).len(), 1);
}

#[test]
fn an_import_that_was_cut_short_is_no_journal() {
    struct Full(Memory);
    impl Journal for Full {
        fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
            // All but the last of them.
            self.0.commit(&edits[..edits.len() - 1])?;
            Err(JournalError::Store("the disk is full".to_owned()))
        }

        fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
            self.0.read(each)
        }
    }
    let (file, mut journal) = (exported(&objects()), Full(Memory::default()));
    let failed = import(&mut &file[..], &mut journal, &mut StdRng::seed_from_u64(1), |_| {});
    assert!(matches!(failed, Err(JournalError::Store(_))));
    let refused = Contents::of(&mut journal);
    assert!(matches!(refused, Err(JournalError::Damaged { .. })), "{refused:?}");
}

/// A journal in which the state of one object is not whole.
fn damaged() -> Memory {
    let mut journal = Memory::default();
    committed(&mut journal, &objects(), 0);
    let key = Key::State(KERMIT).encode();
    journal.commit(&[Edit::Put { key, value: Bytes::from_static(b"nothing") }]).expect("commits");
    journal
}

#[test]
fn an_export_refuses_what_is_damaged_and_a_salvage_leaves_it_out() {
    let refused = export(&mut damaged(), &mut Vec::new(), |_| {}).expect_err("is not whole");
    assert!(refused.to_string().contains("--salvage"), "{refused}");
    let (mut file, mut left_out) = (Vec::new(), Vec::new());
    let count = salvage(&mut damaged(), &mut file, |_| {}, |place| left_out.push(place));
    assert_eq!(count.expect("writes"), 5);
    assert_eq!(left_out, [format!("{:?}", Key::State(KERMIT))]);
    let (contents, imported) = imported(&file).expect("is an export");
    assert_eq!(contents.objects().map(Kept::id).collect::<Vec<_>>(), [BLOT]);
    assert_eq!(imported.left_out, [format!("{KERMIT} (kermit): its state is lost")]);
}

#[test]
fn records_are_found_wherever_they_lie_and_the_latest_of_each_is_taken() {
    let mut journal = Memory::default();
    committed(&mut journal, &objects(), 0);
    let old = records(&mut journal);
    committed(&mut journal, &[state(KERMIT, 9, b"blue")], 6);
    let mut bytes = b"mpx\x01 is no record, nor mpx".to_vec();
    for (_, value) in records(&mut journal).into_iter().rev().chain(old) {
        bytes.extend_from_slice(&value);
        bytes.extend_from_slice(b"mpx\x01\xff\xff");
    }
    let mut file = Vec::new();
    assert_eq!(salvage_file(&bytes, &mut file, |_| {}).expect("writes"), 6);
    let (contents, _) = imported(&file).expect("is an export");
    let state = contents.objects[&KERMIT].state.as_ref().expect("has one");
    assert_eq!(&state.bytes[..], b"blue");
}

#[test]
fn without_the_journals_own_record_the_rest_is_still_imported() {
    let mut journal = Memory::default();
    committed(&mut journal, &objects()[1..], 1);
    let mut file = Vec::new();
    export(&mut journal, &mut file, |_| {}).expect("is whole");
    assert_eq!(imported(&file).expect("is an export").1.objects, 2);
}

#[test]
fn the_later_of_two_objects_keeps_a_name_that_both_have() {
    let mut changes = objects();
    changes.push(defined(ObjectId([0xff; 16]), false));
    let (contents, imported) = imported(&exported(&changes)).expect("is whole");
    assert_eq!(contents.objects[&KERMIT].name(), None);
    assert_eq!(contents.objects[&ObjectId([0xff; 16])].name(), Some("kermit"));
    assert_eq!(imported.left_out, [format!("{KERMIT}: its name kermit, which a later one has")]);
}
