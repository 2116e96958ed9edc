//! References: live objects inside messages and states.
//!
//! An [`ObjectRef`] is written as a place in the list of carried objects that stands in the header
//! of its frame, so that a hub sees what is carried without reading a payload. The list is made, and
//! read, by a scope that `encode` and `decode` open round the serializer.

use std::{
    cell::Cell,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

use super::{Interface, InterfaceId, ObjectId, Seq, Tag};
use crate::limits::CARRIED_MAX;

/// An object inside a message or state: whoever hears it can have a leaf of it there and then.
///
/// One gets it from a handle (`kermit.carry().await`) or a leaf's own voice (`me.carry(state)`,
/// `me.reference()`), and takes a leaf out of it with
/// [`Client::bind`](crate::Client::bind). It is a field like any other. It keeps nothing alive: of
/// an object that nobody needed any more, `bind` says `Gone`.
///
/// It can be serialized only by this library, in a message or state; anything else is an error
/// and not a silent loss. It can be kept and passed on without a class for it.
///
/// # Wire
/// A `u16`: its place in the frame's list of carried objects.
///
/// ```
/// use actix_multiplex::{ObjectRef, interface};
/// use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] pub struct Rotate(i16);
///
/// interface! {
///     /// A blot of ink.
///     pub Blot = "napkin.blot" v1 { state none; 1 => Rotate }
/// }
///
/// /// Draw it on the napkin.
/// #[derive(Serialize, Deserialize)]
/// struct Draw { at: (u16, u16), blot: ObjectRef<Blot> }
/// ```
pub struct ObjectRef<I> {
    object: ObjectId,
    /// What whoever passed it had heard of the object.
    seq: Seq,
    /// Why no leaf of it could be had when it was heard.
    missing: Option<Arc<Missing>>,
    interface: PhantomData<fn() -> I>,
}

/// An object that a payload carries; the payload names it by its index in the header's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The object.
    pub object: ObjectId,
    /// The tag of its interface.
    pub tag: Tag,
    /// The last seq that the sender's client had heard of it; 0 for a new one.
    pub seq: Seq,
}

/// A carried object, as it is heard.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Brought {
    pub(crate) carried: Carried,
    pub(crate) missing: Option<Arc<Missing>>,
}

/// Why no leaf of a carried object could be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// No class of the client was for it.
    Opaque,
    Gone,
    Refused(String),
    Version {
        wanted: InterfaceId,
        there: InterfaceId,
    },
    Limit,
    Late,
}

impl<I> ObjectRef<I> {
    pub(crate) fn new(object: ObjectId, seq: Seq) -> Self {
        Self { object, seq, missing: None, interface: PhantomData }
    }

    /// The object.
    pub fn object(&self) -> ObjectId {
        self.object
    }

    /// What whoever passed it had heard of the object.
    pub(crate) fn seq(&self) -> Seq {
        self.seq
    }

    /// Why no leaf of it could be had when it was heard.
    pub(crate) fn missing(&self) -> Option<&Missing> {
        self.missing.as_deref()
    }
}

impl Carried {
    /// Bytes of a list of carried objects, at most: what it counts for in
    /// [`SHOUT_BYTES_MAX`](crate::limits::SHOUT_BYTES_MAX) and
    /// [`STATE_BYTES_MAX`](crate::limits::STATE_BYTES_MAX).
    pub fn bytes_of(carried: &[Self]) -> usize {
        carried.iter().map(|each| 16 + 1 + each.tag.as_str().len() + 10).sum::<usize>() + 1
    }
}

impl<I: Interface> Serialize for ObjectRef<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tag = I::id().tag;
        let place = put(Carried { object: self.object, tag, seq: self.seq });
        place.map_err(ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de, I: Interface> Deserialize<'de> for ObjectRef<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = u16::deserialize(deserializer)?;
        let Brought { carried, missing } = take(place, I::TAG).map_err(de::Error::custom)?;
        Ok(Self { missing, ..Self::new(carried.object, carried.seq) })
    }
}

impl<I> Clone for ObjectRef<I> {
    fn clone(&self) -> Self {
        Self { missing: self.missing.clone(), ..Self::new(self.object, self.seq) }
    }
}

impl<I> PartialEq for ObjectRef<I> {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object
    }
}

