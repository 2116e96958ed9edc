//! Objects that a leaf ends for everybody.

use std::sync::Arc;

use actix_multiplex::{
    Denied, Kind, Op, Rights, SessionId, Visit, Wish,
    wire::{Batch, EndReason, NameObject, Refusal, Target, Verdict},
};
use tokio::sync::Notify;

use super::{
    raw::{attach, by_name, destroy, join, part, pin, together},
    *,
};

/// The last word of an object, at this seq.
fn assert_last_word(batch: &Batch, seq: u64) {
    assert_eq!((batch.first_seq, batch.count), (Seq(seq), 1));
    assert_eq!(batch.sessions, [(SessionId([0; 16]), Op(seq))], "its op is its seq");
    let word = batch.shouts().next().expect("one shout");
    assert_eq!((word.kind, word.op, word.payload.len()), (Kind(65_280), Op(seq), 0));
}

#[test]
fn destroying_is_the_last_thing_in_the_order_and_everybody_is_told() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let (mut leaf, mut voice) = (pond.marvin().await, pond.marvin().await);
        leaf.say(&join(1, by_name("kermit"))).await;
        leaf.let_in().await;
        voice.say(&attach(1, by_name("kermit"))).await;
        voice.let_in().await;
        voice.say(&shout(KERMIT, 1)).await;
        voice.outcome(KERMIT, 1).await;
        marvin.say(&shout(KERMIT, 1)).await;
        settle().await;
        marvin.say(&destroy(2, KERMIT)).await;
        for (raw, request) in [(&mut marvin, Some(2)), (&mut leaf, None)] {
            assert_eq!(raw.batch().await.first_seq, Seq(1));
            assert_eq!(raw.batch().await.first_seq, Seq(2));
            assert_last_word(&raw.batch().await, 3);
            if let Some(request) = request {
                raw.done(request).await;
            }
            assert_eq!(raw.told_end(KERMIT).await, EndReason::Destroyed);
        }
        assert_eq!(voice.told_end(KERMIT).await, EndReason::Destroyed);
        for raw in [&mut marvin, &mut leaf, &mut voice] {
            raw.say(&shout(KERMIT, 2)).await;
            assert!(matches!(raw.outcome(KERMIT, 2).await, Verdict::Refused { .. }));
            raw.say(&part(3, KERMIT)).await;
            assert_eq!(raw.refused(3).await, Refusal::NotJoined);
        }
    });
}

#[test]
fn what_was_destroyed_is_gone_by_its_id_and_unknown_by_its_name_which_is_free() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&destroy(2, KERMIT)).await;
        assert_last_word(&marvin.batch().await, 1);
        marvin.done(2).await;
        assert_eq!(marvin.told_end(KERMIT).await, EndReason::Destroyed);
        for (request, target, refusal) in
            [(3, Target::Object(KERMIT), Refusal::Gone), (4, by_name("kermit"), Refusal::Unknown)]
        {
            marvin.say(&join(request, target.clone())).await;
            assert_eq!(marvin.refused(request).await, refusal);
            marvin.say(&attach(request, target)).await;
            assert_eq!(marvin.refused(request).await, refusal);
        }
        marvin.say(&create(KERMIT, None)).await;
        assert_eq!(marvin.refused(1).await, Refusal::Exists(KERMIT));
        for wish in [&destroy(5, KERMIT) as &dyn Said, &pin(5, KERMIT, true)] {
            marvin.say_bytes(&wish.bytes()).await;
            assert_eq!(marvin.refused(5).await, Refusal::NotJoined);
        }
        marvin.say(&create(ROWLF, Some("kermit"))).await;
        marvin.let_in().await;
        assert_eq!(marvin.named().await, [AMYS, ROWLF]);
    });
}

#[test]
fn only_a_leaf_destroys_and_only_if_the_admission_lets_it() {
    let strict = Hub::builder().admission(|visit: Visit| async move {
        match visit.wish {
            Wish::Destroy { name: Some(name), .. } => Err(Denied::because(format!("not {name}"))),
            Wish::Pin { pinned: true, .. } => Err(Denied::because("no pins")),
            _ => Ok(Rights::ALL),
        }
    });
    in_pond_of(strict, async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        for object in [AMYS, ROWLF] {
            marvin.say(&destroy(2, object)).await;
            assert_eq!(marvin.refused(2).await, Refusal::NotJoined);
        }
        marvin.say(&attach(3, by_name("amys"))).await;
        marvin.let_in().await;
        marvin.say(&destroy(4, AMYS)).await;
        assert_eq!(marvin.refused(4).await, Refusal::NotJoined);
        marvin.say(&destroy(5, KERMIT)).await;
        assert_eq!(marvin.refused(5).await, Refusal::Denied("not kermit".to_owned()));
        marvin.say(&pin(6, KERMIT, true)).await;
        assert_eq!(marvin.refused(6).await, Refusal::Denied("no pins".to_owned()));
        marvin.say(&pin(7, KERMIT, false)).await;
        marvin.done(7).await;
        marvin.say(&shout(KERMIT, 1)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
    });
}

#[test]
fn of_two_that_destroy_an_object_one_is_too_late_and_so_is_everything_behind_it() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let naming = NameObject { request: 4, object: KERMIT, name: name("kermit") };
        let pin = pin(5, KERMIT, true);
        let wishes = together(&[&destroy(2, KERMIT), &destroy(3, KERMIT), &naming, &pin]);
        marvin.say_bytes(&wishes).await;
        let (mut dones, mut gone) = (0, 0);
        loop {
            match marvin.hear().await {
                Frame::Batch(batch) => assert_last_word(&batch, 1),
                Frame::Done(done) => dones += u32::from(done.request < 4),
                Frame::Refused(refused) => {
                    assert_eq!(refused.refusal, Refusal::Gone);
                    gone += u32::from(refused.request < 4);
                }
                Frame::Ended(ended) => break assert_eq!(ended.reason, EndReason::Destroyed),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((dones, gone), (1, 1));
        assert_eq!(marvin.named().await, [AMYS]);
    });
}

#[test]
fn who_was_about_to_join_when_the_object_was_destroyed_is_told_that_it_is_gone() {
    let decided = Arc::new(Notify::new());
    let decide = decided.clone();
    let slow = Hub::builder().admission(move |visit: Visit| {
        let decided = decided.clone();
        async move {
            if matches!(visit.wish, Wish::Join { .. } | Wish::Attach { .. }) {
                decided.notified().await;
            }
            Ok(Rights::ALL)
        }
    });
    in_pond_of(slow, async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        let (mut leaf, mut voice) = (pond.marvin().await, pond.marvin().await);
        let wishes = [join(1, by_name("kermit")).bytes(), shout(KERMIT, 1).bytes()];
        leaf.say_bytes(&wishes[0]).await;
        let attach = attach(2, Target::Object(KERMIT)).bytes();
        voice
            .say_bytes(&[attach, shout(KERMIT, 1).bytes(), part(3, KERMIT).bytes()].concat())
            .await;
        settle().await;
        marvin.say(&destroy(2, KERMIT)).await;
        settle().await;
        decide.notify_waiters();
        assert_eq!(leaf.refused(1).await, Refusal::Gone);
        assert_eq!(voice.refused(2).await, Refusal::Gone);
        // What waited for the verdict is no leaf's wish.
        assert_eq!(voice.refused(3).await, Refusal::NotJoined);
        settle().await;
        for raw in [&mut leaf, &mut voice] {
            raw.say(&shout(KERMIT, 2)).await;
            assert!(matches!(raw.outcome(KERMIT, 2).await, Verdict::Refused { .. }));
        }
    });
}
