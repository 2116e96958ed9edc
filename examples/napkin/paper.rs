//! What everybody at the napkin has in common: two interfaces, of a napkin and of a blot, and what
//! they say.

use actix::prelude::*;
use actix_multiplex::{ObjectRef, Seq, interface};
use serde::{Deserialize, Serialize};

/// Draw this blot. The message carries the live object: who hears it has a leaf of it by then.
#[derive(Serialize, Deserialize)]
pub struct Draw {
    pub blot: ObjectRef<Blot>,
}

/// Lie here from now on.
#[derive(Serialize, Deserialize)]
pub struct Lie {
    pub x: usize,
    pub y: usize,
}

/// Turn clockwise.
#[derive(Serialize, Deserialize)]
pub struct Rotate {
    pub degrees: u16,
}

/// Changes nothing. Whoever hears their own has heard all that was shouted before, and so a
/// newcomer knows that the past is over.
#[derive(Serialize, Deserialize)]
pub struct Glance;

/// A napkin's state: the blots on it, in the order in which they were drawn. They are references;
/// each blot's own state goes with the blot.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Drawing {
    pub blots: Vec<ObjectRef<Blot>>,
    pub heard: Seq,
}

/// A blot's state: its place and angle as they were heard. That somebody drags it is not in here.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Ink {
    pub mark: char,
    pub x: usize,
    pub y: usize,
    pub degrees: u16,
    pub heard: Seq,
}

interface! {
    /// What blots are drawn on.
    pub Napkin = "table.napkin" v1 {
        state Drawing;
        1 => Draw,
        2 => Glance,
    }
}

interface! {
    /// A blot of ink.
    pub Blot = "table.blot" v1 {
        state Ink;
        1 => Lie,
        2 => Rotate,
        3 => Glance,
    }
}

/// Push a blot so far. Said locally, so only one's own leaf moves.
#[derive(Message)]
#[rtype(result = "Seen")]
pub struct Drag {
    pub dx: isize,
    pub dy: isize,
}

/// How does this leaf see the blot?
#[derive(Message)]
#[rtype(result = "Seen")]
pub struct Look;

/// A blot as one leaf sees it.
pub struct Seen {
    pub mark: char,
    pub x: usize,
    pub y: usize,
}

impl Ink {
    /// The blot, seen at a place. Nothing lies beside the napkin.
    pub fn seen_at(&self, (x, y): (usize, usize)) -> Seen {
        let (x, y) = (x.min(WIDTH - 1), y.min(HEIGHT - 1));
        Seen { mark: turned(self.mark, self.degrees), x, y }
    }
}

/// What a mark looks like when it is turned; most look round. What steers a terminal, which others
/// may send, does not get there.
fn turned(mark: char, degrees: u16) -> char {
    let quarters = usize::from(degrees / 90);
    let of = |wheel: &&str| wheel.find(mark).map(|at| at + quarters);
    WHEELS
        .iter()
        .find_map(|wheel| wheel.chars().cycle().nth(of(wheel)?))
        .unwrap_or(if mark.is_control() { '?' } else { mark })
}

/// Marks by quarters of a turn. All are ASCII, so a byte is a character.
const WHEELS: [&str; 3] = ["^>v<", "|-", "/\\"];

pub const WIDTH: usize = 12;
pub const HEIGHT: usize = 4;
