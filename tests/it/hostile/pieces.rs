//! Large states, in pieces, both ways: beside what else is said, and with what may come in between.

use actix_multiplex::{
    Carried, Cursor, Epoch, Resync, ResyncReason,
    limits::{STATE_BYTES_MAX, STATE_PIECE_BYTES, TAIL_BYTES_MAX},
    wire::{
        Create, Joined, Pull, Refusal, Resynced, Snapshot, StateIs, StatePiece, Target, Verdict,
        encode_with,
    },
};

use super::{
    raw::{attach, by_name, destroy, join, part, with_payload},
    *,
};

/// Several pieces.
const MANY: usize = 500_000;

/// A state that is unlike itself from place to place.
fn state(bytes: usize, salt: u8) -> Vec<u8> {
    (0..bytes).map(|at| (at / 251) as u8 ^ salt).collect()
}

/// The pieces of a state, each as a frame.
fn pieces(object: ObjectId, state: &[u8]) -> Vec<Vec<u8>> {
    let of = state.len() as u32;
    let pieces = state.chunks(STATE_PIECE_BYTES).zip(0_u32..);
    let piece = |(bytes, n)| {
        let at = n * STATE_PIECE_BYTES as u32;
        encode_with(&StatePiece { object, at, of }, bytes).to_vec()
    };
    pieces.map(piece).collect()
}

fn made(object: ObjectId, name: &str) -> Create {
    Create { state: StateIs::Pieces, ..create(object, Some(name)) }
}

/// Makes an object of this state.
async fn make(raw: &mut Raw, create: &Create, state: &[u8]) -> Epoch {
    raw.say_bytes(&pieces(create.object, state).concat()).await;
    raw.say(create).await;
    match raw.hear().await {
        Frame::Joined(joined, _) => {
            assert_eq!(joined.state, StateIs::Absent, "it has what it made");
            joined.start.epoch
        }
        other => panic!("not let in: {other:?}"),
    }
}

/// A pond with Marvin in it, who has made kermit, of many pieces.
async fn marvin(pond: &Pond) -> (Raw, Epoch) {
    let mut marvin = pond.marvin().await;
    let epoch = make(&mut marvin, &made(KERMIT, "kermit"), &state(MANY, 1)).await;
    (marvin, epoch)
}

/// One that has asked to be a leaf of kermit.
async fn joiner(pond: &Pond) -> Raw {
    let mut raw = pond.marvin().await;
    raw.say(&join(1, by_name("kermit"))).await;
    raw
}

/// What comes of an object before it is told that there it goes on, apart from the pieces; and those,
/// put together.
async fn until_told(raw: &mut Raw, object: ObjectId) -> (Vec<u8>, Vec<Frame>) {
    let (mut state, mut others) = (Vec::new(), Vec::new());
    loop {
        match raw.hear().await {
            Frame::StatePiece(piece, bytes) => {
                assert_eq!(piece.object, object, "one state at a time");
                if piece.at == 0 {
                    state.clear();
                }
                assert_eq!(piece.at as usize, state.len());
                state.extend_from_slice(&bytes);
            }
            told @ (Frame::Joined(..) | Frame::Resynced(..) | Frame::Refused(_)) => {
                others.push(told);
                return (state, others);
            }
            other => others.push(other),
        }
    }
}

/// It is let in with this state.
async fn joined(raw: &mut Raw, object: ObjectId, state: &[u8]) -> Joined {
    let (told, mut others) = until_told(raw, object).await;
    assert!(told == state, "{} bytes of a state, not {}", told.len(), state.len());
    match others.pop() {
        Some(Frame::Joined(joined, payload)) => {
            assert_eq!((joined.state, payload.len()), (StateIs::Pieces, 0));
            joined
        }
        other => panic!("not let in: {other:?}"),
    }
}

