//! What can go wrong between a client and its hub, said in the words of the one who asked.

use crate::{
    connection::Closed,
    leaf::channel::Gone,
    object::{DecodeError, EncodeError, InterfaceId, InvalidName, Missing, Name, ObjectId},
    supervise,
    wire::Refusal,
};

/// An object that no leaf was made of, or that cannot be shouted at.
///
/// ```
/// use actix_multiplex::JoinError;
/// let error = JoinError::NotImplemented { leaf: "pond::TextFrog" };
/// assert!(error.to_string().contains("client.implement::<pond::TextFrog>"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// The client does not know how leaves of this class are made.
    #[error("no way to make a leaf of `{leaf}`: call `client.implement::<{leaf}>(..)` first")]
    NotImplemented {
        /// The class.
        leaf: &'static str,
    },
    /// The text can be no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The directory has no such name. `open` makes what is not there.
    #[error("no object is named `{name}`")]
    Unknown {
        /// The name asked for.
        name: Name,
    },
    /// The object ended while it was asked for. `open` makes another of that name.
    #[error("`{name}` is no more")]
    Gone {
        /// The name asked for.
        name: Name,
    },
    /// The object is of another interface.
    #[error("`{name}` is a `{there}`, and the leaf is for a `{wanted}`")]
    OtherInterface {
        /// The name asked for.
        name: Name,
        /// The leaf's interface.
        wanted: InterfaceId,
        /// The object's.
        there: InterfaceId,
    },
    /// The object is of another version of the interface. Leaves of different versions never
    /// meet: update the older program.
    #[error("`{name}` is a `{there}`, and the leaf is for `{wanted}`: update the older program")]
    OtherVersion {
        /// The name asked for.
        name: Name,
        /// The leaf's interface.
        wanted: InterfaceId,
        /// The object's.
        there: InterfaceId,
    },
    /// The client has a leaf of the object, of another class. There is one leaf per object and
    /// client.
    #[error("this client has a leaf of the object {object} already: `{there}`, not `{wanted}`")]
    OtherClass {
        /// The object.
        object: ObjectId,
        /// The class asked for.
        wanted: &'static str,
        /// The class of the leaf that is there.
        there: &'static str,
    },
    /// The name belongs to an object already. `open` joins it.
    #[error("the name `{name}` is taken")]
    NameTaken {
        /// The name asked for.
        name: Name,
    },
    /// The state cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The object's state cannot be read: whoever made it has another type of the same version.
    #[error("the object's state cannot be read: {0}")]
    State(DecodeError),
    /// The client's arbiter is gone.
    #[error(transparent)]
    Place(supervise::StartError),
    /// The hub refused, for a reason of its own.
    #[error("the hub refused: {0}")]
    Refused(Refusal),
    /// The connection is no more.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl JoinError {
    /// A refusal, in the words of the one who asked for `name`.
    pub(crate) fn refused(name: Name, refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::Unknown { name },
            Refusal::Gone => Self::Gone { name },
            Refusal::NameTaken(_) => Self::NameTaken { name },
            Refusal::Interface { wanted, there } if wanted.tag == there.tag => {
                Self::OtherVersion { name, wanted, there }
            }
            Refusal::Interface { wanted, there } => Self::OtherInterface { name, wanted, there },
            other => Self::Refused(other),
        }
    }
}

