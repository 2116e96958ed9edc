//! Commits in groups: whatever waits when a commit ends is in the next one.
//!
//! In come changes, from any arbiter; each is given a number at once. A thread of its own commits
//! them in that order, and tells how far it has come. After an error it commits nothing more.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{Change, Edit, Journal, JournalError};

/// How far the journal has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All changes up to this number are committed.
    Committed(u64),
    /// Nothing more will be.
    Failed(String),
    /// All that was submitted is committed, and the journal is closed.
    Closed,
}

/// Takes changes. Clones are the same writer.
#[derive(Clone, Debug)]
pub(crate) struct Writer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    more: Condvar,
    /// For who waits without a thread.
    #[cfg(feature = "testing")]
    notice: tokio::sync::Notify,
}

/// What the next commit takes.
#[derive(Debug)]
struct Waiting {
    changes: Vec<Change>,
    /// The number of the last of them.
    number: u64,
    is_closing: bool,
    /// Whether nothing more is taken.
    #[cfg(feature = "testing")]
    is_lost: bool,
}

/// What a journal is written by: called in turn with the writer's.
pub(crate) struct Committer {
    journal: Box<dyn Journal>,
    shared: Arc<Shared>,
    edits: Vec<Edit>,
    is_broken: bool,
}

impl Writer {
    /// A writer that goes on behind `number`, and what commits for it.
    pub(crate) fn new(journal: Box<dyn Journal>, number: u64) -> (Self, Committer) {
        let waiting = Waiting {
            changes: Vec::new(),
            number,
            is_closing: false,
            #[cfg(feature = "testing")]
            is_lost: false,
        };
        let shared = Arc::new(Shared {
            waiting: Mutex::new(waiting),
            more: Condvar::new(),
            #[cfg(feature = "testing")]
            notice: tokio::sync::Notify::new(),
        });
        let (edits, is_broken) = (Vec::new(), false);
        (Self(shared.clone()), Committer { journal, shared, edits, is_broken })
    }

    /// Has changes committed together. Returns the number of the last one, at most a number that
    /// was returned before if there are none.
    pub(crate) fn submit(&self, changes: impl IntoIterator<Item = Change>) -> u64 {
        // Not under the lock: making them may panic.
        let changes: Vec<_> = changes.into_iter().collect();
        let mut waiting = self.0.lock();
        #[cfg(feature = "testing")]
        if waiting.is_lost {
            return waiting.number;
        }
        let before = waiting.changes.len();
        waiting.changes.extend(changes);
        waiting.number += (waiting.changes.len() - before) as u64;
        let number = waiting.number;
        drop(waiting);
        self.0.notify();
        number
    }

    /// Commits nothing any more, not even what was submitted: the power is lost.
    #[cfg(feature = "testing")]
    pub(crate) fn lose(&self) {
        let mut waiting = self.0.lock();
        (waiting.is_lost, waiting.is_closing) = (true, true);
        waiting.changes.clear();
        drop(waiting);
        self.0.notify();
    }

    /// Commits what was submitted, and nothing after it.
    pub(crate) fn close(&self) {
        self.0.lock().is_closing = true;
        self.0.notify();
    }
}

impl Committer {
    /// Commits until the writer is closed, on a thread of its own. `tell` is called there.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(crate) fn spawn(
        self,
        mut tell: impl FnMut(Progress) + Send + 'static,
    ) -> Result<(), JournalError> {
        let commit = move || {
            let mut committer = self;
            while committer.await_more() {
                tell(committer.commit());
            }
            // A store that has failed may do so again when it is closed.
            let _closed = catch_unwind(AssertUnwindSafe(|| drop(committer)));
            tell(Progress::Closed);
        };
        let spawned = thread::Builder::new().name("multiplex journal".to_owned()).spawn(commit);
        spawned.map(drop).map_err(JournalError::io("a thread for the journal"))
    }

    /// Commits all that waits, as one.
    pub(crate) fn commit(&mut self) -> Progress {
        let (changes, last) = self.shared.take();
        if self.is_broken {
            return Progress::Failed("it has failed before".to_owned());
        }
        let first = last + 1 - changes.len() as u64;
        let Self { journal, edits, .. } = self;
        let committed = catch_unwind(AssertUnwindSafe(|| {
            for (change, number) in changes.iter().zip(first..) {
                change.edits(number, edits);
            }
            journal.commit(edits)
        }));
        self.edits.clear();
        let why = match committed {
            Ok(Ok(())) => return Progress::Committed(last),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        self.is_broken = true;
        Progress::Failed(why)
    }

    /// Whether there is something to commit; waits for it. `false` when the writer is closed.
    fn await_more(&self) -> bool {
        let waits = |waiting: &mut Waiting| waiting.changes.is_empty() && !waiting.is_closing;
        let waiting = self.shared.more.wait_while(self.shared.lock(), waits);
        !waiting.unwrap_or_else(PoisonError::into_inner).changes.is_empty()
    }

    /// As [`spawn`](Self::spawn), without a thread: each commit takes as long as `delay` says, by
    /// tokio's clock.
    #[cfg(feature = "testing")]
    pub(crate) async fn run(
        mut self,
        mut delay: impl FnMut() -> std::time::Duration,
        mut tell: impl FnMut(Progress),
    ) {
        while self.has_more().await {
            tokio::time::sleep(delay()).await;
            tell(self.commit());
        }
        drop(self);
        tell(Progress::Closed);
    }

    /// As [`await_more`](Self::await_more).
    #[cfg(feature = "testing")]
    async fn has_more(&self) -> bool {
        loop {
            let (has_more, is_closing) = {
                let waiting = self.shared.lock();
                (!waiting.changes.is_empty(), waiting.is_closing)
            };
            if has_more || is_closing {
                return has_more;
            }
            self.shared.notice.notified().await;
        }
    }
}

impl Shared {
    fn notify(&self) {
        self.more.notify_one();
        #[cfg(feature = "testing")]
        self.notice.notify_one();
    }

    fn take(&self) -> (Vec<Change>, u64) {
        let mut waiting = self.lock();
        (std::mem::take(&mut waiting.changes), waiting.number)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that is done under the lock can panic half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
