//! What the graphs are made of: napkins and blots that carry each other, and the one class that
//! their leaves are of. A leaf judges nothing; it writes down what it is given.

use std::time::Duration;

use actix::prelude::*;
use actix_multiplex::{
    BindError, Client, Gone, Handle, Heard, Interface, JoinError, KeepError, Leaf, Local, ObjectId,
    ObjectRef, Receipted, Shout, Stateful, Voice, interface,
};
use serde::{Deserialize, Serialize};

use super::book::{Desk, Place};

/// A reference to an object of either interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Any {
    Napkin(ObjectRef<Napkin>),
    Blot(ObjectRef<Blot>),
}

/// A handle of an object of either interface.
#[derive(Clone, Debug)]
pub(super) enum Hand {
    Napkin(Handle<Node<Napkin>>),
    Blot(Handle<Node<Blot>>),
}

/// Which interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Napkin,
    Blot,
}

/// The shouts that a leaf has heard: how many, the last one's seq, and a hash of them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fold {
    pub(super) count: u64,
    pub(super) last: u64,
    pub(super) hash: u64,
}

/// What a latecomer is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tally {
    pub(super) fold: Fold,
    pub(super) carries: Vec<Any>,
}

/// An object, and what the leaf at its shouter's client had heard of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) what: Any,
    pub(super) heard: Option<Fold>,
}

/// What every message says; the number makes it unlike any other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Words {
    pub(super) word: u64,
    one: Option<Told>,
    many: Vec<Told>,
    nested: Option<Box<(u16, Vec<Option<Told>>)>>,
    /// The client whose leaf says on what it hears, in the handler that hears it.
    pub(super) pass: Option<usize>,
}

/// Heard and done with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Say(pub(super) Words);

/// Takes its hearer a while, which looks at what is carried at the end of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Muse(pub(super) Words);

/// Leaves what it carries in the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Put(pub(super) Words);

interface! {
    /// What blots are drawn on.
    pub(super) Napkin = "graph.napkin" v1 { state Tally; 1 => Say, 2 => Muse, 3 => Put }
}

interface! {
    /// A blot of ink.
    pub(super) Blot = "graph.blot" v1 { state Tally; 1 => Say, 2 => Muse, 3 => Put }
}

/// Which message.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Say,
    Muse,
    Put,
}

/// An interface of these graphs.
pub(super) trait Graph: Interface<State = Tally> {
    /// `None`: it was not sent.
    fn say(voice: &Voice<Self>, words: Words) -> Option<Receipted>;
}

impl Graph for Napkin {
    fn say(voice: &Voice<Self>, words: Words) -> Option<Receipted> {
        voice.try_send(Shout(Say(words))).ok()
    }
}

impl Graph for Blot {
    fn say(voice: &Voice<Self>, words: Words) -> Option<Receipted> {
        voice.try_send(Shout(Say(words))).ok()
    }
}

macro_rules! each {
    ($hand:expr, $it:ident => $act:expr) => {
        match $hand {
            Hand::Napkin($it) => $act,
            Hand::Blot($it) => $act,
        }
    };
}

impl Any {
    pub(super) fn object(&self) -> ObjectId {
        match self {
            Self::Napkin(napkin) => napkin.object(),
            Self::Blot(blot) => blot.object(),
        }
    }

    pub(super) fn sort(&self) -> Sort {
        match self {
            Self::Napkin(_) => Sort::Napkin,
            Self::Blot(_) => Sort::Blot,
        }
    }

    /// The leaf that is there.
    pub(super) fn now(&self, client: &Client) -> Result<Hand, BindError> {
        Ok(match self {
            Self::Napkin(napkin) => Hand::Napkin(client.bind(napkin).now()?),
            Self::Blot(blot) => Hand::Blot(client.bind(blot).now()?),
        })
    }

    /// The leaf, when it is there.
    pub(super) async fn bound(&self, client: &Client) -> Result<Hand, BindError> {
        Ok(match self {
            Self::Napkin(napkin) => Hand::Napkin(client.bind(napkin).await?),
            Self::Blot(blot) => Hand::Blot(client.bind(blot).await?),
        })
    }
}

