//! A hub that is killed over and over under load, and one whose disk is full: what was receipted or
//! heard is there again, once and in order (G2, G10).
//!
//! The hub is the program `multiplex` itself. Its clients are in other processes, which are this
//! executable again with the argument `child`; each writes down what its leaves and voices saw, and
//! the transcript checker judges all of it together.
//!
//! `CYCLES` is how often the hub is ended, 20 if it is not set; `SEED` repeats a run's choices.

#[cfg(all(feature = "cli", feature = "testing"))]
mod child;
#[cfg(all(feature = "cli", feature = "testing"))]
mod cycles;
#[cfg(all(feature = "cli", feature = "testing"))]
mod full;
#[cfg(all(feature = "cli", feature = "testing"))]
mod image;
#[cfg(all(feature = "cli", feature = "testing"))]
mod notes;
#[cfg(all(feature = "cli", feature = "testing"))]
mod parent;
#[cfg(all(feature = "cli", feature = "testing"))]
mod pond;
#[cfg(all(feature = "cli", feature = "testing"))]
mod program;
#[cfg(all(feature = "cli", feature = "testing"))]
mod toads;

#[cfg(all(feature = "cli", feature = "testing"))]
fn main() {
    use libtest_mimic::{Arguments, Trial};

    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == "child") {
        return child::main(&arguments[2..]);
    }
    let trials = vec![
        Trial::test("a_hub_that_is_killed_over_and_over_loses_and_doubles_nothing", || {
            parent::survive();
            Ok(())
        }),
        Trial::test("a_hub_whose_disk_is_full_says_so_and_stops_and_has_all_receipted", || {
            full::disk_full();
            Ok(())
        }),
    ];
    // Each takes all cores; one beside the other they would only time each other out.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}

/// `cargo test --test survive` has no features on, and cargo would skip a test that requires some:
/// so it runs the same with them.
#[cfg(not(all(feature = "cli", feature = "testing")))]
fn main() {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["test", "--features", "cli,testing", "--test", "survive"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let status = cargo.arg("--").args(std::env::args().skip(1)).status().expect("cargo starts");
    std::process::exit(status.code().unwrap_or(1));
}
