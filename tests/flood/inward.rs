//! What a hub holds of what it has read.

use actix_multiplex::{
    ObjectId,
    limits::{INWARD_BYTES_MAX, READ_BYTES, TAIL_BYTES_MAX, WINDOW_SHOUTS},
    wire::{CloseCode, Frame},
};

use crate::{
    Growth,
    place::Place,
    raw::{Raw, shouts},
    shrinks_to,
};

const KIB: usize = 1024;

/// What a waiting shout takes beside its frame: what was decoded of it, in a list that doubles.
const OFFER_BYTES_MAX: usize = 160;

/// As fast as the socket takes it, 1 KiB a shout.
pub(crate) fn flood() {
    const PAYLOAD: [u8; KIB] = [7; KIB];
    let place = Place::new();
    let mut client = Raw::connect(&place.address);
    let object = client.create();
    let mut op = fill_tail(&mut client, object);
    let flood = shouts(object, op, 48 * KIB as u64, &PAYLOAD);
    let frame_bytes = shouts(object, op, 1, &PAYLOAD).len();

    let mut growth = Growth::from_here();
    let held = place.hold_up(object);
    let mut written = client.push(&flood, &mut growth);
    let (stood, first) = (growth.now(), written);
    assert!(written < flood.len(), "the hub has read {written} bytes and goes on");
    written += client.push(&flood[written..], &mut growth);
    let bound = 2 * INWARD_BYTES_MAX;
    eprintln!(
        "inward: {first} bytes written until the hub read no more, then {}; the heap grew by \
         {stood}, at most by {}; the bound is {bound}",
        written - first,
        growth.peak,
    );
    assert!(stood >= INWARD_BYTES_MAX / 2, "so little was never held up");
    assert!(growth.peak <= bound, "grew by {} while an arbiter stood still", growth.peak);
    assert!(growth.now().abs_diff(stood) <= READ_BYTES, "grew on: {}", growth.now());

    drop(held);
    let end = written.next_multiple_of(frame_bytes);
    client.write(&flood[written..end]);
    let said = (end / frame_bytes) as u64;
    client.hears(op, op + said - 1, op);
    op += said;
    assert!(shrinks_to(growth, READ_BYTES), "{} more than before", growth.now());
    eprintln!("inward: {said} shouts were heard; the heap is {} above its base", growth.now());
    client.write(&shouts(object, op, 1, &PAYLOAD));
    client.hears(op, op, op);
}

/// Each small shout is read alone, or with 48 KiB of heartbeats that nobody holds.
pub(crate) fn trickle() {
    const SHOUTS: u64 = 1_000;
    let heartbeats = Frame::HEARTBEAT.repeat(48 * KIB / Frame::HEARTBEAT.len());
    for (what, padding) in [("alone", &[][..]), ("among heartbeats", &heartbeats)] {
        let place = Place::new();
        let mut client = Raw::connect(&place.address);
        let object = client.create();
        let frames: Vec<_> = (1..=SHOUTS).map(|op| shouts(object, op, 1, b"croak")).collect();
        let held = place.hold_up(object);
        let mut growth = Growth::from_here();
        for frame in &frames {
            client.ping(&[padding, frame, padding].concat());
            growth.sample();
        }
        eprintln!("trickle: {SHOUTS} shouts {what} took {} bytes", growth.peak);
        let each = growth.peak / SHOUTS as usize;
        assert!(each <= KIB, "a shout of 5 bytes read {what} takes {each} bytes");
        drop(held);
        client.hears(1, SHOUTS, 1);
    }
}

/// 4,096 shouts under way are fine, and one more is not.
pub(crate) fn window() {
    let place = Place::new();
    let mut client = Raw::connect(&place.address);
    let object = client.create();
    let window = WINDOW_SHOUTS as u64;
    let (within, beyond) = (shouts(object, 1, window, b"c"), shouts(object, window + 1, 1, b"c"));
    let held = place.hold_up(object);
    let mut growth = Growth::from_here();
    client.ping(&within);
    growth.sample();
    eprintln!("window: {WINDOW_SHOUTS} shouts of 1 byte took {} bytes", growth.peak);
    let bound = within.len() + WINDOW_SHOUTS * OFFER_BYTES_MAX;
    assert!(growth.peak <= bound, "grew by {}", growth.peak);
    client.write(&beyond);
    match client.frame() {
        Frame::Goodbye(goodbye) => assert_eq!(goodbye.code, CloseCode::Window, "{goodbye:?}"),
        other => panic!("no Goodbye but {other:?}"),
    }
    drop(held);
}

/// Objects with a small state each, made one after the other.
pub(crate) fn states() {
    const OBJECTS: u16 = 1_000;
    let place = Place::new();
    let mut client = Raw::connect(&place.address);
    let ids = (0..OBJECTS).map(|number| {
        let mut object = ObjectId(client.session.0);
        object.0[..2].copy_from_slice(&number.to_le_bytes());
        object
    });
    let ids: Vec<_> = ids.collect();
    let growth = Growth::from_here();
    for object in ids {
        client.make(object, Some(b"state"));
    }
    let each = growth.now() / usize::from(OBJECTS);
    eprintln!("states: an object with a state of 5 bytes takes {each} bytes");
    assert!(each <= 8 * KIB, "an object with a state of 5 bytes takes {each} bytes");
}

/// Shouts until old chunks are dropped for new ones, so that a tail's growth is no news. Returns
/// the next op.
fn fill_tail(client: &mut Raw, object: ObjectId) -> u64 {
    const STEP: u64 = 100;
    let payload = [7; KIB];
    let steps = 1 + TAIL_BYTES_MAX as u64 / (STEP * KIB as u64);
    for step in 0..steps {
        let op = 1 + step * STEP;
        client.write(&shouts(object, op, STEP, &payload));
        client.hears(op, op + STEP - 1, op);
    }
    1 + steps * STEP
}
