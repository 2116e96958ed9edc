//! Asks in random trouble: each has one end, no owner is given one twice, and all leaves agree on who
//! owns the object at each place of its order.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, sync::Mutex, time::Duration};

use actix::prelude::*;
use actix_multiplex::{
    AskError, Asked, Client, Handle, Heard, Leaf, Local, OwnerChange, Seq, SessionId, Shout,
    elsewhere, interface,
    journal::Memory,
    limits::REPEATER_RESTARTS,
    testing::{self, Sim, Trouble},
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use tokio::{task::spawn_local, time::sleep};

use crate::pond::{client, keeping};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tick(u32);

/// Is answered with its own number, after so many milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize, Message)]
#[rtype(result = "u32")]
struct Riddle {
    n: u32,
    ms: u64,
}

interface! {
    /// Riddles, and who knows the answers.
    Quiz = "hall.quiz" v1 { state none; handover; 1 => Tick, ask 2 => Riddle -> u32 }
}

/// What all leaves of a run write down.
#[derive(Debug, Default)]
struct Book {
    /// Which client was given which riddle.
    given: Vec<(usize, u32)>,
    /// Who has handed over to whom, as the leaves of a client have heard.
    changes: Vec<(usize, Seq, Change)>,
}

/// From whom, and to whom.
type Change = (Option<SessionId>, Option<SessionId>);

type Shared = Arc<Mutex<Book>>;

/// Stumbles; a local message.
#[derive(Message)]
#[rtype(result = "()")]
struct Stumble;

macro_rules! class {
    ($class:ident) => {
        struct $class {
            who: usize,
            book: Shared,
        }

        impl Actor for $class {
            type Context = Context<Self>;
        }

        impl Supervised for $class {}

        impl Leaf for $class {
            type Interface = Quiz;

            fn owner_changed(&mut self, change: &OwnerChange, _: &mut Context<Self>) {
                let said = (self.who, change.seq(), (change.from(), change.to()));
                self.book.lock().unwrap().changes.push(said);
            }
        }

        impl Handler<Heard<Tick>> for $class {
            type Result = ();

            fn handle(&mut self, _: Heard<Tick>, _: &mut Context<Self>) {}
        }

        impl Handler<Local<Stumble>> for $class {
            type Result = ();

            fn handle(&mut self, _: Local<Stumble>, _: &mut Context<Self>) {
                panic!("it stumbles");
            }
        }
    };
}

class!(Sage);
class!(Pupil);
elsewhere!(Pupil: Riddle);

impl Handler<Asked<Riddle>> for Sage {
    type Result = ResponseActFuture<Self, u32>;

    fn handle(&mut self, riddle: Asked<Riddle>, _: &mut Context<Self>) -> Self::Result {
        self.book.lock().unwrap().given.push((self.who, riddle.n));
        Box::pin(
            async move {
                sleep(Duration::from_millis(riddle.ms)).await;
                riddle.n
            }
            .into_actor(self),
        )
    }
}

const SAGES: usize = 3;
const NAMES: [&str; 5] = ["ada", "blaise", "carl", "dot", "eve"];

struct Run<'a> {
    sim: &'a Sim,
    random: StdRng,
    book: Shared,
    clients: Vec<Client>,
    sages: Vec<Option<Handle<Sage>>>,
    pupils: Vec<Handle<Pupil>>,
    ends: Rc<RefCell<BTreeMap<u32, Result<u32, AskError>>>>,
    asked: u32,
    /// How often the repeater may still panic before the object fails.
    lives: u32,
}

impl<'a> Run<'a> {
    async fn new(sim: &'a Sim) -> Self {
        let (book, mut clients) = (Shared::default(), Vec::new());
        for (who, name) in NAMES.iter().enumerate() {
            let client = client(sim, name).await;
            let (sages, pupils) = (book.clone(), book.clone());
            client.implement::<Sage>(move |_| Sage { who, book: sages.clone() });
            client.implement::<Pupil>(move |_| Pupil { who, book: pupils.clone() });
            clients.push(client);
        }
        let mut sages = vec![Some(clients[0].create::<Sage>(Some("quiz"), ()).await.unwrap())];
        for client in &clients[1..SAGES] {
            sages.push(Some(client.join::<Sage>("quiz").await.unwrap()));
        }
        let mut pupils = Vec::new();
        for client in &clients[SAGES..] {
            pupils.push(client.join::<Pupil>("quiz").await.unwrap());
        }
        let random = StdRng::seed_from_u64(sim.seed());
        let ends = Rc::default();
        Self { sim, random, book, clients, sages, pupils, ends, asked: 0, lives: REPEATER_RESTARTS }
    }

    fn ask(&mut self) {
        self.asked += 1;
        let (n, ms) = (self.asked, self.random.random_range(0..3_000));
        let pupil = self.pupils[self.random.random_range(0..self.pupils.len())].clone();
        let ends = self.ends.clone();
        let within = Duration::from_secs(self.random.random_range(1..20));
        spawn_local(async move {
            let end = pupil.ask_within(Riddle { n, ms }, within).await;
            assert!(ends.borrow_mut().insert(n, end).is_none(), "one end");
        });
    }

