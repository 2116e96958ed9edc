//! What was said, heard and receipted, and whether it keeps the promises.
//!
//! In come [`Event`]s from any number of witnesses: leaves and voices of this process, or the lines
//! of others, in any language. Out comes a [`Summary`], or every [`Violation`] by name.
//! The checker knows nothing of the implementation: no actor, no frame, no hub; only labels, texts
//! and numbers.
//!
//! # Ordering
//!
//! Only the order of one leaf's events at one object counts ([`Joined`](Event::Joined),
//! [`Heard`](Event::Heard), [`Resynced`](Event::Resynced), [`Parted`](Event::Parted)). All else
//! carries its number, so the parts of several witnesses may simply be put one behind the other.
//!
//! # Labels
//!
//! A shout is known by its voice and text, so no voice says one text twice at one object.
//! An object whose epoch changes counts from 1 again: give it another label, such as `kermit@2`.
//! What the hub itself puts into the order is said by a voice of its own, such as `hub`.
//!
//! # Rules
//!
//! Each object is judged by itself.
//!
//! | rule | | broken as |
//! |---|---|---|
//! | 1 | a leaf hears each seq after its join once, densely, in order, or is told of a resync | [`Gap`], [`OutOfOrder`], [`HeardTwice`], [`HeardCovered`], [`NotJoined`], [`JoinedTwice`], [`BadResync`] |
//! | 2 | a seq is the same shout for every leaf | [`Forked`] |
//! | 3 | a shout has one seq | [`SequencedTwice`] |
//! | 4 | a voice's shouts keep the order in which they were sent | [`VoiceReordered`] |
//! | 5 | a receipt is true | [`FalseReceipt`], [`MisplacedReceipt`], [`SharedReceipt`], [`ReceiptsReordered`] |
//! | 6 | what is heard was said, and was not refused | [`Unsaid`], [`LostHeard`], [`SaidTwice`], [`TextReused`], [`OutcomeUnsaid`], [`TwoOutcomes`], [`Zero`] |
//! | 7 | what was receipted is heard by every leaf that was joined for it | [`ReceiptUnheard`] |
//! | 8 | a leaf that stays ends at the object's last seq | [`Short`], [`PastEnd`], [`EndsDiffer`] |
//! | 9 | a shout has an outcome (only [`Transcript::check_complete`]) | [`NoOutcome`] |
//! | 10 | leaves that contain the same shouts have the same state | [`StatesDiffer`] |
//!
//! What a leaf missed is reported once: as [`ReceiptUnheard`] where something in it was receipted,
//! else as [`Gap`] or [`Short`]. A receipt found untrue is reported as such and judged no further.
//! A seq that leaves do not agree on is judged as its first witness in the transcript heard it.
//!
//! # Lines
//!
//! One event a line, ended by a line feed; the fields of a line are separated by one tab each:
//!
//! ```text
//! said       voice   object  n      text
//! receipted  voice   object  n      seq
//! lost       voice   object  n      why
//! unknown    voice   object  n
//! joined     leaf    object  after
//! heard      leaf    object  seq    voice  text
//! resynced   leaf    object  from   to
//! stands     leaf    object  seq    state
//! parted     leaf    object
//! ended      object  seq
//! ```
//!
//! Numbers are decimal digits, below 2^64. Labels and texts are UTF-8, in which `\t`, `\n`, `\r`
//! and `\\` stand for a tab, a line feed, a carriage return and a backslash. Empty lines, and lines
//! that begin with `#`, say nothing. A carriage return before the line feed is dropped.
//!
//! [`Gap`]: Violation::Gap
//! [`OutOfOrder`]: Violation::OutOfOrder
//! [`HeardTwice`]: Violation::HeardTwice
//! [`HeardCovered`]: Violation::HeardCovered
//! [`NotJoined`]: Violation::NotJoined
//! [`JoinedTwice`]: Violation::JoinedTwice
//! [`BadResync`]: Violation::BadResync
//! [`Forked`]: Violation::Forked
//! [`SequencedTwice`]: Violation::SequencedTwice
//! [`VoiceReordered`]: Violation::VoiceReordered
//! [`FalseReceipt`]: Violation::FalseReceipt
//! [`MisplacedReceipt`]: Violation::MisplacedReceipt
//! [`SharedReceipt`]: Violation::SharedReceipt
//! [`ReceiptsReordered`]: Violation::ReceiptsReordered
//! [`Unsaid`]: Violation::Unsaid
//! [`LostHeard`]: Violation::LostHeard
//! [`SaidTwice`]: Violation::SaidTwice
//! [`TextReused`]: Violation::TextReused
//! [`OutcomeUnsaid`]: Violation::OutcomeUnsaid
//! [`TwoOutcomes`]: Violation::TwoOutcomes
//! [`Zero`]: Violation::Zero
//! [`ReceiptUnheard`]: Violation::ReceiptUnheard
//! [`Short`]: Violation::Short
//! [`PastEnd`]: Violation::PastEnd
//! [`EndsDiffer`]: Violation::EndsDiffer
//! [`NoOutcome`]: Violation::NoOutcome
//! [`StatesDiffer`]: Violation::StatesDiffer

