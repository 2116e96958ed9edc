//! What a shout waits for while others are busy: some turns of theirs, whatever they have under way.
//!
//! A croak goes through its session, its object's repeater and its connection's writer, and each
//! waits while others have one turn. A turn is over when its bound is reached, so it may pass it by
//! the message that reaches it.

use actix_multiplex::{
    ObjectId,
    limits::{
        INWARD_BYTES_MAX, LISTING_BYTES_MAX, READ_BYTES, TURN_BYTES, TURN_PUSHES, TURN_SHOUTS,
        WINDOW_SHOUTS,
    },
    wire::Frame,
};
use tokio::task::{JoinHandle, spawn_local, yield_now};

use super::{KERMIT, Pond, ROWLF, in_pond, recorder::WRITE_BYTES, settle};

const FLOODERS: usize = 10;
const CROAKS: usize = 50;
/// Bytes of a large shout: four fill a connection's bound inward.
const LARGE: usize = 60_000;
/// Large shouts of each flooder that together are less than a tail, and more than is queued.
const LAG: usize = 6;
/// Turns of others that a croak waits for at most: of its session, its repeater, its writer.
const TURNS: usize = 3;

#[test]
fn a_shout_waits_for_a_few_turns_of_a_busy_object_and_not_for_its_windows() {
    in_pond(async |pond| {
        let (ear, mut bea) = (pond.maker(KERMIT, false).await, pond.maker(ROWLF, false).await);
        let mut flooders = pond.voices(KERMIT, FLOODERS).await;
        let before = pond.book().len();
        for flooder in &mut flooders {
            flooder.shout(KERMIT, WINDOW_SHOUTS as u64, 0).await;
        }
        for wait in bea.croak(CROAKS, pond.book()).await {
            let shouts = ear.count(&wait, KERMIT);
            assert!(shouts <= TURNS * 2 * TURN_SHOUTS, "waited for {shouts} shouts");
        }
        settle().await;
        assert_eq!(ear.count(&pond.book().since(before), KERMIT), FLOODERS * WINDOW_SHOUTS);
    });
}

#[test]
fn a_leaf_that_reads_hears_all_however_many_shout_at_once() {
    in_pond(async |pond| {
        let ear = pond.maker(KERMIT, false).await;
        let mut flooders = pond.voices(KERMIT, 100).await;
        let before = pond.book().len();
        for flooder in &mut flooders {
            flooder.shout(KERMIT, 4, LARGE).await;
        }
        settle().await;
        assert_eq!(ear.count(&pond.book().since(before), KERMIT), 400);
    });
}

#[test]
fn a_shout_waits_for_a_few_of_those_who_join_an_object_with_a_long_past() {
    const CHUNKS: usize = 1_000;
    in_pond(async |pond| {
        let mut kermit = pond.maker(KERMIT, true).await;
        for _ in 0..CHUNKS {
            kermit.shout(KERMIT, 1, 0).await;
            settle().await;
        }
        let mut bea = pond.maker(ROWLF, false).await;
        let mut joiners = pond.clients(100).await;
        let before = pond.book().len();
        for joiner in &mut joiners {
            joiner.join(KERMIT).await;
        }
        for wait in bea.croak(CROAKS, pond.book()).await {
            let joined =
                wait.iter().filter(|(_, frame)| matches!(frame, Frame::Joined(..))).count();
            assert!(joined <= TURNS * (TURN_PUSHES / CHUNKS + 1), "waited for {joined} who joined");
        }
        settle().await;
        let frames = pond.book().since(before);
        for joiner in &joiners {
            assert_eq!(joiner.count(&frames, KERMIT), CHUNKS);
        }
    });
}

#[test]
fn a_shout_waits_for_a_few_listings_of_those_who_list_without_end() {
    const NAMES: usize = 100;
    const LISTS: usize = 50;
    in_pond(async |pond| {
        let mut maker = pond.client().await;
        for n in 0..NAMES {
            let name = format!("{n:0128}");
            maker.create(ObjectId([100 + n as u8; 16]), Some(name), false).await;
        }
        settle().await;
        let mut bea = pond.maker(ROWLF, false).await;
        let mut curious = pond.clients(20).await;
        let before = pond.book().len();
        for each in &mut curious {
            each.list(LISTS).await;
        }
        for wait in bea.croak(CROAKS, pond.book()).await {
            let bytes = 128 * listed(&wait);
            assert!(bytes <= TURNS * (TURN_BYTES + LISTING_BYTES_MAX), "waited for {bytes} bytes");
        }
        settle().await;
        let all = listed(&pond.book().since(before));
        assert_eq!(all, curious.len() * LISTS * NAMES);
    });
}

