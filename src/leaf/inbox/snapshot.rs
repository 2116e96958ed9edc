//! A newer state of an object, told by its leaf when the hub wants one.
//!
//! The hub's wish waits in the leaf's inbox like a shout, so that the state is made of exactly what
//! was heard before it, and says how far that is. Of a leaf that cannot tell, that panics over it or
//! stops before, the hub is told so; another one is asked.

use std::sync::Arc;

use crate::{
    leaf::channel::Link,
    object::{Cursor, Dispatch, Encoded, Leaf, ObjectId},
    wire::{Snapshot, StateIs},
};

/// A state that is wanted of a leaf.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(super) object: ObjectId,
    /// What the leaf has heard when it comes to this.
    pub(super) at: Cursor,
    pub(super) link: Arc<Link>,
    /// Kept while it waits: a leaf is asked once at a time.
    pub(super) _waits: Arc<()>,
    /// Whether the hub was told it.
    pub(super) is_told: bool,
}

/// The hub need not wait for a state that will not come.
impl Drop for Wanted {
    fn drop(&mut self) {
        if !self.is_told {
            self.link.line().queue.tell(&Snapshot::unable(self.object));
        }
    }
}

/// Whether a leaf's state is what was heard.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// Whether the leaf was not given a shout that others may have heard.
    pub(super) has_missed: bool,
    /// Whether it was said why the leaf does not tell.
    has_said_why: bool,
}

impl Telling {
    /// Tells the leaf's state, if it can.
    pub(super) fn tell<A: Leaf>(&mut self, leaf: &A, mut wanted: Wanted) {
        let object = wanted.object;
        match self.state_of(leaf) {
            Ok(Encoded { payload, mut carried }) => {
                wanted.link.pack(&mut carried);
                let state = StateIs::of(payload.len(), &carried);
                let snapshot = Snapshot { object, at: Some(wanted.at), state, carried };
                wanted.is_told = wanted.link.line().queue.push_pieces(snapshot.frames(&payload));
                if !wanted.is_told {
                    tracing::debug!(%object, "no room to tell a state: another leaf is asked");
                }
            }
            Err(why) if !std::mem::replace(&mut self.has_said_why, true) => {
                let leaf = std::any::type_name::<A>();
                tracing::warn!(%object, leaf, why, "the leaf does not tell its state");
            }
            Err(_) => {}
        }
    }

    fn state_of<A: Leaf>(&self, leaf: &A) -> Result<Encoded, String> {
        if self.has_missed {
            return Err("it was not given all shouts: its class is older than others".to_owned());
        }
        let told = A::Interface::state(leaf).map_err(|error| error.to_string())?;
        told.ok_or_else(|| "its class cannot tell it".to_owned())
    }
}
