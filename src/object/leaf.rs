//! What an actor says of itself to be a leaf.

use std::fmt;

use actix::{Actor, Context, Supervised};
use serde::{Deserialize, Serialize};

use super::{Dispatch, DispatchError, Interface, Kind, Member, OwnerChange, Seq};

/// One client's own implementation of an object: an actix actor that hears every message of its
/// interface.
///
/// # Ordering
/// A leaf hears its object's shouts in the object's one order, each when the answer to the one
/// before has resolved, also for handlers that are async. [`Local`](super::Local) messages and
/// other mail of the actor are handled whenever they come. A handler must not await that it hears
/// another shout (awaiting a receipt is fine).
///
/// # Panics
/// A leaf that panics, wherever it does, is made anew: by the closure that was given to
/// [`Client::implement`](crate::Client::implement), with the object's state as the hub has it, and
/// then it hears all shouts since. Without a state it goes on behind the last shout that it was
/// given. Its handles stay good. A shout over which it panics twice is not given to it again:
/// [`unheard`](Self::unheard). More than 5 panics within 10 s, and it has parted:
/// [`Gone::Panicked`](crate::Gone::Panicked).
///
/// ```
/// use actix::prelude::*;
/// use actix_multiplex::{Heard, Leaf, interface};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// pub struct Croak;
///
/// interface! {
///     /// A frog, wherever it sits.
///     pub Frog = "pond.frog" v1 {
///         state none;
///         1 => Croak,
///     }
/// }
///
/// struct TextFrog;
/// impl Actor for TextFrog { type Context = Context<Self>; }
/// impl Supervised for TextFrog {}
/// impl Leaf for TextFrog { type Interface = Frog; }
/// impl Handler<Heard<Croak>> for TextFrog {
///     type Result = ();
///     fn handle(&mut self, croak: Heard<Croak>, _: &mut Context<Self>) {
///         println!("kermit: *croak* {}", croak.seq());
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no leaf",
    label = "not a leaf",
    note = "write `impl Leaf for {Self} {{ type Interface = ..; }}`"
)]
pub trait Leaf: Actor<Context = Context<Self>> + Supervised {
    /// The interface that it implements.
    type Interface: Interface + Dispatch<Self>;

    /// Shouts were missed that nothing can bring back; with a state it has just been restored.
    ///
    /// The default logs a warning.
    fn resynced(&mut self, resync: Resync, _ctx: &mut Self::Context) {
        tracing::warn!(%resync, leaf = std::any::type_name::<Self>(), "resynced");
    }

    /// A shout had its place in the order but cannot be given to this class: its number is new,
    /// its payload is none, or leaves of this class panicked over it twice. All other leaves may
    /// well have heard it.
    ///
    /// The default tells [`unknown_kind`](Self::unknown_kind) of a number that is new, and logs a
    /// warning of a payload that is none.
    fn unheard(&mut self, seq: Seq, error: DispatchError, ctx: &mut Self::Context) {
        match error {
            DispatchError::UnknownKind(kind) => self.unknown_kind(seq, kind, ctx),
            error => {
                let leaf = std::any::type_name::<Self>();
                tracing::warn!(%seq, %error, leaf, "cannot hear a shout");
            }
        }
    }

    /// A shout was of a message that this class's interface does not have: the shouter's is newer.
    ///
    /// The default logs a warning.
    fn unknown_kind(&mut self, seq: Seq, kind: Kind, _ctx: &mut Self::Context) {
        let leaf = std::any::type_name::<Self>();
        tracing::warn!(%seq, %kind, leaf, "cannot hear a shout of an unknown kind");
    }

    /// The object has another owner, in its place among the shouts: all leaves are told so at the same
    /// seq. Only objects with asks change owners: when the owner is a leaf no more, with `handover`
    /// in the interface the leaf owns it that joined first of those that answer every ask, else
    /// nobody does. Who owned it when this leaf joined tells [`Handle::owner`](crate::Handle::owner).
    ///
    /// The default does nothing.
    fn owner_changed(&mut self, _change: &OwnerChange, _ctx: &mut Self::Context) {}

