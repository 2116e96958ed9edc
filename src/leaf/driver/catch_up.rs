//! What is said to a hub over a new connection, all at once: objects that it may not know, leaves
//! and voices from where they are, and every request that has no answer.
//!
//! What comes of the objects depends on who the client is to the hub: the session that it was,
//! another one, or the first of a hub that was started anew.

use std::sync::Arc;

use actix::Context;
use bytes::Bytes;

use super::{Asking, Driver};
use crate::{
    connection::{Closed, Queue},
    leaf::{
        channel::{Gone, Line, Link},
        client::ConnectionEvent,
    },
    object::ObjectId,
    wire::Welcome,
};

/// Who a client is to the hub that it is connected to again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Back {
    /// Who it was.
    Resumed,
    /// Another session at the same hub.
    Renewed,
    /// The session of a hub that knows nothing of what was before.
    Restarted,
}

impl Back {
    fn new(before: &Line, welcome: &Welcome) -> Result<Self, Closed> {
        let same = before.hub == welcome.hub;
        match welcome.resumed {
            true if same && before.session == welcome.session => Ok(Self::Resumed),
            true => Err(Closed::protocol("a session was resumed that is another one")),
            false if same => Ok(Self::Renewed),
            false => Ok(Self::Restarted),
        }
    }

    fn event(self) -> ConnectionEvent {
        match self {
            Self::Resumed => ConnectionEvent::Resumed,
            Self::Renewed => ConnectionEvent::Resynced { hub_restarted: false },
            Self::Restarted => ConnectionEvent::Resynced { hub_restarted: true },
        }
    }
}

impl Driver {
    /// Shouts and carriers wait; what is asked for is asked for later.
    pub(super) fn go_down(&mut self) {
        self.unsent.clear();
        self.holds.stand_still();
        let Some(link) = &self.link else { return };
        let switching = link.switch();
        switching.take_down();
        for entry in self.entries.values() {
            entry.channel.pause();
        }
    }

    /// The hub has let the client in again.
    pub(super) fn welcomed_back(
        &mut self,
        link: &Arc<Link>,
        welcome: &Welcome,
        ctx: &mut Context<Self>,
    ) -> Result<(), Closed> {
        let back = Back::new(&link.line(), welcome)?;
        if !link.can_live_with(&welcome.limits) {
            return Err(Closed::protocol("the hub's window is smaller than it was"));
        }
        self.dial.come_up(welcome);
        self.session = welcome.session;
        self.switch(link, back, welcome);
        self.catch_up();
        self.go_on_waiting(ctx);
        tracing::info!(hub = %welcome.hub, session = %welcome.session, ?back, "connected again");
        self.events.tell(back.event());
        Ok(())
    }

    /// Every channel takes the new connection; objects that the hub may not know are told first,
    /// in the order in which they came to be.
    fn switch(&mut self, link: &Link, back: Back, welcome: &Welcome) {
        let present = Line {
            queue: self.queue.clone(),
            session: welcome.session,
            hub: welcome.hub,
            is_up: true,
        };
        let switching = link.switch();
        for object in self.entries.keys().copied().collect::<Vec<_>>() {
            self.change_line(link, object, back, &present.queue);
        }
        let births = self.entries.values().filter_map(|entry| entry.channel.birth());
        let mut births: Vec<_> = births.collect();
        births.sort_by_key(|(place, _)| *place);
        self.unsent = births.into_iter().map(|(_, frame)| frame).collect();
        self.send_unsent();
        switching.put_up(present);
    }

    fn change_line(&mut self, link: &Link, object: ObjectId, back: Back, queue: &Arc<Queue>) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        if back == Back::Resumed {
            return entry.channel.reconnect(queue);
        }
        if back == Back::Restarted && entry.publish.is_none() {
            if !entry.channel.has_ended() {
                entry.strand(link);
            }
            return self.forget_idle(object);
        }
        let lost = self.dial.lost.clone().unwrap_or_else(|| Closed::transport("it was lost"));
        let gone = match back {
            Back::Restarted => Gone::HubRestarted,
            _ => Gone::Closed(lost),
        };
        entry.channel.renew(queue, &gone);
    }

    /// Asks for everything that is still to be answered.
    fn catch_up(&mut self) {
        self.requests.retain(|_, asking| !asking.asked.is_way_back());
        let again: Vec<_> = self.requests.values_mut().filter_map(Asking::again).collect();
        let known = self.entries.iter().filter(|(_, entry)| entry.is_known());
        for object in known.map(|(object, _)| *object).collect::<Vec<_>>() {
            self.come_back(object);
        }
        for frame in again {
            self.say(frame);
        }
        self.list_again();
    }

    /// A leaf, and the voices, say where they are. Somebody may be parting: what the hub was told
    /// of that it is told once more behind this, and then who is here says so again.
    fn come_back(&mut self, object: ObjectId) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.is_unsure |= entry.parting > 0 && (entry.leaf.is_some() || entry.is_attached);
        let is_attached = entry.is_attached;
        self.ask_from_cursor(object);
        self.say_heard(object);
        if is_attached {
            self.attach_again(object);
        }
    }

    /// Sends a request, behind those that wait for room in the queue.
    pub(super) fn say(&mut self, frame: Bytes) {
        if !self.dial.is_up() {
            // It is remembered, and sent with the others.
            return;
        }
        self.unsent.push_back(frame);
        self.send_unsent();
    }

    /// Sends what waits, as far as the queue has room.
    pub(super) fn send_unsent(&mut self) {
        while let Some(frame) = self.unsent.front() {
            if !self.queue.push_spare(frame.clone()) {
                return;
            }
            self.unsent.pop_front();
        }
    }
}