#[test]
fn g4_a_state_of_the_largest_size_comes_and_goes_in_pieces_and_a_byte_more_ends_the_connection() {
    in_pond(async |pond| {
        let carried = vec![Carried { object: ROWLF, tag: interface().tag, seq: Seq(9) }; 64];
        let room = STATE_BYTES_MAX - Carried::bytes_of(&carried);
        let create = Create { carried: carried.clone(), ..made(KERMIT, "kermit") };
        let mut marvin = pond.marvin().await;
        make(&mut marvin, &create, &state(room, 1)).await;
        let mut angus = joiner(pond).await;
        assert_eq!(joined(&mut angus, KERMIT, &state(room, 1)).await.carried, carried);
        let too_large = Create { object: ROWLF, name: None, ..create };
        marvin.say_bytes(&pieces(ROWLF, &state(room + 1, 1)).concat()).await;
        marvin.say(&too_large).await;
        at_fault(marvin, CloseCode::Protocol).await;
    });
}

#[test]
fn a_state_of_which_a_piece_is_missing_or_comes_twice_ends_the_connection() {
    for spoil in [
        |pieces: &mut Vec<Vec<u8>>| drop(pieces.remove(0)),
        |pieces: &mut Vec<Vec<u8>>| drop(pieces.remove(3)),
        |pieces: &mut Vec<Vec<u8>>| drop(pieces.pop()),
        |pieces: &mut Vec<Vec<u8>>| pieces.insert(3, pieces[3].clone()),
        |pieces: &mut Vec<Vec<u8>>| pieces.insert(3, self::pieces(ROWLF, b"another")[0].clone()),
    ] {
        in_pond(async |pond| {
            let mut marvin = pond.marvin().await;
            let mut pieces = pieces(KERMIT, &state(MANY, 1));
            spoil(&mut pieces);
            marvin.say_bytes(&[pieces.concat(), made(KERMIT, "kermit").bytes()].concat()).await;
            at_fault(marvin, CloseCode::Protocol).await;
        });
    }
}

#[test]
fn a_state_that_is_begun_again_is_the_one_that_counts() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say_bytes(&pieces(KERMIT, &state(MANY, 2))[..3].concat()).await;
        make(&mut marvin, &made(KERMIT, "kermit"), &state(MANY, 1)).await;
        let mut angus = joiner(pond).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
    });
}

#[test]
fn g4_who_reads_slowly_hears_others_between_the_pieces_and_one_state_after_the_other() {
    in_pond(async |pond| {
        let (mut marvin, _) = marvin(pond).await;
        make(&mut marvin, &made(ROWLF, "rowlf"), &state(MANY, 3)).await;
        marvin.say(&create(ObjectId([7; 16]), Some("robin"))).await;
        marvin.let_in().await;
        let mut angus = pond.marvin().await;
        angus.say(&join(1, by_name("robin"))).await;
        angus.let_in().await;
        angus.say(&join(2, by_name("kermit"))).await;
        angus.say(&join(3, by_name("rowlf"))).await;
        settle().await;
        for op in 1..=20 {
            marvin.say(&shout(ObjectId([7; 16]), op)).await;
            marvin.batch().await;
        }
        let (told, others) = until_told(&mut angus, KERMIT).await;
        assert!(told == state(MANY, 1));
        let batches = others.iter().filter(|frame| matches!(frame, Frame::Batch(_)));
        assert_eq!(batches.count(), 20, "heard while the pieces come");
        joined(&mut angus, ROWLF, &state(MANY, 3)).await;
    });
}

#[test]
fn g4_what_is_shouted_while_a_state_goes_follows_it() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        settle().await;
        for op in 1..=5 {
            marvin.say(&shout(KERMIT, op)).await;
            marvin.batch().await;
        }
        let told = joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        assert_eq!((told.start, told.last), (Cursor { epoch, seq: Seq(0) }, Seq(5)));
        for seq in 1..=5 {
            assert_eq!(angus.batch().await.first_seq, Seq(seq));
        }
    });
}

