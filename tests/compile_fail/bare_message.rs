//! A message sent without saying how.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

async fn croak(kermit: Handle<TextFrog>) {
    let _ = kermit.send(Croak).await;
}

async fn croak_by_voice(kermit: Voice<Frog>) {
    let _ = kermit.send(Croak).await;
}

fn main() {}
