//! A check for leaves with a state: what is only local does not leak into it.
//!
//! It makes one leaf in a simulation of its own and reads that leaf's state before and after each
//! local message, as a hub would be told it. It knows the class by its traits alone.

use std::{any::type_name, fmt};

use actix::{Handler, Message};

use super::simulation::run;
use crate::{
    leaf::{CarryError, Client, Handle, Voice},
    object::{Encoded, Interface, Leaf, Local},
};

/// Checks that local messages leave no trace in the state that a leaf tells.
///
/// The state is what was *heard*: a hub gives it to latecomers, and what somebody did with his own
/// leaf alone is none of their business. `make` makes the leaf as for
/// [`Client::implement`](crate::Client::implement), `state` is what it is given first, and `locals`
/// are sent to it one after the other; after each the state must be the same bytes as before.
/// (A state whose bytes change by themselves, as those of a hash map that is filled anew each time,
/// cannot be compared.)
///
/// # Panics
/// When a message leaks; also when there is nothing to check: no message, an interface with
/// `state none`, a leaf that does not tell its state.
///
/// ```
/// use actix::prelude::*;
/// use actix_multiplex::{Heard, Leaf, Local, Stateful, interface, testing};
/// use serde::{Deserialize, Serialize};
///
/// /// Draw a blot there.
/// #[derive(Debug, Serialize, Deserialize)]
/// pub struct Draw(u16);
///
/// interface! {
///     /// Blots, by where they are.
///     pub Napkin = "cafe.napkin" v1 { state Vec<u16>; 1 => Draw }
/// }
///
/// /// Drag a blot about before drawing it.
/// #[derive(Debug, Message)]
/// #[rtype(result = "()")]
/// struct Drag(u16);
///
/// #[derive(Default)]
/// struct Canvas { drawn: Vec<u16>, dragged: Option<u16> }
/// # impl Actor for Canvas { type Context = Context<Self>; }
/// # impl Supervised for Canvas {}
/// impl Leaf for Canvas { type Interface = Napkin; }
/// impl Stateful<Vec<u16>> for Canvas {
///     fn state(&self) -> Option<Vec<u16>> { Some(self.drawn.clone()) }
///     fn restore(&mut self, drawn: Vec<u16>, _: &mut Context<Self>) { self.drawn = drawn; }
/// }
/// # impl Handler<Heard<Draw>> for Canvas {
/// #     type Result = ();
/// #     fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) { self.drawn.push(draw.0); }
/// # }
/// impl Handler<Local<Drag>> for Canvas {
///     type Result = ();
///     fn handle(&mut self, Local(Drag(to)): Local<Drag>, _: &mut Context<Self>) {
///         self.dragged = Some(to);
///     }
/// }
///
/// testing::assert_local_is_not_in_state(|_| Canvas::default(), vec![3], [Drag(1), Drag(2)]);
/// ```
pub fn assert_local_is_not_in_state<A, M>(
    make: impl Fn(Voice<A::Interface>) -> A + Send + Sync + 'static,
    state: <A::Interface as Interface>::State,
    locals: impl IntoIterator<Item = M>,
) where
    A: Leaf + Handler<Local<M>>,
    M: Message<Result: Send> + fmt::Debug + Send + 'static,
{
    let class = type_name::<A>();
    assert!(
        A::Interface::STATEFUL,
        "the interface of `{class}` has `state none`: nothing to check"
    );
    run(0, async |sim| {
        let client = Client::builder().seed(0).connect(sim.hub().local()).await;
        let client = client.expect("the hub of a simulation lets everybody in");
        client.implement::<A>(make);
        let leaf = client.create::<A>(None, state).await;
        let leaf = leaf.unwrap_or_else(|error| panic!("no `{class}` can be made: {error}"));
        let before = state_of(&leaf).await;
        let mut count = 0;
        for local in locals {
            let said = format!("{local:?}");
            let heard = leaf.send(Local(local)).await;
            assert!(heard.is_ok(), "the `{class}` stopped over `{said}`");
            let after = state_of(&leaf).await;
            assert!(
                before == after,
                "`Local({said})` leaks into the state of `{class}`, which latecomers are given:\n\
                 before: {before:?}\n after: {after:?}"
            );
            count += 1;
        }
        assert!(count > 0, "no local message for `{class}`: nothing to check");
    });
}

/// The state as the leaf would tell it to the hub.
async fn state_of<A: Leaf>(leaf: &Handle<A>) -> Encoded {
    let class = type_name::<A>();
    match leaf.state().await {
        Ok(Some(state)) => state,
        Ok(None) => panic!("the `{class}` cannot tell its state: nothing to check"),
        Err(CarryError::Encode(error)) => {
            panic!("the state of `{class}` cannot be written: {error}")
        }
        Err(CarryError::Gone(gone)) => panic!("the `{class}` is no more: {gone}"),
    }
}
