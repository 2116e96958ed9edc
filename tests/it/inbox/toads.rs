//! Leaves that answer in every way that actix knows, and write down what happens to them.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::{dev::MessageResponse, fut::wrap_future, prelude::*};
use actix_multiplex::{Client, Handle, Heard, Hub, Leaf, Local, Shout, Voice, interface};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use self::Event::{Begun, Done, Napped, Woken};

/// A word that takes some time to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Word {
    pub(crate) id: u32,
    pub(crate) seconds: u64,
}

/// As [`Word`]: a leaf may answer its messages in different ways.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Wait(pub(crate) Word);
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Act(pub(crate) Word);
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Atom(pub(crate) Word);
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Block(pub(crate) Word);

interface! {
    pub(crate) Talk = "pond.talk" v1 {
        state none;
        1 => Word,
        2 => Wait,
        3 => Act,
        4 => Atom,
        5 => Block,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A handler was called.
    Begun(u32),
    /// Its answer has resolved.
    Done(u32),
    /// The leaf had its context wait.
    Napped,
    /// That is over.
    Woken,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<Event>>>);

impl Diary {
    pub(crate) fn write(&self, event: Event) {
        self.0.lock().expect("no panic").push(event);
    }

    pub(crate) fn read(&self) -> Vec<Event> {
        self.0.lock().expect("no panic").clone()
    }

    pub(crate) fn begun(&self) -> Vec<u32> {
        let begun = |event| if let Begun(id) = event { Some(id) } else { None };
        self.read().into_iter().filter_map(begun).collect()
    }

    async fn answer(self, word: Word) {
        sleep(Duration::from_secs(word.seconds)).await;
        self.write(Done(word.id));
    }

    fn at_once(&self, word: &Word) {
        self.write(Begun(word.id));
        self.write(Done(word.id));
    }

    pub(crate) fn later(&self, word: Word) -> impl std::future::Future<Output = ()> + 'static {
        self.write(Begun(word.id));
        self.clone().answer(word)
    }
}

/// A way of answering.
pub(crate) trait Way: Unpin + Sized + 'static {
    type Answer: MessageResponse<Toad<Self>, Heard<Word>>;

    fn answer(diary: &Diary, word: Word, ctx: &mut Context<Toad<Self>>) -> Self::Answer;
}

/// A leaf that answers every [`Word`] in one way, the other messages each in its own.
pub(crate) struct Toad<W> {
    pub(crate) diary: Diary,
    way: PhantomData<fn() -> W>,
}

impl<W: Way> Toad<W> {
    pub(crate) fn new(diary: &Diary) -> Self {
        Self { diary: diary.clone(), way: PhantomData }
    }
}

impl<W: Way> Actor for Toad<W> {
    type Context = Context<Self>;
}

impl<W: Way> Supervised for Toad<W> {}

impl<W: Way> Leaf for Toad<W> {
    type Interface = Talk;
}

impl<W: Way> Handler<Heard<Word>> for Toad<W> {
    type Result = W::Answer;

    fn handle(&mut self, heard: Heard<Word>, ctx: &mut Context<Self>) -> W::Answer {
        W::answer(&self.diary, heard.into_inner(), ctx)
    }
}

impl<W: Way> Handler<Heard<Wait>> for Toad<W> {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, heard: Heard<Wait>, _: &mut Context<Self>) -> Self::Result {
        Box::pin(self.diary.later(heard.into_inner().0))
    }
}

impl<W: Way> Handler<Heard<Act>> for Toad<W> {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, heard: Heard<Act>, _: &mut Context<Self>) -> Self::Result {
        Box::pin(wrap_future(self.diary.later(heard.into_inner().0)))
    }
}

impl<W: Way> Handler<Heard<Atom>> for Toad<W> {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, heard: Heard<Atom>, _: &mut Context<Self>) -> Self::Result {
        AtomicResponse::new(Box::pin(wrap_future(self.diary.later(heard.into_inner().0))))
    }
}

/// The context waits, though the answer is there at once.
impl<W: Way> Handler<Heard<Block>> for Toad<W> {
    type Result = ();

    fn handle(&mut self, heard: Heard<Block>, ctx: &mut Context<Self>) {
        ctx.wait(wrap_future(self.diary.later(heard.into_inner().0)));
    }
}

pub(crate) struct Unit;

impl Way for Unit {
    type Answer = ();

