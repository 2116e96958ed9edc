//! The integration tests, one crate so that they are linked once.

mod dependencies;
mod supervise;
mod tidy;
mod transport;
