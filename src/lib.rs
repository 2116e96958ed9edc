//! Live shared objects: wiggle its toe here, and it wiggles its toe there.

mod connection;
mod hub;
mod leaf;
pub mod limits;
mod object;
pub mod supervise;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
pub mod wire;

pub use self::connection::{Closed, Closer};
pub use self::hub::{
    Admission, Builder as HubBuilder, Clock, Deciding, Denied, Hub, Identity, Rights, StartError,
    Visit, Wish,
};
pub use self::leaf::{
    Adverb, Client, ClientBuilder, ConnectError, ConnectTo, Gone, Handle, JoinError, ListError,
    NameError, Receipted, ShoutError, Voice, Watching,
};
pub use self::object::*;
pub use self::wire::{Change, Entry};

#[doc(hidden)]
pub mod __private {
    //! What `interface!` writes paths to. Not for other use.
    pub use actix;

    pub use crate::object::{Done, decode, kind, tag, version};
}
