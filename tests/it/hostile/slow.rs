//! Clients that do not read, or too slowly: what the hub keeps for them, and what they are given when
//! they read on.

use actix_multiplex::{
    Cursor, Epoch, Resync, ResyncReason, SlowLeaves,
    limits::{LAG_BYTES_MAX, PULL_BYTES, RESYNC_INTERVAL, TAIL_BYTES_MAX},
    wire::{Batch, Create, Pull, Pulled, Resynced, Snapshot, StateIs, Verdict},
};

use super::{
    raw::{attach, by_name, join, part, with_payload},
    *,
};

/// Bytes of a shout of which no two fit a batch.
const LARGE: usize = 60_000;

/// More of them than a queue, a pipe and a writer hold, and fewer than a tail.
const TOO_MANY: u64 = (LAG_BYTES_MAX / LARGE) as u64 + 10;

fn large(object: ObjectId, op: u64) -> Vec<u8> {
    with_payload(&shout(object, op), &vec![7; LARGE])
}

/// Shouts large ones, and hears each.
async fn flood(raw: &mut Raw, object: ObjectId, ops: std::ops::RangeInclusive<u64>) {
    for op in ops {
        raw.say_bytes(&large(object, op)).await;
        assert_eq!(batch_ops(&heard(raw).await), [op]);
    }
}

/// The next batch. Somebody may want to know a state meanwhile.
async fn heard(raw: &mut Raw) -> Batch {
    loop {
        match raw.hear().await {
            Frame::Batch(batch) => return batch,
            Frame::SnapshotWanted(_) => {}
            other => panic!("no batch: {other:?}"),
        }
    }
}

/// Hears these, one after the other and each once.
async fn hears(raw: &mut Raw, object: ObjectId, mut seqs: std::ops::RangeInclusive<u64>) {
    while let Some(seq) = seqs.next() {
        let batch = heard(raw).await;
        assert_eq!((batch.object, batch.first_seq), (object, Seq(seq)));
        for _ in 1..batch.count {
            seqs.next();
        }
    }
}

/// Makes an object and hears of its epoch.
async fn make(raw: &mut Raw, object: ObjectId, name: &str, stateful: bool) -> Epoch {
    let create = Create { state: stateful.into(), ..create(object, Some(name)) };
    raw.say_bytes(&with_payload(&create, if stateful { b"first" } else { b"" })).await;
    match raw.hear().await {
        Frame::Joined(joined, _) => joined.start.epoch,
        other => panic!("not let in: {other:?}"),
    }
}

/// One that is a leaf of the object.
async fn leaf(pond: &Pond, name: &str) -> Raw {
    let mut raw = pond.marvin().await;
    raw.say(&join(1, by_name(name))).await;
    raw.let_in().await;
    raw
}

async fn tell(raw: &mut Raw, epoch: Epoch, seq: u64, state: &[u8]) {
    let at = Some(Cursor { epoch, seq: Seq(seq) });
    raw.say_bytes(&with_payload(
        &Snapshot { object: KERMIT, at, state: StateIs::Payload, carried: Vec::new() },
        state,
    ))
    .await;
    settle().await;
}

/// Shouts until it is asked for its state, and tells it then, `times` over. Tells how much it has
/// shouted.
async fn flood_and_tell(raw: &mut Raw, epoch: Epoch, from: u64, times: usize) -> u64 {
    let (mut op, mut told) = (from, 0);
    while told < times {
        raw.say_bytes(&large(KERMIT, op)).await;
        assert_eq!(batch_ops(&raw.batch().await), [op]);
        op += 1;
        let asked = tokio::time::timeout(Duration::from_millis(1), raw.hear()).await;
        if let Ok(frame) = asked {
            assert_eq!(frame.frame_type(), FrameType::SnapshotWanted);
            tell(raw, epoch, op - 1, format!("of {}", op - 1).as_bytes()).await;
            told += 1;
        }
    }
    op - 1
}

