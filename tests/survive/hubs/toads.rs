//! Objects that come and go while the hub does: each is made, named, pinned, shown, shouted at, and
//! destroyed or kept.

use std::time::Duration;

use actix_multiplex::{
    Client, Gone, Handle, Interface, KeepError, NameError, Shout, ShoutAt, ShoutError, Voice,
    testing::transcript::Event, wire::Refusal,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::sleep;

use super::{
    child::Enough,
    notes::Notes,
    pond::{Clerk, Croak, Frog, Ledger, SHOWING, Show, Sum, fall},
};

/// Who makes toads.
pub(super) struct Keeper {
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) frog: Voice<Frog>,
    pub(super) notes: Notes,
    pub(super) random: StdRng,
}

impl Keeper {
    pub(super) fn new(name: &str, client: &Client, frog: Voice<Frog>, notes: &Notes) -> Self {
        let random = StdRng::seed_from_u64(0);
        let (name, client, notes) = (name.to_owned(), client.clone(), notes.clone());
        Self { name, client, frog, notes, random }
    }

    /// Makes toads until it is enough; returns those that are kept.
    pub(super) async fn run(mut self, seed: u64, enough: Enough) -> Vec<Handle<Clerk>> {
        self.random = StdRng::seed_from_u64(seed);
        let mut kept = Vec::new();
        for k in 1.. {
            if enough.is_told() {
                break;
            }
            sleep(Duration::from_millis(self.random.random_range(200..800))).await;
            let toad = self.make(k, kept.len()).await;
            self.show(&toad, k).await;
            sleep(Duration::from_millis(self.random.random_range(0..300))).await;
            if k % KEPT_EVERY == 0 && kept.len() < KEPT_MAX {
                self.notes.count(&format!("kept {}", self.kept_name(kept.len())));
                kept.push(toad);
            } else {
                self.destroy(&toad).await;
            }
        }
        kept
    }

    /// One with its name, at once or later; the name may be one that a toad of before had.
    async fn make(&mut self, k: u64, kept: usize) -> Handle<Clerk> {
        let is_kept = k.is_multiple_of(KEPT_EVERY) && kept < KEPT_MAX;
        let name = if is_kept { self.kept_name(kept) } else { self.passing_name(k) };
        let at_once = self.random.random::<bool>();
        let first = at_once.then_some(name.as_str());
        let made = self.client.create::<Clerk>(first, Sum::default()).await;
        let toad = made.unwrap_or_else(|error| panic!("{name} is not made: {error}"));
        if !at_once {
            self.name(&toad, &name).await;
        }
        if is_kept || self.random.random() {
            toad.pin().await.unwrap_or_else(|error| panic!("{name} is not pinned: {error}"));
        }
        self.notes.count("toads made");
        toad
    }

    async fn name(&self, toad: &Handle<Clerk>, name: &str) {
        match toad.name(name).await {
            Ok(()) => {}
            // The hub was killed when it had named it and had not said so.
            Err(NameError::HasName { there }) if there.as_str() == name => {
                self.notes.count("toads that had their name already");
            }
            Err(error) => panic!("{name} is not named: {error}"),
        }
    }

    async fn show(&self, toad: &Handle<Clerk>, k: u64) {
        for n in 1..=3 {
            say(&toad.voice(), &self.name, n, &self.notes).await;
        }
        let who = format!("{}{SHOWING}", self.name);
        let reference = toad.carry().await.expect("it is there");
        let show = Show { who: who.clone(), n: k, toad: reference };
        said(&self.frog, &who, k, &self.notes);
        let outcome = self.frog.send(Shout(show)).await.map(|receipt| receipt.seq().0);
        settle(&self.frog, &who, k, outcome.map_err(forget), &self.notes);
        for n in 4..=6 {
            say(&toad.voice(), &self.name, n, &self.notes).await;
        }
    }

    async fn destroy(&self, toad: &Handle<Clerk>) {
        match toad.destroy().await {
            Ok(()) => self.notes.count("toads destroyed"),
            // The hub was killed when it had done so and had not said so.
            Err(KeepError::Gone) => self.notes.count("toads that had been destroyed"),
            Err(error) => panic!("a toad of {} is not destroyed: {error}", self.name),
        }
    }

    fn kept_name(&self, kept: usize) -> String {
        format!("toad.{}.kept.{kept}", self.name)
    }

    fn passing_name(&self, k: u64) -> String {
        format!("toad.{}.{}", self.name, k % 2)
    }
}

/// The night comes to these toads.
pub(super) async fn dusk(toads: &[Handle<Clerk>], notes: &Notes) {
    for toad in toads {
        fall::<Ledger>(&toad.voice(), notes).await;
    }
}

/// Croaks, and notes what becomes of it.
pub(super) async fn say<I>(voice: &Voice<I>, who: &str, n: u64, notes: &Notes)
where
    I: Interface,
    Croak: ShoutAt<I>,
{
    said(voice, who, n, notes);
    let croak = Croak { who: who.to_owned(), n, text: String::new() };
    let outcome = voice.send(Shout(croak)).await.map(|receipt| receipt.seq().0);
    settle(voice, who, n, outcome.map_err(forget), notes);
}

/// Notes that it is about to be sent.
pub(super) fn said<I: Interface>(voice: &Voice<I>, who: &str, n: u64, notes: &Notes) {
    let (object, text) = (voice.object().to_string(), n.to_string());
    notes.note(&Event::Said { voice: who, object: &*object, n, text: &*text });
}

/// Notes what became of it.
pub(super) fn settle<I: Interface>(
    voice: &Voice<I>,
    who: &str,
    n: u64,
    outcome: Result<u64, ShoutError<()>>,
    notes: &Notes,
) {
    let object = &*voice.object().to_string();
    match outcome {
        Ok(seq) => notes.note(&Event::Receipted { voice: who, object, n, seq }),
        Err(ShoutError::Unknown((), ref why)) if is_end(why) => {
            notes.count("unknown at toads that ended");
            notes.note(&Event::Unknown { voice: who, object, n });
        }
        Err(error @ ShoutError::Unknown(..)) => {
            notes.count(&format!("wrong: {who} {n}: {error}"));
            notes.note(&Event::Unknown { voice: who, object, n });
        }
        Err(error) => {
            if !matches!(&error, ShoutError::Gone((), why) if is_end(why)) {
                notes.count(&format!("wrong: {who} {n}: {error}"));
            }
            notes.note(&Event::Lost { voice: who, object, n, why: &*error.to_string() });
        }
    }
}

/// Whether the object is no more, as its client was told or found when it came back.
fn is_end(gone: &Gone) -> bool {
    matches!(gone, Gone::Ended(_) | Gone::Refused(Refusal::Gone))
}

/// The error without its message.
pub(super) fn forget<M>(error: ShoutError<M>) -> ShoutError<()> {
    match error {
        ShoutError::Full(_) => ShoutError::Full(()),
        ShoutError::Encode(_, why) => ShoutError::Encode((), why),
        ShoutError::Gone(_, why) => ShoutError::Gone((), why),
        ShoutError::Refused(_, why) => ShoutError::Refused((), why),
        ShoutError::Unknown(_, why) => ShoutError::Unknown((), why),
        other => panic!("{other}"),
    }
}

/// One of so many toads is kept, up to so many.
const KEPT_EVERY: u64 = 3;
const KEPT_MAX: usize = 4;
