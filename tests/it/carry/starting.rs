//! When a leaf is started, and when it has its state.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{Heard, Leaf, Shout, Stateful};

use super::napkins::{Blot, Draw, Drawing, Ink, Lie, Rotate, Sheet, Spot, guest, stranger};
use crate::client::pond::{hub, paused, settle, soon};

/// Writes down the angle that it has when it is started.
struct Early {
    angle: i64,
    started: Arc<Mutex<Vec<i64>>>,
}

impl Actor for Early {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        self.started.lock().unwrap().push(self.angle);
    }
}

impl Supervised for Early {}

impl Leaf for Early {
    type Interface = Blot;
}

impl Stateful<Ink> for Early {
    fn state(&self) -> Option<Ink> {
        None
    }

    fn restore(&mut self, ink: Ink, _: &mut Context<Self>) {
        self.angle = ink.angle;
    }
}

impl Handler<Heard<Rotate>> for Early {
    type Result = ();

    fn handle(&mut self, _: Heard<Rotate>, _: &mut Context<Self>) {}
}

impl Handler<Heard<Lie>> for Early {
    type Result = ();

    fn handle(&mut self, _: Heard<Lie>, _: &mut Context<Self>) {}
}

#[test]
fn a_leaf_is_started_before_it_has_its_state_whether_or_not_that_carries_something() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let started = Arc::new(Mutex::new(Vec::new()));
        let at = started.clone();
        alec.implement::<Early>(move |_| Early { angle: 0, started: at.clone() });
        let sheet = alec.create::<Sheet>(None, Drawing::default()).await.unwrap();
        let on = vec![sheet.carry().await.unwrap()];
        let plain = Ink { angle: 90, ..Ink::default() };
        let _plain = alec.create::<Early>(None, plain).await.unwrap();
        settle().await;
        let _carries = alec.create::<Early>(None, Ink { angle: 90, on, ..Ink::default() }).await;
        settle().await;
        assert_eq!(*started.lock().unwrap(), [0, 0]);
    });
}

/// Cannot take its state in.
struct Brittle;

impl Actor for Brittle {
    type Context = Context<Self>;
}

impl Supervised for Brittle {}

impl Leaf for Brittle {
    type Interface = Blot;
}

impl Stateful<Ink> for Brittle {
    fn state(&self) -> Option<Ink> {
        None
    }

    fn restore(&mut self, _: Ink, _: &mut Context<Self>) {
        panic!("it breaks");
    }
}

impl Handler<Heard<Rotate>> for Brittle {
    type Result = ();

    fn handle(&mut self, _: Heard<Rotate>, _: &mut Context<Self>) {}
}

impl Handler<Heard<Lie>> for Brittle {
    type Result = ();

    fn handle(&mut self, _: Heard<Lie>, _: &mut Context<Self>) {}
}

#[test]
fn a_leaf_that_panics_while_it_is_restored_does_not_hold_its_carrier_up() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = stranger(&hub, 2, true).await;
        amy.implement::<Brittle>(|_| Brittle);
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let blot = alec.create::<Spot>(None, Ink::default()).await.unwrap();
        let carried = blot.carry().await.unwrap();
        soon(napkin.send(Shout(Draw { blot: carried, heard: 0 }))).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        amys.see(|laid| assert_eq!(laid.drawn.len(), 1));
    });
}
