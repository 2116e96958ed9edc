//! One class for every interface, its handlers written once.

use std::{
    any::type_name,
    marker::PhantomData,
    sync::{Arc, Mutex},
};

use actix::prelude::*;
use actix_multiplex::{
    Client, Dispatch, Heard, Hub, Interface, Leaf, Seq, Shout, ShoutAt, Stateful, Voice, interface,
};
use serde::{Deserialize, Serialize};
use tokio::task::LocalSet;

use super::{Croak, Frog, Hop};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Depth(u32);

interface! {
    /// Shares messages with the frog, in other numbers, and has a state.
    Pond = "pond" v1 {
        state Depth;
        1 => Hop,
        2 => Croak,
    }
}

type Record = Arc<Mutex<Vec<(Seq, &'static str)>>>;

struct Recorder<I>(Record, PhantomData<fn() -> I>);

impl<I: Interface> Actor for Recorder<I> {
    type Context = Context<Self>;
}

impl<I: Interface> Supervised for Recorder<I> {}

impl<I: Interface + Dispatch<Self>> Leaf for Recorder<I> {
    type Interface = I;
}

impl<I: Interface, M: ShoutAt<I>> Handler<Heard<M>> for Recorder<I> {
    type Result = ();

    fn handle(&mut self, heard: Heard<M>, _: &mut Context<Self>) {
        self.0.lock().expect("no panic").push((heard.seq(), type_name::<M>()));
    }
}

impl<I: Interface> Stateful<I::State> for Recorder<I> {
    fn state(&self) -> Option<I::State> {
        None
    }

    fn restore(&mut self, _: I::State, _: &mut Context<Self>) {
        self.0.lock().expect("no panic").push((Seq(0), type_name::<I::State>()));
    }
}

/// Opens an object, says a hop and a croak, and tells what its leaf recorded.
async fn record<I>(state: I::State) -> Vec<(Seq, &'static str)>
where
    I: Interface + Dispatch<Recorder<I>>,
    Croak: ShoutAt<I>,
    Hop: ShoutAt<I>,
{
    let record = Record::default();
    let hub = Hub::builder().start().expect("a hub starts");
    let client = Client::connect(hub.local()).await.expect("the hub is here");
    let made = record.clone();
    client.implement::<Recorder<I>>(move |_: Voice<I>| Recorder(made.clone(), PhantomData));
    let object = client.open::<Recorder<I>>("it", state).await.expect("the name is free");
    object.send(Shout(Hop { metres: 3 })).await.expect("is sequenced");
    object.send(Shout(Croak)).await.expect("is sequenced");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    record.lock().expect("no panic").clone()
}

#[tokio::test(start_paused = true)]
async fn a_class_written_once_is_a_leaf_of_any_interface() {
    LocalSet::new()
        .run_until(async {
            let (hop, croak) = (type_name::<Hop>(), type_name::<Croak>());
            assert_eq!(record::<Frog>(()).await, [(Seq(1), hop), (Seq(2), croak)]);
            let state = (Seq(0), type_name::<Depth>());
            assert_eq!(record::<Pond>(Depth(2)).await, [state, (Seq(1), hop), (Seq(2), croak)]);
        })
        .await;
}
