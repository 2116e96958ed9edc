//! What is said to each kind of server, and how what it says is read.

mod mqtt;
pub(in super::super) mod multiplex;
mod nats;
mod perspective;
mod plain;
mod redis;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::super::{Wrong, job::Protocol};

/// One connection's side of a protocol.
pub(super) trait Speech {
    /// Becomes a leaf of the objects; when it returns, it hears.
    fn enter(&mut self, stream: &mut TcpStream, objects: usize) -> Result<(), Wrong>;

    /// Writes a shout at an object.
    fn shout(&mut self, object: usize, payload: &[u8], out: &mut Vec<u8>);

    /// Reads whole messages off `input`, and tells how many bytes they took.
    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong>;

    /// What a connection says from time to time so as not to be held for dead.
    fn alive(&self) -> &'static [u8] {
        &[]
    }
}

/// The speech of the connection at this place.
pub(super) fn speech(protocol: Protocol, place: usize) -> Box<dyn Speech> {
    match protocol {
        Protocol::Multiplex => Box::new(multiplex::Multiplex::new(place)),
        Protocol::Nats => Box::new(nats::Nats),
        Protocol::Redis => Box::new(redis::Redis),
        Protocol::Mqtt => Box::new(mqtt::Mqtt::new(place)),
        Protocol::Perspective => Box::new(perspective::Perspective::default()),
        Protocol::Plain => Box::new(plain::Plain),
    }
}

/// Objects that are entered with one write, before the answers are read.
const ENTER_AT_ONCE: usize = 512;

/// Reads until what came makes sense as a whole.
fn read_until<T>(
    stream: &mut TcpStream,
    mut whole: impl FnMut(&[u8]) -> Option<T>,
) -> Result<T, Wrong> {
    let mut said = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let read = stream.read(&mut buffer)?;
        said.extend_from_slice(&buffer[..read]);
        if let Some(whole) = whole(&said) {
            return Ok(whole);
        }
        if read == 0 {
            return Err(format!("it hung up after {:?}", String::from_utf8_lossy(&said)).into());
        }
    }
}

/// Says something, and reads until the answer ends like this.
fn say(stream: &mut TcpStream, words: &[u8], end: &[u8]) -> Result<(), Wrong> {
    stream.write_all(words)?;
    read_until(stream, |said| said.ends_with(end).then_some(()))
}

/// A number in digits, and how many bytes it takes with the line's end.
fn number(input: &[u8]) -> Option<(usize, usize)> {
    let end = input.iter().position(|&byte| byte == b'\r')?;
    let mut value = 0;
    for &digit in &input[..end] {
        value = 10 * value + usize::from(digit.checked_sub(b'0')?);
    }
    (input.len() > end + 1).then_some((value, end + 2))
}
