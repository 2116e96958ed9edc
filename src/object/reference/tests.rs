//! What messages carry comes back in its places, or is refused with what is wrong.

use super::*;
use crate::{
    limits::SHOUT_BYTES_MAX,
    object::{DecodeError, EncodeError, decode, decode_with, encode},
};

#[derive(Debug)]
enum Blot {}

#[derive(Debug)]
enum Frog {}

impl Interface for Blot {
    const TAG: &'static str = "napkin.blot";
    const VERSION: u16 = 1;
    const STATEFUL: bool = false;
    type State = ();
}

impl Interface for Frog {
    const TAG: &'static str = "pond.frog";
    const VERSION: u16 = 1;
    const STATEFUL: bool = false;
    type State = ();
}

/// Carries blots here and there.
type Message = (ObjectRef<Blot>, String, Vec<Option<ObjectRef<Blot>>>);

fn blot(n: u8) -> ObjectRef<Blot> {
    ObjectRef::new(ObjectId([n; 16]), Seq(n.into()))
}

fn brought(carried: Vec<Carried>) -> Vec<Brought> {
    carried.into_iter().map(|carried| Brought { carried, missing: None }).collect()
}

fn reason(error: DecodeError) -> String {
    match error {
        DecodeError::Malformed { reason, .. } => reason,
        DecodeError::LeftOver { .. } => panic!("{error}"),
    }
}

#[test]
fn what_is_carried_is_listed_once_and_comes_back_in_its_places() {
    let message = (blot(3), "ink", vec![Some(blot(9)), None, Some(blot(3))]);
    let written = encode(&message, SHOUT_BYTES_MAX).expect("is small");
    let objects: Vec<_> = written.carried.iter().map(|each| (each.object, each.seq)).collect();
    assert_eq!(objects, [(ObjectId([3; 16]), Seq(3)), (ObjectId([9; 16]), Seq(9))]);
    assert_eq!(written.carried[0].tag.as_str(), "napkin.blot");

    let brought = brought(written.carried);
    let (first, ink, others) = decode_with::<Message>(&written.payload, &brought).expect("is one");
    assert_eq!((first.clone(), first.seq(), ink.as_str()), (blot(3), Seq(3), "ink"));
    assert_eq!(others, [Some(blot(9)), None, Some(blot(3))]);
}

#[test]
fn a_place_that_is_not_listed_and_an_object_of_another_interface_are_errors_that_say_so() {
    let written = encode(&blot(1), SHOUT_BYTES_MAX).expect("is small");
    let unlisted = decode::<ObjectRef<Blot>>(&written.payload).expect_err("nothing is listed");
    assert_eq!(reason(unlisted), "there is no carried object 0: 0 are listed");
    let brought = brought(written.carried);
    let frog = decode_with::<ObjectRef<Frog>>(&written.payload, &brought).expect_err("is a blot");
    assert_eq!(reason(frog), "the carried object 0 is a `napkin.blot`, not a `pond.frog`");
    assert!(decode_with::<ObjectRef<Blot>>(&written.payload, &brought).is_ok());
}

#[test]
fn a_payload_carries_64_objects_and_not_one_more() {
    let blots: Vec<_> = (0..65).map(blot).collect();
    let written = encode(&blots[..64].to_vec(), SHOUT_BYTES_MAX).expect("is within the limit");
    assert_eq!(written.carried.len(), 64);
    let refused = encode(&blots, SHOUT_BYTES_MAX).expect_err("is over it");
    let said = "more than 64 objects are carried";
    assert!(
        matches!(&refused, EncodeError::Serialize { reason, .. } if reason == said),
        "{refused}"
    );
}

#[test]
fn the_list_counts_within_the_limit_of_a_payload() {
    let bytes = Carried::bytes_of(&encode(&blot(1), 100).expect("is small").carried) + 1;
    assert!(encode(&blot(1), bytes).is_ok());
    let refused = Err(EncodeError::TooLarge { bytes, max: bytes - 1 });
    assert_eq!(encode(&blot(1), bytes - 1), refused);
}

#[test]
fn outside_a_message_a_reference_is_an_error_and_not_a_silent_loss() {
    assert!(postcard::to_stdvec(&blot(1)).is_err());
    // A scope that reads does not write.
    let read = reading(&[], || postcard::to_stdvec(&blot(1)).is_err());
    assert_eq!(read, (true, Some(OUTSIDE.to_owned())));
}

/// Writes another message while it is written itself.
struct Nested;

impl Serialize for Nested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = encode(&(blot(7), blot(8)), 100).map_err(ser::Error::custom)?;
        assert_eq!(inner.carried.len(), 2);
        inner.payload.serialize(serializer)
    }
}

struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("in the middle of it")
    }
}

#[test]
fn messages_written_within_messages_keep_their_lists_apart_and_a_panic_leaves_none_open() {
    let written = encode(&(blot(1), Nested, blot(2)), SHOUT_BYTES_MAX).expect("is small");
    let objects: Vec<_> = written.carried.iter().map(|each| each.object.0[0]).collect();
    assert_eq!(objects, [1, 2]);

    assert!(std::panic::catch_unwind(|| encode(&(blot(1), Panics), 100)).is_err());
    assert!(SCOPE.take().mode == Mode::Outside);
}
