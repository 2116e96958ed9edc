//! The text protocol of NATS.
//!
//! # Source
//! <https://docs.nats.io/reference/reference-protocols/nats-protocol>

use std::{io::Write, net::TcpStream};

use super::{super::super::Wrong, ENTER_AT_ONCE, Speech, number, read_until, say};

#[derive(Debug)]
pub(super) struct Nats;

impl Speech for Nats {
    fn enter(&mut self, stream: &mut TcpStream, objects: usize) -> Result<(), Wrong> {
        read_until(stream, |said| said.ends_with(b"\r\n").then_some(()))?;
        say(stream, b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n", PONG)?;
        for first in (0..objects).step_by(ENTER_AT_ONCE) {
            let some = first..objects.min(first + ENTER_AT_ONCE);
            let mut words = Vec::new();
            for object in some {
                write!(words, "SUB o{object} {object}\r\n")?;
            }
            words.extend_from_slice(b"PING\r\n");
            say(stream, &words, PONG)?;
        }
        Ok(())
    }

    fn shout(&mut self, object: usize, payload: &[u8], out: &mut Vec<u8>) {
        let _memory_takes_all = write!(out, "PUB o{object} {}\r\n", payload.len());
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }

    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut at = 0;
        while let Some(bytes) = message(&input[at..], heard)? {
            at += bytes;
        }
        Ok(at)
    }
}

/// Reads `MSG subject sid bytes`, and the payload on the next line. A `PING` wants an answer within
/// minutes, when the load is long gone.
fn message(input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<Option<usize>, Wrong> {
    let Some(end) = input.iter().position(|&byte| byte == b'\r') else { return Ok(None) };
    if input.starts_with(b"PING\r\n") {
        return Ok(Some(6));
    }
    if !input.starts_with(b"MSG ") {
        return Err(format!("it said {:?}", String::from_utf8_lossy(&input[..end])).into());
    }
    let last_word = input[..end].iter().rposition(|&byte| byte == b' ').unwrap_or(0);
    let Some((bytes, digits)) = number(&input[last_word + 1..]) else { return Ok(None) };
    let begin = last_word + 1 + digits;
    let Some(payload) = input.get(begin..begin + bytes) else { return Ok(None) };
    let whole = begin + bytes + 2;
    if input.len() < whole {
        return Ok(None);
    }
    heard(payload);
    Ok(Some(whole))
}

const PONG: &[u8] = b"PONG\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_heard_whole_and_what_is_no_message_is_told() {
        let mut heard = Vec::new();
        let input = b"MSG o0 0 2\r\nab\r\nPING\r\nMSG o0 0 1\r\n\r\r\nMSG o0 0 3\r\nabc\r";
        let taken = Nats.hear(input, &mut |payload| heard.push(payload.to_vec()));
        assert_eq!(taken.expect("is fine"), 37);
        assert_eq!(heard, [b"ab".to_vec(), b"\r".to_vec()]);
        assert!(Nats.hear(b"-ERR 'Slow Consumer'\r\n", &mut |_| {}).is_err());
    }
}