mod check;
mod event;
mod names;
mod text;
mod violation;

use std::fmt;

use self::names::{Names, Symbol};

pub use self::event::Event;
pub use self::text::{LineError, ParseError};
pub use self::violation::{Violation, Violations};

/// The events of a run, as its witnesses recorded them.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::{Event, Transcript, Violation};
///
/// let mut run = Transcript::new();
/// run.record(&Event::Joined { leaf: "amy", object: "kermit", after: 0 });
/// run.record(&Event::Said { voice: "alec", object: "kermit", n: 1, text: "croak" });
/// run.record(&Event::Receipted { voice: "alec", object: "kermit", n: 1, seq: 1 });
///
/// let missed = run.check().unwrap_err();
/// assert!(matches!(missed.as_slice(), [Violation::ReceiptUnheard { seq: 1, .. }]));
///
/// let (leaf, voice) = ("amy", "alec");
/// run.record(&Event::Heard { leaf, object: "kermit", seq: 1, voice, text: "croak" });
/// let summary = run.check_complete().unwrap();
/// assert_eq!(summary.deliveries, 1);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    names: Names,
    events: Vec<Event<Symbol>>,
}

impl Transcript {
    /// A transcript of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the lines of one witness or several (the form: see the module).
    ///
    /// # Errors
    ///
    /// The first line that is none, with its number.
    ///
    /// # Examples
    ///
    /// ```
    /// use actix_multiplex::testing::transcript::Transcript;
    ///
    /// let run = Transcript::parse("# a witness\njoined\tamy\tkermit\t0\n").unwrap();
    /// assert_eq!(run.to_lines(), "joined\tamy\tkermit\t0\n");
    /// ```
    pub fn parse(lines: &str) -> Result<Self, ParseError> {
        text::parse(lines)
    }

    /// Adds what a witness saw, behind all that it saw before.
    pub fn record<S: AsRef<str>>(&mut self, event: &Event<S>) {
        let names = &mut self.names;
        self.events.push(event.map(|name| names.intern(name.as_ref())));
    }

    /// The events in the order in which they were recorded.
    pub fn events(&self) -> impl ExactSizeIterator<Item = Event<&str>> {
        self.events.iter().map(|event| event.map(|&symbol| self.names.of(symbol)))
    }

    /// The events as lines, which [`Transcript::parse`] reads back.
    pub fn to_lines(&self) -> String {
        self.to_string()
    }

    /// Judges all rules but 9.
    ///
    /// # Errors
    ///
    /// Every violation, object by object in the order in which they are first mentioned.
    pub fn check(&self) -> Result<Summary, Violations> {
        check::check(&self.names, &self.events, false)
    }

    /// Judges all rules: also that every shout has an outcome.
    ///
    /// # Errors
    ///
    /// As [`Transcript::check`].
    pub fn check_complete(&self) -> Result<Summary, Violations> {
        check::check(&self.names, &self.events, true)
    }
}

/// Every event on a line of its own.
impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.events().try_for_each(|event| writeln!(f, "{event}"))
    }
}

/// Only how much there is: a run has a million events.
impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript").field("events", &self.events.len()).finish_non_exhaustive()
    }
}

impl<S: AsRef<str>> Extend<Event<S>> for Transcript {
    fn extend<I: IntoIterator<Item = Event<S>>>(&mut self, events: I) {
        events.into_iter().for_each(|event| self.record(&event));
    }
}

impl<S: AsRef<str>> FromIterator<Event<S>> for Transcript {
    fn from_iter<I: IntoIterator<Item = Event<S>>>(events: I) -> Self {
        let mut transcript = Self::new();
        transcript.extend(events);
        transcript
    }
}

/// How much a good transcript holds, so that a caller can refuse a run that shows nothing.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::Transcript;
///
/// let summary = Transcript::new().check().unwrap();
/// assert_eq!(summary.deliveries, 0, "nothing was heard, so nothing was shown");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// Objects mentioned.
    pub objects: usize,
    /// Leaves that joined: pairs of leaf label and object.
    pub leaves: usize,
    /// Shouts said.
    pub shouts: usize,
    /// Shouts heard, once per leaf.
    pub deliveries: usize,
    /// Shouts whose receipt came.
    pub receipts: usize,
    /// Shouts refused.
    pub lost: usize,
    /// Shouts of which it was never known.
    pub unknown: usize,
    /// Times a leaf was told that it missed something.
    pub resyncs: usize,
    /// States that were held against another leaf's at the same seq.
    pub compared: usize,
}
