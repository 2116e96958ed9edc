//! Presence in raw frames: what the hub sends to whom, in how many frames, and in which order.

use actix_multiplex::{
    SessionId,
    wire::{Create, Hello, MemberChange, Members, MembersChanged},
};

use super::{
    raw::{attach, by_name, hello, join, part},
    *,
};

/// One that has made kermit, whose leaves are told who is there.
async fn marvin_with_presence(pond: &Pond) -> Raw {
    let mut marvin = pond.marvin().await;
    marvin.say(&Create { presence: true, ..create(KERMIT, Some("kermit")) }).await;
    marvin.let_in().await;
    assert_eq!(members(&mut marvin).await.count, 1);
    marvin
}

async fn members(raw: &mut Raw) -> Members {
    match raw.hear().await {
        Frame::Members(members) => members,
        other => panic!("no members: {other:?}"),
    }
}

async fn changed(raw: &mut Raw) -> MembersChanged {
    match raw.hear().await {
        Frame::MembersChanged(changed) => changed,
        other => panic!("no change: {other:?}"),
    }
}

fn parted(session: SessionId) -> Vec<MemberChange> {
    vec![MemberChange::Parted { session }]
}

#[test]
fn twenty_that_come_in_one_turn_and_go_in_one_are_a_frame_each_time() {
    in_pond(async |pond| {
        let mut marvin = marvin_with_presence(pond).await;
        let mut crowd = Vec::new();
        for _ in 0..20 {
            crowd.push(pond.marvin().await);
        }
        for raw in &mut crowd {
            raw.say(&join(1, by_name("kermit"))).await;
        }
        let came = changed(&mut marvin).await;
        assert_eq!((came.version, came.count, came.changes.len()), (2, 21, 20));
        for raw in &mut crowd {
            raw.let_in().await;
            let all = members(raw).await;
            assert_eq!((all.version, all.count, all.members.len(), all.last), (2, 21, 21, true));
        }
        for raw in &mut crowd {
            raw.say(&part(2, KERMIT)).await;
        }
        let went = changed(&mut marvin).await;
        assert_eq!((went.version, went.count, went.changes.len()), (3, 1, 20));
    });
}

#[test]
fn who_joins_again_is_told_all_and_the_others_nothing() {
    in_pond(async |pond| {
        let mut marvin = marvin_with_presence(pond).await;
        let mut rowlf = pond.marvin().await;
        rowlf.say(&join(1, by_name("kermit"))).await;
        rowlf.let_in().await;
        let all = members(&mut rowlf).await;
        changed(&mut marvin).await;
        rowlf.say(&join(2, by_name("kermit"))).await;
        rowlf.let_in().await;
        assert_eq!(members(&mut rowlf).await, all);
        marvin.say(&shout(KERMIT, 1)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
    });
}

#[test]
fn nothing_about_the_members_follows_the_done_of_a_part_and_who_only_shouts_is_none() {
    in_pond(async |pond| {
        let mut marvin = marvin_with_presence(pond).await;
        let mut rowlf = pond.marvin().await;
        rowlf.say(&join(1, by_name("kermit"))).await;
        rowlf.let_in().await;
        members(&mut rowlf).await;
        changed(&mut marvin).await;
        rowlf.say(&attach(2, by_name("kermit"))).await;
        rowlf.let_in().await;
        rowlf.say(&part(3, KERMIT)).await;
        rowlf.done(3).await;
        assert_eq!(changed(&mut marvin).await.changes, parted(rowlf.session));

        let third = marvin_of(pond, "third").await;
        assert_eq!(changed(&mut marvin).await.count, 2);
        let session = third.session;
        drop(third);
        let told = changed(&mut marvin).await;
        assert_eq!((told.count, told.changes), (2, vec![MemberChange::Away { session }]));
        // It does not come back.
        assert_eq!(changed(&mut marvin).await.changes, parted(session));
        rowlf.say(&shout(KERMIT, 1)).await;
        assert_eq!(batch_ops(&marvin.batch().await), [1]);
        rowlf.outcome(KERMIT, 1).await;
    });
}

/// One that is a leaf of kermit, and is told of all.
async fn marvin_of(pond: &Pond, agent: &str) -> Raw {
    let mut raw = Raw::welcomed(&pond.hub, agent).await;
    raw.say(&join(1, by_name("kermit"))).await;
    raw.let_in().await;
    members(&mut raw).await;
    raw
}

#[test]
fn the_name_and_the_info_of_a_hello_are_told_as_they_are() {
    in_pond(async |pond| {
        let mut marvin = marvin_with_presence(pond).await;
        let mut rowlf = pond.stranger().await;
        let (name, info) = ("é".repeat(32), vec![0xff; 1_024]);
        rowlf.say(&Hello { name: name.clone(), info: info.clone(), ..hello("rowlf") }).await;
        let Frame::Welcome(welcome) = rowlf.hear().await else { panic!("is not welcome") };
        rowlf.say(&join(1, by_name("kermit"))).await;
        let change = changed(&mut marvin).await;
        let [MemberChange::Came(member)] = &change.changes[..] else { panic!("{change:?}") };
        assert_eq!((&member.name, &member.info), (&name, &info));
        assert_eq!((member.session, member.away), (welcome.session, false));
    });
}

#[test]
fn changes_stand_behind_the_shouts_that_they_name() {
    in_pond(async |pond| {
        let mut marvin = marvin_with_presence(pond).await;
        let mut rowlf = pond.marvin().await;
        marvin.say(&shout(KERMIT, 1)).await;
        rowlf.say(&join(1, by_name("kermit"))).await;
        marvin.say(&shout(KERMIT, 2)).await;
        let (mut last, mut after) = (Seq(0), None);
        while after.is_none() || last < Seq(2) {
            match marvin.hear().await {
                Frame::Batch(batch) => last = batch.last_seq(),
                Frame::MembersChanged(changed) => {
                    assert_eq!(changed.after, last);
                    after = Some(changed.after);
                }
                other => panic!("neither shouts nor members: {other:?}"),
            }
        }
    });
}
