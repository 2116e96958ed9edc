//! The golden vectors of the wire: bytes beside their meaning, written by another program
//! (`tests/vectors/make.py`) out of `docs/protocol.md`, and the hex in that document.

mod json;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use actix_multiplex::wire::{Frame, FrameError, Split, StateIs, Verdict, split};
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
        assert_eq!(frame.encode(), vector.bytes, "{name}");
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
    assert_eq!(known.len(), 58);
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
                let Ok(frame) = Frame::decode(&Bytes::from(bytes[4..].to_vec())) else { continue };
                assert_eq!(frame.encode(), bytes, "{frame:?}");
                if let Frame::Batch(batch) = &frame {
                    assert_eq!(batch.shouts().count(), usize::from(batch.count));
                }
                read_again += 1;
            }
        }
    }
    assert!(read_again > 10_000, "only {read_again} were frames");
}

#[test]
fn the_session_worked_through_in_the_protocol_is_made_of_frames() {
    let frames = worked_through("## A session, byte by byte");
    let names = ["Hello", "Welcome", "Create", "Joined", "Shout", "Batch", "Goodbye"];
    assert_eq!(names_of(&frames), names);
    let [_, _, Frame::Create(create, state), Frame::Joined(joined, _), rest @ ..] = &frames[..]
    else {
        panic!("the names were compared");
    };
    let [Frame::Shout(shout, said), Frame::Batch(batch), _] = rest else {
        panic!("the names were compared");
    };
    assert_eq!((create.request, create.object), (joined.request, joined.object));
    assert_eq!((create.state, state.len()), (StateIs::Payload, 2));
    assert_eq!((batch.object, batch.epoch), (shout.object, joined.start.epoch));
    let heard = batch.shouts().next().expect("has one");
    assert_eq!((heard.seq, heard.op), (joined.start.seq.next(), shout.op));
    assert_eq!((heard.kind, &heard.payload), (shout.kind, said));
}

#[test]
fn the_session_that_comes_later_goes_on_where_the_first_one_is() {
    let (first, frames) = (
        worked_through("## A session, byte by byte"),
        worked_through("## Another, that comes later"),
    );
    let names = [
        "Join", "Joined", "Join", "Refused", "Shout", "Outcome", "Shout", "Batch", "Attach",
        "Attached", "Outcome",
    ];
    assert_eq!(names_of(&frames), names);
    let [_, _, Frame::Create(create, made), _, _, Frame::Batch(before), _] = &first[..] else {
        panic!("the names were compared");
    };
    let [_, Frame::Joined(joined, state), Frame::Join(join), Frame::Refused(refused), rest @ ..] =
        &frames[..]
    else {
        panic!("the names were compared");
    };
    assert_eq!((joined.object, state), (create.object, made));
    assert_eq!((joined.last, joined.start.epoch), (before.last_seq(), before.epoch));
    assert_eq!(join.request, refused.request);
    let [
        Frame::Shout(early, _),
        Frame::Outcome(gap),
        Frame::Shout(shout, said),
        Frame::Batch(batch),
        _,
        Frame::Attached(attached),
        Frame::Outcome(outcome),
    ] = rest
    else {
        panic!("the names were compared");
    };
    assert_eq!((gap.op, &gap.verdict), (joined.next_op, &Verdict::Gap));
    assert_eq!((early.op, shout.op), (gap.op.next(), gap.op));
    let heard = batch.shouts().next().expect("has one");
    assert_eq!((heard.seq, heard.op), (joined.last.next(), shout.op));
    assert_eq!((heard.kind, &heard.payload), (shout.kind, said));
    assert_eq!(attached.next_op, shout.op.next());
    let verdict = Verdict::Sequenced { seq: heard.seq, count: 1 };
    assert_eq!((outcome.op, &outcome.verdict), (shout.op, &verdict));
}

/// The frames of a section of the protocol, each written as it was read.
fn worked_through(title: &str) -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    let document = fs::read_to_string(path).expect("the document is there");
    let (_, section) = document.split_once(title).expect("the section is there");
    let section = section.split("\n## ").next().unwrap_or_default();
    let frames = section.split("```hex\n").skip(1).map(|rest| {
        let bytes = hex(rest.split("```").next().expect("the block ends"));
        let frame = read(&bytes).expect("is a frame");
        assert_eq!(json::write(&frame), bytes);
        frame
    });
    frames.collect()
}

fn names_of(frames: &[Frame]) -> Vec<String> {
    frames.iter().map(|frame| format!("{:?}", frame.frame_type())).collect()
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
