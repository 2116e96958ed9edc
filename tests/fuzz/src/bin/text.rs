//! Short texts: names and tags, as people write them and as they come in a frame.

#![no_main]

use std::{fmt::Display, str::FromStr};

use actix_multiplex::{
    Name, Tag, decode, encode,
    limits::{NAME_BYTES_MAX, TAG_BYTES_MAX},
};
use fuzz::bounds::hold;
use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;

fuzz_target!(|bytes: &[u8]| {
    agree::<Name>(bytes, NAME_BYTES_MAX);
    agree::<Tag>(bytes, TAG_BYTES_MAX);
});

/// Both ways in take the same texts.
fn agree<T: FromStr + Display + DeserializeOwned>(bytes: &[u8], bytes_max: usize) {
    // With its length before it, as in a frame; it need not be UTF-8 there.
    let payload = encode(&bytes, usize::MAX).expect("bytes can be written").payload;
    let come = hold(|| decode::<T>(&payload)).ok();
    let written = str::from_utf8(bytes).ok().and_then(|text| hold(|| text.parse::<T>()).ok());
    assert_eq!(come.is_some(), written.is_some());
    for text in [come, written].into_iter().flatten() {
        let text = text.to_string();
        assert_eq!(text.as_bytes(), bytes);
        assert!(!text.is_empty() && text.len() <= bytes_max, "{} bytes", text.len());
        assert!(!text.contains(char::is_control), "{text:?}");
    }
}
