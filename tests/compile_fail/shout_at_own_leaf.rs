//! A shout sent to one's own leaf, where it would reach nobody else.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

fn shout(kermit: Addr<TextFrog>) {
    kermit.do_send(Shout(Croak));
}

fn main() {}
