//! A client that is called away for longer than its session is kept, over two kills of its hub.

use std::time::Duration;

use actix_multiplex::{Client, ConnectionEvent, Shout, testing::transcript::Transcript};
use tokio::time::{sleep, timeout};

use super::{
    notes::Notes,
    pond::{Clerk, Croak, LEDGER, Ledger, Sum, fall},
    program::{PATIENCE, Place},
    toads::{forget, said, say, settle},
};

/// It is another client to the hub then: what it has shouted meanwhile is sent in its new session, and
/// its leaf goes on behind all that it has heard.
pub(super) fn expired() {
    actix::System::new().block_on(async {
        let place = Place::new("expired");
        let mut hub = place.hub(&[], 0);
        hub.expect("listening on ").await;
        let notes = Notes::default();
        let client = Client::connect(&place.address).await.expect("the hub is there");
        Clerk::implement(&client, WHO, &notes);
        let ledger = client.open::<Clerk>(LEDGER, Sum::default()).await.expect("it is made");
        for n in 1..=9 {
            say::<Ledger>(&ledger.voice(), WHO, n, &notes).await;
        }
        let (before, mut events) = (client.session(), client.events());
        hub.kill();

        // Nobody can reach this hub: it listens elsewhere, and keeps sessions for a second.
        let elsewhere =
            Place { address: "tcp://127.0.0.1:0".to_owned(), grace: 1, ..place.clone() };
        hub = elsewhere.hub(&[], 0);
        hub.expect("listening on ").await;
        said(&ledger.voice(), WHO, 10, &notes);
        let voice = ledger.voice();
        let under_way = tokio::task::spawn_local(async move {
            voice.send(Shout(Croak { who: WHO.to_owned(), n: 10, text: String::new() })).await
        });
        sleep(Duration::from_secs(2)).await;
        hub.kill();
        hub = place.hub(&[], 0);
        hub.expect("listening on ").await;
        let outcome = timeout(PATIENCE, under_way).await.expect("it has an outcome");
        let outcome = outcome.expect("nobody panicked").map(|receipt| receipt.seq().0);
        settle(&ledger.voice(), WHO, 10, outcome.map_err(forget), &notes);
        while events.next().await != Some(ConnectionEvent::Resynced { hub_restarted: false }) {}
        assert_ne!(client.session(), before);

        // The ops of the new session count from 1.
        say::<Ledger>(&ledger.voice(), WHO, 11, &notes).await;
        fall::<Ledger>(&ledger.voice(), &notes).await;
        notes.clerks.is_over("leaves of the ledger").await;
        let transcript = Transcript::parse(&notes.to_lines()).expect("they are events");
        let summary = transcript.check_complete().unwrap_or_else(|wrong| panic!("{wrong}"));
        eprintln!("expired: {summary:?}");
        assert_eq!((summary.receipts, summary.shouts, summary.resyncs), (12, 12, 0));
        drop(hub);
        place.clear();
    });
}

/// Who is away.
const WHO: &str = "alec";
