//! The connections of a load: one is listened to, or a few, the bytes of the others are counted and
//! dropped.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    io::Errno,
    net::{RecvFlags, recv},
};

use super::{
    super::{
        Wrong,
        job::{Job, Work},
    },
    speech::{Speech, speech},
};

/// Connections to one server.
pub(super) struct Crowd {
    epoll: OwnedFd,
    events: Vec<Event>,
    connections: Vec<Connection>,
    /// Those that are listened to, the first one first.
    ears: Vec<Ear>,
    /// Where dropped bytes would go.
    nowhere: Vec<u8>,
    alive_at: Instant,
}

/// What a connection has read and not yet heard.
struct Ear {
    place: usize,
    input: Vec<u8>,
    filled: usize,
}

struct Connection {
    stream: TcpStream,
    speech: Box<dyn Speech>,
    /// What is not sent yet.
    out: Vec<u8>,
    /// Whether the kernel takes no more of it for now.
    is_stuck: bool,
    /// Bytes that came and were dropped.
    dropped: u64,
}

impl Crowd {
    /// As many leaves as the job says, of so many objects.
    pub(super) fn enter(job: &Job, objects: usize) -> Result<Self, Wrong> {
        let epoll = epoll::create(CreateFlags::empty())?;
        let mut connections = Vec::with_capacity(job.leaves);
        for place in 0..job.leaves {
            let mut connection = Connection::open(job, place)?;
            connection.speech.enter(&mut connection.stream, objects)?;
            connection.stream.set_nonblocking(true)?;
            let data = EventData::new_u64(place as u64);
            epoll::add(&epoll, &connection.stream, data, EventFlags::IN)?;
            connections.push(connection);
        }
        Ok(Self {
            epoll,
            events: Vec::with_capacity(EVENTS),
            connections,
            ears: vec![Ear::new(0)],
            nowhere: vec![0; INPUT_BYTES],
            alive_at: Instant::now() + ALIVE_INTERVAL,
        })
    }

    /// Listens to so many of the others too, as far from each other as can be, the last one among them.
    pub(super) fn listen_to(&mut self, others: usize) {
        let last = self.len() - 1;
        self.ears.extend((1..=others.min(last)).map(|ear| Ear::new(last * ear / others)));
    }

    /// How many are listened to.
    pub(super) fn ears(&self) -> usize {
        self.ears.len()
    }

    /// Waits at most so long for something to come. What came for the first connection is heard,
    /// what came for others is dropped.
    pub(super) fn turn(
        &mut self,
        timeout: Duration,
        heard: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Wrong> {
        self.stay_alive()?;
        let timeout = Timespec { tv_sec: 0, tv_nsec: timeout.as_nanos() as i64 };
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), Some(&timeout)) {
            Err(Errno::INTR) => {}
            waited => drop(waited?),
        }
        let mut events = std::mem::take(&mut self.events);
        // Its own hearing is what the load waits for.
        if events.iter().any(|event| event.data.u64() == 0) {
            self.listen(0, heard)?;
        }
        for event in events.drain(..) {
            let (place, flags) = (event.data.u64() as usize, event.flags);
            if flags.contains(EventFlags::OUT) {
                self.send(place)?;
            }
            if place > 0 && flags.contains(EventFlags::IN) {
                self.drop_bytes(place)?;
            }
        }
        self.events = events;
        Ok(())
    }

    /// Hears what has come for one of the connections that are listened to; 0 is the first.
    pub(super) fn listen(&mut self, ear: usize, heard: &mut dyn FnMut(&[u8])) -> Result<(), Wrong> {
        let Ear { place, input, filled } = &mut self.ears[ear];
        let connection = &mut self.connections[*place];
        match connection.stream.read(&mut input[*filled..]) {
            Ok(0) => return Err("it hung up".into()),
            Ok(read) => *filled += read,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let taken = connection.speech.hear(&input[..*filled], heard)?;
        input.copy_within(taken..*filled, 0);
        *filled -= taken;
        Ok(())
    }

    /// Drops what has come for one that is not listened to.
    pub(super) fn drop_bytes(&mut self, place: usize) -> Result<(), Wrong> {
        if self.ears.iter().any(|ear| ear.place == place) {
            return Ok(());
        }
        let connection = &mut self.connections[place];
        let flags = RecvFlags::TRUNC | RecvFlags::DONTWAIT;
        match recv(&connection.stream, &mut self.nowhere[..], flags) {
            Ok((_, 0)) => Err(format!("it hung up on leaf {place}").into()),
            Ok((_, bytes)) => {
                connection.dropped += bytes as u64;
                Ok(())
            }
            Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a shout; [`send`](Self::send) sends it.
    pub(super) fn shout(&mut self, place: usize, object: usize, payload: &[u8]) {
        let Connection { speech, out, .. } = &mut self.connections[place];
        speech.shout(object, payload, out);
    }

    /// Sends what is written, as far as the kernel takes it.
    pub(super) fn send(&mut self, place: usize) -> Result<(), Wrong> {
        let connection = &mut self.connections[place];
        let was_stuck = connection.is_stuck;
        connection.write()?;
        if connection.is_stuck != was_stuck {
            let out = if was_stuck { EventFlags::empty() } else { EventFlags::OUT };
            let data = EventData::new_u64(place as u64);
            epoll::modify(&self.epoll, &connection.stream, data, EventFlags::IN | out)?;
        }
        Ok(())
    }

    /// How many bytes have come for that of the other leaves which got the fewest, if there are any.
    pub(super) fn least(&self) -> Option<u64> {
        self.connections.iter().skip(1).map(|leaf| leaf.dropped).min()
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Says what each connection has to say now and then.
    pub(super) fn stay_alive(&mut self) -> Result<(), Wrong> {
        if Instant::now() < self.alive_at {
            return Ok(());
        }
        self.alive_at = Instant::now() + ALIVE_INTERVAL;
        for place in 0..self.connections.len() {
            let Connection { speech, out, .. } = &mut self.connections[place];
            out.extend_from_slice(speech.alive());
            self.send(place)?;
        }
        Ok(())
    }
}

impl Ear {
    fn new(place: usize) -> Self {
        Self { place, input: vec![0; INPUT_BYTES], filled: 0 }
    }
}

impl Connection {
    fn open(job: &Job, place: usize) -> Result<Self, Wrong> {
        let stream = TcpStream::connect(job.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        // Where one leaf is slow, another one beside the crowd has made the object.
        let is_made = matches!(job.work, Work::Slow { .. });
        let speech = speech(job.protocol, place + usize::from(is_made));
        Ok(Self { stream, speech, out: Vec::new(), is_stuck: false, dropped: 0 })
    }

    fn write(&mut self) -> Result<(), Wrong> {
        self.is_stuck = false;
        if self.out.is_empty() {
            return Ok(());
        }
        match self.stream.write(&self.out) {
            Ok(written) => drop(self.out.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.is_stuck = !self.out.is_empty();
        Ok(())
    }
}

const EVENTS: usize = 128;
const INPUT_BYTES: usize = 1 << 20;
const ALIVE_INTERVAL: Duration = Duration::from_secs(4);
/// A server that answers nothing for so long while leaves enter is broken.
const ANSWER_MAX: Duration = Duration::from_secs(10);