    /// Somebody has become a leaf of the object, with `presence` in its interface. A leaf that has
    /// joined is told so of all who are there, itself too.
    ///
    /// # Ordering
    /// It has its place among the shouts: the same for all leaves that are told of it then. One that
    /// is behind by more than its inbox holds is told later, of all that has changed together. Who
    /// came and parted meanwhile is not told of. While there are more than 1,000 members nobody is:
    /// see [`Members::is_listed`](super::Members::is_listed).
    ///
    /// The default does nothing, as those of [`away`](Self::away), [`back`](Self::back) and
    /// [`parted`](Self::parted) do.
    ///
    /// ```
    /// # use actix::prelude::*;
    /// # use actix_multiplex::{Heard, Leaf, Member, interface};
    /// # #[derive(serde::Serialize, serde::Deserialize)] pub struct Croak;
    /// interface! {
    ///     /// A frog that sees who is there.
    ///     pub Frog = "pond.frog" v1 {
    ///         state none;
    ///         presence;
    ///         1 => Croak,
    ///     }
    /// }
    /// # struct TextFrog;
    /// # impl Actor for TextFrog { type Context = Context<Self>; }
    /// # impl Supervised for TextFrog {}
    /// # impl Handler<Heard<Croak>> for TextFrog {
    /// #     type Result = ();
    /// #     fn handle(&mut self, _: Heard<Croak>, _: &mut Context<Self>) {}
    /// # }
    /// impl Leaf for TextFrog {
    ///     type Interface = Frog;
    ///
    ///     fn joined(&mut self, member: &Member, _: &mut Context<Self>) {
    ///         println!("{} sits down", member.name());
    ///     }
    ///
    ///     fn parted(&mut self, member: &Member, _: &mut Context<Self>) {
    ///         println!("{} hops away", member.name());
    ///     }
    /// }
    /// ```
    fn joined(&mut self, _member: &Member, _ctx: &mut Self::Context) {}

    /// A member has lost its connection. It will be [back](Self::back), or have
    /// [parted](Self::parted).
    fn away(&mut self, _member: &Member, _ctx: &mut Self::Context) {}

    /// A member that was away has a connection again.
    fn back(&mut self, _member: &Member, _ctx: &mut Self::Context) {}

    /// A member is a leaf no more.
    fn parted(&mut self, _member: &Member, _ctx: &mut Self::Context) {}
}

/// A leaf of an interface with `state S`: it takes the state in, and can tell it.
///
/// The state is what was *heard*: two leaves that have heard the same tell the same. What a
/// [`Local`](super::Local) message did to this leaf alone must not be in it, or latecomers would
/// be given what nobody said to them.
///
/// Written, it has at most 1 MiB ([`STATE_BYTES_MAX`](crate::limits::STATE_BYTES_MAX)). What is larger
/// is several objects, which a state can carry.
#[diagnostic::on_unimplemented(
    message = "the leaf `{Self}` does not have the state `{S}` of its interface",
    label = "`{Self}` leaves out the state of its interface",
    note = "write `impl Stateful<{S}> for {Self}`"
)]
pub trait Stateful<S>: Actor<Context = Context<Self>> {
    /// The state after all that was heard so far. `None`: this class cannot tell it, and other
    /// leaves are asked.
    ///
    /// The hub asks now and then, to give it to latecomers in place of all that was ever shouted.
    /// A leaf that was told [`unheard`](Leaf::unheard) of a shout tells none until it is restored
    /// again. While nobody tells, an object takes 4 MiB of shouts, and then refuses more. In tests,
    /// `testing::assert_local_is_not_in_state` finds a leaf that tells too much.
    fn state(&self) -> Option<S>;

    /// The object's state as heard up to the join; called once before the first shout and any other
    /// mail, behind `started`, and after a [`Resync`].
    fn restore(&mut self, state: S, ctx: &mut Context<Self>);
}

/// A gap that a leaf is told of: it hears on from `to.next()`.
///
/// ```
/// use actix_multiplex::{Resync, ResyncReason, Seq};
/// let resync = Resync { reason: ResyncReason::Missed, from: Seq(3), to: Seq(9) };
/// assert_eq!(resync.to_string(), "#3 to #9 were missed: the hub no longer has them");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resync {
    /// Why nothing can bring them back.
    pub reason: ResyncReason,
    /// The first seq missed.
    pub from: Seq,
    /// The last seq missed.
    pub to: Seq,
}

/// Why a leaf was resynced.
///
/// ```
/// use actix_multiplex::ResyncReason;
/// assert_eq!(ResyncReason::Epoch.to_string(), "the object has a new history");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ResyncReason {
    /// The leaf was behind by more than the hub keeps.
    Missed,
    /// The object's history was, or may have been, lost; seqs count from 1 again.
    Epoch,
}

impl fmt::Display for ResyncReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missed => "the hub no longer has them",
            Self::Epoch => "the object has a new history",
        })
    }
}

impl fmt::Display for Resync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {} were missed: {}", self.from, self.to, self.reason)
    }
}
