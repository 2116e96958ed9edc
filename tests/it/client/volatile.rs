//! Volatile messages: who hears them, behind what, and who does not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Client, ConnectionEvent, Denied, DispatchError, Handle, Heard, Hub, Kind, Leaf, ObjectRef,
    Rights, Seq, SessionId, Shout, ShoutError, Visit, Voice, Volatile, interface, limits,
    transport::Connector,
};
use serde::{Deserialize, Serialize};

use super::{
    pond::{hub, paused, settle, soon},
    wire::Wire,
};

/// Takes its hearer some milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Draw {
    n: u32,
    ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pointer {
    n: u32,
    ms: u64,
    text: String,
    carried: Option<ObjectRef<Napkin>>,
}

interface! {
    /// A napkin that others point at.
    Napkin = "table.napkin" v1 { state none; presence; 1 => Draw, volatile 2 => Pointer }
}
interface! {
    /// The same in an older program.
    OldNapkin = "table.napkin" v1 { state none; 1 => Draw }
}
interface! {
    /// The same in a program that takes a pointer for something to be kept.
    OddNapkin = "table.napkin" v1 { state none; 2 => Pointer, volatile 1 => Draw }
}

/// A pointer at which its hearer panics.
const POISON: u32 = 13;

/// What a leaf was given.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Drew { seq: u64, n: u32 },
    Pointed { after: u64, n: u32, by: SessionId },
    Unheard(u64),
}

type Log = Arc<Mutex<Vec<Seen>>>;

macro_rules! leaf {
    ($leaf:ident: $interface:ident) => {
        struct $leaf(Log);

        impl $leaf {
            async fn at(hub: &Hub, seed: u64) -> (Client, Handle<Self>, Log) {
                Self::over(hub.local(), seed).await
            }

            async fn over(to: impl Connector, seed: u64) -> (Client, Handle<Self>, Log) {
                let client = Client::builder().seed(seed).connect(to).await.unwrap();
                let log = Log::default();
                let made = log.clone();
                client.implement::<Self>(move |_| Self(made.clone()));
                let napkin = client.open::<Self>("napkin", ()).await.unwrap();
                settle().await;
                (client, napkin, log)
            }
        }

        impl Actor for $leaf {
            type Context = Context<Self>;
        }

        impl Supervised for $leaf {}

        impl Leaf for $leaf {
            type Interface = $interface;

            fn unheard(&mut self, seq: Seq, _: DispatchError, _: &mut Context<Self>) {
                self.0.lock().unwrap().push(Seen::Unheard(seq.0));
            }
        }
    };
}

leaf!(Sheet: Napkin);
leaf!(OldSheet: OldNapkin);
leaf!(OddSheet: OddNapkin);

impl Handler<Heard<Draw>> for Sheet {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) -> Self::Result {
        self.0.lock().unwrap().push(Seen::Drew { seq: draw.seq().0, n: draw.n });
        Box::pin(tokio::time::sleep(Duration::from_millis(draw.ms)).into_actor(self))
    }
}

impl Handler<Volatile<Pointer>> for Sheet {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, at: Volatile<Pointer>, _: &mut Context<Self>) -> Self::Result {
        assert_ne!(at.n, POISON, "a leaf that panics");
        let seen = Seen::Pointed { after: at.after().0, n: at.n, by: at.sender() };
        self.0.lock().unwrap().push(seen);
        Box::pin(tokio::time::sleep(Duration::from_millis(at.ms)).into_actor(self))
    }
}

impl Handler<Heard<Draw>> for OldSheet {
    type Result = ();

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) {
        self.0.lock().unwrap().push(Seen::Drew { seq: draw.seq().0, n: draw.n });
    }
}

impl Handler<Heard<Pointer>> for OddSheet {
    type Result = ();

    fn handle(&mut self, _: Heard<Pointer>, _: &mut Context<Self>) {}
}

impl Handler<Volatile<Draw>> for OddSheet {
    type Result = ();

    fn handle(&mut self, _: Volatile<Draw>, _: &mut Context<Self>) {}
}

fn draw(n: u32) -> Shout<Draw> {
    Shout(Draw { n, ms: 0 })
}

fn slow_draw(n: u32) -> Shout<Draw> {
    Shout(Draw { n, ms: 60_000 })
}

fn pointer(n: u32) -> Pointer {
    Pointer { n, ms: 0, text: String::new(), carried: None }
}

fn seen(log: &Log) -> Vec<Seen> {
    log.lock().unwrap().clone()
}

/// The numbers of the pointers that were seen.
fn pointers(log: &Log) -> Vec<u32> {
    let numbers = seen(log).into_iter().filter_map(|seen| match seen {
        Seen::Pointed { n, .. } => Some(n),
        _ => None,
    });
    numbers.collect()
}