    /// A sage leaves, or is back.
    async fn come_or_go(&mut self) {
        let who = self.random.random_range(0..SAGES);
        if self.sages[who].take().is_none() {
            // Its line may be bad.
            let joining = self.clients[who].join::<Sage>("quiz");
            self.sages[who] = tokio::time::timeout(Duration::from_secs(5), joining)
                .await
                .ok()
                .and_then(Result::ok);
        }
    }

    async fn step(&mut self) {
        let name = NAMES[self.random.random_range(0..NAMES.len())];
        match self.random.random_range(0..100) {
            0..50 => self.ask(),
            50..62 => {
                let _receipt = self.pupils[0].try_send(Shout(Tick(1)));
            }
            62..76 => self.sim.network().cut(name),
            76..80 => {
                self.sim.network().hold(name);
                self.sim.network().cut(name);
            }
            80..85 => self.sim.network().mend(name),
            85..89 => self.come_or_go().await,
            89..93 if self.lives > 0 => {
                self.lives -= 1;
                let object = self.pupils[0].object();
                self.sim.hub().sabotage(object, Trouble::Handler).await;
            }
            93..97 => {
                let sage = self.sages[self.random.random_range(0..SAGES)].clone();
                if let Some(sage) = sage {
                    let _stumbled = sage.send(Local(Stumble)).await;
                }
            }
            97..100 => self.sim.restart(),
            _ => {}
        }
        let rest = [0, 1, 50, 700][self.random.random_range(0..4)];
        sleep(Duration::from_millis(self.random.next_u64() % (rest + 1))).await;
    }

    /// Checks what has come of all; and tells how often which end came.
    async fn check(self) -> Tally {
        for name in NAMES {
            self.sim.network().mend(name);
        }
        sleep(Duration::from_mins(2)).await;
        for pupil in &self.pupils {
            // When all is calm nothing is late.
            let (n, ms) = (self.asked + 1, 0);
            match pupil.ask(Riddle { n, ms }).await {
                Ok(answer) => assert!(answer == n && pupil.owner().is_some()),
                Err(AskError::OwnerGone(_)) => assert_eq!(pupil.owner(), None),
                Err(other) => panic!("in the calm: {other}"),
            }
        }
        let (book, ends) = (self.book.lock().unwrap(), self.ends.borrow());
        assert_eq!(ends.len() as u32, self.asked, "every ask has an end");
        let mut tally = Tally::from([("changes", book.changes.len())]);
        for (n, end) in ends.iter() {
            let given: Vec<_> = book.given.iter().filter(|(_, given)| given == n).collect();
            for who in 0..SAGES {
                let times = given.iter().filter(|(sage, _)| *sage == who).count();
                assert!(times <= 1, "riddle {n} was given to {who} {times} times");
            }
            let end = match end {
                Ok(answer) if answer == n && !given.is_empty() => "answered",
                Err(AskError::OwnerGone(_)) => "owner gone",
                Err(AskError::Panicked(_)) => "panicked",
                Err(AskError::Late(_)) => "late",
                Err(AskError::Unknown(_)) => "unknown",
                other => panic!("riddle {n}: {other:?}"),
            };
            *tally.entry(end).or_default() += 1;
        }
        let mut agreed = BTreeMap::new();
        for (who, seq, change) in &book.changes {
            let first = agreed.entry(*seq).or_insert(*change);
            assert_eq!(first, change, "{who} has heard of another owner at {seq}");
        }
        let owners: Vec<_> = self.pupils.iter().map(Handle::owner).collect();
        assert_eq!(owners[0], owners[1]);
        let sages = self.sages.iter().flatten().filter(|sage| sage.gone().is_none());
        for sage in sages {
            assert_eq!(sage.owner(), owners[0]);
        }
        tally
    }
}

/// How often what came.
type Tally = BTreeMap<&'static str, usize>;

fn storm(seed: u64) -> Tally {
    testing::run_with(seed, keeping(Memory::default()), async |sim| {
        let mut run = Run::new(sim).await;
        for _ in 0..60 {
            run.step().await;
        }
        run.check().await
    })
}

#[test]
fn each_ask_has_one_end_whatever_happens_to_a_hub_with_a_journal() {
    let (mut all, seeds) = (Tally::new(), seeds());
    for (what, count) in seeds.clone().flat_map(storm) {
        *all.entry(what).or_default() += count;
    }
    eprintln!("{seeds:?}: {all:?}");
    let ends = ["answered", "changes", "late", "owner gone", "panicked"];
    let is_known = |end: &&str| all.contains_key(end);
    assert!(
        seeds.clone().count() < 100 || ends.iter().all(is_known),
        "all that can happen does: {all:?}"
    );
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(300),
    }
}
