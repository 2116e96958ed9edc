//! The class of those who listen: it plays what is on, as well as a terminal can.

use actix::prelude::*;
use actix_multiplex::{Heard, Leaf, Local, Stateful};

use crate::machine::{ChangeArtist, Ear, Enter, Jukebox, Look, NextTrack, Playing};

/// A leaf that plays.
pub struct Player {
    ear: Ear,
    playing: Playing,
}

impl Player {
    pub fn new(ear: Ear) -> Self {
        Self { ear, playing: Playing::at_first() }
    }

    fn play(&self) -> String {
        let Playing { artist, track } = &self.playing;
        format!("\u{266a} {artist}, track {track} \u{266b}")
    }
}

impl Actor for Player {
    type Context = Context<Self>;
}

impl Supervised for Player {}

impl Leaf for Player {
    type Interface = Jukebox;
}

impl Stateful<Playing> for Player {
    fn state(&self) -> Option<Playing> {
        Some(self.playing.clone())
    }

    /// A latecomer starts from here. What was shouted since this state was told comes next.
    fn restore(&mut self, playing: Playing, _: &mut Self::Context) {
        self.playing = playing;
    }
}

impl Handler<Heard<ChangeArtist>> for Player {
    type Result = ();

    fn handle(&mut self, change: Heard<ChangeArtist>, _: &mut Self::Context) {
        self.playing.change_artist(&change.artist);
        self.ear.heard(&change, format_args!("change artist - {}", self.play()));
    }
}

impl Handler<Heard<NextTrack>> for Player {
    type Result = ();

    fn handle(&mut self, next: Heard<NextTrack>, _: &mut Self::Context) {
        self.playing.next_track();
        self.ear.heard(&next, format_args!("next track - {}", self.play()));
    }
}

impl Handler<Heard<Enter>> for Player {
    type Result = ();

    fn handle(&mut self, enter: Heard<Enter>, _: &mut Self::Context) {
        let playing = self.play();
        self.ear.entered(&enter, playing);
    }
}

impl Handler<Local<Look>> for Player {
    type Result = String;

    fn handle(&mut self, _: Local<Look>, _: &mut Self::Context) -> String {
        self.play()
    }
}
