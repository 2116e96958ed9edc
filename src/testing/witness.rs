//! A client that writes down what it says, and whose leaves write down what they hear.

use std::fmt;

use tokio::task::spawn_local;

use super::{book::Book, recorder::Recorder, transcript::Event};
use crate::{
    leaf::{Client, ConnectionEvent, Events, Handle, JoinError, Receipted, ShoutError, Voice},
    object::{Dispatch, Interface, ObjectId, Receipt, SessionId, Shout, ShoutAt},
};

/// A client of a simulation. Clones are the same client.
#[derive(Clone, Debug)]
pub struct Witness {
    name: String,
    client: Client,
    book: Book,
}

impl Witness {
    pub(super) fn new(name: &str, client: Client, book: Book) -> Self {
        book.name(client.session(), name);
        spawn_local(name_sessions(
            client.events(),
            client.present_session(),
            name.into(),
            book.clone(),
        ));
        Self { name: name.to_owned(), client, book }
    }

    /// What it is called; its line in the network is called so too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client itself.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// [`Client::create`], with a leaf that records.
    ///
    /// # Errors
    /// As there.
    pub async fn create<I>(
        &self,
        name: Option<&str>,
        state: I::State,
    ) -> Result<Handle<Recorder<I>>, JoinError>
    where
        I: Interface + Dispatch<Recorder<I>>,
    {
        self.implement::<I>();
        self.client.create::<Recorder<I>>(name, state).await
    }

    /// [`Client::join`], with a leaf that records.
    ///
    /// # Errors
    /// As there.
    pub async fn join<I>(&self, name: &str) -> Result<Handle<Recorder<I>>, JoinError>
    where
        I: Interface + Dispatch<Recorder<I>>,
    {
        self.implement::<I>();
        self.client.join::<Recorder<I>>(name).await
    }

    /// [`Client::open`], with a leaf that records.
    ///
    /// # Errors
    /// As there.
    pub async fn open<I>(
        &self,
        name: &str,
        state: I::State,
    ) -> Result<Handle<Recorder<I>>, JoinError>
    where
        I: Interface + Dispatch<Recorder<I>>,
    {
        self.implement::<I>();
        self.client.open::<Recorder<I>>(name, state).await
    }

    /// Shouts through a leaf's handle, and writes down what comes of it.
    pub fn shout<I, M>(&self, handle: &Handle<Recorder<I>>, message: M)
    where
        I: Interface + Dispatch<Recorder<I>>,
        M: ShoutAt<I> + fmt::Debug,
    {
        self.say(handle.object(), message, |shout| handle.try_send(shout));
    }

    /// Shouts through a voice, and writes down what comes of it.
    pub fn shout_by<I: Interface, M: ShoutAt<I> + fmt::Debug>(&self, voice: &Voice<I>, message: M) {
        self.say(voice.object(), message, |shout| voice.try_send(shout));
    }

    fn implement<I: Interface + Dispatch<Recorder<I>>>(&self) {
        let (book, name) = (self.book.clone(), self.name.clone());
        self.client.implement::<Recorder<I>>(move |me| {
            let (object, start) = (me.object(), me.start());
            let page = book.open(&name, object, start, move || me.gone().is_some());
            Recorder::new(book.clone(), page)
        });
    }

    /// Where it writes.
    pub(super) fn book(&self) -> &Book {
        &self.book
    }

    /// Says something in some way, and writes down what comes of it.
    pub(super) fn say<M: fmt::Debug>(
        &self,
        object: ObjectId,
        message: M,
        shout: impl FnOnce(Shout<M>) -> Result<Receipted, ShoutError<M>>,
    ) {
        let n = self.book.said(&self.name, object, format!("{message:?}"));
        let (book, voice) = (self.book.clone(), self.name.clone());
        let object = object.to_string();
        match shout(Shout(message)) {
            Ok(receipted) => {
                spawn_local(async move {
                    book.outcome(outcome(voice, object, n, receipted.await));
                });
            }
            Err(error) => {
                let why = error.to_string();
                book.outcome(Event::Lost { voice, object, n, why });
            }
        }
    }
}

/// Writes down every session that a client has, as its own.
async fn name_sessions(
    mut events: Events,
    present: impl Fn() -> SessionId,
    name: String,
    book: Book,
) {
    while let Some(event) = events.next().await {
        if let ConnectionEvent::Forgotten { .. } = event {
            book.forget(&name);
        }
        book.name(present(), &name);
    }
}

fn outcome(
    voice: String,
    object: String,
    n: u64,
    outcome: Result<Receipt, ShoutError<()>>,
) -> Event<String> {
    match outcome {
        Ok(receipt) => Event::Receipted { voice, object, n, seq: receipt.seq().0 },
        Err(ShoutError::Unknown(..) | ShoutError::Stalled(..)) => {
            Event::Unknown { voice, object, n }
        }
        Err(error) => Event::Lost { voice, object, n, why: error.to_string() },
    }
}
