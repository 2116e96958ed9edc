//! The panic boundary: one test for each row of the table in `supervise`, and then some.

mod backoff;
mod example;
mod pond;

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::Duration;

use actix::fut::wrap_future;
use actix::{ActorContext, Addr, AsyncContext, Context, MailboxError};
use actix_multiplex::supervise::{self, Event, Placement, RestartLimit, StartError};
use tokio::sync::{mpsc, oneshot};

use self::pond::Call::{Dropped, Heard, Made, Restarting, Started, Stopped, Stopping};
use self::pond::{Croak, Frog, Pond, gave_up, panicked, paused, restarted, run, settle};

const TWICE: RestartLimit = RestartLimit { restarts: 2, within: Duration::from_mins(1) };

/// Leaves mail in the frog's mailbox and panics, so that a turn ends with mail unheard.
fn fail(frog: &Addr<Frog>) {
    frog.do_send(Croak(9));
    panic!("{Failed:?}");
}

#[derive(Debug)]
struct Failed;

/// A frog is rebuilt once after this job, hears its mail and goes on.
fn is_rebuilt_after(job: impl FnOnce(&mut Context<Frog>) + Send + 'static) {
    paused(async {
        let pond = Pond::default();
        let frog = pond.start_here(TWICE);
        frog.do_send(run(job));
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(pond.calls(), [Made, Started, Restarting, Started, Heard(9)]);
        assert_eq!(pond.events(), [panicked(Failed), restarted(1)]);
        assert_eq!(frog.send(Croak(1)).await, Ok(()));
    });
}

#[test]
fn a_panic_in_a_handler_rebuilds_the_actor_and_keeps_its_mailbox() {
    is_rebuilt_after(|ctx| fail(&ctx.address()));
}

#[test]
fn a_panic_in_a_notify_handler_rebuilds_the_actor_and_keeps_its_mailbox() {
    is_rebuilt_after(|ctx| ctx.notify(run(|ctx| fail(&ctx.address()))));
}

#[test]
fn a_panic_in_a_spawned_future_rebuilds_the_actor_and_keeps_its_mailbox() {
    is_rebuilt_after(|ctx| {
        let frog = ctx.address();
        ctx.spawn(wrap_future(async move { fail(&frog) }));
    });
}

#[test]
fn a_panic_in_a_timer_rebuilds_the_actor_and_keeps_its_mailbox() {
    is_rebuilt_after(|ctx| {
        ctx.run_later(Duration::from_secs(1), |_, ctx| fail(&ctx.address()));
    });
}

#[test]
fn a_panic_in_a_wait_rebuilds_the_actor_and_keeps_its_mailbox() {
    is_rebuilt_after(|ctx| {
        let frog = ctx.address();
        ctx.wait(wrap_future(async move { fail(&frog) }));
    });
}

#[test]
fn a_rebuilt_actor_has_none_of_its_old_timers_and_waits() {
    is_rebuilt_after(|ctx| {
        let frog = ctx.address();
        ctx.run_interval(Duration::from_secs(1), |frog, _| frog.0.called(Heard(0)));
        ctx.wait(wrap_future(pending()));
        ctx.wait(wrap_future(async move { fail(&frog) }));
    });
}

#[test]
fn the_sender_of_a_message_that_panics_is_told_and_the_next_is_answered() {
    paused(async {
        let frog = Pond::with_faults(&[Heard(1)]).start_here(TWICE);
        let (first, second) = (frog.send(Croak(1)), frog.send(Croak(2)));
        assert_eq!(first.await, Err(MailboxError::Closed));
        assert_eq!(second.await, Ok(()));
    });
}

#[test]
fn a_panic_in_started_rebuilds_the_actor() {
    paused(async {
        let pond = Pond::with_faults(&[Started]);
        let frog = pond.start_here(TWICE);
        assert_eq!(frog.send(Croak(1)).await, Ok(()));
        assert_eq!(pond.calls(), [Made, Started, Restarting, Started, Heard(1)]);
        assert_eq!(pond.events(), [panicked(Started), restarted(1)]);
    });
}

