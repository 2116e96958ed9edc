//! Interfaces: the class of an object as the wire sees it, and how a shout finds its handler.
//!
//! `interface!` writes the implementations of these traits. Nobody else needs to, and the hub
//! knows none of them: it passes tags, numbers and bytes.

use std::{
    any::TypeId,
    fmt,
    ops::Range,
    pin::Pin,
    task::{Context as Task, Poll, ready},
};

use actix::{Actor, Context, Handler, dev::MessageResponse};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error, Unexpected},
};
use tokio::{sync::oneshot, task::coop};

use super::{
    Answering, Brought, Circumstance, Codec, DecodeError, EncodeError, Encoded, Glimpse, Heard,
    Kind, Question, Tag, Unanswered, decode_with, encode,
};
use crate::limits::STATE_BYTES_MAX;

/// The class of an object as the wire sees it: tag, version, numbered messages, state.
///
/// Made by [`interface!`](crate::interface!), which also sees to it that tag and version are
/// well formed.
pub trait Interface: Sized + 'static {
    /// What the interface is called on the wire: 1 to 64 bytes, no control characters.
    const TAG: &'static str;
    /// Counts changes of a message or of the state. Leaves of different versions never meet.
    const VERSION: u16;
    /// Whether an object has a state, which a latecomer is given.
    const STATEFUL: bool;
    /// Whether a leaf of an object is told who else is one: see [`Leaf::joined`](super::Leaf::joined).
    const PRESENCE: bool = false;
    /// Whether another leaf owns an object when the owner is no leaf any more.
    const HANDOVER: bool = false;
    /// The numbers of its asks.
    const ASKS: &'static [Kind] = &[];
    /// How payloads are written.
    const CODEC: Codec = Codec::POSTCARD;
    /// What a latecomer is given; `()` for `state none`.
    type State: Serialize + DeserializeOwned + Send + 'static;

    /// Whether the payload is such a state.
    ///
    /// # Errors
    /// [`DecodeError`] when it is none.
    #[doc(hidden)]
    fn check_state(payload: &[u8], brought: &[Brought]) -> Result<(), DecodeError> {
        decode_with::<Self::State>(payload, brought).map(drop)
    }

    /// Tag and version, as they are compared.
    ///
    /// # Panics
    /// When `TAG` is no tag, which `interface!` does not let compile.
    fn id() -> InterfaceId {
        let tag = Self::TAG.parse().expect("`interface!` has checked the tag");
        InterfaceId { tag, version: Self::VERSION }
    }
}

/// Tag and version of an interface.
///
/// ```
/// use actix_multiplex::InterfaceId;
/// let frog = InterfaceId { tag: "pond.frog".parse()?, version: 1 };
/// assert_eq!(frog.to_string(), "pond.frog v1");
/// # Ok::<(), actix_multiplex::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InterfaceId {
    /// What it is called.
    pub tag: Tag,
    /// Its version, from 1.
    #[serde(deserialize_with = "from_1")]
    pub version: u16,
}

impl fmt::Display for InterfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} v{}", self.tag, self.version)
    }
}

/// Reads a version: 0 is none.
fn from_1<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    match u16::deserialize(deserializer)? {
        0 => Err(D::Error::invalid_value(Unexpected::Unsigned(0), &"a version from 1")),
        version => Ok(version),
    }
}

/// A message that can be shouted at objects of interface `I`. Made by `interface!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shouted at a `{I}`",
    label = "not a message of `{I}`",
    note = "list it in the `interface!` table of `{I}`, with a number of its own",
    note = "a message of a `volatile` row goes with `send_volatile`, one of an `ask` row with `ask`"
)]
pub trait ShoutAt<I: Interface>: Serialize + DeserializeOwned + Send + 'static {
    /// Its number in the interface.
    const KIND: Kind;
}

/// A shout on its way to a leaf: not yet decoded.
#[derive(Clone, Debug)]
pub struct Packet {
    pub(crate) kind: Kind,
    /// What the payload lies in: one for all shouts that came together.
    pub(crate) body: Bytes,
    /// Where it lies there.
    pub(crate) payload: Range<usize>,
    pub(crate) brought: Vec<Brought>,
    pub(crate) circumstance: Circumstance,
}

