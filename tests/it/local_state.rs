//! The check that what is local is not in the state: it lets an honest leaf pass, and catches others.

use actix::{Actor, Context, Handler, Message, Supervised};
use actix_multiplex::{
    Heard, Leaf, Local, Stateful, Voice, interface, testing::assert_local_is_not_in_state,
};
use serde::{Deserialize, Serialize};

/// Draw a blot there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Draw(u16);

interface! {
    /// Blots, by where they are.
    pub(crate) Napkin = "local.napkin" v1 { state Vec<u16>; 1 => Draw }
}
interface! {
    /// The same, of which a latecomer is told nothing.
    pub(crate) Forgetful = "local.forgetful" v1 { state none; 1 => Draw }
}

/// Drag the blot there before it is drawn.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
struct Drag(u16);

/// How a leaf takes a drag.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Keeps,
    Leaks,
    LeaksFrom(u16),
    CannotTell,
    Panics,
}

#[derive(Debug)]
struct Canvas {
    manner: Manner,
    drawn: Vec<u16>,
    dragged: Option<u16>,
}

impl Canvas {
    fn of(manner: Manner) -> impl Fn(Voice<Napkin>) -> Self {
        move |_| Self { manner, drawn: Vec::new(), dragged: None }
    }
}

impl Actor for Canvas {
    type Context = Context<Self>;
}

impl Supervised for Canvas {}

impl Leaf for Canvas {
    type Interface = Napkin;
}

impl Stateful<Vec<u16>> for Canvas {
    fn state(&self) -> Option<Vec<u16>> {
        (!matches!(self.manner, Manner::CannotTell)).then(|| self.drawn.clone())
    }

    fn restore(&mut self, drawn: Vec<u16>, _: &mut Context<Self>) {
        self.drawn = drawn;
    }
}

impl Handler<Heard<Draw>> for Canvas {
    type Result = ();

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) {
        self.drawn.push(draw.0);
    }
}

impl Handler<Local<Drag>> for Canvas {
    type Result = ();

    fn handle(&mut self, Local(Drag(to)): Local<Drag>, _: &mut Context<Self>) {
        self.dragged = Some(to);
        match self.manner {
            Manner::Leaks => self.drawn.push(to),
            Manner::LeaksFrom(first) if to >= first => self.drawn.push(to),
            Manner::Panics => panic!("over a drag"),
            _ => {}
        }
    }
}

/// A leaf without state.
#[derive(Debug)]
struct Blank;

impl Actor for Blank {
    type Context = Context<Self>;
}

impl Supervised for Blank {}

impl Leaf for Blank {
    type Interface = Forgetful;
}

impl Handler<Heard<Draw>> for Blank {
    type Result = ();

    fn handle(&mut self, _: Heard<Draw>, _: &mut Context<Self>) {}
}

impl Handler<Local<Drag>> for Blank {
    type Result = ();

    fn handle(&mut self, _: Local<Drag>, _: &mut Context<Self>) {}
}

fn check(manner: Manner) {
    assert_local_is_not_in_state(Canvas::of(manner), vec![7], [1, 2, 3].map(Drag));
}

#[test]
fn g5_a_leaf_that_keeps_to_itself_what_is_local_passes() {
    check(Manner::Keeps);
}

#[test]
#[should_panic(expected = "`Local(Drag(1))` leaks into the state of `it::local_state::Canvas`")]
fn g5_a_leaf_that_leaks_is_named_with_the_message() {
    check(Manner::Leaks);
}

#[test]
#[should_panic(expected = "`Local(Drag(3))` leaks")]
fn g5_a_leaf_that_leaks_at_the_last_message_is_caught() {
    check(Manner::LeaksFrom(3));
}

#[test]
#[should_panic(expected = "cannot tell its state")]
fn a_leaf_that_cannot_tell_is_not_passed() {
    check(Manner::CannotTell);
}

#[test]
#[should_panic(expected = "stopped over `Drag(1)`")]
fn a_leaf_that_panics_is_not_passed() {
    check(Manner::Panics);
}

#[test]
#[should_panic(expected = "no local message for `it::local_state::Canvas`")]
fn a_check_without_messages_is_not_passed() {
    assert_local_is_not_in_state(Canvas::of(Manner::Keeps), vec![], [Drag(1); 0]);
}

#[test]
#[should_panic(expected = "has `state none`")]
fn a_leaf_without_state_is_not_passed() {
    assert_local_is_not_in_state(|_| Blank, (), [Drag(1)]);
}
