//! What a person types, or a pipe says, and what a frog makes of it.

use std::io::stdin;

use actix::Handler;
use actix_multiplex::{Leaf, Local, Shout};

use crate::{
    frog::{Croak, Frog, Guest, Hop},
    lines::{lines, say},
};

/// What can be said to a frog.
enum Command {
    Croak,
    Hop(u32),
    LocalCroak,
    LocalHop(u32),
    List,
    Quit,
}

/// Carries out what comes from standard input, one line at a time, up to `quit` or its end.
pub async fn follow<A>(guest: &Guest<A>)
where
    A: Leaf<Interface = Frog> + Handler<Local<Croak>> + Handler<Local<Hop>>,
{
    let mut input = lines(stdin());
    while let Some(line) = input.recv().await {
        let done = match Command::read(&line) {
            Some(Command::Quit) => return,
            Some(command) => command.carry_out(guest).await,
            None => Err(HELP.into()),
        };
        if let Err(problem) = done {
            say(problem);
        }
    }
}

impl Command {
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(match words[..] {
            ["croak"] => Self::Croak,
            ["hop", metres] => Self::Hop(metres.parse().ok()?),
            ["local", "croak"] => Self::LocalCroak,
            ["local", "hop", metres] => Self::LocalHop(metres.parse().ok()?),
            ["list"] => Self::List,
            ["quit"] => Self::Quit,
            _ => return None,
        })
    }

    async fn carry_out<A>(self, guest: &Guest<A>) -> Result<(), Box<dyn std::error::Error>>
    where
        A: Leaf<Interface = Frog> + Handler<Local<Croak>> + Handler<Local<Hop>>,
    {
        let Guest { client, frog, .. } = guest;
        match self {
            // Everybody hears it, also in other processes, and so does this guest: in order, after
            // it has been to the hub. What comes back is a receipt with its number in the order.
            Self::Croak => drop(frog.send(Shout(Croak)).await?),
            Self::Hop(metres) => drop(frog.send(Shout(Hop { metres })).await?),
            // Only this guest's own leaf is told, here and now.
            Self::LocalCroak => frog.send(Local(Croak)).await?,
            Self::LocalHop(metres) => frog.send(Local(Hop { metres })).await?,
            Self::List => {
                for entry in client.list("").await? {
                    say(format_args!("{} is a {}, {}", entry.name, entry.interface, entry.object));
                }
            }
            Self::Quit => {}
        }
        Ok(())
    }
}

const HELP: &str = "say `croak`, `hop 3`, `local croak`, `local hop 3`, `list` or `quit`";
