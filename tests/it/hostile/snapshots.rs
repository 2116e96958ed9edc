//! States of an object that nobody wants, or that cannot be, and guests that may not tell any.

use actix_multiplex::{
    Cursor, Denied, Epoch, Rights, Visit,
    limits::SNAPSHOT_LEASE,
    wire::{Create, Joined, Snapshot, SnapshotWanted, StateIs, Verdict},
};

use super::{
    raw::{attach, by_name, join, part, with_payload},
    *,
};

/// Bytes of a shout of which no two fit a batch.
const LARGE: usize = 60_000;

/// So many of them fill half of a tail, and no more.
const HALF: u64 = 35;

const FIRST: &[u8] = b"first";

/// Makes kermit, with a state.
async fn marvin_with_a_stateful_kermit(pond: &Pond) -> (Raw, Epoch) {
    let mut marvin = pond.marvin().await;
    let create = Create { state: StateIs::Payload, ..create(KERMIT, Some("kermit")) };
    marvin.say_bytes(&with_payload(&create, FIRST)).await;
    match marvin.hear().await {
        Frame::Joined(joined, _) => (marvin, joined.start.epoch),
        other => panic!("not let in: {other:?}"),
    }
}

fn large(op: u64) -> Vec<u8> {
    with_payload(&shout(KERMIT, op), &vec![7; LARGE])
}

async fn shout_large(raw: &mut Raw, ops: std::ops::RangeInclusive<u64>) {
    for op in ops {
        raw.say_bytes(&large(op)).await;
        assert_eq!(batch_ops(&raw.batch().await), [op]);
    }
}

/// Shouts until half of the tail is full: then kermit asks.
async fn shout_until_asked(raw: &mut Raw) {
    shout_large(raw, 1..=HALF).await;
    is_asked(raw).await;
}

async fn is_asked(raw: &mut Raw) {
    match raw.hear().await {
        Frame::SnapshotWanted(SnapshotWanted { object }) => assert_eq!(object, KERMIT),
        other => panic!("not asked: {other:?}"),
    }
}

async fn tell(raw: &mut Raw, epoch: Epoch, seq: u64, state: &[u8]) {
    let at = Cursor { epoch, seq: Seq(seq) };
    let snapshot =
        Snapshot { object: KERMIT, at: Some(at), state: StateIs::Payload, carried: Vec::new() };
    raw.say_bytes(&with_payload(&snapshot, state)).await;
    settle().await;
}

/// What somebody is given who joins now, and the tail behind it: its first seq and its length.
async fn latecomer(pond: &Pond) -> (Joined, Vec<u8>, usize) {
    let mut late = Raw::welcomed(&pond.hub, "late").await;
    late.say(&join(2, by_name("kermit"))).await;
    let (joined, state) = match late.hear().await {
        Frame::Joined(joined, state) => (joined, state.to_vec()),
        other => panic!("not let in: {other:?}"),
    };
    let tail = joined.last.0 - joined.start.seq.0;
    for _ in 0..tail {
        late.batch().await;
    }
    (joined, state, tail as usize)
}

/// What a latecomer is given is what the object began with.
async fn is_as_it_was(pond: &Pond) {
    let (joined, state, _) = latecomer(pond).await;
    assert_eq!((joined.start.seq, state), (Seq(0), FIRST.to_vec()));
}

#[test]
fn g4_a_state_that_nobody_wants_is_dropped_and_its_teller_goes_on() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        shout_large(&mut marvin, 1..=3).await;
        tell(&mut marvin, epoch, 3, b"unwanted").await;
        is_as_it_was(pond).await;
        shout_large(&mut marvin, 4..=4).await;
    });
}

#[test]
fn a_state_of_what_is_not_joined_is_dropped() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        let mut gonzo = Raw::welcomed(&pond.hub, "gonzo").await;
        gonzo.say(&attach(1, by_name("kermit"))).await;
        assert_eq!(gonzo.hear().await.frame_type(), FrameType::Attached);
        shout_until_asked(&mut marvin).await;
        tell(&mut gonzo, epoch, HALF, b"attached only").await;
        for object in [AMYS, ROWLF] {
            let at = Cursor { epoch, seq: Seq(1) };
            gonzo
                .say(&Snapshot {
                    object,
                    at: Some(at),
                    state: StateIs::Payload,
                    carried: Vec::new(),
                })
                .await;
        }
        is_as_it_was(pond).await;
        gonzo.say(&join(2, by_name("amys"))).await;
        assert_eq!(gonzo.hear().await.frame_type(), FrameType::Joined);
    });
}

#[test]
fn a_state_before_the_hello_ends_the_connection() {
    in_pond(async |pond| {
        let mut stranger = pond.stranger().await;
        tell(&mut stranger, Epoch([1; 8]), 1, b"").await;
        at_fault(stranger, CloseCode::Protocol).await;
    });
}

#[test]
fn g4_of_states_that_were_asked_for_only_one_that_fits_is_taken() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        shout_until_asked(&mut marvin).await;
        tell(&mut marvin, Epoch([9; 8]), HALF, b"of another history").await;
        tell(&mut marvin, epoch, HALF + 1, b"of the future").await;
        tell(&mut marvin, epoch, u64::MAX, b"of the end of time").await;
        tell(&mut marvin, epoch, 0, b"of the past").await;
        is_as_it_was(pond).await;
        tell(&mut marvin, epoch, HALF - 1, b"newer").await;
        let (joined, state, tail) = latecomer(pond).await;
        assert_eq!((joined.start.seq, tail), (Seq(HALF - 1), 1));
        assert_eq!(state, b"newer");
        // The question is used up.
        tell(&mut marvin, epoch, HALF, b"newer still").await;
        assert_eq!(latecomer(pond).await.1, b"newer");
        shout_large(&mut marvin, HALF + 1..=HALF + 1).await;
    });
}

