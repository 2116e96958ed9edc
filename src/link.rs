//! Links: a hub below another one, so that hubs form a chain.
//!
//! In comes a hub and where the one above is; out goes a task that keeps a connection to it. To the hub
//! above this one is a client; what comes down goes to the copies of objects, and what goes up the hub
//! puts on the connection's queue itself. A link carries nothing until the top of the chain has granted
//! it, so that no chain is ever a ring.

mod dial;
mod hear;

use std::sync::Arc;

use tokio::sync::watch;

use self::dial::Dial;
use crate::{connection::Closed, hub::Hub, leaf::ConnectTo, transport::AddressError, wire::Bar};

/// A hub's link to the hub above it. It is there for as long as the hub is; dropping this changes
/// nothing.
#[derive(Clone, Debug)]
pub struct Link {
    standing: watch::Receiver<Standing>,
}

/// How a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It was never granted so far.
    Asking,
    /// What is said passes.
    Flows,
    /// There is no connection at the moment: what is below waits.
    Cut,
    /// It is not tried any more.
    Barred(LinkError),
}

/// Why a hub is not linked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The hub has a link already.
    #[error("the hub is linked already, and a hub has one hub above it")]
    Linked,
    /// The hub cannot be below that one.
    #[error("the hub cannot be linked below {address}: {why}")]
    Barred {
        /// Where the hub above is.
        address: String,
        /// Why not.
        why: Bar,
    },
    /// The hub above does not let it in.
    #[error("{address} did not let the hub in: {closed}")]
    Closed {
        /// Where the hub above is.
        address: String,
        /// Why.
        closed: Closed,
    },
    /// The hub has stopped.
    #[error("the hub has stopped")]
    Stopped,
}

/// Links a hub below the one at this address, as `tcp://hub.example:8787`, or below one in this
/// process through [`Hub::local`]. It begins with the call, and is ready when the link is granted. As long as nobody answers there,
/// it is tried again; so it is whenever the connection is lost.
///
/// From the call on, objects that are created at this hub, or below it, have their home at the top of
/// the chain, and are made when that can be reached; those that were there before stay at home here.
///
/// # Errors
/// [`LinkError`]: the hub is, or would be, below itself, the chain would be too long, or the hub above
/// turns it away.
///
/// # Cancel safety
/// Dropped, it goes on by itself.
///
/// ```
/// # actix::System::new().block_on(async {
/// use actix_multiplex::{Hub, link};
///
/// let (top, edge) = (Hub::builder().start()?, Hub::builder().start()?);
/// link::up(&edge, top.local()).await?;
/// # edge.stop().await;
/// # top.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub fn up(
    hub: &Hub,
    to: impl Into<ConnectTo>,
) -> impl Future<Output = Result<Link, LinkError>> + Send + 'static {
    let begun = begin(hub, to.into());
    async move {
        let link = begun?;
        link.granted().await?;
        Ok(link)
    }
}

fn begin(hub: &Hub, to: ConnectTo) -> Result<Link, LinkError> {
    let connector = to.connector()?;
    let (sender, standing) = watch::channel(Standing::Asking);
    if !hub.env().upward().link() {
        return Err(LinkError::Linked);
    }
    let dial = Dial::new(hub.env().clone(), connector, sender);
    if !hub.env().run(move || drop(tokio::task::spawn_local(dial.run()))) {
        return Err(LinkError::Stopped);
    }
    Ok(Link { standing })
}

impl Link {
    /// How the link is now.
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Resolves when that has changed since this was last asked of this clone.
    pub async fn changed(&mut self) -> Standing {
        let _hub_has_stopped = self.standing.changed().await;
        self.standing()
    }

    async fn granted(&self) -> Result<(), LinkError> {
        let mut standing = self.standing.clone();
        let known = standing.wait_for(|standing| *standing != Standing::Asking).await;
        match known.as_deref() {
            Ok(Standing::Barred(why)) => Err(why.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(LinkError::Stopped),
        }
    }
}

type Env = Arc<crate::hub::Env>;
