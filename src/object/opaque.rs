//! The untyped door: a leaf of anything, which is given numbers and bytes.

use actix::{Actor, Context, Handler, Message};
use bytes::Bytes;

use super::{
    Answering, Brought, Carried, DecodeError, Dispatch, DispatchError, Done, EncodeError, Encoded,
    Glimpse, Heard, Interface, Kind, Packet, Question, Stateful, Unanswered, interface::hand_over,
};

/// The interface of leaves that know none: a tool that records, bridges or shows whatever there is.
///
/// Such a leaf hears [`Raw`] messages, is given the state as bytes ([`RawState`]), and answers no
/// ask: what is asked through its handle goes to the object's owner, as numbers and bytes. It joins
/// by [`Client::join_opaque`](crate::Client::join_opaque).
///
/// ```
/// use actix::prelude::*;
/// use actix_multiplex::{Heard, Leaf, Opaque, Raw, RawState, Stateful};
///
/// struct Tap;
/// impl Actor for Tap { type Context = Context<Self>; }
/// impl Supervised for Tap {}
/// impl Leaf for Tap { type Interface = Opaque; }
/// impl Handler<Heard<Raw>> for Tap {
///     type Result = ();
///     fn handle(&mut self, raw: Heard<Raw>, _: &mut Context<Self>) {
///         println!("{}: message {} of {} bytes", raw.seq(), raw.kind(), raw.payload().len());
///     }
/// }
/// impl Stateful<RawState> for Tap {
///     fn state(&self) -> Option<RawState> { None }
///     fn restore(&mut self, state: RawState, _: &mut Context<Self>) {
///         println!("it begins with {} bytes", state.payload().len());
///     }
/// }
/// ```
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "it has no values")]
pub enum Opaque {}

impl Interface for Opaque {
    const TAG: &'static str = "opaque";
    const VERSION: u16 = 1;
    /// Whether an object has one is known when it is joined.
    const STATEFUL: bool = true;
    /// An opaque leaf makes no objects.
    type State = ();

    /// What it is only its own leaves know.
    fn check_state(_: &[u8], _: &[Brought]) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// A message as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    kind: Kind,
    payload: Bytes,
    carried: Vec<Carried>,
}

impl Raw {
    pub(crate) fn new(kind: Kind, payload: Bytes, carried: Vec<Carried>) -> Self {
        Self { kind, payload, carried }
    }

    /// The number of the message in its interface.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message, written by the codec of its interface.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The objects that it carries.
    pub fn carried(&self) -> &[Carried] {
        &self.carried
    }
}

impl Message for Raw {
    type Result = ();
}

/// A state as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawState {
    payload: Bytes,
    carried: Vec<Carried>,
}

impl RawState {
    /// The state, written by the codec of its interface.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The objects that it carries.
    pub fn carried(&self) -> &[Carried] {
        &self.carried
    }
}

impl<A> Dispatch<A> for Opaque
where
    A: Actor<Context = Context<A>> + Handler<Heard<Raw>, Result: 'static> + Stateful<RawState>,
{
    fn dispatch(
        leaf: &mut A,
        packet: &Packet,
        ctx: &mut Context<A>,
    ) -> Result<Done, DispatchError> {
        // It must not hold the batch that it came with.
        let payload = Bytes::copy_from_slice(&packet.body[packet.payload.clone()]);
        let raw = Raw::new(packet.kind, payload, carried(&packet.brought));
        Ok(hand_over(leaf, Heard::new(raw, packet.circumstance), ctx))
    }

    fn glimpse(_: &mut A, _: &Glimpse, _: &mut Context<A>) -> Option<Done> {
        None
    }

    fn answer(_: &mut A, _: &Question, _: &mut Context<A>) -> Result<Answering, Unanswered> {
        Err(Unanswered::Elsewhere)
    }

    fn answers() -> Vec<Kind> {
        Vec::new()
    }

    fn restore(
        leaf: &mut A,
        state: &[u8],
        brought: &[Brought],
        ctx: &mut Context<A>,
    ) -> Result<(), DecodeError> {
        let state = RawState { payload: Bytes::copy_from_slice(state), carried: carried(brought) };
        leaf.restore(state, ctx);
        Ok(())
    }

    fn state(leaf: &A) -> Result<Option<Encoded>, EncodeError> {
        let state = leaf.state();
        Ok(state.map(|RawState { payload, carried }| Encoded { payload: payload.into(), carried }))
    }
}

fn carried(brought: &[Brought]) -> Vec<Carried> {
    brought.iter().map(|brought| brought.carried.clone()).collect()
}
