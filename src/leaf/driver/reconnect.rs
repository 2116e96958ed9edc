//! The connection is lost, and another one is made: when it is tried, and with what Hello.
//!
//! It knows why a connection has ended and decides whether another one would fare better. What is
//! said over the new one stands in [`catch_up`](super::catch_up).

use std::{sync::Arc, time::Duration};

use actix::{ActorFutureExt, AsyncContext, Context, SpawnHandle, fut::wrap_future};
use futures_util::StreamExt;
use rand::{Rng, RngExt};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::Driver;
use crate::{
    connection::{self, Closed, Closer},
    leaf::client::ConnectionEvent,
    limits::{CONNECT_TIMEOUT, RECONNECT_DOUBLINGS_MAX, SILENCE_MAX},
    transport::{Connector, Duplex},
    wire::{CloseCode, Hello, Incoming, Limits, Resume, Welcome},
};

/// How a client comes by its connections.
pub(super) struct Dial {
    connector: Arc<dyn Connector>,
    /// What is said first, and the session to go on with once there is one.
    hello: Hello,
    /// Counts connections: what an earlier one still brings is nobody's.
    pub(super) number: u64,
    /// Tries since the last connection that was any good.
    tries: u32,
    /// When the hub has let the client in, while there is a connection.
    up_since: Option<Instant>,
    /// Why the last one was lost.
    pub(super) lost: Option<Closed>,
    coming: Option<SpawnHandle>,
    /// Connections that are still being written.
    writing: watch::Sender<usize>,
}

impl Dial {
    pub(super) fn new(
        connector: Arc<dyn Connector>,
        hello: Hello,
        writing: watch::Sender<usize>,
    ) -> Self {
        let (number, tries, up_since, lost, coming) = (0, 0, None, None, None);
        Self { connector, hello, number, tries, up_since, lost, coming, writing }
    }

    pub(super) fn is_up(&self) -> bool {
        self.up_since.is_some()
    }

    /// The hub has let the client in.
    pub(super) fn come_up(&mut self, welcome: &Welcome) {
        let Welcome { session, key, .. } = *welcome;
        self.hello.resume = Some(Resume { session, key, attempt: 0 });
        self.up_since = Some(Instant::now());
    }

    /// The connection is no more. After one that was good, the first try comes soon; one that the
    /// hub has ended at once was not.
    fn go_down(&mut self, closed: &Closed) {
        self.number += 1;
        let up_since = self.up_since.take();
        let was_good =
            |since: Instant| closed.by == Closer::Transport || since.elapsed() > SILENCE_MAX;
        if up_since.is_some_and(was_good) {
            self.tries = 0;
        }
        self.lost = Some(closed.clone());
    }

    /// What the next connection begins with.
    fn hello(&mut self) -> &Hello {
        if let Some(resume) = &mut self.hello.resume {
            resume.attempt = resume.attempt.saturating_add(1);
        }
        &self.hello
    }
}

impl Driver {
    /// Takes a connection apart and says hello.
    pub(super) fn open(&mut self, duplex: Duplex, ctx: &mut Context<Self>) {
        let connection = connection::open(duplex, Limits::default(), None);
        let writing = self.dial.writing.clone();
        writing.send_modify(|count| *count += 1);
        tokio::task::spawn_local(async move {
            connection.writer.await;
            writing.send_modify(|count| *count -= 1);
        });
        self.dial.number += 1;
        let number = self.dial.number;
        self.queue = connection.queue;
        self.incoming = Incoming::default();
        self.queue.tell(self.dial.hello());
        ctx.add_stream(connection.reader.map(move |item| (number, item)));
    }

    /// The connection is no more. Another one is tried, where that helps.
    pub(super) fn lose(&mut self, closed: &Closed, ctx: &mut Context<Self>) {
        if self.is_closed() {
            return;
        }
        if self.link.is_none() || !heals(closed) {
            return self.end(closed, ctx);
        }
        tracing::info!(%closed, "disconnected");
        self.queue.close(closed.clone());
        self.dial.go_down(closed);
        self.go_down();
        self.dial_later(closed.clone(), ctx);
    }

