//! A leaf with much to hear leaves turns to the other tasks of its thread.

use std::time::Duration;

use actix::prelude::*;
use actix_multiplex::{
    Client, DispatchError, Handle, Heard, Hub, Kind, Leaf, Seq, Shout, ShoutAt, interface,
};
use tokio::{
    task::{LocalSet, yield_now},
    time::{Instant, sleep_until},
};

use super::toads::{
    Act, Diary,
    Event::{Begun, Done},
    Pond, Talk, Toad, Unit, Wait, Word, one_by_one,
};

const MANY: u32 = 20_000;
/// The units of work that tokio gives a task in a turn; a shout takes one. Its entries in a diary
/// are two, and the end of the one before may come on top.
const MOST_IN_ONE_TURN: usize = 2 * (128 + 1);

interface! {
    /// The interface as it was when it had one row.
    OldTalk = "pond.talk" v1 {
        state none;
        1 => Word,
    }
}

struct Elder(Diary);

impl Actor for Elder {
    type Context = Context<Self>;
}

impl Supervised for Elder {}

impl Leaf for Elder {
    type Interface = OldTalk;

    fn unheard(&mut self, Seq(seq): Seq, error: DispatchError, _: &mut Context<Self>) {
        assert_eq!(error, DispatchError::UnknownKind(Kind(3)));
        let place = u32::try_from(seq).expect("is small") - 1;
        self.0.write(Begun(place));
        self.0.write(Done(place));
    }
}

impl Handler<Heard<Word>> for Elder {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, heard: Heard<Word>, _: &mut Context<Self>) -> Self::Result {
        Box::pin(self.0.later(heard.into_inner()))
    }
}

fn word(id: u32) -> Word {
    Word { id, seconds: 0 }
}

async fn shout_many<M>(toad: &Handle<Toad<Unit>>, message: fn(Word) -> M)
where
    M: ShoutAt<Talk> + std::fmt::Debug,
{
    for thousand in 0..MANY / 1_000 {
        let shout = |id| Shout(message(word(thousand * 1_000 + id)));
        let receipts = (1..=1_000).map(|id| toad.try_send(shout(id)).expect("has room"));
        for receipted in receipts.collect::<Vec<_>>() {
            receipted.await.expect("is sequenced");
        }
    }
}

/// Waits until a leaf has answered what it was busy with, and all that has come meanwhile.
async fn hears_in_many_turns(diary: &Diary, answered: Instant) {
    assert_eq!(diary.read(), [Begun(0)]);
    sleep_until(answered).await;
    let (mut heard, mut most, mut turns) = (1, 0, 0);
    while heard < 2 + 2 * MANY as usize {
        assert!(turns < 100_000, "{heard} entries after {turns} turns");
        yield_now().await;
        turns += 1;
        let now = diary.read().len();
        most = most.max(now - heard);
        heard = now;
    }
    assert!(most <= MOST_IN_ONE_TURN, "{most} entries in one turn");
    assert_eq!(diary.read(), one_by_one(0..=MANY));
}

#[tokio::test(start_paused = true)]
async fn many_shouts_leave_turns_to_other_tasks_of_the_thread() {
    LocalSet::new()
        .run_until(async {
            let hub = Hub::builder().start().expect("a hub starts");
            let busy = Pond::<Unit>::on(&hub).await;
            let shouter = Pond::<Unit>::on(&hub).await.toad;
            let answered = Instant::now() + Duration::from_mins(1);
            drop(shouter.try_send(Shout(Wait(Word { id: 0, seconds: 60 }))).expect("has room"));
            shout_many(&shouter, |word| word).await;
            hears_in_many_turns(&busy.diary, answered).await;
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn many_shouts_that_an_older_leaf_cannot_hear_leave_turns_too() {
    LocalSet::new()
        .run_until(async {
            let hub = Hub::builder().start().expect("a hub starts");
            let shouter = Pond::<Unit>::on(&hub).await.toad;
            let client = Client::connect(hub.local()).await.expect("the hub is here");
            let diary = Diary::default();
            let made = diary.clone();
            client.implement::<Elder>(move |_| Elder(made.clone()));
            let _elder = client.join::<Elder>("toad").await.expect("is let in");
            let answered = Instant::now() + Duration::from_mins(1);
            drop(shouter.try_send(Shout(Word { id: 0, seconds: 60 })).expect("has room"));
            shout_many(&shouter, Act).await;
            hears_in_many_turns(&diary, answered).await;
        })
        .await;
}
