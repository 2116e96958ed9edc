//! Objects that live offline, carried by two threads at once.

use std::{collections::BTreeSet, task::Poll, thread};

use actix_multiplex::{
    Client, HubId, SessionId, Shout,
    transport::{Listener, memory},
    wire::{self, Frame, Limits, Split, Welcome},
};
use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    bounds::ring,
    napkins::{Draw, Drawing, Fold, Sheet, Table, blots, sheets},
};
use crate::client::pond::paused;

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        hub: HubId([5; 16]),
        session: SessionId([3; 16]),
        key: [6; 16],
        resumed: false,
        limits: Limits::default(),
        extras: Vec::new(),
    }
}

/// The whole frames of what was read.
fn frames(read: &mut BytesMut) -> Vec<Frame> {
    let mut frames = Vec::new();
    while read.len() >= 4 && matches!(wire::split(read), Ok(Split::Whole(_))) {
        let length = u32::from_le_bytes(*read.first_chunk().unwrap()) as usize;
        let frame = read.split_to(4 + length).freeze();
        frames.push(Frame::decode(&frame.slice(4..)).unwrap());
    }
    frames
}

#[test]
fn what_a_carrier_leads_to_is_made_known_before_it_on_whatever_thread_it_is_sent() {
    paused(async {
        let (connector, mut listener) = memory::channel("false hub");
        let connecting = tokio::task::spawn_local(Client::connect(connector));
        let mut duplex = listener.accept().await.unwrap();
        duplex.writer.write_all(&wire::encode(&welcome())).await.unwrap();
        let client = connecting.await.unwrap().unwrap();
        let table = Table::default();
        sheets(&client, &table, false);
        blots(&client, &table);
        let ring = ring(&client, 1_500).await;
        let one = client.create::<Sheet>(None, Drawing::default()).await.unwrap();
        let two = client.create::<Sheet>(None, Drawing::default()).await.unwrap();
        drop(two.try_send(Shout(Fold)).unwrap());
        let first = ring[0].1.voice().reference();
        // Of those that the first leads to, nearly the last: they are made known from there on.
        let known = ring.last().unwrap().1.clone();
        thread::scope(|scope| {
            scope.spawn(|| one.try_send(Shout(Draw { blot: first, heard: 0 })).unwrap());
            scope.spawn(|| {
                let mut task = std::task::Context::from_waker(std::task::Waker::noop());
                let blot = loop {
                    match std::pin::pin!(known.carry()).poll(&mut task) {
                        Poll::Ready(blot) => break blot.unwrap(),
                        Poll::Pending => thread::yield_now(),
                    }
                };
                drop(two.try_send(Shout(Draw { blot, heard: 0 })).unwrap());
            });
        });
        let (mut read, mut known, mut draws) = (BytesMut::new(), BTreeSet::new(), 0);
        while draws < 2 {
            assert_ne!(duplex.reader.read_buf(&mut read).await.unwrap(), 0);
            for frame in frames(&mut read) {
                match frame {
                    Frame::Create(create, _) => {
                        known.insert(create.object);
                    }
                    Frame::Shout(shout, _) if !shout.carried.is_empty() => {
                        draws += 1;
                        let of_ring = known.len();
                        assert!(of_ring > 2 * 1_500, "only {of_ring} of the ring are known");
                    }
                    _ => {}
                }
            }
        }
    });
}
