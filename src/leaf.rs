//! The leaf's end: clients, their leaves, and what one shouts through.
//!
//! A [`Client`] is connected to a hub, and again when the connection is lost. It makes leaves (actors of the user's own classes),
//! hands them what they hear through their inbox, and gives out [`Handle`]s and [`Voice`]s. It
//! never imports `hub`: the two meet in `wire`.

mod adverb;
mod asking;
mod binding;
mod channel;
mod class;
mod client;
mod driver;
mod handle;
mod inbox;
mod opaque;
mod progress;
mod recipient;
mod seats;
mod stranded;
mod voice;

pub(crate) use self::driver::wait_before;
pub use self::{
    adverb::{Adverb, Saying, Takes},
    binding::Binding,
    channel::{AskError, Gone, Receipted, ShoutError},
    client::{
        BindError, CarryError, Client, ClientBuilder, ConnectError, ConnectTo, ConnectionEvent,
        Creating, Events, Here, JoinError, KeepError, ListError, NameError, Watching,
    },
    handle::Handle,
    voice::Voice,
};
