//! Asks on their way to an object's owner: what waits for an answer, and is sent again when the hub
//! has said once more that the client is there.
//!
//! An ask has the number it was given, however often it is sent, so that it is answered once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::{
    sync::{Semaphore, oneshot},
    time::{Instant, timeout_at},
};

use super::{Channel, Gone, Phase, State};
use crate::{
    leaf::driver::Hold,
    limits::{ASKS_BYTES_MAX, SESSION_ASKS_MAX},
    object::{Carried, Encoded, Kind, ObjectId},
    wire::{self, Answer, AskNumber},
};

/// What the asks of all a client's channels share.
#[derive(Debug)]
pub(super) struct Total {
    last: AtomicU64,
    /// Bytes of those without an answer.
    room: Semaphore,
}

/// The asks of one channel.
#[derive(Debug)]
pub(super) struct Asks {
    open: BTreeMap<AskNumber, Open>,
    room: Arc<Semaphore>,
}

/// An ask without an answer.
#[derive(Debug)]
struct Open {
    kind: Kind,
    said: Encoded,
    deadline: Instant,
    /// Whether it was ever sent.
    is_sent: bool,
    reply: oneshot::Sender<Result<Replied, Unreplied>>,
}

/// What came back, and what it waits for if it carries anything.
#[derive(Debug)]
pub(crate) struct Replied {
    pub(crate) payload: Bytes,
    pub(crate) carried: Vec<Carried>,
    pub(crate) hold: Option<Hold>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreplied {
    /// The deadline has passed.
    Late,
    /// The owner, or its hub, has said so.
    Answer(Answer),
    /// It was not sent.
    Gone(Gone),
    /// It was sent, and the session ended before the answer came.
    Unknown(Gone),
}

impl Default for Total {
    fn default() -> Self {
        Self { last: AtomicU64::new(0), room: Semaphore::new(ASKS_BYTES_MAX) }
    }
}

impl Default for Asks {
    fn default() -> Self {
        Self { open: BTreeMap::new(), room: Arc::new(Semaphore::new(SESSION_ASKS_MAX)) }
    }
}

impl Channel {
    /// Asks the object's owner, as soon as there is room, and waits for the answer.
    ///
    /// # Cancel safety
    /// Dropped, nobody waits for the answer; the owner may give it all the same.
    pub(crate) async fn ask(
        &self,
        kind: Kind,
        said: Encoded,
        deadline: Instant,
    ) -> Result<Replied, Unreplied> {
        let asking = self.ask_until(kind, said, deadline);
        timeout_at(deadline, asking).await.unwrap_or(Err(Unreplied::Late))
    }

    async fn ask_until(
        &self,
        kind: Kind,
        mut said: Encoded,
        deadline: Instant,
    ) -> Result<Replied, Unreplied> {
        let room = self.lock().asks.get_or_insert_default().room.clone();
        // Neither is ever closed.
        let _place = room.acquire().await;
        let bytes = said.payload.len() + Carried::bytes_of(&said.carried);
        let _bytes = self.link.asks.room.acquire_many(bytes as u32).await;
        self.publish();
        self.link.pack(&mut said.carried);
        let (reply, replied) = oneshot::channel();
        let asking = self.open_ask(Open { kind, said, deadline, is_sent: false, reply })?;
        let replied = replied.await;
        drop(asking);
        replied.unwrap_or(Err(Unreplied::Late))
    }

    fn open_ask(&self, mut open: Open) -> Result<Asking<'_>, Unreplied> {
        let mut state = self.lock();
        if let Phase::Ended(gone) | Phase::Leaving(gone) = &state.phase {
            return Err(Unreplied::Gone(gone.clone()));
        }
        let number = self.link.asks.last.fetch_add(1, Ordering::Relaxed) + 1;
        if state.may_ask() && !state.send_ask(self.object, number, &mut open) {
            return Err(Unreplied::Answer(Answer::Busy));
        }
        state.asks.get_or_insert_default().open.insert(number, open);
        Ok(Asking { channel: self, number })
    }

    /// Whether somebody waits for the answer to an ask.
    pub(crate) fn awaits(&self, ask: AskNumber) -> bool {
        self.lock().asks.as_ref().is_some_and(|asks| asks.open.contains_key(&ask))
    }

    /// The answer to an ask has come.
    pub(crate) fn reply(&self, ask: AskNumber, replied: Result<Replied, Answer>) {
        let open = self.lock().asks.as_mut().and_then(|asks| asks.open.remove(&ask));
        if let Some(open) = open {
            let _nobody_waits = open.reply.send(replied.map_err(Unreplied::Answer));
        }
    }
}

impl State {
    /// Whether the hub knows that the client is here.
    fn may_ask(&self) -> bool {
        matches!(self.phase, Phase::Open) && self.birth.is_none()
    }

    /// Sends what has no answer, once more or for the first time.
    pub(super) fn ask_again(&mut self, object: ObjectId) {
        if !self.may_ask() {
            return;
        }
        let Some(mut asks) = self.asks.take() else { return };
        for (number, mut open) in std::mem::take(&mut asks.open) {
            if self.send_ask(object, number, &mut open) {
                asks.open.insert(number, open);
            } else {
                let busy = Unreplied::Answer(Answer::Busy);
                let _nobody_waits = open.reply.send(Err(busy));
            }
        }
        self.asks = Some(asks);
    }

    /// `false`: the queue has no room to spare for it.
    fn send_ask(&self, object: ObjectId, ask: AskNumber, open: &mut Open) -> bool {
        let left = open.deadline.saturating_duration_since(Instant::now()).as_millis();
        // Past it nobody waits; what is left of it is a whole millisecond at least.
        let within_ms = u32::try_from(left).unwrap_or(u32::MAX).max(1);
        let Open { kind, said: Encoded { payload, carried }, .. } = &*open;
        let carried = carried.clone();
        let frame =
            wire::encode_with(&wire::Ask { object, ask, kind: *kind, within_ms, carried }, payload);
        // A queue that is closing takes none: it is asked again over the next connection.
        let is_sent = self.queue.push_spare(frame);
        open.is_sent |= is_sent;
        is_sent || !self.queue.is_open()
    }

    /// There will be no answers: to those that were sent for this reason, to others too if there is
    /// no way to ask any more.
    pub(super) fn end_asks(&mut self, gone: &Gone, all: bool) {
        let Some(asks) = &mut self.asks else { return };
        for (number, open) in std::mem::take(&mut asks.open) {
            let why = match open.is_sent {
                true => Unreplied::Unknown(gone.clone()),
                false if all => Unreplied::Gone(gone.clone()),
                false => {
                    asks.open.insert(number, open);
                    continue;
                }
            };
            let _nobody_waits = open.reply.send(Err(why));
        }
    }
}

/// An ask that is waited for; dropped, it is not.
struct Asking<'a> {
    channel: &'a Channel,
    number: AskNumber,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if let Some(asks) = &mut self.channel.lock().asks {
            asks.open.remove(&self.number);
        }
    }
}
