//! A hub that says what a sound one does not: how a client takes it.

use actix_multiplex::{
    Client, Cursor, Epoch, HubId, Kind, Leaf, ObjectId, Op, Seq, SessionId, Shout, decode, encode,
    transport::{Duplex, Listener, memory},
    wire::{
        self, BatchBuilder, CloseCode, Done, Frame, Header, Joined, Limits, Member, MemberChange,
        Members, MembersChanged, Outcome, Refusal, Refused, Rejoin, Request, SnapshotWanted, Split,
        StateIs, StatePiece, Verdict, Welcome,
    },
};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::pond::{Croak, Log, TextNewt, paused, settle};
use crate::ledger::{Add, Book, Clerk, Sum, Telling};

pub(super) const OBJECT: ObjectId = ObjectId([1; 16]);
pub(super) const EPOCH: Epoch = Epoch([2; 8]);
const HER: SessionId = SessionId([3; 16]);
pub(super) const SOMEBODY: SessionId = SessionId([4; 16]);

/// The hub's end of a connection, in the test's hands.
pub(super) struct FalseHub {
    duplex: Duplex,
    read: BytesMut,
}

impl FalseHub {
    /// A client that was welcomed.
    async fn with_a_client() -> (Self, Client) {
        let (connector, mut listener) = memory::channel("false hub");
        let connecting = tokio::task::spawn_local(Client::connect(connector));
        let (mut hub, _) = Self::called(&mut listener).await;
        hub.welcome(6, false).await;
        (hub, connecting.await.unwrap().unwrap())
    }

    /// One with a leaf of a newt that has heard nothing.
    pub(super) async fn with_a_leaf() -> (Self, Client, Log) {
        let (mut hub, client) = Self::with_a_client().await;
        let log = TextNewt::at(&client);
        hub.let_in::<TextNewt>(&client, None).await;
        (hub, client, log)
    }

    /// Lets the client in with a leaf.
    async fn let_in<A: Leaf>(&mut self, client: &Client, state: Option<&[u8]>) {
        let client = client.clone();
        let joining = tokio::task::spawn_local(async move { client.join::<A>("it").await });
        let Frame::Join(join) = self.next().await else { panic!("no Join came") };
        let joined = Joined { state: state.is_some().into(), ..joined(join.request) };
        self.send(wire::encode_with(&joined, state.unwrap_or_default())).await;
        // The handle is forgotten, so that the leaf stays as long as the test does.
        std::mem::forget(joining.await.unwrap().unwrap());
    }

    /// The hub's end of the next connection, and its Hello.
    pub(super) async fn called(listener: &mut impl Listener) -> (Self, wire::Hello) {
        let duplex = listener.accept().await.unwrap();
        let mut hub = Self { duplex, read: BytesMut::new() };
        let Frame::Hello(hello) = hub.next().await else { panic!("no Hello came") };
        (hub, hello)
    }

    /// Lets the client in.
    pub(super) async fn welcome(&mut self, key: u8, resumed: bool) {
        self.say(&Welcome {
            version: 1,
            hub: HubId([5; 16]),
            session: HER,
            key: [key; 16],
            resumed,
            limits: Limits::default(),
            extras: Vec::new(),
        })
        .await;
    }

    pub(super) async fn next(&mut self) -> Frame {
        loop {
            if let Split::Whole(_) = wire::split(&self.read).unwrap() {
                let length = u32::from_le_bytes(*self.read.first_chunk().unwrap()) as usize;
                let frame = self.read.split_to(4 + length).freeze();
                return Frame::decode(&frame.slice(4..)).unwrap();
            }
            assert_ne!(self.duplex.reader.read_buf(&mut self.read).await.unwrap(), 0);
        }
    }

    pub(super) async fn say<H: Header>(&mut self, header: &H) {
        self.send(wire::encode(header)).await;
    }

