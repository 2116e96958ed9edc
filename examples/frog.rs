//! One frog in a process of its own, at any hub:
//!
//! ```text
//! cargo run --features cli -- hub --listen tcp://127.0.0.1:8787
//! cargo run --example frog -- --connect tcp://127.0.0.1:8787 --name kermit
//! cargo run --example frog -- --connect tcp://127.0.0.1:8787 --name kermit --who amy
//! ```
//!
//! It follows the same commands as the pond. Whoever quits leaves alone; the others stay.

#![allow(unreachable_pub, reason = "modules of an example read better with a plain `pub`")]

#[path = "pond/commands.rs"]
mod commands;
#[path = "pond/frog.rs"]
mod frog;
#[path = "pond/lines.rs"]
mod lines;

use std::{env, error::Error, process::ExitCode};

use actix_multiplex::Shout;

use self::{
    commands::follow,
    frog::{Goodnight, Guest, TextFrog},
    lines::lost,
};

#[actix::main]
async fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(env::args().skip(1)) else {
        eprintln!("usage: frog --connect tcp://HOST:PORT [--name kermit] [--who frog]");
        return ExitCode::from(2);
    };
    if let Err(error) = run(arguments).await {
        eprintln!("frog: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run(Arguments { connect, name, who }: Arguments) -> Result<(), Box<dyn Error>> {
    let frog_name = name.clone();
    let leaf = move |diary| TextFrog { name: frog_name.clone(), diary };
    let guest = Guest::come(&who, &connect, &name, leaf).await?;
    let speak = async {
        follow(&guest).await;
        // It comes back after all that was said before, and then the diary is closed.
        guest.frog.send(Shout(Goodnight { everybody: false })).await?;
        guest.diary.closed().await;
        Ok::<(), Box<dyn Error>>(())
    };
    tokio::select! {
        biased;
        () = guest.diary.closed() => {}
        spoken = speak => spoken?,
        lost = lost(&guest.client) => return Err(lost.into()),
    }
    guest.client.close().await;
    Ok(())
}

struct Arguments {
    /// Where the hub is.
    connect: String,
    /// What the frog is called in the hub's directory.
    name: String,
    /// Who sits here, as told in front of each line.
    who: String,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let (mut connect, mut name, mut who) = (None, "kermit".to_owned(), "frog".to_owned());
        while let Some(flag) = words.next() {
            match flag.as_str() {
                "--connect" => connect = Some(words.next()?),
                "--name" => name = words.next()?,
                "--who" => who = words.next()?,
                _ => return None,
            }
        }
        Some(Self { connect: connect?, name, who })
    }
}
