//! What is to be asked is shouted, and what is to be shouted is asked.

#[path = "parts/toad.rs"]
mod toad;

use toad::*;

async fn ask(toad: Voice<Toad>) {
    let _receipt = toad.send(Shout(Weigh)).await;
    let _answer = toad.ask(Croak).await;
}

fn main() {}
