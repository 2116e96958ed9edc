//! A pond in one command: `cargo run --release --example pond`.
//!
//! There is one frog, kermit, and four see it, each as a leaf of a class of their own choosing.
//! Alec's and Amy's frogs are loud. Angus, who sits in another process, reads what his frog says.
//! Marvin is a robot and leaves at the first croak. What is shouted goes to the hub, which knows
//! no frogs, and comes back to every leaf in the same order; what is said locally stays with Alec,
//! who follows what you type:
//!
//! ```text
//! printf 'croak\nlocal croak\nhop 2\nquit\n' | cargo run --release --example pond
//! ```

#![allow(unreachable_pub, reason = "modules of an example read better with a plain `pub`")]

#[path = "pond/commands.rs"]
mod commands;
#[path = "pond/frog.rs"]
mod frog;
#[path = "pond/lines.rs"]
mod lines;
#[path = "pond/loud_frog.rs"]
mod loud_frog;
#[path = "pond/robot.rs"]
mod robot;

use std::{
    env,
    error::Error,
    process::{Child, ChildStdout, Command, ExitCode, Stdio},
};

use actix_multiplex::{Hub, Shout};

use self::{
    commands::follow,
    frog::{Goodnight, Guest, TextFrog},
    lines::{lines, lost, say},
    loud_frog::LoudFrog,
    robot::Robot,
};

#[actix::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (who, ended) = match arguments[..] {
        [] => ("pond", pond().await),
        ["--angus", pond] => ("angus", angus(pond).await),
        _ => ("pond", Err("it takes no arguments; say `help` on its standard input".into())),
    };
    if let Err(error) = ended {
        eprintln!("{who}: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The hub, Alec, Amy and Marvin; and Angus in a process of his own.
async fn pond() -> Result<(), Box<dyn Error>> {
    let hub = Hub::builder().start()?;
    let pond = hub.listen("tcp://127.0.0.1:0").await?;

    let alec = Guest::come("alec", &pond, "kermit", LoudFrog::new).await?;
    let amy = Guest::come("amy", &pond, "kermit", LoudFrog::new).await?;
    let marvin = Guest::come("marvin", &pond, "kermit", |diary| Robot { diary }).await?;
    let (mut process, output) = start_angus(&pond)?;

    // Nobody says anything before Angus has joined, which is the first thing that he tells.
    let mut angus = lines(output);
    say(angus.recv().await.ok_or("angus did not join")?);
    let angus = actix::spawn(async move {
        while let Some(line) = angus.recv().await {
            say(line);
        }
    });

    say(format_args!("{pond} is the pond: say `croak`, or `help`. More frogs may come:"));
    say(format_args!("    cargo run --example frog -- --connect {pond} --name kermit"));
    follow(&alec).await;

    // The last word is a shout like any other, so everything before it is heard before it.
    alec.frog.send(Shout(Goodnight { everybody: true })).await?;
    alec.diary.closed().await;
    amy.diary.closed().await;
    marvin.diary.closed().await;
    angus.await?;
    if !process.wait()?.success() {
        return Err("angus did not end well".into());
    }
    hub.stop().await;
    Ok(())
}

/// This program once more, as Angus.
fn start_angus(pond: &str) -> Result<(Child, ChildStdout), Box<dyn Error>> {
    let mut process = Command::new(env::current_exe()?)
        .args(["--angus", pond])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = process.stdout.take().ok_or("angus has no output")?;
    Ok((process, output))
}

/// Angus: goes when the last word is said, or when the pond is no more.
async fn angus(pond: &str) -> Result<(), Box<dyn Error>> {
    let leaf = |diary| TextFrog { name: "kermit".to_owned(), diary };
    let angus = Guest::come("angus", pond, "kermit", leaf).await?;
    tokio::select! {
        biased;
        () = angus.diary.closed() => {}
        lost = lost(&angus.client) => return Err(lost.into()),
    }
    angus.client.close().await;
    Ok(())
}