impl From<ObjectRef<Napkin>> for Any {
    fn from(napkin: ObjectRef<Napkin>) -> Self {
        Self::Napkin(napkin)
    }
}

impl From<ObjectRef<Blot>> for Any {
    fn from(blot: ObjectRef<Blot>) -> Self {
        Self::Blot(blot)
    }
}

impl Hand {
    /// A new object that nobody else knows of.
    pub(super) async fn create(client: &Client, sort: Sort, state: Tally) -> Option<Self> {
        Some(match sort {
            Sort::Napkin => Self::Napkin(client.create(None, state).await.ok()?),
            Sort::Blot => Self::Blot(client.create(None, state).await.ok()?),
        })
    }

    /// The object of that name, which may be a new one.
    pub(super) async fn open(
        client: &Client,
        sort: Sort,
        name: &str,
        state: Tally,
    ) -> Result<Self, JoinError> {
        Ok(match sort {
            Sort::Napkin => Self::Napkin(client.open(name, state).await?),
            Sort::Blot => Self::Blot(client.open(name, state).await?),
        })
    }

    pub(super) async fn join(client: &Client, sort: Sort, name: &str) -> Result<Self, JoinError> {
        Ok(match sort {
            Sort::Napkin => Self::Napkin(client.join(name).await?),
            Sort::Blot => Self::Blot(client.join(name).await?),
        })
    }

    pub(super) fn object(&self) -> ObjectId {
        each!(self, it => it.object())
    }

    pub(super) fn reference(&self) -> Any {
        each!(self, it => it.voice().reference().into())
    }

    pub(super) async fn carry(&self) -> Option<Any> {
        each!(self, it => it.carry().await.ok().map(Any::from))
    }

    /// Ends the object for everybody.
    pub(super) async fn destroy(&self) -> Result<(), KeepError> {
        each!(self, it => it.destroy().await)
    }

    pub(super) fn gone(&self) -> Option<Gone> {
        each!(self, it => it.gone())
    }

    /// Changes the leaf alone, which nobody hears.
    pub(super) async fn drag(&self) {
        // A leaf that has stopped cannot be dragged.
        let _gone = each!(self, it => it.send(Local(Drag)).await);
    }

    /// While nobody else knows of it, it takes another into its state.
    pub(super) async fn close(&self, circle: Any) {
        let _gone = each!(self, it => it.send(Local(Close(circle))).await);
    }

    /// `None`: it was not sent.
    pub(super) fn shout(&self, how: How, words: Words) -> Option<Receipted> {
        each!(self, it => match how {
            How::Say => it.try_send(Shout(Say(words))).ok(),
            How::Muse => it.try_send(Shout(Muse(words))).ok(),
            How::Put => it.try_send(Shout(Put(words))).ok(),
        })
    }
}

impl Fold {
    pub(super) fn then(self, seq: u64, word: u64) -> Self {
        let hash = [seq, word].into_iter().fold(self.hash ^ FNV_BASIS, |hash, each| {
            (hash.rotate_left(5) ^ each).wrapping_mul(FNV_PRIME)
        });
        Self { count: self.count + 1, last: seq, hash }
    }
}

/// FNV-1a's numbers.
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

impl Words {
    /// Puts what is told into various places.
    pub(super) fn new(word: u64, told: Vec<Told>, pass: Option<usize>) -> Self {
        let mut words = Self { word, pass, ..Self::default() };
        for (at, told) in told.into_iter().enumerate() {
            match (word as usize + at) % 3 {
                0 if words.one.is_none() => words.one = Some(told),
                1 => {
                    let nested = words.nested.get_or_insert_default();
                    nested.1.extend([None, Some(told)]);
                }
                _ => words.many.push(told),
            }
        }
        words
    }

    pub(super) fn told(&self) -> impl Iterator<Item = &Told> {
        let nested = self.nested.iter().flat_map(|nested| nested.1.iter().flatten());
        self.one.iter().chain(&self.many).chain(nested)
    }

    fn carried(&self) -> Vec<Any> {
        self.told().map(|told| told.what.clone()).collect()
    }
}

