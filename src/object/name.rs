//! Names of objects and tags of interfaces: short texts that are safe to print.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

use crate::limits::{NAME_BYTES_MAX, TAG_BYTES_MAX};

/// A text that cannot be a name or a tag.
///
/// ```
/// use actix_multiplex::{InvalidName, Name};
/// assert_eq!("".parse::<Name>(), Err(InvalidName::Empty));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// It has no characters.
    #[error("a name needs at least one character")]
    Empty,
    /// It has more bytes than allowed.
    #[error("name of {bytes} bytes exceeds the limit of {max}")]
    TooLong {
        /// Bytes of the text.
        bytes: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// It has a control character, which could forge a line of a log or move a terminal's cursor.
    #[error("name has the control character U+{:04X} at byte {at}", u32::from(*character))]
    Control {
        /// The character.
        character: char,
        /// Where it begins, in bytes.
        at: usize,
    },
}

fn check(text: &str, max: usize) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > max {
        return Err(InvalidName::TooLong { bytes: text.len(), max });
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, character)) => Err(InvalidName::Control { character, at }),
        None => Ok(()),
    }
}

/// Reads a text and checks it before it is copied.
struct Checked<T>(PhantomData<T>);

impl<T: FromStr<Err = InvalidName>> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a short text without control characters")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

macro_rules! short_text {
    ($(#[$meta:meta])* $name:ident, $max:expr) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check(text, $max)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                check(&text, $max)?;
                Ok(Self(text.into()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Checked(PhantomData))
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

short_text! {
    /// What an object is called in the directory: 1 to 128 bytes of UTF-8 without control
    /// characters.
    ///
    /// ```
    /// use actix_multiplex::Name;
    /// assert_eq!("kermit".parse::<Name>()?.as_str(), "kermit");
    /// # Ok::<(), actix_multiplex::InvalidName>(())
    /// ```
    Name, NAME_BYTES_MAX
}

short_text! {
    /// What an interface is called on the wire: 1 to 64 bytes of UTF-8 without control characters.
    ///
    /// ```
    /// use actix_multiplex::Tag;
    /// assert!("pond.frog".parse::<Tag>().is_ok());
    /// assert!("pond\n.frog".parse::<Tag>().is_err());
    /// ```
    Tag, TAG_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_128_bytes_is_taken_and_one_of_129_is_not() {
        assert!("a".repeat(128).parse::<Name>().is_ok());
        let long = InvalidName::TooLong { bytes: 129, max: 128 };
        assert_eq!("a".repeat(129).parse::<Name>(), Err(long));
    }

    #[test]
    fn a_control_character_is_named_with_its_place() {
        let bell = InvalidName::Control { character: '\u{7}', at: 2 };
        assert_eq!(bell.to_string(), "name has the control character U+0007 at byte 2");
        assert_eq!("é\u{7}".parse::<Name>(), Err(bell));
        assert!("é frog".parse::<Name>().is_ok());
    }
}
