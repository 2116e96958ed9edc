//! A process with clients of its own.
//!
//! It is led by words, one a line: it says `joined`, is told `go`, says `loud` when it is in full
//! swing, is told `enough`, says `receipted`; when the night has fallen it writes its notes to a
//! file and says `done`.

use std::{
    collections::VecDeque,
    io::{BufRead, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_multiplex::{Client, Handle, Receipted, Shout, ShoutError, testing::transcript::Event};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

use crate::pond::{Croak, KERMIT, Notes, PATIENCE, Witness, note};

/// Receipts of a voice after which it is in full swing.
const LOUD: u64 = 1_000;

/// How much each client shouts.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    /// Shouts that are made in any case.
    pub(crate) least: u64,
    /// Shouts after which it stops also without being told.
    pub(crate) most: u64,
    /// Shouts under way at a time, within the window.
    pub(crate) under_way: usize,
}

/// Arguments: the hub, the child's name, how many clients, the three numbers of the load, and the
/// file for the notes.
pub(crate) fn main(arguments: &[String]) {
    let [hub, name, clients, least, most, under_way, file] = arguments else {
        panic!("a child takes seven arguments, not {arguments:?}");
    };
    let clients: usize = clients.parse().expect("a number of clients");
    let [least, most] = [least, most].map(|shouts| shouts.parse().expect("a number of shouts"));
    let load = Load { least, most, under_way: under_way.parse().expect("a number of shouts") };
    let notes = Notes::default();
    actix::System::new().block_on(async {
        let names: Vec<_> = (1..=clients).map(|client| format!("{name}.{client}")).collect();
        let run = live(hub, &names, load, &notes);
        let in_time = timeout(PATIENCE, run).await;
        assert!(in_time.is_ok(), "{name} has seen only {:?} in {PATIENCE:?}", notes.lock());
    });
    let lines = notes.lock().expect("nobody panicked").to_lines();
    std::fs::write(file, lines).expect("the notes can be written");
    say("done");
}

async fn live(hub: &str, names: &[String], load: Load, notes: &Notes) {
    let mut told = listen();
    let (night, mut nights) = mpsc::unbounded_channel();
    let mut frogs = Vec::new();
    for name in names {
        let frog = join(hub, name, notes.clone(), night.clone()).await;
        frogs.push((name.clone(), frog));
    }
    say("joined");
    assert_eq!(told.recv().await.as_deref(), Some("go"));

    let enough = Arc::new(AtomicBool::new(false));
    let mut voices = JoinSet::new();
    for (name, (_, frog)) in &frogs {
        let voice = shout(frog.clone(), name.clone(), load, enough.clone(), notes.clone());
        voices.spawn_local(voice);
    }
    assert_eq!(told.recv().await.as_deref(), Some("enough"));
    enough.store(true, Ordering::Relaxed);
    while let Some(voice) = voices.join_next().await {
        voice.expect("no voice failed");
    }
    say("receipted");
    for _ in &frogs {
        nights.recv().await.expect("the leaves live");
    }
}

async fn join(
    hub: &str,
    name: &str,
    notes: Notes,
    night: mpsc::UnboundedSender<u64>,
) -> (Client, Handle<Witness>) {
    let client = Client::connect(hub).await.expect("the hub is there");
    let witness = name.to_owned();
    note(&notes, &Event::Joined { leaf: name, object: KERMIT, after: 0 });
    client.implement(move |_| Witness {
        name: witness.clone(),
        notes: notes.clone(),
        night: night.clone(),
    });
    let frog = client.open::<Witness>(KERMIT, ()).await.expect("kermit is there, or made");
    (client, frog)
}

/// Shouts as fast as the load lets it, until it is enough.
async fn shout(
    frog: Handle<Witness>,
    name: String,
    load: Load,
    enough: Arc<AtomicBool>,
    notes: Notes,
) {
    let mut voice = Voice { name, notes, settled: 0, under_way: VecDeque::new() };
    for n in 1..=load.most {
        if n > load.least && enough.load(Ordering::Relaxed) {
            break;
        }
        let mut croak = Croak { who: voice.name.clone(), n };
        let text = n.to_string();
        note(&voice.notes, &Event::Said { voice: &voice.name, object: KERMIT, n, text: &text });
        if voice.under_way.len() >= load.under_way {
            voice.settle().await;
        }
        loop {
            match frog.try_send(Shout(croak)) {
                Ok(receipted) => break voice.under_way.push_back(receipted),
                Err(ShoutError::Full(back)) => croak = back,
                Err(error) => panic!("{} {n}: {error:?}", voice.name),
            }
            voice.settle().await;
        }
    }
    while !voice.under_way.is_empty() {
        voice.settle().await;
    }
}

struct Voice {
    name: String,
    notes: Notes,
    settled: u64,
    under_way: VecDeque<Receipted>,
}

impl Voice {
    /// Waits for the oldest receipt.
    async fn settle(&mut self) {
        let Some(receipted) = self.under_way.pop_front() else { return };
        let receipt = receipted.await.expect("a shout is receipted");
        self.settled += 1;
        let (n, seq) = (self.settled, receipt.seq().0);
        note(&self.notes, &Event::Receipted { voice: &self.name, object: KERMIT, n, seq });
        if self.settled == LOUD && self.name.ends_with(".1") {
            say("loud");
        }
    }
}

/// The words of the parent, as they come.
pub(crate) fn listen() -> mpsc::UnboundedReceiver<String> {
    let (sender, words) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for word in std::io::stdin().lock().lines().map_while(Result::ok) {
            let _nobody_listens = sender.send(word);
        }
    });
    words
}

pub(crate) fn say(word: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{word}").and_then(|()| out.flush()).expect("the parent listens");
}
