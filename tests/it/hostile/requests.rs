//! Requests for what is not there, is another's, or has been had already.

use std::collections::BTreeSet;

use actix_multiplex::{
    Carried, Cursor, Epoch, ResyncReason,
    limits::STATE_PIECE_BYTES,
    wire::{Create, Detach, Join, Joined, List, NameObject, Refusal, StateIs, Target, Verdict},
};

use super::{
    raw::{attach, by_name, join, part, together, with_payload},
    *,
};

fn joined(frame: Frame) -> Joined {
    match frame {
        Frame::Joined(joined, _) => joined,
        other => panic!("not joined: {other:?}"),
    }
}

#[test]
fn an_id_or_a_name_that_is_there_cannot_be_made_again() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&create(AMYS, None)).await;
        assert_eq!(marvin.refused(1).await, Refusal::Exists(AMYS));
        marvin.say(&create(KERMIT, Some("amys"))).await;
        assert_eq!(marvin.refused(1).await, Refusal::NameTaken(name("amys")));
        // The id is not used up by that.
        marvin.say(&create(KERMIT, Some("kermit"))).await;
        assert_eq!(joined(marvin.hear().await).object, KERMIT);
        let mut angus = pond.marvin().await;
        angus.say(&create(KERMIT, None)).await;
        assert_eq!(angus.refused(1).await, Refusal::Exists(KERMIT));
    });
}

#[test]
fn what_would_join_or_create_joins_what_is_there_if_it_is_the_same() {
    in_pond(async |pond| {
        let mut angus = pond.marvin_with_kermit().await;
        let mut marvin = pond.marvin().await;
        let open = |interface| Create { or_join: true, interface, ..create(ROWLF, Some("kermit")) };
        for other in [toad(), newer()] {
            marvin.say(&open(other.clone())).await;
            let refusal = Refusal::Interface { wanted: other, there: interface() };
            assert_eq!(marvin.refused(1).await, refusal);
        }
        // What is shouted at the id that was not made has no place to go.
        marvin.say_bytes(&together(&[&open(interface()), &shout(ROWLF, 1)])).await;
        let verdict = marvin.outcome(ROWLF, 1).await;
        assert!(matches!(verdict, Verdict::Refused { .. }));
        assert_eq!(joined(marvin.hear().await).object, KERMIT);
        marvin.say(&shout(KERMIT, 1)).await;
        for leaf in [&mut marvin, &mut angus] {
            assert_eq!(leaf.batch().await.last_seq(), Seq(1));
        }
    });
}

#[test]
fn what_is_not_there_or_is_something_else_is_neither_joined_nor_attached() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        for target in [by_name("kermit"), Target::Object(KERMIT)] {
            marvin.say(&join(2, target.clone())).await;
            assert_eq!(marvin.refused(2).await, Refusal::Unknown);
            marvin.say(&attach(3, target)).await;
            assert_eq!(marvin.refused(3).await, Refusal::Unknown);
        }
        for target in [by_name("amys"), Target::Object(AMYS)] {
            for wanted in [toad(), newer()] {
                let refusal = Refusal::Interface { wanted: wanted.clone(), there: interface() };
                let other = Join { interface: wanted.clone(), ..join(2, target.clone()) };
                marvin.say(&other).await;
                assert_eq!(marvin.refused(2).await, refusal);
                let other = actix_multiplex::wire::Attach {
                    interface: wanted,
                    ..attach(3, target.clone())
                };
                marvin.say(&other).await;
                assert_eq!(marvin.refused(3).await, refusal);
            }
        }
    });
}

#[test]
fn what_was_not_joined_is_not_parted_from_detached_or_named() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let naming = |request| NameObject { request, object: AMYS, name: name("mine") };
        marvin.say(&part(2, AMYS)).await;
        assert_eq!(marvin.refused(2).await, Refusal::NotJoined);
        marvin.say(&Detach { request: 3, object: KERMIT }).await;
        assert_eq!(marvin.refused(3).await, Refusal::NotJoined);
        marvin.say(&naming(4)).await;
        assert_eq!(marvin.refused(4).await, Refusal::NotJoined);
        marvin.say(&attach(5, by_name("amys"))).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Attached);
        // Attached is not joined.
        marvin.say(&part(6, AMYS)).await;
        assert_eq!(marvin.refused(6).await, Refusal::NotJoined);
        marvin.say(&naming(7)).await;
        assert_eq!(marvin.refused(7).await, Refusal::NotJoined);
        marvin.say(&Detach { request: 8, object: AMYS }).await;
        marvin.done(8).await;
        marvin.say(&Detach { request: 9, object: AMYS }).await;
        assert_eq!(marvin.refused(9).await, Refusal::NotJoined);
    });
}

