//! One schedule, carried out. What waits for the hub is done aside, so that it races.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use actix_multiplex::{
    Client, Denied, Gone, Hub, JoinError, ObjectId, Rights, Visit, Wish,
    testing::{Sim, Stress, Trouble, run_with as simulate},
    wire::Refusal,
};
use rand::RngExt;
use tokio::{task::spawn_local, time::sleep};

use super::{
    book::{Book, Decision, Desk, Guest, Met, Page},
    nodes::{Any, Blot, Hand, How, Napkin, Node, Sort, Tally},
    steps::{NAMES, Plan, Source, Step},
};

/// What came of a schedule.
pub(super) struct Story {
    pub(super) seed: u64,
    pub(super) plan: Plan,
    pub(super) book: Book,
    pub(super) stress: Stress,
    /// Objects that the hub did not take.
    pub(super) refused: BTreeSet<ObjectId>,
    /// Objects whose repeater panicked.
    pub(super) panicked: BTreeSet<ObjectId>,
    pub(super) panics: u64,
}

/// Carries out the schedule of a seed.
pub(super) fn run(seed: u64) -> Story {
    let plan = Plan::of(seed);
    let admitting = std::sync::OnceLock::<Book>::new();
    let admitting = std::sync::Arc::new(admitting);
    let asked = admitting.clone();
    let hub = move || {
        let asked = asked.clone();
        Hub::builder().admission(move |visit| {
            let book = asked.get().expect("the book is there before the first client").clone();
            decide(book, visit)
        })
    };
    simulate(seed, hub, async |sim| {
        let book = Book::new(seed);
        assert!(admitting.set(book.clone()).is_ok(), "is set once");
        let mut stage = Stage::new(sim, book, &plan).await;
        for step in &plan.steps {
            stage.take(step).await;
        }
        stage.end().await;
        let (stress, refused) = (sim.network().stress(), stage.refused());
        stage.let_go();
        let Stage { book, panicked, panics, .. } = stage;
        let panicked = panicked.into_keys().collect();
        Story { seed, plan, book, stress, refused, panicked, panics }
    })
}

/// Decides by the seed, after a while or never.
async fn decide(book: Book, visit: Visit) -> Result<Rights, Denied> {
    let object = match &visit.wish {
        Wish::Create { .. } => None,
        Wish::Join { object, .. } => Some(*object),
        _ => return Ok(Rights::ALL),
    };
    let may_be_refused = !matches!(visit.wish, Wish::Create { name: Some(_), .. });
    let Some(client) = book.see(|page| page.client_of(visit.session)) else {
        return Err(Denied::because("nobody knows you"));
    };
    let (at, wait, is_refused) = book.see(|page| page.weigh(client, object, may_be_refused));
    if wait > 0 {
        sleep(Duration::from_millis(wait)).await;
    }
    book.see(|page| page.decisions[at].to = Some(page.now()));
    if is_refused { Err(Denied::because("by the seed")) } else { Ok(Rights::ALL) }
}

impl Page {
    /// How long a decision takes, and whether it is a no. Who has a leaf is let in again.
    fn weigh(
        &mut self,
        client: usize,
        object: Option<ObjectId>,
        may_be_refused: bool,
    ) -> (usize, u64, bool) {
        let again = object.is_some_and(|object| self.seated.contains_key(&(client, object)));
        let (wait, is_refused) = match self.random.random_range(0..1_000) {
            0..700 => (0, false),
            700..850 => (self.random.random_range(1..300), false),
            _ if again => (0, false),
            850..900 => (self.random.random_range(300..4_000), false),
            900..915 if object.is_some() => (NEVER_MS, false),
            915..940 if may_be_refused => (0, true),
            940..950 if may_be_refused => (self.random.random_range(1..300), true),
            _ => (0, false),
        };
        let from = self.now();
        self.decisions.push(Decision { client, object, from, to: None, is_refused });
        (self.decisions.len() - 1, wait, is_refused)
    }
}

/// The schedule as it is carried out.
struct Stage<'a> {
    sim: &'a Sim,
    book: Book,
    players: Vec<Player>,
    /// When a repeater panicked last.
    panicked: BTreeMap<ObjectId, u64>,
    panics: u64,
}

