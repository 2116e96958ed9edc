//! A hub that keeps what is shouted, beside the store that it keeps it in.
//!
//! The hub notes every commit that it makes. When the load has ended the same commits are made once
//! more, by the store alone, in a file of its own on the same disk: that is the least time in which
//! they can be made. And a hub that is killed with a million records goes on with them.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write, stderr, stdin, stdout},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use actix_multiplex::{
    Hub,
    journal::{Contents, Edit, Journal, JournalError, Redb},
};
use serde::{Deserialize, Serialize};

use super::{
    Wrong,
    case::Case,
    job::{Job, Sample, Work},
    machine::Cores,
    peer::{Peer, myself, ours, pinned},
    runs,
};

/// So many shouters, each of which waits for its receipt before it shouts again.
pub(super) fn keep(case: &Case, cores: &Cores) -> Result<Vec<(String, Sample)>, Wrong> {
    let place = Place::new()?;
    let mut keeper = Keeper::start(cores, &place.0)?;
    let job = Job {
        address: keeper.address.parse()?,
        servers: vec![keeper.process.id()],
        ..runs::job_of(case, cores)
    };
    let ours: Sample = runs::read("load", runs::part("load", &job, cores)?)?;
    let Kept { commits, hub_s, alone_s } = keeper.end()?;
    let shouts_per_s = ours.deliveries_per_s / case.leaves as f64;
    let shouts_per_commit = Some(shouts_per_s * hub_s / commits as f64);
    let alone = Sample {
        deliveries_per_s: shouts_per_s * hub_s / alone_s,
        shouts_per_commit,
        stolen: ours.stolen,
        ..Sample::default()
    };
    let cpu_us = ours.cpu_us * case.leaves as f64;
    let ours = Sample { deliveries_per_s: shouts_per_s, cpu_us, shouts_per_commit, ..ours };
    Ok(vec![(Peer::Multiplex.name().to_owned(), ours), ("redb alone".to_owned(), alone)])
}

/// Kills a hub that has a journal of many records, and starts it again.
pub(super) fn recover(case: &Case, cores: &Cores) -> Result<Vec<(String, Sample)>, Wrong> {
    let place = Place::new()?;
    let data = place.0.to_str().ok_or("the directory has a name that is no text")?;
    let hub = || ours(cores.server, &["hub", "--data-dir", data, "--listen", "tcp://127.0.0.1:0"]);
    let server = hub()?;
    let job =
        Job { address: server.address, servers: server.processes(), ..runs::job_of(case, cores) };
    let load: Sample = runs::read("load", runs::part("load", &job, cores)?)?;
    drop(server);
    let begin = Instant::now();
    let server = hub()?;
    let took = begin.elapsed().as_secs_f64();
    drop(server);
    let records = Contents::of(&mut Redb::open(&place.0)?)?.records() as f64;
    let sample = Sample {
        deliveries_per_s: records / took,
        records: Some(records),
        busy: 0.0,
        stolen: load.stolen,
        ..Sample::default()
    };
    Ok(vec![(Peer::Multiplex.name().to_owned(), sample)])
}

/// A hub that notes its commits; ends when its input does, and then has the store make them alone.
pub(super) fn note(place: &Path) -> Result<(), Wrong> {
    let noting = Noting { journal: Redb::open(place.join("hub"))?, notes: Arc::default() };
    let notes = noting.notes.clone();
    actix::System::new().block_on(async {
        let hub = Hub::builder().journal(noting).start()?;
        writeln!(stdout(), "listening on {}", hub.listen("tcp://127.0.0.1:0").await?)?;
        tokio::task::spawn_blocking(|| stdin().read_to_end(&mut Vec::new())).await??;
        hub.stop().await;
        Ok::<_, Wrong>(())
    })?;
    let notes = std::mem::take(&mut *notes.lock().unwrap_or_else(PoisonError::into_inner));
    let kept = Kept::of(&notes, &place.join("alone"))?;
    Ok(writeln!(stdout(), "{}", serde_json::to_string(&kept)?)?)
}

