//! How much an actor of the hub has done in its turn, and when others are to run.
//!
//! A value. In comes what was taken and what was pushed; out comes whether it was enough. Who counts
//! ends a turn between two messages only, with nothing left to send.

use actix::{Actor, AsyncContext, Context, WrapFuture};

use crate::limits::{REQUEST_BYTES_MIN, TURN_BYTES, TURN_PUSHES, TURN_SHOUTS};

/// What was done since others ran.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    shouts: u32,
    bytes: u32,
    pushes: u32,
}

impl Turn {
    /// Counts one message: its shouts, or other frames, and its bytes.
    pub(crate) fn took(&mut self, shouts: usize, bytes: usize) {
        self.shouts = self.shouts.saturating_add(shouts as u32);
        self.bytes = self.bytes.saturating_add(bytes.max(REQUEST_BYTES_MIN) as u32);
    }

    /// Counts frames pushed onto queues.
    pub(crate) fn pushed(&mut self, frames: usize) {
        self.pushes = self.pushes.saturating_add(frames as u32);
    }

    /// Whether others are to run now.
    pub(crate) fn is_over(&self) -> bool {
        self.shouts as usize >= TURN_SHOUTS
            || self.bytes as usize >= TURN_BYTES
            || self.pushes as usize >= TURN_PUSHES
    }
}

/// Handles nothing more before the others that are ready had their turn.
pub(crate) fn let_others_run<A: Actor<Context = Context<A>>>(actor: &A, ctx: &mut Context<A>) {
    ctx.wait(tokio::task::yield_now().into_actor(actor));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many times this can be done in one turn.
    fn times(mut act: impl FnMut(&mut Turn)) -> usize {
        let mut turn = Turn::default();
        let done = (1..=TURN_SHOUTS).find(|_| {
            act(&mut turn);
            turn.is_over()
        });
        done.expect("a turn ends")
    }

    #[test]
    fn a_turn_ends_at_its_shouts_at_its_bytes_and_at_its_pushes_whichever_comes_first() {
        assert_eq!(times(|turn| turn.took(TURN_SHOUTS - 1, 1)), 2);
        assert_eq!(times(|turn| turn.took(1, TURN_BYTES / 4)), 4);
        assert_eq!(times(|turn| turn.took(1, 0)), 1_024);
        assert_eq!(times(|turn| turn.pushed(TURN_PUSHES / 2)), 2);
    }
}