#[test]
fn a_panic_in_restarting_counts_and_is_tried_again() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1), Restarting]);
        let frog = pond.start_here(TWICE);
        frog.do_send(Croak(1));
        assert_eq!(frog.send(Croak(2)).await, Ok(()));
        let calls = [Made, Started, Heard(1), Restarting, Restarting, Started, Heard(2)];
        assert_eq!(pond.calls(), calls);
        assert_eq!(pond.events(), [panicked(Heard(1)), panicked(Restarting), restarted(2)]);
    });
}

#[test]
fn restarting_that_always_panics_uses_up_the_limit_and_then_calls_no_hook() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1), Restarting, Restarting]);
        let frog = pond.start_here(TWICE);
        assert_eq!(frog.send(Croak(1)).await, Err(MailboxError::Closed));
        settle().await;
        let calls = [Made, Started, Heard(1), Restarting, Restarting, Dropped];
        assert_eq!(pond.calls(), calls);
        assert_eq!(pond.events().last(), Some(&gave_up(Restarting)));
    });
}

#[test]
fn a_panic_in_the_constructor_gives_up_at_once() {
    paused(async {
        let pond = Pond::with_faults(&[Made]);
        let frog = pond.start_here(TWICE);
        assert_eq!(frog.send(Croak(1)).await, Err(MailboxError::Closed));
        assert!(!frog.connected());
        assert_eq!(pond.calls(), [Made]);
        assert_eq!(pond.events(), [panicked(Made), gave_up(Made)]);
    });
}

#[test]
fn giving_up_closes_the_address_and_the_neighbours_go_on() {
    paused(async {
        let (pond, beside) = (Pond::with_faults(&[Heard(1)]), Pond::default());
        let (frog, neighbour) =
            (pond.start_here(RestartLimit::NEVER), beside.start_here(RestartLimit::NEVER));
        frog.do_send(Croak(1));
        frog.do_send(Croak(2));
        settle().await;
        assert!(!frog.connected());
        assert_eq!(pond.calls(), [Made, Started, Heard(1), Stopping, Stopped, Dropped]);
        assert_eq!(pond.events(), [panicked(Heard(1)), gave_up(Heard(1))]);
        assert_eq!(neighbour.send(Croak(3)).await, Ok(()));
        assert_eq!(beside.events(), []);
    });
}

#[test]
fn an_actor_given_up_hears_no_mail_even_if_it_refuses_to_stop() {
    paused(async {
        let pond = Pond { stays: true, ..Pond::with_faults(&[Heard(1)]) };
        let frog = pond.start_here(RestartLimit::NEVER);
        frog.do_send(Croak(1));
        frog.do_send(Croak(2));
        settle().await;
        assert_eq!(pond.calls(), [Made, Started, Heard(1), Stopping, Dropped]);
        assert!(!frog.connected());
    });
}

#[test]
fn panics_in_stopped_and_in_the_destructor_after_one_in_a_handler_do_not_abort() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1), Stopped, Dropped]);
        let frog = pond.start_here(RestartLimit::NEVER);
        frog.do_send(Croak(1));
        settle().await;
        let told = [Heard(1), Stopped, Dropped].map(panicked);
        assert_eq!(pond.events(), [&told[..], &[gave_up(Heard(1))]].concat());
        assert!(!frog.connected());
    });
}

#[test]
fn the_budget_is_counted_over_its_window() {
    paused(async {
        let pond = Pond::with_faults(&[Heard(1); 6]);
        let frog = pond.start_here(TWICE);
        let mut counts = Vec::new();
        for pause_secs in [0, 40, 40, 40, 10] {
            tokio::time::sleep(Duration::from_secs(pause_secs)).await;
            frog.do_send(Croak(1));
            settle().await;
            counts.extend(pond.events().last().cloned());
        }
        assert_eq!(counts[..4], [1, 2, 2, 2].map(restarted));
        assert_eq!(counts[4], gave_up(Heard(1)));
        assert!(!frog.connected());
    });
}