#[test]
fn a_shout_right_behind_a_join_by_id_has_its_place_when_the_state_has_gone() {
    in_pond(async |pond| {
        let (_marvin, _) = marvin(pond).await;
        let mut angus = pond.marvin().await;
        let by_id = Target::Object(KERMIT);
        let said = [join(1, by_id.clone()).bytes(), shout(KERMIT, 1).bytes()];
        angus.say_bytes(&[said.concat(), attach(2, by_id).bytes()].concat()).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        assert_eq!(batch_ops(&angus.batch().await), [1]);
        match angus.hear().await {
            Frame::Attached(attached) => assert_eq!(attached.next_op.0, 2),
            other => panic!("not attached: {other:?}"),
        }
    });
}

#[test]
fn who_joins_twice_before_the_state_has_gone_is_given_it_twice() {
    in_pond(async |pond| {
        let (_marvin, _) = marvin(pond).await;
        let mut angus = pond.marvin().await;
        for request in [1, 2] {
            angus.say(&join(request, by_name("kermit"))).await;
        }
        for request in [1, 2] {
            assert_eq!(joined(&mut angus, KERMIT, &state(MANY, 1)).await.request, request);
        }
    });
}

#[test]
fn who_joins_once_more_and_has_no_room_meanwhile_is_let_in_all_the_same() {
    in_pond(async |pond| {
        let (mut marvin, _) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        angus.say(&join(2, by_name("kermit"))).await;
        angus.say(&Pull { object: KERMIT, cursor: None }).await;
        settle().await;
        marvin.say(&shout(KERMIT, 1)).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        assert_eq!(angus.batch().await.first_seq, Seq(1));
    });
}

#[test]
fn who_parts_while_its_state_goes_is_not_let_in_and_others_have_their_turn() {
    in_pond(async |pond| {
        let (mut marvin, _) = marvin(pond).await;
        make(&mut marvin, &made(ROWLF, "rowlf"), &state(MANY, 3)).await;
        let mut angus = pond.marvin().await;
        let by_id = Target::Object(KERMIT);
        angus.say(&join(1, by_id)).await;
        settle().await;
        angus.say(&join(2, by_name("rowlf"))).await;
        angus.say(&part(3, KERMIT)).await;
        let (_, others) = until_told(&mut angus, KERMIT).await;
        assert!(matches!(&others[..], [Frame::Refused(refused)]
            if (refused.request, &refused.refusal) == (1, &Refusal::NotJoined)));
        angus.done(3).await;
        joined(&mut angus, ROWLF, &state(MANY, 3)).await;
        angus.say(&join(4, by_name("kermit"))).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
    });
}

#[test]
fn who_waits_for_the_state_of_an_object_that_ends_is_told_so() {
    in_pond(async |pond| {
        let (mut marvin, _) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        settle().await;
        marvin.say(&destroy(9, KERMIT)).await;
        let (_, others) = until_told(&mut angus, KERMIT).await;
        assert!(matches!(&others[..], [Frame::Refused(refused)]
            if refused.refusal == Refusal::Gone));
    });
}

#[cfg(feature = "testing")]
#[test]
fn after_a_panic_a_state_that_was_on_its_way_arrives_all_the_same() {
    in_pond(async |pond| {
        let (mut marvin, _) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        settle().await;
        assert!(pond.hub.sabotage(KERMIT, actix_multiplex::testing::Trouble::Handler).await);
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Rejoin);
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        marvin.say(&join(2, by_name("kermit"))).await;
        joined(&mut marvin, KERMIT, &state(MANY, 1)).await;
    });
}

/// Shouts until it is asked for its state, and tells it then, in pieces with shouts between them.
async fn fill_and_tell(raw: &mut Raw, epoch: Epoch, from: u64, state: &[u8]) -> u64 {
    let large = |op| with_payload(&shout(KERMIT, op), &vec![7; 60_000]);
    let mut op = from;
    let at = loop {
        raw.say_bytes(&large(op)).await;
        raw.batch().await;
        if let Ok(asked) = tokio::time::timeout(Duration::from_millis(1), raw.hear()).await {
            assert_eq!(asked.frame_type(), FrameType::SnapshotWanted);
            break op;
        }
        op += 1;
    };
    for piece in pieces(KERMIT, state) {
        op += 1;
        raw.say_bytes(&[piece, shout(KERMIT, op).bytes()].concat()).await;
        raw.batch().await;
    }
    let at = Some(Cursor { epoch, seq: Seq(at) });
    raw.say(&Snapshot { object: KERMIT, at, state: StateIs::Pieces, carried: Vec::new() }).await;
    settle().await;
    op
}