/// A client that does something aside.
#[derive(Clone)]
struct Player {
    client: Client,
    desk: Desk,
    book: Book,
    number: usize,
}

impl<'a> Stage<'a> {
    async fn new(sim: &'a Sim, book: Book, plan: &Plan) -> Self {
        let mut players = Vec::new();
        for number in 0..plan.clients {
            book.see(|page| page.clients.push(Guest::default()));
            let client = sim.witness(&line(number)).await.client().clone();
            let session = client.session();
            book.see(|page| page.clients[number].session = Some(session));
            let player = Player { client, desk: book.desk(number), book: book.clone(), number };
            for sort in [Sort::Napkin, Sort::Blot] {
                if plan.unknown[number] != Some(sort) {
                    player.learn(sort);
                }
            }
            players.push(player);
        }
        Self { sim, book, players, panicked: BTreeMap::new(), panics: 0 }
    }

    async fn take(&mut self, step: &Step) {
        let network = self.sim.network();
        match step.clone() {
            Step::Create(client, sort, what) => {
                self.aside(client, async move |it| it.create(sort, &what).await);
            }
            Step::Circle(client) => self.aside(client, async |it| it.circle().await),
            Step::Chain(client, at) => self.aside(client, async move |it| it.chain(at).await),
            Step::Stranger(client) => self.aside(client, async |it| it.stranger().await),
            Step::Shout { client, at, how, what, pass } => {
                self.aside(client, async move |it| it.shout(at, how, &what, pass).await);
            }
            Step::Open(client, name) => {
                for each in [client, (client + 1) % self.players.len()] {
                    self.aside(each, async move |it| it.open(name % NAMES).await);
                }
            }
            Step::Join(client, name) => {
                self.aside(client, async move |it| it.join(name % NAMES).await);
            }
            Step::Learn(client) => self.aside(client, async |it| it.learn_the_rest().await),
            Step::Bind(client, pick) => {
                self.aside(client, async move |it| it.bind_known(pick).await);
            }
            Step::Drop(client, pick) => self.players[client].let_go(pick),
            Step::Destroy(client, pick) => self.destroy(client, pick),
            Step::Drag(client, pick) => self.aside(client, async move |it| it.drag(pick).await),
            Step::Delay(client, ms) => {
                self.mend(client);
                network.delay(&line(client), Duration::from_millis(ms));
            }
            Step::Tear(client) => {
                self.mend(client);
                network.tear(&line(client));
            }
            Step::Hold(client, ms) => self.hold(client, ms),
            Step::Mend(client) => self.mend(client),
            Step::Cut(client) => {
                self.book.see(|page| {
                    let now = page.now();
                    page.clients[client].cut.get_or_insert(now);
                });
                network.cut(&line(client));
            }
            Step::Panic(client, pick, trouble) => self.panic(client, pick, trouble).await,
            Step::Sleep(ms) => sleep(Duration::from_millis(ms)).await,
        }
    }

    fn aside(&self, client: usize, act: impl AsyncFnOnce(&Player) + 'static) {
        let player = self.players[client].clone();
        spawn_local(async move { act(&player).await });
    }

    fn destroy(&self, client: usize, pick: usize) {
        let Some(hand) = self.players[client].hand(pick) else { return };
        let ending = self.book.see(|page| page.destroy(client, hand.object()));
        self.aside(client, async move |it| {
            let answer = hand.destroy().await;
            it.book.see(|page| page.answered(ending, answer));
        });
    }

    fn hold(&self, client: usize, ms: u64) {
        self.book.see(|page| {
            let now = page.now();
            page.clients[client].held.push((now, None));
        });
        let (network, book) = (self.sim.network().clone(), self.book.clone());
        network.hold(&line(client));
        spawn_local(async move {
            sleep(Duration::from_millis(ms)).await;
            network.mend(&line(client));
            book.see(|page| page.mended(client));
        });
    }

    fn mend(&self, client: usize) {
        self.sim.network().mend(&line(client));
        self.book.see(|page| page.mended(client));
    }

