//! Joins of an object with a state, over and over, on connections that are open.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use actix_multiplex::wire::{Frame, Part, encode};

use super::{
    super::{
        Wrong,
        job::{Job, Sample},
        machine::Moment,
    },
    speech::multiplex::{create, fine, frames, greet, join, joined, object},
};

/// Each connection but the first joins and parts, and joins again when that is answered.
pub(super) fn run(job: &Job) -> Result<Sample, Wrong> {
    let mut first = open(job)?;
    first.write_all(&create(1, object(0), None, Some(&vec![7; job.bytes])))?;
    joined(&mut first, 1)?;
    let mut joiners = Vec::new();
    for _ in 1..job.leaves {
        joiners.push(Joiner { stream: open(job)?, input: Vec::new() });
    }
    for joiner in &mut joiners {
        joiner.again()?;
    }
    run_for(&mut joiners, job.measure_ms / 3)?;
    let begin = Moment::now(&job.servers, &job.cores)?;
    let joins = run_for(&mut joiners, job.measure_ms)?;
    Ok(begin.until(&Moment::now(&job.servers, &job.cores)?).on(joins))
}

struct Joiner {
    stream: TcpStream,
    input: Vec<u8>,
}

impl Joiner {
    fn again(&mut self) -> Result<(), Wrong> {
        let part = encode(&Part { request: 2, object: object(0) });
        Ok(self.stream.write_all(&[join(1, object(0)), part].concat())?)
    }

    /// Reads until it has parted. Whoever was asked first is most likely answered.
    fn parted(&mut self) -> Result<(), Wrong> {
        let mut buffer = [0; 8_192];
        loop {
            let read = self.stream.read(&mut buffer)?;
            self.input.extend_from_slice(&buffer[..read]);
            let (mut has_parted, mut states) = (false, 0);
            let taken = frames(&self.input, |frame| {
                has_parted |= matches!(frame, Frame::Done(_));
                states +=
                    usize::from(matches!(&frame, Frame::Joined(_, state) if !state.is_empty()));
                fine(&frame)
            })?;
            if has_parted {
                self.input.drain(..taken);
                return if states == 1 { Ok(()) } else { Err("it joined without a state".into()) };
            }
            if read == 0 {
                return Err("it hung up".into());
            }
        }
    }
}

fn open(job: &Job) -> Result<TcpStream, Wrong> {
    let mut stream = TcpStream::connect(job.address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    greet(&mut stream)?;
    Ok(stream)
}

fn run_for(joiners: &mut [Joiner], ms: u64) -> Result<u64, Wrong> {
    let end = Instant::now() + Duration::from_millis(ms);
    let mut joins = 0;
    while Instant::now() < end {
        for joiner in &mut *joiners {
            joiner.parted()?;
            joiner.again()?;
            joins += 1;
        }
    }
    Ok(joins)
}
