//! Frogs that write down what they hear, and who they are told is there.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{Client, Handle, Hub, Leaf, Member, Seq, Voice, interface};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// Croak, and take so many seconds to answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Croak {
    seconds: u64,
    noise: Vec<u8>,
}

interface! {
    /// A frog that sees who is there.
    pub(super) Frog = "presence.frog" v1 { state none; presence; 1 => Croak }
}

interface! {
    /// The same, and it does not want to know.
    pub(super) Plain = "presence.frog" v1 { state none; 1 => Croak }
}

pub(super) fn croak(seconds: u64) -> Croak {
    Croak { seconds, noise: Vec::new() }
}

/// As large as a croak may be, about.
pub(super) fn loud() -> Croak {
    Croak { seconds: 0, noise: vec![7; 60_000] }
}

/// What a leaf is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Heard(u64),
    Joined(String),
    Away(String),
    Back(String),
    Parted(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Diary(Arc<Mutex<Vec<Event>>>);

impl Diary {
    pub(super) fn read(&self) -> Vec<Event> {
        self.0.lock().expect("nobody panics").clone()
    }

    fn write(&self, event: Event) {
        self.0.lock().expect("nobody panics").push(event);
    }

    fn write_of(&self, event: impl Fn(String) -> Event, member: &Member) {
        self.write(event(member.name().to_owned()));
    }
}

pub(super) struct TextFrog(Diary);

impl TextFrog {
    /// Says how they are made, and where they write.
    pub(super) fn at(client: &Client) -> Diary {
        let diary = Diary::default();
        let diaries = diary.clone();
        client.implement::<Self>(move |_: Voice<Frog>| Self(diaries.clone()));
        diary
    }
}

impl Actor for TextFrog {
    type Context = Context<Self>;
}

impl Supervised for TextFrog {}

impl Leaf for TextFrog {
    type Interface = Frog;

    fn joined(&mut self, member: &Member, _: &mut Context<Self>) {
        self.0.write_of(Event::Joined, member);
    }

    fn away(&mut self, member: &Member, _: &mut Context<Self>) {
        self.0.write_of(Event::Away, member);
    }

    fn back(&mut self, member: &Member, _: &mut Context<Self>) {
        self.0.write_of(Event::Back, member);
    }

    fn parted(&mut self, member: &Member, _: &mut Context<Self>) {
        self.0.write_of(Event::Parted, member);
    }
}

impl Handler<actix_multiplex::Heard<Croak>> for TextFrog {
    type Result = ResponseFuture<()>;

    fn handle(
        &mut self,
        croak: actix_multiplex::Heard<Croak>,
        _: &mut Context<Self>,
    ) -> Self::Result {
        let Seq(seq) = croak.seq();
        self.0.write(Event::Heard(seq));
        let seconds = croak.seconds;
        Box::pin(sleep(Duration::from_secs(seconds)))
    }
}

/// One that is told of nobody.
pub(super) struct PlainFrog;

impl PlainFrog {
    pub(super) fn at(client: &Client) {
        client.implement::<Self>(|_: Voice<Plain>| Self);
    }
}

impl Actor for PlainFrog {
    type Context = Context<Self>;
}

impl Supervised for PlainFrog {}

impl Leaf for PlainFrog {
    type Interface = Plain;
}

impl Handler<actix_multiplex::Heard<Croak>> for PlainFrog {
    type Result = ();

    fn handle(&mut self, _: actix_multiplex::Heard<Croak>, _: &mut Context<Self>) {}
}

/// A hub in which frogs sit.
pub(super) struct Pond {
    pub(super) hub: Hub,
}

/// One who has a leaf of kermit.
pub(super) struct Sitting {
    pub(super) client: Client,
    pub(super) frog: Handle<TextFrog>,
    diary: Diary,
}

impl Sitting {
    pub(super) fn diary(&self) -> Vec<Event> {
        self.diary.read()
    }
}

impl Pond {
    pub(super) fn new() -> Self {
        Self { hub: Hub::builder().seed(1).start().expect("starts here") }
    }

    pub(super) async fn client(&self, name: &str) -> Client {
        let seed = name.bytes().fold(0, |seed, byte| seed * 31 + u64::from(byte));
        let builder = Client::builder().seed(seed).name(name).info(format!("info of {name}"));
        builder.connect(self.hub.local()).await.expect("is let in")
    }

    /// One with a leaf of kermit, who is there already or is made.
    pub(super) async fn sits(&self, name: &str) -> Sitting {
        let client = self.client(name).await;
        let diary = TextFrog::at(&client);
        let frog = client.open::<TextFrog>("kermit", ()).await.expect("is let in");
        Sitting { client, frog, diary }
    }
}

/// Everything that is under way comes to rest.
pub(super) async fn settle() {
    sleep(Duration::from_millis(1)).await;
}
