//! G6: an ask is answered in place if the leaf's class answers it, else by the object's owner.

mod carrying;
mod handover;
mod opaque;
mod owner;
mod place;
mod pond;
mod storms;
mod trouble;
