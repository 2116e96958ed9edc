//! What the leaves of this process tell, and the one place where it is printed in order.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Display,
    mem::take,
};

use actix_multiplex::{BindError, Closed, Heard, ObjectId, Seq};
use tokio::sync::mpsc;

use crate::lines::say;

/// Where the leaves of one guest write. It does not print: leaves run in no certain order.
#[derive(Clone)]
pub struct Diary {
    guest: usize,
    page: mpsc::UnboundedSender<Told>,
}

enum Told {
    /// What an object is called here.
    Named { object: ObjectId, name: String },
    /// A guest's leaf has come so far; it has something to say of it if that was live.
    Reached { guest: usize, object: ObjectId, seq: Seq, what: Option<String> },
    /// A connection is no more.
    Closed(Closed),
}

impl Diary {
    pub fn named(&self, object: ObjectId, name: String) {
        self.tell(Told::Named { object, name });
    }

    /// A leaf was given a state that contains what was shouted up to `seq`.
    pub fn restored(&self, object: ObjectId, seq: Seq) {
        self.reached(object, seq, None);
    }

    /// A leaf has heard a shout. Of the past it keeps quiet: others have told of that.
    pub fn heard<M>(&self, object: ObjectId, shout: &Heard<M>, what: impl Display) {
        let what = (!shout.is_replayed()).then(|| what.to_string());
        self.reached(object, shout.seq(), what);
    }

    /// There is no leaf here, so nobody needs to wait for what it hears.
    pub fn missing(&self, object: ObjectId, why: &BindError) {
        eprintln!("napkin: a blot cannot be had: {why}");
        self.restored(object, NEVER);
    }

    pub fn closed(&self, closed: Closed) {
        self.tell(Told::Closed(closed));
    }

    fn reached(&self, object: ObjectId, seq: Seq, what: Option<String>) {
        self.tell(Told::Reached { guest: self.guest, object, seq, what });
    }

    fn tell(&self, told: Told) {
        let _nobody_reads = self.page.send(told);
    }
}

/// All diaries of this process, and how far each guest has come with each object.
///
/// A shout is printed when every guest has heard it, the guests in the order in which they came.
pub struct Transcript {
    page: mpsc::UnboundedSender<Told>,
    told: mpsc::UnboundedReceiver<Told>,
    guests: Vec<String>,
    names: HashMap<ObjectId, String>,
    reached: HashMap<(usize, ObjectId), Seq>,
    /// Shouts that not all have heard, the first told of first.
    rounds: Vec<Round>,
    closed: Option<Closed>,
}

/// A shout, and what each guest has to say of it.
struct Round {
    object: ObjectId,
    seq: Seq,
    lines: BTreeMap<usize, String>,
}

impl Transcript {
    pub fn new() -> Self {
        let (page, told) = mpsc::unbounded_channel();
        let (guests, names, reached) = (Vec::new(), HashMap::new(), HashMap::new());
        Self { page, told, guests, names, reached, rounds: Vec::new(), closed: None }
    }

    /// A diary for the next guest.
    pub fn diary(&self) -> Diary {
        Diary { guest: self.guests.len(), page: self.page.clone() }
    }

    /// From now on nothing is printed before this guest has heard it too.
    pub fn admit(&mut self, guest: &str) {
        self.guests.push(guest.to_owned());
    }

    /// Takes in what is told next. Nothing is lost when this is dropped. A connection that is no
    /// more ends it for good.
    pub async fn turn_page(&mut self) -> Result<(), Closed> {
        if let Some(closed) = &self.closed {
            return Err(closed.clone());
        }
        // It cannot end: one sender is its own.
        match self.told.recv().await {
            Some(Told::Closed(closed)) => {
                self.closed = Some(closed.clone());
                return Err(closed);
            }
            Some(Told::Named { object, name }) => drop(self.names.insert(object, name)),
            Some(Told::Reached { guest, object, seq, what }) => {
                self.reached.insert((guest, object), seq);
                if let Some(what) = what {
                    self.round(object, seq).lines.insert(guest, what);
                }
            }
            None => {}
        }
        self.print();
        Ok(())
    }

    /// Turns pages until all guests have heard a shout.
    pub async fn read_to(&mut self, object: ObjectId, seq: Seq) -> Result<(), Closed> {
        while !self.all_have(object, seq) {
            self.turn_page().await?;
        }
        Ok(())
    }

    /// Turns pages until all guests are where the furthest is.
    pub async fn catch_up(&mut self) -> Result<(), Closed> {
        while self
            .reached
            .iter()
            .any(|((_, object), seq)| *seq != NEVER && !self.all_have(*object, *seq))
        {
            self.turn_page().await?;
        }
        Ok(())
    }

    fn all_have(&self, object: ObjectId, seq: Seq) -> bool {
        (0..self.guests.len()).all(|guest| self.reached.get(&(guest, object)) >= Some(&seq))
    }

    fn round(&mut self, object: ObjectId, seq: Seq) -> &mut Round {
        let is_it = |round: &Round| (round.object, round.seq) == (object, seq);
        let at = self.rounds.iter().position(is_it).unwrap_or_else(|| {
            self.rounds.push(Round { object, seq, lines: BTreeMap::new() });
            self.rounds.len() - 1
        });
        &mut self.rounds[at]
    }

    fn print(&mut self) {
        for round in take(&mut self.rounds) {
            match self.names.get(&round.object) {
                Some(name) if self.all_have(round.object, round.seq) => {
                    for (guest, what) in round.lines {
                        say(format_args!(
                            "{} heard {name} {} {what}",
                            self.guests[guest], round.seq
                        ));
                    }
                }
                _ => self.rounds.push(round),
            }
        }
    }
}

/// How far a leaf has come that a guest could not have: whoever waits for it need not.
const NEVER: Seq = Seq(u64::MAX);
