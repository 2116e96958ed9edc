//! Twisted's Perspective Broker, as far as a leaf of one object needs it.
//!
//! Everything is an item of *banana*: a number of seven bits a byte, the lowest first, then a byte
//! that says what it counts or is. Two programs of Twisted agree on the dialect `pb`, in which words
//! that are said often are numbers. What is said is a list whose first item is such a word; the
//! arguments of a call are in *jelly*, lists too.
//!
//! # Source
//! `banana.py`, `jelly.py`, `flavors.py` and `pb.py` of <https://github.com/twisted/twisted>, in
//! `src/twisted/spread`

use std::{io::Write, net::TcpStream};

use super::{super::super::Wrong, Speech, read_until};

/// One client of a broker. It asks for no answers, but to its join.
#[derive(Debug, Default)]
pub(super) struct Perspective {
    calls: u64,
}

/// What banana is made of.
#[derive(Debug, PartialEq)]
enum Item<'a> {
    List(Vec<Self>),
    Int(u64),
    Text(&'a [u8]),
    /// One of the words that the dialect numbers.
    Word(u64),
}

impl Perspective {
    /// A call of a method of the broker's root.
    fn call(&mut self, method: &[u8], answer: bool, argument: Item<'_>, out: &mut Vec<u8>) {
        self.calls += 1;
        let (tuple, dictionary) = (Item::Word(TUPLE), Item::Word(DICTIONARY));
        let call = Item::List(vec![
            Item::Word(MESSAGE),
            Item::Int(self.calls),
            Item::Text(b"root"),
            Item::Text(method),
            Item::Int(answer.into()),
            Item::List(vec![tuple, argument]),
            Item::List(vec![dictionary]),
        ]);
        call.write(out);
    }
}

impl Speech for Perspective {
    fn enter(&mut self, stream: &mut TcpStream, _: usize) -> Result<(), Wrong> {
        read_until(stream, |said| (said == DIALECTS).then_some(()))?;
        let mut words = Vec::new();
        Item::Text(b"pb").write(&mut words);
        Item::List(vec![Item::Word(VERSION), Item::Int(6)]).write(&mut words);
        let leaf = Item::List(vec![Item::Word(REMOTE), Item::Int(1)]);
        self.call(b"join", true, leaf, &mut words);
        stream.write_all(&words)?;
        read_until(stream, |said| joined(said).transpose())?
    }

    fn shout(&mut self, _: usize, payload: &[u8], out: &mut Vec<u8>) {
        self.call(b"shout", false, Item::Text(payload), out);
    }

    fn hear(&mut self, input: &[u8], heard: &mut dyn FnMut(&[u8])) -> Result<usize, Wrong> {
        let mut at = 0;
        while let Some((item, bytes)) = Item::read(&input[at..])? {
            if let Some(payload) = item.payload()? {
                heard(payload);
            }
            at += bytes;
        }
        Ok(at)
    }
}

impl<'a> Item<'a> {
    /// The first item, if it is there as a whole, and how many bytes it takes.
    fn read(input: &'a [u8]) -> Result<Option<(Self, usize)>, Wrong> {
        let head = &input[..input.len().min(DIGITS_MAX + 1)];
        let Some(digits) = head.iter().position(|byte| byte & 0x80 != 0) else {
            let is_part = input.len() <= DIGITS_MAX;
            return if is_part { Ok(None) } else { Err("it sent a number without an end".into()) };
        };
        let number = number(&input[..digits]);
        let mut bytes = digits + 1;
        let item = match input[digits] {
            LIST => {
                let mut items = Vec::new();
                for _ in 0..number {
                    let Some((item, more)) = Self::read(&input[bytes..])? else { return Ok(None) };
                    items.push(item);
                    bytes += more;
                }
                Self::List(items)
            }
            TEXT => {
                let Some(text) = input[bytes..].get(..number as usize) else { return Ok(None) };
                bytes += text.len();
                Self::Text(text)
            }
            INT => Self::Int(number),
            WORD => Self::Word(number),
            other => return Err(format!("it sent banana of type {other:#x}").into()),
        };
        Ok(Some((item, bytes)))
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::List(items) => {
                put(items.len() as u64, LIST, out);
                for item in items {
                    item.write(out);
                }
            }
            Self::Int(number) => put(*number, INT, out),
            Self::Text(text) => {
                put(text.len() as u64, TEXT, out);
                out.extend_from_slice(text);
            }
            Self::Word(word) => put(*word, WORD, out),
        }
    }

    /// What a call of `hear` has for its argument; none for what need not be heard.
    fn payload(&self) -> Result<Option<&'a [u8]>, Wrong> {
        let Self::List(said) = self else { return Err(format!("it said {self:?}").into()) };
        match &said[..] {
            [Self::Word(MESSAGE), .., Self::List(arguments), _] => match arguments[..] {
                [Self::Word(TUPLE), Self::Text(payload)] => Ok(Some(payload)),
                _ => Err(format!("it called with {arguments:?}").into()),
            },
            [Self::Word(VERSION | ANSWER), ..] => Ok(None),
            _ => Err(format!("it said {said:?}").into()),
        }
    }
}

