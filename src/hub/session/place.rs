//! A session's place at one object: settled, or awaited with what came in the meantime.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix::Addr;

use crate::{
    connection::{Closed, Held},
    hub::{
        contact::Pending,
        repeater::{PassAsk, Repeater, Shouts},
        roster::Way,
        volley::Volley,
    },
    limits::WINDOW_SHOUTS,
    object::SessionId,
    wire::{CloseCode, Fault, Frame},
};

/// A session's place at one object.
#[derive(Debug, Default)]
pub(crate) struct Place {
    repeater: Option<Addr<Repeater>>,
    joined: bool,
    attached: bool,
    /// Wishes about the object that are not decided.
    awaited: u32,
    /// Whether it ever shouted here: then the repeater keeps its marks until it ends.
    shouted: bool,
    /// What waits for them, within the session's inward bound.
    waiting: Vec<Waiting>,
    /// Shouts that are not handled.
    under_way: Arc<AtomicUsize>,
}

/// What came while the place was awaited.
#[derive(Debug)]
pub(crate) enum Waiting {
    Shouts(Shouts),
    Ask(PassAsk),
    Wish(Frame, Pending),
}

/// Counts shouts against the window at one object; dropped when they are handled.
#[derive(Debug)]
pub(crate) struct Metered {
    under_way: Arc<AtomicUsize>,
    count: usize,
}

impl Metered {
    /// Of a link, which stands for many windows.
    pub(crate) fn not() -> Self {
        Self { under_way: Arc::default(), count: 0 }
    }
}

impl Place {
    /// Of a session that has shouted here before the hub's restart.
    pub(crate) fn left_behind(repeater: Addr<Repeater>) -> Self {
        let mut place = Self::default();
        place.leave_behind(repeater);
        place
    }

    /// The session has shouted here once: the repeater is to know when it ends.
    pub(crate) fn leave_behind(&mut self, repeater: Addr<Repeater>) {
        self.repeater = Some(repeater);
        self.shouted = true;
    }

    /// A wish about the object is on its way to a decision.
    pub(crate) fn wait(&mut self) {
        self.awaited += 1;
    }

    /// A wish is decided: the session is, or is not, here in this way.
    pub(crate) fn settle(&mut self, way: Option<(Way, Addr<Repeater>)>) {
        if let Some((way, repeater)) = way {
            self.repeater = Some(repeater);
            *self.flag(way) = true;
        }
    }

    /// One wish less is awaited. What comes back may go on now.
    pub(crate) fn resume(&mut self) -> Vec<Waiting> {
        self.awaited = self.awaited.saturating_sub(1);
        if self.awaited > 0 { Vec::new() } else { std::mem::take(&mut self.waiting) }
    }

    /// Passes shouts on, or keeps them until it is known where to. Gives them back if they have no
    /// place to go to.
    ///
    /// # Errors
    /// More are under way than the window allows.
    pub(crate) fn shout(
        &mut self,
        session: SessionId,
        volley: Volley,
        held: Held,
    ) -> Result<Option<Shouts>, Closed> {
        let metered = self.meter(volley.count())?;
        Ok(self.pass(Shouts { session, volley, held, metered }))
    }

    /// Passes on shouts that are metered already. Gives them back if they have no place to go to.
    pub(crate) fn pass(&mut self, shouts: Shouts) -> Option<Shouts> {
        if self.awaited > 0 {
            self.waiting.push(Waiting::Shouts(shouts));
            return None;
        }
        match &self.repeater {
            Some(repeater) if self.joined || self.attached => {
                self.shouted = true;
                repeater.do_send(shouts);
                None
            }
            _ => Some(shouts),
        }
    }

    /// Passes an ask on, behind the shouts before it. Gives it back if it has no place to go to.
    pub(crate) fn ask(&mut self, ask: PassAsk) -> Option<PassAsk> {
        if self.awaited > 0 {
            self.waiting.push(Waiting::Ask(ask));
            return None;
        }
        match &self.repeater {
            Some(repeater) if self.is_here() => {
                repeater.do_send(ask);
                None
            }
            _ => Some(ask),
        }
    }

    /// Keeps a wish until those before it are decided. Gives it back if there are none.
    pub(crate) fn postpone(&mut self, frame: Frame, pending: Pending) -> Option<(Frame, Pending)> {
        if self.awaited == 0 {
            return Some((frame, pending));
        }
        self.waiting.push(Waiting::Wish(frame, pending));
        None
    }

    /// What is not decided is said again over another connection.
    pub(crate) fn give_up(&mut self) {
        self.awaited = 0;
        self.waiting = Vec::new();
    }

    /// Ends one way of being here, if the session is here in it.
    pub(crate) fn leave(&mut self, way: Way) -> Option<Addr<Repeater>> {
        let here = std::mem::take(self.flag(way));
        self.repeater.clone().filter(|_| here)
    }

    /// Who is to know that the session is no leaf: a hub that was restarted does not know who was.
    pub(crate) fn left_behind_at(&self) -> Option<&Addr<Repeater>> {
        self.repeater.as_ref().filter(|_| !self.joined)
    }

    /// The object is no more, and its repeater is let go of; what waits is decided all the same.
    /// Says whether the session was here in any way, or was about to be.
    pub(crate) fn end(&mut self) -> bool {
        let was_here = self.joined || self.attached || self.awaited > 0;
        (self.joined, self.attached, self.shouted) = (false, false, false);
        self.repeater = None;
        was_here
    }

    /// Whether the session is here in no way, is not about to be, and has left nothing behind.
    pub(crate) fn is_empty(&self) -> bool {
        !self.joined && !self.attached && self.awaited == 0 && !self.shouted
    }

    /// Whether wishes about the object are not decided.
    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited > 0
    }

    /// Whether it was settled once, and counts.
    pub(crate) fn is_settled(&self) -> bool {
        self.repeater.is_some()
    }

    /// Whether the session is here in some way, and nothing about that is awaited.
    pub(crate) fn may_speak(&self) -> bool {
        self.awaited == 0 && self.is_here()
    }

    /// Whether the session is here in some way, whatever else is awaited.
    pub(crate) fn is_here(&self) -> bool {
        self.joined || self.attached
    }

    /// Whether the session is a leaf.
    pub(crate) fn is_joined(&self) -> bool {
        self.joined
    }

    /// The object's repeater, if the session is here in some way.
    pub(crate) fn repeater(&self) -> Option<&Addr<Repeater>> {
        self.repeater.as_ref()
    }

    fn meter(&self, count: usize) -> Result<Metered, Closed> {
        let under_way = self.under_way.fetch_add(count, Ordering::AcqRel) + count;
        let metered = Metered { under_way: self.under_way.clone(), count };
        if under_way > WINDOW_SHOUTS {
            let why = format!(
                "{under_way} shouts are under way at one object, more than the window of \
                 {WINDOW_SHOUTS}"
            );
            return Err(Closed::local(CloseCode::Window, Fault::Receiver, why));
        }
        Ok(metered)
    }

    fn flag(&mut self, way: Way) -> &mut bool {
        match way {
            Way::Joined => &mut self.joined,
            Way::Attached => &mut self.attached,
        }
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        self.under_way.fetch_sub(self.count, Ordering::AcqRel);
    }
}
