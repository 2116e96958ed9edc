//! One thing that a witness saw.

/// One thing that a witness saw. `S` is whatever string the witness has at hand.
///
/// # Examples
///
/// ```
/// use actix_multiplex::testing::transcript::Event;
///
/// let said = Event::Said { voice: "alec", object: "kermit", n: 1, text: "croak" };
/// assert_eq!(said.to_string(), "said\talec\tkermit\t1\tcroak");
/// assert_eq!(Event::parse(&said.to_string()), Ok(said.map(|&s| s.into())));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event<S> {
    /// A voice sent a shout.
    Said {
        /// Who shouted.
        voice: S,
        /// At what.
        object: S,
        /// Which of this voice's shouts at this object it is, from 1.
        n: u64,
        /// What tells it from this voice's other shouts at this object.
        text: S,
    },
    /// A receipt came: the shout was sequenced.
    Receipted {
        /// Who had shouted.
        voice: S,
        /// At what.
        object: S,
        /// Which of its shouts.
        n: u64,
        /// The place the receipt names, from 1.
        seq: u64,
    },
    /// An error came that says the shout was not sequenced; nobody may hear it.
    Lost {
        /// Who had shouted.
        voice: S,
        /// At what.
        object: S,
        /// Which of its shouts.
        n: u64,
        /// The error.
        why: S,
    },
    /// The send ended without telling: the shout may have been sequenced or not.
    Unknown {
        /// Who had shouted.
        voice: S,
        /// At what.
        object: S,
        /// Which of its shouts.
        n: u64,
    },
    /// A leaf became a leaf; it is to hear `after + 1` next.
    Joined {
        /// Who joined.
        leaf: S,
        /// What.
        object: S,
        /// The last seq that its state covers, 0 for none.
        after: u64,
    },
    /// A leaf was given a shout.
    Heard {
        /// Who heard.
        leaf: S,
        /// What was shouted at.
        object: S,
        /// The shout's place in the object's order, from 1.
        seq: u64,
        /// Who had shouted.
        voice: S,
        /// Which of the voice's shouts it is.
        text: S,
    },
    /// A leaf was told that it missed `from..=to`; it is to hear `to + 1` next.
    Resynced {
        /// Who was told.
        leaf: S,
        /// Of which object.
        object: S,
        /// The first seq it missed.
        from: u64,
        /// The last seq it missed.
        to: u64,
    },
    /// A leaf's state stands so: it contains all up to `seq`.
    Stands {
        /// Whose state.
        leaf: S,
        /// Of which object.
        object: S,
        /// The last seq that it contains.
        seq: u64,
        /// What tells it from any other state.
        state: S,
    },
    /// A leaf ceased to be one: it hears no more until it joins again.
    Parted {
        /// Who parted.
        leaf: S,
        /// From what.
        object: S,
    },
    /// An authority, such as the test, tells the object's last seq.
    Ended {
        /// What ended.
        object: S,
        /// Its last seq, 0 if nothing was ever sequenced.
        seq: u64,
    },
}

impl<S> Event<S> {
    /// The object it happened to.
    pub fn object(&self) -> &S {
        match self {
            Self::Said { object, .. }
            | Self::Receipted { object, .. }
            | Self::Lost { object, .. }
            | Self::Unknown { object, .. }
            | Self::Joined { object, .. }
            | Self::Heard { object, .. }
            | Self::Resynced { object, .. }
            | Self::Stands { object, .. }
            | Self::Parted { object, .. }
            | Self::Ended { object, .. } => object,
        }
    }

    /// The same event with other strings, made from these one by one.
    #[must_use]
    pub fn map<'e, T>(&'e self, mut made: impl FnMut(&'e S) -> T) -> Event<T> {
        macro_rules! map {
            ($($event:ident { $($string:ident)+ $(; $($number:ident)+)? })+) => {
                match self {
                    $(Self::$event { $($string,)+ $($($number),+)? } => Event::$event {
                        $($string: made($string),)+
                        $($($number: *$number),+)?
                    },)+
                }
            };
        }
        map! {
            Said { voice object text; n }
            Receipted { voice object; n seq }
            Lost { voice object why; n }
            Unknown { voice object; n }
            Joined { leaf object; after }
            Heard { leaf object voice text; seq }
            Resynced { leaf object; from to }
            Stands { leaf object state; seq }
            Parted { leaf object }
            Ended { object; seq }
        }
    }
}
