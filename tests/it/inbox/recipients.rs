//! Recipients: an address to shout through, for programs that know only addresses.

use actix_multiplex::{Seq, Shout, ShoutError, limits::WINDOW_SHOUTS};
use futures_util::future::join_all;
use tokio::task::LocalSet;

use super::toads::{Pond, Unit, Word, settle};

fn word(id: u32) -> Shout<Word> {
    Shout(Word { id, seconds: 0 })
}

#[tokio::test(start_paused = true)]
async fn shouts_through_a_recipient_have_receipts_and_keep_their_order() {
    LocalSet::new()
        .run_until(async {
            let Pond { toad, diary, client, .. } = Pond::<Unit>::new().await;
            let recipient = toad.recipient::<Word>().expect("there is an arbiter");
            let receipts = join_all((1..=100).map(|id| recipient.send(word(id)))).await;
            for (receipt, seq) in receipts.into_iter().zip(1..) {
                let receipt = receipt.expect("answers").expect("is sequenced");
                assert_eq!(receipt.seq(), Seq(seq));
            }
            settle().await;
            assert_eq!(diary.begun(), (1..=100).collect::<Vec<_>>());
            assert_eq!(client.unsent(), 0);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn shouts_that_find_the_window_full_come_back_or_are_counted() {
    LocalSet::new()
        .run_until(async {
            let Pond { toad, diary, client, .. } = Pond::<Unit>::new().await;
            let recipient = toad.recipient::<Word>().expect("there is an arbiter");
            let window = u32::try_from(WINDOW_SHOUTS).expect("is small");
            for id in 1..=window + 3 {
                recipient.do_send(word(id));
            }
            let refused = recipient.send(word(0)).await.expect("answers");
            assert!(matches!(refused, Err(ShoutError::Full(Word { id: 0, .. }))), "{refused:?}");
            settle().await;
            assert_eq!(client.unsent(), 3);
            assert_eq!(diary.begun(), (1..=window).collect::<Vec<_>>());

            recipient.do_send(word(0));
            settle().await;
            assert_eq!(client.unsent(), 3);
            assert_eq!(diary.begun().last(), Some(&0));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_recipient_is_of_no_use_when_the_leaf_has_parted() {
    LocalSet::new()
        .run_until(async {
            let Pond { toad, diary, client, .. } = Pond::<Unit>::new().await;
            let recipient = toad.recipient::<Word>().expect("there is an arbiter");
            drop(toad);
            settle().await;
            let refused = recipient.send(word(1)).await.expect("answers");
            assert!(matches!(refused, Err(ShoutError::Gone(..))), "{refused:?}");
            recipient.do_send(word(2));
            settle().await;
            assert_eq!(client.unsent(), 1);
            assert_eq!(diary.begun(), [0; 0]);
        })
        .await;
}
