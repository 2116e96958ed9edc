//! G3: when a handler hears a message that carries an object, the leaf of that object can be had
//! there and then, and has heard what its sender had heard.

mod bindings;
mod bounds;
mod graphs;
mod lies;
mod napkins;
mod passing;
mod starting;
mod threads;
