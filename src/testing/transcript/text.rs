//! Events as lines and back, for witnesses in other processes and other languages.
//!
//! The form is told in [`transcript`](super). Knows the fields of each event, and judges none.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::str::Split;

use super::{Event, Transcript};

/// Why a line is no event.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::{Event, LineError};
///
/// let error = Event::parse("parted\tamy").unwrap_err();
/// assert_eq!(error, LineError::Missing { event: "parted".into(), field: "object" });
/// assert_eq!(error.to_string(), "a `parted` line ends before its `object`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line begins with a word that names no event.
    #[error("`{word}` names no event")]
    NoEvent {
        /// The word.
        word: String,
    },
    /// The line ends too early.
    #[error("a `{event}` line ends before its `{field}`")]
    Missing {
        /// The event.
        event: String,
        /// The field that should follow.
        field: &'static str,
    },
    /// The line goes on behind its last field.
    #[error("a `{event}` line has `{extra}` behind its last field")]
    Extra {
        /// The event.
        event: String,
        /// The first field too many.
        extra: String,
    },
    /// A number is none.
    #[error("`{found}` as `{field}` of a `{event}` line is no number from 0 to 2^64 - 1")]
    NoNumber {
        /// The event.
        event: String,
        /// The field.
        field: &'static str,
        /// What is there instead.
        found: String,
    },
    /// A backslash that is not the first of `\t`, `\n`, `\r`, `\\`.
    #[error("`{found}` as `{field}` of a `{event}` line has a `\\` before none of `t n r \\`")]
    NoEscape {
        /// The event.
        event: String,
        /// The field.
        field: &'static str,
        /// The field as it stands in the line.
        found: String,
    },
}

/// Which line is no event, and why.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::Transcript;
///
/// let error = Transcript::parse("parted\tamy\tkermit\ncroaked\tkermit\n").unwrap_err();
/// assert_eq!(error.line, 2);
/// assert_eq!(error.to_string(), "line 2: `croaked` names no event");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
#[non_exhaustive]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub cause: LineError,
}

pub(super) fn parse(lines: &str) -> Result<Transcript, ParseError> {
    let mut transcript = Transcript::new();
    for (index, line) in lines.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let event = Event::parse(line).map_err(|cause| ParseError { line: index + 1, cause })?;
        transcript.record(&event);
    }
    Ok(transcript)
}

impl<'l> Event<Cow<'l, str>> {
    /// Reads one line, given without its line feed (the form: see the module).
    ///
    /// # Errors
    ///
    /// What is wrong with the line.
    pub fn parse(line: &'l str) -> Result<Self, LineError> {
        let mut fields = Fields::of(line);
        let event = read(&mut fields)?;
        fields.finish()?;
        Ok(event)
    }
}

/// Fields are read in the order in which they are written here.
fn read<'l>(fields: &mut Fields<'l>) -> Result<Event<Cow<'l, str>>, LineError> {
    match fields.event {
        "said" | "receipted" | "lost" | "unknown" => read_of_voice(fields),
        "joined" | "heard" | "resynced" | "stands" | "parted" => read_of_leaf(fields),
        "ended" => {
            let (object, seq) = (fields.string("object")?, fields.number("seq")?);
            Ok(Event::Ended { object, seq })
        }
        word => {
            let word = word.to_owned();
            Err(LineError::NoEvent { word })
        }
    }
}

fn read_of_voice<'l>(fields: &mut Fields<'l>) -> Result<Event<Cow<'l, str>>, LineError> {
    let (voice, object) = (fields.string("voice")?, fields.string("object")?);
    let n = fields.number("n")?;
    Ok(match fields.event {
        "said" => Event::Said { voice, object, n, text: fields.string("text")? },
        "receipted" => Event::Receipted { voice, object, n, seq: fields.number("seq")? },
        "lost" => Event::Lost { voice, object, n, why: fields.string("why")? },
        _ => Event::Unknown { voice, object, n },
    })
}

fn read_of_leaf<'l>(fields: &mut Fields<'l>) -> Result<Event<Cow<'l, str>>, LineError> {
    let (leaf, object) = (fields.string("leaf")?, fields.string("object")?);
    Ok(match fields.event {
        "joined" => Event::Joined { leaf, object, after: fields.number("after")? },
        "heard" => Event::Heard {
            leaf,
            object,
            seq: fields.number("seq")?,
            voice: fields.string("voice")?,
            text: fields.string("text")?,
        },
        "resynced" => {
            Event::Resynced { leaf, object, from: fields.number("from")?, to: fields.number("to")? }
        }
        "stands" => Event::Stands {
            leaf,
            object,
            seq: fields.number("seq")?,
            state: fields.string("state")?,
        },
        _ => Event::Parted { leaf, object },
    })
}