impl Packet {
    /// The number of the message in its interface.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// A shout that a leaf could not be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DispatchError {
    /// The interface has no message of this number: the shouter's is newer.
    #[error("the interface has no message {0}")]
    UnknownKind(Kind),
    /// The payload is not what its number promises: the shouter's type is another.
    #[error("message {kind}: {reason}")]
    Undecodable {
        /// The message's number.
        kind: Kind,
        /// What is wrong with it.
        reason: DecodeError,
    },
    /// The leaf panicked over it, and again when it was made anew.
    #[error("message {0}: the leaf panicked over it twice")]
    Panicked(Kind),
}

/// Resolves when the answer of a leaf's handler has, or never will.
///
/// To take one counts as work also where the answer was there at once, so that a leaf with much to
/// hear leaves turns to the other tasks of its thread.
#[doc(hidden)]
#[derive(Debug)]
pub struct Done(Option<oneshot::Receiver<()>>);

impl Done {
    /// The answer was there when the handler returned.
    pub(crate) const AT_ONCE: Self = Self(None);

    /// Resolves when `answer` does.
    pub(crate) fn when(answer: oneshot::Receiver<()>) -> Self {
        Self(Some(answer))
    }

    /// Waits for the answer.
    pub(crate) fn poll(&mut self, task: &mut Task<'_>) -> Poll<()> {
        if let Some(answer) = &mut self.0 {
            // An error is an answer that never comes: its future panicked, or was cancelled.
            return Pin::new(answer).poll(task).map(|_answered| ());
        }
        ready!(coop::poll_proceed(task)).made_progress();
        Poll::Ready(())
    }
}

/// Finds the handler of a shout by its number. Made by `interface!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no interface that `{A}` could be a leaf of",
    label = "not an interface",
    note = "declare it with `interface!`; its messages are rows of that table"
)]
pub trait Dispatch<A: Actor<Context = Context<A>>>: Interface {
    /// Hands `packet` to its handler. What comes back resolves when the handler's answer has.
    ///
    /// # Errors
    /// [`DispatchError`] when there is no such message, or the payload is none.
    fn dispatch(leaf: &mut A, packet: &Packet, ctx: &mut Context<A>)
    -> Result<Done, DispatchError>;

    /// Hands a volatile message to its handler. `None`: there is no such row, or it is none of it.
    #[doc(hidden)]
    fn glimpse(leaf: &mut A, glimpse: &Glimpse, ctx: &mut Context<A>) -> Option<Done>;

    /// Hands a question to its handler.
    #[doc(hidden)]
    fn answer(
        leaf: &mut A,
        question: &Question,
        ctx: &mut Context<A>,
    ) -> Result<Answering, Unanswered>;

    /// The asks that the class answers itself.
    #[doc(hidden)]
    fn answers() -> Vec<Kind>;

    /// Gives the leaf its object's state; nothing for `state none`.
    ///
    /// # Errors
    /// [`DecodeError`] when the payload is no such state.
    fn restore(
        leaf: &mut A,
        state: &[u8],
        brought: &[Brought],
        ctx: &mut Context<A>,
    ) -> Result<(), DecodeError>;

    /// Writes the state as the leaf has it; nothing for `state none`, and from a leaf that cannot
    /// tell it.
    ///
    /// # Errors
    /// [`EncodeError`] when it cannot be written.
    fn state(leaf: &A) -> Result<Option<Encoded>, EncodeError>;
}

/// A leaf that hears `M`. Every actor with a `Handler<Heard<M>>` is one.
#[diagnostic::on_unimplemented(
    message = "the leaf `{Self}` does not hear `{M}`",
    label = "`{Self}` leaves out a message of its interface",
    note = "write `impl Handler<Heard<{M}>> for {Self}`"
)]
pub trait Hears<M: 'static>: Actor<Context = Context<Self>> {
    /// Decodes `packet` and hands it to the handler.
    ///
    /// # Errors
    /// [`DispatchError::Undecodable`] when the payload is no `M`.
    fn deliver(&mut self, packet: &Packet, ctx: &mut Context<Self>) -> Result<Done, DispatchError>;
}

