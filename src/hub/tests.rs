//! What a hub keeps, and that it lets go of it: seen from within.

use std::time::Duration;

use actix::{Context, Handler, Message};
use bytes::Bytes;
use tokio::{io::AsyncWriteExt, task::LocalSet, time::sleep};

use super::{Hub, directory::Find, repeater::Repeater};
use crate::{
    object::{Codec, InterfaceId, Kind, ObjectId, Op},
    transport::{Connector, Duplex},
    wire::{Create, Hello, Part, Target, encode, encode_shout},
};

const KERMIT: ObjectId = ObjectId([1; 16]);

#[derive(Message)]
#[rtype(result = "usize")]
struct Marks;

impl Handler<Marks> for Repeater {
    type Result = usize;

    fn handle(&mut self, _: Marks, _: &mut Context<Self>) -> usize {
        self.marks()
    }
}

fn in_hub(test: impl AsyncFnOnce(Hub)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        test(Hub::builder().seed(1).start().expect("starts here")).await;
    });
}

async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

fn create() -> Bytes {
    encode(&Create {
        request: 1,
        object: KERMIT,
        name: None,
        or_join: false,
        interface: InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 },
        codec: Codec::POSTCARD,
        stateful: false,
        answers: Vec::new(),
        carried: Vec::new(),
    })
}

/// A client that says all this.
async fn client(hub: &Hub, frames: &[Bytes]) -> Duplex {
    let mut duplex = hub.local().connect().await.expect("the hub listens");
    let hello = encode(&Hello {
        magic: Hello::MAGIC,
        version_min: 1,
        version_max: 1,
        agent: String::new(),
        credentials: Vec::new(),
        resume: None,
        extras: Vec::new(),
    });
    duplex.writer.write_all(&hello).await.expect("is connected");
    settle().await;
    duplex.writer.write_all(&frames.concat()).await.expect("is connected");
    settle().await;
    duplex
}

async fn repeater(hub: &Hub) -> actix::Addr<Repeater> {
    let found = Find::ask(&hub.env.directory, Target::Object(KERMIT), None).await;
    found.expect("is there").repeater
}

#[test]
fn a_session_is_remembered_until_it_ends_and_no_longer() {
    in_hub(async |hub| {
        let shout = encode_shout(KERMIT, Op(1), Kind(1), Vec::new(), b"");
        let part = encode(&Part { request: 2, object: KERMIT });
        let parted = client(&hub, &[create(), shout, part]).await;
        let repeater = repeater(&hub).await;
        // It may come back, and its first op is used up.
        assert_eq!(repeater.send(Marks).await, Ok(1));
        drop(parted);
        settle().await;
        assert_eq!(repeater.send(Marks).await, Ok(0));
    });
}

#[test]
fn a_hub_that_has_stopped_is_gone_with_all_its_actors() {
    in_hub(async |hub| {
        drop(client(&hub, &[create()]).await);
        let repeater = repeater(&hub).await.downgrade();
        let directory = hub.env.directory.downgrade();
        hub.stop().await;
        assert!(directory.upgrade().is_some() && repeater.upgrade().is_some());
        drop(hub);
        settle().await;
        assert!(directory.upgrade().is_none(), "the directory lives on");
        assert!(repeater.upgrade().is_none(), "a repeater lives on");
    });
}
