//! A shout that nobody shouted.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

fn hear(kermit: Addr<TextFrog>) {
    kermit.do_send(Heard(Croak));
}

fn main() {}
