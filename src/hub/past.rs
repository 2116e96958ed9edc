//! What a hub goes on with when it starts with a journal: its objects with their histories, and its
//! sessions.
//!
//! An object that is not whole is quarantined: it is there under its id and its name, and says why
//! it cannot be had. All others are served.

use std::{collections::BTreeMap, sync::Arc};

use super::{history::History, keeper::Keeper};
use crate::{
    journal::{Change, Contents, Definition, Journal, JournalError, Kept, ResumeKeys},
    object::{HubId, ObjectId, SessionId},
    wire::Resume,
};

/// What commits.
#[derive(Default)]
pub(crate) enum Committing {
    #[default]
    Thread,
    /// The hub's own thread, each time after so long.
    #[cfg(feature = "testing")]
    Here(Box<dyn FnMut() -> std::time::Duration>),
}

impl Committing {
    /// The way to a journal, behind the change of this number.
    fn begin(self, journal: Box<dyn Journal>, number: u64) -> Result<Keeper, JournalError> {
        match self {
            Self::Thread => Keeper::start(journal, number),
            #[cfg(feature = "testing")]
            Self::Here(delay) => Ok(Keeper::start_here(journal, number, delay)),
        }
    }
}

impl std::fmt::Debug for Committing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Committing")
    }
}

/// What a journal has of a hub.
#[derive(Debug, Default)]
pub(crate) struct Past {
    pub(crate) hub: Option<HubId>,
    pub(crate) objects: Vec<(ObjectId, Definition, History)>,
    /// Objects that are not whole, and why not.
    pub(crate) quarantined: Vec<(Kept, String)>,
    pub(crate) sessions: BTreeMap<SessionId, ResumeKeys>,
    /// The hub above, and with what the link's session is gone on.
    pub(crate) above: Option<(HubId, Resume)>,
    /// The sessions below links, and these.
    pub(crate) below: BTreeMap<SessionId, SessionId>,
    /// Objects that are no more, by their place among those.
    pub(crate) ended: BTreeMap<u64, ObjectId>,
    /// Of these there are records that were still to go when the hub ended.
    leftovers: Vec<ObjectId>,
}

impl Past {
    /// Reads a journal. What is behind it is kept by the keeper.
    ///
    /// # Errors
    /// [`JournalError`]: it cannot be read, or not be gone on with.
    pub(super) fn read(
        mut journal: Box<dyn Journal>,
        committing: Committing,
    ) -> Result<(Self, Arc<Keeper>), JournalError> {
        let contents = Contents::read(&mut *journal, |_| {})?;
        for damage in contents.damage() {
            tracing::error!(damage, "the journal is damaged");
        }
        let keeper = committing.begin(journal, contents.number)?;
        Ok((Self::of(contents), Arc::new(keeper)))
    }

    fn of(contents: Contents) -> Self {
        let Contents { hub, sessions, above, below, ended, objects, leftovers, .. } = contents;
        let mut past = Self { hub, sessions, above, below, ended, leftovers, ..Self::default() };
        for (object, kept) in objects {
            past.restore(object, kept);
        }
        past
    }

    /// Whether a session has not ended, as far as was kept.
    fn knows(&self, session: SessionId) -> bool {
        let link = self.below.get(&session).copied().unwrap_or(session);
        self.sessions.contains_key(&link)
    }

    fn restore(&mut self, object: ObjectId, kept: Kept) {
        #[cfg(feature = "testing")]
        let kept = super::faults::spoil_kept(kept);
        let definition = kept.definition.clone();
        let known = |session| self.knows(session);
        match (History::restored(object, &kept, known), definition) {
            (Ok(history), Some(definition)) => self.objects.push((object, definition, history)),
            (Ok(_), None) => {}
            (Err(why), _) => {
                let why = why.to_string();
                tracing::error!(%object, name = kept.name(), why, "an object is quarantined: until it is back, no object is dropped");
                self.quarantined.push((kept, why));
            }
        }
    }
}

impl Keeper {
    /// Begins the journal of a hub, if nothing is in it; does away with what was left over.
    pub(super) fn begin(&self, hub: HubId, past: &Past) {
        if past.hub.is_none() {
            self.keep([Change::Begun(hub)]);
        }
        self.keep(past.leftovers.iter().map(|object| Change::Cleared(*object)));
    }
}
