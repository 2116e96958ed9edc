//! MQTT 3.1.1, each message at most once.
//!
//! # Source
//! <https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html>

use std::{io::Write, net::TcpStream};

use super::{super::super::Wrong, ENTER_AT_ONCE, Speech, read_until};

#[derive(Debug)]
pub(super) struct Mqtt {
    name: String,
}

impl Mqtt {
    pub(super) fn new(place: usize) -> Self {
        Self { name: format!("bench{place}") }
    }
}

impl Speech for Mqtt {
    fn enter(&mut self, stream: &mut TcpStream, objects: usize) -> Result<(), Wrong> {
        // Level 4, a clean session, no keep-alive.
        let connect = [&text("MQTT")[..], &[4, 2, 0, 0], &text(&self.name)].concat();
        ask(stream, &packet(CONNECT, &connect))?;
        for first in (0..objects).step_by(ENTER_AT_ONCE) {
            let some = first..objects.min(first + ENTER_AT_ONCE);
            let filters = some.flat_map(|object| [text(&format!("o{object}")), vec![0]].concat());
            let subscribe: Vec<u8> = [0, 1].into_iter().chain(filters).collect();
            ask(stream, &packet(SUBSCRIBE, &subscribe))?;
        }
        Ok(())
    }

    fn shout(&mut self, object: usize, payload: &[u8], out: &mut Vec<u8>) {
        let topic = text(&format!("o{object}"));
        out.push(PUBLISH);
        put_length(out, topic.len() + payload.len());
        out.extend_from_slice(&topic);
        out.extend_from_slice(payload);
    }

    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut at = 0;
        while let Some((head, bytes)) = length(&input[at..]) {
            let Some(body) = input.get(at + head..at + head + bytes) else { break };
            if input[at] != PUBLISH {
                return Err(format!("it sent a packet of type {:#x}", input[at]).into());
            }
            let topic = body.first_chunk().map_or(0, |length| u16::from_be_bytes(*length));
            heard(body.get(2 + usize::from(topic)..).ok_or("it sent a topic without an end")?);
            at += head + bytes;
        }
        Ok(at)
    }
}

/// Says something that has an answer, and reads the answer.
fn ask(stream: &mut TcpStream, words: &[u8]) -> Result<(), Wrong> {
    stream.write_all(words)?;
    read_until(stream, |said| {
        let (head, bytes) = length(said)?;
        (said.len() == head + bytes).then_some(())
    })
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![kind];
    put_length(&mut packet, body.len());
    packet.extend_from_slice(body);
    packet
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

fn put_length(out: &mut Vec<u8>, mut bytes: usize) {
    while bytes >= 0x80 {
        out.push((bytes & 0x7f) as u8 | 0x80);
        bytes >>= 7;
    }
    out.push(bytes as u8);
}

/// Bytes of a packet's head, and of what follows it.
fn length(packet: &[u8]) -> Option<(usize, usize)> {
    let mut bytes = 0;
    for (at, &byte) in packet.iter().skip(1).take(4).enumerate() {
        bytes |= usize::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some((at + 2, bytes));
        }
    }
    None
}

const CONNECT: u8 = 0x10;
const PUBLISH: u8 = 0x30;
const SUBSCRIBE: u8 = 0x82;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shouted_can_be_heard_and_a_part_of_it_waits() {
        let (mut mqtt, mut bytes, mut heard) = (Mqtt::new(0), Vec::new(), 0);
        mqtt.shout(7, &[9; 200], &mut bytes);
        let whole = bytes.len();
        bytes.extend_from_within(..whole - 1);
        let taken = mqtt.hear(&bytes, &mut |payload| heard += payload.len());
        assert_eq!((taken.expect("is fine"), heard), (whole, 200));
    }
}