/// The numbers of the strokes that were heard.
fn strokes(log: &Log) -> Vec<u32> {
    let numbers = seen(log).into_iter().filter_map(|seen| match seen {
        Seen::Drew { n, .. } => Some(n),
        _ => None,
    });
    numbers.collect()
}

#[test]
fn a_volatile_message_reaches_the_other_leaves_behind_what_was_shouted_before_it() {
    paused(async {
        let hub = hub();
        let (alec, napkin, own) = Sheet::at(&hub, 1).await;
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        soon(napkin.send(draw(1))).await.unwrap();
        napkin.send_volatile(pointer(2)).unwrap();
        let _receipted = napkin.try_send(draw(3)).unwrap();
        napkin.send_volatile(pointer(4)).unwrap();
        settle().await;
        let by = match &seen(&log)[..] {
            [Seen::Drew { seq: 1, n: 1 }, .., Seen::Pointed { after: 2, n: 4, by }] => *by,
            other => panic!("{other:?}"),
        };
        assert_eq!((by, pointers(&log), strokes(&log)), (alec.session(), vec![2, 4], vec![1, 3]));
        assert_eq!(seen(&own), [Seen::Drew { seq: 1, n: 1 }, Seen::Drew { seq: 2, n: 3 }]);
        assert_eq!(napkin.members().count(), 2);
    });
}

#[test]
fn a_volatile_message_takes_no_seq_and_no_latecomer_is_given_one() {
    paused(async {
        let hub = hub();
        let (alec, napkin, _) = Sheet::at(&hub, 1).await;
        let voice: Voice<Napkin> = alec.voice("napkin").await.unwrap();
        for n in 0..5 {
            voice.send_volatile(pointer(n)).unwrap();
        }
        assert_eq!(soon(napkin.send(draw(1))).await.unwrap().seq(), Seq(1));
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        assert_eq!(seen(&log), []);
        voice.send_volatile(pointer(9)).unwrap();
        assert_eq!(soon(napkin.send(draw(2))).await.unwrap().seq(), Seq(2));
        settle().await;
        assert_eq!((pointers(&log), strokes(&log)), (vec![9], vec![2]));
    });
}

#[test]
fn a_volatile_message_waits_for_the_answer_to_the_shout_before_it_and_the_next_shout_for_its() {
    paused(async {
        let hub = hub();
        let (_alec, napkin, _) = Sheet::at(&hub, 1).await;
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        soon(napkin.send(slow_draw(1))).await.unwrap();
        napkin.send_volatile(Pointer { ms: 60_000, ..pointer(2) }).unwrap();
        settle().await;
        soon(napkin.send(draw(3))).await.unwrap();
        settle().await;
        assert_eq!((strokes(&log), pointers(&log)), (vec![1], vec![]));
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!((strokes(&log), pointers(&log)), (vec![1], vec![2]));
        tokio::time::sleep(Duration::from_mins(1)).await;
        assert_eq!(strokes(&log), [1, 3]);
    });
}

#[test]
fn a_leaf_that_is_behind_is_spared_volatile_messages_and_hears_every_shout() {
    paused(async {
        let hub = hub();
        let (_alec, napkin, _) = Sheet::at(&hub, 1).await;
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        soon(napkin.send(slow_draw(0))).await.unwrap();
        for n in 1..=500 {
            napkin.send_volatile(pointer(n)).unwrap();
            settle().await;
        }
        soon(napkin.send(draw(1))).await.unwrap();
        tokio::time::sleep(Duration::from_mins(2)).await;
        let most = limits::VOLATILE_INBOX_BYTES_MAX / limits::BATCH_BYTES_MIN;
        let heard = pointers(&log);
        assert!(!heard.is_empty() && heard.len() < most, "{} of {most}", heard.len());
        assert!(heard.iter().copied().eq(1..=heard.len() as u32), "not the first: {heard:?}");
        assert_eq!(strokes(&log), [0, 1]);
        napkin.send_volatile(pointer(501)).unwrap();
        settle().await;
        assert_eq!(pointers(&log).last(), Some(&501));
    });
}

#[test]
fn an_older_leaf_that_does_not_know_the_message_notices_nothing() {
    paused(async {
        let hub = hub();
        let (_alec, napkin, _) = Sheet::at(&hub, 1).await;
        let (_amy, _hers, log) = OldSheet::at(&hub, 2).await;
        napkin.send_volatile(pointer(1)).unwrap();
        soon(napkin.send(draw(2))).await.unwrap();
        settle().await;
        assert_eq!(seen(&log), [Seen::Drew { seq: 1, n: 2 }]);
    });
}

#[test]
fn what_is_volatile_to_one_and_shouted_by_another_is_not_taken_for_it() {
    paused(async {
        let hub = hub();
        let (_alec, napkin, own) = OddSheet::at(&hub, 1).await;
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        napkin.send_volatile(Draw { n: 1, ms: 0 }).unwrap();
        soon(napkin.send(Shout(pointer(2)))).await.unwrap();
        settle().await;
        assert_eq!((seen(&own), seen(&log)), (vec![], vec![Seen::Unheard(1)]));
    });
}

