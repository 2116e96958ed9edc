//! A leaf of anything, that writes down what it hears.

use std::{fmt, marker::PhantomData};

use actix::{Actor, Context, Handler, Supervised};

use super::book::{Book, PageNumber};
use crate::object::{
    AskOf, Asked, Dispatch, Elsewhere, Heard, Interface, Leaf, Resync, ShoutAt, Stateful, Volatile,
    VolatileAt,
};

/// A leaf of interface `I` that records every shout, by its `Debug` text.
///
/// [`Witness`](super::Witness)es make them. The texts of one object's shouts must differ from each
/// other, for the checker to tell them apart: put a number into the messages.
pub struct Recorder<I> {
    book: Book,
    page: PageNumber,
    interface: PhantomData<fn() -> I>,
}

impl<I> Recorder<I> {
    pub(super) fn new(book: Book, page: PageNumber) -> Self {
        Self { book, page, interface: PhantomData }
    }
}

impl<I: 'static> Actor for Recorder<I> {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        self.book.parted(self.page);
    }
}

impl<I: 'static> Supervised for Recorder<I> {}

impl<I: Interface + Dispatch<Self>> Leaf for Recorder<I> {
    type Interface = I;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        self.book.resynced(self.page, resync.from.0, resync.to.0);
    }
}

impl<I: Interface> Stateful<I::State> for Recorder<I> {
    /// It knows what was said, and not what comes of it.
    fn state(&self) -> Option<I::State> {
        None
    }

    fn restore(&mut self, _: I::State, _: &mut Self::Context) {}
}

impl<I: Interface, M: ShoutAt<I> + fmt::Debug> Handler<Heard<M>> for Recorder<I> {
    type Result = ();

    fn handle(&mut self, heard: Heard<M>, _: &mut Self::Context) {
        let voice = self.book.name_of(heard.shouter());
        self.book.heard(self.page, heard.seq().0, voice, format!("{:?}", *heard));
    }
}

/// What may be lost is not written down.
impl<I: Interface, M: VolatileAt<I>> Handler<Volatile<M>> for Recorder<I> {
    type Result = ();

    fn handle(&mut self, _: Volatile<M>, _: &mut Self::Context) {}
}

/// Only the owner knows.
impl<I: Interface, M: AskOf<I>> Handler<Asked<M>> for Recorder<I> {
    type Result = Elsewhere;

    fn handle(&mut self, _: Asked<M>, _: &mut Self::Context) -> Elsewhere {
        Elsewhere
    }
}

impl<I> fmt::Debug for Recorder<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("page", &self.page).finish_non_exhaustive()
    }
}
