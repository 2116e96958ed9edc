//! The client: a session at a hub, over one connection after the other, and the classes that its
//! leaves are made of.

mod connect;
mod creating;
mod error;
mod events;

use std::{
    any::{Any, TypeId},
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use actix::{Addr, Handler, Message};
use futures_core::Stream;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use self::events::Teller;
pub use self::{
    connect::{ClientBuilder, ConnectError, ConnectTo},
    creating::{Creating, Here},
    error::{BindError, CarryError, JoinError, KeepError, ListError, NameError},
    events::{ConnectionEvent, Events},
};
use super::{
    binding::Binding,
    channel::Link,
    class::{AnyClass, Class, Classes},
    driver::{Attach, Close, Driver, EndWatch, Enter, How, ListNames},
    handle::{Handle, Seat},
    seats::Seated,
    voice::Voice,
};
use crate::{
    connection::Closed,
    limits::{STATE_BYTES_MAX, WATCH_CHANGES_MAX},
    object::{
        Encoded, HubId, Interface, InterfaceId, Leaf, Name, ObjectId, ObjectRef, SessionId, Tag,
        encode,
    },
    wire::{Change, Entry, Request},
};

type State<A> = <<A as Leaf>::Interface as Interface>::State;

/// A client of a hub. Clones are the same client; when the last of them and of its handles is
/// gone, it says goodbye.
///
/// Its leaves run on the arbiter where it was connected; it can be used from any thread.
///
/// # When the connection is lost
/// The client connects again by itself, as long as it lives, and goes on where it was: shouts wait
/// in the window meanwhile, local messages are handled as ever, and every handle and voice stays
/// valid. Back within the hub's grace time nothing is lost. Later, or if the hub has dropped the
/// session, the client is a new one there: shouts that were sent and not receipted end as
/// [`Unknown`](crate::ShoutError::Unknown), and leaves catch up from where they were. A hub that was
/// started anew knows no objects: handles say [`HubRestarted`](crate::Gone::HubRestarted), and
/// [`open`](Self::open) makes an object of that name again, from the state of the leaf that was
/// there. [`events`](Self::events) tells of all this to a program that wants to know. What another
/// connection would not mend (another version of the wire, credentials that are refused, a session
/// that goes on elsewhere) ends the client: [`closed`](Self::closed).
///
/// ```
/// # use actix::prelude::*;
/// # use actix_multiplex::{Client, Heard, Hub, Leaf, Shout, Voice, interface};
/// # #[derive(serde::Serialize, serde::Deserialize)] pub struct Croak;
/// # interface! { /// A frog.
/// # pub Frog = "pond.frog" v1 { state none; 1 => Croak } }
/// struct TextFrog;
/// # impl Actor for TextFrog { type Context = Context<Self>; }
/// # impl Supervised for TextFrog {}
/// # impl Leaf for TextFrog { type Interface = Frog; }
/// # impl Handler<Heard<Croak>> for TextFrog {
/// #     type Result = ();
/// #     fn handle(&mut self, _: Heard<Croak>, _: &mut Context<Self>) {}
/// # }
/// # actix::System::new().block_on(async {
/// # let hub = Hub::builder().start()?;
/// let client = Client::connect(hub.local()).await?;      // or "tcp://pond.example:8787"
/// client.implement::<TextFrog>(|_me: Voice<Frog>| TextFrog);
/// let kermit = client.open::<TextFrog>("kermit", ()).await?;
/// kermit.send(Shout(Croak)).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    keep: Arc<Keep>,
}

/// What keeps a client's connection open.
#[derive(Debug)]
pub(crate) struct Keep {
    driver: Addr<Driver>,
    link: Arc<Link>,
    classes: Classes,
    pub(super) unsent: AtomicU64,
    /// Why there will be no connection any more, once it is so.
    closed: watch::Receiver<Option<Closed>>,
    /// Connections on which something is still to be sent.
    writing: watch::Receiver<usize>,
    events: Arc<Teller>,
}

impl Client {
    /// Connects to a hub: at an address as `tcp://127.0.0.1:8787`, or in this process through
    /// `hub.local()`. Its leaves will run on this arbiter.
    ///
    /// # Errors
    /// [`ConnectError`]: the address, the network, the hub, or that there is no arbiter here.
    pub async fn connect(to: impl Into<ConnectTo>) -> Result<Self, ConnectError> {
        Self::builder().connect(to).await
    }

    /// Settings for a client; [`ClientBuilder::connect`] connects it.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Says how leaves of class `A` are made. `make` is given the leaf's own voice and runs on the
    /// client's arbiter, once for each leaf, and again for one that has panicked. It must not hold
    /// the client, which would keep the connection open for ever. A leaf may hold the handles of
    /// leaves that it has bound, but two leaves that hold each other's never part: hold a reference
    /// or a voice on the way back.
    pub fn implement<A: Leaf>(
        &self,
        make: impl Fn(Voice<A::Interface>) -> A + Send + Sync + 'static,
    ) {
        self.keep.classes.enter(Class::new(make));
    }

