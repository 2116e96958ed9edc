//! What `interface!` accepts, used as users use it: from another crate, and in every surrounding.

#[no_implicit_prelude]
mod bare;
mod recorder;
mod strict;

use std::collections::BTreeMap;

use actix_multiplex::{Interface, InterfaceId, Kind, ShoutAt, interface};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Croak;
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hop {
    pub(crate) metres: u32,
}

interface! {
    /// A frog.
    pub(crate) Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
        2 => Hop,
    }
}

interface! {
    /// One that sees who is there.
    Newt = "pond.newt" v1 { state Depth; presence; 1 => Croak }
}

interface! {
    /// Without a comma at the end, with the first number and the last.
    pub Toad = "pond.toad" v65535 { state none; 65279 => Hop, 0 => Croak }
}

interface! {
    /// Without rows.
    Stone = "pond.stone" v1 { state none; }
}

interface! {
    #[doc = "A state and no rows, and more than one attribute."]
    #[derive(Clone)]
    pub(in crate::interface) Water = "pond.water" v20 { state Depth; }
}

interface! {
    /// A state of a type that has parameters.
    Meadow = "é" v2 { state BTreeMap<String, std::time::Duration>; 1 => Croak, }
}

interface! {
    /// A state that is an enum, from a module that it is not imported from.
    pub(super) Sky = "pond sky" v3 { state weather::Weather; 1 => Croak }
}

#[derive(Serialize, Deserialize)]
struct Depth {
    metres: u32,
}

mod weather {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(crate) enum Weather {
        Fair,
    }
}

fn kind<I: Interface, M: ShoutAt<I>>() -> u16 {
    let Kind(number) = M::KIND;
    number
}

fn has_state<I: Interface>(_: I::State) -> bool {
    I::STATEFUL
}

fn id(tag: &str, version: u16) -> InterfaceId {
    InterfaceId { tag: tag.parse().expect("is a tag"), version }
}

#[test]
fn a_message_has_in_each_interface_the_number_of_its_row() {
    assert_eq!((kind::<Frog, Croak>(), kind::<Frog, Hop>()), (1, 2));
    assert_eq!((kind::<Toad, Croak>(), kind::<Toad, Hop>()), (0, 65279));
}

#[test]
fn an_interface_is_known_by_tag_and_version() {
    assert_eq!(Frog::id(), id("pond.frog", 1));
    assert_eq!(Toad::id(), id("pond.toad", u16::MAX));
    assert_eq!(Meadow::id(), id("é", 2));
    assert_eq!(Stone::id(), id("pond.stone", 1));
}

#[test]
fn an_interface_has_the_state_of_its_table_or_none() {
    assert!(!has_state::<Frog>(()));
    assert!(!has_state::<Stone>(()));
    assert!(has_state::<Water>(Depth { metres: 2 }));
    assert!(has_state::<Meadow>(BTreeMap::new()));
    assert!(has_state::<Sky>(weather::Weather::Fair));
}

#[test]
fn an_interface_has_presence_if_its_table_says_so() {
    fn has_presence<I: Interface>() -> bool {
        I::PRESENCE
    }
    assert!(has_presence::<Newt>() && has_state::<Newt>(Depth { metres: 2 }));
    assert!(!has_presence::<Frog>() && !has_presence::<Water>());
}

#[test]
fn an_interface_may_stand_in_a_function() {
    #[derive(Serialize, Deserialize)]
    struct Ripple;

    interface! { Pool = "pool" v1 { state none; 9 => Ripple } }

    assert_eq!(kind::<Pool, Ripple>(), 9);
}
