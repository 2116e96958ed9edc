//! Batches: what is pushed comes out, and what is none is an error.

use super::*;

const OBJECT: ObjectId = ObjectId([1; 16]);
const ALEC: SessionId = SessionId([2; 16]);
const AMY: SessionId = SessionId([3; 16]);

fn builder() -> BatchBuilder {
    BatchBuilder::new(OBJECT, Epoch([9; 8]), Seq(1))
}

fn decode(frame: &Bytes) -> Batch {
    Batch::decode(&frame.slice(5..)).expect("is a batch")
}

#[test]
fn what_is_pushed_comes_out_in_order_with_its_seqs() {
    let carried = Carried { object: OBJECT, tag: "blot".parse().expect("ok"), seq: Seq(4) };
    let mut builder = builder();
    builder.push(ALEC, Op(7), Kind(1), &[], b"croak");
    builder.push(AMY, Op(1), Kind(300), std::slice::from_ref(&carried), b"");
    builder.push(ALEC, Op(8), Kind(1), &[], b"hop");
    let batch = decode(&builder.seal(1_000));

    assert_eq!((batch.count, batch.last_seq(), batch.hub_time_ms), (3, Seq(3), 1_000));
    assert_eq!(batch.sessions, [(ALEC, Op(7)), (AMY, Op(1))]);
    let shouts: Vec<_> = batch.shouts().collect();
    let ops: Vec<_> = shouts.iter().map(|shout| (shout.seq, shout.session, shout.op)).collect();
    assert_eq!(ops, [(Seq(1), 0, Op(7)), (Seq(2), 1, Op(1)), (Seq(3), 0, Op(8))]);
    assert_eq!(shouts[1].carried, [carried]);
    assert_eq!(shouts[2].payload, "hop");
}

#[test]
fn a_header_is_written_as_postcard_writes_it() {
    for (number, count) in [(1, 1), (127, 128), (1 << 34, 300), (u64::MAX, u16::MAX)] {
        let table = [(ALEC, Op(number)), (AMY, Op(number / 2))];
        for sessions in [vec![], table[..1].to_vec(), table.repeat(100)] {
            let (object, epoch) = (OBJECT, Epoch([9; 8]));
            let (first_seq, hub_time_ms) = (Seq(number), number / 3);
            let header = Header { object, epoch, first_seq, hub_time_ms, sessions, count };
            let theirs = postcard::to_stdvec(&header).expect("is plain data");
            let ours = header.encode_with(b"body");
            assert_eq!(ours[4..], [&[FrameType::Batch as u8], &theirs[..], b"body"].concat());
        }
    }
}

#[test]
fn a_sealed_builder_goes_on_with_the_next_seq_and_a_new_table() {
    let mut builder = builder();
    builder.push(ALEC, Op(1), Kind(1), &[], b"");
    builder.seal(0);
    builder.push(AMY, Op(1), Kind(1), &[], b"");
    let batch = decode(&builder.seal(0));
    assert_eq!((batch.first_seq, batch.sessions.len()), (Seq(2), 1));
}

#[test]
fn from_16_shouts_of_a_session_on_a_shout_takes_at_most_12_bytes_beside_its_payload() {
    for (kind, op, seq, payload) in
        [(1, 1, 1, 64), (u16::MAX, 1 << 34, 1 << 34, 64), (u16::MAX, 1 << 34, 1 << 34, 4_000)]
    {
        let mut builder = BatchBuilder::new(OBJECT, Epoch([9; 8]), Seq(seq));
        for place in 0..16 {
            builder.push(ALEC, Op(op + place), Kind(kind), &[], &vec![0; payload]);
        }
        let bytes = builder.seal(1_800_000_000_000).len();
        assert!(bytes <= 16 * (payload + 12), "{} a shout", bytes / 16 - payload);
    }
}

#[test]
fn a_batch_with_room_for_a_shout_stays_within_a_frame() {
    let mut builder = builder();
    let mut op = 0;
    while builder.has_room(100, &[]) {
        op += 1;
        let session = SessionId([(op % 256) as u8; 16]);
        builder.push(session, Op(op), Kind(1), &[], &[0; 100]);
    }
    let frame = builder.seal(u64::MAX);
    assert!(frame.len() <= 4 + FRAME_BYTES_MAX && frame.len() > FRAME_BYTES_MAX - 4_000);
    assert_eq!(u64::from(decode(&frame).count), op);
}

#[test]
fn the_largest_shout_fits_an_empty_batch() {
    let tag: crate::object::Tag = "t".repeat(64).parse().expect("ok");
    let carried = vec![Carried { object: OBJECT, tag, seq: Seq(u64::MAX) }; 64];
    let payload = limits::SHOUT_BYTES_MAX - Carried::bytes_of(&carried);
    assert!(builder().has_room(payload, &carried));
    assert!(builder().has_room(limits::SHOUT_BYTES_MAX, &[]));
}

