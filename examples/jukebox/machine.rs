//! What everybody at the jukebox has in common: its interface, its state, and the ear that every
//! class of leaf listens with.

use std::fmt::Display;

use actix::prelude::*;
use actix_multiplex::{Heard, Seq, interface};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

/// The button: another artist, from the first track on.
#[derive(Serialize, Deserialize)]
pub struct ChangeArtist {
    pub artist: String,
}

/// The other button.
#[derive(Serialize, Deserialize)]
pub struct NextTrack;

/// Somebody comes in. Whoever hears their own has heard all that was shouted before.
#[derive(Serialize, Deserialize)]
pub struct Enter {
    pub who: String,
}

/// What is on: what a latecomer is given.
#[derive(Clone, Serialize, Deserialize)]
pub struct Playing {
    pub artist: String,
    pub track: u32,
}

interface! {
    /// A jukebox. This is all that two programs have to agree on.
    pub Jukebox = "bar.jukebox" v1 {
        state Playing;
        1 => ChangeArtist,
        2 => NextTrack,
        3 => Enter,
    }
}

/// What is on, as this leaf has it? Nobody shouts it, so it is no part of the interface.
#[derive(Message)]
#[rtype(result = "String")]
pub struct Look;

impl Playing {
    /// A jukebox is never silent.
    pub fn at_first() -> Self {
        Self { artist: "Thelonious Monk".to_owned(), track: 1 }
    }

    pub fn change_artist(&mut self, artist: &str) {
        *self = Self { artist: artist.to_owned(), track: 1 };
    }

    pub fn next_track(&mut self) {
        self.track = self.track.wrapping_add(1);
    }
}

/// What a leaf tells the room of a shout that it has heard.
pub struct Told {
    pub seq: Seq,
    pub what: String,
}

/// A leaf prints nothing: it tells the room, which prints in an order of its own.
pub struct Ear {
    room: mpsc::UnboundedSender<Told>,
    is_here: bool,
}

impl Ear {
    pub fn new(room: mpsc::UnboundedSender<Told>) -> Self {
        Self { room, is_here: false }
    }

    /// Tells of one's own entering and of all that follows.
    pub fn entered(&mut self, enter: &Heard<Enter>, playing: impl Display) {
        self.is_here |= enter.is_mine();
        self.heard(enter, format_args!("{} comes in - {playing}", enter.who));
    }

    /// Tells of a shout, unless it was before one's time: a latecomer hears the past as well, to
    /// know what is on, and keeps quiet about it.
    pub fn heard<M>(&self, shout: &Heard<M>, what: impl Display) {
        if self.is_here {
            let told = Told { seq: shout.seq(), what: what.to_string() };
            let _the_room_is_closed = self.room.send(told);
        }
    }
}