#[test]
fn g2_who_reads_too_late_hears_every_shout_of_all_objects_once_and_in_order() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        make(&mut marvin, ROWLF, "rowlf", false).await;
        let mut angus = leaf(pond, "kermit").await;
        angus.say(&join(2, by_name("rowlf"))).await;
        angus.let_in().await;
        flood(&mut marvin, KERMIT, 1..=TOO_MANY).await;
        // The queue has dropped all that it had of kermit, so there is room for rowlf.
        flood(&mut marvin, ROWLF, 1..=20).await;
        let (mut kermits, mut rowlfs) = (Vec::new(), Vec::new());
        while (kermits.len() as u64) < TOO_MANY || rowlfs.len() < 20 {
            let batch = angus.batch().await;
            let seqs = if batch.object == KERMIT { &mut kermits } else { &mut rowlfs };
            seqs.push(batch.first_seq.0);
        }
        assert!(kermits.into_iter().eq(1..=TOO_MANY) && rowlfs.into_iter().eq(1..=20));
        flood(&mut marvin, KERMIT, TOO_MANY + 1..=TOO_MANY + 1).await;
        hears(&mut angus, KERMIT, TOO_MANY + 1..=TOO_MANY + 1).await;
    });
}

#[test]
fn g9_who_joins_many_objects_with_full_tails_at_once_is_given_them_all() {
    const OBJECTS: u8 = 6;
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let object = |n: u8| ObjectId([0x40 + n; 16]);
        for n in 0..OBJECTS {
            make(&mut marvin, object(n), &format!("number {n}"), true).await;
            flood(&mut marvin, object(n), 1..=30).await;
        }
        let mut angus = pond.marvin().await;
        for n in 0..OBJECTS {
            angus.say(&join(n.into(), by_name(&format!("number {n}")))).await;
        }
        let mut next = [1; OBJECTS as usize];
        while next.iter().any(|seq| *seq <= 30) {
            match angus.hear().await {
                Frame::Batch(batch) => {
                    let next = &mut next[usize::from(batch.object.0[0] - 0x40)];
                    assert_eq!(batch.first_seq.0, *next);
                    *next += 1;
                }
                Frame::Joined(..) | Frame::SnapshotWanted(_) => {}
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn g2_who_has_fallen_behind_the_tail_is_given_the_state_once_in_an_interval() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let epoch = make(&mut marvin, KERMIT, "kermit", true).await;
        let mut angus = leaf(pond, "kermit").await;
        let last = flood_and_tell(&mut marvin, epoch, 1, 4).await;
        let (before, resynced, state) = until_resynced(&mut angus).await;
        assert_eq!(resynced.resync, missed(before + 1, resynced.start.seq.0));
        assert_eq!(state, format!("of {}", resynced.start.seq.0));
        hears(&mut angus, KERMIT, resynced.start.seq.0 + 1..=last).await;
        // It reads nothing once more, and has missed something once more: it waits for its time.
        let start = Instant::now();
        let last = flood_and_tell(&mut marvin, epoch, last + 1, 4).await;
        let (_, resynced, state) = until_resynced(&mut angus).await;
        assert!(
            start.elapsed() + Duration::from_secs(1) >= RESYNC_INTERVAL,
            "{:?}",
            start.elapsed()
        );
        assert_eq!(state, format!("of {}", resynced.start.seq.0));
        hears(&mut angus, KERMIT, resynced.start.seq.0 + 1..=last).await;
        flood(&mut marvin, KERMIT, last + 1..=last + 1).await;
        hears(&mut angus, KERMIT, last + 1..=last + 1).await;
    });
}

fn missed(from: u64, to: u64) -> Resync {
    Resync { reason: ResyncReason::Missed, from: Seq(from), to: Seq(to) }
}

/// Hears batches until it is resynced. Tells the last seq before that.
async fn until_resynced(raw: &mut Raw) -> (u64, Resynced, String) {
    let mut last = 0;
    loop {
        match raw.hear().await {
            Frame::Batch(batch) => last = batch.last_seq().0,
            Frame::Resynced(resynced, state) => {
                return (last, resynced, String::from_utf8(state.to_vec()).expect("a text"));
            }
            Frame::SnapshotWanted(_) => {}
            other => panic!("not resynced: {other:?}"),
        }
    }
}