    /// Shouts of somebody's, `first` to `last`; each is a croak of its seq.
    pub(super) async fn batch(&mut self, first: u64, last: u64) {
        let mut batch = BatchBuilder::new(OBJECT, EPOCH, Seq(first));
        for n in first..=last {
            let croak = encode(&Croak(n as u32), 100).unwrap().payload;
            batch.push(SOMEBODY, Op(n), Kind(1), &[], &croak);
        }
        self.send(batch.seal(0)).await;
        settle().await;
    }

    pub(super) async fn send(&mut self, frame: Bytes) {
        self.duplex.writer.write_all(&frame).await.unwrap();
    }
}

#[test]
fn g1_batches_that_overlap_what_was_heard_are_heard_from_there_on() {
    paused(async {
        let (mut hub, _client, log) = FalseHub::with_a_leaf().await;
        hub.batch(1, 3).await;
        hub.batch(2, 5).await;
        hub.batch(1, 3).await;
        hub.batch(5, 5).await;
        hub.batch(5, 6).await;
        assert_eq!(log.numbers(), [1, 2, 3, 4, 5, 6]);
    });
}

#[test]
fn g1_a_gap_in_what_a_hub_tells_closes_the_connection_and_is_not_heard() {
    paused(async {
        let (mut hub, client, log) = FalseHub::with_a_leaf().await;
        hub.batch(1, 3).await;
        hub.batch(5, 6).await;
        let closed = client.closed().await;
        assert_eq!(closed.code, CloseCode::Protocol, "{closed}");
        assert_eq!(log.numbers(), [1, 2, 3]);
    });
}

/// A batch of one.
fn add(seq: u64) -> Bytes {
    let mut batch = BatchBuilder::new(OBJECT, EPOCH, Seq(seq));
    let add = encode(&Add { n: seq, text: String::new() }, 100).unwrap().payload;
    batch.push(SOMEBODY, Op(seq), Kind(1), &[], &add);
    batch.seal(0)
}

#[test]
fn g4_a_state_is_told_of_what_was_heard_before_the_wish_and_once_for_all_wishes_that_wait() {
    paused(async {
        let (mut hub, client) = FalseHub::with_a_client().await;
        Clerk::at(&client, "amy", Telling::Tells, &Book::default());
        let state = encode(&Sum::default(), 100).unwrap().payload;
        hub.let_in::<Clerk>(&client, Some(&state)).await;
        let wanted = wire::encode(&SnapshotWanted { object: OBJECT });
        // In one read: what is behind the wish has come when it is granted.
        hub.send([add(1), add(2), wanted.clone(), add(3), wanted.clone()].concat().into()).await;
        settle().await;
        hub.send([add(4), wanted].concat().into()).await;
        for seq in [2, 4] {
            let Frame::Snapshot(snapshot, state) = hub.next().await else { panic!("no state") };
            assert_eq!(snapshot.at, Some(Cursor { epoch: EPOCH, seq: Seq(seq) }));
            let sum = decode::<Sum>(&state).unwrap();
            assert_eq!((sum.last, sum.count), (seq, seq));
        }
    });
}

#[test]
fn of_a_state_that_there_is_not_the_hub_is_told_so_if_there_is_a_leaf() {
    paused(async {
        let (mut hub, client, log) = FalseHub::with_a_leaf().await;
        for object in [OBJECT, ObjectId([9; 16])] {
            hub.say(&SnapshotWanted { object }).await;
        }
        hub.batch(1, 3).await;
        assert_eq!(log.numbers(), [1, 2, 3]);
        let Frame::Snapshot(unable, state) = hub.next().await else { panic!("not told") };
        assert_eq!((unable.object, unable.at, state.len()), (OBJECT, None, 0));
        client.close().await;
        assert!(matches!(hub.next().await, Frame::Goodbye(_)));
    });
}

