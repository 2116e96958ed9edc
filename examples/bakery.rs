//! `supervise` for any actix program: no hub, no client, one actor that panics now and then.
//!
//! ```sh
//! cargo run --release --example bakery
//! ```
//!
//! A baker never lets the oven cool. Whenever that ends in a panic the baker is rebuilt, with a cold
//! oven, after a rest that doubles each time; the customers' orders wait in the mailbox. The third
//! panic within a minute is one too many.

#![expect(clippy::print_stdout, reason = "the program shows what happens")]

use std::{panic, time::Duration};

use actix::prelude::*;
use actix_multiplex::supervise::{self, Backoff, Event, Placement, RestartLimit};
use tokio::sync::oneshot;

/// Bakes a bread, and gives it its number.
#[derive(Message)]
#[rtype(result = "u32")]
struct Bake(u32);

#[derive(Default)]
struct Baker {
    oven_degrees: u32,
}

impl Actor for Baker {
    type Context = Context<Self>;
}

impl Supervised for Baker {
    /// Everything that a panic may have left half-done is made anew here.
    fn restarting(&mut self, _: &mut Self::Context) {
        *self = Self::default();
    }
}

impl Handler<Bake> for Baker {
    type Result = u32;

    fn handle(&mut self, Bake(number): Bake, _: &mut Self::Context) -> u32 {
        self.oven_degrees += 100;
        assert!(self.oven_degrees < 300, "the oven is at {} degrees", self.oven_degrees);
        number
    }
}

#[actix::main]
async fn main() -> Result<(), supervise::StartError> {
    // The watcher tells of panics; the hook of the standard library would print them as well.
    panic::set_hook(Box::new(|_| {}));
    let limit = RestartLimit { restarts: 2, within: Duration::from_mins(1) };
    let backoff = Backoff { first: Duration::from_millis(100), max: Duration::from_secs(1) };
    let (close, closed) = oneshot::channel();
    let watch = watcher(limit, close);
    let policy = limit.with_backoff(backoff);
    let baker = supervise::start(&Placement::Here, 16, policy, |_| Baker::default(), watch)?;
    for number in 1..=9 {
        match baker.send(Bake(number)).await {
            Ok(number) => println!("customer: bread {number}"),
            Err(_) => println!("customer: no bread {number}"),
        }
    }
    let _has_ended = closed.await;
    println!("the bakery has closed");
    Ok(())
}

/// Prints what becomes of the baker, and drops `close` in the end.
fn watcher(limit: RestartLimit, close: oneshot::Sender<()>) -> impl FnMut(Event) + Send {
    move |event| {
        let _until_it_has_ended = &close;
        match event {
            Event::Panicked { reason } => println!("watcher: panicked: {reason}"),
            Event::Resting { wait } => println!("watcher: rests {} ms", wait.as_millis()),
            Event::Restarted { restarts } => {
                println!("watcher: restarted, {restarts} of {}", limit.restarts);
            }
            Event::GaveUp { reason } => println!("watcher: gave up: {reason}"),
            other => println!("watcher: {other:?}"),
        }
    }
}
