//! Newer states: leaves are asked for them, and objects go on for ever.

use actix_multiplex::{
    Client, Handle, Hub, Local, Shout, ShoutError, Voice, limits::TAIL_BYTES_MAX,
};

use super::pond::{client, hub, paused, settle, soon};
use crate::ledger::{Add, Book, Clerk, NewClerk, NewLedger, Note, Sum, Tell, Telling};

/// Bytes of a shout of which no two fit a batch.
const LARGE: usize = 60_000;

/// So many of them are more than a tail.
const TAIL: u64 = (TAIL_BYTES_MAX / LARGE) as u64 + 2;

fn large(n: u64) -> Shout<Add> {
    Shout(Add { n, text: "x".repeat(LARGE) })
}

/// A client with a leaf of the ledger.
async fn clerk(
    hub: &Hub,
    seed: u64,
    name: &str,
    telling: Telling,
    book: &Book,
) -> (Client, Handle<Clerk>) {
    let client = client(hub.local(), seed).await;
    Clerk::at(&client, name, telling, book);
    let leaf = soon(client.open::<Clerk>("ledger", Sum::default())).await.unwrap();
    settle().await;
    (client, leaf)
}

/// Shouts until it is refused, at most `most` times; says how many were heard.
async fn shout(leaf: &Handle<Clerk>, most: u64) -> u64 {
    for n in 0..most {
        match soon(leaf.send(large(n))).await {
            Ok(_) => {}
            Err(ShoutError::Refused(_, why)) => {
                assert!(why.contains("no leaf has made a newer state"), "{why}");
                return n;
            }
            Err(error) => panic!("{error}"),
        }
    }
    settle().await;
    most
}

async fn sum(leaf: &Handle<Clerk>) -> Sum {
    soon(leaf.send(Local(Tell))).await.unwrap()
}

#[test]
fn g4_an_object_whose_leaf_tells_its_state_takes_twenty_mebibytes_and_more() {
    paused(async {
        let (hub, book) = (hub(), Book::default());
        let (_alec, alecs) = clerk(&hub, 1, "alec", Telling::Tells, &book).await;
        let count = (20 << 20) / LARGE as u64;
        assert_eq!(shout(&alecs, count).await, count);
        let asked = book.seen().asked.len() as u64;
        // Each state cuts about half of a tail.
        assert!((count / TAIL..=3 * count / TAIL).contains(&asked), "asked {asked} times");
        let (_amy, amys) = clerk(&hub, 2, "amy", Telling::Tells, &book).await;
        let restored = book.seen().restored;
        assert!(restored[0].1 > count - TAIL, "{restored:?}");
        assert_eq!((sum(&amys).await, sum(&amys).await.count), (sum(&alecs).await, count));
    });
}

#[test]
fn g4_an_object_whose_leaves_all_cannot_tell_is_full_and_goes_on_when_one_joins_that_can() {
    paused(async {
        let (hub, book) = (hub(), Book::default());
        let (_alec, alecs) = clerk(&hub, 1, "alec", Telling::CannotTell, &book).await;
        let taken = shout(&alecs, 2 * TAIL).await;
        assert!((TAIL - 5..=TAIL + 2).contains(&taken), "{taken}");
        assert_eq!(shout(&alecs, 1).await, 0);
        let (_amy, amys) = clerk(&hub, 2, "amy", Telling::Tells, &book).await;
        assert_eq!(shout(&alecs, 2 * TAIL).await, 2 * TAIL);
        assert_eq!(sum(&alecs).await, sum(&amys).await);
        let asked = book.seen().asked;
        assert_eq!(asked.first().map(|(name, _)| name.as_str()), Some("alec"));
        assert_eq!(asked.last().map(|(name, _)| name.as_str()), Some("amy"));
    });
}