    /// Makes a new object with its first leaf. With a name, the hub knows it when this returns.
    /// Without one it lives here alone until somebody shouts at it or names it; until then no
    /// byte is sent.
    ///
    /// # Errors
    /// [`JoinError`]: also when the name is taken.
    pub fn create<A: Leaf>(&self, name: Option<&str>, state: State<A>) -> Creating<A> {
        Creating::new(self.clone(), name, state)
    }

    /// Becomes a leaf of the object of that name.
    ///
    /// # Ordering
    /// When this returns, the leaf may still have the object's past to hear: such shouts are
    /// [replayed](crate::Heard::is_replayed). It is over when the leaf hears what was shouted after
    /// this returned. So it is with [`open`](Self::open).
    ///
    /// # Errors
    /// [`JoinError`]: no such name, another interface or version, another class at this client.
    pub async fn join<A: Leaf>(&self, name: &str) -> Result<Handle<A>, JoinError> {
        self.enter(How::Join { name: name.parse()? }).await
    }

    /// Becomes a leaf of the object of that name; if there is none, it is made with this state.
    /// However many clients open a name at once, they end with one object. A client that has a leaf
    /// of that name and class which lives on alone, since its hub was restarted, makes the object
    /// with the state of that leaf.
    ///
    /// # Errors
    /// [`JoinError`]: another interface or version, another class at this client.
    pub async fn open<A: Leaf>(&self, name: &str, state: State<A>) -> Result<Handle<A>, JoinError> {
        let name: Name = name.parse()?;
        let state = match self.stranded::<A>(&name).await {
            Some(state) => state,
            None => write_state::<A>(&state)?,
        };
        let opened = self
            .enter(How::Create { name: name.clone(), state, or_join: true, here: false })
            .await?;
        self.keep.link.stranded.forget(&name);
        Ok(opened)
    }

    /// A leaf of an object that a message or state carries.
    ///
    /// In the handler that hears the carrier, and in `restore`, the leaf is there already:
    /// [`Binding::now`]. It parts when that handler is done, unless it was bound; awaited later, the
    /// binding joins the object again.
    pub fn bind<A: Leaf>(&self, reference: &ObjectRef<A::Interface>) -> Binding<A> {
        Binding::new(self.keep.clone(), reference.clone())
    }

    /// A voice to shout at the object of that name, without a leaf.
    ///
    /// # Errors
    /// [`JoinError`]: no such name, another interface or version.
    pub async fn voice<I: Interface>(&self, name: &str) -> Result<Voice<I>, JoinError> {
        let (name, interface) = (name.parse()?, I::id());
        let attached = self.keep.request(|reply| Attach { name, interface, reply }).await??;
        Ok(Voice::new(attached.channel, Some(attached.attachment), &self.keep))
    }

    /// The names of the directory that begin with `prefix`, in order.
    ///
    /// # Errors
    /// [`ListError`]: the hub refused, or the connection is no more.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Entry>, ListError> {
        Ok(self.ask_names(prefix, None).await?.0)
    }

    /// The names that begin with `prefix`, and from then on every change of them.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn watch(&self, prefix: &str) -> Result<Watching, ListError> {
        let (sender, changes) = mpsc::channel(WATCH_CHANGES_MAX);
        let (names, request) = self.ask_names(prefix, Some(sender)).await?;
        Ok(Watching { names, changes, request, keep: self.keep.clone() })
    }

    /// The client's identity at the hub; another one after [`ConnectionEvent::Resynced`].
    pub fn session(&self) -> SessionId {
        self.keep.link.line().session
    }

    /// The hub; another one when it was restarted.
    pub fn hub(&self) -> HubId {
        self.keep.link.line().hub
    }

    /// What becomes of the connection, from now on.
    pub fn events(&self) -> Events {
        self.keep.events.listen()
    }

    /// Tells the client's identity of the moment, and keeps nothing alive.
    #[cfg(feature = "testing")]
    pub(crate) fn present_session(&self) -> impl Fn() -> SessionId + use<> {
        let link = self.keep.link.clone();
        move || link.line().session
    }

    /// Shouts that were sent with `do_send` to a [`recipient`](Handle::recipient), found no room
    /// and had nobody to come back to.
    pub fn unsent(&self) -> u64 {
        self.keep.unsent.load(Ordering::Relaxed)
    }

    /// Waits until there is no connection and will be none any more, and says why.
    pub async fn closed(&self) -> Closed {
        self.keep.closed().await
    }

    /// Says goodbye, when everything that was to be sent has been. Handles and voices are of no
    /// more use, but leaves still take local messages.
    pub async fn close(&self) {
        self.keep.driver.do_send(Close { stop: false });
        self.keep.closed().await;
        let mut writing = self.keep.writing.clone();
        let _driver_gone = writing.wait_for(|count| *count == 0).await;
    }

    /// The present state of the leaf of that name that lives on alone.
    async fn stranded<A: Leaf>(&self, name: &Name) -> Option<Encoded> {
        if !A::Interface::STATEFUL {
            return None;
        }
        self.keep.link.stranded.state(name, TypeId::of::<A>()).await
    }

    async fn enter<A: Leaf>(&self, how: How) -> Result<Handle<A>, JoinError> {
        let leaf = std::any::type_name::<A>();
        let class = self.keep.classes.find::<A>().ok_or(JoinError::NotImplemented { leaf })?;
        self.enter_as(class, how).await
    }

    /// Makes a leaf by a class, which is for leaves of type `A`.
    pub(super) async fn enter_as<A: Leaf>(
        &self,
        class: Arc<dyn AnyClass>,
        how: How,
    ) -> Result<Handle<A>, JoinError> {
        let keep = self.keep.clone();
        let seat = self.keep.request(|reply| Enter { class, how, keep, reply }).await??;
        // A seat's type is its class's, and the driver has compared the classes.
        let seat = Arc::downcast::<Seat<A>>(seat).expect("the class is A");
        Ok(Handle::new(seat))
    }

    async fn ask_names(
        &self,
        prefix: &str,
        watch: Option<mpsc::Sender<Change>>,
    ) -> Result<(Vec<Entry>, Request), ListError> {
        if prefix.len() > crate::limits::NAME_BYTES_MAX {
            return Err(ListError::TooLong { bytes: prefix.len() });
        }
        let prefix = prefix.to_owned();
        self.keep.request(|reply| ListNames { prefix, watch, reply }).await?
    }
}

