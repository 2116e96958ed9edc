//! A Rust client's own cost of hearing: a typed leaf beside two bare loops, in one process.
//!
//! All three decode the same messages and hand them to a function that does nothing. The leaf is a
//! whole client. The one loop reads the same frames from a socket of its own; the other has the
//! payloads in memory already.

use std::{
    hint::black_box,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use actix::{Actor, Context, Handler, Supervised};
use actix_multiplex::{Client, Heard, Leaf, interface, wire::Frame};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    Wrong,
    job::{Job, Sample},
    load::multiplex::{NAME, fine, frames, greet, join, joined, object},
    machine::Moment,
};

interface! {
    /// Something that is drawn on.
    pub(super) Canvas = "bench.stroke" v1 {
        state none;
        1 => Stroke,
    }
}

/// A message of 64 bytes: numbers and two short texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stroke {
    id: u64,
    x: f32,
    y: f32,
    width: f32,
    colour: u32,
    author: String,
    note: String,
}

/// How long the load shouts: the leaf's share and the bare loop's, and time to get there.
pub(super) const HEARING_MAX: Duration = Duration::from_secs(5);

/// A message as it is sent.
pub(super) fn payload() -> Result<Vec<u8>, Wrong> {
    let (author, note) = ("Angus of the pond".to_owned(), "a line to the lily".to_owned());
    let colour = 0x00ff_8800;
    let stroke = Stroke { id: 1 << 40, x: 1.0, y: 2.0, width: 3.0, colour, author, note };
    Ok(postcard::to_stdvec(&stroke)?)
}

/// Hears with a leaf, then in bare loops.
pub(super) fn run(job: &Job) -> Result<Vec<(String, Sample)>, Wrong> {
    let typed = actix::System::new().block_on(hear(job))?;
    let on_a_socket = bare_on_a_socket(job)?;
    let in_memory = bare_in_memory(job)?;
    let samples = [
        ("multiplex", typed),
        ("bare loop, socket", on_a_socket),
        ("bare loop, memory", in_memory),
    ];
    Ok(samples.map(|(name, sample)| (name.to_owned(), sample)).into())
}

/// A leaf that counts what it hears.
struct Listener {
    job: Job,
    heard: u64,
    begin: Option<Moment>,
    done: mpsc::UnboundedSender<Result<Sample, String>>,
}

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Supervised for Listener {}

impl Leaf for Listener {
    type Interface = Canvas;
}

impl Handler<Heard<Stroke>> for Listener {
    type Result = ();

    fn handle(&mut self, stroke: Heard<Stroke>, _: &mut Self::Context) {
        take(&stroke);
        self.heard += 1;
        match self.heard {
            WARM_UP => self.begin = begin(&self.job).ok(),
            ALL => {
                let sample = self.begin.take().ok_or_else(|| "it never began".into());
                let sample = sample.and_then(|begin| end(&self.job, &begin, MESSAGES));
                let _nobody_waits = self.done.send(sample.map_err(|error| error.to_string()));
            }
            _ => {}
        }
    }
}

async fn hear(job: &Job) -> Result<Sample, Wrong> {
    let client = Client::connect(&*format!("tcp://{}", job.address)).await?;
    let (done, mut samples) = mpsc::unbounded_channel();
    let job = job.clone();
    client.implement::<Listener>(move |_| {
        let (job, done) = (job.clone(), done.clone());
        Listener { job, heard: 0, begin: None, done }
    });
    // The load may not have made the object yet.
    let mut leaf = client.join::<Listener>(NAME).await;
    for _ in 0..100 {
        if leaf.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        leaf = client.join::<Listener>(NAME).await;
    }
    let _leaf = leaf?;
    let sample = tokio::time::timeout(HEARING_MAX, samples.recv()).await;
    Ok(sample.map_err(|_| TOO_LITTLE)?.ok_or("the leaf is gone")??)
}

fn bare_on_a_socket(job: &Job) -> Result<Sample, Wrong> {
    let mut stream = TcpStream::connect(job.address)?;
    greet(&mut stream)?;
    stream.write_all(&join(1, object(0)))?;
    joined(&mut stream, 1)?;
    let mut input = vec![0; INPUT_BYTES];
    let (mut filled, mut heard, mut start) = (0, 0, None);
    let end_at = Instant::now() + HEARING_MAX;
    while heard < ALL {
        if Instant::now() > end_at {
            return Err(TOO_LITTLE.into());
        }
        if heard >= WARM_UP && start.is_none() {
            start = Some((begin(job)?, heard));
        }
        match stream.read(&mut input[filled..])? {
            0 => return Err("it hung up".into()),
            read => filled += read,
        }
        let taken = frames(&input[..filled], |frame| {
            let Frame::Batch(batch) = &frame else { return fine(&frame) };
            for shouted in batch.shouts() {
                take(&postcard::from_bytes(&shouted.payload)?);
                heard += 1;
            }
            Ok(())
        })?;
        input.copy_within(taken..filled, 0);
        filled -= taken;
    }
    let (begin, before) = start.ok_or("it never began")?;
    end(job, &begin, heard - before)
}

fn bare_in_memory(job: &Job) -> Result<Sample, Wrong> {
    let payloads = vec![payload()?; 256];
    let begin = begin(job)?;
    for payload in payloads.iter().cycle().take(MESSAGES as usize) {
        take(&postcard::from_bytes(payload)?);
    }
    end(job, &begin, MESSAGES)
}

/// What a message is handed to.
#[inline(never)]
fn take(stroke: &Stroke) {
    black_box(stroke);
}

/// This process is what is measured.
fn begin(job: &Job) -> Result<Moment, Wrong> {
    Moment::now(&[std::process::id()], &job.cores)
}

fn end(job: &Job, begin: &Moment, messages: u64) -> Result<Sample, Wrong> {
    Ok(begin.until(&self::begin(job)?).on(messages))
}

const TOO_LITTLE: &str = "the load has ended before enough was heard: this machine is too slow";
const WARM_UP: u64 = 25_000;
const MESSAGES: u64 = 300_000;
const ALL: u64 = WARM_UP + MESSAGES;
/// Room for a whole frame behind a part of one.
const INPUT_BYTES: usize = 1 << 17;
