//! Leaves whose state is all that was heard, folded into one; and a book in which they must agree.
//!
//! Two leaves that have heard the same have the same sum. So whatever a leaf has been through
//! (restored from anybody's state, told the tail, resynced, gone on), at each seq its sum is that of
//! every other leaf, or the book says who differs.

use std::{
    collections::BTreeMap,
    mem::take,
    sync::{Arc, Mutex, MutexGuard},
};

use actix::{Actor, Context, Handler, Message, MessageResponse, Supervised};
use actix_multiplex::{
    Client, DispatchError, Heard, Leaf, Local, Resync, Seq, Stateful, interface,
};
use serde::{Deserialize, Serialize};

/// Adds a number. The text makes it as large as one likes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Add {
    pub(crate) n: u64,
    pub(crate) text: String,
}

/// What only newer programs know of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note(pub(crate) u64);

interface! {
    /// Sums up what is shouted at it.
    pub(crate) Ledger = "sim.ledger" v1 { state Sum; 1 => Add }
}
interface! {
    /// The ledger of a newer program: a message more.
    pub(crate) NewLedger = "sim.ledger" v1 { state Sum; 1 => Add, 2 => Note }
}

/// All that was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, MessageResponse)]
pub(crate) struct Sum {
    pub(crate) last: u64,
    pub(crate) count: u64,
    pub(crate) hash: u64,
}

impl Sum {
    fn add(&mut self, seq: u64, n: u64) {
        self.last = seq;
        self.count += 1;
        self.hash = self.hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n;
    }
}

/// Whether a leaf tells its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    Tells,
    CannotTell,
    Panics,
}

/// What all leaves write into.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    /// The sum at each seq.
    sums: BTreeMap<u64, Sum>,
    wrong: Vec<String>,
    seen: Seen,
}

/// What has happened, as leaves saw it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// Leaves that were asked for their state, and what they had heard.
    pub(crate) asked: Vec<(String, u64)>,
    /// Leaves that were restored, and from what seq.
    pub(crate) restored: Vec<(String, u64)>,
    /// Leaves that had missed shouts.
    pub(crate) resynced: u64,
}

impl Book {
    /// What has happened since this was asked last.
    #[track_caller]
    pub(crate) fn seen(&self) -> Seen {
        let mut pages = self.lock();
        assert!(pages.wrong.is_empty(), "{:#?}", pages.wrong);
        take(&mut pages.seen)
    }

    fn agree(&self, name: &str, sum: Sum) {
        let mut pages = self.lock();
        let there = *pages.sums.entry(sum.last).or_insert(sum);
        if there != sum || sum.count != sum.last {
            pages.wrong.push(format!("{name} has {sum:?}, and others {there:?}"));
        }
    }

    fn wrong(&self, what: String) {
        self.lock().wrong.push(what);
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().expect("nobody panics who holds it")
    }
}

/// Tells what it has heard; a local message.
#[derive(Debug, Message)]
#[rtype(result = "Sum")]
pub(crate) struct Tell;

/// Makes it panic; a local message.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Poke;

/// What a leaf is made of.
#[derive(Debug)]
pub(crate) struct Desk {
    name: String,
    telling: Telling,
    book: Book,
    sum: Sum,
    /// Whether it was not given a shout: then it agrees with nobody.
    has_missed: bool,
}

impl Desk {
    fn hear(&mut self, seq: Seq, n: u64) {
        if seq.0 != self.sum.last + 1 {
            let Self { name, sum, .. } = self;
            self.book.wrong(format!("{name} heard {seq} after {sum:?}"));
        }
        self.sum.add(seq.0, n);
        if !self.has_missed {
            self.book.agree(&self.name, self.sum);
        }
    }

    fn unheard(&mut self, seq: Seq) {
        self.sum.last = seq.0;
        self.has_missed = true;
    }

    fn state(&self) -> Option<Sum> {
        self.book.lock().seen.asked.push((self.name.clone(), self.sum.last));
        assert_ne!(self.telling, Telling::Panics, "a state that panics");
        (self.telling == Telling::Tells).then_some(self.sum)
    }

    fn restore(&mut self, sum: Sum) {
        (self.sum, self.has_missed) = (sum, false);
        self.book.lock().seen.restored.push((self.name.clone(), sum.last));
        if sum.last > 0 {
            self.book.agree(&self.name, sum);
        }
    }

    fn resynced(&self, resync: Resync) {
        self.book.lock().seen.resynced += 1;
        if self.sum.last != resync.to.0 {
            self.book.wrong(format!("{} has {:?} after {resync}", self.name, self.sum));
        }
    }
}

/// A leaf that sums up.
macro_rules! clerk {
    ($(#[$meta:meta])* $clerk:ident: $interface:ident) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $clerk(Desk);

        impl $clerk {
            /// Says how a client makes it.
            pub(crate) fn at(client: &Client, name: &str, telling: Telling, book: &Book) {
                let (name, book) = (name.to_owned(), book.clone());
                client.implement::<Self>(move |_| {
                    let (name, book) = (name.clone(), book.clone());
                    Self(Desk { name, telling, book, sum: Sum::default(), has_missed: false })
                });
            }
        }

        impl Actor for $clerk {
            type Context = Context<Self>;
        }

        impl Supervised for $clerk {}

        impl Leaf for $clerk {
            type Interface = $interface;

            fn resynced(&mut self, resync: Resync, _: &mut Context<Self>) {
                self.0.resynced(resync);
            }

            fn unheard(&mut self, seq: Seq, _: DispatchError, _: &mut Context<Self>) {
                self.0.unheard(seq);
            }
        }

        impl Stateful<Sum> for $clerk {
            fn state(&self) -> Option<Sum> {
                self.0.state()
            }

            fn restore(&mut self, sum: Sum, _: &mut Context<Self>) {
                self.0.restore(sum);
            }
        }

        impl Handler<Heard<Add>> for $clerk {
            type Result = ();

            fn handle(&mut self, add: Heard<Add>, _: &mut Context<Self>) {
                self.0.hear(add.seq(), add.n);
            }
        }

        impl Handler<Local<Poke>> for $clerk {
            type Result = ();

            fn handle(&mut self, _: Local<Poke>, _: &mut Context<Self>) {
                panic!("poked");
            }
        }

        impl Handler<Local<Tell>> for $clerk {
            type Result = Sum;

            fn handle(&mut self, _: Local<Tell>, _: &mut Context<Self>) -> Sum {
                self.0.sum
            }
        }
    };
}

clerk! {
    /// A leaf of a ledger.
    Clerk: Ledger
}
clerk! {
    /// A leaf of a ledger, of a newer program.
    NewClerk: NewLedger
}

impl Handler<Heard<Note>> for NewClerk {
    type Result = ();

    fn handle(&mut self, note: Heard<Note>, _: &mut Context<Self>) {
        self.0.hear(note.seq(), note.0);
    }
}
