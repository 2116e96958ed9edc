//! States larger than a frame, between clients: nobody who uses them notices.

use actix::{Actor, Context, Handler, Message, MessageResponse};
use actix_multiplex::{
    Client, Handle, Heard, Hub, Leaf, Local, ObjectRef, Shout, Stateful, interface,
    limits::{STATE_BYTES_MAX, TAIL_BYTES_MAX},
};
use serde::{Deserialize, Serialize};

use super::pond::{client, hub, paused, settle, soon};

/// A page, of any size.
#[derive(Debug, Serialize, Deserialize)]
struct Page(u64, Vec<u8>);

/// An album beside this one.
#[derive(Debug, Serialize, Deserialize)]
struct Lay(ObjectRef<Album>);

interface! {
    /// Pages behind a large cover.
    Album = "sim.album" v1 { state Shelf; 1 => Page, 2 => Lay }
}

/// A cover, how many pages there are, and what they add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, MessageResponse)]
struct Shelf {
    cover: Vec<u8>,
    pages: u64,
    sum: u64,
}

#[derive(Default)]
struct Reader {
    shelf: Shelf,
    beside: Option<ObjectRef<Album>>,
}

impl Actor for Reader {
    type Context = Context<Self>;
}
impl actix::Supervised for Reader {}
impl Leaf for Reader {
    type Interface = Album;
}
impl Stateful<Shelf> for Reader {
    fn restore(&mut self, state: Shelf, _: &mut Context<Self>) {
        self.shelf = state;
    }

    fn state(&self) -> Option<Shelf> {
        Some(self.shelf.clone())
    }
}
impl Handler<Heard<Page>> for Reader {
    type Result = ();

    fn handle(&mut self, page: Heard<Page>, _: &mut Context<Self>) {
        self.shelf.pages += 1;
        self.shelf.sum = self.shelf.sum.rotate_left(5) ^ page.0;
    }
}

impl Handler<Heard<Lay>> for Reader {
    type Result = ();

    fn handle(&mut self, lay: Heard<Lay>, _: &mut Context<Self>) {
        self.beside = Some(lay.0.clone());
    }
}

#[derive(Message)]
#[rtype(result = "Shelf")]
struct Show;

#[derive(Message)]
#[rtype(result = "Option<ObjectRef<Album>>")]
struct Beside;

impl Handler<Local<Beside>> for Reader {
    type Result = Option<ObjectRef<Album>>;

    fn handle(&mut self, _: Local<Beside>, _: &mut Context<Self>) -> Self::Result {
        self.beside.clone()
    }
}

impl Handler<Local<Show>> for Reader {
    type Result = Shelf;

    fn handle(&mut self, _: Local<Show>, _: &mut Context<Self>) -> Shelf {
        self.shelf.clone()
    }
}

fn shelf() -> Shelf {
    let cover = (0..STATE_BYTES_MAX - 100).map(|at| (at / 300) as u8).collect();
    Shelf { cover, ..Shelf::default() }
}

async fn reader(hub: &Hub, seed: u64) -> Client {
    let client = client(hub.local(), seed).await;
    client.implement(|_| Reader::default());
    client
}

async fn shown(leaf: &Handle<Reader>) -> Shelf {
    soon(leaf.send(Local(Show))).await.unwrap()
}

#[test]
fn g4_an_object_of_a_megabyte_is_made_joined_and_told_of_anew_as_any_other() {
    paused(async {
        let hub = hub();
        let alec = reader(&hub, 1).await;
        let alecs = soon(alec.create::<Reader>(Some("album"), shelf())).await.unwrap();
        let amy = reader(&hub, 2).await;
        let amys = soon(amy.join::<Reader>("album")).await.unwrap();
        assert!(shown(&amys).await == shelf());
        // Past a tail: without a newer state, which comes in pieces, shouts would be refused.
        for n in 0..3 * (TAIL_BYTES_MAX / 60_000) as u64 {
            soon(alecs.send(Shout(Page(n, vec![0; 60_000])))).await.unwrap();
        }
        let angus = reader(&hub, 3).await;
        let late = soon(angus.join::<Reader>("album")).await.unwrap();
        settle().await;
        let all = shown(&alecs).await;
        assert_eq!(all.pages, 3 * (TAIL_BYTES_MAX / 60_000) as u64);
        assert!(shown(&amys).await == all && shown(&late).await == all);
    });
}

#[test]
fn g3_an_object_of_a_megabyte_springs_into_being_when_it_is_carried() {
    paused(async {
        let hub = hub();
        let (alec, amy) = (reader(&hub, 1).await, reader(&hub, 2).await);
        let alecs = soon(alec.create::<Reader>(Some("album"), Shelf::default())).await.unwrap();
        let amys = soon(amy.join::<Reader>("album")).await.unwrap();
        let beside = soon(alec.create::<Reader>(None, shelf())).await.unwrap();
        let carried = soon(beside.carry()).await.unwrap();
        soon(alecs.send(Shout(Lay(carried)))).await.unwrap();
        soon(beside.send(Shout(Page(1, Vec::new())))).await.unwrap();
        settle().await;
        let heard = soon(amys.send(Local(Beside))).await.unwrap().unwrap();
        let theirs = soon(amy.bind::<Reader>(&heard)).await.unwrap();
        settle().await;
        assert!(shown(&theirs).await == shown(&beside).await);
        assert_eq!(shown(&theirs).await.pages, 1);
    });
}