impl<I> Eq for ObjectRef<I> {}

impl<I> Hash for ObjectRef<I> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.object.hash(state);
    }
}

impl<I> fmt::Debug for ObjectRef<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectRef({})", self.object)
    }
}

/// What is being written or read on this thread, the innermost. Without references it takes no
/// memory.
#[derive(Default)]
struct Scope {
    mode: Mode,
    found: Option<Box<Found>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Outside,
    Writing,
    Reading,
}

/// What references have to do with.
#[derive(Default)]
struct Found {
    /// What was written.
    carried: Vec<Carried>,
    /// What can be read.
    brought: Vec<Brought>,
    /// What a reference found wrong; the serializer round it may drop the words.
    wrong: Option<String>,
}

thread_local! {
    static SCOPE: Cell<Scope> = const { Cell::new(Scope { mode: Mode::Outside, found: None }) };
}

/// Ends a scope, also when what is inside it panics: the one round it goes on.
struct Open {
    around: Scope,
}

impl Open {
    #[inline]
    fn new(scope: Scope) -> Self {
        Self { around: SCOPE.replace(scope) }
    }
}

impl Drop for Open {
    #[inline]
    fn drop(&mut self) {
        SCOPE.set(std::mem::take(&mut self.around));
    }
}

/// Acts within a scope, and tells what references found there.
#[inline]
fn within<T>(scope: Scope, act: impl FnOnce() -> T) -> (T, Option<Box<Found>>) {
    let open = Open::new(scope);
    let done = act();
    let found = SCOPE.take().found;
    drop(open);
    (done, found)
}

/// Runs `write`, whose references make the list that comes back; or tells what they found wrong.
#[inline]
pub(super) fn writing<T>(write: impl FnOnce() -> T) -> (T, Vec<Carried>, Option<String>) {
    match within(Scope { mode: Mode::Writing, found: None }, write) {
        (written, Some(found)) => (written, found.carried, found.wrong),
        (written, None) => (written, Vec::new(), None),
    }
}

/// Runs `read`, whose references are places in `brought`; or tells what they found wrong.
#[inline]
pub(super) fn reading<T>(brought: &[Brought], read: impl FnOnce() -> T) -> (T, Option<String>) {
    let list = || Box::new(Found { brought: brought.to_vec(), ..Found::default() });
    let found = (!brought.is_empty()).then(list);
    let (done, found) = within(Scope { mode: Mode::Reading, found }, read);
    (done, found.and_then(|found| found.wrong))
}

/// Puts an object into the list that is being written; each object once.
fn put(carried: Carried) -> Result<u16, String> {
    in_scope(Mode::Writing, |Found { carried: list, .. }| {
        let there = list.iter().position(|each| each.object == carried.object);
        let place = there.unwrap_or(list.len());
        if place == CARRIED_MAX {
            return Err(format!("more than {CARRIED_MAX} objects are carried"));
        }
        if there.is_none() {
            list.push(carried);
        }
        Ok(place as u16)
    })
}

/// Takes an object of an interface out of the list that is being read.
fn take(place: u16, tag: &str) -> Result<Brought, String> {
    in_scope(Mode::Reading, |Found { brought: list, .. }| {
        let Some(brought) = list.get(usize::from(place)) else {
            return Err(format!("there is no carried object {place}: {} are listed", list.len()));
        };
        let there = &brought.carried.tag;
        if there.as_str() != tag {
            return Err(format!("the carried object {place} is a `{there}`, not a `{tag}`"));
        }
        Ok(brought.clone())
    })
}

fn in_scope<T>(mode: Mode, act: impl FnOnce(&mut Found) -> Result<T, String>) -> Result<T, String> {
    let mut scope = SCOPE.take();
    if scope.mode == Mode::Outside {
        return Err(OUTSIDE.to_owned());
    }
    let found = scope.found.get_or_insert_default();
    let done = if scope.mode == mode { act(found) } else { Err(OUTSIDE.to_owned()) };
    if let Err(wrong) = &done {
        found.wrong = Some(wrong.clone());
    }
    SCOPE.set(scope);
    done
}

const OUTSIDE: &str = "an object can be carried only by a message or a state of an interface";

#[cfg(test)]
mod tests;
