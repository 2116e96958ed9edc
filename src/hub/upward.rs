//! The way to the hub above, if there is one: what is said to it, and by whom its answers are awaited.
//!
//! The link that makes the connections puts them in here; sessions, repeaters and the directory speak
//! through it from any thread. What must not be lost with a connection is said again over the next
//! one. Nothing else waits here: shouts that cannot go up are dropped, and come again.

mod line;

pub(crate) use self::line::not_linked;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::Addr;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{grants::Grants, keeper::Keeper, repeater::Repeater, session::Session};
use crate::{
    connection::{Class, Held, Queue},
    object::{Carried, Cursor, HubId, InterfaceId, ObjectId, SessionId},
    wire::{
        self, Create, Enroll, Fetch, Made, Over, Part, Refusal, Release, Request, Reserve, Resume,
        Target, encode, encode_with, via,
    },
};

/// The way up.
#[derive(Debug)]
pub(crate) struct Upward {
    /// Keeps what the link's session is gone on with.
    keeper: Option<Arc<Keeper>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    grants: Grants<Addr<Session>>,
    /// Whether somebody makes connections.
    is_driven: bool,
    /// The hub above, and with what the link's session is gone on.
    known: Option<(HubId, Resume)>,
    line: Line,
    number: Request,
    asked: BTreeMap<Request, Asked>,
    /// How many there may be before those who have gone are taken out.
    asked_max: usize,
    /// Objects that are about to be made above.
    reserved: BTreeMap<ObjectId, Reserved>,
    /// Objects whose home is above.
    copies: HashMap<ObjectId, Addr<Repeater>>,
    /// Objects whose home is here.
    own: HashSet<ObjectId>,
}

/// An object that is about to be made above.
#[derive(Debug, Default)]
struct Reserved {
    /// By how many requests.
    count: usize,
    /// Whether the home has answered one of them: then nobody need wait there.
    is_made: bool,
}

#[derive(Clone, Debug)]
enum Line {
    /// This hub is the top.
    None,
    /// There is a hub above, and no connection.
    Cut,
    Up(Arc<Queue>),
}

/// What was asked of the hub above.
#[derive(Debug)]
pub(crate) struct Asked {
    frame: Bytes,
    pub(crate) by: By,
}

/// Who awaits an answer.
#[derive(Debug)]
pub(crate) enum By {
    /// Somebody who waits, also over another connection.
    Task(oneshot::Sender<Result<Option<Made>, Refusal>>),
    /// Those who look for an object, also over another connection.
    Seekers(Target),
    /// Nobody, but it is to be done.
    Nobody,
    /// A copy, which asks again itself.
    Copy(ObjectId),
    /// A session on its way to a copy, which asks again itself.
    Entrant(ObjectId, SessionId),
}

impl Upward {
    /// Of a hub that was below this one when it ended, if it was below any.
    pub(crate) fn new(
        own: HubId,
        known: Option<(HubId, Resume)>,
        keeper: Option<Arc<Keeper>>,
    ) -> Self {
        let line = if known.is_some() { Line::Cut } else { Line::None };
        Self {
            keeper,
            state: Mutex::new(State {
                grants: Grants::new(own, known.is_some()),
                known,
                line,
                is_driven: false,
                number: 0,
                asked: BTreeMap::new(),
                asked_max: ASKED_MIN,
                reserved: BTreeMap::new(),
                copies: HashMap::new(),
                own: HashSet::new(),
            }),
        }
    }

    /// Whether there is a hub above.
    pub(crate) fn is_linked(&self) -> bool {
        !matches!(self.lock().line, Line::None)
    }

