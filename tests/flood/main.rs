//! Memory under a flood, in and out (G9): live heap bytes of a hub whose clients are raw sockets.
//!
//! The clients are in this process too, but take no memory while they flood: what they send was
//! made before, so that what grows is the hub.

mod inward;
mod lives;
mod outward;
mod place;
mod raw;

use std::alloc::System;

use cap::Cap;
use libtest_mimic::{Arguments, Trial};
use tokio::time::Instant;

#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

fn main() {
    let trials = vec![
        trial("a_flood_at_an_arbiter_that_stands_still_takes_its_bound_and_no_more", || {
            inward::flood();
        }),
        trial(
            "small_shouts_that_wait_hold_their_own_bytes_and_not_what_was_read_with_them",
            || {
                inward::trickle();
            },
        ),
        trial("a_shout_beyond_the_window_closes_and_the_last_one_within_does_not", || {
            inward::window();
        }),
        trial("a_state_keeps_its_own_bytes_and_not_what_was_read_with_it", || {
            inward::states();
        }),
        trial("objects_that_nobody_needs_any_more_leave_nothing_behind_but_their_ids", || {
            lives::come_and_go();
        }),
        trial(
            "leaves_that_read_nothing_share_what_they_hold_and_are_told_what_they_missed",
            || {
                outward::deaf();
            },
        ),
    ];
    // The heap is the whole process's, so no test runs beside another.
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok(())
    })
}

/// Live bytes of this process's heap.
fn live() -> usize {
    HEAP.allocated()
}

/// How far the heap went above where it was.
#[derive(Clone, Copy)]
struct Growth {
    base: usize,
    peak: usize,
}

impl Growth {
    fn from_here() -> Self {
        Self { base: live(), peak: 0 }
    }

    /// Looks at the heap.
    fn sample(&mut self) {
        self.peak = self.peak.max(self.now());
    }

    /// Bytes above the base.
    fn now(&self) -> usize {
        live().saturating_sub(self.base)
    }
}

/// Waits until the heap is at most `bytes` above `growth`'s base: what a closed connection holds
/// is freed by another thread.
fn shrinks_to(growth: Growth, bytes: usize) -> bool {
    let until = Instant::now() + raw::PATIENCE;
    while growth.now() > bytes && Instant::now() < until {
        std::thread::yield_now();
    }
    growth.now() <= bytes
}
