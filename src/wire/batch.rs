//! Batches: shouts in their order, encoded once, the same bytes for every leaf and every hop.

mod row;

use bytes::{BufMut, Bytes};
use serde::{Deserialize, Serialize};

use self::row::Row;
use super::{
    FrameError, FrameType,
    codec::{bounded, put_varint, written_bytes},
};
use crate::{
    limits::{self, BATCH_SESSIONS_MAX, FRAME_BYTES_MAX},
    object::{Carried, Epoch, Kind, ObjectId, Op, Seq, SessionId},
};

/// The most bytes that a batch's header can have with a table of one session: what stands between
/// the shouts and the frame's limit.
const HEADER_BYTES: usize = 1 + 16 + 8 + 10 + 10 + 3 + 3;
/// The most bytes of a row of the table of sessions.
const SESSION_BYTES: usize = 16 + 10;
/// The most bytes of a shout beside its payload and its carried objects.
const SHOUT_BYTES: usize = 2 + 10 + 3 + 1 + 3;

#[derive(Serialize, Deserialize)]
struct Header {
    object: ObjectId,
    epoch: Epoch,
    first_seq: Seq,
    hub_time_ms: u64,
    #[serde(deserialize_with = "bounded::<_, _, BATCH_SESSIONS_MAX>")]
    sessions: Vec<(SessionId, Op)>,
    count: u16,
}

impl Header {
    /// The whole frame, with its length prefix. By hand, since it is made for every turn: postcard
    /// writes the same.
    fn encode_with(&self, body: &[u8]) -> Bytes {
        let room = HEADER_BYTES + self.sessions.len() * SESSION_BYTES + body.len();
        let mut frame = Vec::with_capacity(4 + room);
        frame.extend_from_slice(&[0, 0, 0, 0, FrameType::Batch as u8]);
        frame.extend_from_slice(&self.object.0);
        frame.extend_from_slice(&self.epoch.0);
        put_varint(&mut frame, self.first_seq.0);
        put_varint(&mut frame, self.hub_time_ms);
        put_varint(&mut frame, self.sessions.len() as u64);
        for (session, op) in &self.sessions {
            frame.extend_from_slice(&session.0);
            put_varint(&mut frame, op.0);
        }
        put_varint(&mut frame, self.count.into());
        frame.extend_from_slice(body);
        super::frame::close(frame)
    }
}

/// Makes a batch, shout by shout.
#[derive(Debug)]
pub struct BatchBuilder {
    object: ObjectId,
    epoch: Epoch,
    first_seq: Seq,
    sessions: Vec<(SessionId, Op)>,
    recent: usize,
    count: u16,
    body: Vec<u8>,
}

impl BatchBuilder {
    /// A batch of `object` without shouts; the first will have `first_seq`.
    pub fn new(object: ObjectId, epoch: Epoch, first_seq: Seq) -> Self {
        let (sessions, body) = (Vec::new(), Vec::new());
        Self { object, epoch, first_seq, sessions, recent: 0, count: 0, body }
    }

    /// Whether a shout with `bytes` of payload and `carried` objects still fits.
    pub fn has_room(&self, bytes: usize, carried: &[Carried]) -> bool {
        let sessions = (self.sessions.len() + 1) * SESSION_BYTES;
        let shout = SHOUT_BYTES + bytes + Carried::bytes_of(carried);
        self.sessions.len() < BATCH_SESSIONS_MAX
            && self.count < u16::MAX
            && HEADER_BYTES + sessions + self.body.len() + shout <= FRAME_BYTES_MAX
    }

    /// Adds the next shout, which [`has_room`](Self::has_room). The ops of a session ascend.
    pub fn push(
        &mut self,
        session: SessionId,
        op: Op,
        kind: Kind,
        carried: &[Carried],
        payload: &[u8],
    ) {
        let index = self.index_of(session, op);
        put_varint(&mut self.body, index as u64);
        put_varint(&mut self.body, op.0 - self.sessions[index].1.0);
        put_varint(&mut self.body, kind.0.into());
        self.put_carried(carried);
        put_varint(&mut self.body, payload.len() as u64);
        self.body.put_slice(payload);
        self.count += 1;
    }