#[test]
fn g4_a_leaf_that_cannot_tell_is_passed_over_and_nothing_is_refused() {
    paused(async {
        let (hub, book) = (hub(), Book::default());
        let (_alec, alecs) = clerk(&hub, 1, "alec", Telling::CannotTell, &book).await;
        let (_angus, _anguss) = clerk(&hub, 2, "angus", Telling::CannotTell, &book).await;
        let (_amy, amys) = clerk(&hub, 3, "amy", Telling::Tells, &book).await;
        assert_eq!(shout(&alecs, 3 * TAIL).await, 3 * TAIL);
        assert_eq!(sum(&alecs).await, sum(&amys).await);
        let (asked, seqs): (Vec<_>, Vec<_>) = book.seen().asked.into_iter().unzip();
        assert_eq!(asked[..3], ["alec", "angus", "amy"]);
        assert!(seqs[2] <= seqs[0] + 2, "she was asked at once: {seqs:?}");
        // Who has told a state is asked first from then on.
        assert!(asked[3..].iter().all(|name| name == "amy") && asked.len() > 4, "{asked:?}");
    });
}

#[test]
fn g4_a_leaf_that_panics_over_its_state_is_made_anew_and_the_next_one_is_asked() {
    paused(async {
        let (hub, book) = (hub(), Book::default());
        let (_alec, alecs) = clerk(&hub, 1, "alec", Telling::Panics, &book).await;
        let (_amy, amys) = clerk(&hub, 2, "amy", Telling::Tells, &book).await;
        assert_eq!(shout(&amys, 2 * TAIL).await, 2 * TAIL);
        let asked = book.seen().asked;
        assert_eq!(asked[0].0, "alec");
        // She was asked right behind, and not an eighth of the tail later.
        assert!(asked[1].0 == "amy" && asked[1].1 <= asked[0].1 + 2, "{asked:?}");
        assert!(asked[1..].iter().all(|(name, _)| name == "amy"), "{asked:?}");
        assert_eq!((sum(&alecs).await, sum(&amys).await.count), (sum(&amys).await, 2 * TAIL));
    });
}

/// Shouts what only newer programs know of, and then `count` large ones.
async fn note_and_shout(voice: &Voice<NewLedger>, count: u64) {
    soon(voice.send(Shout(Note(1)))).await.unwrap();
    for n in 0..count {
        soon(voice.send(large(n))).await.unwrap();
    }
    settle().await;
}

#[test]
fn g4_an_older_leaf_that_was_not_given_a_shout_tells_no_state_until_it_is_restored() {
    paused(async {
        let (hub, book, newer) = (hub(), Book::default(), Book::default());
        let (alec, alecs) = clerk(&hub, 1, "alec", Telling::Tells, &book).await;
        let bob = client(hub.local(), 2).await;
        let voice = soon(bob.voice::<NewLedger>("ledger")).await.unwrap();
        note_and_shout(&voice, 50).await;
        assert_eq!(book.seen().asked, []);
        NewClerk::at(&bob, "bob", Telling::Tells, &newer);
        let bobs = soon(bob.join::<NewClerk>("ledger")).await.unwrap();
        for n in 0..20 {
            soon(voice.send(large(n))).await.unwrap();
        }
        settle().await;
        let seen = newer.seen();
        assert_eq!(seen.restored, [("bob".to_owned(), 0)]);
        assert!(seen.asked.last().is_some_and(|(_, heard)| *heard > 1), "{seen:?}");
        assert_eq!(book.seen().asked, []);
        // Bob's state contains what alec was not given.
        drop((alecs, bobs));
        settle().await;
        Clerk::at(&alec, "alec", Telling::Tells, &newer);
        let _alecs = soon(alec.join::<Clerk>("ledger")).await.unwrap();
        for n in 0..60 {
            soon(voice.send(large(n))).await.unwrap();
        }
        settle().await;
        let seen = newer.seen();
        assert!(seen.restored[0].1 > 51, "{seen:?}");
        assert_eq!(seen.asked.last().map(|(name, _)| name.as_str()), Some("alec"));
    });
}
