//! A client that shares nothing with this library but `docs/protocol.md`: `tests/foreign`, in
//! Python. It hears, shouts, joins late and carries objects among the library's own clients, over
//! TCP.

mod chain;
mod napkins;

use std::{
    fs,
    marker::PhantomData,
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Client, Dispatch, Handle, Heard, Hub, Interface, Leaf, Resync, Shout, ShoutAt, Stateful,
    interface,
    testing::transcript::{Event, Summary, Transcript},
};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, task::spawn_blocking, time::timeout};

use super::process::Program;

/// What is said, and by whom: `amy:7` is the seventh of Amy's.
#[derive(Debug, Serialize, Deserialize)]
struct Words(String);

/// What the past has come to.
#[derive(Debug, Serialize, Deserialize)]
struct Score {
    points: u64,
    team: String,
}

interface! {
    /// Something that is said to everybody.
    Say = "foreign.say" v1 {
        state none;
        1 => Words,
    }
}

interface! {
    /// Something that is added to.
    Tally = "foreign.tally" v1 {
        state Score;
        1 => Words,
    }
}

#[test]
fn a_client_made_from_the_protocol_alone_hears_and_is_heard_as_any_other() {
    in_hub(async |address, notes| {
        let mut witnesses = Vec::new();
        for name in ["alec", "amy", "angus"] {
            let witness = Witness::<Say>::open(address, name, "told", (), &notes).await;
            witnesses.push(witness);
        }
        let mut foreign = Foreign::start(address, Say::TAG, "told", [SHOUTS, 4 * SHOUTS], &[]);
        assert_eq!(foreign.joined().await, "");

        foreign.go();
        in_time(join_all(witnesses.iter().map(Witness::shout_all))).await;
        for witness in &mut witnesses {
            witness.hear(4 * SHOUTS).await;
        }
        let summary = judge(&notes, &foreign.end().await);
        assert_eq!((summary.leaves, summary.lost, summary.unknown), (4, 0, 0));
        assert_eq!(summary.receipts, 4 * SHOUTS);
        assert_eq!(summary.deliveries, 4 * 4 * SHOUTS);
    });
}

#[test]
fn a_client_made_from_the_protocol_alone_joins_late_and_is_given_the_state_and_all_since() {
    in_hub(async |address, notes| {
        let score = || Score { points: 300, team: "frogs".to_owned() };
        let mut alec = Witness::<Tally>::open(address, "alec", "score", score(), &notes).await;
        in_time(alec.shout_all()).await;
        alec.hear(SHOUTS).await;

        let mut foreign =
            Foreign::start(address, Tally::TAG, "score", [3, SHOUTS + 3], &["--late"]);
        // 300 as a varint, and a text of five bytes.
        assert_eq!(foreign.joined().await, "ac020566726f6773");
        foreign.go();
        alec.hear(3).await;
        let summary = judge(&notes, &foreign.end().await);
        assert_eq!((summary.leaves, summary.lost, summary.unknown), (2, 0, 0));
        assert_eq!(summary.deliveries, 2 * (SHOUTS + 3));
    });
}

#[test]
fn a_client_made_from_the_protocol_alone_is_given_a_large_state_in_pieces() {
    in_hub(async |address, notes| {
        let score = || Score { points: 300, team: "f".repeat(200_000) };
        let mut alec = Witness::<Tally>::open(address, "alec", "score", score(), &notes).await;
        let mut foreign = Foreign::start(address, Tally::TAG, "score", [3, 3], &["--late"]);
        // 300 and 200,000 as varints, and that many bytes.
        assert_eq!(foreign.joined().await, format!("ac02c09a0c{}", "66".repeat(200_000)));
        foreign.go();
        alec.hear(3).await;
        let summary = judge(&notes, &foreign.end().await);
        assert_eq!((summary.leaves, summary.deliveries), (2, 6));
    });
}