    async fn panic(&mut self, client: usize, pick: usize, trouble: Trouble) {
        let Some(hand) = self.players[client].hand(pick) else { return };
        let (object, now) = (hand.object(), self.book.see(|page| page.now()));
        // Six panics in ten seconds end an object, which is another story.
        if self.panicked.get(&object).is_none_or(|last| last + 3_000 < now)
            && self.sim.hub().sabotage(object, trouble).await
        {
            self.panicked.insert(object, now);
            self.panics += 1;
        }
    }

    async fn end(&mut self) {
        for client in 0..self.players.len() {
            self.mend(client);
        }
        // States wait for states that wait, 5 s each at most.
        sleep(Duration::from_secs(40)).await;
        self.sim.settle().await;
    }

    fn refused(&self) -> BTreeSet<ObjectId> {
        self.book.see(|page| {
            let hands = page.clients.iter().flat_map(|guest| guest.hands.values());
            let objects = hands.filter(|(hand, _)| is_refused(hand)).map(|(hand, _)| hand.object());
            objects.collect()
        })
    }

    /// Handles keep their clients, and their clients' classes the book.
    fn let_go(&self) {
        let hands: Vec<_> = self.book.see(|page| {
            page.is_over = true;
            page.clients.iter_mut().map(|guest| std::mem::take(&mut guest.hands)).collect()
        });
        drop(hands);
    }
}

impl Page {
    fn mended(&mut self, client: usize) {
        let now = self.now();
        for (_, to) in &mut self.clients[client].held {
            to.get_or_insert(now);
        }
    }
}

impl Player {
    fn learn(&self, sort: Sort) {
        let desk = self.desk.clone();
        match sort {
            Sort::Napkin => {
                self.client.implement(move |me| Node::<Napkin>::new(me, desk.clone()));
            }
            Sort::Blot => self.client.implement(move |me| Node::<Blot>::new(me, desk.clone())),
        }
        self.book.see(|page| {
            let now = page.now();
            page.clients[self.number].knows.entry(sort).or_insert(now);
        });
    }

    /// Learns what it does not know, and binds one that it has heard of.
    async fn learn_the_rest(&self) {
        for sort in [Sort::Napkin, Sort::Blot] {
            if self.book.see(|page| page.clients[self.number].knows.contains_key(&sort)) {
                continue;
            }
            self.learn(sort);
            let opaque = self.book.see(|page| {
                let heard = page.clients[self.number].heard.iter();
                heard.rev().find(|what| what.sort() == sort).cloned()
            });
            if let Some(opaque) = opaque {
                self.bind(opaque).await;
            }
        }
    }

    fn hand(&self, pick: usize) -> Option<Hand> {
        self.book.see(|page| {
            let hands = &page.clients[self.number].hands;
            hands.values().nth(pick % hands.len().max(1)).map(|(hand, _)| hand.clone())
        })
    }

    /// Holds a leaf, to the end if it was the object's first.
    fn keep(&self, hand: Hand, is_first: bool) {
        self.book.see(|page| {
            let hands = &mut page.clients[self.number].hands;
            hands.entry(hand.object()).or_insert((hand, is_first)).1 |= is_first;
        });
    }

    fn let_go(&self, pick: usize) {
        self.book.see(|page| {
            let hands = &mut page.clients[self.number].hands;
            let loose = hands.iter().filter(|(_, (_, is_first))| !is_first);
            let loose: Vec<_> = loose.map(|(object, _)| *object).collect();
            hands.remove(loose.get(pick % loose.len().max(1)).unwrap_or(&ObjectId([0; 16])));
        });
    }

    async fn reference(&self, source: Source) -> Option<Any> {
        let known = |pick: fn(&[Any], usize) -> Option<&Any>, at| {
            self.book.see(|page| pick(&page.clients[self.number].heard, at).cloned())
        };
        match source {
            Source::Held(pick) if pick % 4 == 0 => Some(self.hand(pick)?.reference()),
            Source::Held(pick) => self.hand(pick)?.carry().await,
            Source::Known(pick) => known(|heard, at| heard.get(at % heard.len().max(1)), pick),
            Source::JustHeard => known(|heard, _| heard.last(), 0),
        }
    }