    fn answer(diary: &Diary, word: Word, _: &mut Context<Toad<Self>>) {
        diary.at_once(&word);
    }
}

pub(crate) struct Result;

impl Way for Result {
    type Answer = MessageResult<Heard<Word>>;

    fn answer(diary: &Diary, word: Word, _: &mut Context<Toad<Self>>) -> Self::Answer {
        diary.at_once(&word);
        MessageResult(())
    }
}

pub(crate) struct Future;

impl Way for Future {
    type Answer = ResponseFuture<()>;

    fn answer(diary: &Diary, word: Word, _: &mut Context<Toad<Self>>) -> Self::Answer {
        Box::pin(diary.later(word))
    }
}

pub(crate) struct ActFuture;

impl Way for ActFuture {
    type Answer = ResponseActFuture<Toad<Self>, ()>;

    fn answer(diary: &Diary, word: Word, _: &mut Context<Toad<Self>>) -> Self::Answer {
        Box::pin(wrap_future(diary.later(word)))
    }
}

pub(crate) struct Atomic;

impl Way for Atomic {
    type Answer = AtomicResponse<Toad<Self>, ()>;

    fn answer(diary: &Diary, word: Word, _: &mut Context<Toad<Self>>) -> Self::Answer {
        AtomicResponse::new(Box::pin(wrap_future(diary.later(word))))
    }
}

/// Stops at word 2.
pub(crate) struct Quitter;

impl Way for Quitter {
    type Answer = ();

    fn answer(diary: &Diary, word: Word, ctx: &mut Context<Toad<Self>>) {
        diary.at_once(&word);
        if word.id == 2 {
            ctx.stop();
        }
    }
}

/// Has itself nap at word 1, through its mailbox.
pub(crate) struct Sleepy;

impl Way for Sleepy {
    type Answer = ();

    fn answer(diary: &Diary, word: Word, ctx: &mut Context<Toad<Self>>) {
        diary.at_once(&word);
        if word.id == 1 {
            ctx.address().do_send(Local(Nap));
        }
    }
}

/// Have the context wait for a second.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Nap;

impl<W: Way> Handler<Local<Nap>> for Toad<W> {
    type Result = ();

    fn handle(&mut self, _: Local<Nap>, ctx: &mut Context<Self>) {
        self.diary.write(Napped);
        let diary = self.diary.clone();
        ctx.wait(wrap_future(async move {
            sleep(Duration::from_secs(1)).await;
            diary.write(Woken);
        }));
    }
}

/// How many shouts has the leaf begun to answer?
#[derive(Message)]
#[rtype(result = "usize")]
pub(crate) struct Count;

impl<W: Way> Handler<Local<Count>> for Toad<W> {
    type Result = usize;

    fn handle(&mut self, _: Local<Count>, _: &mut Context<Self>) -> usize {
        self.diary.begun().len()
    }
}

/// A client of a hub, with a toad.
pub(crate) struct Pond<W: Way> {
    pub(crate) toad: Handle<Toad<W>>,
    pub(crate) diary: Diary,
    pub(crate) client: Client,
}

impl<W: Way> Pond<W> {
    pub(crate) async fn new() -> Self {
        let hub = Hub::builder().start().expect("a hub starts");
        Self::on(&hub).await
    }

    pub(crate) async fn on(hub: &Hub) -> Self {
        let client = Client::connect(hub.local()).await.expect("the hub is here");
        let diary = Diary::default();
        let made = diary.clone();
        client.implement::<Toad<W>>(move |_: Voice<Talk>| Toad::new(&made));
        let toad = client.open::<Toad<W>>("toad", ()).await.expect("is let in");
        Self { toad, diary, client }
    }

    /// Shouts words that take the seconds given, one after the other and all at once.
    pub(crate) fn shout(&self, seconds: &[u64]) {
        for (id, &seconds) in (1..).zip(seconds) {
            let _receipted = self.toad.try_send(Shout(Word { id, seconds })).expect("has room");
        }
    }
}

/// What happens when each word is answered before the next is heard.
pub(crate) fn one_by_one(words: impl IntoIterator<Item = u32>) -> Vec<Event> {
    words.into_iter().flat_map(|id| [Begun(id), Done(id)]).collect()
}

/// Longer than all that is under way takes.
pub(crate) async fn settle() {
    sleep(Duration::from_hours(1)).await;
}
