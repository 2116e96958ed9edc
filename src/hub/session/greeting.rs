//! The handshake, as the hub's side of it: who is there, and may it come in.

use std::sync::Arc;

use actix::{ActorFutureExt, Addr, AsyncContext, Context, WrapFuture};
use tokio::time::timeout;

use super::{
    Session,
    outliving::{Estate, inherit},
};
use crate::{
    connection::Closed,
    hub::{
        Env,
        admission::{Identity, Visit, Wish, decide},
        directory::{Begin, End, GoOn, Prove},
        keys::{Key, Proof},
    },
    limits::HANDSHAKE_TIMEOUT,
    object::SessionId,
    wire::{CloseCode, Fault, Hello, Limits, Refusal, Resume, Welcome, negotiate},
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
    /// Its connection has ended, and the session waits for another.
    Away,
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
            Greeting::Deciding | Greeting::Open | Greeting::Away => {}
        }));
    }

    pub(super) fn greet(&mut self, hello: Hello, ctx: &mut Context<Self>) -> Result<(), Closed> {
        let version = judge(&hello)?;
        self.greeting = Greeting::Deciding;
        self.is_resuming = hello.resume.is_some();
        self.client = Arc::new(Identity {
            peer: self.client.peer.clone(),
            agent: hello.agent,
            credentials: hello.credentials,
            name: hello.name,
            info: hello.info,
        });
        let visitor = Visitor {
            env: self.env.clone(),
            visit: self.visit(Wish::Connect),
            addr: ctx.address(),
            key: self.env.random_bytes(),
        };
        let key = visitor.key;
        let deciding = visitor.let_in(hello.resume);
        ctx.spawn(deciding.into_actor(self).map(move |decided, session, ctx| match decided {
            Ok(estate) => session.welcome(version, key, estate, ctx),
            Err(closed) => session.end(closed, ctx),
        }));
        Ok(())
    }

    pub(super) fn visit(&self, wish: Wish) -> Visit {
        Visit { session: self.contact.session, client: self.client.clone(), wish }
    }

    fn welcome(
        &mut self,
        version: u16,
        key: Key,
        estate: Option<(SessionId, Estate)>,
        ctx: &mut Context<Self>,
    ) {
        self.greeting = Greeting::Open;
        let resumed = estate.is_some();
        if let Some((session, estate)) = estate {
            self.contact.session = session;
            self.take_over(estate);
            #[cfg(feature = "testing")]
            crate::hub::faults::count(|tally| tally.resumes += 1);
        }
        let (session, peer, agent) = (self.contact.session, &self.client.peer, &self.client.agent);
        let what = if resumed { "a session goes on" } else { "a session has begun" };
        tracing::info!(%session, peer, agent, "{what}");
        let grace_ms = self.env.grace.as_millis() as u32;
        self.contact.queue.tell(&Welcome {
            version,
            hub: self.env.id,
            session,
            key,
            resumed,
            limits: Limits { grace_ms, ..Limits::default() },
            extras: Vec::new(),
        });
        if let Some(closed) = self.lost.take() {
            self.lose(closed, ctx);
        }
        self.hand_over(ctx);
    }
}

/// A client that asks to be let in.
struct Visitor {
    env: Arc<Env>,
    visit: Visit,
    addr: Addr<Session>,
    /// What its session will be gone on with.
    key: Key,
}

impl Visitor {
    /// Begins a session, or goes on with the one that the client proves to be its own.
    async fn let_in(self, resume: Option<Resume>) -> Result<Option<(SessionId, Estate)>, Closed> {
        let proven = match resume {
            Some(resume) => self.prove(resume).await?,
            None => None,
        };
        let session = proven.as_ref().map_or(self.visit.session, |resume| resume.session);
        let visit = Visit { session, ..self.visit.clone() };
        decide(&*self.env.admission, visit).await.map_err(|refusal| turned_away(&refusal))?;
        let estate = match proven {
            Some(resume) => self.go_on(resume).await?,
            None => None,
        };
        if estate.is_none() {
            let begin = Begin { session: self.visit.session, addr: self.addr, key: self.key };
            let answer = self.env.directory.send(begin).await.map_err(|_| Refusal::Stopping);
            answer.flatten().map_err(|refusal| turned_away(&refusal))?;
        }
        Ok(estate)
    }

    /// What the client asks to go on with, if it can.
    async fn prove(&self, resume: Resume) -> Result<Option<Resume>, Closed> {
        match self.env.directory.send(Prove(resume.clone())).await {
            Ok(Proof::Good) => Ok(Some(resume)),
            Ok(Proof::Late) => Err(late()),
            Ok(Proof::None) => Ok(None),
            Err(_) => Err(turned_away(&Refusal::Stopping)),
        }
    }

    /// Stands for the session from here on, if it still can.
    async fn go_on(&self, resume: Resume) -> Result<Option<(SessionId, Estate)>, Closed> {
        let (session, addr, next) = (resume.session, self.addr.clone(), self.key);
        let before = match self.env.directory.send(GoOn { resume, addr, next }).await {
            Ok(Ok(before)) => before,
            Ok(Err(Proof::Late)) => return Err(late()),
            _ => return Ok(None),
        };
        if let Some(estate) = inherit(&before).await {
            return Ok(Some((session, estate)));
        }
        // It has ended in this very moment.
        self.env.directory.do_send(End { session, addr: self.addr.clone() });
        Ok(None)
    }
}

/// A client that has come back over another connection since it made this one.
fn late() -> Closed {
    let why = "a later connection of the client has come before this one";
    Closed::local(CloseCode::Superseded, Fault::Nobody, why)
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
