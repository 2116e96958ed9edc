//! A message shouted at an object whose interface does not list it.

#[path = "parts/pond.rs"]
mod pond;

use pond::*;

#[derive(Serialize, Deserialize)]
pub struct Draw;

async fn shout(kermit: Handle<TextFrog>, frog: Voice<Frog>) {
    let _ = kermit.send(Shout(Draw)).await;
    let _ = kermit.try_send(Shout(Draw));
    let _ = kermit.recipient::<Draw>();
    let _ = frog.send(Shout(Draw)).await;
    let _ = frog.try_send(Shout(Draw));
}

fn main() {}
