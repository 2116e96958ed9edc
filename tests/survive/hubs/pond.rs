//! What all processes have in common: the interfaces, and leaves that write down what they hear.

use actix::prelude::*;
use actix_multiplex::{
    BindError, Client, Epoch, Handle, Heard, Leaf, ObjectRef, Resync, ResyncReason, Shout,
    Stateful, Voice, interface, testing::transcript::Event,
};
use serde::{Deserialize, Serialize};

use super::{
    notes::{Going, Notes},
    toads::say,
};

/// The object without a state.
pub(super) const KERMIT: &str = "kermit";
/// The object with one.
pub(super) const LEDGER: &str = "ledger";

/// One shout of many: who says it, and which of theirs it is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Croak {
    pub(super) who: String,
    pub(super) n: u64,
    /// Makes it as long as one likes.
    pub(super) text: String,
}

/// Here is a toad.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Show {
    pub(super) who: String,
    pub(super) n: u64,
    pub(super) toad: ObjectRef<Ledger>,
}

/// The last shout.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Night;

interface! {
    /// A frog that croaks, and shows toads, until the night.
    pub(super) Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
        2 => Show,
        3 => Night,
    }
}

interface! {
    /// Sums up what is croaked at it. A toad is one too.
    pub(super) Ledger = "pond.ledger" v1 {
        state Sum;
        1 => Croak,
        2 => Night,
    }
}

/// All that was heard. Two leaves that have heard the same have the same sum.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sum {
    last: u64,
    hash: u64,
    is_night: bool,
}

impl Sum {
    fn add(&mut self, seq: u64, n: u64) {
        self.last = seq;
        self.hash = self.hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n;
    }
}

/// What both leaves write with.
struct Pen {
    name: String,
    object: String,
    notes: Notes,
    epoch: Option<Epoch>,
}

impl Pen {
    fn new<I>(name: &str, me: &Voice<I>, notes: &Notes) -> Self
    where
        I: actix_multiplex::Interface,
    {
        let object = me.object().to_string();
        Self { name: name.to_owned(), object, notes: notes.clone(), epoch: None }
    }

    fn heard<M>(&mut self, heard: &Heard<M>, voice: &str, text: &str) {
        if *self.epoch.get_or_insert(heard.epoch()) != heard.epoch() {
            self.notes.count("changes of an epoch");
        }
        let (leaf, object, seq) = (&*self.name, &*self.object, heard.seq().0);
        self.notes.note(&Event::Heard { leaf, object, seq, voice, text });
    }

    fn joined(&self, after: u64) {
        self.notes.note(&Event::Joined { leaf: &*self.name, object: &*self.object, after });
    }

    fn parted(&self) {
        self.notes.note(&Event::Parted { leaf: &*self.name, object: &*self.object });
    }

    fn stands(&self, sum: Sum) {
        let (leaf, object, state) = (&*self.name, &*self.object, format!("{:x}", sum.hash));
        self.notes.note(&Event::Stands { leaf, object, seq: sum.last, state: &*state });
    }

    fn resynced(&self, resync: Resync, what: &str) {
        let reason = match resync.reason {
            ResyncReason::Epoch => "by epoch",
            _ => "by missing",
        };
        self.notes.count(&format!("resyncs {reason} of {what}"));
        let (from, to) = (resync.from.0, resync.to.0);
        self.notes.note(&Event::Resynced { leaf: &*self.name, object: &*self.object, from, to });
    }
}

/// A leaf of kermit. It holds the toads that it was shown.
pub(super) struct Witness {
    pen: Pen,
    me: Voice<Frog>,
    awake: Option<Going>,
    toads: Vec<Handle<Clerk>>,
}

impl Witness {
    pub(super) fn implement(client: &Client, name: &str, notes: &Notes) {
        let (name, notes) = (name.to_owned(), notes.clone());
        client.implement(move |me| {
            let pen = Pen::new(&name, &me, &notes);
            pen.joined(0);
            let awake = Some(notes.frogs.begin());
            Self { pen, me, awake, toads: Vec::new() }
        });
    }

    /// Croaks back at a toad of somebody else's.
    fn hold(&mut self, toad: Handle<Clerk>, shown_by: &str) {
        if shown_by != self.pen.name {
            let (notes, name) = (self.pen.notes.clone(), self.pen.name.clone());
            let (voice, errand) = (toad.voice(), notes.errands.begin());
            tokio::task::spawn_local(async move {
                say(&voice, &name, 1, &notes).await;
                drop(errand);
            });
        }
        self.toads.push(toad);
    }

    /// Its leaf was not there: it is asked for until it is, or is no more.
    fn ask_for(&self, toad: ObjectRef<Ledger>, who: String, ctx: &mut Context<Self>) {
        let (client, notes) = (self.me.client(), self.pen.notes.clone());
        let errand = notes.errands.begin();
        let asking = async move {
            let client = client?;
            for _ in 0..TRIES_MAX {
                match client.bind::<Clerk>(&toad).await {
                    Ok(toad) => return Some(toad),
                    Err(BindError::Gone) => {
                        notes.count("toads that had gone");
                        return None;
                    }
                    Err(error) => notes.count(&format!("later binds for: {error}")),
                }
            }
            notes.count("toads not bound");
            None
        };
        ctx.spawn(asking.into_actor(self).map(move |toad, witness, _| {
            if let Some(toad) = toad {
                witness.hold(toad, &who);
            }
            drop(errand);
        }));
    }
}

