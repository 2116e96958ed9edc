//! The way to the hub above, if there is one: what is said to it, and by whom its answers are awaited.
//!
//! The link that makes the connections puts them in here; sessions, repeaters and the directory speak
//! through it from any thread. What must not be lost with a connection is said again over the next
//! one. Nothing else waits here: shouts that cannot go up are dropped, and come again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actix::Addr;
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    grants::{Decision, Grants},
    keeper::Keeper,
    repeater::{Flow, Repeater},
    session::{Decided, Session},
};
use crate::{
    connection::{Class, Held, Queue},
    journal::Change,
    limits::BELOW_SESSIONS_MAX,
    object::{Carried, Cursor, HubId, InterfaceId, ObjectId, SessionId},
    wire::{
        self, Bar, Below, Claim, Create, Enroll, Fetch, Made, Over, Part, Refusal, Release,
        Request, Reserve, Resume, Target, encode, encode_with, via,
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
                reserved: BTreeMap::new(),
                copies: HashMap::new(),
                own: HashSet::new(),
            }),
        }
    }

    /// A hub would be linked below this one: the session is told what becomes of that.
    pub(crate) fn claim(&self, claim: Claim, session: Addr<Session>) {
        let mut state = self.lock();
        let decision = state.grants.claim(claim, session);
        state.carry_out([decision]);
    }

    /// The hub above has decided about a hub below.
    pub(crate) fn decided(&self, number: u32, decision: Result<(), Bar>) {
        let mut state = self.lock();
        if let Some((number, session)) = state.grants.decided(number, decision.is_ok()) {
            state.carry_out([Decision::Answer(number, session, decision)]);
        }
    }

    /// This hub asks to be linked. Returns how many hubs are below it, one below the other.
    pub(crate) fn begin_claim(&self) -> u8 {
        self.lock().grants.begin()
    }

    /// It is, or is not.
    pub(crate) fn end_claim(&self, is_granted: bool) {
        let mut state = self.lock();
        let decisions = state.grants.end(is_granted);
        state.carry_out(decisions);
    }

    /// The hub above, and with what the link's session is gone on.
    pub(crate) fn known(&self) -> Option<(HubId, Resume)> {
        self.lock().known.clone()
    }

    /// The hub above is this one, and this is what the link's session is gone on with.
    pub(crate) fn know(&self, hub: HubId, resume: Resume) {
        self.lock().known = Some((hub, resume.clone()));
        self.keep(Change::Linked { hub, resume });
    }

    fn keep(&self, change: Change) {
        self.keeper.iter().for_each(|keeper| keeper.keep([change.clone()]));
    }

    /// There will be no hub above.
    pub(crate) fn unlink(&self) {
        let mut state = self.lock();
        (state.line, state.known, state.is_driven) = (Line::None, None, false);
        self.keep(Change::Unlinked);
        // Whoever waits is told by that.
        state.asked.clear();
    }

    /// Whether there is a hub above.
    pub(crate) fn is_linked(&self) -> bool {
        !matches!(self.lock().line, Line::None)
    }

    /// Whether what is said arrives, as far as can be known.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.lock().line, Line::Up(_))
    }

    /// There is to be a hub above. `false`: there is one.
    pub(crate) fn link(&self) -> bool {
        let mut state = self.lock();
        if matches!(state.line, Line::None) {
            state.line = Line::Cut;
        }
        !std::mem::replace(&mut state.is_driven, true)
    }

    /// There is a connection. Who is below is said first, then what was not answered.
    pub(crate) fn come_up(&self, queue: Arc<Queue>, sessions: &[SessionId]) {
        let mut state = self.lock();
        for frame in all_below(sessions) {
            let _closing = queue.push(Class::Firm, frame);
        }
        let reserved = state.reserved.iter().filter(|(_, reserved)| !reserved.is_made);
        for (object, _) in reserved {
            let _closing = queue.push(Class::Firm, encode(&Reserve { object: *object }));
        }
        state.asked.retain(|_, asked| asked.by.is_kept());
        for asked in state.asked.values() {
            let _closing = queue.push(Class::Firm, asked.frame.clone());
        }
        state.line = Line::Up(queue);
        state.copies.values().for_each(|copy| copy.do_send(Flow::Begins));
        let decisions = state.grants.flow();
        state.carry_out(decisions);
    }

    /// There is none any more.
    pub(crate) fn go_down(&self) {
        let mut state = self.lock();
        if matches!(state.line, Line::Up(_)) {
            state.line = Line::Cut;
            state.copies.values().for_each(|copy| copy.do_send(Flow::Ends));
        }
        let decisions = state.grants.cut();
        state.carry_out(decisions);
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
        drop(self.ask(|request| encode(&Part { request, object })));
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

    fn carry_out(&self, decisions: impl IntoIterator<Item = Decision<Addr<Session>>>) {
        for decision in decisions {
            match decision {
                Decision::Answer(number, session, decision) => {
                    session.do_send(Decided { number, decision });
                }
                Decision::Pass(claim) => {
                    if let Line::Up(queue) = &self.line {
                        let _closing = queue.push(Class::Firm, encode(&claim));
                    }
                }
                Decision::Held => {}
            }
        }
    }
}

impl By {
    /// Whether it is asked again over another connection, in the same words.
    fn is_kept(&self) -> bool {
        match self {
            Self::Task(reply) => !reply.is_closed(),
            Self::Seekers(_) => true,
            Self::Copy(_) | Self::Entrant(..) => false,
        }
    }
}

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

fn all_below(sessions: &[SessionId]) -> Vec<Bytes> {
    let pieces: Vec<_> = sessions.chunks(BELOW_SESSIONS_MAX).collect();
    let count = pieces.len().max(1);
    let piece = |at: usize| pieces.get(at).map_or_else(Vec::new, |piece| piece.to_vec());
    (0..count).map(|at| encode(&Below { sessions: piece(at), more: at + 1 < count })).collect()
}
