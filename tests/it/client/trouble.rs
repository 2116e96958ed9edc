//! Leaves that stop, clients whose session panics: nobody else notices.

use std::time::Duration;

use actix::{Actor, ActorContext, Context, Handler, Supervised};
use actix_multiplex::{
    Client, Closer, ConnectionEvent, Gone, Handle, Heard, Leaf, Local, Resync, Shout, ShoutError,
    Voice, interface, testing::Trouble, wire::CloseCode,
};

use super::pond::{
    Count, Croak, Frog, Given, TextFrog, Weight, client, frog, hub, job, lost, paused, settle, soon,
};

/// Alec's leaf comes to an end by `end`. It has parted; his other leaf and Amy's go on; a fresh
/// leaf has the state.
fn ends_alone(end: impl FnOnce(&mut TextFrog, &mut Context<TextFrog>) + Send + 'static) {
    paused(async {
        let hub = hub();
        let (_amy, hers, amys) = frog(&hub, 2).await;
        let (alec, kermit, log) = frog(&hub, 1).await;
        let robin = alec.open::<TextFrog>("robin", Weight(1)).await.unwrap();
        soon(kermit.send(Shout(Croak(1)))).await.unwrap();
        settle().await;
        let _its_answer = soon(kermit.send(job(end))).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(kermit.gone(), Some(Gone::Parted));
        let error = soon(kermit.send(Shout(Croak(2)))).await.unwrap_err();
        assert!(matches!(error, ShoutError::Gone(Croak(2), Gone::Parted)), "{error}");
        assert_eq!(soon(kermit.send(Local(Count))).await, Err(Gone::Parted));
        log.clear();
        soon(hers.send(Shout(Croak(3)))).await.unwrap();
        soon(robin.send(Shout(Croak(4)))).await.unwrap();
        settle().await;
        assert_eq!((log.numbers(), amys.numbers()), (vec![4], vec![1, 3]));
        log.clear();
        let fresh = soon(alec.join::<TextFrog>("kermit")).await.unwrap();
        soon(fresh.send(Shout(Croak(5)))).await.unwrap();
        drop(kermit);
        settle().await;
        soon(fresh.send(Shout(Croak(6)))).await.unwrap();
        settle().await;
        assert_eq!(log.all()[0], Given::State(40));
        assert_eq!(log.heard(), [(1, 1), (2, 3), (3, 5), (4, 6)]);
        assert_eq!(amys.numbers(), [1, 3, 5, 6]);
    });
}

#[test]
fn g8_a_leaf_that_stops_has_parted_alone() {
    ends_alone(|_, ctx| ctx.stop());
}

#[test]
fn g8_a_leaf_that_terminates_has_parted_alone() {
    ends_alone(|_, ctx| ctx.terminate());
}

interface! {
    /// A frog that is told how to end.
    pub(super) Fragile = "pond.fragile" v1 { state none; 1 => Croak }
}

/// Ends as the croak says.
struct FragileFrog {
    heard: super::pond::Log,
}

impl Actor for FragileFrog {
    type Context = Context<Self>;
}

impl Supervised for FragileFrog {}

impl Leaf for FragileFrog {
    type Interface = Fragile;

    fn resynced(&mut self, _: Resync, _: &mut Context<Self>) {}
}

impl Handler<Heard<Croak>> for FragileFrog {
    type Result = ();

    fn handle(&mut self, croak: Heard<Croak>, ctx: &mut Context<Self>) {
        let given = Given::Heard { seq: croak.seq().0, n: croak.0, mine: false, replayed: false };
        self.heard.add(given);
        match croak.0 {
            100 => ctx.terminate(),
            101 => ctx.stop(),
            _ => {}
        }
    }
}

fn fragile(client: &Client) -> super::pond::Log {
    let log = super::pond::Log::default();
    let heard = log.clone();
    client.implement::<FragileFrog>(move |_| FragileFrog { heard: heard.clone() });
    log
}

async fn open(client: &Client) -> Handle<FragileFrog> {
    soon(client.open::<FragileFrog>("fragile", ())).await.unwrap()
}

#[test]
fn g8_a_leaf_hears_nothing_behind_the_shout_at_which_it_ends() {
    for last in [100, 101] {
        paused(async move {
            let hub = hub();
            let alec = client(hub.local(), 1).await;
            let log = fragile(&alec);
            let leaf = open(&alec).await;
            let amy = client(hub.local(), 2).await;
            let amys = fragile(&amy);
            let _hers = open(&amy).await;
            amy.implement::<FragileFrog>(|_| unreachable!("her leaf is there"));
            let receipts = [1, last, 2, 3].map(|n| leaf.try_send(Shout(Croak(n))).unwrap());
            for (receipted, seq) in receipts.into_iter().zip(1..) {
                assert_eq!(soon(receipted).await.unwrap().seq().0, seq);
            }
            settle().await;
            assert_eq!((log.numbers(), amys.numbers()), (vec![1, last], vec![1, last]));
            assert_eq!(leaf.gone(), Some(Gone::Parted));
        });
    }
}

#[test]
fn g8_a_session_that_panics_closes_its_own_connection_as_internal_and_its_client_comes_back() {
    for trouble in [Trouble::Handler, Trouble::Notify, Trouble::Future, Trouble::Timer] {
        paused(async move {
            let hub = hub();
            let (_amy, hers, amys) = frog(&hub, 2).await;
            let (alec, kermit, _) = frog(&hub, 1).await;
            let voice: Voice<Frog> = alec.voice("kermit").await.unwrap();
            soon(voice.send(Shout(Croak(1)))).await.unwrap();
            assert!(hub.sabotage_session(alec.session(), trouble).await);
            let mut events = alec.events();
            let closed = lost(&mut events).await;
            assert_eq!((closed.by, closed.code), (Closer::Remote, CloseCode::Internal));
            assert!(closed.to_string().ends_with("the other side's fault"), "{closed}");
            assert_eq!(soon(kermit.send(Local(Count))).await, Ok(1));
            soon(hers.send(Shout(Croak(2)))).await.unwrap();
            let (_again, his, _) = frog(&hub, 3).await;
            soon(his.send(Shout(Croak(3)))).await.unwrap();
            settle().await;
            assert_eq!(amys.numbers(), [1, 2, 3]);
            let back = soon(events.next()).await;
            assert_eq!(back, Some(ConnectionEvent::Resynced { hub_restarted: false }));
            soon(kermit.send(Shout(Croak(4)))).await.unwrap();
        });
    }
}
