//! Schedules: what happens in a simulation, step by step, made up front from a seed.
//!
//! A value: nothing runs here. A schedule prints as Rust source that makes it again, so that a run
//! which failed can be pasted into a test, and steps can be left out of it.

mod generate;

use std::fmt;

use crate::hub::Trouble;

/// What happens in a simulation, and when.
///
/// ```
/// use actix_multiplex::testing::{Act::*, Schedule, Thing::*, simulate};
///
/// let schedule = Schedule::new(7, [
///     (0, Come(0)),
///     (10, Come(1)),
///     (20, Shout { who: 0, thing: Ledger, count: 3, bytes: 10 }),
/// ]);
/// let summary = simulate(&schedule).verdict.expect("one order for both");
/// assert_eq!((summary.shouts, summary.deliveries), (3, 6));
/// assert!(schedule.to_string().contains("(10, Come(1)),"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    /// Of the hub, the clients and the network.
    pub seed: u64,
    /// In the order in which they are taken.
    pub steps: Vec<Step>,
}

/// One thing that happens.
///
/// ```
/// use actix_multiplex::testing::{Act, Step};
/// assert_eq!(Step::from((10, Act::Come(1))).at_ms, 10);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// How long after the beginning.
    pub at_ms: u64,
    /// What happens.
    pub act: Act,
}

/// What can happen. A number names a client; what makes no sense at its moment does nothing.
///
/// ```
/// use actix_multiplex::testing::Act;
/// assert_eq!(format!("{:?}", Act::Cut(2)), "Cut(2)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// A client connects, and opens both things; one that has crashed comes as a new one.
    Come(u8),
    /// A client connects, and only shouts.
    ComeAsVoice(u8),
    /// It shouts, through its leaf if it has one, else through its voice.
    Shout {
        /// The client.
        who: u8,
        /// At what.
        thing: Thing,
        /// How often.
        count: u16,
        /// How large each is.
        bytes: u16,
    },
    /// It shouts through a voice, whether or not it has a leaf.
    Speak {
        /// The client.
        who: u8,
        /// At what.
        thing: Thing,
    },
    /// It drops its leaf.
    Part {
        /// The client.
        who: u8,
        /// Of what.
        thing: Thing,
    },
    /// It joins, if it has no leaf that lives.
    Join {
        /// The client.
        who: u8,
        /// What.
        thing: Thing,
    },
    /// Its leaf panics over the next shout that it hears, but over none twice.
    Fall {
        /// The client.
        who: u8,
        /// Of what.
        thing: Thing,
    },
    /// It sends once more what it has under way, as one that takes it for lost.
    Repeat {
        /// The client.
        who: u8,
        /// To what.
        thing: Thing,
    },
    /// Its program ends without a goodbye.
    Crash(u8),
    /// Its connection is cut.
    Cut(u8),
    /// What goes up its line vanishes.
    LoseUp(u8),
    /// What goes down its line vanishes.
    LoseDown(u8),
    /// Nothing passes on its line until it is mended.
    Hold(u8),
    /// Everything on its line is late.
    Delay {
        /// The client.
        who: u8,
        /// By at most so much.
        ms: u16,
    },
    /// It reads slowly.
    Slow {
        /// The client.
        who: u8,
        /// So many bytes a second.
        bytes_per_s: u16,
    },
    /// Its line passes single bytes.
    Tear(u8),
    /// Its connection ends for itself and not for the hub, and its last bytes come late.
    Haunt(u8),
    /// Its line is well again.
    Mend(u8),
    /// Nothing passes on any line for so long.
    Stall {
        /// How long.
        ms: u16,
    },
    /// The hub's power is lost, and it starts again with its journal. A hub without a journal, as
    /// those of odd seeds are, goes on.
    Restart,
    /// The repeater of a thing panics.
    Panic {
        /// Of what.
        thing: Thing,
        /// Where.
        trouble: Trouble,
    },
}

/// What is shouted at.
///
/// ```
/// use actix_multiplex::testing::Thing;
/// assert_ne!(Thing::Frog, Thing::Ledger);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one with a state, and one without")]
pub enum Thing {
    /// Who is late starts at now.
    Frog,
    /// Who is late is given a state, a hash of all that was heard.
    Ledger,
}

impl Schedule {
    /// These steps, under this seed.
    pub fn new(seed: u64, steps: impl IntoIterator<Item = impl Into<Step>>) -> Self {
        Self { seed, steps: steps.into_iter().map(Into::into).collect() }
    }

    /// The schedule of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, steps: generate::steps(seed) }
    }

    /// Whether its hub has a journal.
    pub fn has_journal(&self) -> bool {
        self.seed.is_multiple_of(2)
    }
}

impl From<(u64, Act)> for Step {
    fn from((at_ms, act): (u64, Act)) -> Self {
        Self { at_ms, act }
    }
}

/// As Rust source.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Schedule::new({}, [", self.seed)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "    {step},"))?;
        f.write_str("])")
    }
}

/// As Rust source, with the variants of all enums in scope.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {:?})", self.at_ms, self.act)
    }
}
