//! The hub's sessions against clients that keep to no rule, in raw frames.
//!
//! Every case has its defined answer, and beside every case Amy, who keeps to all of them, goes on
//! as if nothing were.

mod admission;
mod awaited;
mod destroying;
mod endings;
mod grades;
mod handshake;
mod judged;
mod lingering;
mod links;
mod listing;
mod pending;
mod pieces;
#[cfg(feature = "testing")]
mod poison;
mod presence;
mod raw;
mod requests;
mod resuming;
mod shouts;
mod slow;
mod snapshots;
mod volatile;

use std::time::Duration;

use actix_multiplex::{
    Hub, HubBuilder, InterfaceId, Name, ObjectId, Seq,
    wire::{CloseCode, Fault, Frame, FrameType},
};
use tokio::{task::LocalSet, time::Instant};

use self::raw::{Raw, Said, batch_ops, create, interface, shout};

/// A hub with Amy in it, who shouts at an object of her own.
struct Pond {
    hub: Hub,
    amy: Raw,
    /// How often Amy has shouted.
    croaks: u64,
}

const AMYS: ObjectId = ObjectId([0xa; 16]);
const KERMIT: ObjectId = ObjectId([1; 16]);
const ROWLF: ObjectId = ObjectId([2; 16]);

impl Pond {
    async fn new(builder: HubBuilder) -> Self {
        let hub = builder.seed(1).start().expect("starts here");
        let mut amy = Raw::welcomed(&hub, "amy").await;
        amy.say(&create(AMYS, Some("amys"))).await;
        assert_eq!(amy.hear().await.frame_type(), FrameType::Joined);
        Self { hub, amy, croaks: 0 }
    }

    /// One that has not said hello.
    async fn stranger(&self) -> Raw {
        Raw::dial(&self.hub).await
    }

    /// One that the hub has welcomed.
    async fn marvin(&self) -> Raw {
        Raw::welcomed(&self.hub, "marvin").await
    }

    /// One that has made kermit, of that name.
    async fn marvin_with_kermit(&self) -> Raw {
        let mut marvin = self.marvin().await;
        marvin.say(&create(KERMIT, Some("kermit"))).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        marvin
    }

    /// Amy notices nothing of what the others do.
    async fn amy_goes_on(&mut self) {
        self.croaks += 1;
        let start = Instant::now();
        self.amy.say(&shout(AMYS, self.croaks)).await;
        let batch = self.amy.batch().await;
        assert_eq!(batch.first_seq, Seq(self.croaks));
        assert_eq!(batch_ops(&batch), [self.croaks]);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}

/// Runs one case under paused time, on one thread.
fn in_pond(case: impl AsyncFnOnce(&mut Pond)) {
    in_pond_of(Hub::builder(), case);
}

fn in_pond_of(builder: HubBuilder, case: impl AsyncFnOnce(&mut Pond)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let mut pond = Pond::new(builder).await;
        case(&mut pond).await;
        pond.amy_goes_on().await;
        let start = Instant::now();
        drop(pond.amy);
        pond.hub.stop().await;
        assert_eq!(start.elapsed(), Duration::ZERO, "nothing holds the hub up");
    });
}

/// It is told this, as its own fault, and its stream ends.
async fn at_fault(mut raw: Raw, code: CloseCode) {
    let goodbye = raw.goodbye().await;
    assert_eq!((goodbye.code, goodbye.fault), (code, Fault::Receiver), "{}", goodbye.reason);
}

/// Everything that is under way comes to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// An interface that nothing here has.
fn toad() -> InterfaceId {
    InterfaceId { tag: "pond.toad".parse().expect("a tag"), version: 1 }
}

fn newer() -> InterfaceId {
    InterfaceId { version: 2, ..interface() }
}
