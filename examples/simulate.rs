//! Simulations of many seeds: a hub, clients and a network in which all goes wrong that can.
//!
//! ```text
//! cargo run --release --features testing --example simulate -- --seeds 100000
//! cargo run --release --features testing --example simulate -- --seed 17
//! ```
//!
//! It uses every core, tells how far it is, and prints what the simulations went through. When one
//! breaks a promise it ends, with as short a test as still shows it. `--from S` begins at a seed.

#![expect(clippy::print_stdout, reason = "what it went through is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it tells how long it really takes")]

use std::{
    env, panic,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_multiplex::testing::{Counterexample, Schedule, Stats, search, simulate};

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(env::args().skip(1)) else {
        eprintln!("usage: simulate --seeds N [--from S] | --seed S");
        return ExitCode::from(2);
    };
    // Schedules make leaves and repeaters panic on purpose, thousands of times.
    panic::set_hook(Box::new(|_| {}));
    match arguments {
        Arguments::One(seed) => show(seed),
        Arguments::Many { from, count } => go_through(from, count),
    }
}

enum Arguments {
    One(u64),
    Many { from: u64, count: u64 },
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let (mut from, mut count, mut one) = (0, None, None);
        while let Some(flag) = words.next() {
            let number = words.next()?.parse().ok()?;
            match flag.as_str() {
                "--seeds" => count = Some(number),
                "--from" => from = number,
                "--seed" => one = Some(number),
                _ => return None,
            }
        }
        one.map(Self::One).or(count.map(|count| Self::Many { from, count }))
    }
}

/// One seed, with all that was said and heard.
fn show(seed: u64) -> ExitCode {
    let outcome = simulate(&Schedule::of(seed));
    println!("{}\n{}\n{}", Schedule::of(seed), outcome.transcript, outcome.stats);
    match search(seed..seed + 1) {
        Ok(_) => ExitCode::SUCCESS,
        Err(found) => fail(&found),
    }
}

fn go_through(from: u64, count: u64) -> ExitCode {
    let begun = Instant::now();
    let work = Work { next: AtomicU64::new(from), end: from + count, found: Mutex::new(None) };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let stats = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work.help(begun))).collect();
        let mut sum = Stats::default();
        for worker in workers {
            sum += &worker.join().expect("a worker catches what its simulations panic over");
        }
        sum
    });
    if let Some(found) = work.found.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return fail(&found);
    }
    let ms = begun.elapsed().as_millis().max(1);
    println!("{stats}\n{count} schedules in {ms} ms: {} a second", u128::from(count) * 1_000 / ms);
    let missing = stats.missing();
    if count >= 1_000 && !missing.is_empty() {
        println!("these never happened, so nothing is shown of them: {}", missing.join(", "));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn fail(found: &Counterexample) -> ExitCode {
    println!("{found}");
    ExitCode::FAILURE
}

/// What all threads share.
struct Work {
    next: AtomicU64,
    end: u64,
    found: Mutex<Option<Box<Counterexample>>>,
}

impl Work {
    /// Goes through seeds until there are no more, or one has failed.
    fn help(&self, begun: Instant) -> Stats {
        let (mut sum, mut told) = (Stats::default(), begun);
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                return sum;
            }
            match search(seed..seed + 1) {
                Ok(stats) => sum += &stats,
                Err(found) => self.give_up(found),
            }
            if told.elapsed() > Duration::from_secs(10) {
                told = Instant::now();
                eprintln!("at seed {seed}, {} s", begun.elapsed().as_secs());
            }
        }
    }

    fn give_up(&self, found: Box<Counterexample>) {
        self.next.store(self.end, Ordering::Relaxed);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }
}
