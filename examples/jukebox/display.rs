//! The class of those who read: it shows what is on.

use actix::prelude::*;
use actix_multiplex::{Heard, Leaf, Local, Stateful};

use crate::machine::{ChangeArtist, Ear, Enter, Jukebox, Look, NextTrack, Playing};

/// A leaf that shows, in the capital letters that it has.
pub struct Display {
    ear: Ear,
    playing: Playing,
}

impl Display {
    pub fn new(ear: Ear) -> Self {
        Self { ear, playing: Playing::at_first() }
    }

    fn show(&self) -> String {
        let Playing { artist, track } = &self.playing;
        format!("[{} | {track:02}]", artist.to_uppercase())
    }
}

impl Actor for Display {
    type Context = Context<Self>;
}

impl Supervised for Display {}

impl Leaf for Display {
    type Interface = Jukebox;
}

impl Stateful<Playing> for Display {
    fn state(&self) -> Option<Playing> {
        Some(self.playing.clone())
    }

    fn restore(&mut self, playing: Playing, _: &mut Self::Context) {
        self.playing = playing;
    }
}

impl Handler<Heard<ChangeArtist>> for Display {
    type Result = ();

    fn handle(&mut self, change: Heard<ChangeArtist>, _: &mut Self::Context) {
        self.playing.change_artist(&change.artist);
        self.ear.heard(&change, format_args!("change artist - {}", self.show()));
    }
}

impl Handler<Heard<NextTrack>> for Display {
    type Result = ();

    fn handle(&mut self, next: Heard<NextTrack>, _: &mut Self::Context) {
        self.playing.next_track();
        self.ear.heard(&next, format_args!("next track - {}", self.show()));
    }
}

impl Handler<Heard<Enter>> for Display {
    type Result = ();

    fn handle(&mut self, enter: Heard<Enter>, _: &mut Self::Context) {
        let shown = self.show();
        self.ear.entered(&enter, shown);
    }
}

impl Handler<Local<Look>> for Display {
    type Result = String;

    fn handle(&mut self, _: Local<Look>, _: &mut Self::Context) -> String {
        self.show()
    }
}