/// A carried object of which there is no leaf.
///
/// ```
/// use actix_multiplex::BindError;
/// assert_eq!(BindError::Gone.to_string(), "the object is no more");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The client does not know how leaves of this class are made. The reference can be passed on
    /// all the same, and bound when there is one.
    #[error("no way to make a leaf of `{leaf}`: call `client.implement::<{leaf}>(..)` first")]
    NotImplemented {
        /// The class.
        leaf: &'static str,
    },
    /// There is no leaf here now, or one that came since and has not heard yet what it should
    /// have. Await the binding: that tells also if the object has gone meanwhile.
    #[error("there is no leaf of it here now: await the binding")]
    NotHere,
    /// It was destroyed, or dropped when nobody needed it any more, or there was never such an
    /// object.
    #[error("the object is no more")]
    Gone,
    /// The hub refused, for a reason of its own.
    #[error("the hub refused: {0}")]
    Refused(String),
    /// It is of another version of the interface. Leaves of different versions never meet: update
    /// the older program.
    #[error("it is a `{there}`, and the leaf is for `{wanted}`: update the older program")]
    Version {
        /// The leaf's interface.
        wanted: InterfaceId,
        /// The object's.
        there: InterfaceId,
    },
    /// More objects than the limit were to be joined at once, or are joined. Await the binding, or
    /// part from others.
    #[error("too many objects were to be joined")]
    Limit,
    /// It was not there in time: 5 s after its carrier, or the connection was gone. Await the
    /// binding.
    #[error("it did not come in time")]
    Late,
    /// The client has a leaf of the object, of another class. There is one leaf per object and
    /// client, and carried objects get the class that was implemented first.
    #[error("this client has a leaf of the object {object} already: `{there}`, not `{wanted}`")]
    OtherClass {
        /// The object.
        object: ObjectId,
        /// The class asked for.
        wanted: &'static str,
        /// The class of the leaf that is there.
        there: &'static str,
    },
    /// The connection is no more.
    #[error(transparent)]
    Closed(Closed),
}

impl From<Missing> for BindError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Opaque => Self::NotHere,
            Missing::Gone => Self::Gone,
            Missing::Refused(why) => Self::Refused(why),
            Missing::Version { wanted, there } => Self::Version { wanted, there },
            Missing::Limit => Self::Limit,
            Missing::Late => Self::Late,
        }
    }
}

/// An object that cannot be carried.
///
/// ```
/// use actix_multiplex::{CarryError, Gone};
/// assert_eq!(CarryError::from(Gone::Parted).to_string(), "the leaf has parted");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// Its state cannot be written. Make it smaller.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Its leaf has stopped.
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// An object that was not named.
///
/// ```
/// use actix_multiplex::NameError;
/// let error = NameError::Taken { name: "kermit".parse()? };
/// assert_eq!(error.to_string(), "the name `kermit` is taken");
/// # Ok::<(), actix_multiplex::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text can be no name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The name belongs to another object.
    #[error("the name `{name}` is taken")]
    Taken {
        /// The name asked for.
        name: Name,
    },
    /// The object has a name already, which stays.
    #[error("the object is named `{there}` already")]
    HasName {
        /// The name it has.
        there: Name,
    },
    /// The object is no more.
    #[error("the object is no more")]
    Gone,
    /// The hub refused, for a reason of its own.
    #[error("the hub refused: {0}")]
    Refused(Refusal),
    /// The connection is no more.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl From<Refusal> for NameError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Gone => Self::Gone,
            Refusal::NameTaken(name) => Self::Taken { name },
            Refusal::HasName(there) => Self::HasName { there },
            other => Self::Refused(other),
        }
    }
}

/// An object that was not pinned, unpinned or destroyed.
///
/// ```
/// use actix_multiplex::KeepError;
/// assert_eq!(KeepError::Gone.to_string(), "the object is no more");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The object is no more.
    #[error("the object is no more")]
    Gone,
    /// The hub refused, for a reason of its own.
    #[error("the hub refused: {0}")]
    Refused(Refusal),
    /// The connection is no more.
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl From<Refusal> for KeepError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Gone => Self::Gone,
            other => Self::Refused(other),
        }
    }
}

/// A listing that did not come.
///
/// ```
/// use actix_multiplex::ListError;
/// let error = ListError::TooLong { bytes: 200 };
/// assert_eq!(error.to_string(), "prefix of 200 bytes is longer than any name (128)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// No name begins with so long a text.
    #[error("prefix of {bytes} bytes is longer than any name ({})", crate::limits::NAME_BYTES_MAX)]
    TooLong {
        /// Bytes of the prefix.
        bytes: usize,
    },
    /// The hub refused.
    #[error("the hub refused: {0}")]
    Refused(Refusal),
    /// The connection is no more.
    #[error(transparent)]
    Closed(#[from] Closed),
}
