//! What many write first: a tokio server round one `broadcast` channel.
//!
//! A task reads frames from each connection and sends them into the channel; another writes what
//! comes out of it, as much at a time as is there. On one thread, since it has one core.

use std::{io, io::Write};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::broadcast::{self, Receiver, Sender, error::TryRecvError},
};

use super::{super::Wrong, floor::GREETING};

/// Serves until it is killed.
pub(crate) fn run() -> Result<(), Wrong> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve())
}

async fn serve() -> Result<(), Wrong> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let (all, _) = broadcast::channel(CHANNEL_FRAMES);
    loop {
        let (stream, _) = listener.accept().await?;
        connect(stream, &all).await?;
    }
}

async fn connect(mut stream: TcpStream, all: &Sender<Bytes>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (frames, all) = (all.subscribe(), all.clone());
    stream.write_all(&GREETING).await?;
    let (reader, writer) = stream.into_split();
    tokio::spawn(read(reader, all));
    tokio::spawn(write(writer, frames));
    Ok(())
}

async fn read(reader: OwnedReadHalf, all: Sender<Bytes>) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(READ_BYTES, reader);
    loop {
        let bytes = reader.read_u32_le().await?;
        let mut frame = bytes.to_le_bytes().to_vec();
        frame.resize(4 + bytes as usize, 0);
        reader.read_exact(&mut frame[4..]).await?;
        let _nobody_is_here = all.send(frame.into());
    }
}

/// Ends when the connection does, or when it has lagged behind: then frames are lost to it.
async fn write(mut writer: OwnedWriteHalf, mut frames: Receiver<Bytes>) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(READ_BYTES);
    loop {
        bytes.clear();
        bytes.extend_from_slice(&frames.recv().await.map_err(io::Error::other)?);
        while bytes.len() < READ_BYTES {
            match frames.try_recv() {
                Ok(frame) => bytes.extend_from_slice(&frame),
                Err(TryRecvError::Empty) => break,
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        writer.write_all(&bytes).await?;
    }
}

const CHANNEL_FRAMES: usize = 65_536;
const READ_BYTES: usize = 65_536;
