//! One live duplex: a reader with the inward bound, a writer with a bounded queue, heartbeats.
//!
//! What comes in is a [`Duplex`] of bytes; what goes out is a stream of [`Burst`]s of whole frames
//! and a [`Queue`] that anyone may push frames to. This layer knows frames, not objects: what a
//! frame means, and whether it may come here, is for the session and the client above.

mod closed;
mod gate;
mod inward;
mod queue;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;

use tokio::sync::oneshot;

pub use self::closed::{Closed, Closer};
pub(crate) use self::{
    gate::Gate,
    inward::{Held, Inward},
    queue::{Class, Fed, Pull, Queue, Strain, Unsent},
    reader::{Burst, Reader},
};
use crate::{transport::Duplex, wire::Limits};

/// A connection taken apart: what reads, what is written to, and what does the writing.
#[derive(Debug)]
pub(crate) struct Connection<W> {
    /// Yields what the peer sends.
    pub(crate) reader: Reader,
    /// Takes what the peer is to be sent.
    pub(crate) queue: Arc<Queue>,
    /// Writes the queue; to be spawned beside the reader. It ends with the connection.
    pub(crate) writer: W,
}

/// Takes `duplex` apart. Nothing is read or written before reader and writer are polled.
///
/// With a gate nothing is written that is not yet committed.
pub(crate) fn open(
    duplex: Duplex,
    limits: Limits,
    gate: Option<Arc<Gate>>,
) -> Connection<impl Future<Output = ()> + Send> {
    let queue = Arc::new(Queue::behind(gate));
    let (left, rest) = oneshot::channel();
    let writer = writer::run(queue.clone(), duplex.writer, rest, limits);
    let reader = Reader::new(duplex.reader, left, queue.clone(), limits);
    Connection { reader, queue, writer }
}
