//! The public test kit: what we test this library with, and users their leaves.
//!
//! [`run`] gives a hub with its clients on one thread under paused time, so that an hour passes in
//! a millisecond and the same seed gives the same run. [`Witness`]es are clients whose leaves
//! record what they hear; a [`Network`] stands between them and the hub and cuts, holds, delays
//! and tears; the [`transcript`] checker judges what came of it and knows nothing of how the
//! library works.
//!
//! ```
//! use actix_multiplex::{interface, testing};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! pub struct Croak(pub u32);
//! interface! {
//!     /// A frog.
//!     pub Frog = "pond.frog" v1 { state none; 1 => Croak }
//! }
//!
//! testing::run(42, async |sim| {
//!     let alec = sim.witness("alec").await;
//!     let amy = sim.witness("amy").await;
//!     let kermit = alec.open::<Frog>("kermit", ()).await.expect("is made");
//!     let leaf = amy.open::<Frog>("kermit", ()).await.expect("is there");
//!     alec.shout(&kermit, Croak(1));
//!     amy.shout(&leaf, Croak(2));
//!     sim.settle().await;
//!     let summary = sim.transcript().check_complete().expect("one order for all");
//!     assert_eq!((summary.shouts, summary.deliveries), (2, 4));
//! });
//! ```

mod book;
mod chain;
#[cfg(feature = "redb")]
mod disk;
mod local_state;
mod network;
#[cfg(feature = "redb")]
mod power;
mod recorder;
mod schedule;
mod shrink;
mod simulate;
mod simulation;
mod stats;
pub mod transcript;
mod witness;

pub use self::{
    chain::{Chain, chain, line},
    local_state::assert_local_is_not_in_state,
    network::{Network, Stress, Way},
    recorder::Recorder,
    schedule::{Act, Schedule, Step, Thing},
    simulate::{Counterexample, Failure, Outcome, search, simulate},
    simulation::{Sim, run, run_with},
    stats::Stats,
    witness::Witness,
};
#[cfg(feature = "redb")]
pub use self::{
    disk::Disk,
    power::{Lives, fill_journal, lose_power, lose_power_on},
};
pub use crate::hub::faults::{Broken, Fault};
pub use crate::hub::{HeldUp, Trouble};
