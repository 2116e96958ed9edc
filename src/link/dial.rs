//! A link's connections, one after the other: how they begin, when they are tried, why no more.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use rand::{SeedableRng, rngs::StdRng};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{Env, LinkError, Standing, hear::Hearer};
use crate::{
    connection::{self, Burst, Closed, Closer, Queue, Reader},
    hub::{Unsought, not_linked},
    leaf::wait_before,
    limits::{CLAIM_TIMEOUT, CONNECT_TIMEOUT, SILENCE_MAX},
    object::HubId,
    transport::{Connector, Duplex},
    wire::{
        Bar, Claim, CloseCode, Fault, Frame, Hello, Limits, Resume, VERSION_MAX, VERSION_MIN,
        Welcome,
    },
};

/// Makes connections to the hub above, as long as that helps.
pub(super) struct Dial {
    env: Env,
    connector: Arc<dyn Connector>,
    standing: watch::Sender<Standing>,
    random: StdRng,
    /// The hub above, and the session to go on with, once there is one.
    known: Option<(HubId, Resume)>,
    /// Numbers the claims.
    claims: u32,
    tries: u32,
}

/// How a connection came to its end.
enum End {
    /// Another one is tried.
    Lost(Closed),
    /// Another hub on the way up was about to be linked.
    Busy,
    /// The hub stops.
    Stopping,
    /// No other would fare better.
    Final(LinkError),
}

/// A connection that has been made.
struct Line {
    reader: Reader,
    queue: Arc<Queue>,
}

impl Dial {
    pub(super) fn new(
        env: Env,
        connector: Arc<dyn Connector>,
        standing: watch::Sender<Standing>,
    ) -> Self {
        let random = StdRng::from_seed(seed_of(env.random_bytes(), env.random_bytes()));
        let known = env.upward().known();
        Self { env, connector, standing, random, known, claims: 0, tries: 0 }
    }