/// What is left of a line, and the word it began with.
struct Fields<'l> {
    event: &'l str,
    rest: Split<'l, char>,
}

impl<'l> Fields<'l> {
    fn of(line: &'l str) -> Self {
        let mut rest = line.split('\t');
        Self { event: rest.next().unwrap_or_default(), rest }
    }

    fn string(&mut self, field: &'static str) -> Result<Cow<'l, str>, LineError> {
        let found = self.next(field)?;
        unescape(found).ok_or_else(|| {
            let event = self.event.to_owned();
            LineError::NoEscape { event, field, found: found.to_owned() }
        })
    }

    /// Digits only: `u64::from_str` would take a sign.
    fn number(&mut self, field: &'static str) -> Result<u64, LineError> {
        let found = self.next(field)?;
        let digits = found.bytes().all(|byte| byte.is_ascii_digit());
        found.parse().ok().filter(|_| digits).ok_or_else(|| {
            let event = self.event.to_owned();
            LineError::NoNumber { event, field, found: found.to_owned() }
        })
    }

    fn next(&mut self, field: &'static str) -> Result<&'l str, LineError> {
        let missing = || LineError::Missing { event: self.event.to_owned(), field };
        self.rest.next().ok_or_else(missing)
    }

    fn finish(mut self) -> Result<(), LineError> {
        self.rest.next().map_or(Ok(()), |extra| {
            let event = self.event.to_owned();
            Err(LineError::Extra { event, extra: extra.to_owned() })
        })
    }
}

/// `None` where a backslash stands before none of `t n r \`.
fn unescape(field: &str) -> Option<Cow<'_, str>> {
    if !field.contains('\\') {
        return Some(field.into());
    }
    let mut plain = String::with_capacity(field.len());
    let mut chars = field.chars();
    while let Some(char) = chars.next() {
        plain.push(if char == '\\' { escaped(chars.next()?)? } else { char });
    }
    Some(plain.into())
}

fn escaped(letter: char) -> Option<char> {
    ESCAPES.iter().find(|(_, known)| *known == letter).map(|(char, _)| *char)
}

/// One line, without a line feed.
impl<S: AsRef<str>> fmt::Display for Event<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.map(|string| Escaped(string.as_ref())) {
            Event::Said { voice, object, n, text } => {
                write!(f, "said\t{voice}\t{object}\t{n}\t{text}")
            }
            Event::Receipted { voice, object, n, seq } => {
                write!(f, "receipted\t{voice}\t{object}\t{n}\t{seq}")
            }
            Event::Lost { voice, object, n, why } => {
                write!(f, "lost\t{voice}\t{object}\t{n}\t{why}")
            }
            Event::Unknown { voice, object, n } => write!(f, "unknown\t{voice}\t{object}\t{n}"),
            Event::Joined { leaf, object, after } => write!(f, "joined\t{leaf}\t{object}\t{after}"),
            Event::Heard { leaf, object, seq, voice, text } => {
                write!(f, "heard\t{leaf}\t{object}\t{seq}\t{voice}\t{text}")
            }
            Event::Resynced { leaf, object, from, to } => {
                write!(f, "resynced\t{leaf}\t{object}\t{from}\t{to}")
            }
            Event::Stands { leaf, object, seq, state } => {
                write!(f, "stands\t{leaf}\t{object}\t{seq}\t{state}")
            }
            Event::Parted { leaf, object } => write!(f, "parted\t{leaf}\t{object}"),
            Event::Ended { object, seq } => write!(f, "ended\t{object}\t{seq}"),
        }
    }
}

/// A string as it stands in a field.
struct Escaped<'s>(&'s str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match ESCAPES.iter().find(|(plain, _)| *plain == char) {
            Some((_, letter)) => write!(f, "\\{letter}"),
            None => f.write_char(char),
        })
    }
}

/// What a field cannot hold, and the letter that stands for it behind a backslash.
const ESCAPES: [(char, char); 4] = [('\t', 't'), ('\n', 'n'), ('\r', 'r'), ('\\', '\\')];
