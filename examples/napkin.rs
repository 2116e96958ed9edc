//! A napkin in one command: `cargo run --release --example napkin`.
//!
//! The napkin is an object, and so is each blot on it. To draw a blot is to shout a message that
//! carries it: every guest gets a leaf of the blot itself, and from then on whoever rotates it
//! rotates it on every napkin. What is dragged moves in one's own leaf alone, until it is dropped.
//! A latecomer is given the napkin with its blots:
//!
//! ```text
//! printf 'blot 2 1 ^\ndrag 1 5 1\nshow\ndrop 1\nrotate 1 90\nguest carol\nshow\nquit\n' |
//!     cargo run --release --example napkin
//! ```
//!
//! It prints its address. Another process sits down there, and may do the same:
//!
//! ```text
//! cargo run --release --example napkin -- --connect tcp://127.0.0.1:PORT --who angus
//! ```

#![allow(unreachable_pub, reason = "modules of an example read better with a plain `pub`")]

#[path = "napkin/diary.rs"]
mod diary;
#[path = "pond/lines.rs"]
mod lines;
#[path = "napkin/paper.rs"]
mod paper;
#[path = "napkin/sheet.rs"]
mod sheet;
#[path = "napkin/spot.rs"]
mod spot;
#[path = "napkin/table.rs"]
mod table;

use std::{env, error::Error, io::stdin, process::ExitCode, str::FromStr};

use actix_multiplex::Hub;

use self::{
    lines::{lines, say},
    table::Table,
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
        eprintln!("napkin: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The hub, Alec and Amy.
async fn serve() -> Result<(), Box<dyn Error>> {
    let hub = Hub::builder().start()?;
    let address = hub.listen("tcp://127.0.0.1:0").await?;
    say(format_args!("{address} has the napkin: {HELP}. Others may join:"));
    say(format_args!("    cargo run --release --example napkin -- --connect {address}"));
    let mut table = Table::lay(&address, "alec").await?;
    table.seat("amy").await?;
    follow(&mut table).await?;
    table.close().await;
    hub.stop().await;
    Ok(())
}

/// One more guest, at a hub elsewhere.
async fn connect(address: &str, who: &str) -> Result<(), Box<dyn Error>> {
    let mut table = Table::lay(address, who).await?;
    table.glance().await?;
    follow(&mut table).await?;
    table.close().await;
    Ok(())
}

/// Carries out what is typed, up to `quit` or the end of input, and prints what is heard meanwhile
/// from other processes. It fails when the hub is gone.
async fn follow(table: &mut Table) -> Result<(), Box<dyn Error>> {
    let mut input = lines(stdin());
    loop {
        // What was heard comes first: it was said before the next line was read.
        let line = tokio::select! {
            biased;
            turned = table.transcript.turn_page() => {
                turned?;
                continue;
            }
            line = input.recv() => line,
        };
        let Some(line) = line.filter(|line| line.trim() != "quit") else { return Ok(()) };
        if let Err(problem) = obey(&line, table).await {
            eprintln!("napkin: {problem}");
        }
    }
}

async fn obey(line: &str, table: &mut Table) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["blot", x, y, mark] => table.draw(read_mark(mark)?, read(x)?, read(y)?).await,
        ["drag", number, dx, dy] => table.drag(read(number)?, read(dx)?, read(dy)?).await,
        ["drop" | "commit", number] => table.drop(read(number)?).await,
        ["rotate", number, degrees] => table.rotate(read(number)?, read(degrees)?).await,
        ["show"] => table.show().await,
        ["guest", who] => table.seat(who).await,
        _ => Err(HELP.into()),
    }
}

fn read<T: FromStr>(word: &str) -> Result<T, &'static str> {
    word.parse().map_err(|_| HELP)
}

fn read_mark(word: &str) -> Result<char, &'static str> {
    let mark = word.parse().ok().filter(char::is_ascii_graphic);
    mark.ok_or("a blot's mark is one character, as ^")
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

const USAGE: &str = "usage: napkin [--connect tcp://HOST:PORT [--who angus]]";
const HELP: &str = "say `blot 2 1 ^`, `drag 1 5 1`, `drop 1`, `rotate 1 90`, `show`, `guest carol` \
                    or `quit`";
