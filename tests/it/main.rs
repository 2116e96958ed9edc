//! The integration tests, one crate so that they are linked once.

#[cfg(all(target_os = "linux", feature = "cli"))]
mod bench;
#[cfg(feature = "cli")]
mod binary;
#[cfg(feature = "testing")]
mod carry;
#[cfg(feature = "testing")]
mod client;
#[cfg(feature = "testing")]
mod compile_fail;
mod dependencies;
mod fairness;
#[cfg(feature = "testing")]
mod foreign;
mod hostile;
#[cfg(all(target_os = "linux", feature = "cli"))]
mod hosts;
mod inbox;
mod interface;
mod jukebox;
#[cfg(feature = "testing")]
mod ledger;
#[cfg(feature = "testing")]
mod local_state;
mod napkin;
mod original;
mod pond;
mod presence;
mod process;
#[cfg(feature = "testing")]
mod simulation;
mod supervise;
mod tidy;
#[cfg(feature = "testing")]
mod transcript;
mod transport;
mod vectors;