#[test]
fn who_wants_in_while_another_leaf_of_the_object_parts_asks_once_more() {
    paused(async {
        let (mut hub, client) = FalseHub::with_a_client().await;
        TextNewt::at(&client);
        let joining = tokio::task::spawn_local(async move { client.join::<TextNewt>("it").await });
        let Frame::Join(join) = hub.next().await else { panic!("no Join came") };
        hub.say(&Refused { request: join.request, refusal: Refusal::NotJoined }).await;
        let Frame::Join(again) = hub.next().await else { panic!("no Join came") };
        assert_eq!((&again.target, again.cursor), (&join.target, None));
        hub.say(&Refused { request: again.request, refusal: Refusal::Unknown }).await;
        assert!(joining.await.unwrap().is_err());
    });
}

#[test]
fn who_parts_before_it_is_let_back_in_learns_all_the_same_what_became_of_its_shouts() {
    paused(async {
        let (mut hub, client) = FalseHub::with_a_client().await;
        TextNewt::at(&client);
        let joiner = client.clone();
        let joining = tokio::task::spawn_local(async move { joiner.join::<TextNewt>("it").await });
        let Frame::Join(join) = hub.next().await else { panic!("no Join came") };
        hub.say(&joined(join.request)).await;
        let newt = joining.await.unwrap().unwrap();
        let receipt = newt.try_send(Shout(Croak(1))).unwrap();
        let Frame::Shout(shout, _) = hub.next().await else { panic!("no Shout came") };
        hub.say(&Rejoin { object: OBJECT }).await;
        let Frame::Join(join) = hub.next().await else { panic!("no Join came") };
        drop(newt);
        let Frame::Part(part) = hub.next().await else { panic!("no Part came") };
        let verdict = Verdict::Sequenced { seq: Seq(1), count: 1 };
        hub.say(&Outcome { object: OBJECT, op: shout.op, verdict }).await;
        hub.say(&Refused { request: join.request, refusal: Refusal::NotJoined }).await;
        hub.say(&Done { request: part.request }).await;
        assert_eq!(receipt.await.unwrap().seq(), Seq(1));
        drop(client);
    });
}

#[test]
fn a_state_in_pieces_that_do_not_make_it_up_ends_the_connection() {
    let state = encode(&Sum::default(), 100).unwrap().payload;
    let piece = |at: usize, end: usize| {
        let of = state.len() as u32;
        wire::encode_with(&StatePiece { object: OBJECT, at: at as u32, of }, &state[at..end])
    };
    let whole = vec![piece(0, 1), piece(1, 3)];
    let cases = [
        (whole.clone(), true),
        (vec![piece(0, 2), whole[0].clone(), whole[1].clone()], true),
        (whole[1..].to_vec(), false),
        (whole[..1].to_vec(), false),
        (vec![piece(0, 2), whole[1].clone()], false),
        (Vec::new(), false),
    ];
    assert_eq!(state.len(), 3);
    for (pieces, is_sound) in cases {
        paused(async move {
            let (mut hub, client) = FalseHub::with_a_client().await;
            Clerk::at(&client, "amy", Telling::Tells, &Book::default());
            let joiner = client.clone();
            let joining = tokio::task::spawn_local(async move { joiner.join::<Clerk>("it").await });
            let Frame::Join(join) = hub.next().await else { panic!("no Join came") };
            hub.send(pieces.concat().into()).await;
            hub.say(&Joined { state: StateIs::Pieces, ..joined(join.request) }).await;
            assert_eq!(joining.await.unwrap().is_ok(), is_sound);
            if !is_sound {
                let Frame::Goodbye(goodbye) = hub.next().await else { panic!("not told") };
                assert_eq!(goodbye.code, CloseCode::Protocol);
            }
        });
    }
}

/// Lets a leaf in that has heard nothing, of an object without a state.
pub(super) fn joined(request: Request) -> Joined {
    Joined {
        request,
        object: OBJECT,
        name: None,
        start: Cursor { epoch: EPOCH, seq: Seq(0) },
        last: Seq(0),
        state: StateIs::Absent,
        resync: None,
        next_op: Op(1),
        owner: None,
        stale: false,
        carried: Vec::new(),
    }
}

fn member(session: SessionId) -> Member {
    Member { session, name: String::new(), info: Vec::new(), since_ms: 1, away: false }
}

