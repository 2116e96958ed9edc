//! A record as bytes: its key, and a value that says all over again whose it is.
//!
//! | field | bytes | |
//! |---|---|---|
//! | mark | 4 | `mpx` and 1 |
//! | checksum | 4 | CRC-32 of all that follows |
//! | number | 8 | of the commit's change: the higher of two for one key is the later |
//! | key | 1 and its length | |
//! | body | 4 and its length | postcard, but for a chunk |
//!
//! So a value that is found anywhere, in a store that cannot be opened too, is whole or is none.
//! Numbers are little-endian in values and big-endian in keys, which are sorted by their bytes.

use bytes::{BufMut, Bytes};

use crate::object::{ObjectId, SessionId};

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The journal itself.
    Hub,
    Session(SessionId),
    /// An object that is no more, by its place among those.
    Ended(u64),
    Definition(ObjectId),
    State(ObjectId),
    Marks(ObjectId),
    /// What was decided, in the order of its numbers.
    Entry(ObjectId, u64),
    /// The hub above.
    Above,
    /// A session below a link.
    Below(SessionId),
}

/// A value that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) number: u64,
    pub(super) key: &'a [u8],
    pub(super) body: &'a [u8],
    /// All of it, as it was found.
    pub(super) bytes: &'a [u8],
}

impl Key {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut key = Vec::with_capacity(25);
        match self {
            Self::Hub => key.push(0),
            Self::Session(session) => put(&mut key, 1, &session.0, None),
            Self::Ended(number) => put(&mut key, 2, &[], Some(number)),
            Self::Definition(object) => put(&mut key, 3, &object.0, None),
            Self::State(object) => put(&mut key, 4, &object.0, None),
            Self::Marks(object) => put(&mut key, 5, &object.0, None),
            Self::Entry(object, number) => put(&mut key, 6, &object.0, Some(number)),
            Self::Above => key.push(7),
            Self::Below(session) => put(&mut key, 8, &session.0, None),
        }
        key
    }

    pub(super) fn decode(key: &[u8]) -> Option<Self> {
        let (kind, rest) = key.split_first()?;
        let id = || <[u8; 16]>::try_from(rest).ok();
        Some(match kind {
            0 if rest.is_empty() => Self::Hub,
            1 => Self::Session(SessionId(id()?)),
            2 => Self::Ended(u64::from_be_bytes(rest.try_into().ok()?)),
            3 => Self::Definition(ObjectId(id()?)),
            4 => Self::State(ObjectId(id()?)),
            5 => Self::Marks(ObjectId(id()?)),
            6 => {
                let (object, number) = rest.split_first_chunk()?;
                Self::Entry(ObjectId(*object), u64::from_be_bytes(number.try_into().ok()?))
            }
            7 if rest.is_empty() => Self::Above,
            8 => Self::Below(SessionId(id()?)),
            _ => return None,
        })
    }

    /// The object that it is about, if it is about one.
    pub(super) fn object(self) -> Option<ObjectId> {
        match self {
            Self::Definition(object)
            | Self::State(object)
            | Self::Marks(object)
            | Self::Entry(object, _) => Some(object),
            Self::Hub | Self::Session(_) | Self::Ended(_) | Self::Above | Self::Below(_) => None,
        }
    }
}

fn put(key: &mut Vec<u8>, kind: u8, id: &[u8], number: Option<u64>) {
    key.push(kind);
    key.extend_from_slice(id);
    key.extend(number.into_iter().flat_map(u64::to_be_bytes));
}

/// A value with this body.
pub(super) fn seal(key: &[u8], number: u64, body: &[&[u8]]) -> Bytes {
    let length: usize = body.iter().map(|part| part.len()).sum();
    let mut value = Vec::with_capacity(HEAD_BYTES + 9 + key.len() + 4 + length);
    value.put_slice(MARK);
    value.put_u32_le(0);
    value.put_u64_le(number);
    value.put_u8(key.len() as u8);
    value.put_slice(key);
    value.put_u32_le(length as u32);
    for part in body {
        value.put_slice(part);
    }
    let checksum = crc32fast::hash(&value[HEAD_BYTES..]);
    value[MARK.len()..HEAD_BYTES].copy_from_slice(&checksum.to_le_bytes());
    value.into()
}

/// The value at the beginning of `bytes`, if one is there and is whole.
pub(super) fn open(bytes: &[u8]) -> Option<Value<'_>> {
    let rest = bytes.strip_prefix(MARK)?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (body, rest) = rest.split_at_checked(length)?;
    let bytes = &bytes[..bytes.len() - rest.len()];
    let is_whole = crc32fast::hash(&bytes[HEAD_BYTES..]) == u32::from_le_bytes(*checksum);
    let number = u64::from_le_bytes(*number);
    is_whole.then_some(Value { number, key, body, bytes })
}

/// What every value begins with. The last byte is raised when the layout changes.
pub(super) const MARK: &[u8; 4] = b"mpx\x01";
/// The mark and the checksum.
const HEAD_BYTES: usize = 8;