#[diagnostic::do_not_recommend]
impl<A, M> Hears<M> for A
where
    A: Actor<Context = Context<A>> + Handler<Heard<M>, Result: 'static>,
    M: DeserializeOwned + 'static,
{
    fn deliver(&mut self, packet: &Packet, ctx: &mut Context<Self>) -> Result<Done, DispatchError> {
        let payload = &packet.body[packet.payload.clone()];
        let message = decode_with::<M>(payload, &packet.brought)
            .map_err(|reason| DispatchError::Undecodable { kind: packet.kind, reason })?;
        Ok(hand_over(self, Heard::new(message, packet.circumstance), ctx))
    }
}

/// Hands a shout to its handler.
#[inline]
pub(super) fn hand_over<A, M>(leaf: &mut A, heard: Heard<M>, ctx: &mut Context<A>) -> Done
where
    A: Actor<Context = Context<A>> + Handler<Heard<M>, Result: 'static>,
    M: 'static,
{
    let answer = leaf.handle(heard, ctx);
    if TypeId::of::<A::Result>() == TypeId::of::<()>() {
        return Done::AT_ONCE;
    }
    let (done, wait) = oneshot::channel();
    answer.handle(ctx, Some(done));
    Done(Some(wait))
}

/// Reads the state of an object of interface `I`.
#[doc(hidden)]
pub fn state<I: Interface>(payload: &[u8], brought: &[Brought]) -> Result<I::State, DecodeError> {
    decode_with(payload, brought)
}

/// Writes the state of an object of interface `I`, if there is one to write.
#[doc(hidden)]
pub fn write_state<I: Interface>(state: Option<I::State>) -> Result<Option<Encoded>, EncodeError> {
    state.map(|state| encode(&state, STATE_BYTES_MAX)).transpose()
}

/// Reads the version out of `v1`, `v2`, ... while compiling.
#[doc(hidden)]
#[track_caller]
pub const fn version(text: &str) -> u16 {
    const FORM: &str = "write the version as v1, v2, ... up to v65535";
    let bytes = text.as_bytes();
    assert!(bytes.len() > 1 && bytes[0] == b'v' && bytes[1] != b'0', "{}", FORM);
    let mut version = 0_u32;
    let mut at = 1;
    while at < bytes.len() {
        assert!(bytes[at].is_ascii_digit(), "{}", FORM);
        version = version * 10 + (bytes[at] - b'0') as u32;
        assert!(version <= u16::MAX as u32, "{}", FORM);
        at += 1;
    }
    version as u16
}

/// Checks the number of a message while compiling: those from 65,280 on are the hubs' own.
#[doc(hidden)]
#[track_caller]
pub const fn kind(number: i64, refusal: &str) {
    assert!(0 <= number && number <= crate::limits::KIND_MAX as i64, "{}", refusal);
}

/// Checks a tag while compiling; the same rules as [`Tag`]'s.
#[doc(hidden)]
#[track_caller]
pub const fn tag(text: &str) {
    let bytes = text.as_bytes();
    assert!(!bytes.is_empty(), "a tag needs at least one character");
    assert!(bytes.len() <= crate::limits::TAG_BYTES_MAX, "a tag has at most 64 bytes");
    let mut at = 0;
    while at < bytes.len() {
        let c1 = bytes[at] == 0xc2 && bytes[at + 1] < 0xa0;
        assert!(!bytes[at].is_ascii_control() && !c1, "a tag has no control characters");
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_as_they_are_written() {
        assert_eq!(version("v1"), 1);
        assert_eq!(version("v207"), 207);
        assert_eq!(version("v65535"), 65535);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "v", "1", "w1", "v0", "v01", "v-1", "v1.2", "v65536", "v99999999999"] {
            assert!(std::panic::catch_unwind(|| version(text)).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_number_is_refused_from_those_of_the_hubs_on() {
        for (number, is_fine) in [(-1, false), (0, true), (65279, true), (65280, false)] {
            let refused = std::panic::catch_unwind(|| kind(number, "refused")).is_err();
            assert_eq!(refused, !is_fine, "{number}");
        }
    }

    #[test]
    fn the_compile_time_check_of_a_tag_agrees_with_the_one_at_run_time() {
        let (most, more) = ("e".repeat(64), "e".repeat(65));
        let texts = ["pond.frog", "é", "\u{a0}", "", "a\nb", "\u{85}", "\u{7f}", &most, &more];
        for text in texts {
            let compiles = std::panic::catch_unwind(|| tag(text)).is_ok();
            assert_eq!(compiles, text.parse::<Tag>().is_ok(), "{text:?}");
        }
    }
}
