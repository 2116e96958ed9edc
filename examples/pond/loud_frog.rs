//! Alec's and Amy's class: the frog croaks out loud.

use std::io::{IsTerminal, stdout};

use actix::prelude::*;
use actix_multiplex::{Heard, Leaf, Local};

use crate::frog::{Croak, Diary, Frog, Goodnight, Hop};

/// A frog with a big word for everything, and the terminal's bell.
pub struct LoudFrog {
    diary: Diary,
    bell: &'static str,
}

impl LoudFrog {
    /// A frog that rings only where there is somebody to hear it.
    pub fn new(diary: Diary) -> Self {
        let bell = if stdout().is_terminal() { "\u{7}" } else { "" };
        Self { diary, bell }
    }
}

impl Actor for LoudFrog {
    type Context = Context<Self>;
}

impl Supervised for LoudFrog {}

impl Leaf for LoudFrog {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for LoudFrog {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Self::Context) {
        self.diary.heard(&croak, format_args!("croak - C R O A K !{}", self.bell));
    }
}

impl Handler<Heard<Hop>> for LoudFrog {
    type Result = ();

    fn handle(&mut self, hop: Heard<Hop>, _: &mut Self::Context) {
        self.diary.heard(&hop, format_args!("hop {} - B O I N G !", hop.metres));
    }
}

impl Handler<Heard<Goodnight>> for LoudFrog {
    type Result = ();

    fn handle(&mut self, goodnight: Heard<Goodnight>, ctx: &mut Self::Context) {
        self.diary.heard(&goodnight, "goodnight - S P L A S H !");
        if goodnight.everybody || goodnight.is_mine() {
            self.diary.close();
            ctx.stop();
        }
    }
}

impl Handler<Local<Croak>> for LoudFrog {
    type Result = ();

    fn handle(&mut self, _: Local<Croak>, _: &mut Self::Context) {
        self.diary.local(format_args!("croak - c r o a k{}", self.bell));
    }
}

impl Handler<Local<Hop>> for LoudFrog {
    type Result = ();

    fn handle(&mut self, Local(Hop { metres }): Local<Hop>, _: &mut Self::Context) {
        self.diary.local(format_args!("hop {metres} - b o i n g"));
    }
}
