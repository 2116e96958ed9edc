//! Who sits round the napkin in this process, and what the first of them can do to it.

use std::error::Error;

use actix_multiplex::{Client, Handle, JoinError, Local, Shout};

use crate::{
    diary::Transcript,
    lines::{lost, say},
    paper::{Drag, Draw, Drawing, Glance, HEIGHT, Ink, Lie, Look, Rotate, WIDTH},
    sheet::{Blots, Sheet, Show},
    spot::Spot,
};

/// The guests in the order in which they came.
pub struct Table {
    address: String,
    guests: Vec<Guest>,
    pub transcript: Transcript,
}

struct Guest {
    who: String,
    client: Client,
    napkin: Handle<Sheet>,
}

type Done = Result<(), Box<dyn Error>>;

impl Table {
    /// Lays the table, at the hub of that address, for its first guest.
    pub async fn lay(address: &str, first: &str) -> Result<Self, Box<dyn Error>> {
        let (address, transcript) = (address.to_owned(), Transcript::new());
        let mut table = Self { address, guests: Vec::new(), transcript };
        table.seat(first).await?;
        Ok(table)
    }

    /// One more guest, who sees the same napkin as all others.
    pub async fn seat(&mut self, who: &str) -> Done {
        let client = Client::connect(&self.address).await?;
        let napkin = self.napkin(&client).await?;
        self.transcript.admit(who);
        self.guests.push(Guest { who: who.to_owned(), client, napkin });
        self.transcript.catch_up().await?;
        say(format_args!("{who} sits down"));
        Ok(())
    }

    /// Glances at everything, so that all of it is known, also what happened in other processes.
    pub async fn glance(&mut self) -> Done {
        let napkin = self.guests[0].napkin.clone();
        let seq = napkin.send(Shout(Glance)).await?.seq();
        self.transcript.read_to(napkin.object(), seq).await?;
        for blot in napkin.send(Local(Blots)).await?.iter().flatten() {
            let seq = blot.send(Shout(Glance)).await?.seq();
            self.transcript.read_to(blot.object(), seq).await?;
        }
        Ok(())
    }

    /// Makes a blot and draws it: a live object goes round inside a message.
    pub async fn draw(&mut self, mark: char, x: usize, y: usize) -> Done {
        if x >= WIDTH || y >= HEIGHT {
            return Err(format!("the napkin ends at {},{}", WIDTH - 1, HEIGHT - 1).into());
        }
        let Guest { client, napkin, .. } = &self.guests[0];
        // It lives here alone. The hub learns of it with the message that carries it.
        let ink = Ink { mark, x, y, ..Ink::default() };
        let blot = client.create::<Spot>(None, ink).await?;
        let draw = Draw { blot: blot.carry().await? };
        let seq = napkin.send(Shout(draw)).await?.seq();
        // By then the napkin's own leaf has bound it, and this handle may go.
        Ok(self.transcript.read_to(napkin.object(), seq).await?)
    }

    /// Drags a blot in the first guest's own leaf. Nobody else is told.
    pub async fn drag(&self, number: usize, dx: isize, dy: isize) -> Done {
        let seen = self.blot(number).await?.send(Local(Drag { dx, dy })).await?;
        let who = &self.guests[0].who;
        say(format_args!("{who} local drag - blot {number} at {},{}", seen.x, seen.y));
        Ok(())
    }

    /// Lets it lie where it was dragged to, for everybody.
    pub async fn drop(&mut self, number: usize) -> Done {
        let blot = self.blot(number).await?;
        let seen = blot.send(Local(Look)).await?;
        let seq = blot.send(Shout(Lie { x: seen.x, y: seen.y })).await?.seq();
        Ok(self.transcript.read_to(blot.object(), seq).await?)
    }

    /// Turns it for everybody.
    pub async fn rotate(&mut self, number: usize, degrees: u16) -> Done {
        if !degrees.is_multiple_of(90) {
            return Err("a blot is turned by quarters: 90, 180 or 270".into());
        }
        let blot = self.blot(number).await?;
        let seq = blot.send(Shout(Rotate { degrees })).await?.seq();
        Ok(self.transcript.read_to(blot.object(), seq).await?)
    }

    /// Prints the napkin as each guest sees it, side by side.
    pub async fn show(&self) -> Done {
        let mut rows = vec![String::new(); HEIGHT + 1];
        for Guest { who, napkin, .. } in &self.guests {
            let width = WIDTH.max(who.chars().count()) + 2;
            let seen = napkin.send(Local(Show)).await?;
            for (row, part) in rows.iter_mut().zip([who].into_iter().chain(&seen)) {
                row.extend([part.as_str(), &" ".repeat(width - part.chars().count())]);
            }
        }
        for row in rows {
            say(row.trim_end());
        }
        Ok(())
    }

    /// Says goodbye for all.
    pub async fn close(self) {
        for guest in self.guests {
            guest.client.close().await;
        }
    }

    /// The napkin's leaf of a new guest. Both classes are named, since blots come with the napkin.
    async fn napkin(&self, client: &Client) -> Result<Handle<Sheet>, JoinError> {
        let diary = self.transcript.diary();
        let (of_sheets, of_spots) = (diary.clone(), diary.clone());
        client.implement::<Sheet>(move |me| Sheet::new(me, of_sheets.clone()));
        client.implement::<Spot>(move |me| Spot::new(me, of_spots.clone()));
        let napkin = client.open::<Sheet>("napkin", Drawing::default()).await?;
        diary.named(napkin.object(), "napkin".to_owned());
        let client = client.clone();
        actix::spawn(async move { diary.closed(lost(&client).await) });
        Ok(napkin)
    }

    async fn blot(&self, number: usize) -> Result<Handle<Spot>, Box<dyn Error>> {
        let mut blots = self.guests[0].napkin.send(Local(Blots)).await?.into_iter();
        let blot = blots.nth(number.checked_sub(1).ok_or("blots count from 1")?);
        Ok(blot.flatten().ok_or_else(|| format!("there is no blot {number} here"))?)
    }
}
