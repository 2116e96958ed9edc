//! Blots are drawn on napkins by three clients of this library and one in Python: new ones, known
//! ones, those in states, and one that is only passed on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use actix::prelude::*;
use actix_multiplex::{
    Client, Handle, Heard, Leaf, ObjectRef, Shout, ShoutAt, Stateful, Voice, interface,
    testing::transcript::Event,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinHandle};

use super::{Foreign, Notes, Words, in_hub, in_time, judge, note};

/// Draw a blot, saying so.
#[derive(Debug, Serialize, Deserialize)]
struct Draw {
    words: String,
    blot: ObjectRef<Blot>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Drawing(Vec<ObjectRef<Blot>>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Ink {
    ink: String,
    beside: Vec<ObjectRef<Blot>>,
}

interface! {
    /// What blots are drawn on.
    Napkin = "foreign.napkin" v1 {
        state Drawing;
        1 => Draw,
    }
}

interface! {
    /// A blot of ink, at which is shouted.
    Blot = "foreign.blot" v1 {
        state Ink;
        1 => Words,
    }
}

#[test]
fn a_client_made_from_the_protocol_alone_and_three_others_carry_objects_to_each_other() {
    in_hub(async |address, notes| {
        let mut party = Party::meet(address, &notes).await;
        let green = party.python_draws().await;
        let blue = party.the_library_draws().await;
        let late = party.python_reads_a_state(&green, &blue).await;
        let ada = Guest::connect(address, "ada", &notes).await;
        party.the_library_reads_a_state(&ada, &green, &blue).await;
        party.a_blot_is_passed_on().await;

        for guest in party.guests.iter().chain([&ada]) {
            guest.receipts().await;
        }
        let mut written = String::new();
        for mut foreign in [late, party.guido] {
            foreign.say("end");
            written += &foreign.end().await;
        }
        let summary = judge(&notes, &written);
        // Napkins: 4 are at the first, 3 at the second, 2 at the third, 2 at the private one.
        // Blots: 6 are at green, grey and blue each, 4 at black.
        assert_eq!((summary.objects, summary.leaves), (8, 33));
        // 3 and 1 at napkins; 3 at green, 4 at blue, 9 at black.
        assert_eq!((summary.shouts, summary.receipts), (20, 20));
    });
}

/// Alec, Amy and Angus with this library, Guido with Python, and the napkin that they draw on.
/// Each of the three shouts at what is drawn, in the handler that hears of it.
struct Party {
    address: String,
    guests: [Guest; 3],
    guido: Foreign,
    napkin: String,
}

impl Party {
    async fn meet(address: &str, notes: &Notes) -> Self {
        let [alec, amy, angus] = ["alec", "amy", "angus"];
        let guests = [
            Guest::connect(address, alec, notes).await,
            Guest::connect(address, amy, notes).await,
            Guest::connect(address, angus, notes).await,
        ];
        let napkin = guests[0].make("napkin", Drawing::default()).await;
        for guest in &guests[1..] {
            guest.join("napkin").await;
        }
        let mut guido = Foreign::run("napkins.py", address, "guido", &[]);
        guido.say("open napkin");
        assert_eq!(guido.told("joined").await, napkin);
        Self { address: address.to_owned(), guests, guido, napkin }
    }

    /// A new blot, beside which there is another that no message carries.
    async fn python_draws(&mut self) -> String {
        self.guido.say("draw napkin green grey");
        let green = self.guido.told("drew").await;
        self.is_told_of(&green, "green").await;
        for guest in &self.guests {
            guest.hear(&green, 3).await;
            guest.see(|laid| {
                let [(drawn, ink, _)] = &laid.drawn[..] else { panic!("one: {:?}", laid.drawn) };
                assert_eq!((drawn, &**ink), (&green, "green"));
                let grey = laid.inks[&green].beside[0].object().to_string();
                assert_eq!(laid.inks[&grey].ink, "grey");
            });
        }
        self.guido.say(&format!("hear {green} 3"));
        assert_eq!(self.guido.told("heard").await, format!("{green} 3"));
        green
    }

    /// A new blot, of which Python has a leaf with its state when it is told; it shouts at it too.
    async fn the_library_draws(&mut self) -> String {
        let [alec, ..] = &self.guests;
        let blue = alec.blot("blue").await;
        alec.draw("napkin", &blue).await;
        self.is_told_of(&blue, "blue").await;
        self.guido.say(&format!("say {blue}"));
        for guest in &self.guests {
            guest.hear(&blue, 4).await;
        }
        blue
    }

    /// The state of a napkin lists blots: it is read by who has leaves of them, and by who has none.
    async fn python_reads_a_state(&mut self, green: &str, blue: &str) -> Foreign {
        let [_, amy, _] = &self.guests;
        let listed = vec![amy.reference(green).await, amy.reference(blue).await];
        let second = amy.make("second", Drawing(listed)).await;
        let mut late = Foreign::run("napkins.py", &self.address, "late", &[]);
        for foreign in [&mut self.guido, &mut late] {
            foreign.say("open second");
            assert_eq!(foreign.told("joined").await, format!("{second} green blue"));
        }
        for (blot, seq) in [(green, 3), (blue, 4)] {
            late.say(&format!("hear {blot} {seq}"));
            assert_eq!(late.told("heard").await, format!("{blot} {seq}"));
        }
        late
    }

    /// The same the other way round: she who joins has nothing yet.
    async fn the_library_reads_a_state(&mut self, ada: &Guest, green: &str, blue: &str) {
        self.guido.say(&format!("make third {green} {blue}"));
        self.guido.told("made").await;
        ada.join("third").await;
        ada.hear(green, 3).await;
        ada.hear(blue, 4).await;
        ada.see(|laid| {
            assert_eq!(laid.restored, [green, blue]);
            let grey = laid.inks[green].beside[0].object().to_string();
            assert_eq!((&*laid.inks[&grey].ink, &*laid.inks[blue].ink), ("grey", "blue"));
        });
    }

    /// Python hears of a blot, lets its leaf go, and passes the reference on to those who have not
    /// heard of it. Who is told of it has heard what was shouted at it before.
    async fn a_blot_is_passed_on(&mut self) {
        let Self { guests: [alec, ..], guido, .. } = self;
        let private = alec.make("private", Drawing::default()).await;
        guido.say("glance private");
        assert_eq!(guido.told("joined").await, private);
        let black = alec.blot("black").await;
        for _ in 0..5 {
            alec.shout(&black);
        }
        alec.hear(&black, 5).await;
        alec.draw("private", &black).await;
        // He shouts once more when he hears of it.
        alec.hear(&black, 6).await;
        let drawn = guido.told("drawn").await;
        let heard = drawn.strip_prefix(&format!("{private} {black} black "));
        assert!(matches!(heard, Some("5" | "6")), "{drawn}");
        guido.say(&format!("pass napkin {black}"));
        self.is_told_of(&black, "black").await;
        for guest in &self.guests {
            guest.hear(&black, 9).await;
            guest.see(|laid| {
                let (drawn, ink, heard) = laid.drawn.last().expect("it was drawn");
                assert_eq!((drawn, &**ink), (&black, "black"));
                assert!(*heard >= 5, "Python had heard 5, and this one {heard}");
            });
        }
        self.guido.say(&format!("hear {black} 9"));
        assert_eq!(self.guido.told("heard").await, format!("{black} 9"));
    }

    /// Python hears that a blot is drawn on the napkin, and has a leaf of it, with its state.
    async fn is_told_of(&mut self, blot: &str, ink: &str) {
        let drawn = self.guido.told("drawn").await;
        assert!(drawn.starts_with(&format!("{} {blot} {ink} ", self.napkin)), "{drawn}");
    }
}

/// A client of this library, and what its leaves have.
struct Guest {
    client: Client,
    desk: Arc<Desk>,
}

/// Where the leaves of a client write.
struct Desk {
    name: &'static str,
    notes: Notes,
    laid: Mutex<Laid>,
    /// The last seq that was heard of each object.
    heard: watch::Sender<BTreeMap<String, u64>>,
}

#[derive(Default)]
struct Laid {
    napkins: BTreeMap<String, Handle<Sheet>>,
    blots: BTreeMap<String, Handle<Spot>>,
    inks: BTreeMap<String, Ink>,
    /// What was drawn: the blot, its ink, and how far it had been heard at that moment.
    drawn: Vec<(String, String, u64)>,
    restored: Vec<String>,
    /// How often was shouted at each object.
    said: BTreeMap<String, u64>,
    receipts: Vec<JoinHandle<()>>,
}

impl Guest {
    async fn connect(address: &str, name: &'static str, notes: &Notes) -> Self {
        let client = in_time(Client::connect(address)).await.expect("the hub is there");
        let (notes, laid) = (notes.clone(), Mutex::default());
        let desk = Desk { name, notes, laid, heard: watch::Sender::default() };
        let desk = Arc::new(desk);
        let at = desk.clone();
        client.implement::<Sheet>(move |me| {
            at.joined(&me.object().to_string());
            Sheet { me, desk: at.clone() }
        });
        let at = desk.clone();
        client.implement::<Spot>(move |me| {
            at.joined(&me.object().to_string());
            Spot { me, desk: at.clone() }
        });
        Self { client, desk }
    }

    fn see<T>(&self, look: impl FnOnce(&mut Laid) -> T) -> T {
        look(&mut self.desk.laid())
    }

    async fn make(&self, name: &str, drawing: Drawing) -> String {
        let made = in_time(self.client.create::<Sheet>(Some(name), drawing)).await;
        self.lay(name, made.expect("it is made"))
    }

    async fn join(&self, name: &str) -> String {
        let joined = in_time(self.client.join::<Sheet>(name)).await;
        self.lay(name, joined.expect("it is there"))
    }

    fn lay(&self, name: &str, sheet: Handle<Sheet>) -> String {
        let object = sheet.object().to_string();
        self.see(|laid| laid.napkins.insert(name.to_owned(), sheet));
        object
    }

    /// A new one, of which the hub knows nothing yet.
    async fn blot(&self, ink: &str) -> String {
        let ink = Ink { ink: ink.to_owned(), beside: Vec::new() };
        let spot = in_time(self.client.create::<Spot>(None, ink)).await.expect("it is made");
        let object = spot.object().to_string();
        self.see(|laid| laid.blots.insert(object.clone(), spot));
        object
    }

    async fn reference(&self, blot: &str) -> ObjectRef<Blot> {
        let spot = self.see(|laid| laid.blots[blot].clone());
        in_time(spot.carry()).await.expect("it can be carried")
    }

    async fn draw(&self, napkin: &str, blot: &str) {
        let blot = self.reference(blot).await;
        let sheet = self.see(|laid| laid.napkins[napkin].clone());
        self.desk.shout(&sheet, |words| Draw { words, blot });
    }

    fn shout(&self, blot: &str) {
        let spot = self.see(|laid| laid.blots[blot].clone());
        self.desk.shout(&spot, Words);
    }

    /// Waits until its leaf has heard so much.
    async fn hear(&self, object: &str, seq: u64) {
        let mut heard = self.desk.heard.subscribe();
        let enough = heard.wait_for(|heard| heard.get(object).is_some_and(|last| *last >= seq));
        in_time(enough).await.expect("the desk is there");
    }

    async fn receipts(&self) {
        for receipted in self.see(|laid| std::mem::take(&mut laid.receipts)) {
            in_time(receipted).await.expect("it is sequenced");
        }
    }
}

impl Desk {
    fn laid(&self) -> MutexGuard<'_, Laid> {
        self.laid.lock().expect("nobody panicked")
    }

    /// All objects are young: their states contain no shout.
    fn joined(&self, object: &str) {
        note(&self.notes, &Event::Joined { leaf: self.name, object, after: 0 });
    }

    fn heard(&self, object: &str, seq: u64, text: &str) {
        let voice = text.split(':').next().unwrap_or_default();
        note(&self.notes, &Event::Heard { leaf: self.name, object, seq, voice, text });
        self.heard.send_modify(|heard| {
            heard.insert(object.to_owned(), seq);
        });
    }

    /// Shouts the words that come next at this object, and writes down what becomes of them.
    fn shout<A: Leaf, M>(&self, handle: &Handle<A>, message: impl FnOnce(String) -> M)
    where
        M: ShoutAt<A::Interface>,
    {
        let (voice, object) = (self.name, handle.object().to_string());
        let mut laid = self.laid();
        let said = laid.said.entry(object.clone()).or_default();
        *said += 1;
        let (n, text) = (*said, format!("{voice}:{said}"));
        note(&self.notes, &Event::Said { voice, object: &object, n, text: &text });
        let receipted = handle.try_send(Shout(message(text))).expect("the window has room");
        let notes = self.notes.clone();
        laid.receipts.push(actix::spawn(async move {
            let seq = receipted.await.expect("it is sequenced").seq().0;
            note(&notes, &Event::Receipted { voice, object: &object, n, seq });
        }));
    }
}

struct Sheet {
    me: Voice<Napkin>,
    desk: Arc<Desk>,
}

impl Sheet {
    fn bind(&self, blot: &ObjectRef<Blot>) -> Handle<Spot> {
        let client = self.me.client().expect("the client is there");
        let spot = client.bind::<Spot>(blot).now().expect("its leaf is there");
        self.desk.laid().blots.insert(blot.object().to_string(), spot.clone());
        spot
    }
}

impl Actor for Sheet {
    type Context = Context<Self>;
}

impl Supervised for Sheet {}

impl Leaf for Sheet {
    type Interface = Napkin;
}

impl Stateful<Drawing> for Sheet {
    fn state(&self) -> Option<Drawing> {
        None
    }

