//! One frame, its type first: what is decoded is written as it was read.
//!
//! A first byte that is no frame type stands for one that is, so each decoder gets its share.

#![no_main]

use std::sync::LazyLock;

use actix_multiplex::wire::{Batch, Frame, FrameError};
use bytes::Bytes;
use fuzz::bounds::hold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, header)) = bytes.split_first() else { return };
    let bytes = Bytes::from([&[frame_type(first)], header].concat());
    let Ok(frame) = hold(|| Frame::decode(&bytes)) else { return };
    assert_eq!(frame.encode()[4..], bytes, "{frame:?}");
    if let Frame::Batch(batch) = &frame {
        hold(|| take(batch));
    }
});

/// Takes the shouts one by one, as leaves do.
fn take(batch: &Batch) {
    let mut last = None;
    for shout in batch.shouts() {
        assert!(shout.session < batch.sessions.len(), "{shout:?}");
        last = Some(shout.seq);
    }
    assert_eq!(batch.shouts().count(), usize::from(batch.count));
    assert_eq!(last, Some(batch.last_seq()));
}

fn frame_type(byte: u8) -> u8 {
    static KNOWN: LazyLock<Vec<u8>> =
        LazyLock::new(|| (0..=u8::MAX).filter(|&byte| is_known(byte)).collect());
    if is_known(byte) { byte } else { KNOWN[usize::from(byte) % KNOWN.len()] }
}

fn is_known(byte: u8) -> bool {
    !matches!(Frame::decode(&Bytes::from(vec![byte])), Err(FrameError::UnknownType(_)))
}
