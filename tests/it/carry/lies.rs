//! Lists of carried objects that lie: each has its defined answer, and the carrier is heard.

use std::time::Duration;

use actix_multiplex::{
    BindError, Carried, Hub, Kind, ObjectId, Op, Seq, Shout,
    transport::Connector,
    wire::{Attach, Hello, Target, VERSION_MAX, VERSION_MIN, encode, encode_shout},
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt, copy, sink},
    task::spawn_local,
    time::{Instant, sleep},
};

use super::napkins::{Drawing, Fold, Ink, Sheet, Spot, guest};
use crate::client::pond::{hub, paused, settle, soon};

/// A client that shouts what it likes at one napkin.
struct Liar {
    writer: Box<dyn AsyncWrite + Send + Unpin>,
    napkin: ObjectId,
    said: u64,
}

impl Liar {
    async fn at(hub: &Hub, napkin: ObjectId) -> Self {
        let mut duplex = hub.local().connect().await.unwrap();
        spawn_local(async move { copy(&mut duplex.reader, &mut sink()).await });
        let hello = Hello {
            magic: *b"MPLX",
            version_min: VERSION_MIN,
            version_max: VERSION_MAX,
            agent: "liar".to_owned(),
            credentials: Vec::new(),
            resume: None,
            name: String::new(),
            info: Vec::new(),
            extras: Vec::new(),
        };
        duplex.writer.write_all(&encode(&hello)).await.unwrap();
        settle().await;
        let interface = <super::napkins::Napkin as actix_multiplex::Interface>::id();
        let target = Target::Object(napkin);
        let attach = encode(&Attach { request: 1, target, interface });
        duplex.writer.write_all(&attach).await.unwrap();
        Self { writer: duplex.writer, napkin, said: 0 }
    }

    /// Draws what is at `place` of the list.
    async fn draw(&mut self, carried: Vec<Carried>, place: u8) {
        self.said += 1;
        let shout = encode_shout(self.napkin, Op(self.said), Kind(1), carried, &[place, 0]);
        self.writer.write_all(&shout).await.unwrap();
    }
}

fn blot(object: ObjectId, seq: u64) -> Carried {
    Carried { object, tag: "napkin.blot".parse().unwrap(), seq: Seq(seq) }
}

#[test]
fn a_list_that_lies_is_told_by_bind_and_holds_nothing_up_for_longer_than_5_s() {
    paused(async {
        let hub = hub();
        let (alec, _) = guest(&hub, 1, true).await;
        let (amy, amys) = guest(&hub, 2, false).await;
        let napkin = alec.create::<Sheet>(Some("napkin"), Drawing::default()).await.unwrap();
        let other = alec.create::<Sheet>(Some("other"), Drawing::default()).await.unwrap();
        let real = alec.create::<Spot>(None, Ink::default()).await.unwrap();
        real.name("blot").await.unwrap();
        let _amys = amy.join::<Sheet>("napkin").await.unwrap();
        let mut liar = Liar::at(&hub, napkin.object()).await;

        liar.draw(vec![blot(ObjectId([0xee; 16]), 0)], 0).await;
        liar.draw(vec![blot(other.object(), 0)], 0).await;
        liar.draw(vec![blot(napkin.object(), 0)], 0).await;
        // No place of the list, and an object of another interface: no such message.
        liar.draw(vec![blot(real.object(), 0)], 1).await;
        let itself = Carried { tag: "napkin".parse().unwrap(), ..blot(napkin.object(), 0) };
        liar.draw(vec![itself], 0).await;
        // One that is there twice is there.
        liar.draw(vec![blot(real.object(), 0), blot(real.object(), 0)], 1).await;
        settle().await;
        amys.see(|laid| {
            let [unknown, foreign, itself, twice] = &laid.drawn[..] else {
                panic!("{:?}", laid.drawn)
            };
            assert_eq!(*unknown, Err(BindError::Gone));
            let why = "the object is a napkin v1, not a napkin.blot v1".to_owned();
            assert_eq!(*foreign, Err(BindError::Refused(why)));
            assert!(matches!(itself, Err(BindError::OtherClass { .. })), "{itself:?}");
            assert_eq!(*twice, Ok(Ink::default()));
        });

        let began = Instant::now();
        liar.draw(vec![blot(real.object(), 1_000)], 0).await;
        settle().await;
        soon(napkin.send(Shout(Fold))).await.unwrap();
        while amys.see(|laid| laid.folds) == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(6), "{took:?}");
        amys.see(|laid| assert_eq!(laid.drawn.last(), Some(&Err(BindError::Late))));
    });
}
