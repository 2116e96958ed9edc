//! A batch on its way to a leaf, and the shout of it that is in hand.
//!
//! Which of its shouts are to be heard, how each stands to this leaf, and what it waits for. The
//! payloads stay where they came: a handler's message is decoded straight out of the batch.

use std::{collections::VecDeque, sync::Arc};

use super::Weight;
use crate::{
    leaf::{channel::Link, driver::Hold},
    object::{
        Brought, Carried, Circumstance, Cursor, Kind, ObjectId, OwnerChange, Packet, Seq, SessionId,
    },
    wire::{Batch, OwnerChanged},
};

/// A batch on its way to a leaf.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(super) batch: Batch,
    /// What is at or below it was heard already.
    pub(super) after: Seq,
    /// What is at or below it is the past.
    pub(super) past: Seq,
    pub(super) me: SessionId,
    /// Resolve, one behind the other, when what its shouts carry is there.
    pub(super) holds: VecDeque<(Seq, Hold)>,
    /// Whom to tell of those that ask, if any does.
    pub(super) asked: Option<Arc<Link>>,
    pub(super) _weight: Weight,
}

/// The batch in hand.
pub(super) struct Reading {
    parcel: Parcel,
    /// Where in it the next shout is, and which one it is.
    at: usize,
    place: u64,
    /// Whether the shout in hand asks to be told of.
    asks: bool,
    /// The shout in hand, once [`next`](Self::next) has gone to it.
    packet: Packet,
}

/// What comes next in a batch.
pub(super) enum Next {
    /// A shout, and what it carries.
    Shout(Vec<Carried>),
    /// The object has another owner.
    Owner(OwnerChange),
}

impl Reading {
    pub(super) fn new(parcel: Parcel) -> Self {
        let Parcel { batch, after, me, .. } = &parcel;
        let circumstance = Circumstance {
            cursor: Cursor { epoch: batch.epoch, seq: *after },
            shouter: *me,
            mine: false,
            replayed: false,
            hub_time_ms: batch.hub_time_ms,
        };
        let (body, brought) = (batch.body().clone(), Vec::new());
        let packet = Packet { kind: Kind(0), body, payload: 0..0, brought, circumstance };
        Self { parcel, at: 0, place: 0, asks: false, packet }
    }

    /// Goes to the next that was not heard before.
    pub(super) fn next(&mut self) -> Option<Next> {
        let Parcel { batch, after, past, me, .. } = &self.parcel;
        while self.place < u64::from(batch.count) {
            let row = batch.row(&mut self.at)?;
            let seq = batch.first_seq.plus(self.place);
            self.place += 1;
            if seq <= *after {
                continue;
            }
            if row.kind.is_of_hubs() {
                // It has its place. Of what is said so a leaf is told of another owner alone.
                let payload = &batch.body()[row.payload];
                let changed = OwnerChanged::read(row.kind, payload);
                let Some(OwnerChanged { from, to }) = changed else { continue };
                return Some(Next::Owner(OwnerChange::new(seq, from, to, *me)));
            }
            let (shouter, _) = batch.sessions[row.session];
            let circumstance = &mut self.packet.circumstance;
            circumstance.cursor.seq = seq;
            circumstance.shouter = shouter;
            circumstance.mine = shouter == *me;
            circumstance.replayed = seq <= *past;
            let carried = row.carried(batch.body());
            self.asks = row.asks;
            self.packet.kind = row.kind;
            self.packet.payload = row.payload;
            self.packet.brought.clear();
            return Some(Next::Shout(carried));
        }
        None
    }

    /// What the shout in hand waits for, if it carries anything.
    pub(super) fn hold(&mut self) -> Option<Hold> {
        let seq = self.seq();
        self.parcel.holds.pop_front_if(|(holder, _)| *holder == seq).map(|(_, hold)| hold)
    }

    /// Whom to tell when the leaf is done with the shout in hand, if that asks.
    pub(super) fn asker(&self) -> Option<(ObjectId, Arc<Link>)> {
        let link = self.parcel.asked.as_ref().filter(|_| self.asks)?;
        Some((self.parcel.batch.object, link.clone()))
    }

    /// What the shout in hand carries is there.
    pub(super) fn bring(&mut self, brought: Vec<Brought>) {
        self.packet.brought = brought;
    }

    pub(super) fn packet(&self) -> &Packet {
        &self.packet
    }

    pub(super) fn seq(&self) -> Seq {
        self.packet.circumstance.cursor.seq
    }
}
