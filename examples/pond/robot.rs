//! Marvin's class: the robot that has had enough at the first croak.

use actix::prelude::*;
use actix_multiplex::{Heard, Leaf};

use crate::frog::{Croak, Diary, Frog, Goodnight, Hop};

/// A leaf that stops itself. Nobody else notices.
pub struct Robot {
    pub diary: Diary,
}

impl Robot {
    fn stop(&self, ctx: &mut Context<Self>) {
        self.diary.close();
        ctx.stop();
    }
}

impl Actor for Robot {
    type Context = Context<Self>;
}

impl Supervised for Robot {}

impl Leaf for Robot {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for Robot {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, ctx: &mut Self::Context) {
        self.diary.heard(&croak, "croak - Brain the size of a planet. I am off.");
        self.stop(ctx);
    }
}

impl Handler<Heard<Hop>> for Robot {
    type Result = ();

    fn handle(&mut self, hop: Heard<Hop>, _: &mut Self::Context) {
        self.diary.heard(&hop, format_args!("hop {} - Don't expect me to enjoy it.", hop.metres));
    }
}

impl Handler<Heard<Goodnight>> for Robot {
    type Result = ();

    fn handle(&mut self, goodnight: Heard<Goodnight>, ctx: &mut Self::Context) {
        self.diary.heard(&goodnight, "goodnight - At last.");
        self.stop(ctx);
    }
}
