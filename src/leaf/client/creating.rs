//! A new object, on its way: where its home is to be can be said before it is made.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Client, How, JoinError, State, write_state};
use crate::{
    leaf::handle::Handle,
    object::{Encoded, Leaf, Name},
};

/// The hub that a client is connected to, as the home of an object:
/// [`Creating::home`].
///
/// ```
/// use actix_multiplex::Here;
/// assert_eq!(format!("{Here:?}"), "Here");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is a word")]
pub struct Here;

/// A new object with its first leaf, which is made when this is awaited: [`Client::create`].
#[must_use = "nothing is made before it is awaited"]
pub struct Creating<A: Leaf>(Step<A>);

enum Step<A: Leaf> {
    Set { client: Client, what: Result<(Option<Name>, Encoded), JoinError>, here: bool },
    Going(Pin<Box<dyn Future<Output = Result<Handle<A>, JoinError>> + Send>>),
    Over,
}

impl<A: Leaf> Creating<A> {
    pub(super) fn new(client: Client, name: Option<&str>, state: State<A>) -> Self {
        let what = move || {
            let state = write_state::<A>(&state)?;
            Ok((name.map(str::parse).transpose()?, state))
        };
        Self(Step::Set { client, what: what(), here: false })
    }

    /// Keeps the object at this hub, also where that is [linked](crate::link::up) below another: it
    /// can be used while the link is cut, and those above do not see it. It cannot be carried by an
    /// object whose home is above.
    pub fn home(mut self, _: Here) -> Self {
        if let Step::Set { here, .. } = &mut self.0 {
            *here = true;
        }
        self
    }
}

impl<A: Leaf> Step<A> {
    fn begin(self) -> Self {
        let Self::Set { client, what, here } = self else { return self };
        Self::Going(Box::pin(async move {
            let how = match what? {
                (None, state) => How::Offline { state, here },
                (Some(name), state) => How::Create { name, state, or_join: false, here },
            };
            client.enter(how).await
        }))
    }
}

impl<A: Leaf> Future for Creating<A> {
    type Output = Result<Handle<A>, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let step = &mut self.get_mut().0;
        if matches!(step, Step::Set { .. }) {
            *step = mem::replace(step, Step::Over).begin();
        }
        match step {
            Step::Going(going) => going.as_mut().poll(cx),
            Step::Set { .. } | Step::Over => Poll::Pending,
        }
    }
}

/// Nothing of it is pinned in place: what is on its way is in a box.
impl<A: Leaf> Unpin for Creating<A> {}

impl<A: Leaf> fmt::Debug for Creating<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Creating")
    }
}
