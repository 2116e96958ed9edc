//! What everybody at the pond has in common: the interface of a frog, and the frog as text.

use std::{fmt::Display, process, sync::Arc};

use actix::prelude::*;
use actix_multiplex::{Client, Handle, Heard, Leaf, Local, interface};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::lines::say;

/// Croak.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "()")]
pub struct Croak;

/// Hop so far.
#[derive(Message, Serialize, Deserialize)]
#[rtype(result = "()")]
pub struct Hop {
    pub metres: u32,
}

/// The last word: whoever says it leaves when it is heard, or everybody does.
#[derive(Serialize, Deserialize)]
pub struct Goodnight {
    pub everybody: bool,
}

interface! {
    /// A frog, wherever it sits. This is all that two programs have to agree on.
    pub Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
        2 => Hop,
        3 => Goodnight,
    }
}

/// Somebody at a pond: a client, and its own leaf of the frog that all share.
pub struct Guest<A: Leaf> {
    pub client: Client,
    pub frog: Handle<A>,
    pub diary: Diary,
}

impl<A: Leaf<Interface = Frog>> Guest<A> {
    /// Joins the frog of that name; the first who comes makes it. `leaf` names the class.
    pub async fn come(
        who: &str,
        pond: &str,
        name: &str,
        leaf: impl Fn(Diary) -> A + Send + Sync + 'static,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let diary = Diary::of(who);
        let client = Client::connect(pond).await?;
        client.implement::<A>({
            let diary = diary.clone();
            move |_voice| leaf(diary.clone())
        });
        let frog = client.open::<A>(name, ()).await?;
        diary.write(format_args!("joined {name}"));
        Ok(Self { client, frog, diary })
    }
}

/// Where a leaf writes down what happens to it.
#[derive(Clone)]
pub struct Diary {
    who: String,
    closed: Arc<Notify>,
}

impl Diary {
    /// An empty diary.
    pub fn of(who: &str) -> Self {
        Self { who: who.to_owned(), closed: Arc::default() }
    }

    /// Something was shouted; all leaves write it down with the same number.
    pub fn heard<M>(&self, shout: &Heard<M>, what: impl Display) {
        self.write(format_args!("heard {} {what}", shout.seq()));
    }

    /// Something was said to this leaf alone.
    pub fn local(&self, what: impl Display) {
        self.write(format_args!("local {what}"));
    }

    /// This was the last entry.
    pub fn close(&self) {
        self.closed.notify_one();
    }

    /// Waits for the last entry.
    pub async fn closed(&self) {
        self.closed.notified().await;
    }

    fn write(&self, what: impl Display) {
        say(format_args!("{} pid={} {what}", self.who, process::id()));
    }
}

/// Angus's class: the frog croaks in writing.
pub struct TextFrog {
    pub name: String,
    pub diary: Diary,
}

impl Actor for TextFrog {
    type Context = Context<Self>;
}

impl Supervised for TextFrog {}

impl Leaf for TextFrog {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for TextFrog {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        self.diary.heard(&croak, format_args!("croak - {}: *croak*", self.name));
    }
}

impl Handler<Heard<Hop>> for TextFrog {
    type Result = ();

    fn handle(&mut self, hop: Heard<Hop>, _: &mut Self::Context) {
        let Hop { metres } = *hop;
        self.diary.heard(&hop, format_args!("hop {metres} - {}: *hops {metres} m*", self.name));
    }
}

impl Handler<Heard<Goodnight>> for TextFrog {
    type Result = ();

    fn handle(&mut self, goodnight: Heard<Goodnight>, ctx: &mut Self::Context) {
        self.diary.heard(&goodnight, format_args!("goodnight - {}: *yawn*", self.name));
        if goodnight.everybody || goodnight.is_mine() {
            self.diary.close();
            ctx.stop();
        }
    }
}

impl Handler<Local<Croak>> for TextFrog {
    type Result = ();

    fn handle(&mut self, _: Local<Croak>, _: &mut Self::Context) {
        self.diary.local(format_args!("croak - {}: *croaks to itself*", self.name));
    }
}

impl Handler<Local<Hop>> for TextFrog {
    type Result = ();

    fn handle(&mut self, Local(Hop { metres }): Local<Hop>, _: &mut Self::Context) {
        let name = &self.name;
        self.diary.local(format_args!("hop {metres} - {name}: *hops {metres} m unseen*"));
    }
}