#[test]
fn g4_only_who_was_asked_is_heard_and_when_he_is_silent_the_next_one_is_asked() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        let mut gonzo = Raw::welcomed(&pond.hub, "gonzo").await;
        gonzo.say(&join(2, by_name("kermit"))).await;
        assert_eq!(gonzo.hear().await.frame_type(), FrameType::Joined);
        shout_until_asked(&mut marvin).await;
        tell(&mut gonzo, epoch, HALF, b"gonzo's").await;
        is_as_it_was(pond).await;
        // An eighth of the tail later it is gonzo's turn.
        let eighth = HALF + 9;
        shout_large(&mut marvin, HALF + 1..=eighth).await;
        for _ in 1..=eighth {
            gonzo.batch().await;
        }
        is_asked(&mut gonzo).await;
        tell(&mut gonzo, epoch, eighth, b"gonzo's").await;
        assert_eq!(latecomer(pond).await.1, b"gonzo's");
    });
}

#[test]
fn g4_who_is_silent_for_the_time_of_a_lease_or_says_that_he_cannot_loses_it_to_the_next_one() {
    for is_silent in [true, false] {
        in_pond(async move |pond| {
            let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
            let mut gonzo = Raw::welcomed(&pond.hub, "gonzo").await;
            gonzo.say(&join(2, by_name("kermit"))).await;
            assert_eq!(gonzo.hear().await.frame_type(), FrameType::Joined);
            shout_until_asked(&mut marvin).await;
            for _ in 1..=HALF {
                gonzo.batch().await;
            }
            if is_silent {
                tokio::time::sleep(SNAPSHOT_LEASE).await;
            } else {
                marvin.say(&Snapshot::unable(KERMIT)).await;
                settle().await;
            }
            // It is still the same eighth of the tail.
            marvin.say_bytes(&with_payload(&shout(KERMIT, HALF + 1), b"small")).await;
            marvin.batch().await;
            if is_silent {
                gonzo.batch().await;
                is_asked(&mut gonzo).await;
            } else {
                is_asked(&mut gonzo).await;
                gonzo.batch().await;
            }
            tell(&mut gonzo, epoch, HALF, b"gonzo's").await;
            assert_eq!(latecomer(pond).await.1, b"gonzo's");
        });
    }
}

#[test]
fn g4_who_cannot_tell_is_not_asked_over_and_over() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        shout_until_asked(&mut marvin).await;
        for _ in 0..3 {
            marvin.say(&Snapshot::unable(KERMIT)).await;
            settle().await;
        }
        // An eighth of the tail later he is asked once more, and can.
        shout_large(&mut marvin, HALF + 1..=HALF + 9).await;
        is_asked(&mut marvin).await;
        tell(&mut marvin, epoch, HALF, b"marvin's").await;
        assert_eq!(latecomer(pond).await.1, b"marvin's");
    });
}

#[test]
fn g4_when_who_was_asked_has_parted_the_next_one_is_asked_at_once() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        let mut gonzo = Raw::welcomed(&pond.hub, "gonzo").await;
        gonzo.say(&join(2, by_name("kermit"))).await;
        assert_eq!(gonzo.hear().await.frame_type(), FrameType::Joined);
        shout_until_asked(&mut marvin).await;
        marvin.say(&part(3, KERMIT)).await;
        marvin.done(3).await;
        for _ in 1..=HALF {
            gonzo.batch().await;
        }
        is_asked(&mut gonzo).await;
        tell(&mut marvin, epoch, HALF, b"late").await;
        is_as_it_was(pond).await;
        tell(&mut gonzo, epoch, HALF, b"gonzo's").await;
        assert_eq!(latecomer(pond).await.1, b"gonzo's");
    });
}

#[test]
fn g4_a_guest_that_may_shout_nothing_is_never_asked_nor_heard() {
    async fn rights(visit: Visit) -> Result<Rights, Denied> {
        let rights = [Rights::NONE, Rights::only([]), Rights::ALL];
        let which = ["guest", "other guest"].iter().position(|agent| *agent == visit.client.agent);
        Ok(rights[which.unwrap_or(2)].clone())
    }
    in_pond_of(Hub::builder().admission(rights), async |pond| {
        let (mut marvin, epoch) = marvin_with_a_stateful_kermit(pond).await;
        marvin.say(&attach(2, by_name("kermit"))).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Attached);
        marvin.say(&part(3, KERMIT)).await;
        marvin.done(3).await;
        let mut guests = Vec::new();
        for agent in ["guest", "other guest"] {
            let mut guest = Raw::welcomed(&pond.hub, agent).await;
            guest.say(&join(2, by_name("kermit"))).await;
            assert_eq!(guest.hear().await.frame_type(), FrameType::Joined);
            guests.push(guest);
        }
        let mut taken = 0;
        loop {
            let op = taken + 1;
            marvin.say_bytes(&large(op)).await;
            if matches!(marvin.outcome(KERMIT, op).await, Verdict::Refused { .. }) {
                break;
            }
            taken = op;
        }
        assert!(taken > 2 * HALF - 2, "{taken}");
        for guest in &mut guests {
            for _ in 0..taken {
                guest.batch().await;
            }
            tell(guest, epoch, taken, b"a guest's").await;
            // What it hears next is the answer to this, and no question.
            guest.say(&part(4, KERMIT)).await;
            guest.done(4).await;
        }
        is_as_it_was(pond).await;
    });
}