/// A leaf.
pub(super) struct Node<I: Interface> {
    me: Voice<I>,
    desk: Desk,
    /// Which of the leaves that were ever made it is.
    leaf: usize,
    tally: Tally,
    /// What is only here.
    dragged: u64,
}

impl<I: Graph> Node<I> {
    pub(super) fn new(me: Voice<I>, desk: Desk) -> Self {
        let leaf = desk.made(me.object());
        Self { me, desk, leaf, tally: Tally::default(), dragged: 0 }
    }

    fn hear<M>(&mut self, heard: &Heard<M>, words: &Words, put: Vec<Any>) {
        let seq = heard.seq().0;
        self.tally.fold = self.tally.fold.then(seq, words.word);
        let carried = put.iter().map(Any::object).collect();
        self.tally.carries.extend(put);
        self.desk.heard(self.leaf, seq, words, carried);
    }

    /// Looks at what is carried, as its handler finds it.
    fn look(&self, words: &Words) {
        let Some(client) = self.me.client() else { return };
        for told in words.told() {
            self.desk.bound(Place::Heard(told), told.what.now(&client));
        }
        if words.pass == Some(self.desk.client()) {
            self.pass(words);
        }
    }

    /// Says on what was just heard.
    fn pass(&self, words: &Words) {
        let words = self.desk.words(self.me.object(), words.carried(), None);
        let word = words.word;
        self.desk.await_receipt(word, I::say(&self.me, words));
    }
}

impl<I: Graph> Actor for Node<I> {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.desk.stopped(self.leaf);
    }
}

impl<I: Graph> Supervised for Node<I> {}

impl Leaf for Node<Napkin> {
    type Interface = Napkin;
}

impl Leaf for Node<Blot> {
    type Interface = Blot;
}

impl<I: Graph> Stateful<Tally> for Node<I> {
    fn state(&self) -> Option<Tally> {
        Some(self.tally.clone())
    }

    fn restore(&mut self, tally: Tally, _: &mut Context<Self>) {
        self.desk.restored(self.leaf, &tally);
        if let Some(client) = self.me.client() {
            for what in &tally.carries {
                self.desk.bound(Place::Restored(what), what.now(&client));
            }
        }
        self.tally = tally;
    }
}

impl<I: Graph> Handler<Heard<Say>> for Node<I> {
    type Result = ();

    fn handle(&mut self, say: Heard<Say>, _: &mut Context<Self>) {
        self.hear(&say, &say.0, Vec::new());
        self.look(&say.0);
    }
}

impl<I: Graph> Handler<Heard<Muse>> for Node<I> {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, muse: Heard<Muse>, _: &mut Context<Self>) -> Self::Result {
        self.hear(&muse, &muse.0, Vec::new());
        let while_it_muses = tokio::time::sleep(Duration::from_millis(muse.0.word % 50));
        Box::pin(while_it_muses.into_actor(self).map(move |(), leaf, _| leaf.look(&muse.0)))
    }
}

impl<I: Graph> Handler<Heard<Put>> for Node<I> {
    type Result = ();

    fn handle(&mut self, put: Heard<Put>, _: &mut Context<Self>) {
        self.hear(&put, &put.0, put.0.carried());
        self.look(&put.0);
    }
}

/// Changes what is only here.
#[derive(Message)]
#[rtype(result = "()")]
struct Drag;

impl<I: Graph> Handler<Local<Drag>> for Node<I> {
    type Result = ();

    fn handle(&mut self, _: Local<Drag>, _: &mut Context<Self>) {
        self.dragged += 1;
        self.desk.dragged(self.dragged);
    }
}

/// Takes an object into the state of one that nobody else knows of.
#[derive(Message)]
#[rtype(result = "()")]
struct Close(Any);

impl<I: Graph> Handler<Local<Close>> for Node<I> {
    type Result = ();

    fn handle(&mut self, close: Local<Close>, _: &mut Context<Self>) {
        self.tally.carries.push(close.0.0);
        self.desk.restored(self.leaf, &self.tally);
        self.me.carry(self.tally.clone()).expect("is small");
    }
}
