//! What a transcript can show to be wrong, by name.

use std::fmt;

/// One broken rule: what happened, and to what. The rules are told in the module's docs.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::{Transcript, Violation};
///
/// let run = Transcript::parse("joined\tamy\tkermit\t0\nended\tkermit\t2\n").unwrap();
/// let violations = run.check().unwrap_err();
/// assert!(matches!(violations.as_slice(), [Violation::Short { at: 0, end: 2, .. }]));
/// assert_eq!(
///     violations.as_slice()[0].to_string(),
///     "leaf amy of kermit stays, but has heard up to seq 0 of 2",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the names and numbers of the message above them")]
pub enum Violation {
    /// Rule 1: a leaf heard a later seq and was never given, nor told that it missed, these.
    #[error("leaf {leaf} of {object} was never given seq {from} to {to}, and heard a later one")]
    Gap { leaf: String, object: String, from: u64, to: u64 },

    /// Rule 1: a leaf heard a seq after a later one.
    #[error("leaf {leaf} of {object} heard seq {seq} only after it had heard up to {last}")]
    OutOfOrder { leaf: String, object: String, seq: u64, last: u64 },

    /// Rule 1: a leaf heard a seq again.
    #[error("leaf {leaf} of {object} heard seq {seq} twice")]
    HeardTwice { leaf: String, object: String, seq: u64 },

    /// Rule 1: a leaf heard what the state of its join, or a resync, had already covered.
    #[error("leaf {leaf} of {object} heard seq {seq}, which its join or a resync had covered")]
    HeardCovered { leaf: String, object: String, seq: u64 },

    /// Rule 1: something came to a leaf that had not joined or had parted.
    #[error("leaf {leaf} of {object} is not joined when this comes: `{event}`")]
    NotJoined { leaf: String, object: String, event: String },

    /// Rule 1: a leaf joined that had not parted.
    #[error("leaf {leaf} of {object} joins after {after} while joined, having heard up to {last}")]
    JoinedTwice { leaf: String, object: String, after: u64, last: u64 },

    /// Rule 1: a leaf was told that it missed what it had heard, or nothing at all.
    #[error("leaf {leaf} of {object}, having heard up to {last}, is told it missed {from} to {to}")]
    BadResync { leaf: String, object: String, from: u64, to: u64, last: u64 },

