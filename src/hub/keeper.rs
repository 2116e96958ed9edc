//! What a hub keeps goes to its journal; nothing that tells of it leaves the hub before it is there.
//!
//! In come changes, of the directory and of the repeaters, in the order in which they are decided.
//! They are submitted before anything is queued that tells of them, and the [`Gate`] has the writers
//! of all connections wait until they are committed. A hub without a journal has no keeper.

use std::{any::Any, sync::Arc};

use tokio::sync::watch;

use crate::{
    connection::Gate,
    journal::{Change, Committer, Journal, JournalError, Progress, Writer},
};

/// The way to a hub's journal.
#[derive(Debug)]
pub(crate) struct Keeper {
    writer: Writer,
    gate: Arc<Gate>,
    standing: watch::Sender<Standing>,
}

/// What has become of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Failed(String),
    Closed,
}

impl Keeper {
    /// Goes on behind the change of this number. What is returned commits, and tells the keeper by
    /// what comes with it.
    pub(crate) fn new(
        journal: Box<dyn Journal>,
        number: u64,
    ) -> (Self, Committer, impl FnMut(Progress) + Send + 'static) {
        let (writer, committer) = Writer::new(journal, number);
        let gate = Arc::<Gate>::default();
        gate.commit(number);
        let standing = watch::Sender::new(Standing::Open);
        let (behind, told, mut is_broken) = (gate.clone(), standing.clone(), false);
        let tell = move |progress| match progress {
            Progress::Committed(number) => behind.commit(number),
            Progress::Failed(_) | Progress::Closed if is_broken => {}
            Progress::Failed(why) => {
                is_broken = true;
                behind.break_down();
                told.send_replace(Standing::Failed(why));
            }
            Progress::Closed => drop(told.send_replace(Standing::Closed)),
        };
        (Self { writer, gate, standing }, committer, tell)
    }

    /// Goes on behind the change of this number, and commits on a thread of its own.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(crate) fn start(journal: Box<dyn Journal>, number: u64) -> Result<Self, JournalError> {
        let (keeper, committer, tell) = Self::new(journal, number);
        committer.spawn(tell)?;
        Ok(keeper)
    }

    /// Goes on behind the change of this number; each commit takes as long as `delay` says.
    #[cfg(feature = "testing")]
    pub(crate) fn start_here(
        journal: Box<dyn Journal>,
        number: u64,
        delay: impl FnMut() -> std::time::Duration + 'static,
    ) -> Self {
        let (keeper, committer, tell) = Self::new(journal, number);
        tokio::task::spawn_local(committer.run(delay, tell));
        keeper
    }

    /// Has changes committed, all in one. What is queued from now on waits for that.
    pub(crate) fn keep(&self, changes: impl IntoIterator<Item = Change>) {
        let number = self.writer.submit(changes);
        self.gate.submit(number);
    }

    /// Keeps `guard` until all that is submitted by now is committed.
    pub(crate) fn hold(&self, guard: Box<dyn Any + Send>) {
        self.gate.hold(guard);
    }

    /// Nothing more may be kept: what the hub has is not what its journal has.
    pub(crate) fn fail(&self, why: &str) {
        self.gate.break_down();
        self.standing.send_replace(Standing::Failed(why.to_owned()));
    }

    /// What connections wait at.
    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Why the journal has failed, when it does. `None`: it was closed, and has not.
    pub(crate) async fn failed(&self) -> Option<String> {
        let mut standing = self.standing.subscribe();
        let ended = standing.wait_for(|standing| *standing != Standing::Open).await;
        match ended.ok()?.clone() {
            Standing::Failed(why) => Some(why),
            Standing::Open | Standing::Closed => None,
        }
    }

    /// Commits nothing any more, and lets nothing leave.
    #[cfg(feature = "testing")]
    pub(crate) fn lose(&self) {
        self.gate.break_down();
        self.writer.lose();
    }

    /// Commits what was submitted, and closes the journal.
    pub(crate) async fn close(&self) {
        self.writer.close();
        let _why = self.failed().await;
    }
}

/// A hub that was not stopped lets go of its journal all the same.
impl Drop for Keeper {
    fn drop(&mut self) {
        self.writer.close();
    }
}
