//! What is shouted at an object is judged first: by an authority, which is the program's own.
//!
//! An admission says who may shout which messages; an authority looks at each shout, before it has
//! its place. The hub itself reads no payload: an authority may, since it knows the interface.

use std::fmt;

use super::{Hub, admission::Denied, directory::Find, repeater::SetAuthority};
use crate::{
    object::{
        self, Brought, Carried, Interface, InterfaceId, Kind, Name, ObjectId, SessionId, ShoutAt,
    },
    supervise::{Guarded, guard},
    wire::{Target, reason},
};

/// Judges what is shouted at an object, before it has its place in the order.
///
/// A closure will do. It runs inside the object's repeater, so it must not block; what it needs to
/// know it keeps itself. It is asked once about each shout that the object could take: not about one
/// that the session has no right to, nor about one that is sent again over another connection. Only
/// after a panic of the repeater is it asked again about shouts that had no place then. It is not
/// asked about volatile messages, which have no place.
///
/// A shout that it denies is refused to its shouter with the reason, uses up its op, and nobody else
/// notices. If it panics, the shout is refused and the panic logged; it is asked again about the
/// next, so what it changes before it panics should be whole.
///
/// ```
/// use actix_multiplex::{Authority, Denied, Hub, Judged, interface};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// pub struct Hop(pub u32);
/// interface! {
///     /// A frog.
///     pub Frog = "pond.frog" v1 { state none; 1 => Hop }
/// }
///
/// fn no_giant_leaps(shout: &Judged<'_>) -> Result<(), Denied> {
///     match shout.read::<Frog, Hop>()? {
///         Some(Hop(metres)) if metres > 3 => Err(Denied::because("no frog hops that far")),
///         _ => Ok(()),
///     }
/// }
/// let builder = Hub::builder().authority(|interface, _name| {
///     let is_frog = interface.tag.as_str() == "pond.frog";
///     is_frog.then(|| Box::new(no_giant_leaps) as Box<dyn Authority>)
/// });
/// ```
pub trait Authority: Send + 'static {
    /// Lets a shout have its place, or says why not.
    fn judge(&mut self, shout: &Judged<'_>) -> Result<(), Denied>;
}

impl<F> Authority for F
where
    F: FnMut(&Judged<'_>) -> Result<(), Denied> + Send + 'static,
{
    fn judge(&mut self, shout: &Judged<'_>) -> Result<(), Denied> {
        self(shout)
    }
}

/// A shout that is judged.
///
/// ```
/// use actix_multiplex::{Denied, Judged};
///
/// fn short(shout: &Judged<'_>) -> Result<(), Denied> {
///     let (bytes, max) = (shout.payload().len(), 1_000);
///     if bytes <= max { Ok(()) } else { Err(Denied::because(format_args!("{bytes} > {max}"))) }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub(super) object: ObjectId,
    pub(super) session: SessionId,
    pub(super) kind: Kind,
    pub(super) carried: &'a [Carried],
    pub(super) payload: &'a [u8],
}

impl<'a> Judged<'a> {
    /// The object that is shouted at.
    pub fn object(&self) -> ObjectId {
        self.object
    }

    /// Who shouts. An [admission](super::Admission) is told who a session is.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// The number of the message in its interface.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message as its shouter wrote it.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The objects that it carries.
    pub fn carried(&self) -> &'a [Carried] {
        self.carried
    }

    /// Whether it is a message `M` of interface `I`.
    pub fn is<I: Interface, M: ShoutAt<I>>(&self) -> bool {
        self.kind == M::KIND
    }

    /// The message, if it is an `M` of interface `I`.
    ///
    /// # Errors
    /// [`Denied`] when it says that it is one, and its payload is none.
    pub fn read<I: Interface, M: ShoutAt<I>>(&self) -> Result<Option<M>, Denied> {
        if !self.is::<I, M>() {
            return Ok(None);
        }
        let brought = |carried: &Carried| Brought { carried: carried.clone(), missing: None };
        let brought: Vec<_> = self.carried.iter().map(brought).collect();
        object::decode_with(self.payload, &brought).map(Some).map_err(Denied::because)
    }
}

/// An authority that can be printed, and whose destructor does not panic outward.
pub(crate) struct AuthorityBox(Guarded<Box<dyn Authority>>);

impl AuthorityBox {
    fn new(authority: Box<dyn Authority>) -> Self {
        Self(Guarded::new(authority))
    }

    /// What it says of a shout; or why it panicked.
    pub(super) fn judge(&mut self, shout: &Judged<'_>) -> Result<Result<(), Denied>, String> {
        guard(|| self.0.as_mut().judge(shout))
    }
}

impl fmt::Debug for AuthorityBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// Which objects have an authority from their beginning.
#[derive(Default)]
pub(super) struct Authorities(Option<Box<Choose>>);

type Choose = dyn Fn(&InterfaceId, Option<&Name>) -> Option<Box<dyn Authority>> + Send + Sync;

impl Authorities {
    pub(super) fn new(
        choose: impl Fn(&InterfaceId, Option<&Name>) -> Option<Box<dyn Authority>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self(Some(Box::new(choose)))
    }

