//! A process with clients of its own.
//!
//! It is led by words, one a line: it says `joined`, is told `go`; is told `enough`, says
//! `receipted`; says `shown` when all leaves of kermit have heard the night; is told `dusk`, lets the
//! night come to its toads and says `fallen`; when it is night everywhere it writes its notes to a
//! file and says `done`.

use std::{
    collections::{BTreeSet, VecDeque},
    io::{BufRead, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_multiplex::{
    Change, Client, ConnectionEvent, Entry, Handle, Interface, Receipt, Receipted, Shout, ShoutAt,
    ShoutError, Voice,
};
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    notes::Notes,
    pond::{Clerk, Croak, Frog, KERMIT, LEDGER, Ledger, Sum, Witness},
    program::PATIENCE,
    toads::{Keeper, dusk, forget, said, settle},
};

/// Whether it is enough.
#[derive(Clone, Default)]
pub(super) struct Enough(Arc<AtomicBool>);

impl Enough {
    pub(super) fn tell(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Arguments: the hub, the child's name, a seed, and the file for the notes.
pub(super) fn main(arguments: &[String]) {
    let [hub, name, seed, file] = arguments else {
        panic!("a child takes four arguments, not {arguments:?}");
    };
    let seed = seed.parse().expect("a seed");
    actix::System::new().block_on(live(hub, name, seed, file));
}

async fn live(hub: &str, name: &str, seed: u64, file: &str) {
    let (mut told, notes, enough) = (listen(), Notes::default(), Enough::default());
    let mut members = Vec::new();
    for number in 1..=CLIENTS {
        members.push(Member::join(hub, &format!("{name}.{number}"), &notes).await);
    }
    let (script, script_name) = (connect(hub, &notes).await, format!("{name}.script"));
    let voice = script.voice::<Ledger>(LEDGER).await.expect("the ledger is there");
    announce("joined");
    assert_eq!(told.recv().await.as_deref(), Some("go"));

    let mut tasks = JoinSet::new();
    tasks.spawn_local(shout(voice, script_name, Load::SCRIPT, enough.clone(), notes.clone()));
    tasks.spawn_local(watch(script.clone(), enough.clone()));
    let mut keepers = JoinSet::new();
    for (member, number) in members.iter().zip(0..) {
        member.begin(&mut tasks, &enough);
        keepers.spawn_local(member.keeper().run(seed + number, enough.clone()));
    }
    assert_eq!(told.recv().await.as_deref(), Some("enough"));
    enough.tell();
    let toads = keepers.join_all().await.concat();
    tasks.join_all().await;
    announce("receipted");
    notes.frogs.is_over("leaves of kermit").await;
    notes.errands.is_over("errands").await;
    announce("shown");
    assert_eq!(told.recv().await.as_deref(), Some("dusk"));
    dusk(&toads, &notes).await;
    announce("fallen");
    notes.clerks.is_over("leaves of ledgers").await;
    std::fs::write(file, notes.to_lines()).expect("the notes can be written");
    announce("done");
    // What keeps leaves joined is dropped behind the last note.
    drop((members, toads));
}

async fn connect(hub: &str, notes: &Notes) -> Client {
    let client = Client::connect(hub).await.expect("the hub is there");
    let (mut events, notes) = (client.events(), notes.clone());
    tokio::task::spawn_local(async move {
        while let Some(event) = events.next().await {
            match event {
                ConnectionEvent::Resumed => notes.count("resumes"),
                ConnectionEvent::Resynced { .. } => notes.count("wrong: a session was lost"),
                ConnectionEvent::Closed { why } => notes.count(&format!("wrong: closed: {why}")),
                _ => {}
            }
        }
    });
    client
}

/// A client with a leaf of each object.
struct Member {
    name: String,
    notes: Notes,
    client: Client,
    frog: Handle<Witness>,
    ledger: Handle<Clerk>,
}

impl Member {
    async fn join(hub: &str, name: &str, notes: &Notes) -> Self {
        let client = connect(hub, notes).await;
        Witness::implement(&client, name, notes);
        Clerk::implement(&client, name, notes);
        let frog = client.open::<Witness>(KERMIT, ()).await.expect("kermit is there, or made");
        let ledger = client.open::<Clerk>(LEDGER, Sum::default()).await;
        let ledger = ledger.expect("the ledger is there, or made");
        Self { name: name.to_owned(), notes: notes.clone(), client, frog, ledger }
    }

    fn keeper(&self) -> Keeper {
        Keeper::new(&self.name, &self.client, self.frog.voice(), &self.notes)
    }

    fn begin(&self, tasks: &mut JoinSet<()>, enough: &Enough) {
        let with = || (enough.clone(), self.notes.clone());
        let (name, (enough, notes)) = (self.name.clone(), with());
        tasks.spawn_local(shout(self.frog.voice(), name, Load::KERMIT, enough, notes));
        let (name, (enough, notes)) = (self.name.clone(), with());
        tasks.spawn_local(shout(self.ledger.voice(), name, Load::LEDGER, enough, notes));
        let (name, (enough, notes)) = (format!("{} asking", self.name), with());
        tasks.spawn_local(ask(self.frog.voice(), name, enough, notes));
    }
}

/// How much is shouted.
#[derive(Clone, Copy)]
struct Load {
    /// Long shouts, without a pause, so that the tail is as long as it may be soon.
    at_first: u64,
    pause: Duration,
}

impl Load {
    /// Together a tail of 4 MiB.
    const KERMIT: Self = Self { at_first: 175, pause: Duration::from_millis(25) };
    /// Together somewhat less than the half of it from which on a state is wanted.
    const LEDGER: Self = Self { at_first: 80, pause: Duration::from_millis(25) };
    const SCRIPT: Self = Self { at_first: 0, pause: Duration::from_millis(100) };
}

/// Shouts with many under way, until it is enough.
async fn shout<I>(voice: Voice<I>, name: String, load: Load, enough: Enough, notes: Notes)
where
    I: Interface,
    Croak: ShoutAt<I>,
{
    let mut under_way = UnderWay { voice, name, notes, first: 1, receipts: VecDeque::new() };
    for n in 1.. {
        if enough.is_told() {
            break;
        }
        if n > load.at_first {
            sleep(load.pause).await;
        }
        under_way.add(n, if n > load.at_first { SHORT } else { LONG }).await;
    }
    while !under_way.receipts.is_empty() {
        under_way.settle().await;
    }
}

/// Shouts without a receipt yet.
struct UnderWay<I> {
    voice: Voice<I>,
    name: String,
    notes: Notes,
    first: u64,
    receipts: VecDeque<Receipted>,
}

impl<I> UnderWay<I>
where
    I: Interface,
    Croak: ShoutAt<I>,
{
    async fn add(&mut self, n: u64, bytes: usize) {
        said(&self.voice, &self.name, n, &self.notes);
        if self.receipts.len() >= UNDER_WAY {
            self.settle().await;
        }
        let mut croak = Croak { who: self.name.clone(), n, text: "x".repeat(bytes) };
        loop {
            match self.voice.try_send(Shout(croak)) {
                Ok(receipted) => return self.receipts.push_back(receipted),
                Err(ShoutError::Full(back)) => croak = back,
                Err(error) => panic!("{} {n}: {error:?}", self.name),
            }
            self.settle().await;
        }
    }

    /// Waits for the oldest receipt.
    async fn settle(&mut self) {
        let Some(receipted) = self.receipts.pop_front() else { return };
        let outcome = timeout(PATIENCE, receipted).await;
        let outcome =
            outcome.unwrap_or_else(|_| panic!("no receipt of {} {}", self.name, self.first));
        let outcome = outcome.map(|receipt| receipt.seq().0);
        settle(&self.voice, &self.name, self.first, outcome, &self.notes);
        self.first += 1;
    }
}

/// Shouts and waits until all have handled it, or nobody can tell.
async fn ask(voice: Voice<Frog>, name: String, enough: Enough, notes: Notes) {
    for n in 1.. {
        if enough.is_told() {
            break;
        }
        sleep(Duration::from_millis(200)).await;
        said(&voice, &name, n, &notes);
        let croak = Croak { who: name.clone(), n, text: String::new() };
        let handled = timeout(PATIENCE, voice.send_handled(Shout(croak), HANDLED_WITHIN)).await;
        let receipt = handled.unwrap_or_else(|_| panic!("{name} {n} is never answered"));
        match receipt {
            Ok(Receipt::Handled { by, of, .. }) if by == of => notes.count("handled by all"),
            Ok(Receipt::Handled { .. }) => notes.count("handled by some"),
            Ok(_) => notes.count("handled by nobody knows whom"),
            Err(_) => {}
        }
        let outcome = receipt.map(|receipt| receipt.seq().0).map_err(forget);
        settle(&voice, &name, n, outcome, &notes);
    }
}

/// Follows the names of toads, and holds them against the list in the end.
async fn watch(client: Client, enough: Enough) {
    let mut watching = client.watch("toad.").await.expect("names are listed");
    let mut names: BTreeSet<String> = watching.names().iter().map(name_of).collect();
    let mut tries = 0..LISTINGS;
    loop {
        while let Ok(change) = timeout(SILENCE, watching.next()).await {
            match change.expect("the client lives") {
                Change::Added(entry) => {
                    assert!(names.insert(name_of(&entry)), "{entry:?} was there");
                }
                Change::Removed(name) => {
                    assert!(names.remove(name.as_str()), "{name} was not there");
                }
                _ => {}
            }
        }
        if enough.is_told() {
            let listed = client.list("toad.").await.expect("names are listed");
            if listed.iter().map(name_of).eq(names.iter().cloned()) {
                return;
            }
            assert!(tries.next().is_some(), "watched: {names:?}; listed: {listed:?}");
        }
    }
}

fn name_of(entry: &Entry) -> String {
    entry.name.to_string()
}

/// The words of the parent, as they come.
fn listen() -> mpsc::UnboundedReceiver<String> {
    let (sender, words) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for word in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _nobody_listens = sender.send(word);
        }
    });
    words
}

fn announce(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}").and_then(|()| out.flush()).expect("the parent listens");
}

/// Clients of a process that have leaves.
const CLIENTS: u64 = 2;
/// Shouts under way of one voice, within the window.
const UNDER_WAY: usize = 64;
/// Bytes of shouts.
const LONG: usize = 3_000;
const SHORT: usize = 300;
/// Silence after which no change of a name is on its way, probably; and listings that are tried.
const SILENCE: Duration = Duration::from_millis(500);
const LISTINGS: usize = 60;
/// Time for all to have handled a shout.
const HANDLED_WITHIN: Duration = Duration::from_secs(1);
