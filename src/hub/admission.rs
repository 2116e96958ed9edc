//! Who may do what: one function decides for every way in.
//!
//! The hub asks before it does anything, waits within a deadline, and remembers the answer where
//! it is needed often: what a session may shout is settled once, when it joins or attaches.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use crate::{
    limits::ADMISSION_TIMEOUT,
    object::{InterfaceId, Kind, Name, ObjectId, SessionId},
    wire::{Refusal, reason},
};

/// Decides on everything that a client wants of a hub.
///
/// A closure will do. Its future may ask a database; after 5 s the answer is no. A hub without an
/// admission admits everybody to everything.
///
/// ```
/// use actix_multiplex::{Denied, Hub, Rights, Visit, Wish};
///
/// async fn guests_only_listen(visit: Visit) -> Result<Rights, Denied> {
///     match (&visit.wish, visit.client.credentials.as_slice()) {
///         (_, b"frog-1955") => Ok(Rights::ALL),
///         (Wish::Create { .. } | Wish::Name { .. }, _) => {
///             Err(Denied::because("guests make nothing: sign in first"))
///         }
///         _ => Ok(Rights::NONE),
///     }
/// }
/// let builder = Hub::builder().admission(guests_only_listen);
/// ```
pub trait Admission: Send + Sync + 'static {
    /// Says what the visitor may do, or why it may not come in.
    fn admit(&self, visit: Visit) -> Deciding;
}

/// An admission on its way to a decision.
pub type Deciding = Pin<Box<dyn Future<Output = Result<Rights, Denied>> + Send>>;

impl<F, D> Admission for F
where
    F: Fn(Visit) -> D + Send + Sync + 'static,
    D: Future<Output = Result<Rights, Denied>> + Send + 'static,
{
    fn admit(&self, visit: Visit) -> Deciding {
        Box::pin(self(visit))
    }
}

/// Who wants what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit {
    /// The session that wants it.
    pub session: SessionId,
    /// The client at its other end.
    pub client: Arc<Identity>,
    /// What it wants.
    pub wish: Wish,
}

/// What is known of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// Where it connects from.
    pub peer: String,
    /// What it calls itself; anybody can call itself anything.
    pub agent: String,
    /// What it proves itself with.
    pub credentials: Vec<u8>,
    /// What it is called among the members of objects; anybody can be called anything.
    pub name: String,
    /// What it tells the members of objects of itself.
    pub info: Vec<u8>,
}

/// What a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wish {
    /// To be a client at all.
    Connect,
    /// To make an object, and be its first leaf.
    Create {
        /// What it is to be called.
        name: Option<Name>,
        /// What it is.
        interface: InterfaceId,
    },
    /// To be a leaf of an object. The rights say what it may shout.
    Join {
        /// The object.
        object: ObjectId,
        /// What it is called.
        name: Option<Name>,
        /// What it is.
        interface: InterfaceId,
    },
    /// To shout at an object without being a leaf. The rights say what.
    Attach {
        /// The object.
        object: ObjectId,
        /// What it is called.
        name: Option<Name>,
        /// What it is.
        interface: InterfaceId,
    },
    /// To call an object something.
    Name {
        /// The object.
        object: ObjectId,
        /// What it is to be called.
        name: Name,
    },
    /// To keep an object though nobody needs it, or no longer.
    Pin {
        /// The object.
        object: ObjectId,
        /// What it is called.
        name: Option<Name>,
        /// What it is.
        interface: InterfaceId,
        /// Whether it is to be kept.
        pinned: bool,
    },
    /// To end an object for everybody.
    Destroy {
        /// The object.
        object: ObjectId,
        /// What it is called.
        name: Option<Name>,
        /// What it is.
        interface: InterfaceId,
    },
    /// To be a hub below this one, which speaks for all who are below it.
    Link,
    /// To see the names that begin so.
    List {
        /// What they begin with.
        prefix: String,
    },
}

/// What a session may shout at an object.
///
/// ```
/// use actix_multiplex::{Kind, Rights};
/// let rights = Rights::only([Kind(1), Kind(4)]);
/// assert!(rights.may_shout(Kind(4)) && !rights.may_shout(Kind(2)));
/// assert!(Rights::ALL.may_shout(Kind(2)) && !Rights::NONE.may_shout(Kind(2)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights(Shouting);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shouting {
    All,
    Only(Arc<[Kind]>),
    Nothing,
}

impl Rights {
    /// Shout everything.
    pub const ALL: Self = Self(Shouting::All);
    /// Only listen. Such a leaf is not asked for the object's state either, which every latecomer
    /// is given: who may shout something can be, and is trusted with it.
    pub const NONE: Self = Self(Shouting::Nothing);

    /// Shout messages of these numbers.
    pub fn only(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self(Shouting::Only(kinds.into_iter().collect()))
    }

    /// Whether a message of this number may be shouted.
    pub fn may_shout(&self, kind: Kind) -> bool {
        match &self.0 {
            Shouting::All => true,
            Shouting::Only(kinds) => kinds.contains(&kind),
            Shouting::Nothing => false,
        }
    }

    /// Whether any message may be shouted.
    pub(crate) fn may_shout_something(&self) -> bool {
        match &self.0 {
            Shouting::All => true,
            Shouting::Only(kinds) => !kinds.is_empty(),
            Shouting::Nothing => false,
        }
    }
}

/// Why a client may not. It is told so, in at most 1,024 bytes.
///
/// ```
/// use actix_multiplex::Denied;
/// assert_eq!(Denied::because("no frogs on Sundays").to_string(), "no frogs on Sundays");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Denied(String);

impl Denied {
    /// Denied, for this reason.
    pub fn because(why: impl fmt::Display) -> Self {
        Self(reason(&why.to_string()))
    }

    pub(crate) fn into_reason(self) -> String {
        self.0
    }
}

/// The admission of a hub that has none: everything to everybody.
pub(crate) fn everybody(_: Visit) -> std::future::Ready<Result<Rights, Denied>> {
    std::future::ready(Ok(Rights::ALL))
}

/// Waits for a decision, within the deadline. A decision that panics is a no.
pub(crate) async fn decide(admission: &dyn Admission, visit: Visit) -> Result<Rights, Refusal> {
    decide_within(admission, visit, ADMISSION_TIMEOUT).await
}

async fn decide_within(
    admission: &dyn Admission,
    visit: Visit,
    deadline: Duration,
) -> Result<Rights, Refusal> {
    use futures_util::FutureExt;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let panicked = || Refusal::Denied("the hub's admission panicked".to_owned());
    let deciding = catch_unwind(AssertUnwindSafe(|| admission.admit(visit)));
    let deciding = AssertUnwindSafe(deciding.map_err(|_| panicked())?).catch_unwind();
    match tokio::time::timeout(deadline, deciding).await {
        Ok(Ok(Ok(rights))) => Ok(rights),
        Ok(Ok(Err(Denied(why)))) => Err(Refusal::Denied(why)),
        Ok(Err(_)) => Err(panicked()),
        Err(_) => Err(Refusal::Late { ms: deadline.as_millis() as u32 }),
    }
}
