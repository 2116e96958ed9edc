//! What these tests speak of: napkins with blots on them, and leaves that write down what they are
//! given.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use actix::prelude::*;
use actix_multiplex::{
    BindError, Client, Handle, Heard, Hub, Leaf, Local, ObjectId, ObjectRef, Stateful, Voice,
    interface,
};
use serde::{Deserialize, Serialize};

/// Draw a blot, of which the shouter has heard so much.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Draw {
    pub(super) blot: ObjectRef<Blot>,
    pub(super) heard: u64,
}

/// Something without objects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Fold;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rotate(pub(super) i64);

/// Where a blot is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lie(pub(super) ObjectRef<Napkin>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Drawing(pub(super) Vec<ObjectRef<Blot>>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ink {
    pub(super) angle: i64,
    pub(super) heard: u64,
    pub(super) on: Vec<ObjectRef<Napkin>>,
}

interface! {
    /// What blots are drawn on.
    pub(super) Napkin = "napkin" v1 {
        state Drawing;
        1 => Draw,
        2 => Fold,
    }
}

interface! {
    /// A blot of ink.
    pub(super) Blot = "napkin.blot" v1 {
        state Ink;
        1 => Rotate,
        2 => Lie,
    }
}

/// What the leaves of one client were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Table(Arc<Mutex<Laid>>);

#[derive(Debug, Default)]
pub(super) struct Laid {
    /// The blots as their leaves have them.
    pub(super) blots: BTreeMap<ObjectId, Ink>,
    /// What became of binding what was drawn, in the handler that heard it: the blot as it was.
    pub(super) drawn: Vec<Result<Ink, BindError>>,
    /// The same in `restore`, where blots are made and perhaps not restored.
    pub(super) restored: Vec<Result<ObjectId, BindError>>,
    pub(super) folds: usize,
    pub(super) references: Vec<ObjectRef<Blot>>,
}

impl Table {
    pub(super) fn see<T>(&self, look: impl FnOnce(&mut Laid) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }
}

/// Keeps what is drawn on it, if it is told to.
pub(super) struct Sheet {
    pub(super) me: Voice<Napkin>,
    pub(super) table: Table,
    pub(super) keeps: bool,
    pub(super) drawing: Drawing,
    pub(super) blots: Vec<Handle<Spot>>,
}

pub(super) struct Spot {
    pub(super) me: Voice<Blot>,
    pub(super) table: Table,
    pub(super) ink: Ink,
}

impl Actor for Sheet {
    type Context = Context<Self>;
}

impl Supervised for Sheet {}

impl Leaf for Sheet {
    type Interface = Napkin;
}

impl Stateful<Drawing> for Sheet {
    fn state(&self) -> Option<Drawing> {
        Some(self.drawing.clone())
    }

    fn restore(&mut self, drawing: Drawing, _: &mut Context<Self>) {
        for blot in &drawing.0 {
            let bound = self.client().bind::<Spot>(blot).now();
            let object = bound.as_ref().map(Handle::object).map_err(Clone::clone);
            self.table.see(|laid| laid.restored.push(object));
            self.blots.extend(bound.ok().filter(|_| self.keeps));
        }
        self.drawing = drawing;
    }
}

impl Sheet {
    fn client(&self) -> Client {
        self.me.client().expect("the client is there")
    }
}

impl Handler<Heard<Draw>> for Sheet {
    type Result = ();

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) {
        let bound = self.client().bind::<Spot>(&draw.blot).now();
        self.table.see(|laid| {
            laid.references.push(draw.blot.clone());
            laid.drawn.push(match &bound {
                Ok(blot) => {
                    let ink = laid.blots.get(&blot.object()).expect("is restored").clone();
                    assert!(ink.heard >= draw.heard, "{} of {}", ink.heard, draw.heard);
                    Ok(ink)
                }
                Err(error) => Err(error.clone()),
            });
        });
        self.blots.extend(bound.ok().filter(|_| self.keeps));
        self.drawing.0.push(draw.blot.clone());
    }
}

impl Handler<Heard<Fold>> for Sheet {
    type Result = ();

    fn handle(&mut self, _: Heard<Fold>, _: &mut Context<Self>) {
        self.table.see(|laid| laid.folds += 1);
    }
}

impl Actor for Spot {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.table.see(|laid| laid.blots.remove(&self.me.object()));
    }
}

impl Supervised for Spot {}

impl Leaf for Spot {
    type Interface = Blot;
}

impl Spot {
    fn lay(&self) {
        self.table.see(|laid| laid.blots.insert(self.me.object(), self.ink.clone()));
    }
}

impl Stateful<Ink> for Spot {
    fn state(&self) -> Option<Ink> {
        Some(self.ink.clone())
    }

    fn restore(&mut self, ink: Ink, _: &mut Context<Self>) {
        self.ink = ink;
        self.lay();
    }
}

impl Handler<Heard<Rotate>> for Spot {
    type Result = ();

    fn handle(&mut self, rotate: Heard<Rotate>, _: &mut Context<Self>) {
        self.ink.angle += rotate.0;
        self.ink.heard = rotate.seq().0;
        self.lay();
    }
}

impl Handler<Heard<Lie>> for Spot {
    type Result = ();

    fn handle(&mut self, lie: Heard<Lie>, _: &mut Context<Self>) {
        self.ink.heard = lie.seq().0;
        self.ink.on.push(lie.0.clone());
        self.lay();
    }
}

/// Gives a reference to itself, with the state that it has.
#[derive(Message)]
#[rtype(result = "ObjectRef<Blot>")]
pub(super) struct CarryYourself;

impl Handler<Local<CarryYourself>> for Spot {
    type Result = MessageResult<Local<CarryYourself>>;

    fn handle(&mut self, _: Local<CarryYourself>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.me.carry(self.state()).expect("is small"))
    }
}

/// Changes the ink without anybody hearing it.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Spill(pub(super) i64);

impl Handler<Local<Spill>> for Spot {
    type Result = ();

    fn handle(&mut self, spill: Local<Spill>, _: &mut Context<Self>) {
        self.ink.angle += spill.0.0;
        self.lay();
    }
}

/// A client that knows napkins and blots.
pub(super) async fn guest(hub: &Hub, seed: u64, keeps: bool) -> (Client, Table) {
    let client = stranger(hub, seed, keeps).await;
    let table = client.1.clone();
    blots(&client.0, &table);
    client
}

/// A client that knows napkins alone.
pub(super) async fn stranger(hub: &Hub, seed: u64, keeps: bool) -> (Client, Table) {
    let client = Client::builder().seed(seed).connect(hub.local()).await.unwrap();
    let table = Table::default();
    sheets(&client, &table, keeps);
    (client, table)
}

/// From now on the client knows napkins.
pub(super) fn sheets(client: &Client, table: &Table, keeps: bool) {
    let at = table.clone();
    client.implement::<Sheet>(move |me| {
        let (table, drawing, blots) = (at.clone(), Drawing::default(), Vec::new());
        Sheet { me, table, keeps, drawing, blots }
    });
}

/// From now on the client knows blots.
pub(super) fn blots(client: &Client, table: &Table) {
    let at = table.clone();
    client.implement::<Spot>(move |me| Spot { me, table: at.clone(), ink: Ink::default() });
}
