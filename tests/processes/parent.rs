//! The hub's process: it starts the children, leads them, and judges what they saw.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use actix_multiplex::{
    Client, Hub, Shout,
    limits::WINDOW_SHOUTS,
    testing::transcript::{Event, Summary, Transcript},
};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::child::Load;
use crate::pond::{Frog, KERMIT, Night, PATIENCE};
use crate::proxy::Proxy;

/// Eight clients in two processes, 10,000 shouts each (G1).
pub(crate) fn one_order(arbiters: usize) {
    const CLIENTS: usize = 4;
    const SHOUTS: usize = 10_000;
    const LOAD: Load = Load { least: SHOUTS as u64, most: SHOUTS as u64, under_way: WINDOW_SHOUTS };
    actix::System::new().block_on(async {
        let hub = Hub::builder().arbiters(arbiters).start().expect("a system is here");
        let address = hub.listen("tcp://127.0.0.1:0").await.expect("a port is free");
        let mut children = [
            Child::start(&address, "alec", CLIENTS, LOAD),
            Child::start(&address, "amy", CLIENTS, LOAD),
        ];
        expect(&mut children, "joined").await;
        tell(&mut children, "go");
        expect(&mut children, "loud").await;
        tell(&mut children, "enough");
        expect(&mut children, "receipted").await;
        let night = fall(&hub).await;
        let shouts = 2 * CLIENTS * SHOUTS;
        assert_eq!(night, shouts as u64 + 1, "the seqs are dense, so the night has the last");
        let transcript = collect(&mut children, night).await;
        let summary = judge(&transcript);
        assert_eq!((summary.leaves, summary.shouts), (2 * CLIENTS, shouts + 1));
        assert_eq!(summary.receipts, summary.shouts);
        assert_eq!(summary.deliveries, summary.leaves * summary.shouts);
        hub.stop().await;
    });
}

/// Eight clients in two processes, whose connections are cut 50 times while they make 20,000 shouts
/// (G2).
pub(crate) fn cut() {
    const CLIENTS: usize = 4;
    const SHOUTS: usize = 2_500;
    const LOAD: Load = Load { least: SHOUTS as u64, most: SHOUTS as u64, under_way: 64 };
    actix::System::new().block_on(async {
        let hub = Hub::builder().start().expect("a system is here");
        let address = hub.listen("tcp://127.0.0.1:0").await.expect("a port is free");
        let proxy = Proxy::before(&address, 1);
        let mut children = [
            Child::start(&proxy.address(), "alec", CLIENTS, LOAD),
            Child::start(&proxy.address(), "amy", CLIENTS, LOAD),
        ];
        expect(&mut children, "joined").await;
        proxy.cut(50);
        tell(&mut children, "go");
        expect(&mut children, "loud").await;
        tell(&mut children, "enough");
        expect(&mut children, "receipted").await;
        assert_eq!(proxy.cuts_left(), 0, "all cuts fell among the shouts");
        let night = fall(&hub).await;
        let shouts = 2 * CLIENTS * SHOUTS;
        assert_eq!(night, shouts as u64 + 1, "each shout has one seq");
        let transcript = collect(&mut children, night).await;
        let summary = judge(&transcript);
        assert_eq!(summary.receipts, summary.shouts);
        assert_eq!(summary.deliveries, summary.leaves * summary.shouts);
        hub.stop().await;
    });
}

/// A thousand clients in another process are cut off, called away from for 5 s, and come back (G2).
pub(crate) fn away() {
    const CLIENTS: usize = 1_000;
    actix::System::new().block_on(async {
        let hub = Hub::builder().grace(Duration::from_mins(1)).start().expect("a system is here");
        let address = hub.listen("tcp://127.0.0.1:0").await.expect("a port is free");
        let proxy = Proxy::before(&address, 1);
        let mut crowd = Child::crowd(&proxy.address(), CLIENTS);
        crowd.expect("joined").await;
        crowd.tell("go");
        crowd.expect("receipted").await;
        proxy.set_open(false);
        crowd.tell("dark");
        crowd.expect("said").await;
        sleep(Duration::from_secs(5)).await;
        proxy.set_open(true);
        let back = timeout(Duration::from_secs(30), crowd.hear()).await.expect("all are back");
        let [most, at_once, last_ms] = numbers(&back, "back");
        eprintln!(
            "away: at most {most} calls by one client and {at_once} within 100 ms, over {last_ms} ms"
        );
        assert!(most <= 4, "a client called {most} times");
        assert!(at_once <= 200, "{at_once} clients called within 100 ms");
        crowd.tell("enough");
        crowd.expect("receipted").await;
        let night = fall(&hub).await;
        assert_eq!(night, 3 * CLIENTS as u64 + 1, "each shout has one seq");
        assert!(crowd.hear().await.starts_with("heard "));
        hub.stop().await;
    });
}

/// A third process is killed while all shout (G8).
pub(crate) fn killed() {
    const CLIENTS: usize = 4;
    // All shout until they are told, or killed, however long this process takes; with one shout
    // under way each, no leaf falls behind so far that it misses any.
    const LOAD: Load = Load { least: 2_000, most: u64::MAX, under_way: 1 };
    actix::System::new().block_on(async {
        let hub = Hub::builder().arbiters(2).start().expect("a system is here");
        let address = hub.listen("tcp://127.0.0.1:0").await.expect("a port is free");
        let mut children = [
            Child::start(&address, "alec", CLIENTS, LOAD),
            Child::start(&address, "amy", CLIENTS, LOAD),
        ];
        let mut marvin = [Child::start(&address, "marvin", 1, LOAD)];
        expect(&mut children, "joined").await;
        expect(&mut marvin, "joined").await;
        tell(&mut marvin, "go");
        tell(&mut children, "go");
        expect(&mut children, "loud").await;
        expect(&mut marvin, "loud").await;
        // SIGKILL. It was never told that it is enough, so it dies in the middle of a shout.
        drop(marvin);
        tell(&mut children, "enough");
        expect(&mut children, "receipted").await;
        let night = fall(&hub).await;
        let mut transcript = collect(&mut children, night).await;
        let heard = bear_witness(&mut transcript, "marvin.1");
        assert!(heard >= 1_000, "marvin was killed after {heard} shouts");
        let summary = judge(&transcript);
        assert_eq!((summary.leaves, summary.unknown), (2 * CLIENTS, heard));
        assert_eq!(summary.receipts + heard, summary.shouts);
        assert_eq!(summary.deliveries, summary.leaves * summary.shouts);
        hub.stop().await;
    });
}