#[test]
fn a_shout_waits_for_a_turn_of_each_who_asks_without_end_and_not_for_all_they_ask() {
    const PARTS: usize = 10_000;
    in_pond(async |pond| {
        let mut bea = pond.maker(ROWLF, false).await;
        let mut flooders = pond.clients(FLOODERS).await;
        let before = pond.book().len();
        for flooder in &mut flooders {
            flooder.part(PARTS).await;
        }
        for wait in bea.croak(CROAKS, pond.book()).await {
            let answers = refused(&wait);
            assert!(answers <= TURNS * FLOODERS * TURN_SHOUTS, "waited for {answers} answers");
        }
        settle().await;
        assert_eq!(refused(&pond.book().since(before)), FLOODERS * PARTS);
    });
}

#[test]
fn a_shout_waits_for_a_few_turns_of_a_leaf_that_catches_up_and_not_for_its_whole_lag() {
    in_pond(async |pond| {
        let ear = pond.maker(KERMIT, false).await;
        let (mut bea, mut voices) =
            (pond.maker(ROWLF, false).await, pond.voices(KERMIT, FLOODERS).await);
        ear.line.stick(true);
        for voice in &mut voices {
            voice.shout(KERMIT, LAG as u64, LARGE).await;
        }
        settle().await;
        let before = pond.book().len();
        ear.line.stick(false);
        for wait in bea.croak(CROAKS, pond.book()).await {
            let bytes = LARGE * ear.count(&wait, KERMIT);
            assert!(bytes <= TURNS * (TURN_BYTES + WRITE_BYTES), "waited for {bytes} bytes");
        }
        settle().await;
        assert_eq!(ear.count(&pond.book().since(before), KERMIT), LAG * FLOODERS);
    });
}

#[test]
fn a_shout_among_those_of_flooders_finds_what_each_may_have_read_ahead_of_it_and_no_more() {
    const PAYLOAD: usize = 128;
    in_pond(async |pond| {
        let mut bea = pond.maker(KERMIT, false).await;
        let flooders = pond.voices(KERMIT, FLOODERS).await;
        let floods: Vec<_> = flooders
            .into_iter()
            .map(|mut flooder| {
                spawn_local(async move {
                    loop {
                        flooder.shout(KERMIT, 1_000, PAYLOAD).await;
                    }
                })
            })
            .collect();
        let shout_bytes = super::shout(KERMIT, 1, PAYLOAD).len();
        let read_ahead = FLOODERS * (INWARD_BYTES_MAX + READ_BYTES);
        // What was not written yet when it was said, and what is written until it is read.
        let turns = 2 * (TURN_BYTES + READ_BYTES);
        for _ in 0..10 {
            pond.book().next_batch(pond.book().len(), KERMIT).await;
            let ahead = bea.shouts_ahead(pond.book()).await;
            assert!(ahead > FLOODERS, "nobody floods");
            assert!(ahead <= (read_ahead + turns) / shout_bytes, "{ahead} were ahead of it");
            assert!(floods.iter().all(|flood| !flood.is_finished()), "they flood to the end");
        }
        floods.iter().for_each(JoinHandle::abort);
    });
}

#[test]
fn a_leaf_that_reads_nothing_takes_no_turn_from_the_others() {
    /// After how many turns two leaves have heard all, where the third sticks or not.
    async fn turns(pond: &mut Pond, sticks: bool) -> usize {
        let mut leaves = vec![pond.maker(KERMIT, false).await];
        leaves.extend(pond.clients(2).await);
        for leaf in &mut leaves[1..] {
            leaf.join(KERMIT).await;
        }
        settle().await;
        if sticks {
            leaves[1].line.stick(true);
        }
        let said = pond.book().len();
        leaves[0].shout(KERMIT, WINDOW_SHOUTS as u64, 0).await;
        for turn in 0.. {
            let frames = pond.book().since(said);
            if [0, 2].iter().all(|leaf| leaves[*leaf].count(&frames, KERMIT) == WINDOW_SHOUTS) {
                assert_eq!(leaves[1].count(&frames, KERMIT) == 0, sticks);
                return turn;
            }
            assert!(turn < 1_000, "they never hear it all");
            yield_now().await;
        }
        unreachable!("the turns have no end")
    }
    let (mut with, mut without) = (0, 0);
    in_pond(async |pond| with = turns(pond, true).await);
    in_pond(async |pond| without = turns(pond, false).await);
    assert!(with <= without, "{with} turns beside one that reads nothing, {without} without");
}

/// How many requests were refused.
fn refused(frames: &[(usize, Frame)]) -> usize {
    frames.iter().filter(|(_, frame)| matches!(frame, Frame::Refused(_))).count()
}

/// How many names were listed.
fn listed(frames: &[(usize, Frame)]) -> usize {
    let names = |(_, frame): &(usize, Frame)| match frame {
        Frame::Listed(listed) => listed.entries.len(),
        _ => 0,
    };
    frames.iter().map(names).sum()
}
