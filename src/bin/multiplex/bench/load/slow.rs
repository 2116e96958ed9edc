//! A leaf that reads too slowly, among others that are shouted at at a steady pace.
//!
//! Beside the crowd there are two more leaves, each in a thread of its own: one that hears
//! everything and tells the hub the state when it is asked, and the slow one. In the end the slow one
//! reads on, and both have to agree.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle, sleep},
    time::{Duration, Instant},
};

use actix_multiplex::{
    Cursor, Epoch, Seq,
    wire::{Batch, Frame, Snapshot, StateIs, encode_with},
};
use rustix::net::sockopt::set_socket_recv_buffer_size;

use super::{
    super::{
        Wrong,
        job::{Job, Reading, Sample},
        machine::resident_bytes,
    },
    crowd::Crowd,
    flood::read_payload,
    multiplex::{NAME, create, fine, frames, greet, join, object},
    paced,
};

/// Shouts at this pace, and measures how long each takes to be heard by its shouter and by some others.
pub(super) fn run(job: &Job, per_s: u32, reading: Reading) -> Result<Sample, Wrong> {
    let before = resident_bytes(job.servers[0])?;
    let goal = Arc::new(Goal::default());
    let teller = Leaf::enter(job, true)?.start(Reading::All, job, per_s, &goal);
    let slow = Leaf::enter(job, false)?.start(reading, job, per_s, &goal);
    let others = Job { leaves: job.leaves - 2, ..job.clone() };
    let mut crowd = Crowd::enter(&others, 1)?;
    crowd.listen_to(EARS);
    let (sample, shouts) = paced::measure(&mut crowd, job, per_s)?;
    let held = resident_bytes(job.servers[0])?;
    goal.set(shouts);
    let (teller, slow) = (end(teller)?, end(slow)?);
    let held = held.max(resident_bytes(job.servers[0])?).saturating_sub(before);
    if slow.sum != teller.sum {
        return Err(format!("the slow leaf has {:?}, the other {:?}", slow.sum, teller.sum).into());
    }
    Ok(Sample { memory_bytes: Some(held as f64), resyncs: Some(slow.resyncs), ..sample })
}

/// How many shouts there are, when that is known.
#[derive(Debug, Default)]
struct Goal {
    shouts: AtomicU64,
    is_known: AtomicBool,
}

impl Goal {
    fn set(&self, shouts: u64) {
        self.shouts.store(shouts, Ordering::Release);
        self.is_known.store(true, Ordering::Release);
    }

    fn get(&self) -> Option<u64> {
        self.is_known.load(Ordering::Acquire).then(|| self.shouts.load(Ordering::Acquire))
    }
}

/// All that was heard: how much, and a hash of it in its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    hash: u64,
}

impl Sum {
    fn add(&mut self, payload: &[u8]) {
        self.count += 1;
        self.hash =
            self.hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ read_payload(payload).0;
    }

    fn write(self) -> Vec<u8> {
        [self.count.to_le_bytes(), self.hash.to_le_bytes()].concat()
    }

    fn read(state: &[u8]) -> Option<Self> {
        let (count, hash) = state.split_first_chunk()?;
        let hash = u64::from_le_bytes(*hash.first_chunk()?);
        Some(Self { count: u64::from_le_bytes(*count), hash })
    }
}

/// A leaf that knows what it has heard.
struct Leaf {
    stream: TcpStream,
    input: Vec<u8>,
    filled: usize,
    at: Cursor,
    sum: Sum,
    resyncs: u64,
}

impl Leaf {
    fn enter(job: &Job, is_first: bool) -> Result<Self, Wrong> {
        let mut stream = TcpStream::connect(job.address)?;
        // So that what is not read waits at the hub, and not here.
        set_socket_recv_buffer_size(&stream, RECEIVE_BYTES)?;
        stream.set_read_timeout(Some(PAUSE))?;
        greet(&mut stream)?;
        let state = Sum::default().write();
        let request = if is_first {
            create(1, object(0), Some(NAME.parse()?), Some(&state))
        } else {
            join(1, object(0))
        };
        stream.write_all(&request)?;
        let at = Cursor { epoch: Epoch([0; 8]), seq: Seq(0) };
        let (input, sum) = (vec![0; INPUT_BYTES], Sum::default());
        let mut leaf = Self { stream, input, filled: 0, at, sum, resyncs: 0 };
        let begin = Instant::now();
        while leaf.at.epoch == Epoch([0; 8]) {
            if begin.elapsed() > PATIENCE {
                return Err("a leaf was not let in".into());
            }
            leaf.read(INPUT_BYTES)?;
        }
        Ok(leaf)
    }

