//! The hub is the program `multiplex` itself. Its clients are in other processes, which are this
//! executable again with the argument `child`; each writes down what its leaves and voices saw, and
//! the transcript checker judges all of it together.

mod child;
mod cycles;
mod expired;
mod full;
mod image;
mod notes;
mod parent;
mod pond;
mod program;
mod toads;

use libtest_mimic::{Arguments, Trial};

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == "child") {
        return child::main(&arguments[2..]);
    }
    let trial = |name: &str, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        trial("a_hub_that_is_killed_over_and_over_loses_and_doubles_nothing", parent::survive),
        trial(
            "who_is_away_for_longer_than_a_session_is_kept_goes_on_behind_what_it_heard",
            expired::expired,
        ),
        trial("a_hub_whose_disk_is_full_says_so_and_stops_and_has_all_receipted", full::disk_full),
    ];
    // Each takes all cores; one beside the other they would only time each other out.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}