    /// The seq that the next shout will have.
    pub fn next_seq(&self) -> Seq {
        self.first_seq.plus(self.count.into())
    }

    /// How many shouts are in it.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// The whole frame with its length prefix; the builder goes on with an empty batch after it.
    ///
    /// # Panics
    /// When more was pushed than [`has_room`](Self::has_room).
    pub fn seal(&mut self, hub_time_ms: u64) -> Bytes {
        let header = Header {
            object: self.object,
            epoch: self.epoch,
            first_seq: self.first_seq,
            hub_time_ms,
            sessions: std::mem::take(&mut self.sessions),
            count: self.count,
        };
        let frame = header.encode_with(&self.body);
        self.first_seq = self.next_seq();
        self.count = 0;
        self.recent = 0;
        self.body.clear();
        frame
    }

    fn index_of(&mut self, session: SessionId, op: Op) -> usize {
        let is_it = |(known, _): &(SessionId, Op)| *known == session;
        if self.sessions.get(self.recent).is_some_and(is_it) {
            return self.recent;
        }
        self.recent = self.sessions.iter().position(is_it).unwrap_or_else(|| {
            self.sessions.push((session, op));
            self.sessions.len() - 1
        });
        self.recent
    }

    fn put_carried(&mut self, carried: &[Carried]) {
        if carried.is_empty() {
            return self.body.put_u8(0);
        }
        self.body.put_u8(1);
        let list = postcard::to_stdvec(carried).expect("ids and tags are plain data");
        self.body.put_slice(&list);
    }
}

/// A batch as received. Its shouts are decoded as they are taken; that they can be was checked
/// when the frame was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The object.
    pub object: ObjectId,
    /// Its history.
    pub epoch: Epoch,
    /// The seq of the first shout.
    pub first_seq: Seq,
    /// When the home hub sent it out, in milliseconds since 1970 by its clock.
    pub hub_time_ms: u64,
    /// The sessions that shouted, with the first op of each in this batch.
    pub sessions: Vec<(SessionId, Op)>,
    /// How many shouts there are.
    pub count: u16,
    body: Bytes,
    carries: bool,
}

/// One shout of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shouted {
    /// Its place in the object's order.
    pub seq: Seq,
    /// Who shouted it, as an index into [`Batch::sessions`].
    pub session: usize,
    /// The session's count of shouts at the object.
    pub op: Op,
    /// The number of the message in the interface.
    pub kind: Kind,
    /// The objects that the payload carries.
    pub carried: Vec<Carried>,
    /// The message.
    pub payload: Bytes,
}

impl Batch {
    /// Reads what follows the frame type.
    pub(super) fn decode(bytes: &Bytes) -> Result<Self, FrameError> {
        let malformed = || FrameError::Header { frame: FrameType::Batch, bytes: bytes.len() + 1 };
        let (header, body) = postcard::take_from_bytes::<Header>(bytes).map_err(|_| malformed())?;
        if written_bytes(&header) != bytes.len() - body.len() {
            return Err(malformed());
        }
        let mut batch = Self {
            object: header.object,
            epoch: header.epoch,
            first_seq: header.first_seq,
            hub_time_ms: header.hub_time_ms,
            sessions: header.sessions,
            count: header.count,
            body: bytes.slice(bytes.len() - body.len()..),
            carries: false,
        };
        let (left, ops_fit, carries) = batch.scan().ok_or_else(malformed)?;
        if left > 0 {
            let frame = FrameType::Batch;
            return Err(FrameError::LeftOver { frame, left });
        }
        batch.check(ops_fit)?;
        batch.carries = carries;
        Ok(batch)
    }

