//! The handshake, as the hub's side of it: who is there, and may it come in.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};
use tokio::time::timeout;

use super::Session;
use crate::{
    connection::Closed,
    hub::{
        admission::{Identity, Visit, Wish, decide},
        directory::Begin,
    },
    limits::HANDSHAKE_TIMEOUT,
    wire::{CloseCode, Fault, Hello, Limits, Refusal, Welcome, negotiate},
};

/// How far the handshake has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// The client has not said hello.
    Awaited,
    /// The admission is deciding.
    Deciding,
    /// The client has been welcomed.
    Open,
}

impl Session {
    /// Waits for the Hello, but not while the hub stops: the directory, which tells the others of
    /// that, knows of a session only once it is welcome.
    pub(super) fn await_hello(&self, ctx: &mut Context<Self>) {
        let mut stopping = self.env.stopping.subscribe();
        let waiting = async move {
            timeout(HANDSHAKE_TIMEOUT, stopping.wait_for(|stopping| *stopping)).await.is_ok()
        };
        ctx.spawn(waiting.into_actor(self).map(|stops, session, ctx| match session.greeting {
            Greeting::Awaited | Greeting::Deciding if stops => {
                session.end(turned_away(&Refusal::Stopping), ctx);
            }
            Greeting::Awaited => {
                let why = format!("no Hello came within {} s", HANDSHAKE_TIMEOUT.as_secs());
                let code = CloseCode::HandshakeTimeout;
                session.end(Closed::local(code, Fault::Receiver, why), ctx);
            }
            Greeting::Deciding | Greeting::Open => {}
        }));
    }

    pub(super) fn greet(&mut self, hello: Hello, ctx: &mut Context<Self>) -> Result<(), Closed> {
        let version = judge(&hello)?;
        self.greeting = Greeting::Deciding;
        self.client = Arc::new(Identity {
            peer: self.client.peer.clone(),
            agent: hello.agent,
            credentials: hello.credentials,
        });
        let env = self.env.clone();
        let visit = self.visit(Wish::Connect);
        let begin = Begin { session: self.contact.session, addr: ctx.address() };
        let deciding = async move {
            decide(&*env.admission, visit).await?;
            env.directory.send(begin).await.map_err(|_| Refusal::Stopping)?
        };
        ctx.spawn(deciding.into_actor(self).map(move |decided, session, ctx| match decided {
            Ok(()) => session.welcome(version),
            Err(refusal) => session.end(turned_away(&refusal), ctx),
        }));
        Ok(())
    }

    pub(super) fn visit(&self, wish: Wish) -> Visit {
        Visit { session: self.contact.session, client: self.client.clone(), wish }
    }

    fn welcome(&mut self, version: u16) {
        let (session, peer, agent) = (self.contact.session, &self.client.peer, &self.client.agent);
        tracing::info!(%session, peer, agent, "a session has begun");
        self.greeting = Greeting::Open;
        self.contact.queue.tell(&Welcome {
            version,
            hub: self.env.id,
            session,
            key: self.env.random_bytes(),
            resumed: false,
            limits: Limits::default(),
            extras: Vec::new(),
        });
    }
}

fn judge(hello: &Hello) -> Result<u16, Closed> {
    negotiate(hello.version_min, hello.version_max)
        .map_err(|error| Closed::local(CloseCode::Version, Fault::Nobody, error))
}

fn turned_away(refusal: &Refusal) -> Closed {
    let code = match refusal {
        Refusal::Limit { .. } => CloseCode::Full,
        Refusal::Stopping => CloseCode::ShuttingDown,
        _ => CloseCode::Refused,
    };
    Closed::local(code, Fault::Nobody, refusal)
}
