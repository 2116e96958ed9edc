//! A program of a simulation: a client with its leaves and voices.
//!
//! What has to wait for the hub waits in a task of its own, so that a line which is held holds
//! nobody up but its own program; a crash ends these tasks.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use tokio::task::{AbortHandle, spawn_local};

use super::model::{Fall, FrogAt, LedgerAt, Model, Played, Say, Sum};
use crate::{
    leaf::{Gone, Handle, Voice},
    object::{Local, ObjectId, Shout, ShoutAt},
    testing::{schedule::Thing, simulation::Sim, witness::Witness},
};

/// One life of a client.
pub(super) struct Program {
    /// What it and its line are called.
    pub(super) name: String,
    /// Whether it may have lost its connection.
    pub(super) is_disturbed: Cell<bool>,
    witness: RefCell<Option<Witness>>,
    frog: Place<FrogAt>,
    ledger: Place<LedgerAt>,
    tasks: RefCell<Vec<AbortHandle>>,
}

/// What a program has of one object.
struct Place<I: Played> {
    leaf: RefCell<Option<Handle<Model<I>>>>,
    voice: RefCell<Option<Voice<I>>>,
    /// Whether one of them is awaited.
    awaits: Cell<bool>,
}

/// Does something with the place of a thing.
macro_rules! at {
    ($program:expr, $thing:expr, |$place:ident| $what:expr) => {
        match $thing {
            Thing::Frog => {
                let $place = &$program.frog;
                $what
            }
            Thing::Ledger => {
                let $place = &$program.ledger;
                $what
            }
        }
    };
}

impl Program {
    /// A program that is about to connect, and then to join both things if it `hears`.
    pub(super) fn start(name: String, sim: &Sim, hears: bool) -> Rc<Self> {
        let program = Rc::new(Self {
            name,
            is_disturbed: Cell::new(false),
            witness: RefCell::default(),
            frog: Place::new(),
            ledger: Place::new(),
            tasks: RefCell::default(),
        });
        let (me, connecting) = (program.clone(), sim.connect(&program.name));
        program.run(async move {
            let Ok(witness) = connecting.await else { return };
            Place::<FrogAt>::implement(&witness);
            Place::<LedgerAt>::implement(&witness);
            me.witness.replace(Some(witness.clone()));
            if hears {
                me.frog.join(&witness).await;
                me.ledger.join(&witness).await;
            } else {
                me.frog.attach(&witness).await;
                me.ledger.attach(&witness).await;
            }
        });
        program
    }

    /// Ends without a word; its line is cut already.
    pub(super) fn crash(&self) {
        self.tasks.take().iter().for_each(AbortHandle::abort);
        self.frog.clear();
        self.ledger.clear();
        self.witness.take();
    }

    /// Shouts. `false`: it has nothing to shout through.
    pub(super) fn shout(&self, thing: Thing, say: Say) -> bool {
        let witness = self.witness.borrow();
        let Some(witness) = &*witness else { return false };
        at!(self, thing, |place| place.shout(witness, say))
    }

    /// Shouts through a voice. `false`: it has none yet.
    pub(super) fn speak(self: &Rc<Self>, thing: Thing, say: Say) -> bool {
        let Some(witness) = self.witness.borrow().clone() else { return false };
        let spoke = at!(self, thing, |place| place.speak(&witness, say));
        if !spoke {
            let me = self.clone();
            self.run(async move { at!(me, thing, |place| place.attach(&witness).await) });
        }
        spoke
    }

    /// Joins a thing that it has no leaf of. `false`: it has one, or cannot.
    pub(super) fn join(self: &Rc<Self>, thing: Thing) -> bool {
        let Some(witness) = self.witness.borrow().clone() else { return false };
        let lives = at!(self, thing, |place| place.has_a_leaf());
        if !lives {
            let me = self.clone();
            self.run(async move { at!(me, thing, |place| place.join(&witness).await) });
        }
        !lives
    }

