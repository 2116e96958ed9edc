//! The golden vectors of the wire: bytes beside their meaning, written by another program
//! (`tests/vectors/make.py`) out of `docs/protocol.md`, and the hex in that document.

mod json;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use actix_multiplex::wire::{Frame, FrameError, Split, split};
use bytes::Bytes;
use serde_json::Value;

#[test]
fn every_vector_says_in_bytes_what_it_says_in_json() {
    for (name, vector) in vectors("tests/vectors") {
        let frame = read(&vector.bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(json::of_frame(&frame), vector.json, "{name}");
        let meant = json::to_frame(&vector.json);
        assert_eq!(meant, frame, "{name}");
        assert_eq!(json::write(&meant), vector.bytes, "{name}");
    }
}

#[test]
fn every_malformed_vector_gives_the_error_that_it_names() {
    for (name, vector) in vectors("tests/vectors/malformed") {
        let error = read(&vector.bytes).expect_err(&name);
        assert_eq!(json::of_error(&error), vector.json["error"], "{name}");
        assert!(vector.json["why"].is_string(), "{name}");
    }
}

#[test]
fn every_frame_type_has_a_vector_and_a_malformed_one() {
    let known: Vec<_> = (0..=u8::MAX).filter(|&number| is_known(number)).collect();
    assert_eq!(known.len(), 23);
    for directory in ["tests/vectors", "tests/vectors/malformed"] {
        let there: BTreeSet<_> =
            vectors(directory).values().filter_map(|vector| vector.bytes.get(4).copied()).collect();
        let without: Vec<_> = known.iter().filter(|number| !there.contains(number)).collect();
        assert!(without.is_empty(), "{directory}: {without:?}");
    }
}

#[test]
fn a_header_cut_anywhere_is_an_error() {
    for (name, vector) in vectors("tests/vectors") {
        let whole = vector.bytes.slice(4..);
        let payload = vector.json.get("payload").and_then(Value::as_str);
        let header_end = whole.len() - payload.map_or(0, |digits| digits.len() / 2);
        // Near its ends every byte, between them samples.
        let ends = (1..header_end).filter(|at| *at < 300 || at % 97 == 0 || header_end - at < 300);
        for end in ends {
            let cut = Frame::decode(&whole.slice(..end));
            assert!(
                matches!(&cut, Err(FrameError::Header { bytes, .. }) if *bytes == end),
                "{name} cut at {end}: {cut:?}"
            );
        }
    }
}

#[test]
fn whatever_a_changed_byte_makes_of_a_frame_is_written_as_it_was_read() {
    let mut read_again = 0;
    for vector in vectors("tests/vectors").values() {
        for at in 4..vector.bytes.len().min(300) {
            for change in [0x01, 0x02, 0x80, 0x81, 0x7f, 0xff] {
                let mut bytes = vector.bytes.to_vec();
                bytes[at] ^= change;
                match Frame::decode(&Bytes::from(bytes[4..].to_vec())) {
                    // A batch has one form only for a table of sessions that is taken as given.
                    Ok(Frame::Batch(batch)) => {
                        assert_eq!(batch.shouts().count(), usize::from(batch.count));
                    }
                    Ok(frame) => {
                        assert_eq!(json::write(&frame), bytes, "{frame:?}");
                        read_again += 1;
                    }
                    Err(_) => {}
                }
            }
        }
    }
    assert!(read_again > 10_000, "only {read_again} were frames");
}

#[test]
fn the_session_worked_through_in_the_protocol_is_made_of_frames() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let document = fs::read_to_string(path).expect("the document is there");
    let frames: Vec<_> = document
        .split("```hex\n")
        .skip(1)
        .map(|rest| hex(rest.split("```").next().expect("the block ends")))
        .map(|bytes| (read(&bytes).expect("is a frame"), bytes))
        .collect();
    let names: Vec<_> =
        frames.iter().map(|(frame, _)| format!("{:?}", frame.frame_type())).collect();
    assert_eq!(names, ["Hello", "Welcome", "Create", "Joined", "Shout", "Batch", "Goodbye"]);
    for (frame, bytes) in &frames {
        assert_eq!(json::write(frame), bytes);
    }
    let [_, _, (Frame::Create(create, state), _), (Frame::Joined(joined, _), _), rest @ ..] =
        &frames[..]
    else {
        panic!("the names were compared");
    };
    let [(Frame::Shout(shout, said), _), (Frame::Batch(batch), _), _] = rest else {
        panic!("the names were compared");
    };
    assert_eq!((create.request, create.object), (joined.request, joined.object));
    assert_eq!((create.stateful, state.len()), (true, 2));
    assert_eq!((batch.object, batch.epoch), (shout.object, joined.start.epoch));
    let heard = batch.shouts().next().expect("has one");
    assert_eq!((heard.seq, heard.op), (joined.start.seq.next(), shout.op));
    assert_eq!((heard.kind, &heard.payload), (shout.kind, said));
}

struct Vector {
    bytes: Bytes,
    json: Value,
}

/// The vectors of a directory by name; a file without its twin fails.
fn vectors(directory: &str) -> BTreeMap<String, Vector> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut vectors = BTreeMap::new();
    for entry in fs::read_dir(&directory).expect("the directory is there") {
        let path = entry.expect("can be listed").path();
        if !matches!(path.extension().and_then(|end| end.to_str()), Some("hex" | "json")) {
            continue;
        }
        let text = |end| {
            let twin = path.with_extension(end);
            fs::read_to_string(&twin).unwrap_or_else(|error| panic!("{}: {error}", twin.display()))
        };
        let name = path.file_stem().and_then(|name| name.to_str()).expect("is ASCII");
        let json = serde_json::from_str(&text("json")).expect(name);
        let bytes = hex(&text("hex"));
        vectors.insert(name.to_owned(), Vector { bytes, json });
    }
    assert!(vectors.len() > 50, "{} has only {}", directory.display(), vectors.len());
    vectors
}

fn read(bytes: &Bytes) -> Result<Frame, FrameError> {
    match split(bytes)? {
        Split::Whole(whole) if whole == bytes.len() => Frame::decode(&bytes.slice(4..)),
        other => panic!("{} bytes are not one frame: {other:?}", bytes.len()),
    }
}

fn is_known(number: u8) -> bool {
    let bare = Frame::decode(&Bytes::from(vec![number]));
    !matches!(bare, Err(FrameError::UnknownType(_)))
}

/// Bytes from digits; white space, and what follows a `#` on its line, is left out.
fn hex(text: &str) -> Bytes {
    let digits: Vec<_> = text
        .lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().chars())
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_digit(16).expect("a hex digit") as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "half a byte in {text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
