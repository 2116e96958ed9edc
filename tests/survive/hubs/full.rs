//! A hub whose files may not grow beyond a limit: it says why, stops, and has what it receipted.

use actix_multiplex::{
    Client, Shout,
    journal::{Contents, Redb},
    testing::transcript::Transcript,
};
use tokio::time::timeout;

use super::{
    notes::Notes,
    pond::{Croak, Frog, KERMIT, Witness, fall},
    program::{PATIENCE, Place, Program},
    toads::{forget, said, settle},
};

/// The hub of a client that shouts until the hub's disk is full, and then another one.
pub(super) fn disk_full() {
    actix::System::new().block_on(async {
        let place = Place::new("full");
        // POSIX counts in 512 bytes, some shells in 1,024.
        let limited = ["sh", "-c", "ulimit -f 6000; exec \"$0\" \"$@\""];
        let mut hub = place.hub(&limited, 0);
        hub.expect("listening on ").await;
        let notes = Notes::default();
        let client = Client::connect(&place.address).await.expect("the hub is there");
        Witness::implement(&client, "alec", &notes);
        let frog = client.open::<Witness>(KERMIT, ()).await.expect("kermit is made");
        let mut shouter = Shouter { voice: frog.voice(), notes: notes.clone(), said: 0 };
        let under_way = shouter.shout_until_the_end_of(&mut hub).await;

        let status = hub.ended().await;
        assert_eq!(status.code(), Some(1));
        let logged = place.logged();
        assert!(logged.contains("the journal has failed: the hub stops"), "{logged}");
        let why = logged.lines().last().unwrap_or_default();
        assert!(why.starts_with("multiplex: the journal in "), "{why}");
        assert!(why.contains("has failed: ") && why.contains("File too large"), "{why}");
        let kept = last_kept(&place);
        let told = seqs(&notes).max().unwrap_or_default();
        eprintln!("full: {} said, {told} told, {kept} kept; {why}", shouter.said);
        assert!(kept >= told && told > 0, "{told} were told of, and {kept} are kept");
        assert!(shouter.said > told, "the last one has no receipt");

        // With room again, it goes on where it was, and so does its client.
        let mut hub = place.hub(&[], 0);
        hub.expect("listening on ").await;
        shouter.settle(under_way).await;
        fall::<Frog>(&frog.voice(), &notes).await;
        notes.frogs.is_over("leaves of kermit").await;
        let transcript = Transcript::parse(&notes.to_lines()).expect("they are events");
        let summary = transcript.check_complete().unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!((summary.unknown, summary.lost, summary.resyncs), (0, 0, 0));
        assert_eq!(summary.receipts as u64, shouter.said + 1);
        drop(hub);
        place.clear();
    });
}

/// Shouts one after the other.
struct Shouter {
    voice: actix_multiplex::Voice<Frog>,
    notes: Notes,
    said: u64,
}

type UnderWay = tokio::task::JoinHandle<Result<u64, actix_multiplex::ShoutError<()>>>;

impl Shouter {
    /// Returns the one that is under way when the hub is no more.
    async fn shout_until_the_end_of(&mut self, hub: &mut Program) -> UnderWay {
        loop {
            self.said += 1;
            said(&self.voice, WHO, self.said, &self.notes);
            let (voice, who) = (self.voice.clone(), WHO.to_owned());
            let croak = Croak { who, n: self.said, text: "x".repeat(BYTES) };
            let mut under_way = tokio::task::spawn_local(async move {
                let receipt = voice.send(Shout(croak)).await;
                receipt.map(|receipt| receipt.seq().0).map_err(forget)
            });
            let ended = tokio::select! {
                biased;
                outcome = &mut under_way => {
                    let outcome = outcome.expect("nobody panicked");
                    settle(&self.voice, WHO, self.said, outcome, &self.notes);
                    false
                }
                _ = hub.ended() => true,
            };
            if ended {
                return under_way;
            }
            assert!(self.said < SHOUTS_MAX, "the disk is never full");
        }
    }

    async fn settle(&self, under_way: UnderWay) {
        let outcome = timeout(PATIENCE, under_way).await.expect("it is receipted in time");
        let outcome = outcome.expect("nobody panicked");
        settle(&self.voice, WHO, self.said, outcome, &self.notes);
    }
}

/// All seqs of which anybody was told.
fn seqs(notes: &Notes) -> impl Iterator<Item = u64> {
    use actix_multiplex::testing::transcript::Event;
    let transcript = Transcript::parse(&notes.to_lines()).expect("they are events");
    let seq = |event: Event<&str>| match event {
        Event::Receipted { seq, .. } | Event::Heard { seq, .. } => Some(seq),
        _ => None,
    };
    transcript.events().filter_map(seq).collect::<Vec<_>>().into_iter()
}

/// The last shout that the journal has.
fn last_kept(place: &Place) -> u64 {
    let mut journal = Redb::open(place.data()).expect("it is whole");
    let contents = Contents::of(&mut journal).expect("it is whole");
    let kept = contents.objects().next().expect("kermit is kept");
    assert_eq!(kept.damage(), None);
    kept.last().0
}

/// Who shouts.
const WHO: &str = "alec";
/// Bytes of a shout.
const BYTES: usize = 50_000;
/// Of these no disk of that size holds so many.
const SHOUTS_MAX: u64 = 10_000;