    async fn references(&self, sources: &[Source]) -> Vec<Any> {
        let mut references = Vec::new();
        for source in sources {
            references.extend(self.reference(*source).await);
        }
        references
    }

    async fn create(&self, sort: Sort, what: &[Source]) {
        let state = Tally { carries: self.references(what).await, ..Tally::default() };
        let Some(made) = Hand::create(&self.client, sort, state).await else { return };
        self.made(made);
    }

    fn made(&self, hand: Hand) {
        self.book.see(|page| page.makers.insert(hand.object(), self.number));
        self.keep(hand, true);
    }

    /// Nobody at this client comes by either before both are closed.
    async fn circle(&self) {
        let create = |sort| Hand::create(&self.client, sort, Tally::default());
        let Some(napkin) = create(Sort::Napkin).await else { return };
        let Some(blot) = create(Sort::Blot).await else { return };
        napkin.close(blot.reference()).await;
        blot.close(napkin.reference()).await;
        self.made(napkin);
        self.made(blot);
    }

    async fn chain(&self, at: usize) {
        let mut carries = Vec::new();
        for sort in [Sort::Blot, Sort::Napkin, Sort::Blot, Sort::Napkin] {
            let state = Tally { carries, ..Tally::default() };
            let Some(made) = Hand::create(&self.client, sort, state).await else { return };
            carries = vec![made.reference()];
            self.made(made);
        }
        if let Some(hand) = self.hand(at) {
            self.say(&hand, How::Say, carries, None);
        }
    }

    async fn stranger(&self) {
        let Some(made) = Hand::create(&self.client, Sort::Blot, Tally::default()).await else {
            return;
        };
        self.book.see(|page| {
            page.strangers.insert(made.object());
            page.clients[self.number].heard.push(made.reference());
        });
    }

    async fn shout(&self, at: usize, how: How, what: &[Source], pass: Option<usize>) {
        let Some(hand) = self.hand(at) else { return };
        let what = self.references(what).await;
        self.say(&hand, how, what, pass);
    }

    fn say(&self, hand: &Hand, how: How, what: Vec<Any>, pass: Option<usize>) {
        let words = self.desk.words(hand.object(), what, pass);
        self.desk.await_receipt(words.word, hand.shout(how, words));
    }

    async fn open(&self, name: usize) {
        let ((text, sort), from) = (named(name), self.book.see(|page| page.now()));
        let opened = Hand::open(&self.client, sort, &text, Tally::default()).await;
        self.met(name, from, opened, true);
    }

    async fn join(&self, name: usize) {
        let ((text, sort), from) = (named(name), self.book.see(|page| page.now()));
        let joined = Hand::join(&self.client, sort, &text).await;
        self.met(name, from, joined, false);
    }

    fn met(&self, name: usize, from: u64, found: Result<Hand, JoinError>, is_first: bool) {
        let client = self.number;
        let object = found.as_ref().map(Hand::object).map_err(Clone::clone);
        self.book.see(|page| page.met.push(Met { client, name, object, from }));
        if let Ok(hand) = found {
            self.keep(hand, is_first);
        }
    }

    async fn bind_known(&self, pick: usize) {
        if let Some(what) = self.reference(Source::Known(pick)).await {
            self.bind(what).await;
        }
    }

    async fn bind(&self, what: Any) {
        if let Ok(bound) = what.bound(&self.client).await {
            self.book.see(|page| page.bound_later(self.number, what.object()));
            self.keep(bound, false);
        }
    }

    async fn drag(&self, pick: usize) {
        if let Some(hand) = self.hand(pick) {
            hand.drag().await;
        }
    }
}

/// Whoever was about to come back to an object that ended is refused as well.
fn is_refused(hand: &Hand) -> bool {
    matches!(hand.gone(), Some(Gone::Refused(why)) if why != Refusal::Gone)
}

fn named(name: usize) -> (String, Sort) {
    let sort = if name == 1 { Sort::Blot } else { Sort::Napkin };
    (format!("place-{name}"), sort)
}

fn line(client: usize) -> String {
    format!("client-{client}")
}

/// Longer than a hub waits for its admission.
const NEVER_MS: u64 = 3_600_000;