impl Actor for Witness {
    type Context = Context<Self>;
}

impl Supervised for Witness {}

impl Leaf for Witness {
    type Interface = Frog;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        self.pen.resynced(resync, KERMIT);
    }
}

impl Handler<Heard<Croak>> for Witness {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        self.pen.heard(&croak, &croak.who, &croak.n.to_string());
    }
}

impl Handler<Heard<Show>> for Witness {
    type Result = ();

    fn handle(&mut self, show: Heard<Show>, ctx: &mut Self::Context) {
        self.pen.heard(&show, &show.who, &show.n.to_string());
        let who = show.who.trim_end_matches(SHOWING);
        let client = self.me.client().expect("it lives as long as its leaves");
        match client.bind::<Clerk>(&show.toad).now() {
            Ok(toad) => {
                self.pen.notes.count("toads bound at once");
                self.hold(toad, who);
            }
            Err(error) => {
                self.pen.notes.count(&format!("toads not bound at once: {error}"));
                self.ask_for(show.toad.clone(), who.to_owned(), ctx);
            }
        }
    }
}

impl Handler<Heard<Night>> for Witness {
    type Result = ();

    fn handle(&mut self, night: Heard<Night>, _: &mut Self::Context) {
        self.pen.heard(&night, NIGHT, "1");
        self.awake = None;
    }
}

/// A leaf of a ledger.
pub(super) struct Clerk {
    pen: Pen,
    sum: Sum,
    awake: Option<Going>,
    has_joined: bool,
}

impl Clerk {
    pub(super) fn implement(client: &Client, name: &str, notes: &Notes) {
        let (name, notes) = (name.to_owned(), notes.clone());
        client.implement(move |me| {
            let (pen, awake) = (Pen::new(&name, &me, &notes), Some(notes.clerks.begin()));
            Self { pen, sum: Sum::default(), awake, has_joined: false }
        });
    }

    fn add(&mut self, seq: u64, n: u64) {
        self.sum.add(seq, n);
        if self.sum.is_night || seq.is_multiple_of(STANDS_EVERY) {
            self.pen.stands(self.sum);
        }
    }
}

impl Actor for Clerk {
    type Context = Context<Self>;
}

impl Supervised for Clerk {}

impl Leaf for Clerk {
    type Interface = Ledger;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        self.pen.resynced(resync, LEDGER);
    }
}

impl Stateful<Sum> for Clerk {
    fn state(&self) -> Option<Sum> {
        self.pen.notes.count("states told");
        Some(self.sum)
    }

    fn restore(&mut self, sum: Sum, _: &mut Self::Context) {
        self.sum = sum;
        if !self.has_joined {
            self.has_joined = true;
            self.pen.joined(sum.last);
        }
        if sum.last > 0 {
            self.pen.stands(sum);
        }
        if sum.is_night {
            self.awake = None;
        }
    }
}

impl Handler<Heard<Croak>> for Clerk {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        self.pen.heard(&croak, &croak.who, &croak.n.to_string());
        self.add(croak.seq().0, croak.n);
    }
}

impl Handler<Heard<Night>> for Clerk {
    type Result = ();

    fn handle(&mut self, night: Heard<Night>, _: &mut Self::Context) {
        self.pen.heard(&night, NIGHT, "1");
        self.sum.is_night = true;
        self.add(night.seq().0, 0);
        self.awake = None;
    }
}

/// Its object was destroyed.
impl Drop for Clerk {
    fn drop(&mut self) {
        if self.has_joined {
            self.pen.parted();
        }
    }
}

/// Shouts the night, as the only one who does.
pub(super) async fn fall<I>(voice: &Voice<I>, notes: &Notes) -> u64
where
    I: actix_multiplex::Interface,
    Night: actix_multiplex::ShoutAt<I>,
{
    let object = voice.object().to_string();
    notes.note(&Event::Said { voice: NIGHT, object: &*object, n: 1, text: "1" });
    let receipt = tokio::time::timeout(super::program::PATIENCE, voice.send(Shout(Night))).await;
    let seq = receipt.expect("a receipt comes in time").expect("it is sequenced").seq().0;
    notes.note(&Event::Receipted { voice: NIGHT, object: &*object, n: 1, seq });
    seq
}

/// Behind the name of who shows toads.
pub(super) const SHOWING: &str = " showing";
/// Who shouts the night.
const NIGHT: &str = "night";
/// Shouts from one word of a leaf's state to the next.
const STANDS_EVERY: u64 = 32;
/// Binds of one toad before it is given up.
const TRIES_MAX: usize = 30;
