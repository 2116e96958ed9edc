//! What a hub keeps, and that it lets go of it: seen from within.

#[cfg(feature = "testing")]
mod kept;

use std::time::Duration;

use actix::{Context, Handler, Message};
use bytes::Bytes;
use tokio::{io::AsyncWriteExt, task::LocalSet, time::sleep};

use super::{Hub, directory::Find, repeater::Repeater};
use crate::{
    limits::GRACE,
    object::{Codec, InterfaceId, Kind, ObjectId, Op},
    transport::{Connector, Duplex},
    wire::{self, Create, Hello, Join, Part, StateIs, Target, encode, encode_shout},
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

#[cfg(feature = "testing")]
#[derive(Message)]
#[rtype(result = "usize")]
struct Strays;

#[cfg(feature = "testing")]
impl Handler<Strays> for Repeater {
    type Result = usize;

    fn handle(&mut self, _: Strays, _: &mut Context<Self>) -> usize {
        self.strays()
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
        here: false,
        interface: InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 },
        codec: Codec::POSTCARD,
        state: StateIs::Absent,
        presence: false,
        handover: false,
        asks: Vec::new(),
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
        name: String::new(),
        info: Vec::new(),
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
fn a_session_is_remembered_until_its_grace_time_is_over_and_no_longer() {
    in_hub(async |hub| {
        let shout = encode_shout(KERMIT, Op(1), Kind(1), Vec::new(), b"");
        let part = encode(&Part { request: 2, object: KERMIT });
        let parted = client(&hub, &[create(), shout, part]).await;
        let repeater = repeater(&hub).await;
        // It may come back, and its first op is used up.
        assert_eq!(repeater.send(Marks).await, Ok(1));
        drop(parted);
        sleep(GRACE / 2).await;
        assert_eq!(repeater.send(Marks).await, Ok(1));
        sleep(GRACE).await;
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

#[cfg(feature = "testing")]
#[test]
fn who_parts_instead_of_joining_again_after_a_panic_is_not_remembered() {
    in_hub(async |hub| {
        let mut marvin = client(&hub, &[create()]).await;
        let repeater = repeater(&hub).await;
        repeater.do_send(super::sabotage::Trouble::Handler);
        settle().await;
        assert_eq!(repeater.send(Strays).await, Ok(1));
        let part = encode(&Part { request: 2, object: KERMIT });
        marvin.writer.write_all(&part).await.expect("is connected");
        settle().await;
        drop(marvin);
        sleep(2 * GRACE).await;
        assert_eq!(repeater.send(Strays).await, Ok(0));
    });
}

#[cfg(feature = "testing")]
#[test]
fn a_repeater_is_let_go_of_by_who_shouted_before_a_panic_was_known_and_has_parted() {
    in_hub(async |hub| {
        let mut marvin = client(&hub, &[create()]).await;
        let found = repeater(&hub).await;
        found.do_send(super::sabotage::Trouble::Handler);
        settle().await;
        let shout = encode_shout(KERMIT, Op(1), Kind(1), Vec::new(), b"");
        let again = encode(&Join {
            request: 2,
            target: Target::Object(KERMIT),
            interface: InterfaceId { tag: "pond.frog".parse().expect("a tag"), version: 1 },
            cursor: None,
            answers: Vec::new(),
        });
        let part = encode(&Part { request: 3, object: KERMIT });
        for frame in [shout, again, part] {
            marvin.writer.write_all(&frame).await.expect("is connected");
            settle().await;
        }
        let gone = found.downgrade();
        drop(found);
        for _ in 0..22 {
            sleep(crate::limits::SWEEP_INTERVAL / 3).await;
            marvin.writer.write_all(wire::Frame::HEARTBEAT).await.expect("is connected");
        }
        assert!(gone.upgrade().is_none(), "the repeater of an object that was dropped lives on");
    });
}