    /// The whole frame, with its length prefix.
    pub(super) fn encode(&self) -> Bytes {
        let header = Header {
            object: self.object,
            epoch: self.epoch,
            first_seq: self.first_seq,
            hub_time_ms: self.hub_time_ms,
            sessions: self.sessions.clone(),
            count: self.count,
        };
        header.encode_with(&self.body)
    }

    /// The last seq in it.
    pub fn last_seq(&self) -> Seq {
        Seq((self.first_seq.0 + u64::from(self.count)).saturating_sub(1))
    }

    /// Whether any of its shouts carries objects.
    pub fn carries(&self) -> bool {
        self.carries
    }

    /// Bytes that it takes while it is held, about: its shouts, and what stands round them.
    pub fn bytes(&self) -> usize {
        self.body.len() + self.sessions.len() * SESSION_BYTES + limits::BATCH_BYTES_MIN
    }

    /// Its shouts, in order.
    pub fn shouts(&self) -> impl Iterator<Item = Shouted> + '_ {
        let mut at = 0;
        (0..u64::from(self.count)).map_while(move |place| self.take(&mut at, place))
    }

    /// The shout at byte `at` of the body, which is the `place`th; moves `at` behind it.
    pub fn take(&self, at: &mut usize, place: u64) -> Option<Shouted> {
        let row = self.row(at)?;
        Some(Shouted {
            seq: self.first_seq.plus(place),
            session: row.session,
            op: self.sessions.get(row.session)?.1.plus(row.op_offset),
            kind: row.kind,
            carried: row.carried(&self.body),
            payload: self.body.slice(row.payload),
        })
    }

    /// The ops of the session at `index` of the table, with the seqs that they were given.
    pub(crate) fn ops_of(&self, index: usize) -> impl Iterator<Item = (Op, Seq)> + '_ {
        let mut at = 0;
        let (_, first) = self.sessions[index];
        let rows =
            (0..u64::from(self.count)).map_while(move |place| Some((place, self.row(&mut at)?)));
        rows.filter(move |(_, row)| row.session == index)
            .map(move |(place, row)| (first.plus(row.op_offset), self.first_seq.plus(place)))
    }

    /// What the payloads lie in, at the places that [`row`](Self::row) tells.
    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    /// The shout at byte `at` of the body; moves `at` behind it.
    #[inline]
    pub(crate) fn row(&self, at: &mut usize) -> Option<Row> {
        Row::read(&self.body, at)
    }

    /// Goes through the shouts: how many bytes are left behind the last, whether all ops are
    /// numbers, and whether anything is carried. `None` when one of the shouts is malformed.
    fn scan(&self) -> Option<(usize, bool, bool)> {
        let (mut at, mut ops_fit, mut carries) = (0, true, false);
        for _ in 0..self.count {
            let row = self.row(&mut at)?;
            let (_, first) = self.sessions.get(row.session)?;
            ops_fit &= first.0.checked_add(row.op_offset).is_some();
            carries |= !row.carried.is_empty();
        }
        Some((self.body.len() - at, ops_fit, carries))
    }

    fn check(&self, ops_fit: bool) -> Result<(), FrameError> {
        let last_seq = self.first_seq.0.checked_add(self.count.into());
        let what = match self {
            Self { count: 0, .. } => "a batch has at least one shout",
            Self { first_seq: Seq(0), .. } => "seqs count from 1",
            _ if last_seq.is_none() => "the seqs overflow",
            _ if self.sessions.iter().any(|(_, first)| *first == Op(0)) => "ops count from 1",
            _ if !ops_fit => "the ops overflow",
            _ => return Ok(()),
        };
        let frame = FrameType::Batch;
        Err(FrameError::Nonsense { frame, what })
    }
}

#[cfg(test)]
mod tests {
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
            (4, 1, &[2]),
            (5, 1, &[6]),
            (5, 1, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            let mut wrong = bytes.clone();
            wrong.splice(row + at..row + at + bytes_of, other.iter().copied());
            let malformed = Batch::decode(&wrong.into());
            assert!(
                matches!(malformed, Err(FrameError::Header { .. })),
                "{other:?}: {malformed:?}"
            );
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
}
