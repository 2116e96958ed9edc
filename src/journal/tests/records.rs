//! Records as bytes: each comes back, and is what it always was.

use super::*;
use crate::journal::record::{Key, open, seal};
use crate::object::Kind;

const KEYS: [Key; 7] = [
    Key::Hub,
    Key::Session(ALEC),
    Key::Ended(1),
    Key::Definition(KERMIT),
    Key::State(KERMIT),
    Key::Marks(KERMIT),
    Key::Entry(KERMIT, 258),
];

#[test]
fn keys_come_back_and_keep_their_order_as_bytes() {
    for key in KEYS {
        assert_eq!(Key::decode(&key.encode()), Some(key));
        assert!(key.encode().len() <= 25);
    }
    assert!(KEYS.iter().map(|key| key.encode()).is_sorted());
    let entries = [1, 2, 255, 256, 65_536, u64::MAX].map(|number| Key::Entry(KERMIT, number));
    assert!(entries.iter().map(|key| key.encode()).is_sorted());
}

#[test]
fn what_is_no_key_is_none() {
    for bytes in [&[][..], &[0, 0], &[1; 16], &[2; 8], &[3; 18], &[6; 24], &[7; 17]] {
        assert_eq!(Key::decode(bytes), None, "{bytes:?}");
    }
}

#[test]
fn a_value_says_whose_it_is_and_stands_among_other_bytes() {
    let key = Key::Session(ALEC).encode();
    let value = seal(&key, 77, &[b"two ", b"parts"]);
    let bytes = [&value[..], b"and more"].concat();
    let found = open(&bytes).expect("is whole");
    assert_eq!((found.number, found.key, found.body), (77, &key[..], &b"two parts"[..]));
    assert_eq!(found.bytes, value);
}

#[test]
fn a_value_with_any_bit_flipped_or_any_byte_missing_is_none() {
    let value = seal(&Key::Ended(7).encode(), 3, &[b"an id"]);
    for at in 0..value.len() {
        assert_eq!(open(&value[..at]), None, "cut at {at}");
        for bit in 0..8 {
            let mut other = value.to_vec();
            other[at] ^= 1 << bit;
            assert_eq!(open(&other), None, "bit {bit} of byte {at}");
        }
    }
}

/// The format is a contract: a journal that was written once can be read for good. When one of these
/// changes, `FORMAT` is raised, and what is of the old one is still read.
#[test]
fn a_golden_vector_of_every_record() {
    let mut journal = Memory::default();
    committed(&mut journal, &every_kind(), 0);
    let found: Vec<_> = records(&mut journal)
        .iter()
        .map(|(key, value)| format!("{} {}", hex(key), hex(value)))
        .collect();
    assert_eq!(found, VECTORS.lines().collect::<Vec<_>>(), "{found:#?}");
}

#[test]
fn the_golden_vectors_are_read_as_what_they_mean() {
    let mut journal = Memory::default();
    let edits = VECTORS.lines().map(|line| {
        let (key, value) = line.split_once(' ').expect("has two parts");
        Edit::Put { key: bytes(key), value: bytes(value).into() }
    });
    journal.commit(&edits.collect::<Vec<_>>()).expect("commits");
    let contents = read(&mut journal);
    assert_eq!(contents.hub(), Some(HUB));
    assert_eq!(contents.number, 8);
    let Some(Change::Session { session, keys }) = every_kind().into_iter().nth(1) else {
        panic!("the second is a session");
    };
    assert_eq!(contents.sessions, [(session, keys)].into());
    assert_eq!(contents.ended, [(1, ObjectId([0xee; 16]))].into());
    let kermit = &contents.objects[&KERMIT];
    assert_eq!(kermit.damage(), None);
    assert_eq!(kermit.definition, Some(definition(true)));
    assert_eq!(kermit.marks, marks(1, 2));
    let made = after(&every_kind());
    assert_eq!(kermit.state, made.objects[&KERMIT].state);
    assert_eq!(kermit.entries, made.objects[&KERMIT].entries);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a text can be written to");
        hex
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("is hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// A key and its value a line: hub, session, ended, definition, state, marks, and both entries.
const VECTORS: &str = include_str!("format_1.hex");

#[test]
fn what_stands_behind_the_rest_comes_back_and_is_nothing_where_it_is_not() {
    let mut edits = Vec::new();
    let asked = Definition { handover: true, asks: vec![Kind(2), Kind(300)], ..definition(true) };
    let owned = Marks { owner: Some(BLOT_OWNER), ..marks(1, 2) };
    let definition = Box::new(asked.clone());
    Change::Defined { object: KERMIT, definition }.edits(1, &mut edits);
    Change::Cut { object: KERMIT, marks: owned.clone() }.edits(2, &mut edits);
    let bodies: Vec<_> = edits.iter().filter_map(body).collect();
    assert_eq!(Definition::decode(&bodies[0]), Some(asked.clone()));
    assert_eq!(Marks::decode(&bodies[1]), Some(owned));
    // As an older version has written them.
    let plain = Definition { handover: false, asks: Vec::new(), ..asked };
    let old = postcard::to_stdvec(&plain).expect("is plain");
    assert_eq!(Definition::decode(&old), Some(plain));
    let old = postcard::to_stdvec(&marks(1, 2)).expect("is plain");
    assert_eq!(Marks::decode(&old), Some(marks(1, 2)));
}

const BLOT_OWNER: SessionId = SessionId([0x77; 16]);

fn body(edit: &Edit) -> Option<Vec<u8>> {
    match edit {
        Edit::Put { value, .. } => Some(open(value)?.body.to_vec()),
        Edit::Remove { .. } => None,
    }
}
