//! What is shouted at in a simulation, and the leaf that hears it.
//!
//! The leaf's state is a hash of all that it has heard, in order: two leaves that contain the same
//! shouts have the same one, and nobody else.

use std::{
    fmt,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use actix::{Actor, Context, Handler, Message, Supervised};
use serde::{Deserialize, Serialize};

use crate::{
    interface,
    object::{Dispatch, Heard, Interface, Leaf, Local, Resync, Stateful},
    testing::book::{Book, PageNumber},
};

/// Something to say; the number makes it unlike any other.
#[derive(Serialize, Deserialize)]
pub(super) struct Say {
    pub(super) n: u64,
    pub(super) filling: String,
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.n)
    }
}

interface! {
    /// Who is late starts at now.
    pub(super) FrogAt = "sim.frog" v1 { state none; 1 => Say }
}
interface! {
    /// Who is late is given the sum.
    pub(super) LedgerAt = "sim.ledger" v1 { state Sum; 1 => Say }
}

/// All that was heard.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    last: u64,
    hash: u64,
}

impl Sum {
    fn add(&mut self, seq: u64, n: u64) {
        self.last = seq;
        self.hash = self.hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n;
    }
}

/// An interface that a [`Model`] implements.
pub(super) trait Played: Interface + Dispatch<Model<Self>> {
    /// What the object is called.
    const NAME: &str;
    /// The state of a leaf that has heard this, as far as there is one.
    fn state_of(sum: Sum) -> Self::State;
    /// What a leaf of this state has heard.
    fn sum_of(state: Self::State) -> Sum;
}

impl Played for FrogAt {
    const NAME: &str = "frog";

    fn state_of(_: Sum) {}

    fn sum_of((): ()) -> Sum {
        Sum::default()
    }
}

impl Played for LedgerAt {
    const NAME: &str = "ledger";

    fn state_of(sum: Sum) -> Sum {
        sum
    }

    fn sum_of(state: Sum) -> Sum {
        state
    }
}

/// A leaf that writes down what it hears, and sums it up.
pub(super) struct Model<I> {
    book: Book,
    page: PageNumber,
    sum: Sum,
    /// Whether it panics over what it hears next.
    falls: bool,
    /// The shout over which a leaf of this client panicked last.
    fell: Arc<AtomicU64>,
    interface: PhantomData<fn() -> I>,
}

impl<I> Model<I> {
    pub(super) fn new(book: Book, page: PageNumber, fell: Arc<AtomicU64>) -> Self {
        Self { book, page, sum: Sum::default(), falls: false, fell, interface: PhantomData }
    }
}

/// Also one that panics has parted.
impl<I> Drop for Model<I> {
    fn drop(&mut self) {
        self.book.parted(self.page);
    }
}

impl<I: 'static> Actor for Model<I> {
    type Context = Context<Self>;
}

impl<I: 'static> Supervised for Model<I> {}

impl<I: Played> Leaf for Model<I> {
    type Interface = I;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        self.book.resynced(self.page, resync.from.0, resync.to.0);
    }
}

impl<I: Played> Stateful<I::State> for Model<I> {
    fn state(&self) -> Option<I::State> {
        Some(I::state_of(self.sum))
    }

    fn restore(&mut self, state: I::State, _: &mut Self::Context) {
        self.sum = I::sum_of(state);
        self.stand();
    }
}

impl<I: Played> Model<I> {
    fn stand(&self) {
        if I::STATEFUL {
            self.book.stands(self.page, self.sum.last, format!("{:016x}", self.sum.hash));
        }
    }
}

impl<I: Played> Handler<Heard<Say>> for Model<I> {
    type Result = ();

    fn handle(&mut self, say: Heard<Say>, _: &mut Self::Context) {
        let (seq, voice) = (say.seq().0, self.book.name_of(say.shouter()));
        // A shout over which leaves have panicked twice is passed over, which is another story.
        let may_fall = self.falls && self.fell.swap(seq, Ordering::Relaxed) != seq;
        assert!(!may_fall, "sabotaged in a leaf");
        self.book.heard(self.page, seq, voice, format!("{:?}", *say));
        self.sum.add(seq, say.n);
        self.stand();
    }
}

/// Panic over what is heard next.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Fall;

impl<I: Played> Handler<Local<Fall>> for Model<I> {
    type Result = ();

    fn handle(&mut self, _: Local<Fall>, _: &mut Self::Context) {
        self.falls = true;
    }
}
