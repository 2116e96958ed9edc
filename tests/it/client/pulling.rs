//! What a client says to the hub of a leaf that has no room, frame by frame.

use std::time::Duration;

use actix_multiplex::{
    Cursor, Kind, Op, Resync, ResyncReason, Seq, encode,
    limits::INBOX_BYTES_MAX,
    wire::{
        self, BatchBuilder, CloseCode, Frame, Joined, Pull, Pulled, Rejoin, Request, Resynced,
        StateIs,
    },
};
use serde::Serialize;

use super::{
    false_hub::{EPOCH, FalseHub, OBJECT, SOMEBODY, joined},
    pond::{Bulk, Given, Slow, TextNewt, paused, settle},
};

const LARGE: usize = 60_000;

/// Shorter than a silence that ends a connection.
const NAP_MS: u64 = 10_000;

/// So many large shouts fit into an inbox.
const ROOM: u64 = (INBOX_BYTES_MAX / LARGE) as u64;

impl FalseHub {
    async fn say_one(&mut self, seq: u64, kind: u16, message: impl Serialize) {
        let payload = encode(&message, 2 * LARGE).unwrap().payload;
        let mut batch = BatchBuilder::new(OBJECT, EPOCH, Seq(seq));
        batch.push(SOMEBODY, Op(seq), Kind(kind), &[], &payload);
        self.send(batch.seal(0)).await;
    }

    /// Large shouts with these seqs, which are their numbers.
    async fn large(&mut self, seqs: std::ops::RangeInclusive<u64>) {
        for seq in seqs {
            self.say_one(seq, 3, Bulk { n: seq as u32, bytes: vec![0; LARGE] }).await;
        }
        settle().await;
    }

    /// The leaf is busy with its first shout for a while, and its inbox is full behind that.
    async fn fill(&mut self) {
        self.say_one(1, 2, Slow { n: 1, ms: NAP_MS }).await;
        self.large(2..=ROOM + 2).await;
        assert_eq!(self.asked().await, None);
    }

    /// From where the client asks for more; or that it asks for no more.
    async fn asked(&mut self) -> Option<u64> {
        let Frame::Pull(Pull { object, cursor }) = self.next_but_heartbeats().await else {
            panic!("it asks for nothing")
        };
        assert_eq!(object, OBJECT);
        cursor.map(|cursor| {
            assert_eq!(cursor.epoch, EPOCH);
            cursor.seq.0
        })
    }

    async fn next_but_heartbeats(&mut self) -> Frame {
        loop {
            match self.next().await {
                Frame::Heartbeat => {}
                frame => return frame,
            }
        }
    }

    async fn pulled(&mut self, last: u64, current: bool) {
        self.say(&Pulled { object: OBJECT, last: Seq(last), current }).await;
        settle().await;
    }

    async fn says_nothing(&mut self) {
        let frame =
            tokio::time::timeout(Duration::from_millis(10), self.next_but_heartbeats()).await;
        assert!(frame.is_err(), "{frame:?}");
    }
}

#[test]
fn g9_a_client_asks_for_a_little_at_a_time_until_its_leaf_has_all() {
    paused(async {
        let (mut hub, _client, log) = FalseHub::with_a_leaf().await;
        hub.fill().await;
        // What was on the way is of no use, and nobody is told so again.
        hub.large(ROOM + 3..=ROOM + 4).await;
        hub.says_nothing().await;
        tokio::time::sleep(Duration::from_millis(NAP_MS)).await;
        assert_eq!(hub.asked().await, Some(ROOM + 1));
        hub.large(ROOM + 2..=ROOM + 3).await;
        hub.says_nothing().await;
        hub.pulled(ROOM + 3, false).await;
        assert_eq!(hub.asked().await, Some(ROOM + 3));
        hub.large(ROOM + 4..=ROOM + 4).await;
        hub.pulled(ROOM + 4, true).await;
        hub.large(ROOM + 5..=ROOM + 5).await;
        hub.says_nothing().await;
        assert!(log.numbers().into_iter().eq(1..=ROOM as u32 + 5));
    });
}

#[test]
fn g9_a_leaf_that_is_slow_once_more_gets_what_it_had_no_room_for_when_it_asked() {
    paused(async {
        let (mut hub, _client, log) = FalseHub::with_a_leaf().await;
        hub.fill().await;
        tokio::time::sleep(Duration::from_millis(NAP_MS)).await;
        assert_eq!(hub.asked().await, Some(ROOM + 1));
        hub.say_one(ROOM + 2, 2, Slow { n: ROOM as u32 + 2, ms: NAP_MS }).await;
        hub.large(ROOM + 3..=2 * ROOM + 4).await;
        // It was told to wait, so nothing was asked for while there was no room.
        hub.pulled(2 * ROOM + 4, true).await;
        hub.says_nothing().await;
        tokio::time::sleep(Duration::from_millis(NAP_MS)).await;
        assert_eq!(hub.asked().await, Some(2 * ROOM + 2));
        hub.large(2 * ROOM + 3..=2 * ROOM + 4).await;
        hub.pulled(2 * ROOM + 4, true).await;
        assert!(log.numbers().into_iter().eq(1..=2 * ROOM as u32 + 4));
    });
}

