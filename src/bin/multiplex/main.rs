//! The program `multiplex`: a hub on its own, what it has kept, and its measure.
//!
//! From flags to a subcommand, and from what went wrong to a line on standard error and exit
//! code 1.

#[cfg(target_os = "linux")]
mod bench;
mod hub;
mod journal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;

/// A hub makes and drops small things of every object that it touches: with many objects the C
/// library's own allocator took more of a shout's time than all else (docs/performance.md).
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

/// Live shared objects: wiggle its toe here, and it wiggles its toe there.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Runs a hub, until SIGINT or SIGTERM.
    ///
    /// Prints `listening on tcp://ADDR` for each address when it is ready. Logs go to standard
    /// error; `RUST_LOG` sets how much is logged, `info` by default.
    Hub(hub::Flags),
    /// Looks at what a stopped hub has kept, checks it, and brings it out and back in.
    #[command(subcommand)]
    Journal(journal::Command),
    /// Measures a hub beside other message servers, on this machine.
    #[cfg(target_os = "linux")]
    Bench(bench::Flags),
    /// A part of `bench` that runs as a process of its own.
    #[cfg(target_os = "linux")]
    #[command(hide = true, subcommand)]
    BenchPart(bench::Part),
}

fn main() -> ExitCode {
    let ended = match Flags::parse().what {
        What::Hub(flags) => hub::run(flags),
        What::Journal(command) => journal::run(&command),
        #[cfg(target_os = "linux")]
        What::Bench(flags) => bench::run(&flags),
        #[cfg(target_os = "linux")]
        What::BenchPart(part) => part.run(),
    };
    if let Err(error) = ended {
        eprintln!("multiplex: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