#[test]
fn a_wanted_stop_stays_a_stop() {
    paused(async {
        let pond = Pond::default();
        let frog = pond.start_here(TWICE);
        frog.do_send(run(ActorContext::stop));
        settle().await;
        assert!(!frog.connected());
        assert_eq!(pond.calls(), [Made, Started, Stopping, Stopped, Dropped]);
        assert_eq!(pond.events(), [Event::Stopped]);
    });
}

#[test]
fn a_wanted_stop_stays_a_stop_when_it_panics() {
    for fault in [Stopping, Stopped, Dropped] {
        paused(async {
            let pond = Pond::with_faults(&[fault]);
            let frog = pond.start_here(TWICE);
            frog.do_send(run(ActorContext::stop));
            settle().await;
            assert!(!frog.connected());
            assert_eq!(pond.events(), [panicked(fault), Event::Stopped]);
            assert_eq!(pond.calls().iter().filter(|&&call| call == Stopped).count(), 1);
        });
    }
}

#[test]
fn a_panic_after_a_wanted_stop_does_not_rebuild_the_actor() {
    paused(async {
        let pond = Pond::default();
        let frog = pond.start_here(TWICE);
        frog.do_send(run(|ctx| {
            ctx.stop();
            panic!("{Failed:?}");
        }));
        settle().await;
        assert_eq!(pond.events(), [panicked(Failed), Event::Stopped]);
        assert_eq!(pond.calls(), [Made, Started, Stopping, Stopped, Dropped]);
        assert!(!frog.connected());
    });
}

#[test]
fn an_actor_stops_when_its_last_address_goes() {
    paused(async {
        let pond = Pond::default();
        drop(pond.start_here(TWICE));
        settle().await;
        assert_eq!(pond.events(), [Event::Stopped]);
    });
}

#[test]
fn a_panic_in_stopping_after_the_last_address_went_is_rebuilt_and_stops() {
    paused(async {
        let pond = Pond::with_faults(&[Stopping]);
        drop(pond.start_here(TWICE));
        settle().await;
        assert_eq!(pond.events(), [panicked(Stopping), restarted(1), Event::Stopped]);
    });
}

#[test]
fn an_actor_rebuilt_over_and_over_leaves_its_neighbours_their_turns() {
    paused(async {
        let pond = Pond::with_faults(&[Started; 200]);
        let patient = RestartLimit { restarts: 200, ..TWICE };
        let frog = pond.start_here(patient);
        tokio::task::yield_now().await;
        let seen = pond.events().len();
        assert!((1..200).contains(&seen), "{seen} events in one turn");
        assert_eq!(frog.send(Croak(1)).await, Ok(()));
        assert_eq!(pond.events().last(), Some(&restarted(200)));
    });
}

#[test]
fn an_actor_that_only_its_futures_keep_is_rebuilt_before_it_ends() {
    paused(async {
        let pond = Pond::default();
        pond.start_here(TWICE).do_send(run(|ctx| {
            ctx.run_later(Duration::from_secs(1), |_, _| panic!("{Failed:?}"));
        }));
        tokio::time::sleep(Duration::from_secs(5)).await;
        let calls = [Made, Started, Restarting, Started, Stopping, Stopped, Dropped];
        assert_eq!(pond.calls(), calls);
        assert_eq!(pond.events(), [panicked(Failed), restarted(1), Event::Stopped]);
    });
}

#[test]
fn an_observer_that_always_panics_disturbs_nothing() {
    paused(async {
        let pond = Pond { observer_panics: true, ..Pond::with_faults(&[Heard(1), Stopped]) };
        let frog = pond.start_here(TWICE);
        frog.do_send(Croak(1));
        assert_eq!(frog.send(Croak(2)).await, Ok(()));
        frog.do_send(run(ActorContext::stop));
        settle().await;
        let told = [panicked(Heard(1)), restarted(1), panicked(Stopped), Event::Stopped];
        assert_eq!(pond.events(), told);
    });
}

