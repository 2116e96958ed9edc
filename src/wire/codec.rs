//! Lengths, varints and bounds: what every decoder shares.

use std::fmt;

use bytes::BufMut;
use postcard::ser_flavors::Size;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};

use super::FrameType;
use crate::limits::FRAME_BYTES_MAX;

/// Bytes that are no frame. The connection they came from is closed with this as the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length prefix is over the limit.
    #[error("frame of {bytes} bytes exceeds the limit of {max}")]
    TooLong {
        /// Bytes that the length prefix announces.
        bytes: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// The length prefix is 0: there is no room for a frame type.
    #[error("frame of 0 bytes has no frame type")]
    Empty,
    /// No frame has this type.
    #[error("frame type {0} is unknown")]
    UnknownType(u8),
    /// The header is cut short, or a field in it is malformed or over its limit.
    #[error("{frame:?} frame of {bytes} bytes has a malformed header")]
    Header {
        /// The frame's type.
        frame: FrameType,
        /// Bytes of the frame.
        bytes: usize,
    },
    /// Bytes follow the header of a frame that has no payload.
    #[error("{left} bytes are left over after the header of a {frame:?} frame")]
    LeftOver {
        /// The frame's type.
        frame: FrameType,
        /// How many bytes.
        left: usize,
    },
    /// A header is well formed but says what cannot be.
    #[error("{frame:?} frame: {what}")]
    Nonsense {
        /// The frame's type.
        frame: FrameType,
        /// What is wrong.
        what: &'static str,
    },
}

/// What stands at the beginning of received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Split {
    /// Whole frames, this many bytes of them with their length prefixes.
    Whole(usize),
    /// Not one whole frame; it will have this many bytes, as far as is known.
    Partial(usize),
}

/// Finds the whole frames at the beginning of `bytes`. Lengths are checked here, before anything
/// is kept for a frame.
///
/// # Errors
/// [`FrameError::TooLong`] and [`FrameError::Empty`]; whole frames before the bad one are lost
/// with it, since the connection is.
pub fn split(bytes: &[u8]) -> Result<Split, FrameError> {
    let mut at = 0;
    loop {
        let Some(prefix) = bytes[at..].first_chunk::<4>() else {
            return Ok(if at == 0 { Split::Partial(4) } else { Split::Whole(at) });
        };
        let length = u32::from_le_bytes(*prefix) as usize;
        check_length(length)?;
        if bytes.len() - at < 4 + length {
            return Ok(if at == 0 { Split::Partial(4 + length) } else { Split::Whole(at) });
        }
        at += 4 + length;
    }
}

fn check_length(bytes: usize) -> Result<(), FrameError> {
    match bytes {
        0 => Err(FrameError::Empty),
        1..=FRAME_BYTES_MAX => Ok(()),
        _ => Err(FrameError::TooLong { bytes, max: FRAME_BYTES_MAX }),
    }
}

/// Writes `value` as postcard does: seven bits a byte, the lowest first.
pub(super) fn put_varint(buffer: &mut impl BufMut, mut value: u64) {
    while value >= 0x80 {
        buffer.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    buffer.put_u8(value as u8);
}

/// Bytes of `value` as postcard writes it. Postcard also reads numbers with more bytes than they
/// need; what was read is longer than this then, and no decoder here takes it.
pub(super) fn written_bytes<T: Serialize>(value: &T) -> usize {
    postcard::serialize_with_flavor(value, Size::default()).expect("headers are plain data")
}

/// Reads what [`put_varint`] writes, and what follows. `None`: it is cut short, too large, or not the
/// shortest form.
#[inline]
pub(super) fn take_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        [only @ ..0x80, rest @ ..] => Some(((*only).into(), rest)),
        [low, high @ 1..0x80, rest @ ..] => {
            Some((u64::from(low & 0x7f) | u64::from(*high) << 7, rest))
        }
        _ => take_long_varint(bytes),
    }
}