    /// Runs until the hub stops, or is barred.
    pub(super) async fn run(mut self) {
        let mut stopping = self.env.stopping();
        loop {
            let end = self.connect(&mut stopping).await;
            self.env.upward().go_down();
            if *self.standing.borrow() == Standing::Flows {
                self.standing.send_replace(Standing::Cut);
            }
            let wait = match end {
                End::Stopping => return,
                End::Final(error) => return self.give_up(error),
                End::Busy => Duration::from_millis(u64::from(rand::RngExt::random_range(
                    &mut self.random,
                    50..500_u32,
                ))),
                End::Lost(closed) => {
                    // One hub is no crowd: it may come soon.
                    let wait = wait_before(self.tries.min(1), &mut self.random);
                    self.tries = self.tries.saturating_add(1);
                    tracing::info!(%closed, ?wait, "the link is cut: it is tried again");
                    wait
                }
            };
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => return,
                () = sleep(wait) => {}
            }
        }
    }

    fn give_up(&self, error: LinkError) {
        tracing::error!(%error, "the hub is not linked any more");
        for target in self.env.upward().unlink() {
            let refusal = not_linked();
            self.env.directory().do_send(Unsought { target, refusal });
        }
        self.standing.send_replace(Standing::Barred(error));
    }

    async fn connect(&mut self, stopping: &mut watch::Receiver<bool>) -> End {
        let connecting = timeout(CONNECT_TIMEOUT, self.connector.connect());
        let connected = tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => return End::Stopping,
            connected = connecting => connected,
        };
        let duplex = match connected {
            Ok(Ok(duplex)) => duplex,
            Ok(Err(error)) => return End::Lost(Closed::transport(error)),
            Err(_) => return End::Lost(Closed::transport("nobody answered in time")),
        };
        // However this ends, the connection does.
        let line = open(duplex);
        let queue = line.queue.clone();
        let begun = Instant::now();
        let has_journal = self.env.has_journal();
        let end = {
            let mut conversing = std::pin::pin!(self.converse(line));
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => {
                    queue.close(farewell(has_journal));
                    End::Stopping
                }
                end = &mut conversing => end,
            }
        };
        queue.close(self.last_word());
        if let End::Lost(closed) = &end
            && (closed.by == Closer::Transport || begun.elapsed() > SILENCE_MAX)
            && *self.standing.borrow() == Standing::Flows
        {
            self.tries = 0;
        }
        end
    }

    async fn converse(&mut self, mut line: Line) -> End {
        match self.begin(&mut line).await {
            Ok(()) => self.carry(line).await,
            Err(end) => end,
        }
    }

    /// Says hello, and asks for the grant if there is none.
    async fn begin(&mut self, line: &mut Line) -> Result<(), End> {
        line.queue.tell(&self.hello());
        let welcome = match self.next(line, CONNECT_TIMEOUT, "no Welcome came in time").await? {
            Frame::Welcome(welcome) => welcome,
            frame => return Err(self.unexpected(&line.queue, &frame)),
        };
        let Welcome { hub, session, key, resumed, .. } = welcome;
        let keeps = resumed && self.known.as_ref().is_some_and(|(known, _)| *known == hub);
        if !keeps {
            // Whatever it was granted it was by another session.
            self.known = None;
            self.claim(line).await?;
        }
        let resume = Resume { session, key, attempt: 0 };
        self.known = Some((hub, resume.clone()));
        self.env.upward().know(hub, resume);
        Ok(())
    }

    /// What is said at the end of a connection, if that has not ended by itself. Who goes on with a
    /// session says nothing that would end it.
    fn last_word(&self) -> Closed {
        let (code, why) = match self.known {
            Some(_) => (CloseCode::Silent, "the hub tries another connection"),
            None => (CloseCode::Done, "the hub is not linked"),
        };
        Closed::local(code, Fault::Nobody, why)
    }

    fn hello(&mut self) -> Hello {
        if let Some((hub, resume)) = &mut self.known {
            resume.attempt = resume.attempt.saturating_add(1);
            self.env.upward().know(*hub, resume.clone());
        }
        Hello {
            magic: Hello::MAGIC,
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            agent: AGENT.to_owned(),
            credentials: Vec::new(),
            resume: self.known.as_ref().map(|(_, resume)| resume.clone()),
            name: String::new(),
            info: Vec::new(),
            extras: Vec::new(),
        }
    }

    async fn claim(&mut self, line: &mut Line) -> Result<(), End> {
        self.claims += 1;
        let number = self.claims;
        let upward = self.env.upward().clone();
        let below = upward.begin_claim();
        line.queue.tell(&Claim { number, below, path: vec![self.env.id()] });
        let answered = self.answered(line, number).await;
        upward.end_claim(answered.is_ok());
        answered
    }

    async fn answered(&mut self, line: &mut Line, number: u32) -> Result<(), End> {
        loop {
            let frame = self.next(line, CLAIM_TIMEOUT, "no grant came in time").await?;
            match frame {
                Frame::Granted(granted) if granted.number == number => return Ok(()),
                Frame::Barred(barred) if barred.number == number => {
                    return Err(self.barred(barred.why));
                }
                // Of another claim.
                Frame::Granted(_) | Frame::Barred(_) | Frame::Heartbeat => {}
                frame => return Err(self.unexpected(&line.queue, &frame)),
            }
        }
    }

    fn barred(&self, why: Bar) -> End {
        if why == Bar::Busy {
            return End::Busy;
        }
        End::Final(LinkError::Barred { address: self.connector.address(), why })
    }

    /// The next frame, alone in its burst: nothing more comes before it is answered.
    async fn next(&mut self, line: &mut Line, within: Duration, late: &str) -> Result<Frame, End> {
        match timeout(within, line.reader.next()).await {
            Ok(Some(Ok(burst))) => {
                first(burst).map_err(|closed| self.ended(closed)).and_then(|frame| match frame {
                    Frame::Goodbye(goodbye) => Err(self.ended(Closed::remote(goodbye))),
                    frame => Ok(frame),
                })
            }
            Ok(Some(Err(closed))) => Err(self.ended(closed)),
            Ok(None) => Err(End::Lost(Closed::transport("the connection has ended"))),
            Err(_) => Err(End::Lost(Closed::local(CloseCode::Silent, Fault::Receiver, late))),
        }
    }

    fn unexpected(&mut self, queue: &Queue, frame: &Frame) -> End {
        let kind = frame.frame_type();
        let closed = Closed::protocol(format!("a {kind:?} frame came before the grant"));
        queue.close(closed.clone());
        self.ended(closed)
    }

    /// Takes what comes down, until the connection ends.
    async fn carry(&mut self, mut line: Line) -> End {
        let hearer = Hearer::new(self.env.clone(), line.reader.inward().clone());
        self.env.tell_below(line.queue.clone()).await;
        self.standing.send_replace(Standing::Flows);
        tracing::info!(address = self.connector.address(), "the link flows");
        let mut hearer = hearer;
        loop {
            let heard = match line.reader.next().await {
                Some(Ok(burst)) => hearer.hear(burst).await,
                Some(Err(closed)) => Err(closed),
                None => Err(Closed::transport("the connection has ended")),
            };
            if let Err(closed) = heard {
                line.queue.close(closed.clone());
                return self.ended(closed);
            }
        }
    }

    fn ended(&mut self, closed: Closed) -> End {
        match closed.code {
            // A try of before this hub's restart counts too.
            CloseCode::Superseded => {
                if let Some((_, resume)) = &mut self.known {
                    resume.attempt = resume.attempt.saturating_add(TRIES_UNKNOWN);
                }
                End::Lost(closed)
            }
            CloseCode::Version | CloseCode::Refused => {
                End::Final(LinkError::Closed { address: self.connector.address(), closed })
            }
            _ => End::Lost(closed),
        }
    }
}

/// What a hub says that stops. One with a journal comes back as who it was.
fn farewell(has_journal: bool) -> Closed {
    let code = if has_journal { CloseCode::ShuttingDown } else { CloseCode::Done };
    Closed::local(code, Fault::Nobody, "the hub stops")
}

fn open(duplex: Duplex) -> Line {
    let connection = connection::open(duplex, Limits::default(), None);
    connection.queue.bound_elsewhere();
    tokio::task::spawn_local(connection.writer);
    Line { reader: connection.reader, queue: connection.queue }
}

fn first(burst: Burst) -> Result<Frame, Closed> {
    let mut burst = burst;
    let bytes = burst.peek().map(<[u8]>::len);
    let frame = burst.decode()?;
    burst.pass_over(bytes.unwrap_or_default());
    match burst.peek() {
        None => Ok(frame),
        Some(_) => Err(Closed::protocol("more came than was asked for")),
    }
}

fn seed_of(one: [u8; 16], other: [u8; 16]) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..16].copy_from_slice(&one);
    seed[16..].copy_from_slice(&other);
    seed
}

/// Tries that may not have been kept when a hub ended.
const TRIES_UNKNOWN: u32 = 16;
const AGENT: &str = concat!("actix-multiplex hub ", env!("CARGO_PKG_VERSION"));
