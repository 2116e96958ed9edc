//! The wire, version 1: frames as values. No sockets, no actors, no time.
//!
//! `docs/protocol.md` is normative; this layer is its implementation, and `tests/vectors` holds
//! both to it. A frame is a `u32` length (little-endian), a frame type, a flat postcard header,
//! and for some types an opaque payload that is the rest of the frame.

mod answer;
mod ask;
mod batch;
mod codec;
mod frame;
mod grades;
mod handshake;
mod link;
mod presence;
mod request;
mod shout;
mod state;
mod volatile;

#[cfg(feature = "testing")]
pub(crate) use self::state::set_piece_bytes;
pub use self::{
    answer::{
        Attached, Change, Changed, Done, EndReason, Ended, Entry, Joined, Listed, Outcome, Pulled,
        Refusal, Refused, Rejoin, Resynced, SnapshotWanted, Verdict,
    },
    ask::{Answer, Ask, AskNumber, Asked, OwnerChanged, Replied, Reply},
    batch::{Batch, BatchBuilder, Shouted},
    codec::{FrameError, Split, reason, split},
    frame::{Frame, FrameType, Header, encode, encode_with},
    grades::{Handled, Heard},
    handshake::{
        CloseCode, Extra, Fault, Goodbye, Hello, Limits, NoVersion, Resume, VERSION_MAX,
        VERSION_MIN, Welcome, negotiate,
    },
    link::{
        Absent, Bar, Barred, Below, Claim, Enroll, Enrolled, Fetch, Fetched, Granted, Made, Over,
        Release, Reserve, Spent, Stalled, Unpassed, Via, Withdraw,
    },
    presence::{Member, MemberChange, Members, MembersChanged},
    request::{
        Attach, Create, Destroy, Detach, Join, List, NameObject, Part, Pin, Pull, Request,
        Snapshot, Target, Unwatch,
    },
    shout::{ShoutFrame, encode_shout},
    state::{StateIs, StatePiece},
    volatile::{Volatile, VolatileHeard},
};
pub(crate) use self::{
    batch::{batch_in, first_seq_of, object_of},
    link::{carried_below_home, via},
    shout::{Draft, PlainShout, put_below},
    state::Incoming,
};
