//! A local message that the leaf has no handler for.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

#[derive(Message)]
#[rtype(result = "()")]
pub struct Blink;

async fn blink(kermit: Handle<TextFrog>) {
    let _ = kermit.send(Local(Blink)).await;
}

fn main() {}