fn members(version: u64, sessions: &[SessionId]) -> Members {
    let members: Vec<_> = sessions.iter().copied().map(member).collect();
    let (object, after, count) = (OBJECT, Seq(0), members.len() as u32);
    Members { object, version, after, count, listed: true, members, last: true }
}

fn changed(version: u64, count: u32, change: MemberChange) -> MembersChanged {
    let (object, after, changes) = (OBJECT, Seq(0), vec![change]);
    MembersChanged { object, version, after, count, listed: true, changes }
}

#[test]
fn members_that_do_not_follow_those_before_close_the_connection() {
    let parted = MemberChange::Parted { session: SOMEBODY };
    let away = MemberChange::Away { session: SessionId([9; 16]) };
    let came = MemberChange::Came(member(SOMEBODY));
    let both = members(3, &[HER, SOMEBODY]);
    let sound = [
        (Some(both.clone()), changed(4, 1, parted.clone())),
        (Some(members(3, &[HER])), changed(4, 2, came.clone())),
    ];
    let unsound = [
        (None, changed(1, 1, came.clone())),
        (Some(both.clone()), changed(3, 1, parted.clone())),
        (Some(both.clone()), changed(5, 1, parted.clone())),
        (Some(both.clone()), changed(4, 2, parted.clone())),
        (Some(both.clone()), changed(4, 2, away)),
        (Some(members(3, &[HER])), changed(4, 1, parted.clone())),
        (Some(Members { count: 3, ..both.clone() }), changed(4, 2, parted.clone())),
        (Some(Members { listed: false, members: Vec::new(), ..both }), changed(4, 1, parted)),
    ];
    let cases = sound.map(|case| (case, true)).into_iter();
    for ((whole, change), is_sound) in cases.chain(unsound.map(|case| (case, false))) {
        paused(async move {
            let (mut hub, client, log) = FalseHub::with_a_leaf().await;
            if let Some(whole) = &whole {
                hub.say(whole).await;
            }
            hub.say(&change).await;
            if is_sound {
                hub.batch(1, 1).await;
                return assert_eq!(log.numbers(), [1]);
            }
            let closed = client.closed().await;
            assert_eq!(closed.code, CloseCode::Protocol, "{whole:?} {change:?} {closed}");
        });
    }
}

#[test]
fn members_come_in_pieces_and_no_more_of_them_than_are_listed() {
    paused(async {
        let (mut hub, client, log) = FalseHub::with_a_leaf().await;
        let sessions: Vec<_> = (0..1_001_u16).map(numbered).collect();
        let piece = |sessions: &[SessionId], last| Members { last, ..members(1, sessions) };
        hub.say(&Members { count: 1_000, ..piece(&sessions[..600], false) }).await;
        hub.say(&Members { count: 1_000, ..piece(&sessions[600..1_000], true) }).await;
        hub.batch(1, 1).await;
        assert_eq!(log.numbers(), [1]);
        hub.say(&Members { count: 1_001, ..piece(&sessions[..600], false) }).await;
        hub.say(&Members { count: 1_001, ..piece(&sessions[600..], true) }).await;
        assert_eq!(client.closed().await.code, CloseCode::Protocol);
    });
}

#[test]
fn no_more_members_come_than_are_listed() {
    paused(async {
        let (mut hub, client, log) = FalseHub::with_a_leaf().await;
        let sessions: Vec<_> = (0..1_001).map(numbered).collect();
        hub.say(&members(1, &sessions[..999])).await;
        hub.say(&changed(2, 1_000, MemberChange::Came(member(sessions[999])))).await;
        hub.batch(1, 1).await;
        assert_eq!(log.numbers(), [1]);
        hub.say(&changed(3, 1_001, MemberChange::Came(member(sessions[1_000])))).await;
        assert_eq!(client.closed().await.code, CloseCode::Protocol);
    });
}

fn numbered(n: u16) -> SessionId {
    let [high, low] = n.to_be_bytes();
    SessionId([high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}
