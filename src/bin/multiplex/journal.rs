//! `multiplex journal`: what a stopped hub has kept, looked at, checked, brought out and back in.

mod copy;
mod look;

use std::{error::Error, path::PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What to do with a journal.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists its objects.
    Ls(Place),
    /// Shows an object: its state and what is kept behind it.
    Show {
        /// Its id or its name.
        object: String,
        #[command(flatten)]
        place: Place,
    },
    /// Reads everything, and says what is damaged: then it ends with exit code 1.
    Verify(Place),
    /// Writes everything into one file.
    Export {
        /// The file, which is made; `-` is standard output.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
        /// Leaves out what is damaged. A journal that cannot be opened is searched for what can be
        /// read.
        #[arg(long)]
        salvage: bool,
    },
    /// Makes a journal of an export: another hub with the same objects, in histories that begin
    /// anew.
    Import {
        /// The file; `-` is standard input.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
}

/// Where a journal is.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The directory of the journal. No hub may have it open.
    #[arg(long, value_name = "DIR", default_value = "./multiplex-data")]
    data_dir: PathBuf,
}

/// Does it.
pub(super) fn run(command: &Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Ls(place) => look::ls(&place.data_dir),
        Command::Show { object, place } => look::show(&place.data_dir, object),
        Command::Verify(place) => look::verify(&place.data_dir),
        Command::Export { file, place, salvage: false } => copy::export(&place.data_dir, file),
        Command::Export { file, place, salvage: true } => copy::salvage(&place.data_dir, file),
        Command::Import { file, place } => copy::import(&place.data_dir, file),
    }
}

/// A bar on standard error, where that is a terminal: up to `length`, or as far as it comes.
fn bar(length: Option<u64>, what: &'static str) -> ProgressBar {
    let template = match length {
        Some(_) => "{msg} {wide_bar} {human_pos}/{human_len} {eta}",
        None => "{spinner} {msg} {human_pos}",
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    // The template is the one above, which is well-formed.
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.with_message(what)
}
