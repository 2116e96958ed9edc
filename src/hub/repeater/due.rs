//! A timer for whatever is due first.

use std::time::Duration;

use actix::{AsyncContext, Context, SpawnHandle};

use super::Repeater;

/// Runs until the first of several things is due, if there is one.
#[derive(Debug, Default)]
pub(super) struct Due(Option<(u64, SpawnHandle)>);

impl Due {
    /// The first is due then; `now_ms` is by the same clock.
    pub(super) fn watch(
        &mut self,
        due_ms: Option<u64>,
        now_ms: u64,
        expire: fn(&mut Repeater, &mut Context<Repeater>),
        ctx: &mut Context<Repeater>,
    ) {
        if self.0.map(|(due_ms, _)| due_ms) == due_ms {
            return;
        }
        if let Some((_, timer)) = self.0.take() {
            ctx.cancel_future(timer);
        }
        if let Some(due_ms) = due_ms {
            let rest = Duration::from_millis(due_ms.saturating_sub(now_ms));
            self.0 = Some((due_ms, ctx.run_later(rest, expire)));
        }
    }

    /// It has run out, or nothing is due any more.
    pub(super) fn over(&mut self) {
        self.0 = None;
    }
}