    /// Nothing is tried any more.
    pub(super) fn give_up_dialing(&mut self, ctx: &mut Context<Self>) {
        self.dial.number += 1;
        self.dial.up_since = None;
        if let Some(coming) = self.dial.coming.take() {
            ctx.cancel_future(coming);
        }
    }

    fn dial_later(&mut self, why: Closed, ctx: &mut Context<Self>) {
        let wait = wait_before(self.dial.tries, &mut self.random);
        self.dial.tries = self.dial.tries.saturating_add(1);
        tracing::debug!(?wait, %why, "waiting to connect again");
        self.events.tell(ConnectionEvent::Waiting { wait, why });
        let connector = self.dial.connector.clone();
        let dialing = async move {
            sleep(wait).await;
            match timeout(CONNECT_TIMEOUT, connector.connect()).await {
                Ok(opened) => opened.map_err(Closed::transport),
                Err(_) => Err(Closed::transport("nobody answered in time")),
            }
        };
        let then = |opened, driver: &mut Self, ctx: &mut Context<Self>| {
            driver.dial.coming = None;
            match opened {
                Ok(duplex) => driver.open(duplex, ctx),
                Err(why) => driver.dial_later(why, ctx),
            }
        };
        self.dial.coming = Some(ctx.spawn(wrap_future(dialing).map(then)));
    }
}

/// Whether another connection may fare better than one that has ended so.
fn heals(closed: &Closed) -> bool {
    match closed.code {
        CloseCode::Version
        | CloseCode::Refused
        | CloseCode::BadFrame
        | CloseCode::Protocol
        | CloseCode::Window
        | CloseCode::Superseded => false,
        CloseCode::Done => closed.by != Closer::Local,
        _ => true,
    }
}

/// The rest before try `k`, counted from 0: between 2^k - 1 and 2^(k + 1) - 1 seconds, where `k`
/// grows no further than 3.
pub(crate) fn wait_before(k: u32, random: &mut impl Rng) -> Duration {
    let least_ms = (1_000_u64 << k.min(RECONNECT_DOUBLINGS_MAX)) - 1_000;
    Duration::from_millis(random.random_range(least_ms..=2 * least_ms + 1_000))
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::wire::Fault;

    fn waits(seed: u64) -> Vec<Duration> {
        let mut random = StdRng::seed_from_u64(seed);
        (0..8).map(|k| wait_before(k, &mut random)).collect()
    }

    #[test]
    fn each_wait_is_within_its_range_and_the_ranges_stop_at_7_to_15_s() {
        for seed in 0..1_000 {
            for (wait, k) in waits(seed).into_iter().zip(0..) {
                let least = (1 << Ord::min(k, 3)) - 1;
                let range = Duration::from_secs(least)..=Duration::from_secs(2 * least + 1);
                assert!(range.contains(&wait), "wait {k} of seed {seed} is {wait:?}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_waits_and_another_gives_others() {
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }

    #[test]
    fn an_outage_of_5_s_sees_at_most_4_attempts() {
        for seed in 0..1_000 {
            let ends = waits(seed).into_iter().scan(Duration::ZERO, |at, wait| {
                *at += wait;
                Some(*at)
            });
            let attempts = ends.take_while(|at| *at <= Duration::from_secs(5)).count();
            assert!(attempts <= 4, "{attempts} attempts with seed {seed}");
        }
    }

    #[test]
    fn what_would_end_the_next_connection_too_is_not_tried_again() {
        let mends = |code| heals(&Closed::local(code, Fault::Nobody, "why"));
        for code in [CloseCode::Silent, CloseCode::TooSlow, CloseCode::Internal] {
            assert!(mends(code), "{code:?}");
        }
        for code in [
            CloseCode::Done,
            CloseCode::Version,
            CloseCode::Refused,
            CloseCode::BadFrame,
            CloseCode::Protocol,
            CloseCode::Window,
            CloseCode::Superseded,
        ] {
            assert!(!mends(code), "{code:?}");
        }
        assert!(heals(&Closed::transport("cut")));
    }
}