/// What became of the same commits with a hub and without.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    commits: usize,
    hub_s: f64,
    alone_s: f64,
}

impl Kept {
    fn of(notes: &[Note], place: &Path) -> Result<Self, Wrong> {
        let (Some(first), Some(last)) = (notes.first(), notes.last()) else {
            return Err("nothing was kept".into());
        };
        let hub_s = (last.end - first.begin).as_secs_f64();
        let mut alone = Redb::open(place)?;
        let begin = Instant::now();
        for note in notes {
            alone.commit(&note.edits)?;
        }
        Ok(Self { commits: notes.len(), hub_s, alone_s: begin.elapsed().as_secs_f64() })
    }
}

/// A commit.
#[derive(Debug)]
struct Note {
    edits: Vec<Edit>,
    begin: Instant,
    end: Instant,
}

/// Notes every commit from the first shout on.
struct Noting {
    journal: Redb,
    notes: Arc<Mutex<Vec<Note>>>,
}

impl Journal for Noting {
    fn commit(&mut self, edits: &[Edit]) -> Result<(), JournalError> {
        let begin = Instant::now();
        self.journal.commit(edits)?;
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.is_empty() || edits.iter().any(is_of_a_shout) {
            notes.push(Note { edits: edits.to_vec(), begin, end: Instant::now() });
        }
        Ok(())
    }

    fn read(&mut self, each: &mut dyn FnMut(&[u8], &[u8])) -> Result<(), JournalError> {
        self.journal.read(each)
    }
}

/// Records of shouts have the last kind of key.
fn is_of_a_shout(edit: &Edit) -> bool {
    matches!(edit, Edit::Put { key, .. } if key.first() == Some(&6))
}

/// The process of such a hub.
struct Keeper {
    process: Child,
    said: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Keeper {
    fn start(cores: &Cores, place: &Path) -> Result<Self, Wrong> {
        let place = place.to_str().ok_or("the directory has a name that is no text")?;
        let mut command = pinned(cores.server, &myself()?, ["bench-part", "keep", place]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = process.stdout.take().ok_or("it has no output")?;
        let (mut said, mut line) = (BufReader::new(said), String::new());
        said.read_line(&mut line)?;
        let address =
            line.trim().strip_prefix("listening on tcp://").unwrap_or_default().to_owned();
        Ok(Self { process, said, address })
    }

    /// Ends the hub, and waits for what the store alone takes.
    fn end(&mut self) -> Result<Kept, Wrong> {
        drop(self.process.stdin.take());
        let mut said = String::new();
        self.said.read_to_string(&mut said)?;
        Ok(serde_json::from_str(&said)?)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
    }
}

/// A directory that goes when it is dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, Wrong> {
        let place = env::temp_dir().join(format!("multiplex-bench-{}", std::process::id()));
        let _nothing_there = fs::remove_dir_all(&place);
        fs::create_dir_all(&place)?;
        writeln!(stderr(), "  in {}", place.display())?;
        Ok(Self(place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _already_gone = fs::remove_dir_all(&self.0);
    }
}

/// The cases: the same at 1, 10, 100 and 1,000 shouters, over ten connections at most; and a hub that
/// goes on.
pub(super) fn cases(case: &dyn Fn(usize) -> Case) -> Vec<Case> {
    let durable = |shouters: usize| {
        let leaves = shouters.min(10);
        Case {
            name: format!("durable-{shouters}"),
            what: "a shout that is kept",
            work: Work::Durable { shouters },
            measure_ms: 2_000,
            ..case(leaves)
        }
    };
    let mut cases: Vec<_> = [1, 10, 100, 1_000].map(durable).into();
    cases.push(Case {
        name: "recovery".to_owned(),
        what: "a record that is gone on with",
        work: Work::Recovery { objects: 1_000, shouts: 1_000_000 },
        ..case(1)
    });
    cases
}
