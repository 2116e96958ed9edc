//! Live shared objects: wiggle its toe here, and it wiggles its toe there.
//!
//! An *object* lives on a [`Hub`], where one actor, its *repeater*, gives everything shouted at it
//! one order. A [`Client`] has a *leaf* of it: an actix actor of a class of the client's own
//! choosing, which implements the object's [`Interface`]. The hub knows no classes and reads no
//! payload. README.md has twenty lines to begin with.
//!
//! | word | what it is |
//! |---|---|
//! | [`interface!`] | declares an interface: tag, version, numbered messages, state |
//! | [`Leaf`] | an actor that hears every message of its interface |
//! | [`Client::implement`] | says how leaves of a class are made: the one place that names it |
//! | [`Client::create`], [`join`](Client::join), [`open`](Client::open) | make a leaf |
//! | [`Handle`] | keeps a leaf joined; shouts, and speaks to the leaf locally |
//! | [`Voice`] | shouts, and keeps nothing alive |
//! | [`Shout`], [`Local`] | how something is said: to every leaf, or to one's own |
//! | [`Heard`] | how every leaf is given a shout: with its [`Seq`], and who said it |
//! | [`link::up`], [`Here`] | a hub below a hub; an object that stays at its maker's own hub |
//! | [`Ask`], [`Asked`] | a question, to one's own leaf or the object's owner, and how a leaf is given it |
//! | [`Volatile`] | what may be lost: cursors, pointers |
//! | [`Receipt`] | what the shouter gets back |
//! | [`ObjectRef`] | an object inside a message or state: whoever hears it can have a leaf of it |
//! | [`Member`], [`Members`] | who else has a leaf of an object, for interfaces with `presence` |
//! | [`Stateful`] | a leaf that takes in, and tells, the state that latecomers are given |
//!
//! # Where a shout goes
//!
//! ```text
//! Alec's program                  the hub                                      Amy's program
//! kermit.send(Shout(Croak))                                            Handler<Heard<Croak>>
//!   | leaf::voice    encodes, once                                leaf::inbox  decodes   ^
//!   | leaf::channel  window, op                                   leaf::driver           |
//! connection::writer                                              connection::reader     |
//!   '== transport ==> connection::reader                                                 |
//!                     hub::session    meters                                             |
//!                     hub::repeater   asks hub::history for the seq                      |
//!                     hub::fanout     one chunk for all ==> connection::writer ==========|
//! ```
//!
//! Alec hears himself by the same way; the copy that comes back is his receipt. What he asks and his own
//! leaf does not answer goes as far as the repeater likewise, and from there to the owner alone. Where
//! the hub is below another ([`link`]), its repeater has the shout sent up (`hub::upward`) to the hub that
//! is the object's home, and the chunk that comes down goes to its own leaves the same way. `docs/` has
//! the map of the code (`architecture.md`), the wire (`protocol.md`) and how a hub is run
//! (`operations.md`).
//!
//! # Threads
//!
//! A hub runs on the arbiter that starts it, or on threads of its own ([`HubBuilder::arbiters`]).
//! A client's leaves run on the arbiter where it was connected. Handles, voices, clients and hubs
//! can be sent to and used from any thread.
//!
//! # Features
//!
//! `cli`: the program `multiplex`, a hub on its own. `redb`: journals in a file. `testing`: the test kit.
//!
//! Panics are caught where they start, so `panic = "unwind"` is needed: with `abort` this crate
//! does not compile.

mod connection;
mod hub;
pub mod journal;
mod leaf;
pub mod limits;
pub mod link;
mod object;
pub mod supervise;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
pub mod wire;

pub use self::connection::{Closed, Closer};
pub use self::hub::{
    Admission, Authority, Builder as HubBuilder, Clock, Deciding, Denied, Hub, Identity, Judged,
    RetryError, Rights, SlowLeaves, StartError, Visit, Wish,
};
pub use self::leaf::{
    Adverb, AskError, BindError, Binding, CarryError, Client, ClientBuilder, ConnectError,
    ConnectTo, ConnectionEvent, Creating, Events, Gone, Handle, Here, JoinError, KeepError,
    ListError, NameError, Receipted, Saying, ShoutError, Takes, Voice, Watching,
};
pub use self::object::*;
pub use self::wire::{Change, Entry};

#[doc(hidden)]
pub mod __private {
    //! What `interface!` writes paths to. Not for other use.
    pub use actix;

    pub use crate::object::{
        Answering, Brought, Done, Glimpse, Question, Unanswered, kind, replies, state, tag,
        version, write_state,
    };

    /// The numbers of messages.
    pub type Kinds = Vec<crate::Kind>;
}

/// The code in the README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
