//! Objects whose homes are behind a link that is cut: shouts at them wait.

use actix::{AsyncContext, Context};

use super::{Driver, entry::Entry};
use crate::{leaf::ConnectionEvent, limits::STALL_DEADLINE, object::ObjectId};

impl Driver {
    /// The way to the object's home is cut: shouts wait until it is open again.
    pub(super) fn stall(&mut self, object: ObjectId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&object) else { return };
        entry.stall();
        tracing::info!(%object, "the way to an object's home is cut: shouts at it wait");
        self.events.tell(ConnectionEvent::Stalled { object });
        self.watch_stalled(ctx);
    }

    /// Sees to it that who awaits a shout for long is told.
    pub(super) fn watch_stalled(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.is_watching_stalled, true) {
            return;
        }
        // What came behind one look is overdue at the second from there.
        ctx.run_later(STALL_DEADLINE / 2, |driver, ctx| {
            driver.is_watching_stalled = false;
            let stalled = driver.entries.values_mut().filter(|entry| entry.is_stalled());
            if stalled.map(Entry::tell_of_stall).count() > 0 {
                driver.watch_stalled(ctx);
            }
        });
    }
}
