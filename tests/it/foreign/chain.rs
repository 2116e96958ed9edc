//! The client in Python is at the edge of a chain, and the library's own at the other end (G11).

use actix::System;
use actix_multiplex::{Hub, Interface, link};
use futures_util::future::join_all;

use super::{Foreign, Notes, SHOUTS, Say, Score, Tally, Witness, in_time, judge};

#[test]
fn g11_a_client_made_from_the_protocol_alone_hears_and_is_heard_across_two_links() {
    in_chain(async |[top, between, edge], notes| {
        let mut witnesses = Vec::new();
        for (address, name) in [(top, "alec"), (top, "amy"), (between, "angus")] {
            witnesses.push(Witness::<Say>::open(address, name, "told", (), &notes).await);
        }
        let mut foreign = Foreign::start(edge, Say::TAG, "told", [SHOUTS, 4 * SHOUTS], &[]);
        assert_eq!(foreign.joined().await, "");
        foreign.go();
        in_time(join_all(witnesses.iter().map(Witness::shout_all))).await;
        for witness in &mut witnesses {
            witness.hear(4 * SHOUTS).await;
        }
        let summary = judge(&notes, &foreign.end().await);
        assert_eq!((summary.leaves, summary.lost, summary.unknown), (4, 0, 0));
        assert_eq!((summary.receipts, summary.deliveries), (4 * SHOUTS, 4 * 4 * SHOUTS));
    });
}

#[test]
fn g11_a_client_made_from_the_protocol_alone_joins_late_at_the_edge_and_is_given_state_and_all_since()
 {
    in_chain(async |[top, _, edge], notes| {
        let score = || Score { points: 300, team: "f".repeat(200_000) };
        let mut alec = Witness::<Tally>::open(top, "alec", "score", score(), &notes).await;
        in_time(alec.shout_all()).await;
        alec.hear(SHOUTS).await;
        let mut foreign = Foreign::start(edge, Tally::TAG, "score", [3, SHOUTS + 3], &["--late"]);
        // 300 and 200,000 as varints, and that many bytes.
        assert_eq!(foreign.joined().await, format!("ac02c09a0c{}", "66".repeat(200_000)));
        foreign.go();
        alec.hear(3).await;
        let summary = judge(&notes, &foreign.end().await);
        assert_eq!((summary.leaves, summary.lost, summary.unknown), (2, 0, 0));
        assert_eq!(summary.deliveries, 2 * (SHOUTS + 3));
    });
}

/// Runs one case with three hubs, each below the one before: their addresses from the top on.
fn in_chain(case: impl AsyncFnOnce([&str; 3], Notes)) {
    System::new().block_on(async {
        let (mut hubs, mut addresses) = (Vec::new(), Vec::<String>::new());
        for _ in 0..3 {
            let hub = Hub::builder().start().expect("starts here");
            if let Some(above) = addresses.last() {
                in_time(link::up(&hub, above)).await.expect("is granted");
            }
            addresses.push(hub.listen("tcp://127.0.0.1:0").await.expect("a port is free"));
            hubs.push(hub);
        }
        let [top, between, edge] = &addresses[..] else { panic!("three hubs") };
        case([top, between, edge], Notes::default()).await;
        for hub in hubs.iter().rev() {
            in_time(hub.stop()).await;
        }
    });
}