    /// Rule 2: two leaves heard two shouts at one seq.
    #[error(
        "seq {seq} of {object} is `{text}` of {voice} to leaf {leaf}, \
         but `{first_text}` of {first_voice} to leaf {first_leaf}"
    )]
    Forked {
        object: String,
        seq: u64,
        leaf: String,
        voice: String,
        text: String,
        first_leaf: String,
        first_voice: String,
        first_text: String,
    },

    /// Rule 3: one shout was heard at two seqs.
    #[error("`{text}` of {voice} at {object} was heard as seq {first_seq} and again as {seq}")]
    SequencedTwice { voice: String, object: String, text: String, seq: u64, first_seq: u64 },

    /// Rule 4: a voice's shout was heard before an earlier one of it.
    #[error("shout {n} of {voice} at {object} was heard as seq {seq}, its later {later_n} before")]
    VoiceReordered { voice: String, object: String, n: u64, seq: u64, later_n: u64 },

    /// Rule 5: what was heard at the seq of a receipt is another shout.
    #[error(
        "the receipt of shout {n} of {voice} at {object} names seq {seq}, \
         where leaf {leaf} heard `{heard_text}` of {heard_voice}"
    )]
    FalseReceipt {
        voice: String,
        object: String,
        n: u64,
        seq: u64,
        leaf: String,
        heard_voice: String,
        heard_text: String,
    },

    /// Rule 5: the shout of a receipt was heard at another seq, and nothing at the named one.
    #[error("the receipt of shout {n} of {voice} at {object} names seq {seq}; it is {heard_seq}")]
    MisplacedReceipt { voice: String, object: String, n: u64, seq: u64, heard_seq: u64 },

    /// Rule 5: two receipts name one seq.
    #[error(
        "the receipts of shout {n} of {voice} and shout {first_n} of {first_voice} at {object} \
         both name seq {seq}"
    )]
    SharedReceipt {
        object: String,
        seq: u64,
        voice: String,
        n: u64,
        first_voice: String,
        first_n: u64,
    },

    /// Rule 5: a voice's receipt names a seq before that of an earlier shout.
    #[error(
        "the receipt of shout {n} of {voice} at {object} names seq {seq}, after that of its later {later_n}"
    )]
    ReceiptsReordered { voice: String, object: String, n: u64, seq: u64, later_n: u64 },

    /// Rule 6: nobody said what a leaf heard.
    #[error("leaf {leaf} of {object} heard `{text}` of {voice} as seq {seq}, which was never said")]
    Unsaid { leaf: String, object: String, seq: u64, voice: String, text: String },

    /// Rule 6: a shout that was refused was heard.
    #[error("shout {n} of {voice} at {object} was refused (`{why}`), but heard as seq {seq}")]
    LostHeard { voice: String, object: String, n: u64, why: String, seq: u64 },

    /// Rule 6: a voice gave one number to two shouts, so its outcomes cannot be told apart.
    #[error("shout {n} of {voice} at {object} was said twice, as `{first_text}` and as `{text}`")]
    SaidTwice { voice: String, object: String, n: u64, text: String, first_text: String },

    /// Rule 6: a voice gave one text to two shouts, so who heard which cannot be told.
    #[error("shouts {first_n} and {n} of {voice} at {object} are both `{text}`")]
    TextReused { voice: String, object: String, text: String, n: u64, first_n: u64 },

    /// Rule 6: an outcome came of a shout that was never said.
    #[error("shout {n} of {voice} at {object} was never said, but has an outcome: `{event}`")]
    OutcomeUnsaid { voice: String, object: String, n: u64, event: String },

    /// Rule 6: a shout ended twice.
    #[error("shout {n} of {voice} at {object} has two outcomes: `{first_event}` and `{event}`")]
    TwoOutcomes { voice: String, object: String, n: u64, first_event: String, event: String },

    /// Rule 6: a number that counts from 1 is 0. The event is judged no further.
    #[error("shouts and seqs count from 1, unlike in `{event}`")]
    Zero { event: String },

    /// Rule 7: a leaf was never given what a receipt had promised; the first such is named.
    #[error(
        "leaf {leaf} of {object} was never given seq {from} to {to}, \
         though seq {seq} was receipted as shout {n} of {voice} ({receipts} receipts in all)"
    )]
    ReceiptUnheard {
        leaf: String,
        object: String,
        from: u64,
        to: u64,
        voice: String,
        n: u64,
        seq: u64,
        receipts: usize,
    },

    /// Rule 8: a leaf that never parted stopped before the object's last seq.
    #[error("leaf {leaf} of {object} stays, but has heard up to seq {at} of {end}")]
    Short { leaf: String, object: String, at: u64, end: u64 },

    /// Rule 8: an event names a seq behind the last one told; the furthest such is named.
    #[error("{object} ended at seq {end}, but `{event}`")]
    PastEnd { object: String, end: u64, seq: u64, event: String },

    /// Rule 8: two last seqs were told; the first is judged by.
    #[error("{object} ended at seq {first_seq}, and then at {seq}")]
    EndsDiffer { object: String, seq: u64, first_seq: u64 },

    /// Rule 9: how a shout ended was never recorded.
    #[error("shout {n} of {voice} at {object} has no outcome: no receipt, no error, no unknown")]
    NoOutcome { voice: String, object: String, n: u64 },

    /// Rule 10: two leaves that contain the same shouts have different states.
    #[error(
        "at seq {seq} of {object} the state of leaf {leaf} is `{state}`, that of {first_leaf} `{first_state}`"
    )]
    StatesDiffer {
        object: String,
        seq: u64,
        leaf: String,
        state: String,
        first_leaf: String,
        first_state: String,
    },
}

/// Every violation of a transcript: at least one.
///
/// Printed, also by `unwrap`, it is the first 20 and the count of the rest.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::Transcript;
///
/// let run = Transcript::parse("parted\tamy\tkermit\nparted\tangus\tkermit\n").unwrap();
/// let violations = run.check().unwrap_err();
/// assert_eq!(violations.as_slice().len(), 2);
/// assert!(violations.to_string().starts_with("2 violations\n"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// `None` for no violation.
    pub(super) fn of(violations: Vec<Violation>) -> Option<Self> {
        (!violations.is_empty()).then_some(Self(violations))
    }

    /// All of them, object by object.
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "{count} violation{}", if count == 1 { "" } else { "s" })?;
        self.0.iter().take(PRINTED_MAX).try_for_each(|violation| write!(f, "\n  {violation}"))?;
        match count.saturating_sub(PRINTED_MAX) {
            0 => Ok(()),
            rest => write!(f, "\n  and {rest} more"),
        }
    }
}

/// As it is displayed: a run can break a million times, and `unwrap` prints this.
impl fmt::Debug for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violations {}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A screenful: who needs more takes the slice.
const PRINTED_MAX: usize = 20;
