//! From a reference to a leaf.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context as Task, Poll},
};

use super::{
    client::{BindError, Keep},
    driver::Bring,
    handle::{Handle, Seat},
};
use crate::object::{Leaf, ObjectRef};

/// A leaf that is taken out of a message or state: at once, or when it is awaited.
///
/// ```no_run
/// # use actix_multiplex::{BindError, Client, Handle, Leaf, ObjectRef};
/// # async fn example<Blot: Leaf>(client: Client, drawn: ObjectRef<Blot::Interface>)
/// #     -> Result<(), BindError> {
/// // In the handler that hears it, or in `restore`:
/// let blot: Handle<Blot> = client.bind(&drawn).now()?;
/// // Anywhere, at any time:
/// let blot: Handle<Blot> = client.bind(&drawn).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is bound until it is awaited, or taken with `now`"]
pub struct Binding<A: Leaf> {
    keep: Arc<Keep>,
    reference: ObjectRef<A::Interface>,
    coming: Option<Coming<A>>,
}

type Coming<A> = Pin<Box<dyn Future<Output = Result<Handle<A>, BindError>> + Send>>;

impl<A: Leaf> Binding<A> {
    pub(super) fn new(keep: Arc<Keep>, reference: ObjectRef<A::Interface>) -> Self {
        Self { keep, reference, coming: None }
    }

    /// The leaf that is there.
    ///
    /// # Errors
    /// [`BindError`]: also why it was not made when the reference was heard. Awaiting the binding
    /// asks the hub anew.
    pub fn now(self) -> Result<Handle<A>, BindError> {
        there(&self.keep, &self.reference)
    }
}

/// The leaf that is there, if it has heard what it should have.
fn there<A: Leaf>(
    keep: &Keep,
    reference: &ObjectRef<A::Interface>,
) -> Result<Handle<A>, BindError> {
    implemented::<A>(keep)?;
    let missing = reference.missing();
    let absent = || missing.map_or(BindError::NotHere, |missing| missing.clone().into());
    let seated = keep.seated(reference.object()).ok_or_else(absent)?;
    let seat = seated.seat().ok_or_else(absent)?;
    // It came another way, after the carrier had done without it.
    if let Some(missing) = missing
        && !seated.progress.has_done(reference.seq())
    {
        return Err(missing.clone().into());
    }
    let seat = Arc::downcast::<Seat<A>>(seat).map_err(|_| BindError::OtherClass {
        object: reference.object(),
        wanted: std::any::type_name::<A>(),
        there: seated.class_name,
    })?;
    Ok(Handle::new(seat))
}

fn implemented<A: Leaf>(keep: &Keep) -> Result<Arc<dyn super::class::AnyClass>, BindError> {
    let leaf = std::any::type_name::<A>();
    keep.class_of::<A>().ok_or(BindError::NotImplemented { leaf })
}

async fn bring<A: Leaf>(
    keep: Arc<Keep>,
    reference: ObjectRef<A::Interface>,
) -> Result<Handle<A>, BindError> {
    let class = implemented::<A>(&keep)?;
    let (object, seq) = (reference.object(), reference.seq());
    // What arrives is kept until the handle is.
    let arrived = keep
        .request(|reply| Bring { object, seq, class, keep: keep.clone(), reply })
        .await
        .map_err(BindError::Closed)?;
    match arrived.missing(object) {
        Some(missing) => Err(missing.clone().into()),
        None => there(&keep, &reference),
    }
}

impl<A: Leaf> Future for Binding<A> {
    type Output = Result<Handle<A>, BindError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        let Self { keep, reference, coming } = &mut *self;
        let coming = coming.get_or_insert_with(|| Box::pin(bring(keep.clone(), reference.clone())));
        coming.as_mut().poll(task)
    }
}

impl<A: Leaf> fmt::Debug for Binding<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").field("reference", &self.reference).finish_non_exhaustive()
    }
}
