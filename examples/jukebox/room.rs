//! Those in this process: each a client with a leaf of the jukebox, in a class of their own.

use std::{any::Any, error::Error, fmt::Display};

use actix::prelude::*;
use actix_multiplex::{Client, Closed, Leaf, Local, Seq, Shout, ShoutAt, Voice};
use tokio::sync::mpsc;

use crate::{
    lines::{lost, say},
    machine::{Ear, Enter, Jukebox, Look, Playing, Told},
};

/// Who is here, in the order in which they came. The first pushes the buttons.
pub struct Room {
    jukebox: String,
    patrons: Vec<Patron>,
    /// The last shout that was printed.
    printed: Seq,
}

/// Somebody with a leaf, of whichever class.
struct Patron {
    who: String,
    client: Client,
    voice: Voice<Jukebox>,
    looks: Recipient<Local<Look>>,
    told: mpsc::UnboundedReceiver<Told>,
    /// The place of their entering.
    since: Seq,
    /// The leaf's handle, which keeps it joined.
    _seat: Box<dyn Any>,
}

impl Room {
    /// An empty room, at the jukebox of that address.
    pub fn new(jukebox: &str) -> Self {
        Self { jukebox: jukebox.to_owned(), patrons: Vec::new(), printed: Seq(0) }
    }

    /// Lets somebody in. `class` makes their leaf; all else is the same for every class.
    pub async fn let_in<A>(
        &mut self,
        who: &str,
        class: impl Fn(Ear) -> A + Send + Sync + 'static,
    ) -> Result<(), Box<dyn Error>>
    where
        A: Leaf<Interface = Jukebox> + Handler<Local<Look>>,
    {
        let patron = Patron::come(who, &self.jukebox, class).await?;
        let since = patron.since;
        self.patrons.push(patron);
        Ok(self.hear(since).await?)
    }

    /// Shouts for the first who came, and waits until all here have heard it.
    pub async fn shout<M>(&mut self, message: M) -> Result<(), Box<dyn Error>>
    where
        M: ShoutAt<Jukebox> + 'static,
    {
        let receipt = self.patrons[0].voice.send(Shout(message)).await?;
        Ok(self.hear(receipt.seq()).await?)
    }

    /// Prints what each leaf says is on.
    pub async fn look(&self) -> Result<(), MailboxError> {
        for Patron { who, looks, .. } in &self.patrons {
            let seen = looks.send(Local(Look)).await?;
            print(format_args!("{who} local look - {seen}"));
        }
        Ok(())
    }

    /// What the first who came hears next. Nothing is lost when this is dropped.
    pub async fn next(&mut self) -> Result<Told, Closed> {
        self.patrons[0].next().await
    }

    /// Prints what the first was told, and what all others were told at the same place.
    ///
    /// Every leaf hears every shout, once and in the one order. So a shout is one line from each
    /// who was here, however the leaves were scheduled, and can be printed in one order too.
    pub async fn print(&mut self, first: Told) -> Result<(), Closed> {
        let seq = first.seq;
        self.patrons[0].print(&first);
        for patron in self.patrons[1..].iter_mut().filter(|patron| patron.since <= seq) {
            let told = patron.next().await?;
            patron.print(&told);
        }
        self.printed = seq;
        Ok(())
    }

    /// Says goodbye for all.
    pub async fn close(self) {
        for patron in self.patrons {
            patron.client.close().await;
        }
    }

    async fn hear(&mut self, last: Seq) -> Result<(), Closed> {
        while self.printed < last {
            let told = self.next().await?;
            self.print(told).await?;
        }
        Ok(())
    }
}

impl Patron {
    async fn come<A>(
        who: &str,
        jukebox: &str,
        class: impl Fn(Ear) -> A + Send + Sync + 'static,
    ) -> Result<Self, Box<dyn Error>>
    where
        A: Leaf<Interface = Jukebox> + Handler<Local<Look>>,
    {
        let client = Client::connect(jukebox).await?;
        let (room, told) = mpsc::unbounded_channel();
        // The one place where a leaf's class is named.
        client.implement::<A>(move |_voice| class(Ear::new(room.clone())));
        // The first who comes makes the jukebox; to all others its own state is given.
        let seat = client.open::<A>("jukebox", Playing::at_first()).await?;
        let who = who.to_owned();
        let since = seat.send(Shout(Enter { who: who.clone() })).await?.seq();
        let (voice, looks) = (seat.voice(), seat.addr().recipient());
        Ok(Self { who, client, voice, looks, told, since, _seat: Box::new(seat) })
    }

    async fn next(&mut self) -> Result<Told, Closed> {
        tokio::select! {
            biased;
            Some(told) = self.told.recv() => Ok(told),
            lost = lost(&self.client) => Err(lost),
        }
    }

    fn print(&self, Told { seq, what }: &Told) {
        print(format_args!("{} heard {seq} {what}", self.who));
    }
}

/// Prints a line that holds words of others: nothing in it may steer the terminal.
fn print(line: impl Display) {
    say(line.to_string().replace(char::is_control, "?"));
}