#[test]
fn a_batch_cut_short_or_with_bytes_left_over_or_empty_is_an_error() {
    let mut builder = builder();
    builder.push(ALEC, Op(1), Kind(1), &[], b"croak");
    let frame = builder.seal(0);
    let whole = frame.slice(5..);
    assert!(Batch::decode(&whole).is_ok());
    for end in 0..whole.len() {
        assert!(Batch::decode(&whole.slice(..end)).is_err(), "cut at {end}");
    }
    let longer = Bytes::from([&whole[..], &[0]].concat());
    let left_over = FrameError::LeftOver { frame: FrameType::Batch, left: 1 };
    assert_eq!(Batch::decode(&longer), Err(left_over));
    let empty = Batch::decode(&self::builder().seal(0).slice(5..));
    assert!(matches!(empty, Err(FrameError::Nonsense { .. })), "{empty:?}");
}

#[test]
fn an_index_beyond_the_table_is_an_error() {
    let mut builder = builder();
    builder.push(ALEC, Op(1), Kind(1), &[], b"");
    let mut bytes = builder.seal(0).slice(5..).to_vec();
    let row = bytes.len() - 5;
    assert_eq!(bytes[row..], [0, 0, 1, 0, 0]);
    bytes[row] = 1;
    assert!(Batch::decode(&bytes.into()).is_err());
}

#[test]
fn a_number_of_a_shout_with_more_bytes_than_it_needs_or_beyond_its_type_is_an_error() {
    let mut builder = builder();
    builder.push(ALEC, Op(1), Kind(300), &[], b"croak");
    let bytes = builder.seal(0).slice(5..).to_vec();
    let row = bytes.len() - 11;
    assert_eq!(bytes[row..row + 5], [0, 0, 0xac, 2, 0]);
    for (at, bytes_of, other) in [
        (0, 1, &[0x80, 0][..]),
        (1, 1, &[0x80, 0]),
        (2, 2, &[0xac, 0x82, 0]),
        (5, 1, &[0x85, 0]),
        (0, 1, &[0x80, 0x80, 4]),
        (2, 2, &[0x80, 0x80, 4]),
        (4, 1, &[4]),
        (5, 1, &[6]),
        (5, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
    ] {
        let mut wrong = bytes.clone();
        wrong.splice(row + at..row + at + bytes_of, other.iter().copied());
        let malformed = Batch::decode(&wrong.into());
        assert!(matches!(malformed, Err(FrameError::Header { .. })), "{other:?}: {malformed:?}");
    }
}

#[test]
fn an_op_beyond_all_numbers_and_an_empty_list_are_errors() {
    let mut builder = builder();
    builder.push(ALEC, Op(u64::MAX), Kind(1), &[], b"");
    let bytes = builder.seal(0).slice(5..).to_vec();
    let offset = bytes.len() - 4;
    assert!(Batch::decode(&bytes.clone().into()).is_ok());

    let mut beyond = bytes.clone();
    beyond[offset] = 1;
    let what = "the ops overflow";
    let frame = FrameType::Batch;
    assert_eq!(Batch::decode(&beyond.into()), Err(FrameError::Nonsense { frame, what }));

    let mut carries_nothing = bytes;
    carries_nothing.splice(offset + 2..offset + 3, [1, 0]);
    let malformed = Batch::decode(&carries_nothing.into());
    assert!(matches!(malformed, Err(FrameError::Header { .. })), "{malformed:?}");
}

#[test]
fn a_shout_that_asks_says_so_in_its_row_and_the_others_are_written_as_ever() {
    let carried = [Carried { object: OBJECT, tag: "blot".parse().expect("ok"), seq: Seq(4) }];
    let (mut plain, mut asking) = (builder(), builder());
    for builder in [&mut plain, &mut asking] {
        builder.push(ALEC, Op(1), Kind(1), &[], b"croak");
    }
    assert_eq!(plain.seal(0), asking.seal(0));
    asking.push_asking(ALEC, Op(2), Kind(1), &[], b"croak", true);
    asking.push_asking(ALEC, Op(3), Kind(1), &carried, b"croak", true);
    asking.push(ALEC, Op(4), Kind(1), &carried, b"croak");
    let batch = decode(&asking.seal(0));
    let rows: Vec<_> = batch.shouts().map(|shout| (shout.asks, shout.carried.len())).collect();
    assert_eq!(rows, [(true, 0), (true, 1), (false, 1)]);
    assert!(batch.asks() && batch.carries());
}
