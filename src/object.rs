//! Objects as data: ids, names, the adverbs, interfaces and leaves.
//!
//! This layer holds what users and every other layer speak of. It uses actix's traits and starts
//! nothing: no actor, no task, no socket.

mod adverb;
mod ask;
mod id;
mod interface;
mod leaf;
mod macros;
mod member;
mod name;
mod opaque;
mod payload;
mod receipt;
mod reference;
mod volatile;

#[doc(hidden)]
pub use self::{
    adverb::Circumstance,
    ask::{Answering, Question, Replying, Unanswered, replies},
    interface::{Done, kind, state, tag, version, write_state},
    reference::Brought,
    volatile::Glimpse,
};
pub use self::{
    adverb::{Heard, Local, Shout},
    ask::{Ask, AskOf, Asked, Elsewhere, OwnerChange, Replies},
    id::{Cursor, Epoch, HubId, Kind, ObjectId, Op, Seq, SessionId},
    interface::{Dispatch, DispatchError, Hears, Interface, InterfaceId, Packet, ShoutAt},
    leaf::{Leaf, Resync, ResyncReason, Stateful},
    member::{Member, Members},
    name::{InvalidName, Name, Tag},
    opaque::{Opaque, Raw, RawState},
    payload::{Codec, DecodeError, EncodeError, Encoded, decode, encode},
    receipt::Receipt,
    reference::{Carried, ObjectRef},
    volatile::{HearsVolatile, Volatile, VolatileAt},
};
pub(crate) use self::{
    member::Listed,
    payload::{decode_with, encode_behind},
    reference::Missing,
    volatile::encode_volatile,
};