    /// Whether what is said arrives, as far as can be known.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.lock().line, Line::Up(_))
    }

    /// Says something. What it takes counts against `held` until it is written. `false`: nobody
    /// hears it.
    pub(crate) fn say(&self, frame: Bytes, held: Option<Held>) -> bool {
        let Line::Up(queue) = self.lock().line.clone() else { return false };
        let frame = match held {
            Some(held) => Bytes::from_owner(Guarded { frame, _held: held }),
            None => frame,
        };
        queue.push(Class::Firm, frame).is_ok()
    }

    /// Says what a session says. As [`say`](Self::say).
    pub(crate) fn say_for<H: wire::Header>(
        &self,
        session: SessionId,
        header: &H,
        payload: &[u8],
        held: Option<Held>,
    ) -> bool {
        self.say(via(session, &encode_with(header, payload)), held)
    }

    /// Asks for an object to be made for a session.
    ///
    /// # Errors
    /// What the home says.
    pub(crate) async fn make(
        &self,
        session: SessionId,
        create: Create,
        state: &[u8],
    ) -> Result<Made, Refusal> {
        let object = create.object;
        let made = self.ask(|request| Create { request, ..create }.encode_for(session, state));
        let made = made.await.map_err(|_| Refusal::Stopping)??.ok_or(Refusal::Unknown)?;
        self.is_made(object);
        Ok(made)
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// What the home says.
    pub(crate) async fn request(
        &self,
        frame: impl FnOnce(Request) -> Bytes,
    ) -> Result<(), Refusal> {
        self.ask(frame).await.map_err(|_| Refusal::Stopping)?.map(|_| ())
    }

    /// Is a leaf of an object no more.
    pub(crate) fn part(&self, object: ObjectId) {
        self.put(|request| encode(&Part { request, object }), By::Nobody);
    }

    fn ask(
        &self,
        frame: impl FnOnce(Request) -> Bytes,
    ) -> oneshot::Receiver<Result<Option<Made>, Refusal>> {
        let (reply, answer) = oneshot::channel();
        self.put(frame, By::Task(reply));
        answer
    }

    /// Asks for an object that is not here.
    pub(crate) fn seek(&self, target: Target, interface: Option<InterfaceId>) {
        let by = By::Seekers(target.clone());
        self.put(|request| encode(&Fetch { request, target, interface, cursor: None }), by);
    }

    /// Asks for what follows a cursor, or for all, of an object that there is a copy of.
    pub(crate) fn fetch(&self, object: ObjectId, cursor: Option<Cursor>) -> Request {
        let (target, interface) = (Target::Object(object), None);
        let fetch = |request| encode(&Fetch { request, target, interface, cursor });
        self.put(fetch, By::Copy(object))
    }

    /// Asks for a session to be let in at an object that there is a copy of.
    pub(crate) fn enroll(&self, enroll: Enroll) -> Request {
        let by = By::Entrant(enroll.object, enroll.session);
        self.put(|request| encode(&Enroll { request, ..enroll }), by)
    }

    fn put(&self, frame: impl FnOnce(Request) -> Bytes, by: By) -> Request {
        let mut state = self.lock();
        let request = state.number;
        state.number = state.number.wrapping_add(1);
        let frame = frame(request);
        if let Line::Up(queue) = &state.line {
            let _closing = queue.push(Class::Firm, frame.clone());
        }
        state.asked.insert(request, Asked { frame, by });
        if state.asked.len() > state.asked_max {
            // Those who have gone ask no more.
            state.asked.retain(|_, asked| !asked.by.is_over());
            state.asked_max = ASKED_MIN.max(2 * state.asked.len());
        }
        request
    }

    /// Who awaits the answer to a request.
    pub(crate) fn answered(&self, request: Request) -> Option<By> {
        self.lock().asked.remove(&request).map(|asked| asked.by)
    }

    /// An object is about to be made above, before anything that follows is said.
    pub(crate) fn reserve(&self, object: ObjectId) {
        let mut state = self.lock();
        let reserved = state.reserved.entry(object).or_default();
        reserved.count += 1;
        if reserved.count == 1
            && let Line::Up(queue) = &state.line
        {
            let _closing = queue.push(Class::Firm, encode(&Reserve { object }));
        }
    }

    /// A request less is about to.
    pub(crate) fn release(&self, object: ObjectId) {
        let mut state = self.lock();
        let Some(reserved) = state.reserved.get_mut(&object) else { return };
        reserved.count -= 1;
        if reserved.count > 0 {
            return;
        }
        let is_told = reserved.is_made;
        state.reserved.remove(&object);
        if !is_told {
            state.tell_release(object);
        }
    }

    /// An object was made above, or not: whoever asks for it there need not wait, and the copy of it
    /// that is to be had here is not to wait for itself.
    fn is_made(&self, object: ObjectId) {
        let mut state = self.lock();
        let reserved = state.reserved.get_mut(&object).filter(|reserved| !reserved.is_made);
        if let Some(reserved) = reserved {
            reserved.is_made = true;
            state.tell_release(object);
        }
    }

    /// A session has ended for good. If nobody hears it, the next connection begins with those that
    /// have not.
    pub(crate) fn is_over(&self, session: SessionId) {
        self.say(encode(&Over { session }), None);
    }

    /// There is a copy of an object.
    pub(crate) fn add_copy(&self, object: ObjectId, copy: Addr<Repeater>) {
        self.lock().copies.insert(object, copy);
    }

    /// There is none any more.
    pub(crate) fn remove_copy(&self, object: ObjectId) {
        self.lock().copies.remove(&object);
    }

    /// The copy of an object.
    pub(crate) fn copy(&self, object: ObjectId) -> Option<Addr<Repeater>> {
        self.lock().copies.get(&object).cloned()
    }

    /// An object has its home here, or is no more.
    pub(crate) fn set_own(&self, object: ObjectId, is_there: bool) {
        let mut state = self.lock();
        if is_there {
            state.own.insert(object);
        } else {
            state.own.remove(&object);
        }
    }

    /// The first of these objects that those above cannot have.
    pub(crate) fn below_home(&self, carried: &[Carried]) -> Option<ObjectId> {
        if carried.is_empty() {
            return None;
        }
        let state = self.lock();
        carried.iter().map(|each| each.object).find(|object| state.own.contains(object))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under it can panic between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_release(&self, object: ObjectId) {
        if let Line::Up(queue) = &self.line {
            let _closing = queue.push(Class::Firm, encode(&Release { object }));
        }
    }
}

impl By {
    fn is_over(&self) -> bool {
        matches!(self, Self::Task(reply) if reply.is_closed())
    }

    /// Whether it is asked again over another connection, in the same words.
    fn is_kept(&self) -> bool {
        match self {
            Self::Task(reply) => !reply.is_closed(),
            Self::Seekers(_) | Self::Nobody => true,
            Self::Copy(_) | Self::Entrant(..) => false,
        }
    }
}

/// Requests that are looked through for those that nobody waits for.
const ASKED_MIN: usize = 1_024;

/// A frame that counts until it is written.
struct Guarded {
    frame: Bytes,
    _held: Held,
}

impl AsRef<[u8]> for Guarded {
    fn as_ref(&self) -> &[u8] {
        &self.frame
    }
}
