//! A local message that does not say what its answer is.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

async fn croak(kermit: Handle<TextFrog>) {
    let _ = kermit.send(Local(Croak)).await;
}

fn main() {}