#[test]
fn g2_who_has_missed_shouts_twice_in_an_interval_waits_also_over_another_connection() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = leaf(pond, "kermit").await;
        flood(&mut marvin, KERMIT, 1..=1).await;
        let epoch = angus.batch().await.epoch;
        let cursor = Some(Cursor { epoch, seq: Seq(1) });
        let mut shouted = 1;
        let mut starts = Vec::new();
        for attempt in 1..=2 {
            let resume = angus.resume(1);
            angus.hang_up().await;
            flood(&mut marvin, KERMIT, shouted + 1..=shouted + 2 * TOO_MANY).await;
            shouted += 2 * TOO_MANY;
            let (back, resumed) = Raw::back(&pond.hub, resume).await;
            assert!(resumed);
            angus = back;
            let start = Instant::now();
            angus
                .say(&actix_multiplex::wire::Join { cursor, ..join(attempt, by_name("kermit")) })
                .await;
            let Frame::Joined(joined, _) = angus.hear().await else { panic!("not let in") };
            let resync = if attempt == 1 {
                joined.resync.expect("it has missed something")
            } else {
                assert_eq!((joined.resync, joined.start.seq), (None, Seq(1)));
                until_resynced(&mut angus).await.1.resync
            };
            assert_eq!(resync.from, Seq(2));
            hears(&mut angus, KERMIT, resync.to.0 + 1..=shouted).await;
            starts.push(start.elapsed());
        }
        assert!(
            starts[0] < Duration::from_secs(1) && starts[1] > RESYNC_INTERVAL / 2,
            "{starts:?}"
        );
    });
}

#[test]
fn g2_who_does_not_hear_its_own_shouts_is_told_what_became_of_them() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = leaf(pond, "kermit").await;
        for n in 1..=TOO_MANY {
            if n % 20 == 0 {
                angus.say(&shout(KERMIT, n / 20)).await;
                assert_eq!(heard(&mut marvin).await.sessions[0].0, angus.session);
            }
            flood(&mut marvin, KERMIT, n..=n).await;
        }
        let shouted = TOO_MANY / 20;
        let (mut heard, mut told, mut seqs) = (0, 0, 0);
        while seqs < TOO_MANY + shouted {
            match angus.hear().await {
                Frame::Batch(batch) => {
                    assert_eq!(batch.first_seq.0, seqs + 1);
                    seqs = batch.last_seq().0;
                    let mine = batch.sessions.iter().position(|it| it.0 == angus.session);
                    let own = batch.shouts().filter(|shout| Some(shout.session) == mine);
                    heard += own.count() as u64;
                }
                Frame::Outcome(outcome) => {
                    let Verdict::Sequenced { seq, count: 1 } = outcome.verdict else {
                        panic!("{outcome:?}")
                    };
                    assert!(seq.0 > seqs, "told of what it will hear");
                    told += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(heard == shouted && (1..=shouted).contains(&told), "{heard} heard, {told} told");
    });
}

#[test]
fn an_object_whose_slow_leaves_are_disconnected_closes_their_connection() {
    let builder = Hub::builder().slow_leaves(|interface, name| {
        assert_eq!(interface.tag.as_str(), "pond.frog");
        match name.map(Name::as_str) {
            Some("kermit") => SlowLeaves::Disconnect,
            _ => SlowLeaves::Resync,
        }
    });
    in_pond_of(builder, async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        make(&mut marvin, ROWLF, "rowlf", false).await;
        let mut angus = leaf(pond, "rowlf").await;
        flood(&mut marvin, ROWLF, 1..=TOO_MANY).await;
        hears(&mut angus, ROWLF, 1..=TOO_MANY).await;
        angus.say(&join(2, by_name("kermit"))).await;
        angus.let_in().await;
        flood(&mut marvin, KERMIT, 1..=TOO_MANY).await;
        at_fault(angus, CloseCode::TooSlow).await;
    });
}

#[test]
fn who_says_that_a_leaf_has_no_room_is_sent_no_more_and_asks_for_a_little_at_a_time() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = leaf(pond, "kermit").await;
        flood(&mut marvin, KERMIT, 1..=1).await;
        let epoch = angus.batch().await.epoch;
        angus.say(&Pull { object: KERMIT, cursor: None }).await;
        settle().await;
        flood(&mut marvin, KERMIT, 2..=4).await;
        angus.say(&shout(KERMIT, 1)).await;
        heard(&mut marvin).await;
        // Its own shout is all that it is told of.
        let own = Verdict::Sequenced { seq: Seq(5), count: 1 };
        assert_eq!(angus.outcome(KERMIT, 1).await, own);
        for (seq, last, current) in [(1, 2, false), (2, 3, false), (3, 5, true)] {
            let cursor = Some(Cursor { epoch, seq: Seq(seq) });
            angus.say(&Pull { object: KERMIT, cursor }).await;
            hears(&mut angus, KERMIT, seq + 1..=last).await;
            let Frame::Pulled(pulled) = angus.hear().await else { panic!("it ends nowhere") };
            assert_eq!(pulled, Pulled { object: KERMIT, last: Seq(last), current });
        }
        const { assert!(2 * LARGE > PULL_BYTES) };
        flood(&mut marvin, KERMIT, 5..=5).await;
        hears(&mut angus, KERMIT, 6..=6).await;
    });
}

