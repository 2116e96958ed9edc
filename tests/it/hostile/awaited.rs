//! Objects that are about to be made: who asks for them waits for the verdict, and nobody else.

use std::sync::Arc;

use actix_multiplex::{
    Denied, Rights, Visit, Wish,
    wire::{Refusal, Target},
};
use tokio::sync::Semaphore;

use super::{
    raw::{attach, carrying, join, part, together},
    *,
};

/// An admission that says yes or no to Marvin's making kermit when it is let.
fn slow(verdict: bool) -> (HubBuilder, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let holds = gate.clone();
    let builder = Hub::builder().admission(move |visit: Visit| {
        let gate = holds.clone();
        let kermit = Some(name("kermit"));
        let wish = Wish::Create { name: kermit, interface: interface() };
        let waits = visit.client.agent == "marvin" && visit.wish == wish;
        async move {
            if !waits {
                return Ok(Rights::ALL);
            }
            gate.acquire().await.expect("stays open").forget();
            if verdict { Ok(Rights::ALL) } else { Err(Denied::because("no frogs")) }
        }
    });
    (builder, gate)
}

/// Marvin and Amy are at rowlf, and Marvin is about to make kermit and carries it there at once.
async fn carry(pond: &mut Pond) -> Raw {
    let mut marvin = pond.marvin().await;
    marvin.say(&create(ROWLF, None)).await;
    marvin.let_in().await;
    pond.amy.say(&join(2, Target::Object(ROWLF))).await;
    pond.amy.let_in().await;
    let create = create(KERMIT, Some("kermit"));
    let frames = together(&[&create, &carrying(ROWLF, 1, &[KERMIT])]);
    marvin.say_bytes(&frames).await;
    assert_eq!(batch_ops(&marvin.batch().await), [1]);
    marvin
}

/// Amy has heard of kermit at once, and asks for it.
async fn ask(pond: &mut Pond) {
    assert_eq!(batch_ops(&pond.amy.batch().await), [1]);
    let wishes = [join(3, Target::Object(KERMIT)).bytes(), part(4, ROWLF).bytes()];
    pond.amy.say_bytes(&wishes.concat()).await;
    pond.amy.say(&attach(5, Target::Object(KERMIT))).await;
    settle().await;
    // What is about another object does not wait.
    pond.amy.done(4).await;
}

#[test]
fn the_carrier_is_heard_at_once_and_who_joins_what_it_carries_waits_for_the_verdict() {
    let (builder, gate) = slow(true);
    in_pond_of(builder, async |pond| {
        let mut marvin = carry(pond).await;
        ask(pond).await;
        pond.amy_goes_on().await;
        gate.add_permits(1);
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(pond.amy.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(pond.amy.hear().await.frame_type(), FrameType::Attached);
    });
}

#[test]
fn who_waits_for_an_object_that_is_not_made_after_all_is_told_that_there_is_none() {
    let (builder, gate) = slow(false);
    in_pond_of(builder, async |pond| {
        let mut marvin = carry(pond).await;
        ask(pond).await;
        gate.add_permits(1);
        assert_eq!(marvin.refused(1).await, Refusal::Denied("no frogs".to_owned()));
        assert_eq!(pond.amy.refused(3).await, Refusal::Unknown);
        assert_eq!(pond.amy.refused(5).await, Refusal::Unknown);
    });
}

#[test]
fn who_waits_for_an_object_whose_maker_is_gone_is_told_that_there_is_none() {
    let (builder, _gate) = slow(true);
    in_pond_of(builder, async |pond| {
        let marvin = carry(pond).await;
        ask(pond).await;
        drop(marvin);
        assert_eq!(pond.amy.refused(3).await, Refusal::Unknown);
        assert_eq!(pond.amy.refused(5).await, Refusal::Unknown);
    });
}

#[test]
fn of_two_that_make_the_same_object_the_other_is_refused_and_who_waits_is_let_in() {
    let (builder, gate) = slow(true);
    in_pond_of(builder, async |pond| {
        let mut marvin = carry(pond).await;
        ask(pond).await;
        let mut angus = Raw::welcomed(&pond.hub, "angus").await;
        angus.say(&create(KERMIT, None)).await;
        angus.let_in().await;
        // It is there now, and who asks now need not wait.
        angus.say(&join(2, Target::Object(KERMIT))).await;
        angus.let_in().await;
        gate.add_permits(1);
        assert_eq!(marvin.refused(1).await, Refusal::Exists(KERMIT));
        assert_eq!(pond.amy.hear().await.frame_type(), FrameType::Joined);
        assert_eq!(pond.amy.hear().await.frame_type(), FrameType::Attached);
    });
}

#[test]
fn whoever_asks_for_an_object_before_making_it_itself_waits_for_nothing() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let frames = [join(2, Target::Object(KERMIT)).bytes(), create(KERMIT, None).bytes()];
        marvin.say_bytes(&frames.concat()).await;
        assert_eq!(marvin.refused(2).await, Refusal::Unknown);
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Joined);
    });
}