#[test]
fn a_client_that_makes_no_snapshots_may_be_asked_for_one_and_goes_on() {
    in_hub(async |address, notes| {
        let score = Score { points: 1, team: String::new() };
        let mut alec = Witness::<Tally>::open(address, "alec", "large", score, &notes).await;
        let hears = ["--late"];
        let mut foreign = Foreign::start(address, Tally::TAG, "large", [3, LARGE + 3], &hears);
        assert_eq!(foreign.joined().await, "0100");
        // Alec cannot tell the score either: as more is shouted, both are asked.
        in_time(alec.shout_large()).await;
        foreign.go();
        alec.hear(LARGE + 3).await;
        let summary = judge(&notes, &foreign.end().await);
        assert_eq!((summary.leaves, summary.lost, summary.unknown), (2, 0, 0));
        assert_eq!(summary.deliveries, 2 * (LARGE + 3));
    });
}

/// What everybody saw keeps every promise, and everybody has seen the end of it.
fn judge(notes: &Notes, foreign: &str) -> Summary {
    let mut transcript = Transcript::parse(foreign).expect("it writes lines");
    transcript.extend(lock(notes).events());
    transcript.check_complete().unwrap_or_else(|violations| panic!("{violations}"))
}

/// Runs one case against a hub of its own.
fn in_hub(case: impl AsyncFnOnce(&str, Notes)) {
    System::new().block_on(async {
        let hub = Hub::builder().start().expect("starts here");
        let address = hub.listen("tcp://127.0.0.1:0").await.expect("a port is free");
        case(&address, Notes::default()).await;
        in_time(hub.stop()).await;
    });
}

/// What is seen in this process.
type Notes = Arc<Mutex<Transcript>>;

fn lock(notes: &Notes) -> MutexGuard<'_, Transcript> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn note(notes: &Notes, event: &Event<&str>) {
    lock(notes).record(event);
}

/// A client of this library with a leaf of one object.
struct Witness<I: Interface + Dispatch<Ear<I>>> {
    name: &'static str,
    object: &'static str,
    notes: Notes,
    handle: Handle<Ear<I>>,
    heard: mpsc::UnboundedReceiver<()>,
}

impl<I: Interface + Dispatch<Ear<I>>> Witness<I>
where
    Words: ShoutAt<I>,
{
    async fn open(
        address: &str,
        name: &'static str,
        object: &'static str,
        state: I::State,
        notes: &Notes,
    ) -> Self {
        let client = in_time(Client::connect(address)).await.expect("the hub is there");
        let (ear, heard) = mpsc::unbounded_channel();
        let written = notes.clone();
        client.implement::<Ear<I>>(move |_| {
            // Nothing has been said yet.
            note(&written, &Event::Joined { leaf: name, object, after: 0 });
            Ear { name, object, notes: written.clone(), heard: ear.clone(), interface: PhantomData }
        });
        let handle = in_time(client.open::<Ear<I>>(object, state)).await.expect("it is let in");
        Self { name, object, notes: notes.clone(), handle, heard }
    }

    /// Shouts all that it has to say, and waits for the receipts.
    async fn shout_all(&self) {
        let Self { name: voice, object, notes, handle, .. } = self;
        let mut receipts = Vec::new();
        for n in 1..=SHOUTS as u64 {
            let text = format!("{voice}:{n}");
            note(notes, &Event::Said { voice, object, n, text: &text });
            receipts.push((n, handle.try_send(Shout(Words(text))).expect("the window has room")));
            // Others are to come in between.
            tokio::task::yield_now().await;
        }
        for (n, receipted) in receipts {
            let seq = receipted.await.expect("it is sequenced").seq().0;
            note(notes, &Event::Receipted { voice, object, n, seq });
        }
    }

    /// Shouts so much that newer states are wanted, and not so much that it is refused.
    async fn shout_large(&self) {
        let Self { name: voice, object, notes, handle, .. } = self;
        for n in 1..=LARGE as u64 {
            let text = format!("{voice}:{n}:{}", "x".repeat(60_000));
            note(notes, &Event::Said { voice, object, n, text: &text });
            let receipt = handle.send(Shout(Words(text))).await.expect("it is sequenced");
            note(notes, &Event::Receipted { voice, object, n, seq: receipt.seq().0 });
        }
    }

    /// Waits until so many more shouts are heard.
    async fn hear(&mut self, shouts: usize) {
        for _ in 0..shouts {
            in_time(self.heard.recv()).await.expect("the leaf lives");
        }
    }
}

/// A leaf that writes down what it hears.
struct Ear<I> {
    name: &'static str,
    object: &'static str,
    notes: Notes,
    heard: mpsc::UnboundedSender<()>,
    interface: PhantomData<fn() -> I>,
}

