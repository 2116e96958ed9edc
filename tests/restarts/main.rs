//! What a hub keeps, and what becomes of its clients when it is restarted, when its journal fails,
//! and when something of it is damaged. On one thread, under the paused clock.
//!
//! Whatever happens at random is in the simulations (`tests/it/simulation.rs`), real processes are in
//! `tests/survive`, and what redb makes of a bad disk in `tests/power`.

mod back;
mod damage;
mod failing;
mod kept;
mod pond;
mod stores;