fn take_long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, &byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * at);
        if byte < 0x80 {
            let is_shortest = byte != 0 || at == 0;
            return is_shortest.then(|| (value, &bytes[at + 1..]));
        }
    }
    None
}

/// Reads a list of at most `MAX` items. The count is checked before memory is taken for it.
pub(super) fn bounded<'de, D, T, const MAX: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_seq(Bounded::<T, MAX>(std::marker::PhantomData))
}

struct Bounded<T, const MAX: usize>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Bounded<T, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at most {MAX} items")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Vec<T>, S::Error> {
        let claimed = seq.size_hint().unwrap_or(0);
        if claimed > MAX {
            return Err(S::Error::invalid_length(claimed, &self));
        }
        // Grows as items really come: a claim alone takes no memory.
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            if items.len() == MAX {
                return Err(S::Error::invalid_length(MAX + 1, &self));
            }
            items.push(item);
        }
        Ok(items)
    }
}

/// Reads a text of at most `MAX` bytes.
pub(super) fn bounded_text<'de, D, const MAX: usize>(deserializer: D) -> Result<String, D::Error>
where
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(BoundedText::<MAX>)
}

struct BoundedText<const MAX: usize>;

impl<const MAX: usize> Visitor<'_> for BoundedText<MAX> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text of at most {MAX} bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if text.len() > MAX {
            return Err(E::invalid_length(text.len(), &self));
        }
        Ok(text.to_owned())
    }
}

/// Shortens `text` to a reason that fits its bound, at a character boundary.
pub fn reason(text: &str) -> String {
    text[..text.floor_char_boundary(crate::limits::REASON_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(lengths: &[u32]) -> Vec<u8> {
        let frame =
            |&length: &u32| [length.to_le_bytes().to_vec(), vec![9; length as usize]].concat();
        lengths.iter().flat_map(frame).collect()
    }

    #[test]
    fn whole_frames_are_found_and_a_part_of_one_is_left() {
        let bytes = frames(&[3, 1, 5]);
        assert_eq!(split(&bytes), Ok(Split::Whole(21)));
        assert_eq!(split(&bytes[..20]), Ok(Split::Whole(12)));
        assert_eq!(split(&bytes[..6]), Ok(Split::Partial(7)));
        assert_eq!(split(&bytes[..3]), Ok(Split::Partial(4)));
        assert_eq!(split(&[]), Ok(Split::Partial(4)));
    }

    #[test]
    fn a_length_is_judged_by_its_prefix_alone() {
        assert_eq!(split(&65_536_u32.to_le_bytes()), Ok(Split::Partial(65_540)));
        let too_long = FrameError::TooLong { bytes: 65_537, max: 65_536 };
        assert_eq!(split(&65_537_u32.to_le_bytes()), Err(too_long));
        assert_eq!(split(&0_u32.to_le_bytes()), Err(FrameError::Empty));
    }

    #[test]
    fn varints_are_postcards() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut ours = Vec::new();
            put_varint(&mut ours, value);
            assert_eq!(ours, postcard::to_stdvec(&value).expect("a number"));
            assert_eq!(take_varint(&ours), Some((value, &[][..])));
            assert_eq!(take_varint(&ours[..ours.len() - 1]), None);
            assert_eq!(written_bytes(&value), ours.len());
        }
    }

    #[test]
    fn a_varint_that_is_longer_than_need_be_or_too_large_is_refused() {
        assert_eq!(take_varint(&[0x80, 0]), None);
        assert_eq!(take_varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]), None);
        assert_eq!(take_varint(&[5, 6]), Some((5, &[6][..])));
    }

    #[test]
    fn a_reason_is_cut_at_a_character() {
        assert_eq!(reason("short"), "short");
        assert_eq!(reason(&"é".repeat(600)).len(), 1_024);
        assert_eq!(reason(&format!("a{}", "é".repeat(600))).len(), 1_023);
    }
}
