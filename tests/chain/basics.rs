//! What is shouted anywhere is heard everywhere, in one order.

use actix_multiplex::{Receipt, Seq, Shout};

use crate::pond::{Croak, chain, client, kermit, until};

#[actix::test]
async fn g11_a_croak_from_either_end_is_heard_by_all_at_the_same_seq() {
    let hubs = chain(3).await;
    let mut frogs = Vec::new();
    for hub in &hubs {
        let (client, log) = client(hub).await;
        let kermit = kermit(&client).await;
        frogs.push((client, kermit, log));
    }
    for (place, (_, kermit, _)) in frogs.iter().enumerate() {
        let receipt = kermit.send(Shout(Croak(place as u64))).await.expect("is heard");
        assert_eq!(receipt, Receipt::Sequenced { seq: Seq(place as u64 + 1) });
    }
    for (_, _, log) in &frogs {
        until(|| log.heard().len() == 3).await;
        assert_eq!(log.heard(), [(1, 0), (2, 1), (3, 2)]);
    }
}
