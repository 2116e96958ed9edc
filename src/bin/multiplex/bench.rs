//! `multiplex bench`: what a delivery costs, beside other message servers on the same machine.
//!
//! In come flags; out go a table on standard output, or lines of JSON, and progress on standard
//! error. It starts each server for each run and stops it again by its process id. Server and load
//! are processes of their own, pinned to a core each; this one only waits. `docs/performance.md`
//! says how to read what it prints.

#![expect(clippy::cast_precision_loss, reason = "what is told has four digits")]
#![expect(clippy::disallowed_methods, reason = "what is measured is the real clock's time")]

mod case;
mod durable;
mod job;
mod leaf;
mod load;
mod machine;
mod peer;
mod report;
mod runs;

use std::{
    error::Error,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::Command,
};

use clap::{Args, Subcommand};

use self::{
    case::Case,
    job::Job,
    machine::Cores,
    peer::{Peer, floor},
    report::Report,
};

/// What went wrong, for a person.
type Wrong = Box<dyn Error>;

/// What is measured.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Flags {
    /// 3 runs of fewer cases, within 90 s.
    #[arg(long)]
    quick: bool,

    /// Prints a line of JSON for each case and peer, and no table.
    #[arg(long)]
    json: bool,

    /// Also measures a hub of Twisted's Perspective Broker, where it can keep up.
    #[arg(long)]
    twisted: bool,

    /// Also measures a tokio server round one `broadcast` channel.
    #[arg(long)]
    broadcast: bool,

    /// Only cases whose name contains this.
    case: Option<String>,
}

/// A process of the benchmark.
#[derive(Debug, Subcommand)]
pub(super) enum Part {
    /// Becomes another program, on one core; killed when its parent ends.
    Pinned {
        core: usize,
        parent: u32,
        program: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Does what a job says and prints what it measured.
    Load { job: String },
    /// Is a leaf while others shout, and prints what hearing costs.
    Leaf { job: String },
    /// Is a hub that notes what it keeps, and prints what keeping it takes without a hub.
    Keep { place: PathBuf },
    /// The least that a server can do: copies one connection's bytes to all.
    Floor,
    /// A server round one `broadcast` channel of tokio.
    Broadcast,
}

/// Measures all that the flags ask for.
pub(super) fn run(flags: &Flags) -> Result<(), Wrong> {
    let cores = Cores::pick()?;
    machine::raise_open_files()?;
    let peers = Peer::present(flags.twisted, flags.broadcast)?;
    let cases = cases(flags, &peers)?;
    let runs = if flags.quick { 3 } else { 5 };
    let mut report = Report::new(flags.json, runs);
    report.begin(&cores, &peers, flags.quick)?;
    for (at, case) in cases.iter().enumerate() {
        writeln!(io::stderr(), "{}/{} {}", at + 1, cases.len(), case.name)?;
        report.tell(case, &runs::measure(case, runs, &cores)?)?;
    }
    Ok(())
}

fn cases(flags: &Flags, peers: &[Peer]) -> Result<Vec<Case>, Wrong> {
    let all = if flags.quick { case::quick(peers) } else { case::all(peers) };
    let name = flags.case.as_deref().unwrap_or_default();
    let (cases, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|case| case.name.contains(name));
    if cases.is_empty() {
        let names: Vec<_> = others.into_iter().map(|case| case.name).collect();
        let names = names.join(", ");
        let more = if flags.quick { "; there are more without --quick" } else { "" };
        return Err(format!("no case is called `{name}`; there are {names}{more}").into());
    }
    Ok(cases)
}

impl Part {
    /// Is this part.
    pub(super) fn run(self) -> Result<(), Wrong> {
        match self {
            Self::Pinned { core, parent, program, arguments } => {
                machine::pin(core)?;
                machine::end_with_parent(parent)?;
                become_program(&program, &arguments)
            }
            Self::Load { job } => say(&load::run(&Job::read(&job)?)?),
            Self::Leaf { job } => say(&leaf::run(&Job::read(&job)?)?),
            Self::Keep { place } => durable::note(&place),
            Self::Floor => floor::run(),
            Self::Broadcast => peer::broadcast::run(),
        }
    }
}

fn become_program(program: &str, arguments: &[String]) -> Result<(), Wrong> {
    let failed = Command::new(program).args(arguments).exec();
    Err(format!("cannot start {program}: {failed}").into())
}

fn say<T: serde::Serialize>(measured: &T) -> Result<(), Wrong> {
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(measured)?)?)
}
