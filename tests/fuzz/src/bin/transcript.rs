//! The lines of a transcript: what is read is written so that it reads the same, and can be judged.

#![no_main]

use actix_multiplex::testing::transcript::Transcript;
use fuzz::bounds::hold;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(transcript) = hold(|| Transcript::parse(text)) else { return };
    assert_eq!(Transcript::parse(&transcript.to_lines()).as_ref(), Ok(&transcript));
    // Right or wrong: any transcript has a judgement.
    let (part, whole) = hold(|| (transcript.check().is_ok(), transcript.check_complete().is_ok()));
    assert!(part || !whole, "complete, and yet wrong in part");
});
