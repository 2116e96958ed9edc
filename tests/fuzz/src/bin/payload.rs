//! Payloads: a message that has a field of every kind.

#![no_main]

use std::collections::BTreeMap;

use actix_multiplex::{decode, encode};
use fuzz::bounds::hold;
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize};

fuzz_target!(|payload: &[u8]| {
    let Ok(message) = hold(|| decode::<Message>(payload)) else { return };
    // The empty list of what is carried counts one byte.
    let max = payload.len() + 1;
    let written = encode(&message, max).expect("the shortest form is no longer");
    let again = decode::<Message>(&written.payload).expect("is a message");
    // Compared as bytes: a float may be no number, and that is not equal to itself.
    assert_eq!(encode(&again, max), Ok(written));
});

#[derive(Serialize, Deserialize)]
struct Message {
    shape: Shape,
    unsigned: (u8, u16, u32, u64, u128, usize),
    signed: (i8, i16, i32, i64, i128, isize),
    floats: [f32; 2],
    double: f64,
    is_awake: bool,
    letter: char,
    text: String,
    bytes: Vec<u8>,
    list: Vec<Shape>,
    map: BTreeMap<String, Option<u16>>,
    nothing: (),
}

#[derive(Serialize, Deserialize)]
enum Shape {
    Point,
    Circle(u64),
    Label(char, String),
    Path { closed: bool, points: Vec<(i32, i32)> },
}