impl<I: 'static> Actor for Ear<I> {
    type Context = Context<Self>;
}

impl<I: 'static> Supervised for Ear<I> {}

impl<I: Interface + Dispatch<Self>> Leaf for Ear<I> {
    type Interface = I;

    fn resynced(&mut self, resync: Resync, _: &mut Self::Context) {
        panic!("{} missed something: {resync}", self.name);
    }
}

impl<I: Interface> Stateful<I::State> for Ear<I> {
    fn state(&self) -> Option<I::State> {
        None
    }

    fn restore(&mut self, _: I::State, _: &mut Self::Context) {}
}

impl<I: 'static> Handler<Heard<Words>> for Ear<I> {
    type Result = ();

    fn handle(&mut self, heard: Heard<Words>, _: &mut Self::Context) {
        let text = &*heard.0;
        let voice = text.split(':').next().unwrap_or_default();
        let Self { name: leaf, object, .. } = *self;
        note(&self.notes, &Event::Heard { leaf, object, seq: heard.seq().0, voice, text });
        let _nobody_waits = self.heard.send(());
    }
}

/// The client in Python. Killed when dropped.
struct Foreign {
    program: Option<Program>,
    file: PathBuf,
}

impl Foreign {
    /// It shouts so often, and hears so many shouts.
    fn start(
        address: &str,
        tag: &str,
        object: &str,
        [shouts, hears]: [usize; 2],
        more: &[&str],
    ) -> Self {
        let (shouts, hears) = (shouts.to_string(), hears.to_string());
        let arguments =
            [["--tag", tag], ["--object", object], ["--count", &shouts], ["--expect", &hears]];
        Self::run("client.py", address, "guido", &[&arguments.concat(), more].concat())
    }

    /// One of the programs, with what all of them are told.
    fn run(script: &str, address: &str, voice: &str, more: &[&str]) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let is_new = "import sys; sys.exit(sys.version_info < (3, 11))";
        let python = Command::new("python3").args(["-c", is_new]).status();
        assert!(
            python.is_ok_and(|status| status.success()),
            "`tests/foreign` is a program in Python: install python3, 3.11 or later"
        );
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let name = format!("foreign-{}-{run}.transcript", std::process::id());
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let script = format!("{}/tests/foreign/{script}", env!("CARGO_MANIFEST_DIR"));
        let arguments = [
            ["-B", &script],
            ["--connect", address],
            ["--voice", voice],
            ["--transcript", file.to_str().expect("is UTF-8")],
        ];
        let program = Program::start("python3", &[&arguments.concat(), more].concat());
        Self { program: Some(program), file }
    }

    /// Waits until it is a leaf; gives the state that it was given.
    async fn joined(&mut self) -> String {
        self.told("joined").await
    }

    /// Waits until it says this; gives what it says of it.
    async fn told(&mut self, what: &'static str) -> String {
        let program = self.program.take().expect("it runs");
        let (program, line) = off_this_thread(move || {
            let line = program.lines_to(what).pop();
            (program, line.unwrap_or_default())
        })
        .await;
        self.program = Some(program);
        line.trim_start_matches(what).trim().to_owned()
    }

    fn go(&mut self) {
        self.say("go");
    }

    fn say(&mut self, line: &str) {
        self.program.as_mut().expect("it runs").say(&format!("{line}\n"));
    }

    /// Waits until it has ended; gives what it has written down.
    async fn end(mut self) -> String {
        let program = self.program.take().expect("it runs");
        let ended = off_this_thread(|| program.end()).await;
        assert!(ended.status.success(), "{ended:#?}");
        assert_eq!(ended.lines, ["done"]);
        fs::read_to_string(&self.file).expect("it has written a transcript")
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _none = fs::remove_file(&self.file);
    }
}

/// Waits where nothing else has to run: hub and leaves are on this thread.
async fn off_this_thread<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(wait).await.expect("it comes in time")
}

async fn in_time<F: Future>(work: F) -> F::Output {
    timeout(PATIENCE, work).await.expect("it comes in time")
}

/// How often a client shouts.
const SHOUTS: usize = 500;

/// Large shouts that fill more than five eighths of a tail.
const LARGE: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);
