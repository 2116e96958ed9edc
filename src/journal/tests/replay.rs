//! Changes, and what a journal holds after them: in memory and by redb alike.

use super::*;

/// What each journal holds after these, which is the same.
fn after_each(changes: &[Change]) -> Vec<Contents> {
    let mut contents = vec![after(changes)];
    #[cfg(feature = "redb")]
    {
        let backend = redb::backends::InMemoryBackend::new;
        let mut redb = super::super::Redb::open_at("memory", backend).expect("opens");
        committed(&mut redb, changes, 0);
        let mut memory = Memory::default();
        committed(&mut memory, changes, 0);
        assert_eq!(records(&mut redb), records(&mut memory));
        contents.push(read(&mut redb));
    }
    contents
}

fn entries(kept: &Kept) -> Vec<(u64, u64)> {
    let chunks = kept.entries.iter().filter_map(|entry| match entry {
        Entry::Chunk { first, last, .. } => Some((first.0, last.0)),
        Entry::Refused { .. } => None,
    });
    chunks.collect()
}

#[test]
fn a_journal_in_which_nothing_was_written_holds_nothing() {
    for contents in after_each(&[]) {
        assert_eq!((contents.hub(), contents.records(), contents.number), (None, 0, 0));
    }
}

#[test]
fn the_hub_and_its_sessions_come_back() {
    let amy = SessionId([0xa2; 16]);
    let gone = Change::SessionEnded(ALEC);
    for contents in after_each(&[begun(), session(ALEC), session(amy), gone]) {
        assert_eq!(contents.hub(), Some(HUB));
        assert_eq!(contents.sessions.keys().collect::<Vec<_>>(), [&amy]);
        assert_eq!((contents.sessions(), contents.number), (1, 3));
    }
}

#[test]
fn an_object_comes_back_with_its_state_and_what_follows_it() {
    for contents in after_each(&every_kind()) {
        let kermit = contents.objects().next().expect("one");
        assert_eq!((kermit.id(), kermit.damage()), (KERMIT, None));
        assert_eq!(kermit.name(), Some("kermit"));
        assert_eq!(kermit.interface().as_deref(), Some("pond.frog v1"));
        assert_eq!((kermit.last(), kermit.records()), (Seq(5), 5));
        assert_eq!(kermit.marks, marks(1, 2));
        assert_eq!(kermit.entries.len(), 2);
        assert_eq!(contents.damage(), [""; 0]);
    }
}

#[test]
fn the_later_of_two_definitions_and_states_is_it() {
    let nameless = Definition { name: None, pinned: false, ..definition(true) };
    let nameless = Change::Defined { object: KERMIT, definition: Box::new(nameless) };
    let changes =
        [begun(), defined(KERMIT, true), state(KERMIT, 0, b""), nameless, state(KERMIT, 4, b"b")];
    for contents in after_each(&changes) {
        let kermit = &contents.objects[&KERMIT];
        assert_eq!((kermit.name(), kermit.last()), (None, Seq(4)));
        assert_eq!(kermit.state.as_ref().map(|state| &state.bytes[..]), Some(&b"b"[..]));
        assert_eq!(kermit.damage(), None);
    }
}

#[test]
fn a_cut_takes_the_entries_before_it_and_no_others() {
    let mut changes = vec![begun(), defined(KERMIT, false), defined(BLOT, false)];
    changes.extend((0..5).map(|number| chunk(KERMIT, number, number * 2 + 1, number * 2 + 2)));
    changes.extend((0..5).map(|number| chunk(BLOT, number, number + 1, number + 1)));
    changes.extend([cut(KERMIT, 3, 6), chunk(KERMIT, 5, 11, 12)]);
    for contents in after_each(&changes) {
        let (kermit, blot) = (&contents.objects[&KERMIT], &contents.objects[&BLOT]);
        assert_eq!(entries(kermit), [(7, 8), (9, 10), (11, 12)]);
        assert_eq!(entries(blot), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]);
        assert_eq!((kermit.damage(), blot.damage()), (None, None));
    }
}

#[test]
fn an_object_whose_entries_are_all_cut_still_knows_its_last_shout() {
    let changes = [begun(), defined(KERMIT, false), chunk(KERMIT, 0, 1, 6), cut(KERMIT, 1, 6)];
    for contents in after_each(&changes) {
        assert_eq!((contents.objects[&KERMIT].last(), contents.objects.len()), (Seq(6), 1));
        assert_eq!(contents.objects[&KERMIT].damage(), None);
    }
}

#[test]
fn an_object_that_ends_leaves_its_id_until_that_is_forgotten() {
    let ended = Change::Ended { object: KERMIT, place: 0 };
    let mut changes = every_kind();
    changes.extend([defined(BLOT, false), chunk(BLOT, 0, 1, 1), ended]);
    for contents in after_each(&changes) {
        assert_eq!(contents.objects().map(Kept::id).collect::<Vec<_>>(), [BLOT]);
        assert_eq!(contents.ended[&0], KERMIT);
        assert_eq!(contents.leftovers, []);
    }
    changes.push(Change::Unremembered { before: 1 });
    for contents in after_each(&changes) {
        assert_eq!(contents.ended, [(1, ObjectId([0xee; 16]))].into());
    }
}

#[test]
fn what_is_kept_of_an_object_behind_its_end_is_left_over_and_no_damage() {
    let ended = Change::Ended { object: KERMIT, place: 2 };
    let mut changes = every_kind();
    changes.extend([ended.clone(), chunk(KERMIT, 3, 6, 6), cut(KERMIT, 3, 6)]);
    for contents in after_each(&changes) {
        assert_eq!(contents.objects().count(), 0);
        assert_eq!(contents.leftovers, [KERMIT]);
        assert_eq!(contents.damage(), [""; 0]);
    }
    changes.push(ended);
    for contents in after_each(&changes) {
        assert_eq!((contents.leftovers.len(), contents.ended[&2]), (0, KERMIT));
    }
}

#[test]
fn lines_tell_of_each_record() {
    let lines: Vec<_> = after(&every_kind()).objects[&KERMIT].lines().collect();
    let refused = format!("entry 2: 2 refused of session {ALEC}, from op 9");
    assert_eq!(
        lines,
        ["state at #2, 5 bytes", "entry 1: shouts #3 to #5, 13 bytes", refused.as_str()]
    );
}
