//! Batches: shouts in their order, encoded once, the same bytes for every leaf and every hop.

mod peek;
mod row;

use bytes::{BufMut, Bytes};
use serde::{Deserialize, Serialize};

pub(crate) use self::peek::{first_seq_of, object_of};
use self::row::Row;
use super::{
    Frame, FrameError, FrameType, Split,
    codec::{bounded, put_varint, split, written_bytes},
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
        self.push_asking(session, op, kind, carried, payload, false);
    }

    /// As [`push`](Self::push); `asks`: the leaves are to say when they are done with it.
    pub fn push_asking(
        &mut self,
        session: SessionId,
        op: Op,
        kind: Kind,
        carried: &[Carried],
        payload: &[u8],
        asks: bool,
    ) {
        let index = self.index_of(session, op);
        put_varint(&mut self.body, index as u64);
        put_varint(&mut self.body, op.0 - self.sessions[index].1.0);
        put_varint(&mut self.body, kind.0.into());
        self.put_carried(carried, asks);
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

    fn put_carried(&mut self, carried: &[Carried], asks: bool) {
        self.body.put_u8(u8::from(!carried.is_empty()) | u8::from(asks) << 1);
        if carried.is_empty() {
            return;
        }
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
    asks: bool,
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
    /// Whether the leaves are to say when they are done with it.
    pub asks: bool,
    /// The objects that the payload carries.
    pub carried: Vec<Carried>,
    /// The message.
    pub payload: Bytes,
}

/// The batch that a whole frame with its length prefix is.
pub(crate) fn batch_in(frame: &Bytes) -> Option<Batch> {
    let is_whole = split(frame).ok()? == Split::Whole(frame.len());
    match Frame::decode(&frame.slice(4..)).ok()? {
        Frame::Batch(batch) if is_whole => Some(batch),
        _ => None,
    }
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
            asks: false,
        };
        let (left, ops_fit) = batch.scan().ok_or_else(malformed)?;
        if left > 0 {
            let frame = FrameType::Batch;
            return Err(FrameError::LeftOver { frame, left });
        }
        batch.check(ops_fit)?;
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

    /// Whether any of its shouts asks the leaves to say when they are done with it.
    pub fn asks(&self) -> bool {
        self.asks
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
            asks: row.asks,
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

    /// Goes through the shouts: how many bytes are left behind the last, and whether all ops are
    /// numbers. Notes whether anything is carried, or asked. `None` when one of them is malformed.
    fn scan(&mut self) -> Option<(usize, bool)> {
        let (mut at, mut ops_fit, mut carries, mut asks) = (0, true, false, false);
        for _ in 0..self.count {
            let row = self.row(&mut at)?;
            let (_, first) = self.sessions.get(row.session)?;
            ops_fit &= first.0.checked_add(row.op_offset).is_some();
            carries |= !row.carried.is_empty();
            asks |= row.asks;
        }
        (self.carries, self.asks) = (carries, asks);
        Some((self.body.len() - at, ops_fit))
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
mod tests;
