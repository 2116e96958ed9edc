//! A hub that is killed over and over under load, and one whose disk is full: what was receipted or
//! heard is there again, once and in order (G2, G10).
//!
//! `CYCLES` is how often the hub is ended, 20 if it is not set; `SEED` repeats a run's choices.

#[cfg(all(feature = "cli", feature = "testing"))]
mod hubs;

#[cfg(all(feature = "cli", feature = "testing"))]
fn main() {
    hubs::main();
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
