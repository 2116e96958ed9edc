//! Real processes over real sockets: one order for all of them (G1), nothing lost when connections
//! are (G2), and trouble that stays where it starts (G8).
//!
//! The hub is in this process. Its clients are in others, which are this executable again with
//! the argument `child` or `crowd`; each writes down what its leaves and voices saw, and the transcript
//! checker judges all of it together.

mod child;
mod crowd;
mod parent;
mod pond;
mod proxy;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == "child") {
        return child::main(&arguments[2..]);
    }
    if arguments.get(1).is_some_and(|argument| argument == "crowd") {
        return crowd::main(&arguments[2..]);
    }
    let trials = vec![
        Trial::test("eight_clients_in_two_processes_hear_80000_shouts_in_one_order", || {
            parent::one_order(0);
            Ok(())
        }),
        Trial::test("a_hub_on_two_arbiters_gives_them_one_order_too", || {
            parent::one_order(2);
            Ok(())
        }),
        Trial::test("fifty_cuts_in_mid_load_lose_double_and_reorder_nothing", || {
            parent::cut();
            Ok(())
        }),
        Trial::test("a_thousand_clients_of_a_hub_that_is_away_for_5_s_come_back_by_turns", || {
            parent::away();
            Ok(())
        }),
        Trial::test("a_process_that_is_killed_in_mid_load_is_missed_by_nobody", || {
            parent::killed();
            Ok(())
        }),
    ];
    // Each takes all cores; one beside the other they would only time each other out.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}