/// The seat of a leaf, its type forgotten.
pub(super) type AnySeat = Arc<dyn Any + Send + Sync>;

impl From<Arc<Keep>> for Client {
    fn from(keep: Arc<Keep>) -> Self {
        Self { keep }
    }
}

impl Keep {
    /// The way to make a leaf of this class.
    pub(super) fn class_of<A: Leaf>(&self) -> Option<Arc<dyn AnyClass>> {
        self.classes.find::<A>()
    }

    /// The way to make a leaf of an object of this tag: the one that was implemented first.
    pub(super) fn class_for(&self, tag: &Tag) -> Option<Arc<dyn AnyClass>> {
        self.classes.first_for(tag)
    }

    /// The way to make a leaf of an object of this interface: the one that was implemented first.
    pub(super) fn class_for_interface(&self, interface: &InterfaceId) -> Option<Arc<dyn AnyClass>> {
        self.classes.first_of(interface)
    }

    /// The leaf of an object that is there.
    pub(super) fn seated(&self, object: ObjectId) -> Option<Seated> {
        self.link.seats.find(object)
    }

    /// Has the driver do something, and waits for what comes of it.
    pub(super) async fn request<M, T>(
        &self,
        message: impl FnOnce(oneshot::Sender<T>) -> M,
    ) -> Result<T, Closed>
    where
        M: Message<Result = ()> + Send + 'static,
        Driver: Handler<M>,
    {
        let (reply, answer) = oneshot::channel();
        self.driver.do_send(message(reply));
        match answer.await {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.closed().await),
        }
    }

    async fn closed(&self) -> Closed {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(why) => why.clone().unwrap_or_else(|| Closed::done("the client has stopped")),
            Err(_) => Closed::done("the client has stopped"),
        }
    }
}

impl Drop for Keep {
    fn drop(&mut self) {
        self.driver.do_send(Close { stop: true });
    }
}

/// The names of a directory as they were, and a stream of their changes since.
///
/// After a connection that was lost it tells what has changed meanwhile. The stream ends with the
/// client, when more than 16,384 changes were not taken from it, and when a connection was lost while
/// there were more than 16,384 names: then watch again.
///
/// ```no_run
/// # use actix_multiplex::{Change, Client};
/// # use futures_util::StreamExt;
/// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let mut frogs = client.watch("frog.").await?;
/// println!("{} frogs", frogs.names().len());
/// while let Some(Change::Added(frog)) = frogs.next().await {
///     println!("{} came", frog.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Watching {
    names: Vec<Entry>,
    changes: mpsc::Receiver<Change>,
    request: Request,
    keep: Arc<Keep>,
}

impl Watching {
    /// The names when the watch began, in order.
    pub fn names(&self) -> &[Entry] {
        &self.names
    }
}

impl Stream for Watching {
    type Item = Change;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        self.changes.poll_recv(cx)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.keep.driver.do_send(EndWatch(self.request));
    }
}

impl fmt::Debug for dyn AnyClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn write_state<A: Leaf>(state: &State<A>) -> Result<Encoded, JoinError> {
    if !A::Interface::STATEFUL {
        return Ok(Encoded { payload: Vec::new(), carried: Vec::new() });
    }
    Ok(encode(state, STATE_BYTES_MAX)?)
}
