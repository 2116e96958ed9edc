//! What a hub holds for those who do not read.

use actix_multiplex::{
    limits::{LAG_BYTES_MAX, TAIL_BYTES_MAX},
    wire::Frame,
};

use crate::{
    Growth,
    place::Place,
    raw::{Raw, shouts},
    shrinks_to,
};

/// Four leaves read nothing while one shouts 60,000 bytes at a time, and another hears it all. Then
/// they read on: what the hub has not any more they are told that they have missed.
pub(crate) fn deaf() {
    static PAYLOAD: [u8; 60_000] = [7; 60_000];
    const SHOUTS: u64 = 600;
    let place = Place::new();
    let mut shouter = Raw::connect(&place.address);
    let object = shouter.create();
    let mut listener = Raw::connect(&place.address);
    listener.join(object);
    let mut deaf: Vec<_> = (0..4).map(|_| Raw::connect(&place.address)).collect();
    for leaf in &mut deaf {
        leaf.join(object);
    }
    let mut frame = shouts(object, 1, 1, &PAYLOAD);
    let mut growth = Growth::from_here();
    for op in 1..=SHOUTS {
        frame.clear();
        frame.extend_from_slice(&shouts(object, op, 1, &PAYLOAD));
        shouter.write(&frame);
        shouter.hears(op, op, op);
        hear_of_another(&mut listener, op);
        growth.sample();
    }
    let bound = LAG_BYTES_MAX + TAIL_BYTES_MAX + 1024 * 1024;
    eprintln!(
        "outward: the heap grew by {} for four deaf leaves; the bound is {bound}",
        growth.peak
    );
    assert!(growth.peak >= TAIL_BYTES_MAX, "so little was never kept");
    assert!(growth.peak <= bound, "grew by {} for four deaf leaves", growth.peak);
    for mut leaf in deaf {
        let (mut last, mut resyncs) = (0, 0);
        while last < SHOUTS {
            match leaf.frame() {
                Frame::Batch(batch) => {
                    assert_eq!(batch.first_seq.0, last + 1);
                    last = batch.last_seq().0;
                }
                Frame::Resynced(resynced, _) => {
                    assert_eq!(resynced.resync.from.0, last + 1);
                    (last, resyncs) = (resynced.start.seq.0, resyncs + 1);
                }
                Frame::Heartbeat => {}
                other => panic!("no shouts but {other:?}"),
            }
        }
        assert_eq!(resyncs, 1);
        leaf.end();
    }
    let left = TAIL_BYTES_MAX + 256 * 1024;
    assert!(shrinks_to(growth, left), "{} more than before", growth.now());
    eprintln!("outward: {} above the base are left, a tail", growth.now());
}

fn hear_of_another(listener: &mut Raw, seq: u64) {
    let batch = listener.batch();
    assert_eq!((batch.first_seq.0, batch.count), (seq, 1));
}
