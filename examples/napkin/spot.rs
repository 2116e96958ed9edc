//! The blot's leaf: where it lies for all, and how far it is dragged here.

use actix::prelude::*;
use actix_multiplex::{Heard, Leaf, Local, Stateful, Voice};

use crate::{
    diary::Diary,
    paper::{Blot, Drag, Glance, Ink, Lie, Look, Rotate, Seen},
};

/// A blot as one guest has it.
pub struct Spot {
    me: Voice<Blot>,
    diary: Diary,
    /// What was heard: the same in every leaf that has heard as much.
    ink: Ink,
    /// Where it is held, as was said to this leaf alone: no part of the state.
    dragged: Option<(usize, usize)>,
}

impl Spot {
    pub fn new(me: Voice<Blot>, diary: Diary) -> Self {
        Self { me, diary, ink: Ink::default(), dragged: None }
    }

    /// The blot as this guest sees it.
    fn seen(&self) -> Seen {
        self.ink.seen_at(self.dragged.unwrap_or((self.ink.x, self.ink.y)))
    }

    /// Notes a shout in the state, and tells what has come of it for everybody.
    fn heard<M>(&mut self, shout: &Heard<M>, what: &str) {
        self.ink.heard = shout.seq();
        let Seen { mark, x, y } = self.ink.seen_at((self.ink.x, self.ink.y));
        self.diary.heard(self.me.object(), shout, format_args!("{what} - {mark} at {x},{y}"));
    }
}

impl Actor for Spot {
    type Context = Context<Self>;
}

impl Supervised for Spot {}

impl Leaf for Spot {
    type Interface = Blot;
}

impl Stateful<Ink> for Spot {
    fn state(&self) -> Option<Ink> {
        Some(self.ink.clone())
    }

    fn restore(&mut self, ink: Ink, _: &mut Self::Context) {
        self.diary.restored(self.me.object(), ink.heard);
        self.ink = ink;
    }
}

impl Handler<Heard<Lie>> for Spot {
    type Result = ();

    fn handle(&mut self, lie: Heard<Lie>, _: &mut Self::Context) {
        (self.ink.x, self.ink.y) = (lie.x, lie.y);
        // Whoever dropped it drags it no more. If somebody else did, it goes on being dragged.
        if lie.is_mine() {
            self.dragged = None;
        }
        self.heard(&lie, "lie");
    }
}

impl Handler<Heard<Rotate>> for Spot {
    type Result = ();

    fn handle(&mut self, rotate: Heard<Rotate>, _: &mut Self::Context) {
        self.ink.degrees = (self.ink.degrees % 360 + rotate.degrees % 360) % 360;
        self.heard(&rotate, &format!("rotate {}", rotate.degrees));
    }
}

impl Handler<Heard<Glance>> for Spot {
    type Result = ();

    fn handle(&mut self, glance: Heard<Glance>, _: &mut Self::Context) {
        self.heard(&glance, "glance");
    }
}

impl Handler<Local<Drag>> for Spot {
    type Result = MessageResult<Local<Drag>>;

    fn handle(&mut self, Local(drag): Local<Drag>, _: &mut Self::Context) -> Self::Result {
        let Seen { x, y, .. } = self.seen();
        self.dragged = Some((x.saturating_add_signed(drag.dx), y.saturating_add_signed(drag.dy)));
        MessageResult(self.seen())
    }
}

impl Handler<Local<Look>> for Spot {
    type Result = MessageResult<Local<Look>>;

    fn handle(&mut self, _: Local<Look>, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.seen())
    }
}
