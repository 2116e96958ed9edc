//! What becomes of a client's connection, for programs that want to know.
//!
//! The driver tells, any number of programs listen. Nobody waits for a listener: the oldest events
//! go when too many are not taken.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::broadcast::{self, error::RecvError};

use crate::{connection::Closed, limits::CONNECTION_EVENTS_MAX, object::ObjectId};

/// Something that has become of a client's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// The home of an object knows nothing of what this client had shouted there: a link on the way was
    /// cut for too long. Shouts that were sent and not receipted have ended as
    /// [`Unknown`](crate::ShoutError::Unknown).
    Forgotten {
        /// The object.
        object: ObjectId,
    },
    /// The way from the hub to an object's home is cut: what is shouted at the object, and asked
    /// there, waits. All else goes on.
    Stalled {
        /// The object.
        object: ObjectId,
    },
    /// The way to an object's home is open again: what has waited goes on.
    Flowing {
        /// The object.
        object: ObjectId,
    },
    /// The hub has let the client in.
    Connected,
    /// There is no connection; the next is tried after a rest. Shouts wait meanwhile.
    Waiting {
        /// The rest.
        wait: Duration,
        /// Why there is none.
        why: Closed,
    },
    /// There is a connection again, of the same session: nothing is lost.
    Resumed,
    /// There is a connection again, of a new session. Shouts that were sent and not receipted have
    /// ended as [`Unknown`](crate::ShoutError::Unknown).
    Resynced {
        /// Whether the hub knows nothing of what was before: handles and voices say
        /// [`HubRestarted`](crate::Gone::HubRestarted), and leaves live on alone.
        hub_restarted: bool,
    },
    /// There will be no connection any more.
    Closed {
        /// Why.
        why: Closed,
    },
}

/// What becomes of a client's connection, one after the other. The first event tells how it was when
/// [`Client::events`](crate::Client::events) was called.
///
/// ```
/// # use actix_multiplex::{Client, ConnectionEvent, Hub};
/// # actix::System::new().block_on(async {
/// # let hub = Hub::builder().start()?;
/// let client = Client::connect(hub.local()).await?;
/// let mut events = client.events();
/// assert_eq!(events.next().await, Some(ConnectionEvent::Connected));
/// client.close().await;
/// assert!(matches!(events.next().await, Some(ConnectionEvent::Closed { .. })));
/// assert_eq!(events.next().await, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Events {
    first: Option<ConnectionEvent>,
    rest: Option<broadcast::Receiver<ConnectionEvent>>,
}

/// Tells all who listen.
#[derive(Debug)]
pub(crate) struct Teller {
    last: Mutex<ConnectionEvent>,
    listeners: broadcast::Sender<ConnectionEvent>,
}

impl Events {
    /// The next event; none behind [`ConnectionEvent::Closed`]. Of events that were not taken the
    /// last 64 are kept.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, it takes nothing.
    pub async fn next(&mut self) -> Option<ConnectionEvent> {
        let event = match self.first.take() {
            Some(first) => Some(first),
            None => self.receive().await,
        };
        if matches!(event, None | Some(ConnectionEvent::Closed { .. })) {
            self.rest = None;
        }
        event
    }

    async fn receive(&mut self) -> Option<ConnectionEvent> {
        loop {
            match self.rest.as_mut()?.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

impl ConnectionEvent {
    /// Whether it tells how the connection is, and not what lies behind it.
    fn is_of_the_connection(&self) -> bool {
        !matches!(self, Self::Forgotten { .. } | Self::Stalled { .. } | Self::Flowing { .. })
    }
}

impl Teller {
    pub(crate) fn tell(&self, event: ConnectionEvent) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if event.is_of_the_connection() {
            last.clone_from(&event);
        }
        // Nobody need listen.
        let _listeners = self.listeners.send(event);
    }

    pub(super) fn listen(&self) -> Events {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Events { first: Some(last.clone()), rest: Some(self.listeners.subscribe()) }
    }
}

impl Default for Teller {
    fn default() -> Self {
        let last = Mutex::new(ConnectionEvent::Connected);
        Self { last, listeners: broadcast::Sender::new(CONNECTION_EVENTS_MAX) }
    }
}
