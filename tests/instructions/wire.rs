//! Frames written and read, without a hub.

use std::hint::black_box;

use actix_multiplex::{
    Epoch, Kind, ObjectId, Op, Seq, SessionId, encode,
    limits::SHOUT_BYTES_MAX,
    wire::{BatchBuilder, Frame, encode_shout},
};
use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group};
use serde::{Deserialize, Serialize};

use crate::bounds::{self, at_most};

/// Shouts in one benchmark.
pub(crate) const SHOUTS: u64 = 1_024;
/// Bytes of a message.
pub(crate) const SHOUT_BYTES: usize = 64;
/// Shouts in one batch, and in one read of a socket.
pub(crate) const BURST: u64 = 512;
pub(crate) const OBJECT: ObjectId = ObjectId([1; 16]);

/// A message of [`SHOUT_BYTES`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Croak {
    pub(crate) pitch: u64,
    pub(crate) words: String,
}

impl Croak {
    pub(crate) fn new(pitch: u64) -> Self {
        Self { pitch: 128 + pitch, words: "r".repeat(61) }
    }

    pub(crate) fn payload(pitch: u64) -> Vec<u8> {
        let payload = encode(&Self::new(pitch), SHOUT_BYTES_MAX).expect("is small").payload;
        assert_eq!(payload.len(), SHOUT_BYTES);
        payload
    }
}

/// Shout frames with the ops `first` to `first + count - 1`, one behind the other.
pub(crate) fn shouts(first: u64, count: u64) -> Bytes {
    let frames = (first..first + count)
        .map(|op| encode_shout(OBJECT, Op(op), Kind(1), Vec::new(), &Croak::payload(op % 1_000)));
    frames.collect::<Vec<_>>().concat().into()
}

/// Batches of [`BURST`] shouts, [`SHOUTS`] in all.
pub(crate) fn batches() -> Vec<Bytes> {
    let mut batch = BatchBuilder::new(OBJECT, Epoch([2; 8]), Seq(1));
    let bursts = (0..SHOUTS).step_by(BURST as usize);
    bursts
        .map(|from| {
            for op in from + 1..=from + BURST {
                batch.push(SessionId([3; 16]), Op(op), Kind(1), &[], &Croak::payload(op % 1_000));
            }
            batch.seal(1_800_000_000_000)
        })
        .collect()
}

fn messages() -> Vec<Croak> {
    (0..SHOUTS).map(Croak::new).collect()
}

#[library_benchmark(setup = messages)]
#[bench::shouts(config = at_most(bounds::ENCODE, SHOUTS))]
fn encode_shouts(messages: Vec<Croak>) -> Vec<Croak> {
    for (op, message) in (1..).zip(&messages) {
        let encoded = encode(black_box(message), SHOUT_BYTES_MAX).expect("is small");
        let (payload, carried) = (encoded.payload, encoded.carried);
        black_box(encode_shout(OBJECT, Op(op), Kind(1), carried, &payload));
    }
    messages
}

/// Each frame without its length prefix.
fn shout_frames() -> Vec<Bytes> {
    (1..=SHOUTS).map(|op| shouts(op, 1).slice(4..)).collect()
}

#[library_benchmark(setup = shout_frames)]
#[bench::shouts(config = at_most(bounds::DECODE_SHOUT, SHOUTS))]
fn decode_shouts(frames: Vec<Bytes>) -> Vec<Bytes> {
    for frame in &frames {
        black_box(Frame::decode(black_box(frame)).expect("is a frame"));
    }
    frames
}

#[library_benchmark(setup = batches)]
#[bench::shouts(config = at_most(bounds::DECODE_BATCH, SHOUTS))]
fn decode_batches(frames: Vec<Bytes>) -> Vec<Bytes> {
    for frame in &frames {
        let Ok(Frame::Batch(batch)) = Frame::decode(&frame.slice(4..)) else {
            panic!("is a batch");
        };
        batch.shouts().for_each(|shouted| drop(black_box(shouted)));
    }
    frames
}

library_benchmark_group!(
    name = frames,
    benchmarks = [encode_shouts, decode_shouts, decode_batches]
);
