//! Rests before restarts: how long, what waits meanwhile, and what ends them.

use std::time::Duration;

use actix::{ActorContext, AsyncContext, MailboxError};
use actix_multiplex::supervise::{Backoff, Event, Policy};
use tokio::time::{Instant, sleep};

use super::TWICE;
use super::pond::Call::{Dropped, Heard, Made, Restarting, Started, Stopped, Stopping};
use super::pond::{Croak, Pond, gave_up, panicked, paused, restarted, run, settle};

const SECOND: Duration = Duration::from_secs(1);

/// Rests of 1 s and 2 s.
const RESTING: Policy = TWICE.with_backoff(Backoff { first: SECOND, max: Duration::from_secs(9) });

const fn resting(secs: u64) -> Event {
    Event::Resting { wait: Duration::from_secs(secs) }
}

#[test]
fn rests_double_while_restarts_count_and_giving_up_waits_for_nothing() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1); 4]);
        let frog = pond.start_here(RESTING);
        let mut rests = Vec::new();
        // The first is forgotten when the third panics.
        for pause_secs in [0, 40, 19, 0] {
            sleep(Duration::from_secs(pause_secs)).await;
            frog.do_send(Croak(1));
            let begun = Instant::now();
            let _answer = frog.send(Croak(2)).await;
            rests.push(begun.elapsed().as_secs());
        }
        assert_eq!(rests, [1, 2, 2, 0]);
        let ended = [panicked(Heard(1)), gave_up(Heard(1))];
        let told = [1, 2, 2]
            .into_iter()
            .zip([1, 2, 2])
            .flat_map(|(secs, restarts)| [panicked(Heard(1)), resting(secs), restarted(restarts)]);
        assert_eq!(pond.events(), told.chain(ended).collect::<Vec<_>>());
        assert!(!frog.connected());
    });
}

#[test]
fn while_it_rests_its_mailbox_keeps_mail_nothing_of_it_runs_and_others_go_on() {
    paused(async {
        let (pond, beside) = (Pond::with_faults(&[Heard(1)]), Pond::default());
        let (frog, neighbour) = (pond.start_here(RESTING), beside.start_here(TWICE));
        frog.do_send(run(|ctx| {
            ctx.run_interval(SECOND / 10, |frog, _| frog.0.called(Heard(0)));
        }));
        (1..=3).for_each(|n| frog.do_send(Croak(n)));
        settle().await;
        let (rested, asleep) = (Instant::now(), [Made, Started, Heard(1)]);
        assert_eq!(neighbour.send(Croak(7)).await, Ok(()));
        sleep(SECOND / 2).await;
        assert_eq!(pond.calls(), asleep);
        assert_eq!(pond.events(), [panicked(Heard(1)), resting(1)]);
        assert!(frog.connected());
        assert_eq!(frog.send(Croak(4)).await, Ok(()));
        assert!(rested.elapsed() < SECOND * 2);
        let awake = [Restarting, Started, Heard(2), Heard(3), Heard(4)];
        assert_eq!(pond.calls(), [&asleep[..], &awake].concat());
        assert_eq!(beside.calls(), [Made, Started, Heard(7)]);
    });
}

#[test]
fn a_panic_while_it_is_rebuilt_makes_it_rest_again() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1), Restarting]);
        let frog = pond.start_here(RESTING);
        let begun = Instant::now();
        frog.do_send(Croak(1));
        assert_eq!(frog.send(Croak(2)).await, Ok(()));
        assert_eq!(begun.elapsed().as_secs(), 3);
        let told = [panicked(Heard(1)), resting(1), panicked(Restarting), resting(2), restarted(2)];
        assert_eq!(pond.events(), told);
    });
}

#[test]
fn an_actor_that_rests_when_its_last_address_goes_hears_its_mail_and_stops() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1)]);
        let frog = pond.start_here(RESTING);
        (1..=2).for_each(|n| frog.do_send(Croak(n)));
        settle().await;
        drop(frog);
        sleep(SECOND).await;
        let calls = [Made, Started, Heard(1), Restarting, Started, Heard(2)];
        assert_eq!(pond.calls(), [&calls[..], &[Stopping, Stopped, Dropped]].concat());
        let told = [panicked(Heard(1)), resting(1), restarted(1), Event::Stopped];
        assert_eq!(pond.events(), told);
    });
}

#[test]
fn an_actor_that_rests_when_its_arbiter_ends_is_stopped() {
    let pond = Pond::with_faults(&[Heard(1), Stopped, Dropped]);
    let frog = paused(async {
        let frog = pond.start_here(RESTING);
        (1..=2).for_each(|n| frog.do_send(Croak(n)));
        settle().await;
        frog
    });
    assert!(!frog.connected());
    assert_eq!(pond.calls(), [Made, Started, Heard(1), Stopping, Stopped, Dropped]);
    let told = [panicked(Heard(1)), resting(1), panicked(Stopped), panicked(Dropped)];
    assert_eq!(pond.events(), [&told[..], &[Event::Stopped]].concat());
}

#[test]
fn a_wanted_stop_is_followed_by_no_rest() {
    paused(async {
        let pond = Pond::with_faults(&[Stopping]);
        let frog = pond.start_here(RESTING);
        frog.do_send(run(ActorContext::stop));
        settle().await;
        assert_eq!(pond.events(), [panicked(Stopping), Event::Stopped]);
    });
}

#[test]
fn a_backoff_of_nothing_is_none() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1)]);
        let none = Backoff { first: Duration::ZERO, max: SECOND };
        let frog = pond.start_here(TWICE.with_backoff(none));
        frog.do_send(Croak(1));
        assert_eq!(frog.send(Croak(2)).await, Ok(()));
        assert_eq!(pond.events(), [panicked(Heard(1)), restarted(1)]);
    });
}

#[test]
fn where_there_is_no_timer_an_actor_that_is_to_rest_is_given_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let pond = Pond::with_faults(&[Heard(1)]);
        let frog = pond.start_here(RESTING);
        assert_eq!(frog.send(Croak(1)).await, Err(MailboxError::Closed));
        assert_eq!(frog.send(Croak(2)).await, Err(MailboxError::Closed));
        assert!(matches!(pond.events().last(), Some(Event::GaveUp { .. })), "{:?}", pond.events());
    });
}