#[test]
fn g9_a_leaf_that_is_to_join_again_asks_for_nothing_more_before_it_is_let_in() {
    paused(async {
        let (mut hub, _client, log) = FalseHub::with_a_leaf().await;
        hub.fill().await;
        hub.say(&Rejoin { object: OBJECT }).await;
        let Frame::Join(join) = hub.next_but_heartbeats().await else { panic!("no Join came") };
        assert_eq!(join.cursor, Some(Cursor { epoch: EPOCH, seq: Seq(ROOM + 1) }));
        // There is room again: the hub is not told, since it gives all that follows the cursor.
        tokio::time::sleep(Duration::from_millis(NAP_MS)).await;
        hub.says_nothing().await;
        hub.say(&joined_at(join.request, ROOM + 1)).await;
        hub.large(ROOM + 2..=ROOM + 3).await;
        hub.says_nothing().await;
        assert!(log.numbers().into_iter().eq(1..=ROOM as u32 + 3));
    });
}

#[test]
fn g9_a_leaf_that_has_asked_for_more_and_is_let_in_beside_that_asks_from_where_it_is() {
    paused(async {
        let (mut hub, client, log) = FalseHub::with_a_leaf().await;
        hub.fill().await;
        tokio::time::sleep(Duration::from_millis(NAP_MS)).await;
        assert_eq!(hub.asked().await, Some(ROOM + 1));
        let joining = tokio::task::spawn_local(async move { client.join::<TextNewt>("it").await });
        let Frame::Join(join) = hub.next_but_heartbeats().await else { panic!("no Join came") };
        // That ends its being behind: no Pulled comes.
        hub.say(&joined_at(join.request, ROOM + 1)).await;
        let Frame::Join(again) = hub.next_but_heartbeats().await else { panic!("no Join came") };
        assert_eq!(again.cursor, Some(Cursor { epoch: EPOCH, seq: Seq(ROOM + 1) }));
        hub.say(&joined_at(again.request, ROOM + 1)).await;
        hub.large(ROOM + 2..=ROOM + 3).await;
        hub.says_nothing().await;
        assert!(log.numbers().into_iter().eq(1..=ROOM as u32 + 3));
        assert!(joining.await.unwrap().is_ok());
    });
}

fn joined_at(request: Request, at: u64) -> Joined {
    Joined { start: Cursor { epoch: EPOCH, seq: Seq(at) }, last: Seq(at), ..joined(request) }
}

fn resynced(from: u64, to: u64) -> Resynced {
    Resynced {
        object: OBJECT,
        start: Cursor { epoch: EPOCH, seq: Seq(to) },
        last: Seq(to),
        state: StateIs::Absent,
        resync: Resync { reason: ResyncReason::Missed, from: Seq(from), to: Seq(to) },
        owner: None,
        carried: Vec::new(),
    }
}

#[test]
fn g2_a_leaf_is_told_what_it_has_missed_and_hears_on_behind_it() {
    paused(async {
        let (mut hub, _client, log) = FalseHub::with_a_leaf().await;
        hub.batch(1, 3).await;
        hub.say(&resynced(4, 10)).await;
        // It is of no use any more.
        hub.say(&resynced(2, 5)).await;
        hub.batch(9, 12).await;
        let gaps: Vec<_> =
            log.all().into_iter().filter(|it| matches!(it, Given::Resynced(_))).collect();
        assert_eq!(gaps, [Given::Resynced(resynced(4, 10).resync)]);
        assert_eq!(log.numbers(), [1, 2, 3, 11, 12]);
    });
}

#[test]
fn g2_what_is_told_of_another_history_closes_the_connection() {
    paused(async {
        let (mut hub, client, log) = FalseHub::with_a_leaf().await;
        hub.batch(1, 3).await;
        let start = Cursor { epoch: actix_multiplex::Epoch([9; 8]), seq: Seq(10) };
        hub.say(&Resynced { start, ..resynced(4, 10) }).await;
        let closed = client.closed().await;
        assert_eq!(closed.code, CloseCode::Protocol, "{closed}");
        assert_eq!(log.numbers(), [1, 2, 3]);
    });
}

#[test]
fn what_is_told_of_a_leaf_that_has_just_gone_or_that_asked_for_nothing_is_nobodys() {
    paused(async {
        let (mut hub, _client, log) = FalseHub::with_a_leaf().await;
        let object = actix_multiplex::ObjectId([8; 16]);
        hub.say(&Pulled { object, last: Seq(7), current: true }).await;
        hub.say(&Resynced { object, ..resynced(1, 7) }).await;
        hub.pulled(7, false).await;
        hub.batch(1, 3).await;
        hub.send(wire::encode(&Pulled { object: OBJECT, last: Seq(1), current: true })).await;
        hub.batch(4, 4).await;
        hub.says_nothing().await;
        assert_eq!(log.numbers(), [1, 2, 3, 4]);
    });
}