/// The last shout of a run; its seq is the object's last.
async fn fall(hub: &Hub) -> u64 {
    let client = Client::connect(hub.local()).await.expect("the hub is here");
    let voice = client.voice::<Frog>(KERMIT).await.expect("kermit is there");
    let receipt = timeout(PATIENCE, voice.send(Shout(Night))).await;
    receipt.expect("a receipt comes in time").expect("it is sequenced").seq().0
}

/// All notes, one behind the other, with the night's.
async fn collect(children: &mut [Child], night: u64) -> Transcript {
    expect(children, "done").await;
    let notes: String = children.iter().map(Child::notes).collect();
    let mut transcript = Transcript::parse(&notes).expect("children write lines");
    transcript.extend([
        Event::Said { voice: "night", object: KERMIT, n: 1, text: "falls" },
        Event::Receipted { voice: "night", object: KERMIT, n: 1, seq: night },
        Event::Ended { object: KERMIT, seq: night },
    ]);
    transcript
}

/// Says what a voice can say no more: the shouts that were heard of it, which are its first ones.
fn bear_witness(transcript: &mut Transcript, voice: &str) -> usize {
    let said: BTreeSet<u64> = transcript
        .events()
        .filter_map(|event| match event {
            Event::Heard { voice: who, text, .. } if who == voice => text.parse().ok(),
            _ => None,
        })
        .collect();
    let last = said.last().copied().unwrap_or_default();
    assert_eq!(last, said.len() as u64, "not all before the last shout of {voice} were heard");
    for n in said.iter().copied() {
        let text = n.to_string();
        transcript.record(&Event::Said { voice, object: KERMIT, n, text: &*text });
        transcript.record(&Event::Unknown { voice, object: KERMIT, n });
    }
    said.len()
}

fn judge(transcript: &Transcript) -> Summary {
    let summary = transcript.check_complete().unwrap_or_else(|violations| panic!("{violations}"));
    eprintln!("{summary:?}");
    summary
}

fn tell(children: &mut [Child], word: &str) {
    for child in children {
        child.tell(word);
    }
}

async fn expect(children: &mut [Child], word: &str) {
    for child in children {
        child.expect(word).await;
    }
}

/// This executable again, with clients of its own. Killed when dropped.
struct Child {
    name: &'static str,
    process: std::process::Child,
    said: mpsc::UnboundedReceiver<String>,
    file: PathBuf,
}

impl Child {
    fn start(hub: &str, name: &'static str, clients: usize, load: Load) -> Self {
        let file = format!("{name}-{}.transcript", std::process::id());
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
        let mut command = this_program();
        command
            .args(["child", hub, name, &clients.to_string()])
            .args([load.least, load.most].map(|shouts| shouts.to_string()))
            .arg(load.under_way.to_string())
            .arg(&file);
        Self::run(name, command, file)
    }

    /// Many clients that write nothing down.
    fn crowd(hub: &str, clients: usize) -> Self {
        let mut command = this_program();
        command.args(["crowd", hub, &clients.to_string()]);
        Self::run("crowd", command, PathBuf::new())
    }

    fn run(name: &'static str, mut command: Command, file: PathBuf) -> Self {
        // What goes wrong in a child is told where this process tells of its own failures.
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process can be started");
        let out = process.stdout.take().expect("was piped");
        let (sender, said) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for word in BufReader::new(out).lines().map_while(Result::ok) {
                let _nobody_listens = sender.send(word);
            }
        });
        Self { name, process, said, file }
    }

    fn tell(&mut self, word: &str) {
        let input = self.process.stdin.as_mut().expect("was piped");
        writeln!(input, "{word}").unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    async fn expect(&mut self, word: &str) {
        match timeout(PATIENCE, self.hear()).await {
            Ok(said) => assert_eq!(said, word, "the child {}", self.name),
            Err(late) => panic!("the child {} did not say `{word}`: {late}", self.name),
        }
    }

    /// What it says next.
    async fn hear(&mut self) -> String {
        if let Some(said) = self.said.recv().await {
            return said;
        }
        let status = self.process.wait().expect("it is our child");
        panic!("the child {} ended ({status})", self.name);
    }

    fn notes(&self) -> String {
        std::fs::read_to_string(&self.file).expect("the child has written its notes")
    }
}

fn this_program() -> Command {
    Command::new(std::env::current_exe().expect("this file is somewhere"))
}

/// Three numbers behind a word.
fn numbers(said: &str, word: &str) -> [usize; 3] {
    let numbers = said.strip_prefix(word).unwrap_or_else(|| panic!("`{said}` is no `{word}`"));
    let numbers: Vec<_> =
        numbers.split_whitespace().map(|n| n.parse().expect("a number")).collect();
    numbers.try_into().expect("three of them")
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended, and may have written nothing.
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
        let _none = std::fs::remove_file(&self.file);
    }
}