    fn restore(&mut self, drawing: Drawing, _: &mut Context<Self>) {
        for blot in &drawing.0 {
            self.bind(blot);
            self.desk.laid().restored.push(blot.object().to_string());
        }
    }
}

impl Handler<Heard<Draw>> for Sheet {
    type Result = ();

    fn handle(&mut self, draw: Heard<Draw>, _: &mut Context<Self>) {
        self.desk.heard(&self.me.object().to_string(), draw.seq().0, &draw.words);
        let spot = self.bind(&draw.blot);
        let object = draw.blot.object().to_string();
        let heard = self.desk.heard.borrow().get(&object).copied().unwrap_or_default();
        let ink = self.desk.laid().inks[&object].ink.clone();
        self.desk.laid().drawn.push((object, ink, heard));
        self.desk.shout(&spot, Words);
    }
}

struct Spot {
    me: Voice<Blot>,
    desk: Arc<Desk>,
}

impl Actor for Spot {
    type Context = Context<Self>;
}

impl Supervised for Spot {}

impl Leaf for Spot {
    type Interface = Blot;
}

impl Stateful<Ink> for Spot {
    fn state(&self) -> Option<Ink> {
        None
    }

    fn restore(&mut self, ink: Ink, _: &mut Context<Self>) {
        for beside in &ink.beside {
            let client = self.me.client().expect("the client is there");
            let spot = client.bind::<Self>(beside).now().expect("its leaf is there");
            self.desk.laid().blots.insert(beside.object().to_string(), spot);
        }
        self.desk.laid().inks.insert(self.me.object().to_string(), ink);
    }
}

impl Handler<Heard<Words>> for Spot {
    type Result = ();

    fn handle(&mut self, heard: Heard<Words>, _: &mut Context<Self>) {
        self.desk.heard(&self.me.object().to_string(), heard.seq().0, &heard.0);
    }
}
