//! Starts hubs and clients, ends the hubs, and judges what the clients saw.

use std::{collections::BTreeSet, process::Command, time::Duration};

use actix_multiplex::{
    Client, Handle,
    testing::transcript::{Summary, Transcript},
};
use tokio::time::{Instant, sleep};

use super::{
    cycles::{Cycles, End},
    image::Images,
    notes::{Counts, Notes, add_counts},
    pond::{Clerk, Frog, KERMIT, LEDGER, Ledger, fall},
    program::{Place, Program},
};

/// Hubs are killed over and over; nothing is lost, doubled or told in another order.
pub(super) fn survive() {
    let cycles = Cycles::from_environment();
    eprintln!("SEED={} CYCLES={}", cycles.seed, cycles.count);
    let place = Place::new("cycles");
    let seed = cycles.seed;
    let run = Run { cycles, place, images: Images::default(), told: Told::default() };
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        actix::System::new().block_on(run.survive());
    }));
    if let Err(panic) = ended {
        eprintln!("repeat its choices with SEED={seed}; what it left is in target/tmp");
        std::panic::resume_unwind(panic);
    }
}

struct Run {
    cycles: Cycles,
    place: Place,
    images: Images,
    told: Told,
}

/// How the hubs ended.
#[derive(Debug, Default)]
struct Told {
    killed: u64,
    /// Of the killed ones, those that did not listen yet.
    before_listening: u64,
    asked: u64,
    longest_start: Duration,
}

impl Run {
    async fn survive(mut self) {
        let began = Instant::now();
        let mut hub = self.place.hub(&[], 0);
        hub.expect("listening on ").await;
        let mut children = self.children();
        expect(&mut children, "joined").await;
        for child in &mut children {
            child.tell("go");
        }
        // All have shouted what they shout without a pause.
        sleep(Duration::from_secs(2)).await;
        let mut start = Duration::from_millis(100);
        for cycle in 0..self.cycles.count {
            hub = self.cycle(cycle, hub, &mut start).await;
        }
        for child in &mut children {
            child.tell("enough");
        }
        let (transcript, counts) = self.settle(&mut children).await;
        self.images.finish();
        hub.terminate();
        assert!(hub.ended().await.success());
        self.images.take(&self.place.data());
        self.images.finish();
        self.judge(&transcript, &counts, began.elapsed());
        self.place.clear();
    }

    fn children(&self) -> Vec<Child> {
        let start = |(name, number): (&str, u64)| {
            let file = self.place.directory.join(name);
            let mut command = Command::new(std::env::current_exe().expect("it is somewhere"));
            let seed = self.cycles.seed.wrapping_add(100 * number) >> 1;
            command.args(["child", &self.place.address, name, &seed.to_string()]).arg(&file);
            Child { program: Program::start(name, &mut command), file }
        };
        ["alec", "amy", "angus", "bob"].into_iter().zip(1..).map(start).collect()
    }

    /// Ends a hub, and starts the next one.
    async fn cycle(&mut self, cycle: u64, mut hub: Program, start: &mut Duration) -> Program {
        match self.cycles.end(cycle, *start) {
            End::Killed(after) => {
                sleep(after).await;
                hub.kill();
                self.told.killed += 1;
            }
            End::Asked(after) => {
                sleep(after).await;
                hub.terminate();
                let status = hub.ended().await;
                assert!(status.success(), "{status}");
                self.told.asked += 1;
            }
            End::KilledEarly(after) => {
                hub.kill();
                hub = self.place.hub(&[], cycle % 3);
                sleep(after).await;
                hub.kill();
                self.told.killed += 2;
                self.told.before_listening += u64::from(!hub.has_spoken());
            }
        }
        self.images.take(&self.place.data());
        let began = Instant::now();
        let mut hub = self.place.hub(&[], cycle % 3);
        hub.expect("listening on ").await;
        *start = began.elapsed();
        self.told.longest_start = self.told.longest_start.max(*start);
        hub
    }