    /// That of an object which is about to be made, if it is to have one; or why it cannot be known.
    pub(super) fn of(
        &self,
        interface: &InterfaceId,
        name: Option<&Name>,
    ) -> Result<Option<AuthorityBox>, String> {
        let Some(choose) = &self.0 else { return Ok(None) };
        let chosen = guard(|| choose(interface, name)).map_err(|why| {
            tracing::error!(%interface, why, "the choice of an authority panicked");
            reason("the hub's choice of an authority panicked")
        });
        chosen.map(|chosen| chosen.map(AuthorityBox::new))
    }

    /// That of an object which a hub goes on with. Where it cannot be known nothing is let pass.
    pub(super) fn of_restored(
        &self,
        interface: &InterfaceId,
        name: Option<&Name>,
    ) -> Option<AuthorityBox> {
        self.of(interface, name).unwrap_or_else(|why| {
            let nobody = move |_: &Judged<'_>| Err(Denied::because(&why));
            Some(AuthorityBox::new(Box::new(nobody)))
        })
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorities")
    }
}

impl Hub {
    /// Has an object judged by this authority, in the place of any other, from the next shout on that
    /// its repeater takes up. `false`: there is no such object.
    ///
    /// It stays as long as the object does here, also when its repeater is rebuilt; a hub that is
    /// started again with its journal has what its [builder](super::Builder::authority) says. A closure
    /// is told the type of what it judges:
    ///
    /// ```
    /// # use actix_multiplex::{Client, Denied, Heard, Hub, Judged, Leaf, Shout, interface};
    /// # use actix::{Actor, Context, Handler, Supervised};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # pub struct Croak;
    /// # interface! {
    /// #     /// A frog.
    /// #     pub Frog = "pond.frog" v1 { state none; 1 => Croak }
    /// # }
    /// # struct TextFrog;
    /// # impl Actor for TextFrog { type Context = Context<Self>; }
    /// # impl Supervised for TextFrog {}
    /// # impl Leaf for TextFrog { type Interface = Frog; }
    /// # impl Handler<Heard<Croak>> for TextFrog {
    /// #     type Result = ();
    /// #     fn handle(&mut self, _: Heard<Croak>, _: &mut Self::Context) {}
    /// # }
    /// # actix::System::new().block_on(async {
    /// # let hub = Hub::builder().start()?;
    /// # let client = Client::connect(hub.local()).await?;
    /// # client.implement::<TextFrog>(|_| TextFrog);
    /// let kermit = client.open::<TextFrog>("kermit", ()).await?;
    /// let night = |_: &Judged<'_>| Err(Denied::because("the pond sleeps"));
    /// assert!(hub.set_authority(kermit.object(), night).await);
    /// let error = kermit.send(Shout(Croak)).await.unwrap_err();
    /// assert!(error.to_string().contains("the pond sleeps"));
    /// # hub.stop().await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    pub async fn set_authority(&self, object: ObjectId, authority: impl Authority) -> bool {
        let found = Find::ask(&self.env.directory, Target::Object(object), None).await;
        let Ok(found) = found else { return false };
        let authority = AuthorityBox::new(Box::new(authority));
        found.repeater.send(SetAuthority(authority)).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::{
        interface,
        limits::SHOUT_BYTES_MAX,
        object::{ObjectRef, Seq},
    };

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Croak(u32);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Eat(ObjectRef<Frog>, u32);

    interface! {
        /// A frog.
        Frog = "pond.frog" v1 { state none; 1 => Croak, 2 => Eat }
    }

    fn judged(kind: u16, encoded: &object::Encoded) -> Judged<'_> {
        let (object, session) = (ObjectId([1; 16]), SessionId([2; 16]));
        let object::Encoded { payload, carried } = encoded;
        Judged { object, session, kind: Kind(kind), carried, payload }
    }

    fn encoded<M: Serialize>(message: &M) -> object::Encoded {
        object::encode(message, SHOUT_BYTES_MAX).expect("is small")
    }

    #[test]
    fn a_message_is_read_by_its_number_also_one_that_carries() {
        let croak = encoded(&Croak(3));
        assert_eq!(judged(1, &croak).read::<Frog, Croak>(), Ok(Some(Croak(3))));
        assert_eq!(judged(2, &croak).read::<Frog, Croak>(), Ok(None));
        assert!(judged(1, &croak).is::<Frog, Croak>() && !judged(1, &croak).is::<Frog, Eat>());

        let fly = ObjectId([7; 16]);
        let eat = encoded(&Eat(carried(), 4));
        let Ok(Some(Eat(eaten, 4))) = judged(2, &eat).read::<Frog, Eat>() else { panic!("no Eat") };
        assert_eq!((eaten.object(), judged(2, &eat).carried()[0].object), (fly, fly));
    }

    #[test]
    fn a_payload_that_is_no_such_message_is_denied() {
        let mut croak = encoded(&Croak(3));
        croak.payload.push(0);
        let denied = judged(1, &croak).read::<Frog, Croak>().expect_err("a byte is left over");
        assert!(denied.to_string().contains("left over"), "{denied}");
        // What it carries is not listed.
        let eat = object::Encoded { carried: Vec::new(), ..encoded(&Eat(carried(), 4)) };
        assert!(judged(2, &eat).read::<Frog, Eat>().is_err());
    }

    fn carried() -> ObjectRef<Frog> {
        ObjectRef::new(ObjectId([7; 16]), Seq(0))
    }
}