#[test]
fn g4_a_state_told_in_pieces_among_shouts_takes_the_place_of_the_one_before() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin(pond).await;
        let last = fill_and_tell(&mut marvin, epoch, 1, &state(MANY, 2)).await;
        let mut angus = joiner(pond).await;
        let told = joined(&mut angus, KERMIT, &state(MANY, 2)).await;
        assert_eq!(told.last, Seq(last));
        assert_eq!(angus.batch().await.first_seq, told.start.seq.next());
    });
}

#[test]
fn g2_who_is_overtaken_while_it_takes_a_state_has_it_and_is_told_of_the_next_one() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        settle().await;
        let last = fill_and_tell(&mut marvin, epoch, 1, &state(MANY, 2)).await;
        let told = joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        assert_eq!((told.start.seq, told.last), (Seq(0), Seq(last)));
        let (newer, mut others) = until_told(&mut angus, KERMIT).await;
        assert!(newer == state(MANY, 2));
        let Some(Frame::Resynced(Resynced { start, resync, state, .. }, _)) = others.pop() else {
            panic!("not told: {others:?}")
        };
        let missed = Resync { reason: ResyncReason::Missed, from: Seq(1), to: start.seq };
        assert_eq!((resync, state), (missed, StateIs::Pieces));
        assert_eq!(angus.batch().await.first_seq, start.seq.next());
    });
}

#[test]
fn g2_who_has_fallen_behind_a_large_state_is_given_it_in_pieces() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        let (mut last, mut bytes) = (0, 0);
        for salt in 2..5 {
            bytes += TAIL_BYTES_MAX / 2;
            last = fill_and_tell(&mut marvin, epoch, last + 1, &state(MANY, salt)).await;
        }
        assert!(bytes > TAIL_BYTES_MAX);
        let (newest, others) = until_told(&mut angus, KERMIT).await;
        assert!(newest == state(MANY, 4));
        let Some(Frame::Resynced(resynced, _)) = others.last() else { panic!("{others:?}") };
        let mut seq = resynced.start.seq.next();
        while seq <= Seq(last) {
            let batch = angus.batch().await;
            assert_eq!(batch.first_seq, seq);
            seq = seq.plus(batch.count.into());
        }
        marvin.say(&shout(KERMIT, last + 1)).await;
        assert_eq!(angus.batch().await.first_seq, Seq(last + 1));
    });
}

#[test]
fn who_was_not_asked_tells_a_large_state_for_nothing() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin(pond).await;
        marvin.say(&shout(KERMIT, 1)).await;
        marvin.batch().await;
        marvin.say_bytes(&pieces(KERMIT, &state(MANY, 2)).concat()).await;
        let at = Some(Cursor { epoch, seq: Seq(1) });
        marvin.say(&Snapshot { object: KERMIT, at, state: StateIs::Pieces, carried: vec![] }).await;
        marvin.say(&attach(2, by_name("kermit"))).await;
        marvin.let_in().await;
        assert_eq!(marvin.outcome(KERMIT, 1).await, Verdict::Sequenced { seq: Seq(1), count: 1 });
        let mut angus = joiner(pond).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
    });
}

/// What comes next, if anything does.
async fn next(raw: &mut Raw) -> Option<Frame> {
    tokio::time::timeout(Duration::from_secs(1), raw.hear()).await.ok()
}