    /// All comes to its end.
    async fn settle(&self, children: &mut [Child]) -> (Transcript, Counts) {
        let notes = Notes::default();
        let client = Client::connect(&self.place.address).await.expect("the hub is there");
        Clerk::implement(&client, "late", &notes);
        expect(children, "receipted").await;
        fall::<Frog>(&client.voice(KERMIT).await.expect("kermit is there"), &notes).await;
        expect(children, "shown").await;
        for child in &mut *children {
            child.tell("dusk");
        }
        expect(children, "fallen").await;
        fall::<Ledger>(&client.voice(LEDGER).await.expect("the ledger is there"), &notes).await;
        expect(children, "done").await;
        let (late, toads) = join_late(&client).await;
        notes.clerks.is_over("leaves of who came late").await;
        let (mut counts, mut transcript) = (Counts::new(), Transcript::new());
        for lines in children.iter().map(Child::notes).chain([notes.to_lines()]) {
            add_counts(&lines, &mut counts);
            transcript.extend(Transcript::parse(&lines).expect("they are events").events());
        }
        let kept = counts.keys().filter_map(|what| what.strip_prefix("kept "));
        assert_eq!(kept.map(str::to_owned).collect::<BTreeSet<_>>(), toads);
        drop(late);
        client.close().await;
        (transcript, counts)
    }

    fn judge(&self, transcript: &Transcript, counts: &Counts, took: Duration) {
        let summary = transcript.check_complete().unwrap_or_else(|wrong| panic!("{wrong}"));
        let Self { cycles, images, told, .. } = self;
        for (what, count) in counts.iter().filter(|(what, _)| !what.starts_with("kept ")) {
            eprintln!("{count:>9} {what}");
        }
        let count = |what: &str| counts.get(what).copied().unwrap_or_default();
        let Summary { shouts, deliveries, receipts, unknown, resyncs, compared, .. } = summary;
        eprintln!(
            "{} cycles in {} s: {shouts} shouts, {deliveries} deliveries, {receipts} receipts, \
             {unknown} unknown, {resyncs} resyncs, {compared} states compared, {} resumes, \
             {} images with {} cuts and {} states, {told:?}, SEED={}",
            cycles.count,
            took.as_secs(),
            count("resumes"),
            images.count,
            images.cuts(),
            images.states(),
            cycles.seed,
        );
        let wrong = |what: &&String| what.starts_with("wrong") || what.starts_with("changes of");
        assert_eq!(counts.keys().find(wrong), None);
        assert_eq!(unknown as u64, count("unknown at toads that ended"));
        for what in ["resyncs by missing of kermit", "toads not bound"] {
            assert_eq!(count(what), 0, "{what}");
        }
        let epochs = |what: &&String| what.starts_with("resyncs by epoch");
        assert_eq!(counts.keys().find(epochs), None);
        assert!(images.cuts() >= 1 && images.states() >= 1, "nothing was cut");
        assert!(count("resumes") >= cycles.count, "clients came back seldom");
        let log = self.place.logged();
        let bad = log.lines().find(|line| line.contains("ERROR") || line.contains("panicked"));
        assert_eq!(bad, None);
    }
}

/// Joins the ledger, and all toads, whose names are returned.
async fn join_late(client: &Client) -> (Vec<Handle<Clerk>>, BTreeSet<String>) {
    let mut handles = vec![client.join::<Clerk>(LEDGER).await.expect("the ledger is there")];
    let mut toads = BTreeSet::new();
    for entry in client.list("toad.").await.expect("names are listed") {
        let name = entry.name.to_string();
        handles.push(client.join::<Clerk>(&name).await.expect("it is listed"));
        toads.insert(name);
    }
    (handles, toads)
}

struct Child {
    program: Program,
    file: std::path::PathBuf,
}

impl Child {
    fn tell(&mut self, word: &str) {
        self.program.tell(word);
    }

    fn notes(&self) -> String {
        std::fs::read_to_string(&self.file).expect("the child has written its notes")
    }
}

async fn expect(children: &mut [Child], word: &str) {
    for child in children {
        child.program.expect(word).await;
    }
}