#[test]
fn a_volatile_message_without_the_right_to_it_reaches_nobody() {
    paused(async {
        let admission = |visit: Visit| {
            let of_guest = visit.client.agent == "guest";
            let rights = if of_guest { Rights::only([Kind(1)]) } else { Rights::ALL };
            std::future::ready(Ok::<_, Denied>(rights))
        };
        let hub = Hub::builder().seed(7).admission(admission).start().unwrap();
        let (_alec, napkin, log) = Sheet::at(&hub, 1).await;
        let guest = Client::builder().seed(2).agent("guest").connect(hub.local()).await.unwrap();
        let voice: Voice<Napkin> = guest.voice("napkin").await.unwrap();
        voice.send_volatile(pointer(1)).unwrap();
        soon(voice.send(draw(2))).await.unwrap();
        settle().await;
        assert_eq!(seen(&log), [Seen::Drew { seq: 1, n: 2 }]);
        let (_amy, _hers, hers) = Sheet::at(&hub, 3).await;
        napkin.send_volatile(pointer(3)).unwrap();
        settle().await;
        assert_eq!(pointers(&hers), [3]);
    });
}

#[test]
fn what_cannot_be_volatile_comes_back() {
    paused(async {
        let hub = hub();
        let (alec, napkin, _) = Sheet::at(&hub, 1).await;
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        let room = limits::VOLATILE_BYTES_MAX - 5;
        let text = |bytes| Pointer { text: "x".repeat(bytes), ..pointer(1) };
        napkin.send_volatile(text(room)).unwrap();
        let error = napkin.send_volatile(text(room + 1)).unwrap_err();
        assert!(matches!(error, ShoutError::Encode(back, _) if back == text(room + 1)));
        let carried = Some(napkin.carry().await.unwrap());
        let error = napkin.send_volatile(Pointer { carried, ..pointer(2) }).unwrap_err();
        assert!(matches!(error, ShoutError::Encode(Pointer { n: 2, .. }, _)), "{error}");
        settle().await;
        assert_eq!(pointers(&log), [1]);
        let voice = napkin.voice();
        drop((napkin, alec));
        settle().await;
        let error = voice.send_volatile(pointer(3)).unwrap_err();
        assert!(matches!(error, ShoutError::Gone(..)), "{error}");
    });
}

#[test]
fn a_volatile_message_at_an_object_that_lives_offline_makes_it_known_to_nobody() {
    paused(async {
        let hub = hub();
        let (alec, napkin, _) = Sheet::at(&hub, 1).await;
        let mine = alec.create::<Sheet>(None, ()).await.unwrap();
        mine.send_volatile(pointer(1)).unwrap();
        settle().await;
        let (amy, _hers, _) = Sheet::at(&hub, 2).await;
        let found = soon(amy.bind::<Sheet>(&mine.voice().reference())).await;
        assert!(found.is_err(), "it was published");
        soon(mine.send(draw(1))).await.unwrap();
        drop(napkin);
    });
}

#[test]
fn what_is_volatile_waits_for_no_connection_and_goes_on_over_the_next() {
    paused(async {
        let hub = hub();
        let wire = Wire::new(hub.local());
        let (alec, napkin, own) = Sheet::over(wire.clone(), 1).await;
        let (_amy, hers, log) = Sheet::at(&hub, 2).await;
        let mut events = alec.events();
        wire.cut();
        settle().await;
        let error = napkin.send_volatile(pointer(1)).unwrap_err();
        assert!(matches!(error, ShoutError::Full(Pointer { n: 1, .. })), "{error}");
        hers.send_volatile(pointer(2)).unwrap();
        soon(hers.send(draw(3))).await.unwrap();
        wire.up.mend();
        wire.down.mend();
        while soon(events.next()).await != Some(ConnectionEvent::Resumed) {}
        settle().await;
        napkin.send_volatile(pointer(4)).unwrap();
        hers.send_volatile(pointer(5)).unwrap();
        settle().await;
        assert_eq!((pointers(&log), pointers(&own), strokes(&own)), (vec![4], vec![5], vec![3]));
    });
}

#[test]
fn a_leaf_that_panics_at_a_volatile_message_is_made_anew_and_hears_every_shout_once() {
    paused(async {
        let hub = hub();
        let (_alec, napkin, _) = Sheet::at(&hub, 1).await;
        let (_amy, _hers, log) = Sheet::at(&hub, 2).await;
        soon(napkin.send(draw(1))).await.unwrap();
        for _ in 0..3 {
            napkin.send_volatile(pointer(POISON)).unwrap();
            settle().await;
        }
        soon(napkin.send(draw(2))).await.unwrap();
        napkin.send_volatile(pointer(3)).unwrap();
        settle().await;
        assert_eq!((strokes(&log), pointers(&log)), (vec![1, 2], vec![3]));
    });
}
