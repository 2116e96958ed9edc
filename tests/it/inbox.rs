//! G1 within a leaf: one shout at a time, in order, whatever its handlers answer with.

mod fairness;
mod recipients;
mod toads;

use std::time::Duration;

use actix::prelude::*;
use actix_multiplex::{
    Client, Gone, Heard, Hub, Leaf, Local, Seq, Shout, ShoutError, Voice, interface,
};
use serde::{Deserialize, Serialize};
use tokio::{
    task::LocalSet,
    time::{Instant, sleep},
};

use self::toads::{
    Act, ActFuture, Atom, Atomic, Block, Count,
    Event::{Begun, Done, Napped, Woken},
    Nap, Pond, Quitter, Result, Sleepy, Unit, Wait, Way, Word, one_by_one, settle,
};

/// Words that take less and less time to answer are answered one by one.
async fn is_heard_in_order<W: Way>() {
    LocalSet::new()
        .run_until(async {
            let pond = Pond::<W>::new().await;
            pond.shout(&[9, 5, 0, 3, 0, 0, 1]);
            settle().await;
            assert_eq!(pond.diary.read(), one_by_one(1..=7));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn handlers_that_answer_at_once_hear_in_order() {
    is_heard_in_order::<Unit>().await;
}

#[tokio::test(start_paused = true)]
async fn handlers_that_answer_with_a_message_result_hear_in_order() {
    is_heard_in_order::<Result>().await;
}

#[tokio::test(start_paused = true)]
async fn handlers_that_answer_with_a_future_hear_in_order() {
    is_heard_in_order::<toads::Future>().await;
}

#[tokio::test(start_paused = true)]
async fn handlers_that_answer_with_an_actor_future_hear_in_order() {
    is_heard_in_order::<ActFuture>().await;
}

#[tokio::test(start_paused = true)]
async fn handlers_that_answer_atomically_hear_in_order() {
    is_heard_in_order::<Atomic>().await;
}

#[tokio::test(start_paused = true)]
async fn messages_answered_in_different_ways_are_heard_in_one_order() {
    LocalSet::new()
        .run_until(async {
            let Pond { toad, diary, .. } = Pond::<Unit>::new().await;
            for turn in 0..20_u32 {
                let word = |place, seconds| Word { id: turn * 10 + place, seconds };
                drop(toad.try_send(Shout(Wait(word(1, 4)))).expect("has room"));
                drop(toad.try_send(Shout(Act(word(2, 3)))).expect("has room"));
                drop(toad.try_send(Shout(word(3, 0))).expect("has room"));
                drop(toad.try_send(Shout(Block(word(4, 2)))).expect("has room"));
                drop(toad.try_send(Shout(Atom(word(5, 1)))).expect("has room"));
                drop(toad.try_send(Shout(word(6, 0))).expect("has room"));
            }
            settle().await;
            let words = (0..20).flat_map(|turn| (1..=6).map(move |place| turn * 10 + place));
            assert_eq!(diary.read(), one_by_one(words));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn local_messages_are_answered_while_a_shout_is() {
    LocalSet::new()
        .run_until(async {
            let pond = Pond::<toads::Future>::new().await;
            pond.shout(&[600, 0]);
            sleep(Duration::from_mins(1)).await;

            let asked = Instant::now();
            assert_eq!(pond.toad.send(Local(Count)).await, Ok(1));
            assert_eq!(asked.elapsed(), Duration::ZERO);
            assert_eq!(pond.diary.read(), [Begun(1)]);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_heard_while_a_local_message_has_the_leaf_wait() {
    LocalSet::new()
        .run_until(async {
            let pond = Pond::<Sleepy>::new().await;
            pond.shout(&[0; 1_000]);
            settle().await;
            let events = pond.diary.read();
            let nap = events.iter().position(|event| *event == Napped).expect("it napped");
            assert_eq!(events[nap + 1], Woken);
            assert!(nap + 2 < events.len(), "everything was heard before the nap");
            assert_eq!(pond.diary.begun(), (1..=1_000).collect::<Vec<_>>());
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn shouts_that_come_while_the_leaf_waits_are_heard_after_it() {
    LocalSet::new()
        .run_until(async {
            let pond = Pond::<Unit>::new().await;
            pond.toad.send(Local(Nap)).await.expect("the leaf is here");
            pond.shout(&[0, 0]);
            settle().await;
            let expected = [Napped, Woken, Begun(1), Done(1), Begun(2), Done(2)];
            assert_eq!(pond.diary.read(), expected);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_leaf_that_stops_in_a_handler_hears_nothing_more_and_has_parted() {
    LocalSet::new()
        .run_until(async {
            let hub = Hub::builder().start().expect("a hub starts");
            let quitter = Pond::<Quitter>::on(&hub).await;
            let other = Pond::<Unit>::on(&hub).await;
            other.shout(&[0; 5]);
            settle().await;
            assert_eq!(quitter.diary.begun(), [1, 2]);
            assert_eq!(other.diary.begun(), [1, 2, 3, 4, 5]);

            assert_eq!(quitter.toad.send(Local(Count)).await, Err(Gone::Parted));
            let word = Word { id: 7, seconds: 0 };
            let refused = quitter.toad.send(Shout(word.clone())).await;
            assert!(matches!(refused, Err(ShoutError::Gone(it, Gone::Parted)) if it == word));

            let again = quitter.client.join::<toads::Toad<Quitter>>("toad").await;
            let again = again.expect("a fresh leaf joins");
            again.send(Shout(word)).await.expect("is sequenced");
            settle().await;
            assert_eq!(quitter.diary.begun(), [1, 2, 7]);
        })
        .await;
}

/// A number that a parrot counts down from, by a shout from within its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Echo(u64);

interface! {
    Chatter = "pond.chatter" v1 {
        state none;
        1 => Echo,
    }
}

struct Parrot {
    me: Voice<Chatter>,
    diary: toads::Diary,
}

impl Actor for Parrot {
    type Context = Context<Self>;
}

impl Supervised for Parrot {}

impl Leaf for Parrot {
    type Interface = Chatter;
}

impl Handler<Heard<Echo>> for Parrot {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, heard: Heard<Echo>, _: &mut Context<Self>) -> Self::Result {
        let (me, diary, Seq(seq)) = (self.me.clone(), self.diary.clone(), heard.seq());
        let place = u32::try_from(seq).expect("is small");
        let Echo(left) = heard.into_inner();
        Box::pin(async move {
            diary.write(Begun(place));
            if left > 0 {
                let receipt = me.send(Shout(Echo(left - 1))).await.expect("is sequenced");
                assert_eq!(receipt.seq(), Seq(seq + 1));
            }
            diary.write(Done(place));
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_await_the_receipt_of_a_shout_of_its_own() {
    LocalSet::new()
        .run_until(async {
            let hub = Hub::builder().start().expect("a hub starts");
            let client = Client::connect(hub.local()).await.expect("the hub is here");
            let diary = toads::Diary::default();
            let made = diary.clone();
            client.implement::<Parrot>(move |me| Parrot { me, diary: made.clone() });
            let parrot = client.open::<Parrot>("polly", ()).await.expect("is let in");
            parrot.send(Shout(Echo(4))).await.expect("is sequenced");
            settle().await;
            assert_eq!(diary.read(), one_by_one(1..=5));
        })
        .await;
}
