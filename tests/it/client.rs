//! Clients with a hub in the same process, through the public API, on one thread and under paused
//! time: whatever sleeps here sleeps until nothing else can be done.

mod anew;
mod authority;
mod errors;
mod false_hub;
mod grades;
mod joining;
mod keeping;
mod lagging;
mod names;
mod offline;
mod outages;
mod pieces;
pub(super) mod pond;
mod pulling;
mod races;
mod repeaters;
mod resends;
mod resuming;
mod rights;
mod snapshots;
mod trouble;
mod voices;
mod volatile;
mod windows;
mod wire;
