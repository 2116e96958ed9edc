//! What a carrier leads to is bounded, and waits for the leaf that is there.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::prelude::*;
use actix_multiplex::{
    Denied, Handle, Heard, Hub, Leaf, ObjectRef, Rights, Shout, Stateful, Visit, Voice, Wish,
    interface,
};
use serde::{Deserialize, Serialize};

use super::napkins::{Blot, Draw, Drawing, Ink, Lie, Rotate, Sheet, Spot, blots, guest, stranger};
use crate::client::pond::{hub, paused, settle, soon};

/// Paste a picture into the album.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Paste(ObjectRef<Picture>);

interface! {
    /// A newer blot.
    pub(super) Picture = "napkin.blot" v2 { state none; }
}

interface! {
    /// What pictures are pasted into.
    pub(super) Album = "album" v1 { state none; 1 => Paste }
}

struct Page {
    me: Voice<Album>,
    pasted: Arc<AtomicUsize>,
}

struct Photo;

impl Actor for Page {
    type Context = Context<Self>;
}

impl Supervised for Page {}

impl Leaf for Page {
    type Interface = Album;
}

impl Handler<Heard<Paste>> for Page {
    type Result = ();

    fn handle(&mut self, paste: Heard<Paste>, _: &mut Context<Self>) {
        let bound = self.me.client().unwrap().bind::<Photo>(&paste.0).now();
        bound.expect("its class is implemented");
        self.pasted.fetch_add(1, Ordering::Relaxed);
    }
}

impl Actor for Photo {
    type Context = Context<Self>;
}

impl Supervised for Photo {}

impl Leaf for Photo {
    type Interface = Picture;
}

#[test]
fn a_carried_object_gets_the_class_of_its_own_version() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, _) = guest(&hub, 2, true).await;
        let pasted = Arc::new(AtomicUsize::new(0));
        for client in [&alec, &amy] {
            let at = pasted.clone();
            client.implement::<Photo>(|_| Photo);
            client.implement::<Page>(move |me| Page { me, pasted: at.clone() });
        }
        let album = alec.create::<Page>(Some("album"), ()).await.unwrap();
        let amys = amy.join::<Page>("album").await.unwrap();
        let photo = alec.create::<Photo>(None, ()).await.unwrap();
        let carried = photo.carry().await.unwrap();
        soon(album.send(Shout(Paste(carried)))).await.unwrap();
        settle().await;
        assert_eq!(pasted.load(Ordering::Relaxed), 2, "{:?}", amys.gone());
    });
}

/// Sheets and blots in a ring, each listing the next; all live offline.
pub(super) async fn ring(
    alec: &actix_multiplex::Client,
    pairs: usize,
) -> Vec<(Handle<Sheet>, Handle<Spot>)> {
    let mut all = Vec::new();
    for _ in 0..pairs {
        let sheet = alec.create::<Sheet>(None, Drawing::default()).await.unwrap();
        all.push((sheet, alec.create::<Spot>(None, Ink::default()).await.unwrap()));
    }
    for at in 0..pairs {
        let (sheet, spot) = &all[at];
        let drawing = Drawing(vec![spot.voice().reference()]);
        let _published_later = sheet.voice().carry(drawing).unwrap();
        let on = vec![all[(at + 1) % pairs].0.voice().reference()];
        let _published_later = spot.voice().carry(Ink { on, ..Ink::default() }).unwrap();
    }
    all
}

#[test]
fn one_shout_makes_no_more_leaves_than_its_bound() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, false).await;
        let (amy, table) = stranger(&hub, 2, false).await;
        let (made, many) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Notify::new()));
        let (count, tell) = (made.clone(), many.clone());
        amy.implement::<Spot>(move |me| {
            // Half of all leaves are blots: more than twice as many as there are blots.
            if count.fetch_add(1, Ordering::Relaxed) == 3_500 {
                tell.notify_one();
            }
            Spot { me, table: table.clone(), ink: Ink::default() }
        });
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let ring = ring(&alec, 1_700).await;
        let blot = ring[0].1.voice().reference();
        soon(napkin.send(Shout(Draw { blot, heard: 0 }))).await.unwrap();
        let _idle = tokio::time::timeout(Duration::from_secs(20), many.notified()).await;
        let made = made.load(Ordering::Relaxed);
        assert!(made <= 512, "one shout made {made} leaves of 1700 blots");
    });
}

/// Another class for blots.
struct Stain {
    is_restored: Arc<AtomicBool>,
}

impl Actor for Stain {
    type Context = Context<Self>;
}

impl Supervised for Stain {}

impl Leaf for Stain {
    type Interface = Blot;
}

impl Stateful<Ink> for Stain {
    fn state(&self) -> Option<Ink> {
        None
    }

    fn restore(&mut self, _: Ink, _: &mut Context<Self>) {
        self.is_restored.store(true, Ordering::Relaxed);
    }
}

impl Handler<Heard<Rotate>> for Stain {
    type Result = ();

    fn handle(&mut self, _: Heard<Rotate>, _: &mut Context<Self>) {}
}

impl Handler<Heard<Lie>> for Stain {
    type Result = ();

    fn handle(&mut self, _: Heard<Lie>, _: &mut Context<Self>) {}
}

/// Joins of blots take a moment, and those of napkins by their ids two seconds.
fn slow_hub() -> Hub {
    let admission = |visit: Visit| {
        let ms = match &visit.wish {
            Wish::Join { interface, .. } if interface.tag.as_str() == "napkin.blot" => 100,
            Wish::Join { name: None, .. } => 2_000,
            _ => 0,
        };
        async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Ok::<_, Denied>(Rights::ALL)
        }
    };
    Hub::builder().seed(7).admission(admission).start().unwrap()
}

#[test]
fn a_carrier_waits_for_a_leaf_that_the_program_made_while_it_was_fetched() {
    paused(async {
        let hub = slow_hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, true).await;
        let is_restored = Arc::new(AtomicBool::new(false));
        let at = is_restored.clone();
        amy.implement::<Stain>(move |_| Stain { is_restored: at.clone() });
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let other = alec.create::<Sheet>(None, Drawing::default()).await.unwrap();
        let on = vec![other.carry().await.unwrap()];
        let blot = alec.create::<Spot>(None, Ink { on, ..Ink::default() }).await.unwrap();
        blot.name("blot").await.unwrap();
        let joining = amy.join::<Stain>("blot");
        let drawing = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let blot = blot.carry().await.unwrap();
            napkin.send(Shout(Draw { blot, heard: 0 })).await.unwrap();
        };
        let (stain, ()) = tokio::join!(joining, drawing);
        let _stain = stain.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let was_heard = amys.see(|laid| !laid.drawn.is_empty());
        assert!(!was_heard || is_restored.load(Ordering::Relaxed), "the leaf has no state yet");
        blots(&amy, &amys);
    });
}