#[test]
fn an_object_has_one_name_and_a_name_one_object() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say(&create(KERMIT, None)).await;
        marvin.hear().await;
        let naming = |request, text| NameObject { request, object: KERMIT, name: name(text) };
        marvin.say(&naming(2, "amys")).await;
        assert_eq!(marvin.refused(2).await, Refusal::NameTaken(name("amys")));
        marvin.say(&naming(3, "kermit")).await;
        marvin.done(3).await;
        marvin.say(&naming(4, "hermit")).await;
        assert_eq!(marvin.refused(4).await, Refusal::HasName(name("kermit")));
        marvin.say(&naming(5, "amys")).await;
        assert_eq!(marvin.refused(5).await, Refusal::HasName(name("kermit")));
    });
}

#[test]
fn an_object_may_be_given_the_name_that_it_has_and_nobody_is_told_again() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&List { request: 2, prefix: String::new(), watch: true }).await;
        assert_eq!(marvin.hear().await.frame_type(), FrameType::Listed);
        marvin.say(&NameObject { request: 3, object: KERMIT, name: name("kermit") }).await;
        marvin.done(3).await;
    });
}

#[test]
fn a_state_of_the_largest_size_in_one_piece_is_kept_and_given_so() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        let carried = vec![Carried { object: ROWLF, tag: interface().tag, seq: Seq(9) }; 64];
        let room = STATE_PIECE_BYTES - Carried::bytes_of(&carried);
        let stateful =
            Create { state: StateIs::Payload, carried, ..create(KERMIT, Some("kermit")) };
        marvin.say_bytes(&with_payload(&stateful, &vec![7; room])).await;
        assert_eq!(joined(marvin.hear().await).state, StateIs::Absent, "it has what it made");
        let mut angus = pond.marvin().await;
        angus.say(&join(1, by_name("kermit"))).await;
        match angus.hear().await {
            Frame::Joined(joined, state) => {
                assert!(joined.state == StateIs::Payload && state == vec![7; room]);
                assert_eq!(joined.carried, stateful.carried);
            }
            other => panic!("not joined: {other:?}"),
        }
    });
}

#[test]
fn an_object_without_state_cannot_be_made_with_one() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin().await;
        marvin.say_bytes(&with_payload(&create(KERMIT, None), b"state")).await;
        at_fault(marvin, CloseCode::BadFrame).await;
    });
}

#[test]
fn a_cursor_from_nowhere_is_answered_with_a_resync() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        marvin.say(&shout(KERMIT, 1)).await;
        let epoch = marvin.batch().await.epoch;
        let first = Verdict::Sequenced { seq: Seq(1), count: 1 };
        let joining = |cursor| Join { cursor: Some(cursor), ..join(2, by_name("kermit")) };
        for (epoch, seq) in [(Epoch([9; 8]), Seq(1)), (epoch, Seq(2)), (epoch, Seq(u64::MAX))] {
            marvin.say(&joining(Cursor { epoch, seq })).await;
            let resync = joined(marvin.hear().await).resync.expect("it missed something");
            assert_eq!(resync.reason, ResyncReason::Epoch);
            assert_eq!(marvin.outcome(KERMIT, 1).await, first);
        }
        marvin.say(&joining(Cursor { epoch, seq: Seq(0) })).await;
        assert_eq!(joined(marvin.hear().await).resync, None);
        // What became of its op, and what follows its cursor.
        assert_eq!(marvin.outcome(KERMIT, 1).await, first);
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
    });
}

#[test]
fn ten_thousand_joins_of_one_object_are_one_leaf() {
    in_pond(async |pond| {
        let mut marvin = pond.marvin_with_kermit().await;
        for request in 0..100 {
            let joins: Vec<u8> =
                (0..100).flat_map(|n| join(request * 100 + n, by_name("kermit")).bytes()).collect();
            marvin.say_bytes(&joins).await;
            // Those that name the object by its name are decided side by side.
            let mut answered = BTreeSet::new();
            for _ in 0..100 {
                answered.insert(joined(marvin.hear().await).request);
            }
            assert_eq!(answered, (request * 100..request * 100 + 100).collect());
        }
        marvin.say_bytes(&together(&[&shout(KERMIT, 1), &part(1, KERMIT)])).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        marvin.done(1).await;
        marvin.say(&part(2, KERMIT)).await;
        assert_eq!(marvin.refused(2).await, Refusal::NotJoined);
    });
}
