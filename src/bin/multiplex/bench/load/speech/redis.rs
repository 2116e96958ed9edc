//! RESP3, the protocol of Redis in which one connection may both publish and subscribe.
//!
//! # Source
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/>

use std::{io::Write, net::TcpStream, ops::Range};

use super::{super::super::Wrong, ENTER_AT_ONCE, Speech, number, say};

#[derive(Debug)]
pub(super) struct Redis;

impl Speech for Redis {
    fn enter(&mut self, stream: &mut TcpStream, objects: usize) -> Result<(), Wrong> {
        // The last of its seven fields is an empty list of modules.
        say(stream, b"HELLO 3\r\n", b"modules\r\n*0\r\n")?;
        for first in (0..objects).step_by(ENTER_AT_ONCE) {
            let some = first..objects.min(first + ENTER_AT_ONCE);
            let mut words = b"SUBSCRIBE".to_vec();
            for object in some.clone() {
                write!(words, " o{object}")?;
            }
            words.extend_from_slice(b"\r\n");
            say(stream, &words, &confirmed(some.end))?;
        }
        Ok(())
    }

    fn shout(&mut self, object: usize, payload: &[u8], out: &mut Vec<u8>) {
        let object = format!("o{object}");
        let (name, bytes) = (object.len(), payload.len());
        let head = format!("*3\r\n$7\r\nPUBLISH\r\n${name}\r\n{object}\r\n${bytes}\r\n");
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }

    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut at = 0;
        while let Some(bytes) = reply(&input[at..], heard)? {
            at += bytes;
        }
        Ok(at)
    }
}

/// What a confirmation of so many subscriptions ends with.
fn confirmed(subscriptions: usize) -> Vec<u8> {
    format!(":{subscriptions}\r\n").into_bytes()
}

/// Reads a push of three strings, the last of which is a payload; or how many a shout has reached.
fn reply(input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<Option<usize>, Wrong> {
    match input.first() {
        None => Ok(None),
        Some(b':') => Ok(number(&input[1..]).map(|(_, bytes)| 1 + bytes)),
        Some(b'>') => Ok(push(input).map(|(payload, bytes)| {
            heard(&input[payload]);
            bytes
        })),
        Some(_) => {
            let end = input.iter().position(|&byte| byte == b'\r').unwrap_or(input.len());
            Err(format!("it said {:?}", String::from_utf8_lossy(&input[..end])).into())
        }
    }
}

/// Where the last of a push's strings is, and how many bytes the push takes.
fn push(input: &[u8]) -> Option<(Range<usize>, usize)> {
    let (strings, digits) = number(&input[1..])?;
    let (mut at, mut last) = (1 + digits, 0..0);
    for _ in 0..strings {
        let (bytes, digits) = number(input.get(at + 1..)?)?;
        last = at + 1 + digits..at + 1 + digits + bytes;
        at = last.end + 2;
    }
    (input.len() >= at).then_some((last, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_are_heard_whole_and_what_is_none_is_told() {
        let mut heard = Vec::new();
        let one = b">3\r\n$7\r\nmessage\r\n$2\r\no0\r\n$4\r\na\r\nb\r\n:1\r\n";
        let input = [&one[..], &one[..one.len() - 6]].concat();
        let taken = Redis.hear(&input, &mut |payload| heard.push(payload.to_vec()));
        assert_eq!(taken.expect("is fine"), one.len());
        assert_eq!(heard, [b"a\r\nb"]);
        assert!(Redis.hear(b"-ERR no\r\n", &mut |_| {}).is_err());
    }

    #[test]
    fn a_confirmation_names_the_number_of_subscriptions() {
        assert_eq!(confirmed(512), b":512\r\n");
    }
}
