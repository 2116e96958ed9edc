//! The floor: what nobody can be cheaper than without leaving bytes out.
//!
//! One thread, one epoll. What a read of one connection brings is written to every connection, and
//! nothing is looked at, ordered, counted or bounded. It greets each connection with an empty
//! frame, so that the load knows when it is in.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::super::Wrong;

/// An empty frame: a length of 0.
pub(super) const GREETING: [u8; 4] = [0; 4];

struct Floor {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Connection>,
    buffer: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    /// What the kernel did not take yet.
    unsent: Vec<u8>,
}

/// Serves until it is killed.
pub(crate) fn run() -> Result<(), Wrong> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    listener.set_nonblocking(true)?;
    let epoll = epoll::create(CreateFlags::empty())?;
    epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let buffer = vec![0; READ_BYTES];
    let mut floor = Floor { epoll, listener, connections: Vec::new(), buffer };
    let mut events = Vec::with_capacity(64);
    loop {
        epoll::wait(&floor.epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            match floor.turn(event) {
                // The load has gone, and the floor with it.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                turned => turned?,
            }
        }
    }
}

impl Floor {
    fn turn(&mut self, event: Event) -> io::Result<()> {
        let (flags, place) = (event.flags, event.data.u64());
        if place == LISTENER {
            return self.accept();
        }
        if flags.contains(EventFlags::OUT) {
            self.connections[place as usize].write(&self.epoll, place, &[])?;
        }
        if flags.contains(EventFlags::IN) {
            self.copy(place as usize)?;
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        while let Some((mut stream, _)) = ready(self.listener.accept())? {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            stream.write_all(&GREETING)?;
            let place = EventData::new_u64(self.connections.len() as u64);
            epoll::add(&self.epoll, &stream, place, EventFlags::IN)?;
            self.connections.push(Connection { stream, unsent: Vec::new() });
        }
        Ok(())
    }

    fn copy(&mut self, from: usize) -> io::Result<()> {
        let read = ready(self.connections[from].stream.read(&mut self.buffer))?;
        let bytes = match read {
            Some(0) => return Ok(epoll::delete(&self.epoll, &self.connections[from].stream)?),
            Some(bytes) => &self.buffer[..bytes],
            None => return Ok(()),
        };
        for (place, connection) in self.connections.iter_mut().enumerate() {
            connection.write(&self.epoll, place as u64, bytes)?;
        }
        Ok(())
    }
}

impl Connection {
    fn write(&mut self, epoll: &OwnedFd, place: u64, bytes: &[u8]) -> io::Result<()> {
        let was_waiting = !self.unsent.is_empty();
        if was_waiting {
            self.unsent.extend_from_slice(bytes);
            let written = ready(self.stream.write(&self.unsent))?.unwrap_or(0);
            self.unsent.drain(..written);
        } else {
            let written = ready(self.stream.write(bytes))?.unwrap_or(0);
            self.unsent.extend_from_slice(&bytes[written..]);
        }
        if was_waiting == self.unsent.is_empty() {
            let writable = if was_waiting { EventFlags::empty() } else { EventFlags::OUT };
            epoll::modify(
                epoll,
                &self.stream,
                EventData::new_u64(place),
                EventFlags::IN | writable,
            )?;
        }
        Ok(())
    }
}

/// None when it would have to wait.
fn ready<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

const LISTENER: u64 = u64::MAX;
/// As much as our hub reads at once.
const READ_BYTES: usize = 65_536;
