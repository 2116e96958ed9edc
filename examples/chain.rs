//! One frog at three hubs: `cargo run --release --features redb --example chain`.
//!
//! Each hub is a process of its own, and below the one before: top, middle, edge. Alec is at the top,
//! Amy in the middle, Angus at the edge; each has a leaf of kermit, whose home is the top. They croak,
//! and the middle hub is killed and started again while they do. At the end each tells what he has
//! heard: the same croaks at the same places.

#![expect(clippy::print_stdout, reason = "what it is for is to be seen")]

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{Client, Handle, Heard, Hub, Leaf, Shout, interface, journal::Redb, link};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

/// A croak, and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Croak(String);

interface! {
    /// A frog, wherever it sits.
    Frog = "pond.frog" v1 {
        state none;
        1 => Croak,
    }
}

type Heards = Arc<Mutex<Vec<String>>>;

/// Writes down what it hears.
struct Scribe(Heards);

impl Actor for Scribe {
    type Context = Context<Self>;
}

impl Supervised for Scribe {}

impl Leaf for Scribe {
    type Interface = Frog;
}

impl Handler<Heard<Croak>> for Scribe {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, _: &mut Context<Self>) {
        let mut heard = self.0.lock().expect("nobody panics");
        heard.push(format!("{} {}", croak.seq(), croak.0));
    }
}

/// Somebody with a frog at one of the hubs.
struct Guest {
    who: &'static str,
    frog: Handle<Scribe>,
    heard: Heards,
    // The frog does not keep it, and it does not go before.
    _client: Client,
}

/// A hub in a process of its own, which is killed with this.
struct Process {
    child: Child,
    address: String,
}

#[actix::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match arguments[..] {
        [] => chain().await,
        ["--hub", listen, data] => hub(listen, data, None).await,
        ["--hub", listen, data, above] => hub(listen, data, Some(above)).await,
        _ => Err("it takes no arguments".into()),
    };
    if let Err(error) = ended {
        eprintln!("chain: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// A hub, until it is killed.
async fn hub(listen: &str, data: &str, above: Option<&str>) -> Result<(), Box<dyn Error>> {
    let hub = Hub::builder().journal(Redb::open(Path::new(data))?).start()?;
    if let Some(above) = above {
        link::up(&hub, above).await?;
    }
    println!("{}", hub.listen(listen).await?);
    std::future::pending().await
}

async fn chain() -> Result<(), Box<dyn Error>> {
    let data = Scratch::new()?;
    let top = Process::start("tcp://127.0.0.1:0", &data.0.join("top"), None)?;
    let middle = data.0.join("middle");
    let mut between = Process::start("tcp://127.0.0.1:0", &middle, Some(&top.address))?;
    let edge = Process::start("tcp://127.0.0.1:0", &data.0.join("edge"), Some(&between.address))?;
    println!("top {}, middle {}, edge {}", top.address, between.address, edge.address);

    let alec = Guest::come("alec", &top.address).await?;
    let amy = Guest::come("amy", &between.address).await?;
    let angus = Guest::come("angus", &edge.address).await?;
    let guests = [&alec, &amy, &angus];
    for round in 1..=ROUNDS {
        for guest in guests {
            guest.croak(round)?;
        }
        if round % KILLED_EVERY == 0 {
            let address = between.address.clone();
            drop(between);
            println!("the middle hub is killed, and started again");
            between = Process::start(&address, &middle, Some(&top.address))?;
        }
        sleep(Duration::from_millis(50)).await;
    }
    timeout(Duration::from_mins(1), all_have_heard(&guests)).await?;

    let [above, between, below] = guests.map(|guest| guest.heard.lock().expect("no panic").clone());
    for line in above.iter().take(3).chain(above.iter().rev().take(3).rev()) {
        println!("{line}");
    }
    if above != between || above != below {
        return Err("they have not heard the same".into());
    }
    println!("alec, amy and angus have heard the same {} croaks, in one order", above.len());
    Ok(())
}

/// Waits until everybody has heard what everybody said.
async fn all_have_heard(guests: &[&Guest]) {
    let all = guests.len() * ROUNDS;
    while guests.iter().any(|guest| guest.heard.lock().expect("no panic").len() < all) {
        sleep(Duration::from_millis(20)).await;
    }
}

impl Guest {
    async fn come(who: &'static str, hub: &str) -> Result<Self, Box<dyn Error>> {
        let (client, heard) = (Client::connect(hub).await?, Heards::default());
        let book = heard.clone();
        client.implement::<Scribe>(move |_| Scribe(book.clone()));
        let frog = client.open::<Scribe>("kermit", ()).await?;
        Ok(Self { who, frog, heard, _client: client })
    }

    /// It need not wait: what cannot be sent now is sent later.
    fn croak(&self, round: usize) -> Result<(), Box<dyn Error>> {
        let croak = Croak(format!("croak {round} of {}", self.who));
        self.frog.try_send(Shout(croak)).map(drop)?;
        Ok(())
    }
}

impl Process {
    fn start(listen: &str, data: &Path, above: Option<&str>) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(env::current_exe()?)
            .args(["--hub", listen])
            .arg(data)
            .args(above)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("a hub has no output")?;
        let mut address = String::new();
        BufReader::new(output).read_line(&mut address)?;
        if address.is_empty() {
            return Err("a hub did not start".into());
        }
        Ok(Self { child, address: address.trim().to_owned() })
    }
}

impl Drop for Process {
    /// As a crash would.
    fn drop(&mut self) {
        let _has_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A directory that goes with this.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Box<dyn Error>> {
        let directory = env::temp_dir().join(format!("chain-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        Ok(Self(directory))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left_over = fs::remove_dir_all(&self.0);
    }
}

/// Croaks of each.
const ROUNDS: usize = 60;
const KILLED_EVERY: usize = 15;