#[test]
fn who_asks_from_where_nobody_can_be_or_for_what_it_has_not_joined_is_not_heard() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = leaf(pond, "kermit").await;
        flood(&mut marvin, KERMIT, 1..=2).await;
        let epoch = angus.batch().await.epoch;
        angus.batch().await;
        for (epoch, seq) in [(epoch, 3), (Epoch([0; 8]), 1)] {
            let cursor = Some(Cursor { epoch, seq: Seq(seq) });
            angus.say(&Pull { object: KERMIT, cursor }).await;
        }
        angus.say(&attach(2, by_name("amys"))).await;
        angus.let_in().await;
        for (object, seq) in [(AMYS, 0), (ROWLF, 1)] {
            let cursor = Some(Cursor { epoch, seq: Seq(seq) });
            angus.say(&Pull { object, cursor }).await;
            angus.say(&Pull { object, cursor: None }).await;
        }
        settle().await;
        flood(&mut marvin, KERMIT, 3..=3).await;
        hears(&mut angus, KERMIT, 3..=3).await;
    });
}

#[test]
fn who_parts_or_joins_while_it_is_behind_is_behind_no_more() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let mut angus = leaf(pond, "kermit").await;
        for request in [2, 4] {
            angus.say(&Pull { object: KERMIT, cursor: None }).await;
            if request == 4 {
                angus.say(&part(3, KERMIT)).await;
                angus.done(3).await;
            }
            angus.say(&join(request, by_name("kermit"))).await;
            angus.let_in().await;
            let op = u64::from(request / 2);
            flood(&mut marvin, KERMIT, op..=op).await;
            hears(&mut angus, KERMIT, op..=op).await;
        }
    });
}

#[test]
fn who_is_behind_is_told_of_no_members_and_of_all_of_them_when_it_has_caught_up() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&Create { presence: true, ..create(KERMIT, Some("kermit")) }).await;
        let Frame::Joined(joined, _) = marvin.hear().await else { panic!("not let in") };
        let epoch = joined.start.epoch;
        let mut angus = leaf(pond, "kermit").await;
        assert!(matches!(angus.hear().await, Frame::Members(members) if members.count == 2));
        angus.say(&Pull { object: KERMIT, cursor: None }).await;
        settle().await;
        let gonzo = leaf(pond, "kermit").await;
        settle().await;
        let cursor = Some(Cursor { epoch, seq: Seq(0) });
        angus.say(&Pull { object: KERMIT, cursor }).await;
        assert!(matches!(angus.hear().await, Frame::Pulled(pulled) if pulled.current));
        assert!(matches!(angus.hear().await, Frame::Members(members) if members.count == 3));
        drop(gonzo);
        assert!(matches!(angus.hear().await, Frame::MembersChanged(_)));
    });
}

/// Bytes of heap do not show here; what is given again does.
#[test]
fn g9_who_reads_at_a_tenth_of_the_rate_neither_loops_in_resyncs_nor_is_disconnected() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let epoch = make(&mut marvin, KERMIT, "kermit", true).await;
        let mut angus = leaf(pond, "kermit").await;
        let start = Instant::now();
        let (mut resyncs, mut heard, mut at, mut op) = (0, 0, 0, 0);
        // Ten a second for 50 s, and it reads one.
        for _ in 0..50 {
            for _ in 0..10 {
                op += 1;
                marvin.say_bytes(&large(KERMIT, op)).await;
                marvin.batch().await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                while let Ok(frame) =
                    tokio::time::timeout(Duration::from_micros(1), marvin.hear()).await
                {
                    assert_eq!(frame.frame_type(), FrameType::SnapshotWanted);
                    tell(&mut marvin, epoch, op, b"state").await;
                }
            }
            match angus.hear().await {
                Frame::Batch(batch) => {
                    assert_eq!(batch.first_seq.0, at + 1);
                    at = batch.last_seq().0;
                    heard += 1;
                }
                Frame::Resynced(resynced, _) => {
                    assert_eq!(resynced.resync.from.0, at + 1);
                    at = resynced.start.seq.0;
                    resyncs += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        let intervals = start.elapsed().as_secs() / RESYNC_INTERVAL.as_secs();
        assert!((1..=intervals + 1).contains(&resyncs), "{resyncs} in {:?}", start.elapsed());
        assert_eq!(heard + resyncs, 50);
        assert!(op * LARGE as u64 > 5 * TAIL_BYTES_MAX as u64);
    });
}
