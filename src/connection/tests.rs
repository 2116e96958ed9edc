//! A connection over pipes under the paused clock: what it reads, what it writes, how it ends.

mod committing;
mod ending;
mod reading;
mod writing;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::Duration,
};

use super::{Burst, Closed, Connection, Gate, Queue, Reader, open};
use crate::{
    object::{Kind, ObjectId, Op},
    transport::Duplex,
    wire::{Frame, Goodbye, Limits, Split, encode_shout, split},
};

const PIPE_BYTES: usize = 65_536;
const HEARTBEAT: Duration = Duration::from_secs(5);
const ALMOST_HEARTBEAT: Duration = Duration::from_millis(4_999);
const SILENCE: Duration = Duration::from_secs(15);
const ALMOST_SILENCE: Duration = Duration::from_millis(14_999);

/// A connection with its writer at work.
struct Near {
    reader: Reader,
    queue: Arc<Queue>,
    writer: JoinHandle<()>,
}

/// The other end, in bytes.
struct Far {
    reader: DuplexStream,
    writer: DuplexStream,
}

fn connected() -> (Near, Far) {
    // Two pipes, each used in one direction, so that each ends by itself.
    let (near_reader, far_writer) = duplex(PIPE_BYTES);
    let (far_reader, near_writer) = duplex(PIPE_BYTES);
    let near = over(Duplex::new(near_reader, near_writer, "far"));
    (near, Far { reader: far_reader, writer: far_writer })
}

fn over(duplex: Duplex) -> Near {
    behind(duplex, None)
}

fn behind(duplex: Duplex, gate: Option<Arc<Gate>>) -> Near {
    let Connection { reader, queue, writer } = open(duplex, Limits::default(), gate);
    Near { reader, queue, writer: tokio::spawn(writer) }
}

impl Near {
    async fn burst(&mut self) -> Result<Burst, Closed> {
        self.reader.next().await.expect("ends with a reason")
    }

    async fn closed(&mut self) -> Closed {
        self.burst().await.map(|burst| frames(&burst)).expect_err("is closed")
    }
}

impl Far {
    async fn say(&mut self, bytes: &[u8]) {
        self.writer.write_all(bytes).await.expect("is connected");
    }

    /// Everything up to the end of the stream, which is whole frames.
    async fn hear_all(&mut self) -> Vec<Frame> {
        let mut heard = Vec::new();
        self.reader.read_to_end(&mut heard).await.expect("a pipe");
        decode(&heard)
    }

    async fn hear(&mut self) -> Frame {
        let length = self.reader.read_u32_le().await.expect("a frame comes");
        let mut frame = vec![0; length as usize];
        self.reader.read_exact(&mut frame).await.expect("a whole frame comes");
        Frame::decode(&frame.into()).expect("is a frame")
    }
}

fn decode(bytes: &[u8]) -> Vec<Frame> {
    if bytes.is_empty() {
        return Vec::new();
    }
    assert_eq!(split(bytes), Ok(Split::Whole(bytes.len())), "the stream is well framed");
    frames(&Burst::new(Bytes::copy_from_slice(bytes)))
}

fn frames(burst: &Burst) -> Vec<Frame> {
    burst.clone().map(|frame| frame.expect("is a frame").0).collect()
}

/// The `n`th shout, as a frame with this many bytes of payload.
fn shout(n: u64, payload: usize) -> Bytes {
    encode_shout(ObjectId([7; 16]), Op(n), Kind(1), Vec::new(), &vec![n as u8; payload])
}

/// The numbers of shouts, which is all that these frames are.
fn numbers(frames: &[Frame]) -> Vec<u64> {
    let number = |frame: &Frame| match frame {
        Frame::Shout(header, payload) => {
            assert!(payload.iter().all(|byte| *byte == header.op.0 as u8));
            header.op.0
        }
        other => panic!("no shout: {other:?}"),
    };
    frames.iter().map(number).collect()
}

fn goodbye(frame: Option<&Frame>) -> &Goodbye {
    match frame {
        Some(Frame::Goodbye(goodbye)) => goodbye,
        other => panic!("no Goodbye: {other:?}"),
    }
}