/// It is let in under this request, whatever comes before that.
async fn let_in_at_last(raw: &mut Raw, request: u32) {
    loop {
        match next(raw).await {
            Some(Frame::Joined(joined, _)) => return assert_eq!(joined.request, request),
            Some(_) => {}
            None => panic!("never let in"),
        }
    }
}

#[test]
fn g9_who_asks_for_more_while_it_joins_once_more_is_answered_behind_that() {
    in_pond(async |pond| {
        let (_marvin, epoch) = marvin(pond).await;
        let mut angus = joiner(pond).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        angus.say(&join(2, by_name("kermit"))).await;
        settle().await;
        angus.say(&Pull { object: KERMIT, cursor: Some(Cursor { epoch, seq: Seq(0) }) }).await;
        settle().await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        assert!(matches!(next(&mut angus).await, Some(Frame::Pulled(pulled)) if pulled.current));
    });
}

#[test]
fn shouts_behind_a_join_that_is_called_off_are_refused() {
    in_pond(async |pond| {
        let (_marvin, _) = marvin(pond).await;
        let mut angus = pond.marvin().await;
        angus.say(&join(1, Target::Object(KERMIT))).await;
        angus.say(&shout(KERMIT, 1)).await;
        settle().await;
        angus.say(&part(3, KERMIT)).await;
        let (_, others) = until_told(&mut angus, KERMIT).await;
        assert!(matches!(&others[..], [Frame::Refused(refused)] if refused.request == 1));
        assert!(matches!(angus.outcome(KERMIT, 1).await, Verdict::Refused { .. }));
        angus.done(3).await;
    });
}

#[test]
fn g9_a_leaf_without_room_for_its_state_keeps_no_other_from_theirs() {
    in_pond(async |pond| {
        let (mut marvin, epoch) = marvin(pond).await;
        let mut other = pond.marvin().await;
        make(&mut other, &made(ROWLF, "rowlf"), &state(MANY, 3)).await;
        let mut angus = joiner(pond).await;
        joined(&mut angus, KERMIT, &state(MANY, 1)).await;
        let mut last = 0;
        for salt in 2..5 {
            last = fill_and_tell(&mut marvin, epoch, last + 1, &state(MANY, salt)).await;
        }
        while !matches!(angus.hear().await, Frame::StatePiece(..)) {}
        angus.say(&Pull { object: KERMIT, cursor: None }).await;
        angus.say(&join(2, by_name("rowlf"))).await;
        let_in_at_last(&mut angus, 2).await;
        // When there is room, it is told all the same.
        angus.say(&Pull { object: KERMIT, cursor: Some(Cursor { epoch, seq: Seq(0) }) }).await;
        let (newest, others) = until_told(&mut angus, KERMIT).await;
        assert!(newest == state(MANY, 4) && matches!(others.last(), Some(Frame::Resynced(..))));
    });
}

#[test]
fn g9_frames_that_are_dropped_behind_a_part_stop_nobody() {
    const ROBIN: ObjectId = ObjectId([7; 16]);
    in_pond(async |pond| {
        let (mut marvin, _) = marvin(pond).await;
        for (object, name) in [(ROWLF, "rowlf"), (ROBIN, "robin")] {
            marvin.say(&create(object, Some(name))).await;
            marvin.let_in().await;
        }
        let mut angus = pond.marvin().await;
        for (request, name) in [(1, "rowlf"), (2, "robin")] {
            angus.say(&join(request, by_name(name))).await;
            angus.let_in().await;
        }
        // It keeps a place there for its outcomes.
        angus.say(&shout(ROWLF, 1)).await;
        angus.batch().await;
        marvin.batch().await;
        for object in [ROWLF, ROBIN] {
            for op in 1..=20 {
                let large = with_payload(&shout(object, op), &vec![7; 60_000]);
                marvin.say_bytes(&large).await;
                marvin.batch().await;
            }
            if object == ROWLF {
                angus.say(&part(3, ROWLF)).await;
                settle().await;
            }
        }
        angus.say(&join(4, by_name("kermit"))).await;
        let_in_at_last(&mut angus, 4).await;
    });
}
