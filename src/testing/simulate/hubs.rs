//! The hubs of a schedule, one after the other: all with one journal, in memory or on a disk that
//! loses its power with them, or none with any.

use std::{
    cell::{Cell, RefCell},
    ops::RangeInclusive,
    rc::Rc,
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    hub::{Builder, Hub},
    journal::Memory,
    testing::schedule::Schedule,
};
#[cfg(feature = "redb")]
use crate::{journal::Redb, testing::Disk};

/// What makes them. Clones make the same.
#[derive(Clone)]
pub(super) struct Hubs(Rc<Inner>);

struct Inner {
    store: Store,
    random: RefCell<StdRng>,
    /// Whether disks are sound from now on.
    is_calm: Cell<bool>,
}

enum Store {
    None,
    Memory(Memory),
    #[cfg(feature = "redb")]
    Disk(RefCell<Disk>),
}

impl Hubs {
    pub(super) fn of(schedule: &Schedule) -> Self {
        let random = RefCell::new(StdRng::seed_from_u64(schedule.seed));
        Self(Rc::new(Inner { store: Store::of(schedule), random, is_calm: Cell::new(false) }))
    }

    /// The next one.
    pub(super) fn make(&self) -> Builder {
        let hub = self.0.store.keep(&self.0);
        let inner = self.0.clone();
        hub.commits_after(move || {
            Duration::from_micros(inner.random.borrow_mut().random_range(COMMIT_US))
        })
    }

    /// Nothing fails any more. Says whether something may have.
    pub(super) fn calm_down(&self) -> bool {
        self.0.is_calm.set(true);
        self.0.store.may_fail()
    }
}

impl Store {
    fn of(schedule: &Schedule) -> Self {
        match schedule.seed % 8 {
            #[cfg(feature = "redb")]
            0 => Self::Disk(RefCell::new(Disk::new(schedule.seed))),
            _ if schedule.has_journal() => Self::Memory(Memory::default()),
            _ => Self::None,
        }
    }

    fn may_fail(&self) -> bool {
        !matches!(self, Self::None | Self::Memory(_))
    }

    #[cfg_attr(not(feature = "redb"), expect(unused_variables, reason = "no disk, no faults"))]
    fn keep(&self, inner: &Inner) -> Builder {
        let hub = Hub::builder();
        match self {
            Self::None => hub,
            Self::Memory(memory) => hub.journal(memory.clone()),
            #[cfg(feature = "redb")]
            Self::Disk(disk) => {
                let found = disk.borrow().after_power_loss();
                let journal = Redb::open_at("the disk", || found.clone());
                if !inner.is_calm.get() {
                    let point = inner.random.borrow_mut().random_range(POINTS);
                    found.lose_power_at(found.points() + point);
                }
                disk.replace(found);
                hub.journal(journal.expect("a disk that lost its power is whole"))
            }
        }
    }
}

/// How long a commit takes, in microseconds.
const COMMIT_US: RangeInclusive<u64> = 100..=50_000;

/// Writes until a disk loses its power by itself: a few dozen of commits.
#[cfg(feature = "redb")]
const POINTS: RangeInclusive<u64> = 1..=200;
