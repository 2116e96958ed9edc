//! Payloads: what a message or a state is on the wire. The hub never looks inside.

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Brought, Carried,
    reference::{reading, writing},
};

/// How the payloads of an interface are written. The hub passes the number on and does not use it.
///
/// ```
/// use actix_multiplex::Codec;
/// assert_eq!(Codec::POSTCARD, Codec(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Codec(pub u8);

impl Codec {
    /// Postcard 1, the codec of every interface made by `interface!`.
    pub const POSTCARD: Self = Self(1);
}

/// A message or state that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// It is larger than one frame can carry. Put the bulk elsewhere, or in several messages.
    #[error("payload of {bytes} bytes exceeds the limit of {max}")]
    TooLarge {
        /// Bytes of the payload, and of the list of what it carries.
        bytes: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// Its `Serialize` implementation refused.
    #[error("payload of type `{type_name}` refused to serialize: {reason}")]
    Serialize {
        /// The Rust type.
        type_name: &'static str,
        /// What a reference in it, or postcard, says.
        reason: String,
    },
}

/// A message or state as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Its bytes.
    pub payload: Vec<u8>,
    /// The objects that it carries, which the payload names by their places here.
    pub carried: Vec<Carried>,
}

/// A payload that is not what its kind promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes are no such message.
    #[error("{bytes} bytes are no `{type_name}`: {reason}")]
    Malformed {
        /// Bytes of the payload.
        bytes: usize,
        /// The Rust type that was to come out.
        type_name: &'static str,
        /// What a reference in it, or postcard, says.
        reason: String,
    },
    /// Bytes are left over: the sender's type has fields that this one lacks.
    #[error("{left} bytes are left over after a `{type_name}`")]
    LeftOver {
        /// How many bytes.
        left: usize,
        /// The Rust type that came out.
        type_name: &'static str,
    },
}

/// Writes `value` with the codec of `interface!`, in at most `max` bytes with the list of what it
/// carries.
///
/// # Errors
/// [`EncodeError::TooLarge`] past `max`, [`EncodeError::Serialize`] when the value refuses.
pub fn encode<T: Serialize>(value: &T, max: usize) -> Result<Encoded, EncodeError> {
    encode_behind(0, value, max)
}

/// As [`encode`], with `room` bytes in front of the payload for what is to stand there.
pub(crate) fn encode_behind<T: Serialize>(
    room: usize,
    value: &T,
    max: usize,
) -> Result<Encoded, EncodeError> {
    let (written, carried, wrong) = writing(|| {
        let mut payload = Vec::with_capacity(room + PAYLOAD_BYTES_USUAL);
        payload.resize(room, 0);
        postcard::serialize_with_flavor(value, Growing(payload))
    });
    let payload = written.map_err(|error| EncodeError::Serialize {
        type_name: std::any::type_name::<T>(),
        reason: wrong.unwrap_or_else(|| error.to_string()),
    })?;
    let bytes = payload.len() - room + Carried::bytes_of(&carried);
    if bytes > max {
        return Err(EncodeError::TooLarge { bytes, max });
    }
    Ok(Encoded { payload, carried })
}

/// Bytes that hold most messages. Larger ones grow from there; postcard's own list begins with 8.
const PAYLOAD_BYTES_USUAL: usize = 64;

/// Bytes that postcard writes behind each other.
struct Growing(Vec<u8>);

impl Flavor for Growing {
    type Output = Vec<u8>;

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Reads a `T` that carries nothing out of all of `payload`.
///
/// # Errors
/// [`DecodeError`] when the bytes are not exactly one `T`.
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    decode_with(payload, &[])
}

/// Reads a `T` that carries these objects.
pub(crate) fn decode_with<T: DeserializeOwned>(
    payload: &[u8],
    brought: &[Brought],
) -> Result<T, DecodeError> {
    let type_name = std::any::type_name::<T>();
    let (read, wrong) = reading(brought, || postcard::take_from_bytes(payload));
    let (value, left) = read.map_err(|error| {
        let reason = wrong.unwrap_or_else(|| error.to_string());
        DecodeError::Malformed { bytes: payload.len(), type_name, reason }
    })?;
    match left.len() {
        0 => Ok(value),
        left => Err(DecodeError::LeftOver { left, type_name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_comes_back_and_one_byte_more_or_less_is_an_error() {
        let payload = encode(&("croak", 3_u32), 100).expect("is small").payload;
        assert_eq!(decode::<(String, u32)>(&payload), Ok(("croak".to_owned(), 3)));

        let short = decode::<(String, u32)>(&payload[..payload.len() - 1]);
        assert!(matches!(short, Err(DecodeError::Malformed { bytes: 6, .. })), "{short:?}");

        let long = [payload.as_slice(), &[0]].concat();
        let left_over = decode::<(String, u32)>(&long);
        assert!(matches!(left_over, Err(DecodeError::LeftOver { left: 1, .. })), "{left_over:?}");
    }

    #[test]
    fn a_payload_at_the_limit_is_taken_and_one_past_it_is_not() {
        // The list of nothing takes one byte.
        assert!(encode(&[0_u8; 8], 9).is_ok());
        assert_eq!(encode(&[0_u8; 9], 9), Err(EncodeError::TooLarge { bytes: 10, max: 9 }));
    }
}
