//! The napkin's leaf: it has the blots that were drawn on it.

use std::mem::take;

use actix::prelude::*;
use actix_multiplex::{BindError, Handle, Heard, Leaf, Local, ObjectRef, Stateful, Voice};

use crate::{
    diary::Diary,
    paper::{Blot, Draw, Drawing, Glance, HEIGHT, Look, Napkin, WIDTH},
    spot::Spot,
};

/// A sheet of paper. It holds the handles of its blots, which keeps their leaves joined. They hold
/// nothing of it: two leaves that hold each other never part.
pub struct Sheet {
    /// Its own voice, which keeps nothing alive, and through which it finds its client.
    me: Voice<Napkin>,
    diary: Diary,
    drawing: Drawing,
    /// The leaves of what was drawn, in that order.
    blots: Vec<Option<Handle<Spot>>>,
}

/// The napkin as this leaf sees it, row by row.
#[derive(Message)]
#[rtype(result = "Vec<String>")]
pub struct Show;

/// The leaves of all blots, in the order in which they were drawn.
#[derive(Message)]
#[rtype(result = "Vec<Option<Handle<Spot>>>")]
pub struct Blots;

impl Sheet {
    pub fn new(me: Voice<Napkin>, diary: Diary) -> Self {
        Self { me, diary, drawing: Drawing::default(), blots: Vec::new() }
    }

    /// Keeps a blot that a message or the state carried.
    fn keep(&mut self, blot: &ObjectRef<Blot>) {
        self.drawing.blots.push(blot.clone());
        let name = format!("blot {}", self.drawing.blots.len());
        let bound = self.bind(blot).inspect_err(|error| self.diary.missing(blot.object(), error));
        self.blots.push(bound.ok());
        self.diary.named(blot.object(), name);
    }

    /// The leaf is there already: the library made it before it handed the carrier over.
    fn bind(&self, blot: &ObjectRef<Blot>) -> Result<Handle<Spot>, BindError> {
        let client = self.me.client().ok_or(BindError::NotHere)?;
        client.bind::<Spot>(blot).now()
    }
}

impl Actor for Sheet {
    type Context = Context<Self>;
}

impl Supervised for Sheet {}

impl Leaf for Sheet {
    type Interface = Napkin;
}

impl Stateful<Drawing> for Sheet {
    fn state(&self) -> Option<Drawing> {
        Some(self.drawing.clone())
    }

    /// A latecomer gets the blots with the napkin. Each is given its own state by itself.
    fn restore(&mut self, drawing: Drawing, _: &mut Self::Context) {
        // What it had is let go after all is bound, so that no leaf parts in between.
        let _before = take(&mut self.blots);
        self.drawing = Drawing { heard: drawing.heard, ..Drawing::default() };
        for blot in &drawing.blots {
            self.keep(blot);
        }
        self.diary.restored(self.me.object(), drawing.heard);
    }
}

impl Handler<Heard<Draw>> for Sheet {
    type Result = ();

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Self::Context) {
        self.keep(&draw.blot);
        self.drawing.heard = draw.seq();
        let what = format_args!("draw - blot {}", self.blots.len());
        self.diary.heard(self.me.object(), &draw, what);
    }
}

impl Handler<Heard<Glance>> for Sheet {
    type Result = ();

    fn handle(&mut self, glance: Heard<Glance>, _: &mut Self::Context) {
        self.drawing.heard = glance.seq();
        self.diary.heard(self.me.object(), &glance, "glance");
    }
}

impl Handler<Local<Show>> for Sheet {
    type Result = ResponseFuture<Vec<String>>;

    /// Asks each blot's leaf how it sees itself. That a blot is dragged only its leaf knows.
    fn handle(&mut self, _: Local<Show>, _: &mut Self::Context) -> Self::Result {
        let blots = self.blots.clone();
        Box::pin(async move {
            let mut rows = [['.'; WIDTH]; HEIGHT];
            for blot in blots.iter().flatten() {
                if let Ok(seen) = blot.send(Local(Look)).await {
                    rows[seen.y][seen.x] = seen.mark;
                }
            }
            rows.iter().map(|row| row.iter().collect()).collect()
        })
    }
}

impl Handler<Local<Blots>> for Sheet {
    type Result = Vec<Option<Handle<Spot>>>;

    fn handle(&mut self, _: Local<Blots>, _: &mut Self::Context) -> Self::Result {
        self.blots.clone()
    }
}
