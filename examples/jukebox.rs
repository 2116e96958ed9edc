//! A jukebox in one command: `cargo run --release --example jukebox`.
//!
//! The jukebox is an object with a state: what is on. Whoever pushes a button shouts, and all hear
//! the change, in one order. Each patron has a leaf of a class of their own: Alec's plays, Amy's
//! shows. A latecomer is given the state, so they know at once what is on:
//!
//! ```text
//! printf 'artist Nina Simone\nnext\npatron carol\nquit\n' | cargo run --release --example jukebox
//! ```
//!
//! It prints its address. Another process joins there, and its buttons work as well:
//!
//! ```text
//! cargo run --release --example jukebox -- --connect tcp://127.0.0.1:PORT --who angus
//! ```

#![allow(unreachable_pub, reason = "modules of an example read better with a plain `pub`")]

#[path = "jukebox/display.rs"]
mod display;
#[path = "pond/lines.rs"]
mod lines;
#[path = "jukebox/machine.rs"]
mod machine;
#[path = "jukebox/player.rs"]
mod player;
#[path = "jukebox/room.rs"]
mod room;

use std::{env, error::Error, io::stdin, process::ExitCode};

use actix_multiplex::Hub;

use self::{
    display::Display,
    lines::{lines, say},
    machine::{ChangeArtist, NextTrack},
    player::Player,
    room::Room,
};

#[actix::main]
async fn main() -> ExitCode {
    let ended = match Arguments::read(env::args().skip(1)) {
        Some(Arguments::Help) => {
            say(format_args!("{USAGE}\non standard input: {HELP}"));
            Ok(())
        }
        Some(Arguments::Serve) => serve().await,
        Some(Arguments::Connect { address, who }) => connect(&address, &who).await,
        None => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = ended {
        eprintln!("jukebox: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The hub, Alec and Amy.
async fn serve() -> Result<(), Box<dyn Error>> {
    let hub = Hub::builder().start()?;
    let address = hub.listen("tcp://127.0.0.1:0").await?;
    say(format_args!("{address} is the jukebox: {HELP}. Others may join:"));
    say(format_args!("    cargo run --release --example jukebox -- --connect {address}"));
    let mut room = Room::new(&address);
    room.let_in("alec", Player::new).await?;
    room.let_in("amy", Display::new).await?;
    follow(&mut room).await?;
    room.close().await;
    hub.stop().await;
    Ok(())
}

/// One more who shows, at a jukebox elsewhere.
async fn connect(address: &str, who: &str) -> Result<(), Box<dyn Error>> {
    let mut room = Room::new(address);
    room.let_in(who, Display::new).await?;
    follow(&mut room).await?;
    room.close().await;
    Ok(())
}

/// Carries out what is typed, up to `quit` or the end of input, and prints what is heard meanwhile
/// from other processes. It fails when the hub is gone.
async fn follow(room: &mut Room) -> Result<(), Box<dyn Error>> {
    let mut input = lines(stdin());
    loop {
        // What was heard comes first: it was said before the next line was read.
        let line = tokio::select! {
            biased;
            told = room.next() => {
                room.print(told?).await?;
                continue;
            }
            line = input.recv() => line,
        };
        let Some(line) = line.filter(|line| line.trim() != "quit") else { return Ok(()) };
        if let Err(problem) = obey(&line, room).await {
            eprintln!("jukebox: {problem}");
        }
    }
}

async fn obey(line: &str, room: &mut Room) -> Result<(), Box<dyn Error>> {
    let line = line.trim();
    let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (command, rest.trim()) {
        ("next", "") => room.shout(NextTrack).await,
        ("look", "") => Ok(room.look().await?),
        (_, "") => Err(HELP.into()),
        ("artist", artist) => room.shout(ChangeArtist { artist: artist.to_owned() }).await,
        ("patron", who) => room.let_in(who, Player::new).await,
        ("display", who) => room.let_in(who, Display::new).await,
        _ => Err(HELP.into()),
    }
}

/// What the program is told when it starts.
enum Arguments {
    Help,
    Serve,
    Connect { address: String, who: String },
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let (mut connect, mut name) = (None, None);
        while let Some(flag) = words.next() {
            match flag.as_str() {
                "--help" => return Some(Self::Help),
                "--connect" => connect = Some(words.next()?),
                "--who" => name = Some(words.next()?),
                _ => return None,
            }
        }
        match (connect, name) {
            (Some(address), who) => {
                Some(Self::Connect { address, who: who.unwrap_or_else(|| "angus".to_owned()) })
            }
            (None, None) => Some(Self::Serve),
            (None, Some(_)) => None,
        }
    }
}

const USAGE: &str = "usage: jukebox [--connect tcp://HOST:PORT [--who angus]]";
const HELP: &str =
    "say `artist Nina Simone`, `next`, `patron carol`, `display dora`, `look` or `quit`";