#[test]
fn an_actor_whose_task_set_is_dropped_is_stopped_and_panics_there_stay() {
    let pond = Pond::with_faults(&[Stopped, Dropped]);
    let frog = paused(async {
        let frog = pond.start_here(TWICE);
        settle().await;
        frog
    });
    assert!(!frog.connected());
    assert_eq!(pond.events(), [panicked(Stopped), panicked(Dropped), Event::Stopped]);
}

#[test]
fn an_actor_dropped_while_its_thread_unwinds_does_not_abort() {
    let pond = Pond::with_faults(&[Stopped, Dropped]);
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        paused(async {
            let _frog = pond.start_here(TWICE);
            settle().await;
            panic!("{Failed:?}");
        });
    }));
    assert!(unwound.is_err());
    assert_eq!(pond.events().last(), Some(&Event::Stopped));
}

#[test]
fn an_actor_whose_task_set_is_dropped_too_early_is_never_made() {
    let pond = Pond::default();
    let frog = paused(async { pond.start_here(TWICE) });
    assert!(!frog.connected());
    assert_eq!(pond.calls(), []);
    assert_eq!(pond.events(), [Event::Stopped]);
}

#[test]
fn starting_where_no_local_set_is_gives_an_error() {
    let pond = Pond::default();
    let nowhere = pond.start(&Placement::Here, TWICE);
    assert_eq!(nowhere, Err(StartError::NoLocalSet));
    assert!(!Placement::Here.run(|| unreachable!()));

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let in_a_bare_runtime = runtime.block_on(async { pond.start(&Placement::Here, TWICE) });
    assert_eq!(in_a_bare_runtime, Err(StartError::NoLocalSet));
    assert!(!runtime.block_on(async { Placement::Here.run(|| unreachable!()) }));
    assert_eq!((pond.calls(), pond.events()), (vec![], vec![]));
}

#[test]
fn starting_on_another_arbiter_works_until_it_ends() {
    actix_rt::System::new().block_on(async {
        let arbiter = actix_rt::Arbiter::new();
        let place = Placement::Arbiter(arbiter.handle());
        let pond = Pond::with_faults(&[Heard(1)]);
        let frog = pond.start(&place, TWICE).unwrap();
        assert_eq!(frog.send(Croak(1)).await, Err(MailboxError::Closed));
        assert_eq!(frog.send(Croak(2)).await, Ok(()));
        let (tell, told) = oneshot::channel();
        frog.do_send(run(move |_| tell.send(thread::current().id()).unwrap()));
        assert_ne!(told.await, Ok(thread::current().id()));

        arbiter.stop();
        arbiter.join().unwrap();
        assert!(!frog.connected());
        assert_eq!(pond.events(), [panicked(Heard(1)), restarted(1), Event::Stopped]);
        assert_eq!(pond.start(&place, TWICE), Err(StartError::ArbiterGone));
        assert!(!place.run(|| unreachable!()));
    });
}

#[test]
fn a_job_runs_where_it_is_placed_on_a_later_turn_and_in_order() {
    paused(async {
        let (tell, mut told) = mpsc::unbounded_channel();
        for n in [1, 2] {
            let tell = tell.clone();
            assert!(Placement::Here.run(move || tell.send((n, thread::current().id())).unwrap()));
        }
        assert!(told.try_recv().is_err());
        let here = thread::current().id();
        assert_eq!((told.recv().await, told.recv().await), (Some((1, here)), Some((2, here))));
    });
}

#[test]
fn a_mailbox_is_bounded_even_if_none_was_asked_for() {
    paused(async {
        for (capacity, room) in [(0, 1), (1, 1), (3, 3)] {
            let pond = Pond::default();
            let make = |_: &mut Context<Frog>| Frog(pond);
            let frog = supervise::start(&Placement::Here, capacity, TWICE, make, drop).unwrap();
            let accepted = (0..9).take_while(|&n| frog.try_send(Croak(n)).is_ok()).count();
            assert_eq!(accepted, room);
        }
        let pond = Pond::default();
        let make = |_: &mut Context<Frog>| Frog(pond);
        assert!(supervise::start(&Placement::Here, usize::MAX, TWICE, make, drop).is_ok());
    });
}
