//! Bytes as they come off a socket: split into whole frames, and each decoded, as readers do.

#![no_main]

use actix_multiplex::{
    limits::FRAME_BYTES_MAX,
    wire::{Frame, Split, split},
};
use bytes::{Buf, Bytes};
use fuzz::bounds::hold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|read: &[u8]| {
    let read = Bytes::copy_from_slice(read);
    hold(|| take(&read));
});

fn take(read: &Bytes) {
    match split(read) {
        Ok(Split::Whole(bytes)) => {
            each(read.slice(..bytes));
            let rest = &read[bytes..];
            let Ok(Split::Partial(wanted)) = split(rest) else {
                panic!("{} bytes behind the whole frames are not a part of one", rest.len());
            };
            is_awaited(wanted, rest.len());
        }
        Ok(Split::Partial(wanted)) => is_awaited(wanted, read.len()),
        Err(_) => {}
    }
}

fn each(mut whole: Bytes) {
    while whole.has_remaining() {
        let length = whole.get_u32_le() as usize;
        // Most are refused; what is taken is looked at by the target `frame`.
        let _ = Frame::decode(&whole.split_to(length));
    }
}

fn is_awaited(wanted: usize, there: usize) {
    assert!(wanted > there && wanted <= 4 + FRAME_BYTES_MAX, "{wanted} bytes, {there} are there");
}