    /// Reads on in a thread of its own until it has all.
    fn start(
        mut self,
        reading: Reading,
        job: &Job,
        per_s: u32,
        goal: &Arc<Goal>,
    ) -> JoinHandle<Result<Self, String>> {
        let (goal, all) = (goal.clone(), job.bytes * per_s as usize);
        let bytes_per_s = match reading {
            Reading::All => None,
            Reading::Tenth => Some(all / 10),
            Reading::Nothing => Some(0),
        };
        thread::spawn(move || {
            self.hear(bytes_per_s, &goal).map_err(|it| it.to_string()).map(|()| self)
        })
    }

    fn hear(&mut self, bytes_per_s: Option<usize>, goal: &Goal) -> Result<(), Wrong> {
        let begin = Instant::now();
        let (mut read, mut alive) = (0, begin);
        let mut end_at = None;
        loop {
            if alive.elapsed() > Duration::from_secs(1) {
                self.stream.write_all(Frame::HEARTBEAT)?;
                alive = Instant::now();
            }
            let goal = goal.get();
            if goal.is_some_and(|shouts| self.sum.count >= shouts) {
                return Ok(());
            }
            let late = goal.map(|_| *end_at.get_or_insert_with(|| Instant::now() + PATIENCE));
            if late.is_some_and(|end_at| Instant::now() > end_at) {
                return Err(format!("a leaf has not got further than {:?}", self.sum).into());
            }
            let due = match bytes_per_s.filter(|_| goal.is_none()) {
                None => INPUT_BYTES,
                Some(bytes_per_s) => {
                    let ms = begin.elapsed().as_millis() as usize;
                    (bytes_per_s * ms / 1_000).saturating_sub(read)
                }
            };
            match due.min(INPUT_BYTES - self.filled) {
                0 => sleep(PAUSE),
                due => read += self.read(due)?,
            }
        }
    }

    /// Reads so many bytes at most, and hears the frames in them.
    fn read(&mut self, most: usize) -> Result<usize, Wrong> {
        let end = self.input.len().min(self.filled + most);
        let read = match self.stream.read(&mut self.input[self.filled..end]) {
            Ok(0) => return Err("it hung up on a leaf".into()),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => return Err(error.into()),
        };
        self.filled += read;
        let input = std::mem::take(&mut self.input);
        let taken = frames(&input[..self.filled], |frame| self.take(&frame))?;
        self.input = input;
        self.input.copy_within(taken..self.filled, 0);
        self.filled -= taken;
        Ok(read)
    }

    fn take(&mut self, frame: &Frame) -> Result<(), Wrong> {
        match frame {
            Frame::Joined(joined, _) => self.at = joined.start,
            Frame::Batch(batch) => self.add(batch)?,
            Frame::Resynced(resynced, state) => {
                self.at = resynced.start;
                self.sum = Sum::read(state).ok_or("a state that nobody has told")?;
                self.resyncs += 1;
            }
            Frame::SnapshotWanted(wanted) => {
                let (object, at) = (wanted.object, Some(self.at));
                let snapshot =
                    Snapshot { object, at, state: StateIs::Payload, carried: Vec::new() };
                self.stream.write_all(&encode_with(&snapshot, &self.sum.write()))?;
            }
            frame => fine(frame)?,
        }
        Ok(())
    }

    fn add(&mut self, batch: &Batch) -> Result<(), Wrong> {
        if batch.first_seq > self.at.seq.next() {
            return Err(format!("{} came behind {}", batch.first_seq, self.at.seq).into());
        }
        for shouted in batch.shouts().filter(|shouted| shouted.seq > self.at.seq) {
            self.sum.add(&shouted.payload);
        }
        self.at.seq = self.at.seq.max(batch.last_seq());
        Ok(())
    }
}

fn end(leaf: JoinHandle<Result<Leaf, String>>) -> Result<Leaf, Wrong> {
    Ok(leaf.join().map_err(|_| "a leaf has panicked")??)
}

/// Leaves beside the shouter whose hearing is measured.
const EARS: usize = 7;
const RECEIVE_BYTES: usize = 1 << 16;
/// Room for a whole frame behind a part of one.
const INPUT_BYTES: usize = 1 << 17;
const PAUSE: Duration = Duration::from_millis(20);
/// Longer than who was resynced has to wait for the next time.
const PATIENCE: Duration = Duration::from_secs(20);
