//! Time that runs only while the client is connected: a carrier waits for what it carries, and not
//! for the network.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

/// A clock that stands still while there is no connection.
pub(super) struct Uptime(watch::Sender<Reading>);

/// What the clock shows, to those who wait for it.
pub(super) struct Hands(watch::Receiver<Reading>);

#[derive(Clone, Copy)]
struct Reading {
    before: Duration,
    /// Since when it runs, if it does.
    since: Option<Instant>,
}

impl Default for Uptime {
    fn default() -> Self {
        Self(watch::Sender::new(Reading { before: Duration::ZERO, since: Some(Instant::now()) }))
    }
}

impl Uptime {
    pub(super) fn now(&self) -> Duration {
        self.0.borrow().now()
    }

    pub(super) fn runs(&self) -> bool {
        self.0.borrow().since.is_some()
    }

    pub(super) fn stop(&self) {
        self.0.send_modify(|reading| *reading = Reading { before: reading.now(), since: None });
    }

    pub(super) fn go_on(&self) {
        self.0.send_modify(|reading| {
            *reading = Reading { before: reading.now(), since: Some(Instant::now()) };
        });
    }

    pub(super) fn hands(&self) -> Hands {
        Hands(self.0.subscribe())
    }
}

impl Hands {
    /// Waits until the clock shows `deadline`, or there is no clock any more.
    pub(super) async fn until(&mut self, deadline: Duration) {
        loop {
            let reading = *self.0.borrow_and_update();
            let rest = deadline.saturating_sub(reading.now());
            if rest.is_zero() {
                return;
            }
            let rest = if reading.since.is_some() { rest } else { Duration::MAX };
            match timeout(rest, self.0.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return,
            }
        }
    }
}

impl Reading {
    fn now(self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, pause};

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn it_shows_the_time_for_which_it_ran() {
        pause();
        let uptime = Uptime::default();
        advance(Duration::from_secs(2)).await;
        uptime.stop();
        advance(Duration::from_mins(1)).await;
        assert_eq!((uptime.now(), uptime.runs()), (Duration::from_secs(2), false));
        uptime.go_on();
        advance(Duration::from_secs(1)).await;
        assert_eq!((uptime.now(), uptime.runs()), (Duration::from_secs(3), true));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn who_waits_for_it_waits_while_it_stands_still() {
        pause();
        let uptime = Uptime::default();
        let (began, mut hands) = (Instant::now(), uptime.hands());
        let outage = async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            uptime.stop();
            tokio::time::sleep(Duration::from_mins(1)).await;
            uptime.go_on();
        };
        tokio::join!(hands.until(Duration::from_secs(5)), outage);
        assert_eq!(began.elapsed().as_secs(), 65);
    }
}