/// Whether the join is answered; none until it is.
fn joined(mut said: &[u8]) -> Result<Option<()>, Wrong> {
    while let Some((item, bytes)) = Item::read(said)? {
        item.payload()?;
        if matches!(&item, Item::List(said) if said.first() == Some(&Item::Word(ANSWER))) {
            return Ok(Some(()));
        }
        said = &said[bytes..];
    }
    Ok(None)
}

/// Seven bits a byte, the lowest first.
fn number(digits: &[u8]) -> u64 {
    digits.iter().rev().fold(0, |number, &digit| number << 7 | u64::from(digit))
}

fn put(mut number: u64, kind: u8, out: &mut Vec<u8>) {
    out.push((number & 0x7f) as u8);
    number >>= 7;
    while number > 0 {
        out.push((number & 0x7f) as u8);
        number >>= 7;
    }
    out.push(kind);
}

/// What a broker offers to a new connection: the list of `pb` and `none`.
const DIALECTS: &[u8] = b"\x02\x80\x02\x82pb\x04\x82none";

const LIST: u8 = 0x80;
const INT: u8 = 0x81;
const TEXT: u8 = 0x82;
const WORD: u8 = 0x87;

const DICTIONARY: u64 = 5;
const TUPLE: u64 = 11;
const REMOTE: u64 = 16;
const VERSION: u64 = 19;
const MESSAGE: u64 = 26;
const ANSWER: u64 = 27;

/// 63 bits.
const DIGITS_MAX: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    /// What `pb.Broker` of Twisted 26.10 writes for `leaf.callRemote("hear", b"croak", pbanswer=0)`
    /// as its 300th call.
    const HEAR: &[u8] = b"\x07\x80\x1a\x87\x2c\x02\x81\x01\x81\x04\x82hear\0\x81\
        \x02\x80\x0b\x87\x05\x82croak\x01\x80\x05\x87";

    #[test]
    fn a_call_is_written_as_twisted_writes_it() {
        let mut bytes = Vec::new();
        Perspective { calls: 299 }.shout(0, b"croak", &mut bytes);
        let root = b"\x07\x80\x1a\x87\x2c\x02\x81\x04\x82root\x05\x82shout\0\x81";
        assert_eq!(bytes, [&root[..], b"\x02\x80\x0b\x87\x05\x82croak\x01\x80\x05\x87"].concat());
    }

    #[test]
    fn items_are_read_as_they_are_written_and_any_part_of_one_waits() {
        let list = vec![Item::Int(0), Item::Int(128), Item::Text(b""), Item::Word(31)];
        let item = Item::List(vec![Item::List(list), Item::Text(&[0xff; 200]), Item::List(vec![])]);
        let mut bytes = Vec::new();
        item.write(&mut bytes);
        for end in 0..bytes.len() {
            assert_eq!(Item::read(&bytes[..end]).expect("is fine"), None, "{end}");
        }
        let whole = bytes.len();
        bytes.push(0x01);
        assert_eq!(Item::read(&bytes).expect("is fine"), Some((item, whole)));
    }

    #[test]
    fn calls_are_heard_whole_and_versions_and_answers_pass() {
        let version_and_answer =
            b"\x02\x80\x13\x87\x06\x81\x03\x80\x1b\x87\x01\x81\x01\x80\x01\x87";
        let input = [&version_and_answer[..], HEAR, HEAR, &HEAR[..HEAR.len() - 1]].concat();
        let mut heard = Vec::new();
        let taken =
            Perspective::default().hear(&input, &mut |payload| heard.push(payload.to_vec()));
        assert_eq!(taken.expect("is fine"), version_and_answer.len() + 2 * HEAR.len());
        assert_eq!(heard, [b"croak", b"croak"]);
    }

    #[test]
    fn an_error_a_wild_argument_and_what_is_no_banana_are_told() {
        let error = b"\x02\x80\x1c\x87\x01\x81";
        let wild = b"\x03\x80\x1a\x87\x01\x80\x0b\x87\x01\x80\x05\x87";
        for input in [&error[..], wild, b"\x01\x88", b"\x01\x81", &[1; 11]] {
            assert!(Perspective::default().hear(input, &mut |_| {}).is_err(), "{input:?}");
        }
    }

    #[test]
    fn a_join_is_answered_once_the_answer_is_there() {
        let version = b"\x02\x80\x13\x87\x06\x81";
        assert_eq!(joined(version).expect("is fine"), None);
        let answer = b"\x03\x80\x1b\x87\x01\x81\x01\x80\x01\x87";
        assert_eq!(joined(&[&version[..], answer].concat()).expect("is fine"), Some(()));
    }
}