    /// Drops its leaf of a thing. `false`: it has none.
    pub(super) fn part(&self, thing: Thing) -> bool {
        at!(self, thing, |place| place.leaf.take().is_some())
    }

    /// Its leaf panics over what it hears next. `false`: it has none.
    pub(super) fn fall(&self, thing: Thing) -> bool {
        at!(self, thing, |place| place.fall())
    }

    /// It sends once more what is under way to a thing. `false`: it has neither leaf nor voice.
    pub(super) fn repeat(&self, thing: Thing) -> bool {
        at!(self, thing, |place| place.repeat())
    }

    /// A thing as the hub knows it.
    pub(super) fn object(&self, thing: Thing) -> Option<ObjectId> {
        at!(self, thing, |place| place.object())
    }

    /// Whether it is connected, as far as it can tell.
    pub(super) fn is_connected(&self) -> bool {
        let things = [Thing::Frog, Thing::Ledger];
        things.into_iter().all(|thing| at!(self, thing, |place| !place.has_lost_its_hub()))
    }

    fn run(&self, task: impl Future<Output = ()> + 'static) {
        let mut tasks = self.tasks.borrow_mut();
        tasks.retain(|task| !task.is_finished());
        tasks.push(spawn_local(task).abort_handle());
    }
}

impl<I: Played> Place<I>
where
    Say: ShoutAt<I>,
{
    fn new() -> Self {
        Self { leaf: RefCell::default(), voice: RefCell::default(), awaits: Cell::new(false) }
    }

    fn implement(witness: &Witness) {
        let (book, name) = (witness.book().clone(), witness.name().to_owned());
        let fell = Arc::default();
        witness.client().implement::<Model<I>>(move |me| {
            let (object, start) = (me.object(), me.start());
            let page = book.open(&name, object, start, move || me.gone().is_some());
            Model::new(book.clone(), page, Arc::clone(&fell))
        });
    }

    async fn join(&self, witness: &Witness) {
        if self.awaits.replace(true) {
            return;
        }
        self.leaf.take();
        let state = I::state_of(Sum::default());
        let opened = witness.client().open::<Model<I>>(I::NAME, state).await;
        self.leaf.replace(opened.ok());
        self.awaits.set(false);
    }

    async fn attach(&self, witness: &Witness) {
        if self.awaits.replace(true) {
            return;
        }
        self.voice.replace(witness.client().voice::<I>(I::NAME).await.ok());
        self.awaits.set(false);
    }

    fn shout(&self, witness: &Witness, say: Say) -> bool {
        let leaf = self.leaf.borrow();
        let Some(leaf) = &*leaf else { return self.speak(witness, say) };
        witness.say(leaf.object(), say, |shout: Shout<Say>| leaf.try_send(shout));
        true
    }

    fn speak(&self, witness: &Witness, say: Say) -> bool {
        let voice = self.voice.borrow();
        let Some(voice) = &*voice else { return false };
        witness.shout_by(voice, say);
        true
    }

    fn fall(&self) -> bool {
        let leaf = self.leaf.borrow();
        let Some(leaf) = &*leaf else { return false };
        leaf.addr().do_send(Local(Fall));
        true
    }

    fn repeat(&self) -> bool {
        let (leaf, voice) = (self.leaf.borrow(), self.voice.borrow());
        let voice = leaf.as_ref().map(Handle::voice).or_else(|| voice.clone());
        voice.map(|voice| voice.send_all_again()).is_some()
    }

    fn has_a_leaf(&self) -> bool {
        self.leaf.borrow().as_ref().is_some_and(|leaf| leaf.gone().is_none())
    }

    fn object(&self) -> Option<ObjectId> {
        self.leaf.borrow().as_ref().map(Handle::object)
    }

    fn has_lost_its_hub(&self) -> bool {
        let gone = self.leaf.borrow().as_ref().and_then(Handle::gone);
        matches!(gone, Some(Gone::Closed(_)))
    }

    fn clear(&self) {
        self.leaf.take();
        self.voice.take();
    }
}
